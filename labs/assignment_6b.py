# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 6B: kinds of convolution
#
# *Which kind of convolution should I choose?* The last network of the third source uses five kinds in 151,404
# parameters and reports <q>85.48 %</q>. That is what the five do together; what each is worth it cannot tell. So we run
# it as it is, and then make the comparison that was not made: one skeleton, one recipe, one kind at a time.
#
# **After this lab you can**
#
# * write six kinds of block, and count their weights and their arithmetic before you run anything;
# * tell when a separable convolution saves nothing, and branches from groups;
# * compare kinds fairly: at equal widths, and at equal parameters *and* arithmetic.
#
# **Before**, read [Level 1](level_1). The theory: [sizes and counts](../book/theory_convolution),
# [receptive fields](../book/theory_receptive_field), [separable and grouped convolution](../book/theory_separable).

# %% tags=["imports"]
from contextlib import suppress

import numpy as np
import pandas as pd
import torch
from torch import nn

from common import costs, inspect, plots, plots_kinds, settings, show, stats
from common.blocks import Pixels, like_keras
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
show.cost("assignment_6b", options)

# %% [markdown]
# ## Six kinds of block
#
# Each function below makes a block from $n$ to $m$ channels that ends in batch normalisation and ReLU.
#
# * **normal**: every output channel looks at a 3×3 window in every input channel.
# * **spatially separable**: a column of three taps, then a row of three, each with normalisation and ReLU.
# * **depthwise separable**: 3×3 in each channel by itself, then 1×1 to mix the channels, with nothing in between, as in
#   Keras' `SeparableConv2D` and in Xception (Chollet, arXiv:1610.02357).
# * **branches**: half of the output channels from a 3×3 convolution and half from a 5×5, side by side, as in Inception
#   (Szegedy et al., arXiv:1409.4842). The source calls this “grouped”.
# * **groups**: what PyTorch means by `groups=4`: four convolutions, each from a quarter of the channels to a quarter of
#   the output. Then the channels are shuffled (Zhang et al., arXiv:1707.01083); we shall see why.
# * **dilated**: two branches of 3×3, the taps of the second two pixels apart.

# %% tags=["variants"]
def normal(n, m, kernel=3, padding="same", **more):
    return nn.Sequential(
        nn.Conv2d(n, m, kernel, padding=padding, bias=False, **more),
        nn.BatchNorm2d(m), nn.ReLU(inplace=True))


def separable_spatial(n, m, padding="same"):
    return nn.Sequential(
        *normal(n, m, (3, 1), padding), *normal(m, m, (1, 3), padding))


def depthwise(n, m, padding="same"):
    return nn.Sequential(
        nn.Conv2d(n, n, 3, padding=padding, groups=n, bias=False),
        *normal(n, m, 1))


class Branches(nn.Module):
    """What several paths make of the same input, side by side."""

    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], 1)


