"""What a lab's cell ends in: a picture with alternative text, a sentence, a table; and those that labs share.

Each shows itself in a notebook and in the book, and is an ordinary value in plain Python, which needs no Jupyter.
"""

import base64
import html
import io
import re
from dataclasses import dataclass

import pandas as pd
from matplotlib import pyplot as plt

from common import stats
from common.plan import clock
from common.records import read_all
from common.settings import trial


@dataclass(frozen=True, repr=False)
class Picture:
    """A drawn figure. `alt` says in words what is to be seen."""

    png: bytes
    alt: str
    width: int  # CSS pixels, at most; a narrow page shrinks it
    least: int = 0  # CSS pixels below which its labels are too small to read; a page narrower than that scrolls it

    def _repr_html_(self):
        data = base64.b64encode(self.png).decode()
        image = (f'<img src="data:image/png;base64,{data}" alt="{html.escape(self.alt)}" width="{self.width}" '
                 f'style="max-width: 100%; min-width: {self.least}px; height: auto; background: white">')
        if not self.least:
            return image
        return f'<div class="scrolled" role="region" aria-label="Figure, may scroll sideways" tabindex="0">{image}</div>'

    def __repr__(self):
        return f"Picture: {self.alt}"


class Row(tuple):
    """Pictures side by side, or one below the other where the page is narrow."""

    def _repr_html_(self):
        return f'<div class="row-of-pictures">{"".join(picture._repr_html_() for picture in self)}</div>'


def picture(figure, alt, least=0):
    """Draw a matplotlib `figure` into a Picture and close it; `least` is the narrowest it may be shown, in CSS pixels."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=192, facecolor="white", metadata={"Software": None})
    plt.close(figure)
    return Picture(buffer.getvalue(), minus(alt), round(figure.get_figwidth() * 96), least)


class Text(str):
    """Markdown with numbers in it that come from records."""

    def _repr_markdown_(self):
        return minus(self)


@dataclass(frozen=True, repr=False)
class Table:
    """A DataFrame as it is shown: no index, every number already a string or an integer."""

    frame: pd.DataFrame

    def _repr_html_(self):
        frame = self.frame.map(lambda v: f"{v:,}" if isinstance(v, int) else v)
        table = frame.to_html(index=False, border=0, classes="table", justify="left")
        return minus(re.sub(r"<td>(?=[^<]{36})", '<td class="long">', table))

    def __repr__(self):
        return self.frame.to_string(index=False)


def minus(text):
    """Return `text` with the hyphens before negative numbers made minus signs, which screen readers say."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "\N{MINUS SIGN}", text)


def percent(fractions):
    """Return "mean ± standard deviation" of fractions over seeds as percent; a single one has no deviation.

    Where some are None, it is of the others and says how many they are; where all are, it is "–".
    """
    fractions = list(fractions)
    values = pd.Series([fraction for fraction in fractions if fraction is not None])
    few = f" ({len(values)} of {len(fractions)} runs)" * (len(values) < len(fractions))
    return mean_and_deviation(values.mean(), values.std()) + few if len(values) else "–"  # the deviation of one is NaN


def mean_and_deviation(mean, std):
    """Return fractions as "78.53% ± 0.42"; a deviation that is NaN is left out."""
    return f"{mean:.2%}" + (f" ± {100 * std:.2f}" if std == std else "")


def cost(lab, settings, records=None):
    """Return a Text that says how long the runs of `lab` on record took, machine by machine, and if `settings` are a trial."""
    records = [r for r in (read_all() if records is None else records) if r.lab == lab]
    said = []
    for device in sorted({r.device for r in records}):
        group = [r for r in records if r.device == device]
        times, most = [r.took for r in group], max(r.at_once for r in group)
        said.append(f"{len(group)} run{'s' * (len(group) > 1)} on {device} took "
                    + (f"{clock(min(times))} to {clock(max(times))} each, {clock(sum(times))} in all" if len(group) > 1 else
                       clock(times[0])) + (f"; up to {most} at a time shared the machine" if most > 1 else
                                           "; the machine may have been shared" if min(r.at_once for r in group) == 0 else ""))
    return Text("**Time.** Replayed from records, this lab takes seconds. Trained, it takes longer: " + (
        f"{'. '.join(said)}." if said else "none of its runs is on record yet, and on a CPU each takes hours.")
        + f" `make record DRY=1 ONLY={lab}` lists what is missing, with an estimate for the machine at hand."
        + "\n\n" * bool(trial(settings)) + trial(settings))


