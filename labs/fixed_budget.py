# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A fixed budget: spend it again
#
# *What would you build with the parameters that a source had?* Assignment 6A ends at 294,112 parameters and reports
# <q>84.84 %</q>; Assignment 6B has 151,404 and reports <q>85.48 %</q>. Here both budgets are spent once more, with what
# is published practice today. We set two goals: 92 of 100 test images right with the larger budget, and 91 with the
# smaller.
#
# **After this lab you can**
#
# * say where in a network its parameters are, and where its arithmetic is;
# * find the widest network that a budget buys;
# * choose between candidates so that the test set stays a test.
#
# **Before**, you should have read [Level 3](level_3), whose recipe is used here, and of [Assignment 6A](assignment_6a) the
# networks: its pyramid is taken up again. The kinds of convolution are explained in
# [Separable and grouped convolution](../book/theory_separable).

# %% tags=["imports"]
import math

import numpy as np
from torch import nn

from common import inspect, plots, plots_study, settings, show, stats
from common.blocks import Residual, conv_block, residual_block
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
show.cost("fixed_budget", options)

# %% [markdown]
# ## 294,112 parameters
#
# *Question: how can 6A's last network be mended, and what else would its parameters buy?*
#
# **mended pyramid.** It can be mended in many places. Batch normalisation follows every convolution; the biases before
# it are removed, and so is dropout. All 3×3 convolutions are padded. The head, a 1×1 convolution to ten channels and
# one 7×7 kernel over their map, becomes the mean of each channel and one dense layer. Block and transition together
# lead from 32 channels back to 32, so that their input can be added to their output: a residual connection ([He and
# others](https://arxiv.org/abs/1512.03385)) that has no parameters.
#
# **deep.** The same budget spent on depth: eight plain residual blocks, each no wider than 48 channels.

