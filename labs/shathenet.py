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
# The second source grows a network version by version, and keeps a list of <q>things yet to be tried</q>: normalise the
# inputs, batch normalisation, other starts, other optimisers, and so on. One of its twelve boxes is ticked. Its images
# are enlarged, to 192 pixels a side and more, before any network sees them. *What does enlarging buy, and which entries
# of the list would have been worth their while?*
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

from common import data, inspect, plots, plots_study, settings, show, stats
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
seeds: int = 1  # how many networks of each variant
images: int = 0  # how many to train on, and to test on; 0: all
device: str = "auto"  # "cuda" or "cpu"; auto takes the GPU where there is one
retrain: bool = False  # True: train even what is on record

# %%
options = settings.read(globals())

# %% tags=["remove-input", "nbval-ignore-output"]
show.cost("shathenet")

# %% [markdown]
# ## The report
#
# *Question: what does the table of a README tell, and what not?*
#
# This is that table at the commit that we read. No log and no curve is published. The numbers of versions change their
# meaning between commits (1.1 is called 1.2 in the next one), so a version is worth quoting only with its commit.
#
# | version | parameters | images augmented | epochs | test accuracy |
# |---|---|---|---:|---:|
# | 1.0 | <q>17K</q> | no | 60 | <q>59 %</q> |
# | 1.1 | <q>1.25M</q> | yes | 70 | <q>74 %</q> |
# | 1.2 | <q>1.25M</q> | yes | 70 | left empty |
# | Inception-v3, <q>not finetuned</q> | <q>24M</q> | yes | 60 | <q>91 %</q> |
#
# CIFAR-10's images have 32 pixels a side. The training script of this commit makes 299 of them, by repeating pixels.
# Here are the versions as the code lists them. Each convolution has a bias and is padded, so that the side of its output
# is that of its input divided by the stride, rounded up. A ReLU follows each, but for the second of version 1.1. A
# pooling is 2×2 and rounds down.

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
         (lambda side: 4 * values[side], "that is before the pooling, which halves each side."),
         (lambda side: 32 * (side // 96) ** 2, "a stride divides the side and rounds *up*; only the pooling rounds down.")],
        praise="all sides from 145 to 240 end in the same 128 values, and so in the same number of parameters.")


print(check_flattened(flattened))


# %% tags=["solution", "hide-cell"]
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
# The same walk through all three, noting parameters, multiply–accumulates and the side of the receptive field. The
# field is measured in pixels of the photograph, not in those of the enlarged image.

# %%
def walk(version, side):
    """Return a table of a version's layers, for images of so many pixels."""
    layers, width = versions[version]
    rows, n, field, jump = [], 3, 1.0, 32 / side
    for layer in layers:
        m, kernel, stride = (n, 2, 2) if layer == pool else layer
        field, jump = field + (kernel - 1) * jump, jump * stride
        side = side // 2 if layer == pool else math.ceil(side / stride)
        weights, biases = (0, 0) if layer == pool else (n * kernel**2 * m, m)
        rows.append((field, weights + biases, weights * side**2))
        n = m
    n *= side**2
    for m in width, 10:
        rows.append((32.0, n * m + m, n * m))
        n = m
    return pd.DataFrame(rows, columns=["field", "params", "macs"])


def near(table, pixels):
    """Return the share of arithmetic in layers that see so far at most."""
    return table[table.field <= pixels].macs.sum() / table.macs.sum()


walked = {(version, side): walk(version, side) for version, side in (
    ("1.0", 299), ("1.0", 192), ("1.1", 299), ("1.2", 299))}
show.Table(pd.DataFrame([{
    "version": version, "side": side,
    "parameters": int(table.params.sum()), "macs": int(table.macs.sum()),
    "macs of layers that see 4 pixels of the photograph or fewer":
        f"{near(table, 4):.0%}",
} for (version, side), table in walked.items()]))

# %% tags=["remove-input"]
count = {key: table.params.sum() for key, table in walked.items()}
show.Text(
    f"**What we see.** At 299 pixels version 1.0 has {count['1.0', 299]:,} parameters; the README's 17K need a side of "
    f"145 to 240, and then they are {count['1.0', 192]:,}. Later commits use 224 and 192; we take 192, six times 32. The "
    f"1.25M of version 1.1 are right: {count['1.1', 299]:,}. Those of version 1.2 were copied from the row above; its code "
    f"has {count['1.2', 299]:,}.\n\n"
    "And most of the work is done where there is next to nothing to see. Version 1.1 spends "
    f"{near(walked['1.1', 299], 3):.0%} of its arithmetic in two convolutions of 7×7 that together look at less than three "
    f"pixels of the photograph; version 1.2 spends {near(walked['1.2', 299], 4):.0%} on seeing less than four. One or two "
    "ordinary 3×3 convolutions on the image as it comes see as much. Trained as the README says, version 1.1 takes "
    f"{walked['1.1', 299].macs.sum() * 70 / (walked['1.0', 192].macs.sum() * 60):,.0f} times the arithmetic of version 1.0 at "
    "192 pixels. We train version 1.0 alone, and quote the accuracies of the others.")

# %% [markdown]
# ## Enlarging adds nothing
#
# *Question: what can be computed from the enlarged image that cannot be computed from the image itself?*
#
# Nothing, since the one is made of the other. For version 1.0 at 192 pixels we can be exact. Each pixel is repeated 6×6
# times. The first convolution has a kernel of 7×7 and a stride of 6, so a window covers all of *one* pixel, one column
# of the pixel to its right, one row of the pixel below, and one corner of the fourth. Taps that lie on one pixel are
# multiplied by the same number, so only their sum counts: the 49 weights for each colour do what four can do, a 2×2
# convolution with stride 1.
#
# Here is the network. `fold` makes the small kernel of the large one. Our loop normalises images and the source only
# divides pixels by 255, so `Pixels` takes the normalisation back.

# %% tags=["variants"]
def same(n, m, kernel, stride):
    """Return a convolution drawn as the source's, and padded as Keras does.

    For maps whose side is a multiple of the stride.
    """
    extra = kernel - stride  # if it is odd, one more to the right and below
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
drawn = data.load("synthetic")
some = data.normalise(drawn.train_images[:32],
                      *data.statistics(drawn.train_images))
two = {}
for name, build in (("enlarged", partial(network, enlarged=True)),
                    ("native", network)):
    torch.manual_seed(0)
    two[name] = build()
with torch.no_grad():
    apart = (two["enlarged"](some) - two["native"](some)).abs().max()
print(f"largest difference of their scores: {apart:.1e}")

# %% [markdown]
# From the same start they compute the same scores, up to rounding, and whatever one can be trained to compute, the other
# can be trained to compute as well. Do they *learn* alike? A weight of the folded kernel is the sum of its taps, so the
# loss has the same slope in each tap as in that weight. Each tap then takes the step that the weight would take, and
# their sum takes as many steps as there are taps. One step of Adam for both, on the same 32 images:

# %%
moved = {}
for name, made in two.items():
    first = next(m for m in made.modules() if isinstance(m, nn.Conv2d))
    before = first.weight.detach().clone()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.001)
    F.cross_entropy(made(some), drawn.train_labels[:32]).backward()
    optimizer.step()
    change = first.weight.detach() - before
    change = fold(change) if name == "enlarged" else change
    moved[name] = change.abs().flatten(0, 1).median(0).values