def took(record):
    """Return a sentence on how long a run took, and on what."""
    shared = (f", while {record.at_once} runs shared the machine" if record.at_once > 1 else
              "; whether it shared the machine is not known" if record.at_once == 0 else "")
    return Text(f"One run of `{record.variant}` took {record.took / 60:.1f} minutes on {machine(record)}{shared}.")


def beside(source, records, more=()):
    """Return a Table of what a source reports of its one run, beside what `records` (the seeds of one variant) give.

    `source` has, as printed: parameters; training and test accuracy of the last epoch; the best test accuracy; epoch
    and value of the lowest test loss. `more` are rows before the last, (what, source, here).
    """
    curves = [record.curves() for record in records]
    lowest, epochs = stats.lowest_loss(records)
    here = {
        "parameters": f"{records[0].params:,}",
        "training accuracy, last epoch": percent(r.train_acc for r in records),
        "test accuracy, last epoch": percent(r.test_acc for r in records),
        "test accuracy, best epoch": percent(curve.test_acc.max() for curve in curves),
        "epoch of the lowest test loss": epochs,
        "lowest test loss (nats)": lowest,
    }
    rows = [(what, said, ours) for (what, ours), said in zip(here.items(), source, strict=True)]
    rows += [*more, ("runs", "1", str(len(records)))]
    return Table(pd.DataFrame(rows, columns=["", "source", "here"]))


def summary(groups, **more):
    """Return the Table that ends a lab: a row for each of `groups`, {what to call a variant: its records}.

    `more` names further columns, each with the function that makes its text of a variant's records. Runs of several
    machines get a column that says which, since their times do not compare.
    """
    if len({machine(r) for group in groups.values() for r in group}) > 1:
        more["trained on"] = lambda group: "; ".join(sorted({machine(r) for r in group}))
    return Table(pd.DataFrame([{
        "variant": name,
        "parameters": group[0].params,
        "multiply–accumulates": group[0].macs,
        "epochs": len(group[0].history),
        "validation accuracy": percent(r.val_acc for r in group),
        "test accuracy": percent(r.test_acc for r in group),
        "clean training accuracy": percent(r.learnt_acc for r in group),
        "seeds": len(group),
        "minutes": f"{pd.Series([r.took for r in group]).median() / 60:.1f}" + _shared(group),
    } | {column.replace("_", " "): text(group) for column, text in more.items()} for name, group in groups.items()]))


def alike(*groups):
    """Tell whether all of these records come from one kind of machine, shared by as many runs: else times do not compare."""
    made = {(r.device, r.threads, r.precision, r.at_once) for group in groups for r in group}
    return len(made) == 1 and min(r.at_once for r in groups[0]) > 0  # 0: not known


def gap(group):
    """Return clean training accuracy less test accuracy, in points, mean over the records that have the former; – if none."""
    mean = 100 * pd.Series([r.gap for r in group]).mean()  # of those that are numbers
    return f"{mean:z.1f}" if mean == mean else "–"


def fastest_epoch(group):
    """Return the seconds of a run's fastest epoch, evaluations included: the median over a variant's records.

    Whatever else a machine does makes an epoch longer, never shorter, so of a run's epochs the fastest tells most.
    """
    return pd.Series([min(row["seconds"] for row in r.history) for r in group]).median()


def seconds(group):
    """Return `fastest_epoch` as a table shows it."""
    return f"{fastest_epoch(group):.1f}"


def machine(record):
    """Return what a run's time depends on beside its own work: the device, of a CPU the threads, the number format."""
    threads = "" if "NVIDIA" in record.device else f", {record.threads} thread{'s' * (record.threads > 1)}"
    return f"{record.device}{threads}, {record.precision}"


def _shared(group):
    """Return a remark where runs shared their machine, which makes their times longer, or may have."""
    most = max(r.at_once for r in group)
    return f" ({most} runs at once)" if most > 1 else " (maybe shared)" if min(r.at_once for r in group) == 0 else ""