# %% tags=["variants"]
def mean_head(channels):
    """Return the mean of each channel over its map, then a dense layer."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]


def squeezed():
    """Return a block and its transition beside a shortcut, then pooling."""
    body = nn.Sequential(conv_block(32, 64), conv_block(64, 128),
                         nn.Conv2d(128, 32, 1, bias=False),
                         nn.BatchNorm2d(32))
    return [Residual(body), nn.ReLU(inplace=True), nn.MaxPool2d(2)]


def mended_pyramid():
    """Return the pyramid of Assignment 6A, mended."""
    return nn.Sequential(
        conv_block(3, 32), *squeezed(), *squeezed(),
        conv_block(32, 64), conv_block(64, 128), *mean_head(128))


def deep():
    """Return a narrower and deeper network."""
    return nn.Sequential(
        conv_block(3, 32), *(residual_block(32, 32) for _ in range(2)),
        conv_block(32, 48, 1), nn.MaxPool2d(2),
        *(residual_block(48, 48) for _ in range(3)), nn.MaxPool2d(2),
        *(residual_block(48, 48) for _ in range(3)), *mean_head(48))


# %% [markdown]
# ## 151,404 parameters
#
# *Question: does a cheaper kind of convolution buy a better network?*
#
# Two networks of one shape: three blocks on each of three maps, a shortcut around each. In **normal** a block has two
# 3×3 convolutions. In **depthwise** each of them is separated: 3×3 in each channel by itself, then 1×1 to mix the
# channels. What that saves makes the network more than twice as wide.

# %% tags=["variants"]
def separated(n, m):
    """Return a depthwise separable convolution, normalised, and ReLU."""
    return nn.Sequential(nn.Conv2d(n, n, 3, padding=1, groups=n, bias=False),
                         *conv_block(n, m, 1))


def separated_block(n, m):
    """Return two separable convolutions and a shortcut around them."""
    body = nn.Sequential(*separated(n, m), *separated(m, m)[:-1])
    widen = nn.Sequential(nn.Conv2d(n, m, 1, bias=False), nn.BatchNorm2d(m))
    return nn.Sequential(Residual(body, widen if n != m else None),
                         nn.ReLU(inplace=True))


def stages(block, widths):
    """Return the network with three blocks at each of three widths."""
    a, b, c = widths
    return nn.Sequential(
        conv_block(3, a),
        block(a, a), block(a, a), block(a, a), nn.MaxPool2d(2),
        block(a, b), block(b, b), block(b, b), nn.MaxPool2d(2),
        block(b, c), block(c, c), block(c, c), *mean_head(c))


networks = {
    "mended_pyramid": mended_pyramid, "deep": deep,
    "normal": lambda: stages(residual_block, (16, 28, 42)),
    "depthwise": lambda: stages(separated_block, (40, 80, 112))}
budgets = {294_112: ("mended_pyramid", "deep"),
           151_404: ("normal", "depthwise")}

# %% [markdown]
# The sources printed the budgets as Keras counts, running statistics included, so that is how we count here.

# %%
counted = {name: inspect.keras_count(build())
           for name, build in networks.items()}
for budget, names in budgets.items():
    for name in names:
        print(f"{name}: {counted[name]:,} of {budget:,} parameters")
        assert counted[name] <= budget

# %%
tables = {name: inspect.layers(build())
          for name, build in networks.items()}
plots_study.shares(tables, "Where parameters and arithmetic are")

# %% tags=["remove-input"]
wide = {name: [table.loc[table.height == 32, cost].sum() / table[cost].sum() for cost in ("params", "macs")]
        for name, table in tables.items()}
show.Text("**What we see.** A weight is used once at each place of its map, so parameters are cheap to compute with on "
          "small maps and dear on large ones. On maps of 32×32 are " + "; ".join(
              f"{params:.0%} of the parameters of `{name}` and {macs:.0%} of its arithmetic"
              for name, (params, macs) in wide.items()) + ". A budget of parameters alone says little about time.")

# %% [markdown]
# ## One recipe
#
# That of [Level 3](level_3)'s last rung, unchanged: SGD with momentum and weight decay, one cycle of the learning rate
# over 100 epochs; images shifted by up to four pixels and reflected at their borders, each mirrored in every second
# epoch. Level 3 put it together rung by rung, for another network and by the same 5,000 held-out images; nothing was
# tuned here. What is chosen is the network: of each pair the one with the higher accuracy on the held-out images.

# %% tags=["variants"]
recipe = Recipe(
    epochs=100, batch_size=64, optimizer="sgd", lr=0.1, momentum=0.9,
    weight_decay=5e-4, schedule="onecycle", cycle_momentum=False,
    crop=4, crop_mode="reflect", flip=True, alternate=True,
    validation=0.1, follow_test=False, statistics="train")
variants = {name: Variant(build, recipe) for name, build in networks.items()}


# %%
def ask(budget):
    """Return {name: records} of a budget's two networks."""
    return {name: runs("fixed_budget", name, variants[name], options)
            for name in budgets[budget]}


def choose(records):
    """Return the name of the network that held-out images prefer."""
    return max(records, key=lambda name: np.mean(
        [r.val_acc for r in records[name]]))


# %% tags=["remove-input"]
def verdict(records, chosen, budget, goal, reported):
    """Return what is to be said of a budget's two networks: which is chosen, what it reaches, and how they differ."""
    (first, one), (second, other) = records.items()
    level = np.mean([r.test_acc for r in records[chosen]])
    tie = np.mean([r.val_acc for r in one]) == np.mean([r.val_acc for r in other])
    return show.Text(
        f"**What we see.** On held-out images `{first}` reads {show.percent(r.val_acc for r in one)} and `{second}` "
        f"{show.percent(r.val_acc for r in other)}, so with {budget:,} parameters "
        + (f"both are as good, and the first is kept, `{chosen}`. " if tie else f"`{chosen}` is chosen. ")
        + f"On the test images it reaches **{show.percent(r.test_acc for r in records[chosen])}** "
        f"({plots.seeds(records[chosen])}), {'above' if level > goal else 'not above'} the goal of {goal:.0%}, "
        f"and {100 * level - reported:+.1f} points from what the source reports. "
        + stats.sentence(one, other, (first, second)))


# %% [markdown]
# ## What the larger budget bought
#
# *Question: is it better spent on the pyramid or on depth?*

# %%
larger = ask(294_112)
chosen = choose(larger)
plots_study.compare(larger, "val_acc", "With 294,112 parameters",
                    "validation accuracy (%)")

# %% tags=["remove-input"]
verdict(larger, chosen, 294_112, 0.92, 84.84)

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(larger, by_Keras=lambda group: f"{counted[group[0].variant]:,}")

