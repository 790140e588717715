# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Level 2: striding or pooling?
#
# Level 2 takes each max-pooling of Level 1 away and puts a 3×3 convolution with stride 2 in its place. The network
# grows from 83,368 to 203,624 parameters, and its author finds about the same accuracy. *What did the striding do, and
# what did the layers and parameters that came with it?* Two things changed at once: one network cannot tell, four can.
#
# **After this lab you can**
#
# * say what an output of a strided convolution sees, and what it misses;
# * take apart two changes that came together, with a 2×2 design;
# * say what one run of each network can tell, and what only several seeds can;
# * test a remark from somebody's README by measurement.
#
# **Before**, you should have read [Level 1](level_1).

# %% tags=["imports"]
from functools import partial

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from common import inspect, plots, plots_study, results, settings, show, stats
from common.blocks import conv_block
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
show.cost("level_2", options)

# %% [markdown]
# ## The network
#
# *Question: what does it cost to replace a pooling by a convolution?*
#
# Everything stays as in Level 1, but each 2×2 max-pooling is now a `conv_block` with stride 2 and as many channels out
# as in. The head still has its odd 3×3 convolution; Level 1 shows that eight of its nine taps are never trained.

# %% tags=["variants"]
def as_run():
    """Return the network as the source listed it."""
    return nn.Sequential(
        conv_block(3, 16), conv_block(16, 32),
        conv_block(32, 32, stride=2),
        conv_block(32, 16, 1), conv_block(16, 32), conv_block(32, 64),
        conv_block(64, 64, stride=2),
        conv_block(64, 16, 1), conv_block(16, 32), conv_block(32, 64),
        conv_block(64, 64, stride=2),
        conv_block(64, 16, 1), conv_block(16, 32), conv_block(32, 64),
        conv_block(64, 64, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(64, 10, 3, padding=1), nn.Conv2d(10, 10, 1), nn.Flatten())


# %%
layers = inspect.layers(as_run())
strided = layers[layers.layer.str.contains("stride 2")]
show.Table(strided)

# %% tags=["remove-input"]
total = layers.params.sum()
extra = sum(inspect.parameters(b) for b in as_run() if isinstance(b, nn.Sequential) and b[0].stride == (2, 2))
show.Text(
    f"**What we see.** Of {total:,} parameters, {extra:,} are in the four new blocks (their normalisations, not "
    f"listed, included); without them there would be {total - extra:,}, as in Level 1. The author wanted to <q>make the "
    f"model lighter</q>, and saw that it <q>might increase model parameters</q>: they are {total / (total - extra):.2f} "
    "times as many. It takes more arithmetic, too: a pooling multiplies nothing, and these four convolutions take "
    f"{strided.macs.sum():,} of {layers.macs.sum():,} multiply–accumulates.")

# %% [markdown]
# ## As the source ran it
#
# *Question: what does this network reach, trained as its author trained it?*
#
# The recipe is that of Level 1: SGD at a constant rate of 0.01, momentum 0.9, batches of 64, 50 epochs, no
# augmentation, statistics of the test images, and the test set looked at after every epoch.

# %% tags=["variants"]
variants = {
    "as_run": Variant(as_run, Recipe(
        epochs=50, batch_size=64, optimizer="sgd", lr=0.01, momentum=0.9,
        schedule="constant",
        validation=0, follow_test=True, statistics="test")),
}

# %%
as_run_records = runs("level_2", "as_run", variants["as_run"], options)

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(as_run_records[0])

# %%
mean_test_loss = plots.mean(as_run_records, "test_loss")
turn = int(mean_test_loss.idxmin())
plots.curves(as_run_records, "Level 2 as the source ran it", mark=turn)

# %% tags=["remove-input"]
show.Text(f"**What we see.** The test loss is lowest at epoch {turn}, {mean_test_loss[turn]:.3f}, and ends at "
          f"{mean_test_loss.iloc[-1]:.3f}.")

# %% [markdown]
# The README sees over-fitting after about 6 epochs, and finds the parameters many. Next to what the source reports (one
# run; it counts epochs from 0, we count from 1; its loss multiplied by 63.7):

# %% tags=["hide-input"]
mean_test = plots.mean(as_run_records, "test_acc")
above = mean_test[mean_test >= 0.77]
show.beside(
    ["203,624", "98.50%", "78.01%", "78.78% (the 49th)", "13", "0.702"], as_run_records,
    [(f"epoch at which {0.77:.0%} is first reached", "13", str(above.index[0]) if len(above) else "never")])

# %% [markdown]
# ## What was wrong: two changes in one comparison
#
# *Question: what may one conclude from <q>78.53 %</q> in Level 1 and <q>78.01 %</q> in Level 2?*
#
# Nothing about striding. Between the two numbers lie a stride *and* 120,256 parameters in four more layers. If striding
# loses a point and the layers gain one, the sum is nothing, and nobody sees either.
#
# The numbers are also single runs. An accuracy of 0.78 on 10,000 images has a [standard error](../book/glossary.md) of
# $\sqrt{0.78 \cdot 0.22 / 10000} \approx 0.004$ from the choice of test images alone, to which another seed adds its
# share. The difference of two, as if each were read on images of its own, has $\sqrt 2$ times as much, 0.006. These two
# are 0.005 apart. The best epochs, <q>78.72 %</q> and <q>78.78 %</q>, are six images apart.
#
# ## What one output sees
#
# *Question: what is the difference between striding and pooling, for one number of the smaller map?*
#
# A convolution with stride 2 computes what the same convolution computes with stride 1, at every second row and column:

# %%
torch.manual_seed(0)
some = torch.rand(1, 16, 32, 32)
weight = torch.rand(32, 16, 3, 3)
every = F.conv2d(some, weight, padding=1)
second = F.conv2d(some, weight, padding=1, stride=2)
difference = second - every[:, :, ::2, ::2]
print(f"largest difference: {difference.abs().max():.1e}")

# %% [markdown]
# So both start from the same four numbers in each 2×2 window. Pooling computes all four and keeps the **largest**.
# Striding computes only the **first**, a quarter of the arithmetic, and is blind to the other three. Here a detector of
# thin upright lines, weights −1, 2, −1, looks at a line in an even column, and at the same line one pixel further on:

# %%
def answers(column):
    """Return a line in `column`, and what is left of a line detector's map."""
    line = torch.zeros(1, 1, 16, 16)
    line[..., column] = 1
    detector = torch.tensor([-1.0, 2.0, -1.0]).repeat(3, 1)[None, None] / 6
    found = F.conv2d(line, detector, padding=1).relu()
    return line[0, 0], found[0, 0, ::2, ::2], F.max_pool2d(found, 2)[0, 0]


even, odd = answers(8), answers(9)
plots_study.pictures(
    [*even, *odd],
    ["column 8", "strided", "pooled", "column 9", "strided", "pooled"],
    "A thin line, and the same line one pixel further on",
    f"Largest value of the strided map: {even[1].max():.1f} for column 8, "
    f"{odd[1].max():.1f} for column 9; "
    f"of the pooled map: {even[2].max():.1f} and {odd[2].max():.1f}.")

# %% [markdown]
# After the stride the line is there or gone, by the column it stands in. (The strided map's grey end is the edge of the
# image, where a row of the detector stands on padding.) This is *aliasing*: samples at every second
# pixel cannot hold a pattern whose period is below four pixels, and what such a pattern turns into depends on where the
# samples fall. Pooling keeps the line in both cases. (It is not free of aliasing either: its windows, too, stand at
# every second pixel. Zhang, [*Making convolutional networks shift-invariant again*](https://arxiv.org/abs/1904.11486),
# blurs before sampling.)
#
# A strided network is not lost: training can find kernels wide enough for one of the outputs to notice, and may spend
# some of its weights on that. Whether it costs accuracy is what we measure.
#
# ## Four networks
#
# *Question: which networks differ in nothing but the striding, and which in nothing but four more blocks?*
#
# We need a strided network as small as Level 1 and a pooled one as large as Level 2: two changes, each made or not, are
# four networks, a *2×2 design*. There is an exact way, used by Springenberg and others in
# [*Striving for simplicity*](https://arxiv.org/abs/1412.6806): leave every layer as it is, and move the stride.
#
# | a stage ends in | pooled | strided |
# |---|---|---|
# | **small** | 3×3 block; 2×2 max-pooling | the same 3×3 block, with stride 2 |
# | **large** | 3×3 block; one more 3×3 block; 2×2 max-pooling | 3×3 block; one more 3×3 block, with stride 2 |
#
# *Pooled, small* is Level 1, and *strided, large* is Level 2. All four have the mended head of Level 1, a 1×1
# convolution, which computes the same with 5,120 parameters fewer.

# %% tags=["variants"]
def ending(n, m, strided, large):
    """Return the end of a stage: from n to m channels, to half the side."""
    blocks = [(n, m), (m, m)] if large else [(n, m)]
    *before, last = blocks
    return [*(conv_block(*channels) for channels in before),
            conv_block(*last, stride=2 if strided else 1),
            *([] if strided else [nn.MaxPool2d(2)])]


def network(strided, large):
    """Return one of the four networks."""
    end = partial(ending, strided=strided, large=large)
    return nn.Sequential(
        conv_block(3, 16), *end(16, 32),
        conv_block(32, 16, 1), conv_block(16, 32), *end(32, 64),
        conv_block(64, 16, 1), conv_block(16, 32), *end(32, 64),
        conv_block(64, 16, 1), conv_block(16, 32), *end(32, 64),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(64, 10, 1), nn.Conv2d(10, 10, 1), nn.Flatten())


variants |= {
    f"{kind}_{size}": Variant(
        partial(network, strided=kind == "strided", large=size == "large"),
        Recipe(epochs=50, batch_size=64, optimizer="sgd", lr=0.01,
               momentum=0.9, schedule="constant",
               validation=0.1, follow_test=False, statistics="train"))
    for size in ("small", "large") for kind in ("pooled", "strided")}

# %% tags=["hide-input"]
four = {name: name.replace("_", ", ") for name in list(variants)[1:]}
tables = {name: inspect.layers(variants[name].build()) for name in four}
show.Table(pd.DataFrame([{
    "network": four[name],
    "parameters": int(table.params.sum()),
    "macs": int(table.macs.sum()),
    "convolutions": int(table.layer.str.startswith("Conv").sum()),
    "field at the end of stages 1, 2, 3, 4": ", ".join(
        str(table[table.height == side].field.iloc[0]) for side in (16, 8, 4, 2)),
} for name, table in tables.items()]))

# %% tags=["remove-input"]
macs = {name: table.macs.sum() for name, table in tables.items()}
show.Text(
    f"**What we see.** Striding leaves {macs['strided_small'] / macs['pooled_small']:.0%} of the arithmetic at the "
    f"small size and {macs['strided_large'] / macs['pooled_large']:.0%} at the large one. The field of a pooled "
    "network is wider by a seventh to a quarter, since a pooling looks at four outputs of the convolution before it. The "
    "two networks of a size have the same number of parameters, draw the same first weights from a seed and see the same "
    "images in the same order: they differ in the striding alone. The four blocks of the large size bring parameters, depth, "
    "arithmetic and a wider field together, and this design does not separate those.")

# %% [markdown]
# ## The measurement
#
# *Question: what does striding change, and what do four more blocks change?*
#
# All four are trained with one recipe: that of the source, but with 5,000 images held out, statistics of the images
# learnt from, and the test set looked at once. Each size answers the first question, each kind the second. Before you
# look: is striding worth more or less than nothing, and as much at both sizes?

# %%
groups = {name: runs("level_2", name, variants[name], options)
          for name in four}
plots_study.dots(
    [(four[n], [r.test_acc for r in group]) for n, group in groups.items()],
    "Four networks")

# %% [markdown]
# *Pooled, small* and the network that Level 1 repaired differ in the schedule alone: Level 1 lowers the rate when the
# validation loss stands still.

# %%
scheduled = variants["pooled_small"].recipe.plus(
    schedule="plateau", factor=0.01, patience=7, min_lr=1e-7)
lowered = runs("level_1", "repaired",
               Variant(variants["pooled_small"].build, scheduled), options)

# %% tags=["remove-input"]
pairs = {
    "Striding, small": ("pooled_small", "strided_small"),
    "Striding, large": ("pooled_large", "strided_large"),
    "Four more blocks, pooled": ("pooled_small", "pooled_large"),
    "Four more blocks, strided": ("strided_small", "strided_large"),
}


show.Text(
    ("**The answer.**" if options.seeds >= stats.ENOUGH else "**One look is not yet an answer.**") + "\n\n" + "\n".join(
        f"* **{what}:** {stats.sentence(groups[a], groups[b], (four[a], four[b]))}"
        for what, (a, b) in pairs.items())
    + f"\n* **The schedule:** {stats.sentence(groups['pooled_small'], lowered, ('constant', 'lowered'))}")

# %% [markdown]
# (From three seeds on there is an interval, of the mean difference over seeds: Student's *t*, pairs with the same seed.
# With fewer there is [McNemar's test](../book/glossary.md), as in Level 1.)
#
# Striding and the blocks are each measured twice. Where a change's two measurements differ by more than seeds do, the
# changes do not simply add up: what one is worth depends on the other, which is called an *interaction*. How much seeds
# do, one pair of runs cannot say. The [results](../book/results) give the deviation of a single run in other labs; Level
# 1's networks are the nearest to these, but few, and ShatheNet's are many, but less accurate. With one run of
# each network, the difference of the two measurements is made of four runs, and independent deviations add up as
# squares: by chance alone its deviation is √4 times, so twice, that of a single run. Only from about twice this on, four
# times that of a single run, would we speak of an interaction. Before you read on, look the deviation up, and decide.

# %% tags=["remove-input"]
strided = {size: stats.gained(groups[f"pooled_{size}"], groups[f"strided_{size}"])[0] for size in ("small", "large")}
blocks = {kind: stats.gained(groups[f"{kind}_small"], groups[f"{kind}_large"])[0] for kind in ("pooled", "strided")}
apart, overview = abs(strided["large"] - strided["small"]), results.overview()
deviations = [results.deviation(part) for part in (overview[overview.lab == "level_1"], overview)]
limits = [2 * deviation * (4 / len(groups["pooled_small"])) ** 0.5 for deviation in deviations]
over = [apart >= limit for limit in limits]
both = strided["small"] + blocks["strided"]  # as blocks first and then striding
show.Text(
    f"**What we see.** Striding changes test accuracy by {strided['small']:+.2f} points in the small network and by "
    f"{strided['large']:+.2f} in the large one; the four blocks by {blocks['pooled']:+.2f} beside pooling and by "
    f"{blocks['strided']:+.2f} beside striding. So the two measurements of a change are "
    f"{apart:.2f} points apart. Over the seeds of one network, runs of Level 1 deviate by {deviations[0]:.2f} points and those "
    f"of all labs taken together by {deviations[1]:.2f}, so we would speak of an interaction from {limits[0]:.2f} or from "
    f"{limits[1]:.2f} points on: "
    + ("**the two changes interact**, by both." if all(over) else
       "**we do not**, by either, which is not to say that there is none." if not any(over) else
       "**that is undecided**. By the one they interact, by the other it may be chance; only seeds of these very networks can "
       "tell.") + "\n\n"
    f"Both changes together make {both:+.2f}, whichever comes "
    "first" + (": to compare Level 1 with Level 2 is to see this sum, and neither of its parts."
               if abs(both) < min(-strided["small"], blocks["strided"]) else "."))

# %% [markdown]
# ## A remark put to the test
#
# A later version of ShatheNet's README, another student's, sums up its author's experience: striding takes less
# computation; pooling converges somewhat earlier, and tends to get <q>1%</q> more accuracy. Those were other networks.
#
# *Question: which of the three statements holds here?*
#
# The first is in the table of the four networks, the third in the list above. For the second, *earlier* is the first
# epoch after which the validation accuracy is at a given level. A level that is the same for all is reached earlier by
# a network that ends higher, so we take two: 0.95 of what the worst of these runs reaches at its best, for all; and
# 0.95 of its own best for each.

# %%
curves = {four[name]: pd.DataFrame({r.seed: r.curves().val_acc for r in group})
          for name, group in groups.items()}
common_level = 0.95 * min(curve.max().min() for curve in curves.values())
epochs_at = pd.DataFrame({name: {
    "the common level": (curve >= common_level).idxmax().mean(),
    "0.95 of its own best": (curve >= 0.95 * curve.max()).idxmax().mean(),
} for name, curve in curves.items()})
show.Table(epochs_at.map("{:.1f}".format).reset_index(names="epochs until"))

# %% tags=["remove-input"]
small, large = (epochs_at[f"strided, {size}"] - epochs_at[f"pooled, {size}"] for size in ("small", "large"))
last_below = max(curve[curve < 0.95 * curve.max()].last_valid_index() or 0 for curve in curves.values())


def holds(*both):
    """Return at which of the two sizes a number is above zero, for pooling, and the numbers."""
    where = "at both sizes" if min(both) > 0 else "at one size only" if max(both) > 0 else "at neither size"
    return f"{where} ({both[0]:+z.1f} small, {both[1]:+z.1f} large)"


show.Text(
    "**What we see.** Striding does take less computation. Pooling has the higher test accuracy, in points, "
    f"{holds(-strided['small'], -strided['large'])}. It is earlier, in epochs, at the common level of {common_level:.1%} "
    f"{holds(small.iloc[0], large.iloc[0])}, and at 0.95 of its own best {holds(small.iloc[1], large.iloc[1])}. "
    + ("One run of each says no more. " if options.seeds < stats.ENOUGH else "")
    + "A count of epochs is rough: a curve may fall below its level again"
    + (f", and one of these is below 0.95 of its best as late as in epoch {last_below}." if last_below else "."))

# %% [markdown]
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. What does the stride save?** A 3×3 convolution from *n* to *m* channels, with padding 1 and no bias, stands on a map
# of *side* × *side* pixels, *side* even. How many multiply–accumulates fewer does it take with stride 2 than with stride 1?

# %% tags=["exercise"]
def saved(n, m, side):
    return None  # your formula


# %% tags=["check", "hide-input"]
def check_saved(answer):
    """Return what is to be said of a formula for the multiply-accumulates that a stride saves."""
    def taken(n, m, side, stride=1):
        return inspect.macs(conv_block(n, m, 3, stride), (n, side, side))

    return compare(
        answer, [(case, taken(*case) - taken(*case, 2)) for case in ((16, 32, 32), (32, 64, 16), (3, 5, 8))],
        [(lambda n, m, side: taken(n, m, side, 2),
          "this is what the strided convolution takes; how much is that less than without the stride?"),
         (lambda n, m, side: taken(n, m, side) / 2,
          "a stride of 2 halves the rows and the columns; how much of the map is left?")],
        praise="three of four outputs are not computed, and each would have taken 9·n multiply–accumulates.")


print(check_saved(saved))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_saved(n, m, side):
    return 9 * n * m * (side**2 - (side // 2) ** 2)


print(check_saved(solved_saved))

# %% [markdown]
# **2. Who is looked at?** Take one row of pixels, *side* of them, *side* even, and a convolution with three taps,
# stride 2 and padding 1. Its output number *i* looks at the pixels $2i-1$, $2i$ and $2i+1$, counted from 0. Return a
# list that says of each pixel how many outputs look at it. What does it tell you about a line in an even column?

# %% tags=["exercise"]
def looked_at(side):
    return None  # a list of `side` numbers


# %% tags=["check", "hide-input"]
def check_looked_at(answer):
    """Return what is to be said of a count of the outputs that look at each pixel."""
    return compare(
        answer, [((8,), [1, 2, 1, 2, 1, 2, 1, 1]), ((12,), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1])],
        [(lambda side: [2] + [3] * (side - 2) + [2], "that is stride 1; with stride 2 there are half as many outputs."),
         (lambda side: [1, 2] * (side // 2), "all but the last pixel are right; is there an output to the right?"),
         (lambda side: [2, 1] * (side // 2), "even and odd are the wrong way round; the middle tap is on pixel 2i.")],
        praise="an even pixel is seen by one output, through its middle tap; an odd one by two, through their side "
               "taps (the last by one). A line in an even column meets a middle tap, one in an odd column only side "
               "taps: for −1, 2, −1 the first is found, the second not. To give both the same sum, the two side taps must "
               "add up to the middle one; if they are alike, each is half of it, and that is a blur.")


print(check_looked_at(looked_at))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_looked_at(side):
    return [sum(abs(pixel - 2 * i) <= 1 for i in range(side // 2)) for pixel in range(side)]


print(check_looked_at(solved_looked_at))

# %% [markdown]
# ## What we saw

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary({"as run": as_run_records, **{four[n]: group for n, group in groups.items()}})

# %% [markdown]
# * A strided convolution is a convolution of which one output in four is computed. Pooling computes all four and keeps
#   the largest. The arithmetic differs, the parameters do not.
# * Level 2 differs from Level 1 in two ways, so their difference answers no question. With the two networks between
#   them, each question has two answers, and one can see whether they agree.
# * One run of each can show that two networks are not equally accurate; that two ways of building are not, only seeds can.
#
# Compare clean training and test accuracy in the table: the gap between them is what Level 3 sets out to close, with
# regularisation.