farther = moved["enlarged"] / moved["native"]
show.Table(pd.DataFrame(
    [[f"{v:.1f}" for v in row] for row in farther.tolist()],
    columns=["left", "right"]))

# %% [markdown]
# The table says how many times as far each of the four weights has moved in the enlarged network (the median over
# channels): as many times as it has taps. With SGD it would be the same. Enlarging is a learning rate of its own for
# each place of the first kernel. Nobody would have chosen it so by hand.
#
# ## As the source ran it
#
# *Question: what does version 1.0 reach?*
#
# The settings behind the <q>59 %</q> are not published. We take what the README and the script at that commit say: Adam
# at 0.001, batches of 32, 60 epochs, no augmentation, pixels over 255, kernels drawn from a truncated normal
# distribution, and the test images in place of a validation set. The side, 192, is a guess. What is known to differ:
# dense layers start as PyTorch's do, not as Keras'; Adam's epsilon is $10^{-8}$, not $10^{-7}$; the random numbers; and
# a device with units for bfloat16 does most of the arithmetic in it.

# %%
as_run_records = runs("shathenet", "as_run", variants["as_run"], options)
plots.curves(as_run_records, "Version 1.0 as the source ran it")

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(as_run_records[0])

# %% tags=["remove-input"]
mean_loss = plots.mean(as_run_records, "test_loss")
mean_train = plots.mean(as_run_records, "train_acc")
turn = int(mean_loss.idxmin())
show.Text(
    f"**What we see.** After {len(mean_loss)} epochs the network knows {show.percent(r.train_acc for r in as_run_records)} "
    f"of the images that it learnt from and {show.percent(r.test_acc for r in as_run_records)} of the test images; the "
    f"README says <q>59 %</q>. The test loss is lowest at epoch {turn}, {mean_loss[turn]:.3f}, and ends at "
    f"{mean_loss.iloc[-1]:.3f}. "
    + ("It does not learn its images by heart in this time." if mean_train.iloc[-1] < 0.9 else
       "It has learnt its images nearly by heart."))

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
more = inspect.macs(two["enlarged"]) / inspect.macs(two["native"])
show.Text("**The difference.** " + stats.sentence(groups["enlarged"], groups["native"], ("enlarged", "native"))
          + f" Enlarged images take {more:.1f} times the arithmetic.")

