"""Our results beside those of others: what is on record, what the sources reported, what was published."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from common.data import ROOT
from common.inspect import macs
from common.labs import LABS, all_variants, variants
from common.records import alike, fits, identity, read_all, table
from common.show import machine, percent
from common.stats import lowest_loss

REPORTED = ROOT / "book" / "reported.csv"  # what the three sources print, quoted
PUBLISHED = ROOT / "book" / "published.csv"  # what others publish, quoted
NO_LAB, NO_RECORD, NO_NUMBER = "no lab of ours", "not yet on record", "not reported"


def reported():
    """Return what the sources report, a DataFrame of text as it is printed: one row a network, accuracies in percent.

    `lab` and `variant` name what we ran, and are empty where we ran nothing. `counted` says how the parameters were
    come by: "printed", "Keras" (running statistics count), "README", or "not printed" (the layers were counted). `loss`
    is the lowest test loss in nats (Strixbee's is printed 63.7 times too small), `loss_epoch` counts from 1, and
    `seconds` are those of the whole run.
    """
    return pd.read_csv(REPORTED, dtype=str, keep_default_na=False)


def published():
    """Return published networks: name, params, macs, accuracy (%), and the first and last as printed; see the file."""
    frame = pd.read_csv(PUBLISHED, dtype=str)
    return frame.assign(params_printed=frame.params, accuracy_printed=frame.accuracy, params=frame.params.map(number),
                        macs=frame.macs.astype(int), accuracy=frame.accuracy.astype(float))


def number(text):
    """Return "83368", "17K" or "1.25M" as an integer."""
    scale = {"K": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return round(float(text.rstrip("KM")) * scale)


def grouped(text):
    """Return "83368" as "83,368", and "17K" as it is."""
    return f"{int(text):,}" if text.isdigit() else text


def present():
    """Return all records, of a variant that is amid being trained anew only those of it as it is now."""
    kept = []
    for (lab, name), group in itertools.groupby(read_all(), key=lambda r: (r.lab, r.variant)):
        group = list(group)
        if not alike(group):
            now = variants(LABS / f"{lab}.py").get(name)
            group = [r for r in group if now and fits(r, identity("cifar10", now, r.seed))] or group[:1]
        kept += group
    return kept


def overview(records=None):
    """Return `records.table` with more columns: accuracy and std in percent, gap in points, test_set, machine.

    `gap` is clean training accuracy less test accuracy, over the runs that have the former, or NaN. `test_set` says what
    the variant used the test set for; `machine` is the device with its threads and the number format, and how many runs
    shared it.
    """
    records = present() if records is None else records
    used, machines, gaps = {}, {}, {}
    for record in records:
        key = record.lab, record.variant
        used[key] = _used(record.recipe)
        machines.setdefault(key, set()).add(_machine(record))
        gaps.setdefault(key, []).append(record.gap)
    frame = table(records)
    keys = list(zip(frame.lab, frame.variant))
    return frame.assign(accuracy=100 * frame.test_acc_mean, std=100 * frame.test_acc_std,
                        gap=[100 * pd.Series(gaps[key]).mean() for key in keys], test_set=[used[key] for key in keys],
                        machine=["; ".join(sorted(machines[key])) for key in keys])


def _used(recipe):
    often = "every epoch" if recipe.follow_test else "once"
    return often + (", for statistics" if recipe.statistics == "test" else "")


def _machine(record):
    shared = {0: ", maybe shared", 1: ""}.get(record.at_once, f", {record.at_once} runs at once")
    return machine(record) + shared


def source_points(cost):
    """Return name, `cost`, accuracy (%) and what is `printed` of the reported networks, as far as the two are known.

    `cost` is "params", as the source says, or "macs", which are those of the network that a lab builds after it.
    """
    frame = reported()
    frame = frame[(frame.test != "") & (frame.measured_on == "test images")]
    frame = frame.assign(printed=frame.test + "% for " + frame.params.map(grouped))
    if cost == "macs":
        built = {(lab, name): variant.build for lab, name, variant in all_variants()}
        frame = frame[frame.lab != ""]
        frame = frame.assign(macs=[macs(built[key]()) for key in zip(frame.lab, frame.variant)])
    else:
        frame = frame.assign(params=frame.params.map(number))
    return pd.DataFrame({"name": frame.source + " " + frame.network, cost: frame[cost],
                         "accuracy": frame.test.astype(float), "printed": frame.printed})


def frontier(costs, accuracies):
    """Return of each point whether it is on the frontier: whether no other is at least as good in both and better in one.

    Of points that are equal in both, either all are on it or none.
    """
    costs, accuracies = np.asarray(costs), np.asarray(accuracies)
    no_worse = (costs <= costs[:, None]) & (accuracies >= accuracies[:, None])
    better = (costs < costs[:, None]) | (accuracies > accuracies[:, None])
    return ~(no_worse & better).any(axis=1)


def deviation(overview):
    """Return the pooled standard deviation over seeds, in points, of the variants in `overview` that have several seeds."""
    repeated = overview[overview.seeds > 1]
    freedom = repeated.seeds - 1
    return np.sqrt((freedom * repeated["std"] ** 2).sum() / freedom.sum())


def least_difference(deviation, seeds):
    """Return how far apart the means of two networks must be to differ beyond chance, at the level of 95 %.

    Both have `seeds` independent runs and this standard deviation over them; Student's t.
    """
    return stats.t.ppf(0.975, 2 * seeds - 2) * deviation * np.sqrt(2 / seeds)


def difference(row, group):
    """Return ours less theirs, in points, after the last epoch, of a row of `reported` and its records, at least one.

    Both are measured on the images that the source measured on.
    """
    key = "test_acc" if row.measured_on == "test images" else "clean_acc"
    return 100 * np.mean([r.history[-1][key] for r in group]) - float(row.test)


def reproduced(row, group):
    """Return [(what, reported, here, difference)], text, of one row of `reported` and its records, maybe none."""
    missing = NO_RECORD if row.lab else NO_LAB

    def accuracy(what, theirs, ours):
        values = [ours(r) for r in group]
        apart = f"{100 * np.mean(values) - float(theirs):+.2f}" if theirs and group else "–"
        return what, f"{theirs}%" if theirs else NO_NUMBER, percent(values) if group else missing, apart

    off = f"{group[0].params - int(row.params):,}" if group and row.params.isdigit() else "–"
    rows = [("parameters", grouped(row.params), f"{group[0].params:,}" if group else missing, off)]
    if row.train:
        rows.append(accuracy("training accuracy, last epoch", row.train, lambda r: r.train_acc))
        rows.append(accuracy("training accuracy, best epoch", row.best_train, lambda r: r.curves().train_acc.max()))
    if not row.best:
        return rows + [accuracy("test accuracy", row.test, lambda r: r.test_acc)]
    if row.measured_on == "test images":
        rows += [accuracy("test accuracy, last epoch", row.test, lambda r: r.test_acc),
                 accuracy("test accuracy, best epoch", row.best, lambda r: r.curves().test_acc.max())]
        if row.loss:
            here = "{} ({})".format(*lowest_loss(group)) if group else missing
            apart = f"{np.mean([r.curves().test_loss.min() for r in group]) - float(row.loss):+.3f}" if group else "–"
            rows.append(("lowest test loss (nats), in epoch", f"{row.loss} ({row.loss_epoch})", here, apart))
        if row.seconds:
            rows.append(("seconds of a run", row.seconds, f"{np.mean([r.took for r in group]):.2f}" if group else missing, "–"))
        return rows
    return rows + [accuracy("“test”, last epoch", row.test, lambda r: r.history[-1]["clean_acc"]),
                   accuracy("“test”, best epoch", row.best, lambda r: r.curves().clean_acc.max()),
                   accuracy("test accuracy, last epoch", "", lambda r: r.test_acc)]
