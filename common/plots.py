"""Every figure of the course."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from common.show import picture

# Okabe and Ito's colours, told apart with any colour vision; lines differ in dash too.
STYLE = {"train": dict(color="#D55E00", linestyle="--"), "val": dict(color="#009E73", linestyle="-."),
         "test": dict(color="#0072B2", linestyle="-")}
NAMES = {"train": "training", "val": "validation", "test": "test"}
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3,
                     "font.size": 10, "legend.frameon": False})


def mean_and_std(records, column):
    """Return (mean, std) over records of a column of their histories, each a Series over epochs; std of one is 0."""
    curves = pd.concat([r.curves()[column] for r in records], axis=1)
    return curves.mean(axis=1), curves.std(axis=1).fillna(0)


def curves(records, title, mark=None):
    """Draw accuracy and loss over epochs: means over `records` (the seeds of one variant), bands of ± one deviation.

    Draws the training, validation and test curves that the records hold. `mark` is an epoch to point at.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    sets = [name for name in STYLE if f"{name}_acc" in records[0].curves()]
    for axes, quantity, label in ((left, "acc", "accuracy (%)"), (right, "loss", "loss (nats)")):
        for name in sets:
            mean, std = mean_and_std(records, f"{name}_{quantity}")
            scale = 100 if quantity == "acc" else 1
            axes.plot(mean.index, scale * mean, label=NAMES[name], **STYLE[name])
            axes.fill_between(mean.index, scale * (mean - std), scale * (mean + std), color=STYLE[name]["color"],
                              alpha=0.2, linewidth=0)
        if mark:
            axes.axvline(mark, color="#555555", linestyle=":")
        axes.set(xlabel="epoch", ylabel=label)
    if mark:
        right.annotate(f"epoch {mark}", (mark, right.get_ylim()[1]), xytext=(4, -10), textcoords="offset points")
    left.legend(loc="lower right")
    figure.suptitle(f"{title}, {seeds(records)}")
    said = ", ".join(f"{NAMES[name]} {mean_and_std(records, f'{name}_acc')[0].iloc[-1]:.1%}" for name in sets)
    first = records[0].history[0]["epoch"]
    return picture(figure, f"Two panels over epochs {first} to {len(records[0].history)}, accuracy and loss of {title}. "
                           f"Accuracy at the end: {said}.")


def confusion(records, classes, title):
    """Draw the confusion matrix of `records` (the seeds of one variant), mean over seeds, in percent of a true class."""
    counts = np.mean([r.confusion for r in records], axis=0)
    share = 100 * counts / counts.sum(axis=1, keepdims=True)
    figure, axes = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axes.grid(False)
    for row, column in np.ndindex(share.shape):
        value = share[row, column]
        if value >= 0.5:
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=9,
                      color="white" if value > 50 else "black")
    axes.set_xticks(range(10), classes, rotation=45, ha="right")
    axes.set_yticks(range(10), classes)
    axes.set(xlabel="predicted class", ylabel="true class", title=f"{title}: % of a true class, {seeds(records)}")
    off = share - np.diag(np.diag(share))
    row, column = np.unravel_index(off.argmax(), off.shape)
    return picture(figure, f"Confusion matrix of {title}, ten classes. Most frequent mistake: {classes[row]} taken for "
                           f"{classes[column]}, {off.max():.0f} % of the time.")


def kernels(weight, title):
    """Draw the kernels of a first layer, `weight` of shape (out, 3, k, k), as colour pictures on one common scale."""
    weight = weight.detach().float().cpu().permute(0, 2, 3, 1).numpy()
    reach = abs(weight).max()
    columns = 8
    figure, axes = plt.subplots(-(-len(weight) // columns), columns, figsize=(8, 2.4), layout="constrained")
    for number, (place, kernel) in enumerate(zip(axes.flat, weight), start=1):
        place.imshow(0.5 + kernel / (2 * reach))
        place.set_title(number, fontsize=8)
    for place in axes.flat:
        place.set_axis_off()
    figure.suptitle(title)
    return picture(figure, f"{title}: {len(weight)} small colour pictures of {weight.shape[1]}×{weight.shape[2]} pixels; "
                           "grey is zero, brighter is positive, darker is negative.")


def seeds(records):
    """Return "3 seeds", for a title."""
    return f"{len(records)} seed{'s' * (len(records) > 1)}"