# %% [markdown]
# ([McNemar's test](../book/glossary.md) compares two networks by the test images that only one of them has right.) The
# networks can compute the same, so what differs by design is the learning rate of the first layer. In a single pair it
# may also be chance: one rounding is enough to send a run elsewhere.
#
# ## The list
#
# *Question: which entries are worth their while?*
#
# From the cheap native network we can afford the rest of the list. Each variant changes one thing:
#
# | entry of the list | variant | what is changed |
# |---|---|---|
# | normalise the inputs | `normalised` | mean 0 and deviation 1 for each channel |
# | image augmentation | `augmented` | the source's: moved, turned, zoomed (its shear, which ours lacks, left out) |
# | | `flipped` | half of the images mirrored, which the source does not do at this commit |
# | batch normalisation | `batch_norm` | after each convolution |
# | weight initialisation | `he_init` | convolutions drawn after [He and others](https://arxiv.org/abs/1502.01852) |
# | regularisation | `decay`, `dropout` | an L2 penalty; a fifth of the flattened values dropped |
# | activations | `elu` | ELU for ReLU |
# | striding or pooling | `pooled` | convolutions at stride 1, and max-pooling of the stride's size |
# | optimisers, losses | `sgd`, `smoothing` | SGD at 0.01 with momentum 0.9; targets softened by a tenth |
# | global average pooling | `average` | in place of flattening and the inner dense layer |
# | a schedule of the rate | `cosine` | down to zero along half a cosine |
# | residual connections | `deeper`, `residual` | two more convolutions on the 8×8 map, without and with a way around them |

# %% tags=["variants"]
def average(activation):
    """Return a head without dense layers in between."""
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


def validation(name):
    """Return a variant's validation accuracies after the last epoch."""
    return [r.val_acc for r in groups[name]]


ranked = sorted(things, key=lambda name: -np.mean(validation(name)))
plots_study.dots([(name, validation(name)) for name in ["native", *ranked]],
                 f"One thing at a time, {plots.seeds(groups['native'])} each",
                 "validation accuracy")

