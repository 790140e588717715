"""Figures that compare variants with each other or with what a source reported, and small pictures in a row."""

import numpy as np
import torch
from matplotlib import pyplot as plt

from common import stats
from common.plots import NAMES, STYLE, band, mean, seeds
from common.show import picture

# Okabe and Ito's colours, each with a dash of its own
LINES = [dict(color=color, linestyle=dash) for color, dash in (
    ("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"), ("#E69F00", (0, (6, 1, 1, 1, 1, 1))))]
REPORTED = {"training": dict(color=STYLE["train"]["color"], marker="s"), "“test”": dict(color="#000000", marker="o")}


def compare(groups, column, title, unit):
    """Draw one curve for each variant: means of `column` over its records, bands of ± one deviation.

    `groups` is {name: records}, at most five of them; `column` is one of the histories, and an accuracy is in percent.
    """
    scale = 100 if column.endswith("acc") else 1
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    said = []
    for style, (name, records) in zip(LINES, groups.items()):
        mean = band(axes, records, column, scale, label=name, **style)
        said.append(f"{name} ends at {mean.iloc[-1]:.3g}")
    axes.set(xlabel="epoch", ylabel=unit)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    figure.suptitle(f"{title}, {seeds(next(iter(groups.values())))}", fontsize=10)
    return picture(figure, f"{title}, {unit} over epochs: {', '.join(said)}.")


def dots(rows, title, name="test accuracy"):
    """Draw accuracies of several variants, one row each: a ring a seed, a dot the mean, a line its 95 % interval.

    `rows` is a list of (what to call the variant, its accuracies over seeds as fractions), drawn from the top. The
    interval is Student's t; with fewer than three seeds none is drawn.
    """
    color = STYLE["val" if name.startswith("validation") else "test"]["color"]
    figure, axes = plt.subplots(figsize=(5.6, 0.9 + 0.36 * len(rows)), layout="constrained")
    said, counts = [], []
    for place, (label, values) in enumerate(rows):
        values = 100 * np.asarray(list(values))
        counts.append(len(values))
        mean, low, high = stats.interval(values)
        if len(values) >= stats.ENOUGH:
            axes.plot([low, high], [place, place], color=color, linewidth=2, alpha=0.5)
        axes.plot(values, [place] * len(values), "o", color=color, markerfacecolor="none", markersize=5, alpha=0.8)
        axes.plot(mean, place, "o", color=color, markersize=8)
        axes.annotate(f"{mean:.2f}", (mean, place), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
        said.append(f"{label} {mean:.2f}")
    few, most = min(counts), max(counts)
    title += f", {most} seed{'s' * (most > 1)}" if few == most else f", {few} to {most} seeds"
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.margins(x=0.12)
    axes.set(xlabel=f"{name} (%)")
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}: {name} in %, mean over seeds, from the top: {', '.join(said)}.")


