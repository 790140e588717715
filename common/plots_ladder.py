"""Figures of a ladder: what each of several steps gave, and whether that hangs on when it was taken."""

from matplotlib import pyplot as plt

from common.plots import STYLE
from common.show import minus, picture
from common.stats import ENOUGH

GAIN, LOSS, START = STYLE["test"]["color"], STYLE["train"]["color"], "#777777"
MARKS = [dict(color="#0072B2", marker="o"), dict(color="#D55E00", marker="s"),
         dict(color="#009E73", marker="^"), dict(color="#CC79A7", marker="D")]


def waterfall(start, steps, seeds, title):
    """Draw what each step gave as a bar that begins where the one before it ended, from the top.

    `start` is (what to call it, its accuracy in %). `steps` has the columns step, change, low, high: a change in points
    and its 95 % interval, drawn as a line about the bar's end where there are three seeds or more.
    """
    figure, axes = plt.subplots(figsize=(6.4, 1.0 + 0.36 * (len(steps) + 1)), layout="constrained")
    name, level = start
    labels, said = [name], [f"{name} {level:.2f} %"]
    axes.plot([level], [0], "o", color=START)
    axes.annotate(f"{level:.2f} %", (level, 0), xytext=(7, -3), textcoords="offset points", fontsize=8)
    for place, step in enumerate(steps.itertuples(), start=1):
        color, hatch = (GAIN, "") if step.change >= 0 else (LOSS, "//")
        end = level + step.change
        axes.plot([level, level], [place - 1, place], color=START, linewidth=0.8)
        axes.barh(place, step.change, left=level, height=0.6, color=color, hatch=hatch, edgecolor="white")
        right = max(level, end)
        if seeds >= ENOUGH:
            axes.plot([level + step.low, level + step.high], [place, place], color="black", linewidth=1.5)
            right = max(right, level + step.high)
        axes.annotate(minus(f"{step.change:+.2f}"), (right, place), xytext=(5, -3), textcoords="offset points", fontsize=8)
        labels.append(step.step)
        said.append(f"{step.step} {step.change:+.2f}{_interval(step, seeds)}")
        level = end
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.margins(x=0.15)
    axes.grid(False, axis="y")
    axes.set_axisbelow(True)
    axes.set_xlabel("test accuracy (%)")
    figure.suptitle(_headed(title, seeds), fontsize=10)
    return picture(figure, f"{title}: bars from the top, in points of test accuracy: {'; '.join(said)}; "
                           f"at the end {level:.2f} %.")


def worths(rows, seeds, title):
    """Draw what each step gave over the place at which it was taken; marks of one kind a step.

    `rows` has the columns step, place, change, low, high, the last three in points.
    """
    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    said = []
    groups = list(rows.groupby("step", sort=False))
    for number, ((step, group), style) in enumerate(zip(groups, MARKS, strict=True)):
        group = group.sort_values("place")
        x = group.place + 0.1 * (number - (len(groups) - 1) / 2)  # side by side, so that none hides another
        axes.plot(x, group.change, label=step, linestyle="none", **style)  # no line: other steps stand between
        if seeds >= ENOUGH:
            axes.vlines(x, group.low, group.high, color=style["color"], linewidth=1.5)
        said.append(f"{step}: " + ", ".join(f"{row.change:+.2f} as number {row.place}{_interval(row, seeds)}"
                                            for row in group.itertuples()))
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(1, rows.place.max() + 1))
    axes.set(xlabel="taken as step number", ylabel="change of test accuracy (points)")
    figure.suptitle(_headed(title, seeds), fontsize=10)
    figure.legend(loc="outside right center")
    return picture(figure, f"{title}, in points of test accuracy. {'; '.join(said)}.")


def _interval(row, seeds):
    return f" ({row.low:+.2f} to {row.high:+.2f})" if seeds >= ENOUGH else ""


def _headed(title, seeds):
    what = "with 95 % intervals" if seeds >= ENOUGH else "too few for intervals"
    return f"{title}, {seeds} seed{'s' * (seeds > 1)}, {what}"
