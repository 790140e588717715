# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ShatheNet: a list of things to try
#
# The second source grows a network version by version, and keeps a list of <q>things yet to be tried</q>. Few of its
# twelve boxes are ticked. Its images are enlarged, to 192 pixels a side and more, before any network sees them. *What
# does enlarging buy, and which entries of the list would have been worth trying?*
#
# **After this lab you can**
#
# * tell from a parameter count what a report leaves out;
# * say how much of a photograph a layer sees, and what it pays to see that;
# * show that two networks compute the same functions, and why they still learn differently;
# * work through a list of ideas one at a time, and choose without the test set.
#
# **Before**, you should have read [Level 1](level_1).

# %% tags=["imports"]
import math
from functools import partial

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from common import inspect, plots, plots_study, settings, show, stats
from common.blocks import Pixels, Residual
from common.exercises import compare
from common.recipe import Recipe, Variant
from common.runs import runs

# %% [markdown]
# The parameters of the lab. Change one and run on: what is on record is replayed, anything else is trained.

# %% tags=["parameters"]
dataset: str = "cifar10"  # or "synthetic": drawn shapes, for a quick trial
data_dir: str = ""  # where CIFAR-10 lies; empty: $DATA_DIR, or else data/
epochs: int = 0  # 0: as many as each recipe says
seeds: int = 3  # how many networks of each variant
images: int = 0  # how many to train on, and to test on; 0: all
device: str = "auto"  # "cuda" or "cpu"; auto takes the GPU where there is one
retrain: bool = False  # True: train even what is on record

# %%
options = settings.read(globals())

# %% tags=["remove-input", "nbval-ignore-output"]
show.cost("shathenet", options)

# %% [markdown]
# ## The report
#
# *Question: what does the table of a README tell, and what not?*
#
# This is that table at the commit that we read. No log and no curve is published. Versions are renumbered between
# commits (1.1 is called 1.2 in the next one), so a version is worth quoting only with its commit.
#
# | version | parameters | images augmented | epochs | test accuracy |
# |---|---|---|---:|---:|
# | 1.0 | <q>17K</q> | no | 60 | <q>59 %</q> |
# | 1.1 | <q>1.25M</q> | yes | 70 | <q>74 %</q> |
# | 1.2 | <q>1.25M</q> | yes | 70 | left empty |
# | Inception-v3, <q>not finetuned</q> | <q>24M</q> | yes | 60 | <q>91 %</q> |
#
# CIFAR-10's images have 32 pixels a side. The training script of this commit makes 299 of them, by repeating pixels.
# Here are the versions as the code lists them. Each convolution has a bias and is padded, so that its output has the
# side of its input divided by the stride, rounded up. A ReLU follows each, but for the second of version 1.1. A pooling
# is 2×2 and rounds down.

# %%
pool = "pool"
versions = {  # (channels, kernel, stride) of each; width of the dense layer
    "1.0": ([(16, 7, 6), (16, 5, 4), (32, 3, 2), pool], 32),
    "1.1": ([(32, 7, 2), (32, 7, 1), pool, (64, 5, 2), (64, 5, 1), pool,
             (128, 3, 2), (128, 3, 1), pool], 256),
    "1.2": ([*3 * [(32, 5, 1)], pool, *3 * [(64, 3, 1)], pool,
             (64, 3, 1), pool, *2 * [(64, 5, 1)], pool,
             (64, 5, 1), (128, 3, 1), pool, *3 * [(128, 3, 1)], pool], 512),
}

# %% [markdown]
# ## Exercise: what is left at the end?
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. Count what is flattened.** Version 1.0 flattens its last map, and a dense layer has a weight for each of these
# values and each of 32 outputs. How many values are there, for an image of *side* × *side* pixels?

# %% tags=["exercise"]
def flattened(side):
    return None  # a whole number


