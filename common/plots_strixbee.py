"""Figures of Levels 2 and 3: accuracies of several variants side by side, and small pictures."""

import numpy as np
from matplotlib import pyplot as plt

from common import stats
from common.plots import STYLE
from common.show import picture

ENOUGH = 3  # seeds from which an interval is drawn; that of two is many times wider than what it is drawn from


def dots(rows, title, name="test accuracy"):
    """Draw accuracies of several variants, one row each: a ring a seed, a dot the mean, a line its 95 % interval.

    `rows` is a list of (what to call the variant, its accuracies over seeds as fractions), drawn from the top. The
    interval is Student's t; with fewer than three seeds none is drawn.
    """
    color = STYLE["val" if name.startswith("validation") else "test"]["color"]
    figure, axes = plt.subplots(figsize=(5.6, 0.9 + 0.36 * len(rows)), layout="constrained")
    said = []
    for place, (label, values) in enumerate(rows):
        values = 100 * np.asarray(list(values))
        mean, low, high = stats.paired(np.zeros(len(values)), values)
        if len(values) >= ENOUGH:
            axes.plot([low, high], [place, place], color=color, linewidth=2, alpha=0.5)
        axes.plot(values, [place] * len(values), "o", color=color, markerfacecolor="none", markersize=5, alpha=0.8)
        axes.plot(mean, place, "o", color=color, markersize=8)
        axes.annotate(f"{mean:.2f}", (mean, place), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
        said.append(f"{label} {mean:.2f}")
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.margins(x=0.12)
    axes.set(xlabel=f"{name} (%)")
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}: {name} in %, mean over seeds, from the top: {', '.join(said)}.")


def pictures(images, titles, title, alt):
    """Draw `images` side by side, each a tensor (H, W), dark to light, or (3, H, W) with colours from 0 to 1.

    `alt` says what is to be seen. Maps (H, W) share one scale, from 0 to the largest value among them.
    """
    most = max([float(image.max()) for image in images if image.ndim == 2], default=1)
    figure, axes = plt.subplots(1, len(images), figsize=(1.15 * len(images), 1.75), layout="constrained")
    for place, image, label in zip(axes, images, titles, strict=True):
        image = image.detach().float().cpu().numpy()
        if image.ndim == 2:
            place.imshow(image, cmap="gray", vmin=0, vmax=most)
        else:
            place.imshow(image.transpose(1, 2, 0).clip(0, 1))
        place.set_title(label, fontsize=8)
        place.set(xticks=[], yticks=[])
        for spine in place.spines.values():
            spine.set_visible(True)
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}. {alt}")