# %% [markdown]
# How large must a change be to count? A reading on the 5,000 held-out images has a standard error. It also wobbles from
# epoch to epoch. And a change is the difference of two readings.

# %% tags=["remove-input"]
changes = {name: stats.points(validation("native"), validation(name)) for name in things}
gains = {name: change[0] for name, change in changes.items()}
accuracy = np.mean(validation("native"))
error = 100 * np.sqrt(accuracy * (1 - accuracy) / groups["native"][0].split["validation"])
wobble = 100 * np.nan_to_num(np.median([r.curves().val_acc.tail(5).std() for group in groups.values() for r in group]))
sure = 2 * np.hypot(error, np.sqrt(2) * wobble)  # one set of images is read twice, so the first is counted once


def clearly(name):
    """Return 1 for a variant that gains beyond doubt, -1 for one that loses, 0 for what may be chance."""
    mean, low, high = changes[name] if options.seeds >= stats.ENOUGH else (gains[name], gains[name] - sure, gains[name] + sure)
    return int(low > 0) - int(high < 0)


clear = [name for name in ranked if clearly(name) > 0]
show.Text(
    f"**What we see.** Most is gained by *{ranked[0]}* ({gains[ranked[0]]:+.1f} points), *{ranked[1]}* "
    f"({gains[ranked[1]]:+.1f}) and *{ranked[2]}* ({gains[ranked[2]]:+.1f}); most is lost by *{ranked[-1]}* "
    f"({gains[ranked[-1]]:+.1f}). "
    + ("Over seeds, the whole 95 % interval is above zero (of so many, one may well be so by chance) for "
       if options.seeds >= stats.ENOUGH else
       f"The standard error is {error:.1f} points, and over a run's last five epochs readings have a standard deviation of "
       f"{wobble:.1f}, so that changes of up to {sure:.1f} points may well be chance. More was gained by ")
    + (", ".join(f"*{name}*" for name in clear) or "none") + ".")

# %% [markdown]
# Three entries deserve a closer look.
#
# **Augmentation and regularisation** are meant against over-fitting: they make training harder.

# %% tags=["remove-input"]
against = ["augmented", "flipped", "decay", "dropout"]
taught = {name: np.mean([r.train_acc for r in groups[name]]) for name in ["native", *against]}
show.Text(
    f"Training accuracy goes from {taught['native']:.1%} to "
    + ", ".join(f"{taught[name]:.1%} ({name})" for name in against) + "; validation accuracy changes by "
    + ", ".join(f"{gains[name]:+.1f}" for name in against) + " points. "
    + ("The source's augmentation asks for more than this network learns in "
       f"{len(groups['augmented'][0].history)} epochs, and it does worse on unchanged images as well. The source trained "
       "its augmented versions for 70." if clearly("augmented") < 0 else
       "The source's augmentation helps." if clearly("augmented") > 0 else
       "Of the source's augmentation we see neither harm nor help here."))

# %% [markdown]
# **Pooling.** A later README remarks that striding takes less computation, that pooling converges somewhat earlier, and
# that it tends to get <q>1%</q> more accuracy. [Level 2](level_2) tests this on another network.

# %% tags=["remove-input"]
show.Text(
    "Here: " + stats.sentence(groups["native"], groups["pooled"], ("strided", "pooled"))
    + f" For that it takes {groups['pooled'][0].macs / groups['native'][0].macs:.0f} times the arithmetic.")

# %% [markdown]
# **Residual connections.** To add a residual block is to add layers *and* a way around them. The variant `deeper` has
# the layers alone:

# %% tags=["remove-input"]
show.Text("The layers: " + stats.sentence(groups["native"], groups["deeper"], ("native", "deeper"))
          + "\n\nThe way around them: " + stats.sentence(groups["deeper"], groups["residual"], ("deeper", "residual")))

