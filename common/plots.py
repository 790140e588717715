"""Every figure of the course."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from common.show import Row, picture

# Okabe and Ito's colours, told apart with any colour vision; lines differ in dash too.
STYLE = {"train": dict(color="#D55E00", linestyle="--"), "clean": dict(color="#CC79A7", linestyle=(0, (1, 1))),
         "val": dict(color="#009E73", linestyle="-."), "test": dict(color="#0072B2", linestyle="-")}
NAMES = {"train": "training", "clean": "clean training images", "val": "validation", "test": "test"}
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3,
                     "font.size": 10, "legend.frameon": False})


def mean(records, column):
    """Return the mean over records of a column of their histories, a Series over epochs."""
    return _each(records, column).mean(axis=1)


def _each(records, column):
    return pd.concat([r.curves()[column] for r in records], axis=1)


def band(axes, records, column, scale, **style):
    """Draw a column's mean over records and a band of ± one deviation, times `scale`; return the mean."""
    curves = scale * _each(records, column)
    mean, std = curves.mean(axis=1), curves.std(axis=1).fillna(0)
    axes.plot(mean.index, mean, **style)
    axes.fill_between(mean.index, mean - std, mean + std, color=style["color"], alpha=0.2, linewidth=0)
    return mean


def curves(records, title, mark=None):
    """Draw accuracy and loss over epochs: means over `records` (the seeds of one variant), bands of ± one deviation.

    Draws those of the curves in NAMES that the records hold. `mark` is an epoch to point at.
    """
    return Row(_curve(records, title, *what, mark) for what in (("acc", "accuracy", "%", 100), ("loss", "loss", "nats", 1)))


def _curve(records, title, column, name, unit, scale, mark):
    figure, axes = plt.subplots(figsize=(4.6, 3.5), layout="constrained")
    said = []
    for part in STYLE:
        if f"{part}_{column}" in records[0].history[0]:
            mean = band(axes, records, f"{part}_{column}", scale, label=NAMES[part], **STYLE[part])
            said.append(f"{NAMES[part]} from {mean.iloc[0]:.3g} to {mean.iloc[-1]:.3g}")
    if mark:
        axes.axvline(mark, color="#555555", linestyle=":")
        axes.annotate(f"epoch {mark}", (mark, axes.get_ylim()[1]), xytext=(4, -10), textcoords="offset points")
    axes.set(xlabel="epoch", ylabel=f"{name} ({unit})")
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(f"{title}: {name}, {seeds(records)}", fontsize=10)
    axes.legend()
    return picture(figure, f"{name.capitalize()} of {title} over {len(records[0].history)} epochs, in {unit}: "
                           f"{', '.join(said)}.")


def confusion(records, classes, title):
    """Draw the confusion matrix of `records` (the seeds of one variant), mean over seeds, in percent of a true class."""
    counts = np.mean([r.confusion for r in records], axis=0)
    share = 100 * counts / counts.sum(axis=1, keepdims=True)
    figure, axes = plt.subplots(figsize=(5.0, 4.6), layout="constrained")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axes.grid(False)
    for row, column in np.ndindex(share.shape):
        value = share[row, column]
        if round(value) >= 1:
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=8,
                      color="white" if value > 50 else "black")
    axes.set_xticks(range(10), classes, rotation=45, ha="right")
    axes.set_yticks(range(10), classes)
    axes.set(xlabel="predicted class", ylabel="true class")
    figure.suptitle(f"{title}: % of each true class, {seeds(records)}", fontsize=10)
    off = share - np.diag(np.diag(share))
    row, column = np.unravel_index(off.argmax(), off.shape)
    return picture(figure, f"Confusion matrix of {title}, ten classes. Most frequent mistake: {classes[row]} taken for "
                           f"{classes[column]}, {off.max():.0f} % of the time.")


def kernels(weight, title):
    """Draw the kernels of a first layer, `weight` of shape (out, 3, k, k), as colour pictures on one common scale."""
    weight = weight.detach().float().cpu().permute(0, 2, 3, 1).numpy()
    reach = abs(weight).max()
    columns = 8
    figure, axes = plt.subplots(-(-len(weight) // columns), columns, figsize=(5.6, 1.8), layout="constrained")
    for number, (place, kernel) in enumerate(zip(axes.flat, weight), start=1):
        place.imshow(0.5 + kernel / (2 * reach))
        place.set_title(number, fontsize=8)
    for place in axes.flat:
        place.set_axis_off()
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}: {len(weight)} small colour pictures of {weight.shape[1]}×{weight.shape[2]} pixels; "
                           "grey is zero, brighter is positive, darker is negative.")


def grown(rows):
    """Return those of common.whole_runs.growth's rows in which only images grow, and those in which only epochs do."""
    frame = pd.DataFrame(rows).sort_values(["images", "epochs"])
    return {"images": frame[frame.epochs == 1], "epochs": frame[frame.images == frame.images.min()]}


def growth(rows):
    """Draw seconds and peak MiB against images and against epochs, from rows of common.whole_runs.growth."""
    frame, parts = pd.DataFrame(rows), grown(rows).items()
    figures = []
    for column, name, unit in (("seconds", "time", "s"), ("peak_mib", "peak memory", "MiB")):
        figure, all_axes = plt.subplots(1, 2, figsize=(4.6, 3.2), layout="constrained", sharey=True)
        for axes, (amount, part), style in zip(all_axes, parts, (STYLE["test"], STYLE["train"])):
            axes.plot(part[amount], part[column], marker="o", **style)
            axes.set(xlabel=amount, xlim=(0, 1.08 * part[amount].max()), ylim=(0, 1.08 * frame[column].max()))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        all_axes[0].set_ylabel(f"{name} ({unit})")
        all_axes[0].xaxis.get_major_locator().set_params(nbins=3)
        figure.suptitle(f"{name.capitalize()} of a run", fontsize=10)
        said = [f"with {amount} from {part[amount].min():,} to {part[amount].max():,} it goes from "
                f"{part[column].iloc[0]:,.0f} to {part[column].iloc[-1]:,.0f} {unit}" for amount, part in parts]
        figures.append(picture(figure, f"{name.capitalize()} of a run: {', and '.join(said)}."))
    return Row(figures)


def seeds(records):
    """Return "3 seeds", for a title."""
    return f"{len(records)} seed{'s' * (len(records) > 1)}"
