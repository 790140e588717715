"""The figure of the evaluation lab: what a source reported, alone or over what was measured."""

from matplotlib import pyplot as plt

from common.plots import NAMES, STYLE, mean_and_std, seeds
from common.show import picture

REPORTED = {"training": dict(color=STYLE["train"]["color"], marker="s"), "“test”": dict(color="#000000", marker="o")}


def reported(source, title, records=()):
    """Draw the accuracies that a source reports as points, over the means of `records` (the seeds of one variant).

    `source` is a DataFrame in percent, indexed by epoch, with the columns "training" and "“test”"; of `records` the
    training, clean and test curves are drawn, and then only the points within their epochs.
    """
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    said = []
    for part in ("train", "clean", "test") if records else ():
        mean, _ = mean_and_std(records, f"{part}_acc")
        axes.plot(mean.index, 100 * mean, label=f"{NAMES[part]}, here", **STYLE[part])
        said.append(f"{NAMES[part]}, here, from {100 * mean.iloc[0]:.1f} to {100 * mean.iloc[-1]:.1f}")
    source = source[source.index <= len(records[0].history)] if records else source
    for name, style in REPORTED.items():
        axes.plot(source.index, source[name], label=f"{name}, reported", linestyle="none", markerfacecolor="white", **style)
        said.append(f"{name}, reported, from {source[name].iloc[0]:.1f} to {source[name].iloc[-1]:.1f}")
    axes.set(xlabel="epoch", ylabel="accuracy (%)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title + (f", {seeds(records)}" if records else ""), fontsize=10)
    axes.legend()
    return picture(figure, f"{title}, accuracy in % over epochs: {'; '.join(said)}.")