# %% [markdown]
# ## Together
#
# *Question: do gains add up?*
#
# Now five of the entries at once: batch normalisation, two more layers, He's start, normalised inputs, mirrored images.
# They were picked for reading higher than the native network on the validation images of seed 0, some of them by no more
# than chance may give; those cost nothing. Pooling is left out because of its arithmetic, whatever it gains. Of `deeper`
# and `residual`, which a single reading hardly tells apart, the plainer is taken.
#
# What was picked for being high on some images is likely too high on them. So the gains are counted again on the test
# images, which had no part in the choice. The runs stay the same ones: what was luck in their training is still counted,
# and only other seeds would tell.

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

# %%
def gain(name):
    """Return what a variant's test accuracy gained, in points, by seed."""
    pairs = zip(groups["native"], groups[name])
    return np.array([100 * (b.test_acc - a.test_acc) for a, b in pairs])


alone = {name: gain(name) for name in chosen}
rest = gain("together") - sum(alone.values())  # 0 on average if gains add up

# %% tags=["remove-input"]
mean, low, high = stats.interval(rest)
made, source_made = groups["together"][0], as_run_records[0]
show.Text(
    "**What we see.** On the test images "
    + ", ".join(f"*{name}* gains {points.mean():+.1f}" for name, points in alone.items())
    + f" points alone, {sum(alone.values()).mean():+.1f} in sum; together they gain {gain('together').mean():+.1f}. The "
    f"whole less the sum of its parts is {stats.phrase(mean, low, high)}. "
    + ("That needs an interval over seeds before it says anything: the luck of the native run is in it four times."
       if low != low else
       "The interval holds zero: the gains may well add up." if low <= 0 <= high else
       "The whole is more than its parts." if mean > 0 else
       "The whole is less than the sum of its parts. Batch normalisation, normalised inputs and a good start all set the "
       "scale of a layer, which may be one reason.")
    + f"\n\nThe result has {show.percent(r.test_acc for r in groups['together'])}, with {made.params:,} parameters and "
    f"{made.macs:,} multiply–accumulates, after {len(made.history)} epochs. Version 1.0 as its source ran it has "
    f"{show.percent(r.test_acc for r in as_run_records)}, with {source_made.params:,} and {source_made.macs:,}, after "
    f"{len(source_made.history)}. Of version 1.1, which has {count['1.1', 299]:,} parameters, the README says <q>74 %</q>.")

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
        answer, [((7, 6), 2), ((3, 6), 1), ((6, 6), 1), ((5, 2), 3), ((13, 4), 4)],
        [(lambda kernel, factor: kernel / factor, "a pixel that is only partly covered is seen as well."),
         (lambda kernel, factor: kernel // factor, "a pixel that is only partly covered is seen as well."),
         (lambda kernel, factor: kernel // factor + 1, "where the taps cover pixels exactly, no further one is touched.")],
        praise="as many as the kernel touches. At a stride that is no multiple of the factor, windows begin in different "
               "places of a pixel, and no single small kernel will do.")


print(check_folded_side(folded_side))


# %% tags=["solution", "hide-cell"]
def solved_folded_side(kernel, factor):
    return math.ceil(kernel / factor)


print(check_folded_side(solved_folded_side))

# %% [markdown]
# ## What we saw

# %% tags=["hide-input", "nbval-ignore-output"]
show.summary({"as_run": as_run_records} | {name: groups[name] for name in ("enlarged", "native", "together")})

# %% [markdown]
# * A parameter count is evidence: it narrows the side of the images down, which the README does not give.
# * Enlarging an image adds arithmetic and no information. What it changed was the learning rate of the first layer.
# * A list of things to try is worth most when each is tried alone, from the same base, and the cheap base comes first.
# * What was picked for being best is measured once more, on images that had no part in picking it, and better with
#   other seeds.
# * Look at training accuracy before you add a measure against over-fitting.
