"""Figures that compare variants, choose a learning rate, and show where a network looks."""

import numpy as np
import torch
from matplotlib import pyplot as plt

from common.plots import mean_and_std, seeds
from common.show import picture

# Okabe and Ito's colours, each with a dash of its own
LINES = [dict(color=color, linestyle=dash) for color, dash in (
    ("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"), ("#E69F00", (0, (6, 1, 1, 1, 1, 1))))]


def compare(groups, column, title, unit):
    """Draw one curve for each variant: means of `column` over its records, bands of ± one deviation.

    `groups` is {name: records}, at most five of them; `column` is one of the histories, and an accuracy is in percent.
    """
    scale = 100 if column.endswith("acc") else 1
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    said = []
    for style, (name, records) in zip(LINES, groups.items()):
        mean, std = (scale * values for values in mean_and_std(records, column))
        axes.plot(mean.index, mean, label=name, **style)
        axes.fill_between(mean.index, mean - std, mean + std, color=style["color"], alpha=0.2, linewidth=0)
        said.append(f"{name} ends at {mean.iloc[-1]:.3g}")
    axes.set(xlabel="epoch", ylabel=unit)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    figure.suptitle(f"{title}, {seeds(next(iter(groups.values())))}", fontsize=10)
    return picture(figure, f"{title}, {unit} over epochs: {', '.join(said)}.")


def range_test(test, chosen, title):
    """Draw a learning-rate range test, a DataFrame with columns rate, loss and smooth, and mark the `chosen` rate."""
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    axes.semilogx(test.rate, test.loss, color="#56B4E9", linestyle=":", label="loss of each batch")
    axes.semilogx(test.rate, test.smooth, color="#0072B2", label="smoothed")
    axes.axvline(chosen, color="#D55E00", linestyle="--", label=f"chosen: {chosen:.2g}")
    start, lowest = test.smooth.iloc[0], test.smooth.min()
    axes.set(xlabel="learning rate", ylabel="training loss (nats)", ylim=(lowest - 0.3, start + 0.6))
    axes.legend()
    figure.suptitle(title, fontsize=10)
    best = test.rate[test.smooth.idxmin()]
    return picture(figure, f"{title}: the smoothed loss is {start:.2f} at {test.rate.iloc[0]:.0e}, lowest, "
                           f"{lowest:.2f}, at {best:.2g}, and climbs steeply after it; the mark is at {chosen:.2g}.")


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
