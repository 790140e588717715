"""Accuracy against what a network costs: ours, the sources' and published ones."""

import itertools

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import EngFormatter, FixedLocator, FormatStrFormatter, NullLocator

from common.plots import STYLE
from common.results import frontier
from common.show import picture

OURS, SOURCES, PUBLISHED = STYLE["test"]["color"], STYLE["train"]["color"], "black"
TICKS = [10, 50, 60, 70, 75, 80, 85, 90, 92, 94, 95, 96, 97, 98]  # percent
# Where a name may stand, in points from its mark, the nearest first
PLACES = sorted(((across, up) for across in (0, 6, -6, 20, -20, 40, -40) for up in (0, 8, -8, 16, -16, 28, -28, 42, -42)
                 if across or up), key=lambda place: np.hypot(*place))


def against(ours, sources, published, cost, name):
    """Draw test accuracy (%) against the column `cost`, `name` in words, both on logarithmic scales; return a Picture.

    `ours` is a `results.overview`; the others have the columns name, `cost` and accuracy. The frontier goes through the
    variants that used the test set once, whose marks are filled. Bars are ± one standard deviation over seeds.
    """
    figure, axes = plt.subplots(figsize=(7.2, 6.2), layout="constrained")
    axes.set_xscale("log")
    axes.set_yscale("function", functions=(lambda a: -np.log(np.maximum(100 - a, 1e-3)), lambda v: 100 - np.exp(-v)))
    once = ours.test_set == "once"
    best = ours[once][frontier(ours[once][cost], ours[once].accuracy)].sort_values([cost, "variant"])
    handles = [
        axes.errorbar(part[cost], part.accuracy, part["std"].fillna(0), fmt="o", color=OURS, markersize=5, elinewidth=1,
                      capsize=2, label=label, **style)
        for part, style, label in ((ours[once], {}, "ours, test set used once"),
                                   (ours[~once], dict(markerfacecolor="white"), "ours, test set used for more"))]
    handles += axes.step(best[cost], best.accuracy, where="post", color=OURS, linewidth=1, label="our frontier")
    handles += axes.plot(sources[cost], sources.accuracy, "x", color=SOURCES, markeredgewidth=1.5, zorder=4,
                         label="reported by the sources")
    handles += axes.plot(published[cost], published.accuracy, "D", color=PUBLISHED, markersize=5, zorder=3,
                         label="published")
    axes.set(xlabel=f"{name} (logarithmic scale)", ylabel="test accuracy (%; the error is on a logarithmic scale)")
    axes.margins(x=0.1, y=0.1)
    bottom, top = axes.get_ylim()
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in TICKS if bottom < tick < top]))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%d"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep="\u2009"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=9)
    names = [(row.name, getattr(row, cost), row.accuracy, PUBLISHED) for row in published.itertuples()]
    names += [(_called(row, ours), getattr(row, cost), row.accuracy, OURS) for row in best.itertuples()]
    names += [(row.name, getattr(row, cost), row.accuracy, SOURCES) for row in sources.itertuples()]
    marks = [pair for part in (ours, sources, published) for pair in zip(part[cost], part.accuracy)]
    _write(figure, axes, names, marks, list(zip(best[cost], best.accuracy)))
    return picture(figure, _alt(name, cost, ours, best, sources, published), least=600)


def _called(row, ours):
    """Return a variant's name, with its lab's where another lab has one of that name."""
    return row.variant if (ours.variant == row.variant).sum() == 1 else f"{row.lab}/{row.variant}"


def _write(figure, axes, names, marks, corners):
    """Write each of `names`, [(text, x, y, colour)], near its mark, and where possible over no mark, line or name.

    `marks` are all that is drawn, `corners` those that the stepped line goes through, as (x, y).
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # names are placed in pixels, so nothing may move any more
    drawn = [_around(axes.transData.transform(marks), 9)]
    for (x, y), (next_x, next_y) in itertools.pairwise(corners):
        turns = axes.transData.transform([(x, y), (next_x, y), (next_x, next_y)])
        drawn += [_around(np.linspace(*ends, 20), 2) for ends in itertools.pairwise(turns)]
    drawn, inside, pixels = np.concatenate(drawn), axes.get_window_extent(), figure.dpi / 72
    written = np.empty((0, 4))
    for text, x, y, color in names:
        style = dict(textcoords="offset points", fontsize=8, color=color)
        trial = axes.annotate(text, (x, y), (0, 0), **style)
        box = trial.get_window_extent()
        trial.remove()
        boxes = {(across, up): _placed(axes.transData.transform((x, y)) + np.multiply((across, up), pixels),
                                       (box.width, box.height), across, up) for across, up in PLACES}

        def harm(place):
            x0, y0, x1, y1 = boxes[place]
            outside = x0 < inside.x0 or x1 > inside.x1 or y0 < inside.y0 or y1 > inside.y1
            return 100 * outside + 10 * _covered(boxes[place], written) + _covered(boxes[place], drawn)

        across, up = place = min(PLACES, key=harm)  # the nearest of the least harmful
        written = np.vstack([written, boxes[place]])
        axes.annotate(text, (x, y), place, ha=("center", "left", "right")[np.sign(across)],
                      va=("center", "bottom", "top")[np.sign(up)], **style)
        if np.hypot(*place) >= 10:
            axes.annotate("", (x, y), place, textcoords="offset points",
                          arrowprops=dict(arrowstyle="-", color=color, linewidth=0.5, shrinkA=0, shrinkB=3))


def _placed(corner, size, across, up):
    """Return (x0, y0, x1, y1) of a name of `size` that stands `across` and `up` from its mark, `corner` towards it."""
    start = corner - np.multiply(size, ((1 - np.sign(across)) / 2, (1 - np.sign(up)) / 2)) - 2
    return np.concatenate([start, start + size + 4])


def _around(points, size):
    """Return squares (N, 4) of a side of `size` around `points` (N, 2)."""
    return np.hstack([points - size / 2, points + size / 2])


def _covered(box, others):
    """Return how many of `others` (N, 4) a box (4,) overlaps."""
    return ((others[:, :2] < box[2:]) & (others[:, 2:] > box[:2])).all(axis=1).sum()


def _alt(name, cost, ours, best, sources, published):
    """Say in words what the figure shows."""
    seen = "; ".join(f"{row.variant} of {row.lab}, {getattr(row, cost):,}, {row.accuracy:.2f} %"
                     for row in best.itertuples())
    theirs, others = ("; ".join(f"{row.name}, {getattr(row, cost):,}, {row.accuracy:g} %" for row in part.itertuples())
                      for part in (sources.sort_values(cost), published))
    return (f"Test accuracy against {name}. {len(ours)} variants of ours, from {ours.accuracy.min():.2f} to "
            f"{ours.accuracy.max():.2f} %. Our frontier, from the left: {seen}. Reported by the sources: "
            f"{theirs or 'none'}. Published: {others}.")
