"""The figures of the theory pages."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from common.plots import STYLE
from common.show import Row, picture

BLUE, ORANGE, GREEN = (STYLE[part]["color"] for part in ("test", "train", "val"))


def windows(cases, side=7):
    """Draw where a kernel stands first, next and last in the top row of a map of `side` pixels.

    `cases` is {title: (kernel, stride, padding, dilation)}.
    """
    figure, all_axes = plt.subplots(1, len(cases), figsize=(1.9 * len(cases), 2.6), layout="constrained")
    said = []
    for axes, (title, (kernel, stride, padding, dilation)) in zip(np.atleast_1d(all_axes), cases.items()):
        count = (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for row, column in np.ndindex(side + 2 * padding, side + 2 * padding):
            inside = padding <= min(row, column) and max(row, column) < side + padding
            axes.add_patch(Rectangle((column - padding, row - padding), 1, 1, edgecolor="#BBBBBB", linewidth=0.5,
                                     facecolor="#EEEEEE" if inside else "none"))
        for number, color, size in ((0, BLUE, 0.7), (1, ORANGE, 0.45), (count - 1, GREEN, 0.7)):
            for down, right in np.ndindex(kernel, kernel):
                place = number * stride + right * dilation - padding, down * dilation - padding
                margin = (1 - size) / 2
                axes.add_patch(Rectangle((place[0] + margin, place[1] + margin), size, size, facecolor="none",
                                         edgecolor=color, linewidth=1.5))
        axes.set(xlim=(-2.3, side + 2.3), ylim=(side + 2.3, -2.3), aspect="equal")
        axes.set_axis_off()
        axes.set_title(f"{title}\n{side}×{side} to {count}×{count}", fontsize=8)
        said.append(f"{title}, {count}×{count}")
    return picture(figure, f"A {side}×{side} map in grey, its padding in white, and the taps of a kernel at its first, "
                           f"second and last place of the top row. Size of the output: {'; '.join(said)}.", least=110 * len(cases))


def growth(depths, whole, most):
    """Draw the side of the field, `whole`, and of the middle that holds most of it, against the number of layers."""
    figure, axes = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    axes.plot(depths, whole, color=BLUE, marker="o", label="all that is seen")
    axes.plot(depths, most, color=ORANGE, marker="s", linestyle="--", label="95 % of what is seen")
    axes.set(xlabel="3×3 layers", ylabel="side of the field (pixels)", xlim=(0, None), ylim=(0, None))
    axes.legend()
    return picture(figure, f"Side of the receptive field against the number of 3×3 layers: all that is seen grows from "
                           f"{whole[0]} to {whole[-1]} pixels in a straight line, the middle that holds 95 % of it "
                           f"from {most[0]} to {most[-1]} and ever flatter.")


def histograms(values):
    """Draw how values spread, a panel for each of `values` {title: (unit, {label: numbers})}."""
    figures = []
    for title, (unit, groups) in values.items():
        figure, axes = plt.subplots(figsize=(4.0, 3.0), layout="constrained")
        said = []
        for (label, numbers), color, style in zip(groups.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-.")):
            numbers = np.asarray(numbers).ravel()
            axes.hist(numbers, bins=60, density=True, histtype="step", color=color, linestyle=style, label=label)
            said.append(f"{label} mean {numbers.mean():.2f}, deviation {numbers.std():.2f}")
        axes.set(xlabel=unit, ylabel="density")
        axes.legend()
        figure.suptitle(title, fontsize=10)
        figures.append(picture(figure, f"Histograms, {title}: {'; '.join(said)}."))
    return Row(figures)


def curves(groups, unit):
    """Draw one curve over epochs for each of `groups` {label: values}, in percent."""
    figure, axes = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    said = []
    for (label, values), color, style in zip(groups.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-.")):
        values = 100 * np.asarray(values)
        axes.plot(range(1, len(values) + 1), values, color=color, linestyle=style, label=label)
        said.append(f"{label} from {values[0]:.0f} to {values[-1]:.0f}")
    axes.set(xlabel="epoch", ylabel=unit)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    return picture(figure, f"{unit} over {len(values)} epochs: {', '.join(said)}.")


def maps(values, what):
    """Draw small matrices side by side, `values` {title: (H, W)}, each number written into its square."""
    figure, all_axes = plt.subplots(1, len(values), layout="constrained", figsize=(1.9 * len(values), 2.3),
                                    gridspec_kw=dict(width_ratios=[max(2, np.shape(v)[1]) for v in values.values()]))
    for axes, (title, matrix) in zip(np.atleast_1d(all_axes), values.items()):
        matrix = np.asarray(matrix, dtype=float)
        reach = abs(matrix).max()
        axes.imshow(matrix, cmap="PuOr", vmin=-reach, vmax=reach)
        for row, column in np.ndindex(matrix.shape):
            dark = abs(matrix[row, column]) > 0.6 * reach
            axes.text(column, row, f"{matrix[row, column]:.3g}", ha="center", va="center", fontsize=8,
                      color="white" if dark else "black")
        axes.grid(False)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, fontsize=9)
    said = "; ".join(f"{title}, {np.shape(matrix)[0]}×{np.shape(matrix)[1]}" for title, matrix in values.items())
    return picture(figure, f"{what}, with every number written into its square: {said}.", least=110 * len(values))