# %% [markdown]
# ## What the smaller budget bought
#
# *Question: does a convolution with fewer parameters leave room for a better network?* What depthwise convolutions save
# in parameters they spend on channels, and more channels take longer to read and write: look at the time, too.

# %%
smaller = ask(151_404)
chosen = choose(smaller)
plots_study.compare(smaller, "val_acc", "With 151,404 parameters",
                    "validation accuracy (%)")

# %% tags=["remove-input"]
verdict(smaller, chosen, 151_404, 0.91, 85.48)

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(smaller, by_Keras=lambda group: f"{counted[group[0].variant]:,}")

# %% [markdown]
# Between a source's network and the one chosen here lie a dozen changes. This lab does not say what each is worth;
# Assignment 6A does that for its own steps.
#
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. Spend.** A convolution 3×3 from $w$ to $w$ channels without bias, with its batch normalisation, has
# $9 w^2 + 2 w$ parameters; Keras counts $9 w^2 + 4 w$. Write a function that returns the largest $w$ with which
# `count` such layers, one after the other, fit into a budget by Keras' count.

# %% tags=["exercise"]
def widest(budget, count):
    return None  # a whole number


# %% tags=["check", "hide-input"]
def check_widest(answer):
    """Return what is to be said of a function for the widest network within a budget."""
    def root(budget, count):
        return ((16 + 36 * budget / count) ** 0.5 - 4) / 18

    return compare(
        answer, [((294_112, 16), 44), ((151_404, 18), 30), ((44, 1), 2), ((1_000, 3), 5)],
        [(root, "a number of channels is whole; which way must it be rounded to stay within the budget?"),
         (lambda budget, count: math.ceil(root(budget, count)), "these layers have more parameters than the budget.")],
        praise="twice the budget buys about 1.4 times the width, since parameters grow with its square.")


print(check_widest(widest))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_widest(budget, count):
    w = 0
    while count * (9 * (w + 1) ** 2 + 4 * (w + 1)) <= budget:
        w += 1
    return w


print(check_widest(solved_widest))

# %% [markdown]
# **2. Choose.** [Level 3](level_3)'s rule once more, with a budget. Candidates are given as `{name: (parameters,
# validation, test)}`, the accuracies as lists over seeds, of different lengths. Return the name of the one to keep
# within a budget, by the mean of what may decide.

# %% tags=["exercise"]
def keep(candidates, budget):
    return None  # a name


# %% tags=["check", "hide-input"]
def check_keep(answer):
    """Return what is to be said of a function that chooses a network."""
    candidates = {"a": (90_000, [0.88, 0.89, 0.88], [0.935, 0.933, 0.937]),
                  "b": (99_000, [0.95, 0.88, 0.88], [0.87, 0.87, 0.87]),
                  "c": (120_000, [0.97, 0.96], [0.95, 0.95]),
                  "d": (100_000, [0.99, 0.86, 0.86, 0.86], [0.88, 0.88, 0.88, 0.88]),
                  "e": (95_000, [0.90, 0.90, 0.90], [0.88, 0.88, 0.88]),
                  "f": (97_000, [0.93, 0.92, 0.87, 0.82], [0.87, 0.87, 0.87, 0.87])}
    hints = {"a": "that one is best on the test images. Chosen by them, its test accuracy would be a flattered number.",
             "c": "that one is over the budget.",
             "d": "that one has the best single run, or the largest sum; compare means over seeds.",
             "e": "that one has the best of its worst seed, or the best median; compare means over seeds.",
             "f": "that one is best in its first seeds; every seed counts.",
             "b": "a budget of 120,000 may be spent to the last one, and then there is a better one."}
    return compare(
        answer, [((candidates, 100_000), "b"), ((candidates, 120_000), "c")],
        [(lambda *_, name=name: name, hint) for name, hint in hints.items()],
        praise="the budget decides who may take part, the validation images who is kept, and the test set nothing.")


print(check_keep(keep))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_keep(candidates, budget):
    within = {name: np.mean(validation)
              for name, (count, validation, _) in candidates.items()
              if count <= budget}
    return max(within, key=within.get)


print(check_keep(solved_keep))

# %% [markdown]
# ## What we saw
#
# * A budget of parameters is not one of arithmetic: the same parameter costs more of it on a large map than on a small
#   one.
# * The validation images choose, the test images report.
# * Many repairs at once cannot be told apart.