def branches(n, m):
    return Branches(normal(n, m // 2), normal(n, m // 2, 5))


def groups(n, m):
    return nn.Sequential(*normal(n, m, groups=4), nn.ChannelShuffle(4))


def dilated(n, m):
    return Branches(normal(n, m // 2), normal(n, m // 2, dilation=2))


kinds = {block.__name__: block for block in (
    normal, separable_spatial, depthwise, branches, groups, dilated)}

# %% [markdown]
# *Question: what does each kind touch?* In a block from 8 to 8 channels, the weights of each convolution are made
# positive and equal, and so that those of one output add up to one. Then the gradient of an output pixel tells how much
# it depends on each input: yellow for most, over green and blue for less, white for not at all. From the left: the
# input pixels that one output pixel sees; those that its right-hand neighbour sees; those that the block's *first*
# convolution touches; then, for each output channel (row), the input channels (columns) that it depends on after that
# first convolution, and after the whole block.

# %%
plots_kinds.work(kinds, "Six kinds of convolution at work")

# %% [markdown]
# All but two touch the same nine pixels. The separable kinds save in their first step: there they touch a column of
# three pixels, or one channel each. Branches reach one pixel further, the middle counted twice. Dilation reaches as far
# with nine taps, and leaves gaps. Only groups leave out channels: a *quarter* of the input makes each output. What the
# source calls grouped leaves out none. If true groups follow each other, a network falls apart into four that never
# meet; the shuffle deals the channels out anew, so that each group of the next block gets some of every group.
#
# *Question: how does each kind go about it?* Here are the same blocks at work, step by step. The upper line holds the
# eight channels that a step reads, the lower line those that it makes. One number is marked, and what it is made of; then
# its right-hand neighbour, for which the kernel has moved on by a pixel.

# %%
plots_kinds.steps(kinds, "Step by step")

# %% [markdown]
# A 3×3 kernel that reads all channels makes each number of 72, by 72 multiplications. The two steps of a separable kind
# take 48 or 17 together, groups 18. Neighbours in a row share most of what a kernel three or five pixels wide reads. They
# share nothing where it is one pixel wide, and nothing where its taps lie two apart.
#
# ### Their arithmetic
#
# How many weights each kind has follows from how it looks and mixes ([separable and grouped
# convolution](../book/theory_separable)). Every weight is used once for each pixel of the output, so for *every* kind
# (padded so that the map keeps its size) the multiply–accumulates are the weights times the area of the map. By hand,
# and counted in two blocks:

# %% tags=["hide-input"]
by_hand = {"normal": "9nm", "separable_spatial": "3nm + 3m²", "depthwise": "9n + nm", "branches": "17nm",
           "groups": "9nm/4", "dilated": "9nm"}
show.Table(pd.DataFrame([{"channels": "n to m"} | by_hand] + [{"channels": f"{n} to {m}"} | {
    kind: sum(p.numel() for p in block(n, m).parameters() if p.dim() == 4) for kind, block in kinds.items()}
    for n, m in ((64, 64), (32, 64))]))

# %% [markdown]
# A spatially separable block saves a third where the channels stay as many, and *nothing* where they double: it saves
# only for $m < 2n$.
#
# ## As the source ran it
#
# *Question: what does the network with all of them reach?*

# %% tags=["variants"]
def as_run():
    """Return the source's network: (N, 3, 32, 32) to ten scores an image."""
    return like_keras(nn.Sequential(
        Pixels(), normal(3, 32),
        separable_spatial(32, 64, "valid"), depthwise(64, 128, "valid"),
        nn.Dropout(0.05), normal(128, 32, 1), nn.MaxPool2d(2),
        Branches(normal(32, 64), normal(32, 64, 5)),
        nn.Dropout(0.05), normal(128, 32, 1), nn.MaxPool2d(2),
        Branches(normal(32, 64), normal(32, 64, dilation=2)),
        nn.Dropout(0.05), normal(128, 10, 1),
        nn.Conv2d(10, 10, 7, bias=False), nn.Flatten()))


# %%
counts = inspect.parameters(as_run()), inspect.keras_count(as_run())
print("{:,} parameters, {:,} by Keras".format(*counts))
assert counts == (150_168, 151_404)

# %% [markdown]
# Keras counts the running statistics of normalisation too. Of the five kinds only one saves weights here: depthwise
# separable, 8,768 in place of 73,728. The spatially separable block doubles its channels: 18,432, as normal. The two
# pairs of branches have 69,632 and 36,864; a normal 3×3 with as many outputs has 36,864.
#
# The recipe: Adam at 0.003, times 0.9 every two epochs down to 0.0005 (here, unlike in 6A, the schedule *was* passed
# on), batches of 128, 50 epochs, zoom by up to 0.15, mirroring, one number in twenty dropped after each block. The
# source followed the test set, and so do we. `Pixels` hands the network pixels from 0 to 1; `like_keras` draws first
# weights as Keras does and keeps 0.99 of the running statistics at each step. What still differs: Adam's epsilon is
# $10^{-8}$, not $10^{-7}$; an epoch has 391 batches, the last one smaller, not 390; the number format of the run, which
# the record tells; and the random numbers.

# %% tags=["variants"]
variants = {"as_run": Variant(as_run, Recipe(
    epochs=50, batch_size=128, optimizer="adam", lr=0.003,
    schedule="step", step_size=2, factor=0.9, min_lr=0.0005,
    zoom=0.15, flip=True,
    validation=0, follow_test=True, statistics="train"))}

# %%
as_run_records = runs(
    "assignment_6b", "as_run", variants["as_run"], options)
plots.curves(as_run_records, "Assignment 6B as the source ran it")

# %% tags=["remove-input", "nbval-ignore-output"]
older = as_run_records[0].precision == "bf16" and "NVIDIA" not in as_run_records[0].device
show.Text(show.took(as_run_records[0]) + (
    " (It was trained in bfloat16, before [the engine](../book/engine) kept networks with dilated convolutions to fp32 on a "
    "CPU. The fault that led to this rule was not found in this network's dilated layer.)" if older else ""))

# %% tags=["remove-input"]
said = [show.percent(values) for values in zip(*[
    (r.train_acc, r.test_acc, r.curves().test_acc.max()) for r in as_run_records])]
show.Text(f"**What we see.** After the last epoch training accuracy is {said[0]} (the source: <q>92.20 %</q>, one "
          f"run) and test accuracy **{said[1]}** ({plots.seeds(as_run_records)}; the source: <q>85.48 %</q>). Its best epoch on the test set has "
          f"{said[2]} (<q>85.48 %</q>).")

# %% [markdown]
# The source's numbers tempt one to set this beside 6A's last network: half the parameters, half the epochs,
# <q>85.48 %</q> for <q>84.84 %</q>. But the schedule began to work as well, dropout was halved, and every layer but the
# last was normalised. Assignment 6A takes such steps apart for its own network.
#
# ## The fair comparison
#
# *Question: what is each kind worth in the same place?* One skeleton: a normal 3×3 convolution for the colours, two
# blocks of *one* kind on each of three maps (32×32, 16×16, 8×8), the mean of each channel, a linear layer. A kind is
# taken with what usually stands inside it: the spatially separable one has an additional normalisation and ReLU.

# %% tags=["variants"]
def skeleton(block, widths, depth=2):
    """Return the network with `depth` blocks of each of three `widths`."""
    layers, n = [normal(3, widths[0])], widths[0]
    for m in widths:
        for _ in range(depth):
            layers.append(block(n, m))
            n = m
        layers.append(nn.MaxPool2d(2))
    layers[-1] = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(n, 10))


# %% [markdown]
# Equal widths are unequal costs. So each kind also gets widths with which it costs what the normal skeleton costs, in
# parameters *and* in multiply–accumulates, each within 2 in 100. As a weight of any kind is used once for each pixel,
# the two costs go nearly together: one set of even widths, those nearest in proportion to 20 : 40 : 96, matches both, and
# one comparison serves for both. Dilation costs what normal costs already.

# %% tags=["variants", "hide-input"]
equal = (20, 40, 96)


def weights(kind, n, m):
    """Return the number of weights of a block from n to m channels."""
    return {
        "normal": 9 * n * m, "separable_spatial": 3 * n * m + 3 * m * m,
        "depthwise": 9 * n + n * m, "branches": 17 * n * m,
        "groups": 9 * n * m // 4, "dilated": 9 * n * m}[kind]


def cost(kind, widths):
    """Return (parameters, multiply-accumulates) of a skeleton, by hand."""
    a, b, c = widths
    stages = [2 * weights(kind, a, a),
              weights(kind, a, b) + weights(kind, b, b),
              weights(kind, b, c) + weights(kind, c, c)]
    norms = 4 if kind == "separable_spatial" else 2  # to each width
    learnt = 27 * a + 2 * a + sum(stages) + 2 * norms * (a + b + c)
    used = 1024 * (27 * a + stages[0]) + 256 * stages[1] + 64 * stages[2]
    return learnt + 10 * c + 10, used + 10 * c


widths = dict.fromkeys(kinds, equal) | {
    "separable_spatial_matched": (24, 46, 106),
    "depthwise_matched": (56, 112, 278),
    "branches_matched": (14, 30, 70), "groups_matched": (40, 80, 188)}
for name in list(widths)[len(kinds):]:
    for here, there in zip(cost(name.removesuffix("_matched"), widths[name]),
                           cost("normal", equal)):
        assert abs(here / there - 1) < 0.02

# %% [markdown]
# One recipe for all ten, tuned for none, of 20 epochs: not the 50 of the source, so that ten networks can be trained
# without a GPU too. A kind that learns more slowly, or would like another rate, is judged too low by it. Before you look:
# put the six kinds in order, once for equal widths and once for equal costs.

# %% tags=["variants"]
recipe = Recipe(
    epochs=20, batch_size=128, optimizer="sgd", lr=0.1, nesterov=True,
    weight_decay=5e-4, schedule="onecycle", cycle_momentum=False,
    crop=4, crop_mode="reflect", flip=True,
    validation=0.1, follow_test=False, statistics="train")
for name in widths:
    variants[name] = Variant(lambda name=name: skeleton(
        kinds[name.removesuffix("_matched")], widths[name]), recipe)

# %% tags=["full-width", "hide-input"]
rows, kept = [], {}
for name, at in widths.items():
    layers = inspect.layers(variants[name].build())
    count = int(layers.params.sum()), int(layers.macs.sum())
    assert count == cost(name.removesuffix("_matched"), at)  # by count as by hand
    kept[name] = plots_kinds.kept(variants[name].build())
    rows.append({"variant": name, "widths": " : ".join(map(str, at)), "parameters": count[0], "macs": count[1],
                 "field": int(layers.field[:-3].max()), "kept (MiB)": round(kept[name])})
show.Table(pd.DataFrame(rows))

# %% [markdown]
# *field* is the side of what a pixel of the last map sees: nearly twice as much with branches and dilation. *kept* are
# the activations of a batch of 128 that autograd stores for the backward pass, counted in float32. They go with widths and
# layers, not with weights.

# %%
def asked(name):
    return runs("assignment_6b", name, variants[name], options)


same_width = {kind: asked(kind) for kind in kinds}
sets = {"equal widths": same_width}
plots_kinds.compare(sets, "Six kinds of equal width")

# %% tags=["hide-input"]
def above_normal(group):
    """Return what test accuracy lies above that of the normal skeleton: (mean, low, high) in points."""
    return stats.gained(same_width["normal"], group)


def worths(sets):
    """Return the table of what each kind has above normal, in each of `sets`."""
    return show.Table(pd.DataFrame([
        {"points above normal": kind} | {name: stats.told(same_width["normal"], found[kind]) for name, found in sets.items()}
        for kind in list(kinds)[1:]]))


worths(sets)

# %% [markdown]
# In brackets stand 95 % intervals over seeds, or, of fewer than three seeds, the *p* of [McNemar's
# test](../book/glossary.md): of the test images that exactly one of the two networks has right, how likely a split at
# least as uneven is if both are equally good. It tells these networks apart, not their kinds. With so many comparisons,
# one may well look like a difference by chance alone.
#
# And at equal costs. Normal and dilated are the same runs again.

# %%
same_cost = same_width | {
    kind: asked(f"{kind}_matched")
    for kind in kinds if f"{kind}_matched" in variants}
sets["equal costs"] = same_cost
plots_kinds.compare(sets, "Six kinds, one skeleton")

# %% tags=["hide-input"]
worths(sets)

# %% tags=["remove-input"]
show.Text(stats.precisions({group[0].variant: group for group in (*same_width.values(), *same_cost.values())}))

# %% tags=["remove-input"]
budget = same_width["normal"][0].params
matched = [kind for kind in kinds if f"{kind}_matched" in variants]


def shown_behind(group):
    """Tell whether a variant lies behind normal beyond chance: of seeds, or of too few runs of test images."""
    mean, _, high = above_normal(group)
    tests = [stats.mcnemar(one.correct(), two.correct())[2] for one, two in zip(same_width["normal"], group)]
    return high < 0 if high == high else mean < 0 and max(tests) < 0.05


behind = [kind for kind in matched if same_width[kind][0].params < budget and shown_behind(same_width[kind])]
level = [kind for kind in behind if not shown_behind(same_cost[kind])]
show.Text(
    "**What we see.** In points above normal: " + "; ".join(
        f"{kind} has {above_normal(same_width[kind])[0]:+z.1f} at equal widths, with "
        f"{same_width[kind][0].params / budget:.0%} of normal's parameters, and {above_normal(same_cost[kind])[0]:+z.1f} at "
        "equal costs" for kind in matched)
    + f". Of those that are behind with fewer weights, beyond chance ({', '.join(behind) or 'none'}), these are not so at equal "
    "costs: " + (f"{'all of them' if level == behind else ', '.join(level)}. That fits their having lacked weights and arithmetic at equal widths; but at equal costs they "
       f"also have more channels than normal has, which may be the reason as well. "
       f"{plots.seeds(same_width['normal'])} of each cannot say more."
       if level else "none."))

# %% [markdown]
# ## Exercises
#
# **1. Count.** How many multiply–accumulates does the source's spatially separable block take: from $n$ to $m$ channels
# by 3×1, then from $m$ to $m$ by 1×3, both *without* padding, on a map of *side* × *side* pixels? Write your answer in
# place of `None`, and run the cell below it.

# %% tags=["exercise"]
def separable_macs(n, m, side):
    return None  # your formula


# %% tags=["check", "hide-input"]
def check_macs(answer):
    """Return what is to be said of a formula for the arithmetic of a spatially separable block without padding."""
    return compare(
        answer, [((32, 64, 32), 16_957_440), ((8, 4, 10), 10_752), ((5, 7, 3), 462)],
        [(lambda n, m, side: (3 * n * m + 3 * m * m) * side**2, "that is with padding; without it the map shrinks."),
         (lambda n, m, side: (3 * n * m + 3 * m * m) * (side - 2) ** 2,
          "after the first convolution the map has lost rows, and no columns yet."),
         (lambda n, m, side: 3 * n * m + 3 * m * m, "these are the weights; how often is each used?")],
        praise="each weight is used once for each pixel of *its* output, and the two outputs differ in size.")


print(check_macs(separable_macs))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_separable_macs(n, m, side):
    return 3 * n * m * (side - 2) * side + 3 * m * m * (side - 2) ** 2


print(check_macs(solved_separable_macs))

# %% [markdown]
# **2. Mix.** Write what `nn.ChannelShuffle(g)` does, by `view`, `transpose` and `reshape` alone: of the new channels,
# the first g are the first channel of each group, the next g the second of each, and so on.

# %% tags=["exercise"]
def shuffled(x, g):
    return None  # x is (N, C, H, W), and g divides C


# %% tags=["check", "hide-input"]
def check_shuffle(answer):
    """Return what is to be said of a function that shuffles channels."""
    x = torch.arange(24.0).view(2, 12, 1, 1) + torch.arange(6.0).view(2, 3) / 10  # no two of its numbers are equal
    given, right, back = answer(x.clone(), 3), nn.ChannelShuffle(3)(x), nn.ChannelShuffle(4)(x)
    if getattr(given, "shape", None) != x.shape:
        return f"Not yet: it must return a tensor of the shape {tuple(x.shape)} that it was given."
    if torch.equal(given, back):
        return "Not yet: you deal them back; view the channels as g groups, not as groups of g."
    if not torch.equal(given, right) and torch.equal(given.floor()[..., 0, 0], right.floor()[..., 0, 0]):
        return "Not yet: the channels are where they belong, but pixels have moved within their maps."
    if not torch.equal(given, right):
        return f"Not yet: 12 channels in 3 groups come as {[int(v) for v in given[0, :, 0, 0]]}, not as 0, 4, 8, 1, …"
    y = torch.arange(20.0).view(1, 10, 1, 2)
    with suppress(RuntimeError):  # a shape that does not fit
        if torch.equal(answer(y.clone(), 2), nn.ChannelShuffle(2)(y)):
            return "Right: a matrix of groups × members, transposed. It has no weights and does no arithmetic."
    return "Not yet: right for 12 channels in 3 groups, but not for 10 in 2."


print(check_shuffle(shuffled))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_shuffled(x, g):
    n, c, h, w = x.shape
    return x.view(n, g, c // g, h, w).transpose(1, 2).reshape(n, c, h, w)


print(check_shuffle(solved_shuffled))

# %% [markdown]
# ## Which one should I choose?
#
# *Question: for which kind do accuracy, memory and time speak?* First all runs. The validation images will choose; test
# accuracy is there to be read.

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
shown = [*same_width.values(), *same_cost.values()]
show.summary({group[0].variant: group for group in shown}, **{"fastest epoch (s)": show.seconds})

# %% [markdown]
# Those runs shared their machines with others. So `make bench` trains all ten in turns, each in a process of its own:
# how long an image takes, against normal, and the peak memory beyond what Python, PyTorch and the images hold. (On a CPU
# *dilated* is always trained in fp32, which [the training engine](../book/engine) explains; that is a part of its time
# and of its memory.)

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
measured = costs.on_record("assignment_6b", variants)
show.Table(pd.DataFrame([{
    "variant": name, "machine": machine, "time (normal: 1)": f"{found['normal']['images_per_s'] / row['images_per_s']:.2f}",
    "peak memory (MiB)": f"{row['peak_mib']:,}"} for machine, found in measured.items() for name, row in found.items()
    if name != "as_run"]))

# %% tags=["remove-input", "nbval-ignore-output"]
held_out = {kind: np.mean([r.val_acc for r in group]) for kind, group in same_cost.items()}
first = max(held_out, key=held_out.get)
more = [f"{kept[same_cost[kind][0].variant] / kept['normal']:.1f} times as much for {kind}"
        for kind in kinds if kind in {first, "depthwise"} - {"normal"}]


def timed(machine, found):
    """Return a sentence on what each kind takes at equal costs on a machine, and how much memory."""
    def against_normal(what):
        ratios = {kind: found[group[0].variant][what] / found["normal"][what] for kind, group in same_cost.items()}
        return {kind: ratio for kind, ratio in ratios.items() if kind != "normal"}

    times = ", ".join(f"{1 / speed:.1f} ({kind})" for kind, speed in against_normal("images_per_s").items())
    peaks = ", ".join(f"{peak:.1f} ({kind})" for kind, peak in against_normal("peak_mib").items())
    return (f"On {machine}, with equal arithmetic, an image takes this many times as long as normal: {times}. The peak memory "
            f"against normal's: {peaks}.")


ahead = stats.points(*([r.val_acc for r in group] for group in (same_width["normal"], same_cost[first])))
show.Text(
    f"At equal costs the validation images put {first} first" + (
        ". So choose the normal 3×3, which is the plainest as well. " if first == "normal" else
        f", {stats.phrase(*ahead)} above normal. " + (
            f"So choose {first}, though the best of {len(held_out)} kinds, chosen by these very numbers, looks a little better "
            "than it is. " if ahead[1] > 0 else
            "That does not settle it: as long as more seeds do not tell the two kinds apart, take the plainest, the normal "
            "3×3. ")
        + "The test images had no part in this: "
        f"{stats.sentence(same_width['normal'], same_cost[first], ('normal', first))} ")
    + f"If the width is given, depthwise takes {same_width['depthwise'][0].macs / same_width['normal'][0].macs:.0%} "
    f"of the arithmetic, for {stats.phrase(*above_normal(same_width['depthwise']))}"
    + "".join(f"; on {machine} it takes {found['normal']['images_per_s'] / found['depthwise']['images_per_s']:.2f} times the time "
              f"and {found['depthwise']['peak_mib'] / found['normal']['peak_mib']:.1f} times the peak memory of normal"
              for machine, found in measured.items())
    + f".\n\nAt equal costs, what is kept "
    f"for the backward pass is {' and '.join(more)} as for normal. "
    + (" ".join(timed(*one) for one in measured.items()) or "No machine's times are on record: `make bench` measures them."))

# %% [markdown]
# ## What we saw
#
# * Equal widths and equal costs are two questions, and may have two answers.
# * A kind that saves must be allowed to spend what it saves before it is judged.
# * Fewer weights may need more memory in training, since what is kept goes with widths and layers.
# * Weights and arithmetic can be told from the layers. Accuracy and time cannot: measure them.
#
# How to take all this to other images is told under [Caltech-256](../book/caltech). What the same parameters would buy
# today is asked in [a fixed budget](fixed_budget), where normal and depthwise meet again.