def reported(source, title, records=()):
    """Draw the accuracies that a source reports as points, over the means of `records` (the seeds of one variant).

    `source` is a DataFrame in percent, indexed by epoch, with the columns "training" and "“test”"; of `records` the
    training, clean and test curves are drawn, and then only the points within their epochs.
    """
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    said = []
    for part in ("train", "clean", "test") if records else ():
        curve = 100 * mean(records, f"{part}_acc")
        axes.plot(curve.index, curve, label=f"{NAMES[part]}, here", **STYLE[part])
        said.append(f"{NAMES[part]}, here, from {curve.iloc[0]:.1f} to {curve.iloc[-1]:.1f}")
    source = source[source.index <= len(records[0].history)] if records else source
    for name, style in REPORTED.items():
        axes.plot(source.index, source[name], label=f"{name}, reported", linestyle="none", markerfacecolor="white", **style)
        said.append(f"{name}, reported, from {source[name].iloc[0]:.1f} to {source[name].iloc[-1]:.1f}")
    axes.set(xlabel="epoch", ylabel="accuracy (%)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title + (f", {seeds(records)}" if records else ""), fontsize=10)
    axes.legend()
    return picture(figure, f"{title}, accuracy in % over epochs: {'; '.join(said)}.")


def range_test(test, chosen, title):
    """Draw a learning-rate range test, a DataFrame with columns rate, loss and smooth, and mark the `chosen` rate, if any."""
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    axes.semilogx(test.rate, test.loss, color="#56B4E9", linestyle=":", label="loss of each batch")
    axes.semilogx(test.rate, test.smooth, color="#0072B2", label="smoothed")
    if chosen:
        axes.axvline(chosen, color="#D55E00", linestyle="--", label=f"chosen: {chosen:.2g}")
    start, lowest = test.smooth.iloc[0], test.smooth.min()
    axes.set(xlabel="learning rate", ylabel="training loss (nats)", ylim=(lowest - 0.3, start + 0.6))
    axes.legend()
    figure.suptitle(title, fontsize=10)
    best = test.rate[test.smooth.idxmin()]
    return picture(figure, f"{title}: the smoothed loss is {start:.2f} at {test.rate.iloc[0]:.0e}, lowest, "
                           f"{lowest:.2f}, at {best:.2g}, and {test.smooth.iloc[-1]:.2f} at {test.rate.iloc[-1]:.2g}, where the "
                           f"test ends{f'; the mark is at {chosen:.2g}' if chosen else ''}.")


def heat(pictures, rows, columns, title):
    """Draw pictures and, below each, the heat maps that belong to it.

    `pictures` is uint8 (N, 3, H, W); `rows` is {name: N maps (H, W)}, nowhere negative, each shown on a scale of its
    own; `columns` are N short titles.
    """
    shown = pictures.permute(0, 2, 3, 1).numpy()
    rows = {name: torch.stack(list(maps)).numpy() for name, maps in rows.items()}
    figure, axes = plt.subplots(1 + len(rows), len(shown), squeeze=False, layout="constrained",
                                figsize=(1.1 * len(shown) + 0.5, 1.2 * (1 + len(rows)) + 0.5))
    for column, name in enumerate(columns):
        axes[0, column].set_title(name, fontsize=8)
        for row, place in enumerate(axes[:, column]):
            place.set(xticks=[], yticks=[])
            place.grid(False)
            place.imshow(shown[column] if row == 0 else shown[column].mean(2), cmap="gray")
    for row, (name, maps) in enumerate(rows.items(), start=1):
        axes[row, 0].set_ylabel(name, fontsize=8)
        for place, values in zip(axes[row], maps):
            place.imshow(values, cmap="inferno", alpha=0.6, vmin=0, vmax=max(values.max(), 1e-12))
    figure.suptitle(title, fontsize=10)
    areas = {name: np.mean([(m > m.max() / 2).mean() for m in maps]) for name, maps in rows.items()}
    said = ", ".join(f"{area:.0%} of the picture at {name}" for name, area in areas.items())
    return picture(figure, f"{title}: {len(shown)} pictures ({', '.join(columns)}), and below each a heat map for each "
                           f"depth. Hotter than half of the hottest is {said}.")


def pictures(images, titles, title, alt):
    """Draw `images` side by side, each a tensor (H, W), dark to light, or (3, H, W) with colours from 0 to 1.

    `alt` says what is to be seen. Maps (H, W) share one scale, from 0 to the largest value among them.
    """
    most = max([float(image.max()) for image in images if image.ndim == 2], default=1)
    figure, axes = plt.subplots(1, len(images), figsize=(1.15 * len(images), 1.75), layout="constrained", squeeze=False)
    for place, image, label in zip(axes[0], images, titles, strict=True):
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
    return picture(figure, f"{title}. {alt}", least=80 * len(images))


def shares(networks, title):
    """Draw what share of parameters and of multiply-accumulates lies on maps of each side, a bar a network.

    `networks` is {name: a DataFrame of `inspect.layers`}; layers count to the map that they write, and what follows
    the last map counts to it.
    """
    sides = {name: table.height.where(table.height > 1).ffill() for name, table in networks.items()}
    colors = dict(zip(sorted(set().union(*sides.values()), reverse=True), (line["color"] for line in LINES)))
    figure, panels = plt.subplots(1, 2, figsize=(6.4, 0.42 * len(networks) + 1.3), sharey=True, layout="constrained")
    said = []
    for axes, (column, name) in zip(panels, (("params", "parameters"), ("macs", "multiply–accumulates"))):
        for place, (label, table) in enumerate(networks.items()):
            start, parts = 0, 100 * table.groupby(sides[label], sort=False)[column].sum() / table[column].sum()
            for side, share in parts.items():
                axes.barh(place, share, 0.7, start, color=colors[side], edgecolor="white")
                if share > 8:
                    axes.annotate(f"{share:.0f}", (start + share / 2, place), ha="center", va="center", color="white",
                                  fontsize=8)
                start += share
            said.append(f"{label}, {name}: " + ", ".join(f"{share:.0f} on {side:.0f}×{side:.0f}" for side, share in parts.items()))
        axes.set(xlabel=f"{name} (%)", xlim=(0, 100))
        axes.grid(False)
    panels[0].set_yticks(range(len(networks)), networks)
    panels[0].invert_yaxis()
    figure.legend([plt.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()],
                  [f"{side:.0f}×{side:.0f}" for side in colors], title="map", loc="outside lower center", ncols=len(colors))
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}, in % of the whole. {'; '.join(said)}.", least=480)