# %% tags=["check", "hide-input"]
def check_flattened(answer):
    """Return what is to be said of a function for the number of values that version 1.0 flattens."""
    values = {192: 128, 299: 288, 144: 32, 145: 128, 240: 128, 241: 288}
    return compare(
        answer, [((side,), right) for side, right in values.items()],
        [(lambda side: values[side] / 32, "that is the number of places on the map; each has 32 channels."),
         (lambda side: 512 if side == 192 else None, "that is before the pooling, which halves each side."),
         (lambda side: 32 * (side // 96) ** 2, "a stride divides the side and rounds *up*; the pooling rounds down.")],
        praise="all sides from 145 to 240 end in the same 128 values, and so in the same number of parameters.")


print(check_flattened(flattened))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_flattened(side):
    for stride in (6, 4, 2):
        side = math.ceil(side / stride)
    return 32 * (side // 2) ** 2


print(check_flattened(solved_flattened))

# %% [markdown]
# ## What enlarging costs
#
# *Question: how much of the photograph does a layer see, and what does it cost to see that?*
#
# All three as networks, with the receptive field of each layer in pixels of the photograph, not of the enlarged image:

# %%
def as_listed(version, side):
    """Return a version for images of so many pixels, without its ReLUs."""
    listed, width = versions[version]
    layers = [nn.MaxPool2d(2) if layer == pool else
              nn.LazyConv2d(*layer, padding=layer[1] // 2) for layer in listed]
    return nn.Sequential(
        nn.Upsample(scale_factor=side / 32), *layers,
        nn.Flatten(), nn.LazyLinear(width), nn.Linear(width, 10))


pairs = ("1.0", 299), ("1.0", 192), ("1.1", 299), ("1.2", 299)
tables = {pair: inspect.layers(as_listed(*pair)) for pair in pairs}
show.Table(pd.DataFrame([{
    "version": version, "side": side,
    "parameters": int(table.params.sum()), "macs": int(table.macs.sum()),
    "macs of layers that see 4 pixels of the photograph or fewer":
        f"{table.macs[table.field <= 4].sum() / table.macs.sum():.0%}",
} for (version, side), table in tables.items()]))

# %% tags=["remove-input"]
work = {key: table.macs.sum() for key, table in tables.items()}
show.Text(
    "**What we see.** The README's 17K parameters of version 1.0 need a side of 145 to 240 pixels; 299 give more. "
    "Later commits use 224 and 192; we take 192, six times 32. The 1.25M of version 1.1 are right. Those of 1.2 were "
    "copied from the row above; its code has more.\n\n"
    "And most of the work is done where there is next to nothing to see. Version 1.1 spends it in two convolutions of "
    "7×7 that together look at three pixels of the photograph at most, version 1.2 on seeing four at most. One or "
    "two ordinary 3×3 convolutions on the image as it comes see as much. Trained as the README says, version 1.1 takes "
    f"{work['1.1', 299] * 70 / (work['1.0', 192] * 60):,.0f} times the arithmetic of version 1.0 at 192 pixels. "
    "We train version 1.0 alone, and quote the accuracies of the others.")

# %% [markdown]
# ## Enlarging adds nothing
#
# *Question: what can be computed from the enlarged image that cannot be computed from the image itself?*
#
# Nothing, since the one is made of the other. For version 1.0 at 192 pixels we can be exact. Each pixel is repeated 6×6
# times, and the first convolution has a kernel of 7×7 and a stride of 6. So a window covers all of *one* pixel, one
# column of the pixel to its right, one row of the pixel below, and one corner of the fourth: 36, 6, 6 and 1 of its 49
# taps. Taps on one pixel are multiplied by the same number, so only their sum counts: the 49 weights for each colour do
# what four can do, a 2×2 convolution with stride 1.
#
# Here is the network. `fold` makes the small kernel of the large one. Our loop normalises images and the source only
# divides pixels by 255, so `Pixels` takes the normalisation back.

# %% tags=["variants"]
def same(n, m, kernel, stride):
    """Return the source's convolution; `stride` divides the map's side."""
    extra = kernel - stride  # if odd, one more right and below, as in Keras
    before, after = extra // 2, extra - extra // 2
    layer = nn.Conv2d(n, m, kernel, stride)
    nn.init.trunc_normal_(layer.weight, std=0.05, a=-0.1, b=0.1)
    nn.init.zeros_(layer.bias)
    return [nn.ZeroPad2d((before, after, before, after)), layer]


def fold(weight):
    """Return what (m, n, 7, 7) does to pixels of 6x6, as (m, n, 2, 2)."""
    rows = torch.stack([weight[:, :, :6].sum(2), weight[:, :, 6]], 2)
    return torch.stack([rows[..., :6].sum(3), rows[..., 6]], 3)


def folded(padding, layer):
    """Return the folded form of a padded 7x7 convolution."""
    small = nn.utils.skip_init(nn.Conv2d, 3, 16, 2)  # draws no random numbers
    small.weight.data = fold(layer.weight.data)
    small.bias.data = layer.bias.data
    return [padding, small]


def head(activation, dropout=0.0):
    """Return the source's layers from the last map, (32, 4, 4), to scores."""
    return [nn.MaxPool2d(2), nn.Flatten(),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.Linear(128, 32), activation(), nn.Linear(32, 10)]


def network(enlarged=False, raw=True, norm=False, activation=nn.ReLU,
            pooled=False, inserted=list, end=head):
    """Return version 1.0, or version 1.0 with one thing tried."""
    def then(m):
        return [*([nn.BatchNorm2d(m)] if norm else []), activation()]

    def block(n, m, kernel, stride):
        if pooled:
            return [*same(n, m, kernel, 1), *then(m), nn.MaxPool2d(stride)]
        return [*same(n, m, kernel, stride), *then(m)]

    first = same(3, 16, 7, 6)
    return nn.Sequential(
        *([Pixels()] if raw else []),
        *([nn.Upsample(scale_factor=6.0), *first] if enlarged
          else folded(*first)), *then(16),
        *block(16, 16, 5, 4), *inserted(), *block(16, 32, 3, 2),
        *end(activation))


source = dict(batch_size=32, optimizer="adam", lr=0.001, schedule="constant")
variants = {
    "as_run": Variant(partial(network, enlarged=True), Recipe(
        epochs=60, **source,
        validation=0, follow_test=True, statistics="train")),
}

# %%
torch.manual_seed(0)
enlarged = network(enlarged=True)
torch.manual_seed(0)
native = network()
some, labels = torch.randn(32, 3, 32, 32), torch.arange(32) % 10
with torch.no_grad():
    apart = (enlarged(some) - native(some)).abs().max()
print(f"largest difference of their scores: {apart:.1e}")

# %% [markdown]
# From the same start they compute the same scores, up to rounding, and whatever one can compute, the other can. Do they
# *learn* alike? A folded weight is the sum of its taps, so the loss has the same slope in each tap as in that weight.
# Each tap then takes the step that the weight would take, and their sum takes as many steps as there are taps. One step
# of Adam for both, on the same 32 images of noise:

# %%
def moved(made):
    """Return how far one step moves the weights of the first layer."""
    first = next(m for m in made.modules() if isinstance(m, nn.Conv2d))
    before = first.weight.detach().clone()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.001)
    F.cross_entropy(made(some), labels).backward()
    optimizer.step()
    return first.weight.detach() - before


far, near = (change.abs().flatten(0, 1).median(0).values
             for change in (fold(moved(enlarged)), moved(native)))
print((far / near).round(decimals=1))

# %% [markdown]
# Each of the four weights has moved this many times as far in the enlarged network (the median over channels): as many
# times as it has taps, 36, 6, 6 and 1. So enlarging gives each place of the first kernel a learning rate of its own.
#
# ## As the source ran it
#
# *Question: what does version 1.0 reach?*
#
# The settings behind the <q>59 %</q> are not published. We take what the README and the script at that commit say: Adam
# at 0.001, batches of 32, 60 epochs, no augmentation, pixels over 255, kernels drawn from a truncated normal
# distribution, and the test images in place of a validation set. The side, 192, is a guess. What is known to differ:
# dense layers start as PyTorch's do, not as Keras'; an epoch has 1,563 batches, the last of 16 images, and probably not
# 1,562; the random numbers; and a device with units for bfloat16 does most of the arithmetic in it.

# %%
as_run_records = runs("shathenet", "as_run", variants["as_run"], options)
plots.curves(as_run_records, "Version 1.0 as the source ran it")

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(as_run_records[0])

# %% tags=["remove-input"]
loss = plots.mean(as_run_records, "test_loss")
show.Text(
    f"**What we see.** While it learnt in epoch {len(loss)}, the network had "
    f"{show.percent(r.train_acc for r in as_run_records)} of the training images right, and after it "
    f"{show.percent(r.test_acc for r in as_run_records)} of the test images; the README says <q>59 %</q>. The test loss "
    f"is lowest at epoch {loss.idxmin()}, {loss.min():.3f}, and ends at {loss.iloc[-1]:.3f}.")

# %% [markdown]
# ## The repair: the image as it comes
#
# *Question: what is lost when images are not enlarged?*
#
# Both networks once more, with 5,000 images held out, the test set looked at once, and 20 epochs, since there is a list
# to come. Each pair of runs starts from the same function and sees the same images in the same order.

# %% tags=["variants"]
repaired = dict(epochs=20, **source, validation=0.1, follow_test=False,
                statistics="train")


def tried(build=network, **more):
    """Return the native variant with another network or other settings."""
    return Variant(build, Recipe(**repaired | more))


variants |= {"enlarged": tried(partial(network, enlarged=True)),
             "native": tried()}

# %%
groups = {name: runs("shathenet", name, variants[name], options)
          for name in ("enlarged", "native")}
plots_study.compare(groups, "val_acc", "Enlarged or not",
                    "validation accuracy (%)")

# %% tags=["remove-input"]
paired = list(zip(groups["enlarged"], groups["native"]))
differ = [stats.mcnemar(one.correct(), two.correct())[2] < 0.05 for one, two in paired]
show.Text(
    "**The difference.** " + stats.sentence(groups["enlarged"], groups["native"], ("enlarged", "native"))
    + f" Enlarged images take {groups['enlarged'][0].macs / groups['native'][0].macs:.1f} times the arithmetic.\n\n"
    + "**Pair by pair** it is " + ", ".join(f"{100 * (two.test_acc - one.test_acc):+.2f}" for one, two in paired)
    + f" points, and McNemar's test, image by image, finds {sum(differ)} of {len(paired)} pairs of networks unequal "
    "beyond chance.")

# %% [markdown]
# The networks can compute the same, so what differs by design is the learning rate of the first layer. (Where the two
# runs of a pair were trained in different number formats, which is told below, that differs too.)
# [McNemar's test](../book/glossary.md) compares two trained networks. With another seed the same two recipes make
# two other networks; a single rounding is enough to send a run elsewhere. Of which recipe is better, a single pair
# says little, however small its *p*.
#
# ## The list
#
# *Question: which entries are worth trying?*
#
# The native network is cheap enough for the rest of the list. Each variant changes one thing. All keep the source's
# settings and as many epochs, which were tuned for none of them: an entry that learns more slowly, or would like
# another rate, is judged too low, `sgd` above all, whose one rate was not tried against others. (One entry is not here:
# to mix different convolutions. That is what [Assignment 6B](assignment_6b) does.)
#
# | entry of the list | variant | what is changed |
# |---|---|---|
# | normalise the inputs | `normalised` | mean 0 and deviation 1 for each channel |
# | image augmentation | `augmented` | moved, turned, zoomed by the source's amounts, but at 32 pixels (no shear) |
# | | `flipped` | half of the images mirrored, which the source does not do at this commit |
# | batch normalisation | `batch_norm` | after each convolution |
# | weight initialisation | `he_init` | convolutions drawn after [He and others](https://arxiv.org/abs/1502.01852) |
# | regularisation | `decay`, `dropout` | an L2 penalty; a fifth of the flattened values dropped |
# | activations | `elu` | ELU for ReLU |
# | striding or pooling | `pooled` | convolutions at stride 1, and max-pooling of the stride's size |
# | optimisers, losses | `sgd`, `smoothing` | SGD at 0.01 with momentum 0.9; targets softened by a tenth |
# | global average pooling | `average` | in place of the last max-pooling, flattening and the inner dense layer |
# | a schedule of the rate | `cosine` | down to zero along half a cosine |
# | residual connections | `deeper`, `residual` | two more convolutions on the 8×8 map, without and with a way around |
#
# Before you look: which three will gain most, and which will lose? In the figure a ring is one seed, a dot the mean, a
# line its 95 % interval. Overlapping lines do not decide whether a change is beyond chance; below, that is told from the
# changes themselves, pair by pair.

# %% tags=["variants"]
def average(activation):
    """Return a head without max-pooling and inner dense layer."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)]


def pair(norm=False):
    """Return two convolutions from (16, 8, 8) to the same shape."""
    def scaled():
        return [nn.BatchNorm2d(16)] if norm else []

    return nn.Sequential(
        *same(16, 16, 3, 1), *scaled(), nn.ReLU(inplace=True),
        *same(16, 16, 3, 1), *scaled())


def he(**changed):
    """Return the network with convolutions drawn after arXiv:1502.01852."""
    made = network(**changed)
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return made


variants |= {
    "normalised": tried(partial(network, raw=False)),
    "augmented": tried(shift=0.15, rotate=45, affine_p=1.0, zoom=0.35),
    "flipped": tried(flip=True),
    "batch_norm": tried(partial(network, norm=True)),
    "he_init": tried(he),
    "decay": tried(weight_decay=1e-3),
    "dropout": tried(partial(network, end=partial(head, dropout=0.2))),
    "elu": tried(partial(network, activation=nn.ELU)),
    "pooled": tried(partial(network, pooled=True)),
    "sgd": tried(optimizer="sgd", lr=0.01, momentum=0.9),
    "smoothing": tried(label_smoothing=0.1),
    "average": tried(partial(network, end=average)),
    "cosine": tried(schedule="cosine"),
    "deeper": tried(partial(network, inserted=lambda: [pair(), nn.ReLU()])),
    "residual": tried(partial(
        network, inserted=lambda: [Residual(pair()), nn.ReLU()])),
}

# %%
things = list(variants)[3:]  # all but as_run, enlarged and native
groups |= {name: runs("shathenet", name, variants[name], options)
           for name in things}
validation = {name: [r.val_acc for r in group]
              for name, group in groups.items()}
ranked = sorted(things, key=lambda name: -np.mean(validation[name]))
plots_study.dots([(name, validation[name]) for name in ["native", *ranked]],
                 "One thing at a time",
                 "validation accuracy")

# %% tags=["remove-input"]
gains = {name: stats.points(validation["native"], validation[name])[0] for name in things}
accuracy = np.mean(validation["native"])
error = 100 * np.sqrt(accuracy * (1 - accuracy) / groups["native"][0].split["validation"])
count = len(validation["native"])
if count > 1:  # how far one entry's change differs from seed to seed, all entries taken together
    changed = [np.subtract(validation[name], validation["native"]) for name in things]
    luck = 100 * np.sqrt(np.mean(np.var(changed, axis=1, ddof=1)))
    known = f"From seed to seed the change that one entry makes has a standard deviation of about {luck:.1f}."
else:  # a change is the difference of two readings
    luck = 100 * np.sqrt(2) * np.nan_to_num(
        np.median([r.curves().val_acc.tail(5).std() for group in groups.values() for r in group]))
    known = ("The wandering of readings over a run's last five epochs gives such differences a standard deviation of "
             f"{luck:.1f}; from seed to seed it is larger, so what follows is too low.")
sure = 2 * np.hypot(error, luck / np.sqrt(count))
named = [f"*{name}* ({gains[name]:+z.1f})" for name in ranked]
show.Text(
    f"**What we see.** In points above native, the highest are {', '.join(named[:3])}, and the lowest is {named[-1]}. By the "
    f"choice of the held-out images alone, one reading has a standard error of about {error:.1f} points. A change in a pair "
    "of runs has about as much, since networks trained apart err on different images"
    + ("" if count == 1 else "; in a mean over several pairs it is less, and to take as much is cautious") + f". {known} So in "
    + ("a single pair of runs" if count == 1 else f"a mean over {count} pairs of runs")
    + f" up to {sure:.1f} points may well be chance: two standard errors, 2·√({error:.1f}² + {luck:.1f}²"
    + (f"/{count}" if count > 1 else "") + "). More was gained by "
    + (", ".join(f"*{name}*" for name in ranked if gains[name] > sure) or "none")
    + ". All are counted from the same native runs: if these were unlucky, several are there by chance together.\n\n"
    + stats.precisions(groups))

# %% tags=["remove-input"]
against = ["augmented", "flipped", "decay", "dropout"]
taught = {name: stats.learnt(groups[name]) for name in ["native", *against]}
measured = {r.seed for name in taught for r in groups[name] if r.learnt_acc is not None}
alike = {name: np.mean([r.val_acc for r in groups[name] if r.seed in measured]) for name in taught}  # of the same runs
show.Text(
    "**Augmentation and regularisation** are meant against over-fitting: they make training harder. Clean training accuracy "
    f"(of unchanged images learnt from, after the last epoch; seed {', '.join(map(str, sorted(measured)))}) goes from {taught['native']:.1%} to "
    + ", ".join(f"{taught[name]:.1%} ({name})" for name in against)
    + "; validation accuracy of the same runs changes by "
    + ", ".join(f"{100 * (alike[name] - alike['native']):+z.1f}" for name in against) + " points. The source trained its augmented versions for 70 epochs; these have "
    f"{len(groups['augmented'][0].history)}. Part of what *augmented* loses may be blur: it turns and zooms 32 pixels a "
    "side, where the source did so to enlarged images.")

# %% [markdown]
# **Pooling.** A later README remarks that striding takes less computation, that pooling converges somewhat earlier, and
# that it tends to get <q>1%</q> more accuracy. [Level 2](level_2) tests this on another network.
#
# **Residual connections.** A residual block adds layers *and* a way around them. `deeper` has the layers alone.
#
# (An interval below can be wider than the limit above, which took the scatter of all entries together: each has only its
# own pairs of runs. Where one holds zero, a gain beyond that limit is not contradicted, only not confirmed.)

# %% tags=["remove-input"]
compared = ("native", "pooled"), ("native", "deeper"), ("deeper", "residual")
pooled, layers, around = (stats.sentence(groups[a], groups[b], (a, b)) for a, b in compared)
show.Text(
    f"Pooling: {pooled} Pooling takes {groups['pooled'][0].macs / groups['native'][0].macs:.0f} times the "
    f"arithmetic.\n\nThe layers: {layers}\n\nThe way around them: {around}")

# %% [markdown]
# ## Together
#
# *Question: do gains add up?*
#
# Now five of the entries at once: batch normalisation, two more layers, He's start, normalised inputs, mirrored images.
# They were picked because they read higher than the native network on the validation images of seed 0, some by no more
# than chance may give. Pooling is left out because of its arithmetic, and `residual` because a single reading hardly
# told it from the plainer `deeper`.
#
# What was picked for being high on some images is likely too high on them, so the gains are counted again on the test
# images, which had no part in the choice. The luck in training the runs of seed 0 still counts. Other seeds had no part
# in the choice either.

# %% tags=["variants"]
variants["together"] = tried(partial(
    he, raw=False, norm=True, inserted=lambda: [pair(True), nn.ReLU()]),
    flip=True)

# %%
chosen = ["batch_norm", "deeper", "he_init", "normalised", "flipped"]
groups["together"] = runs(
    "shathenet", "together", variants["together"], options)
plots_study.compare(
    {name: groups[name] for name in ("native", "batch_norm", "together")},
    "val_acc", "Five entries at once", "validation accuracy (%)")

# %% tags=["remove-input"]
gained = {name: np.array([100 * (b.test_acc - a.test_acc) for a, b in zip(groups["native"], groups[name])])
          for name in [*chosen, "together"]}
parts = sum(gained[name] for name in chosen)
mean, low, high = stats.interval(gained["together"] - parts)
show.Text(
    "**What we see.** On the test images, above native: "
    + ", ".join(f"*{name}* {gained[name].mean():+z.1f}" for name in chosen)
    + f" points alone, {parts.mean():+z.1f} in sum; together {gained['together'].mean():+z.1f}. The whole less "
    f"the sum of its parts is {stats.phrase(mean, low, high)}: {stats.verdict(low, high)}. In the sum the native runs are "
    "subtracted five times, in the whole once, so their luck is in the difference four times. Gains need not add up: "
    "batch normalisation, normalised inputs and a good start all set the scale of a layer.\n\n"
    f"Together they reach {show.percent(r.test_acc for r in groups['together'])}, with "
    f"{groups['together'][0].params:,} parameters. Of version 1.1, with <q>1.25M</q>, the README says <q>74 %</q>.")

# %% [markdown]
# ## Exercise: fold another kernel
#
# **2. How small?** An image is enlarged by repeating each pixel *factor* × *factor* times, and a convolution with a
# kernel of *kernel* × *kernel* goes over it with a stride of *factor*, its first window beginning at the first pixel.
# How many pixels a side has the kernel that does the same on the image as it comes?

# %% tags=["exercise"]
def folded_side(kernel, factor):
    return None  # a whole number


# %% tags=["check", "hide-input"]
def check_folded_side(answer):
    """Return what is to be said of a function for the side of a folded kernel."""
    return compare(
        answer, [((7, 6), 2), ((3, 6), 1), ((6, 6), 1), ((5, 2), 3), ((13, 4), 4), ((8, 3), 3)],
        [(lambda kernel, factor: kernel / factor, "a pixel that is only partly covered is seen as well."),
         (lambda kernel, factor: kernel // factor, "a pixel that is only partly covered is seen as well."),
         (lambda kernel, factor: kernel // factor + 1, "where the taps cover pixels exactly, no other is touched.")],
        praise="as many as the kernel touches. At a stride that is no multiple of the factor, windows begin in "
               "different places of a pixel, and no single small kernel will do.")


print(check_folded_side(folded_side))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_folded_side(kernel, factor):
    return math.ceil(kernel / factor)


print(check_folded_side(solved_folded_side))

# %% [markdown]
# ## What we saw

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary({"as_run": as_run_records} | {name: groups[name] for name in ("enlarged", "native", "together")},
             **{"gap (points)": show.gap})

# %% [markdown]
# * A parameter count is evidence: it narrows the side of the images down, which the README does not give.
# * Enlarging an image adds arithmetic and no information. What it changed was the learning rate of the first layer.
# * A list of things to try is worth most when each is tried alone, from the same base, and the cheap base comes first.
# * What was picked for being best is measured once more, on images and, better, with seeds that had no part in picking.
# * Before you add a measure against over-fitting, see whether training accuracy is far above that on other images.
#
# [Assignment 6B](assignment_6b) compares what this list left out: kinds of convolution.
