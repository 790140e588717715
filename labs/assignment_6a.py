# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 6A: seven steps, one at a time
#
# *Seven steps were taken and the result was better. Which of them helped?* The third source starts from a network
# with dense layers and ends with a quarter of its parameters. Its README lists seven steps on the way, but it trained
# three networks, which cannot tell seven steps apart. Here every step is a rung of a ladder.
#
# **After this lab you can**
#
# * take a refactoring apart into steps, and say what each gave, and whether that may be chance;
# * tell what dense layers cost from what a large map costs, by arithmetic;
# * compute a receptive field, and find the mistake in somebody's comments;
# * show whether the worth of a step depends on when it is taken.
#
# **Before**, read [Level 1](level_1).

# %% tags=["imports"]
import itertools
import math

import numpy as np
import pandas as pd
from torch import nn

from common import inspect, plots, plots_ladder, settings, show, stats
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
rung: int = -1  # one rung of the ladder alone, 0 to 7; -1: the whole lab

# %%
options = settings.read(globals(), rung=settings.whole(
    -1, 7, "a rung from 0 to 7, or -1 for the whole lab"))

# %% tags=["remove-input", "nbval-ignore-output"]
show.cost("assignment_6a", options)

# %% [markdown]
# ## Two networks
#
# *Question: what was taken away, and what was put in its place?*
#
# The **base** narrows the map early: two 3×3 convolutions and a pooling, three times. Three dense layers end it.

# %% tags=["variants"]
def conv(n, m, kernel=3, padding=1, norm=False):
    """Return the layers convolution (-> batch normalisation) -> ReLU."""
    between = [nn.BatchNorm2d(m)] if norm else []
    return [nn.Conv2d(n, m, kernel, padding=padding), *between, nn.ReLU()]


def base(head):
    """Return the base network; `head` are its last layers."""
    layers = []
    for n, m in (3, 48), (48, 96), (96, 192):
        layers += [*conv(n, m), *conv(m, m, padding=0),
                   nn.MaxPool2d(2), nn.Dropout(0.25)]
    return like_keras(nn.Sequential(*layers, *head))


def dense_head():
    """Return three dense layers for a map of 192 channels, 2x2."""
    return [nn.Flatten(),
            nn.Linear(768, 512), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(256, 10)]


def conv_head(channels, side, norm=False):
    """Return 1x1 to ten channels, then one kernel as large as the map."""
    return [*conv(channels, 10, 1, 0, norm),
            nn.Conv2d(10, 10, side), nn.Flatten()]


# %% [markdown]
# The **pyramid**, as the source calls it, widens first. A block doubles the channels twice, by 3×3 convolutions; a
# transition squeezes them by a 1×1 convolution and halves the map; `conv_head` stands in place of the dense layers.
# `norm` adds batch normalisation from block 2 on, as in the source. `placed` says where dropout is: after each block,
# or behind the poolings that follow the first two; after the third it stands either way.

# %% tags=["variants"]
def pyramid(width, norm, dropout, placed):
    """Return the pyramid, whose blocks widen `width` to 4 * `width`."""
    layers = conv(3, width)
    for block in 1, 2, 3:
        late = norm and block > 1
        layers += conv(width, 2 * width, norm=late)
        layers += conv(2 * width, 4 * width, padding=int(block > 1), norm=late)
        layers += [nn.Dropout(dropout)] * placed
        if block < 3:
            layers += [*conv(4 * width, width, 1, 0, late), nn.MaxPool2d(2)]
        layers += [nn.Dropout(dropout)] * (not placed)
    head = conv_head(4 * width, 7, norm)
    return like_keras(nn.Sequential(*layers, *head))


# %% [markdown]
# `like_keras` copies three defaults of the source's Keras that differ from PyTorch's: first weights are drawn from
# Glorot's uniform distribution, biases start at zero, and batch normalisation has an epsilon of 0.001 and running
# averages that move a tenth as fast. `Pixels` undoes the normalisation of images: the source fed pixels from 0 to 1.

# %% tags=["variants"]
source = Recipe(
    epochs=100, batch_size=128, optimizer="adam", lr=0.001,
    schedule="constant", validation=0, follow_test=True, statistics="train")
variants = {
    "as_run_base": Variant(lambda: nn.Sequential(
        Pixels(), *base(dense_head())), source),
    "as_run_refactored": Variant(lambda: nn.Sequential(
        Pixels(), *pyramid(48, False, 0.25, placed=True)), source),
    "as_run_final": Variant(lambda: nn.Sequential(
        Pixels(), *pyramid(32, True, 0.1, placed=True)),
        source.plus(lr=0.003, zoom=0.15, flip=True)),
}

# %% [markdown]
# The source also writes the receptive field beside each layer of the pyramid, and gets it wrong from the first pooling
# on. [The receptive field](../book/theory_receptive_field) shows how; exercise 1 asks for the right one.
#
# ## The ladder
#
# *Question: how is one step told from another?*
#
# By a rung for each of the README's steps, in its order: (1) the dense layers go, (2) the rest becomes a pyramid, (3) with
# fewer kernels, (4) batch normalisation, (5) dropout placed anew and lowered, (6) augmentation, (7) a higher rate that
# then falls. What a step changes together, its rung cannot tell apart. The source itself took steps 1 and 2 together, then
# 3 to 6 with the higher rate of step 7; its rate never fell.
#
# The ladder keeps the source's Adam, batches of 128 and 100 epochs, but holds out 5,000 images, uses the test set once,
# at the end, and normalises images. Accuracy counted while learning does not compare between rungs that differ in
# dropout and augmentation; so after its last epoch each run classifies 10,000 of the images it learnt from once more,
# clean and without dropout. That is its *clean training accuracy*.

# %% tags=["variants"]
usual = source.plus(validation=0.1, follow_test=False)
SWITCHES = "norm", "dropout", "augmentation", "schedule"


def switched(on, **recipe):
    """Return rung 3 with the steps `on`, of SWITCHES, and these settings."""
    taken = dict(dropout=0.1, placed=True) if "dropout" in on else dict(
        dropout=0.25, placed=False)
    if "augmentation" in on:
        recipe |= dict(zoom=0.15, flip=True)
    if "schedule" in on:
        recipe |= dict(lr=0.003, schedule="step", step_size=3, factor=0.9,
                       min_lr=0.0005)
    return Variant(lambda: pyramid(32, "norm" in on, **taken),
                   usual.plus(**recipe))


def name_of(on):
    """Return the one name of the steps in `on`, in whatever order taken."""
    taken = [step for step in SWITCHES if step in on]
    if taken == list(SWITCHES[:len(taken)]):
        return f"rung_{3 + len(taken)}"
    return "with_" + "_".join(taken)


variants |= {
    "rung_0": Variant(lambda: base(dense_head()), usual),
    "rung_1": Variant(lambda: base(conv_head(192, 2)), usual),
    "rung_2": Variant(lambda: pyramid(48, False, 0.25, placed=False), usual),
}
for taken in range(5):
    variants[name_of(SWITCHES[:taken])] = switched(SWITCHES[:taken])


# %% tags=["full-width", "hide-input"]
STEPS = ["0 base network", "1 dense layers removed", "2 pyramid", "3 fewer kernels", "4 batch normalisation",
         "5 dropout placed, lowered", "6 augmentation", "7 schedule"]
CHANGES = ["–", "head: 1×1 to ten channels, then 2×2", "blocks, transitions; head 7×7", "32, 64, 128 for 48, 96, 192",
           "from block 2 on", "0.1 after each block, for 0.25 behind the poolings", "zoom 0.15, flip",
           "0.003, × 0.9 every 3 epochs, not below 0.0005; for 0.001"]
RUNGS = [f"rung_{number}" for number in range(8)]
nets = [variants[name].build() for name in RUNGS]
params, macs = ([count(n) for n in nets] for count in (inspect.parameters, inspect.macs))
keras = [inspect.keras_count(net) for net in nets]
assert [keras[0], keras[2], keras[7]] == [1_172_410, 649_656, 294_112]  # as the source printed
show.Table(pd.DataFrame({"rung": STEPS, "parameters": params, "by Keras": keras, "macs": macs,
                         "what changes": CHANGES}))

# %% [markdown]
# Keras counts the running means and variances of batch normalisation as “non-trainable” parameters; in PyTorch they are
# buffers. The counts that the source printed, of the networks of rungs 0, 2 and 7, are Keras'.
#
# Two choices are ours. The source never ran the base without its dense layers; rung 1 gives it the pyramid's kind of
# head. And the source moved dropout along with the pyramid; here it waits for rung 5, a step of its own in the README.

# %% tags=["hide-input"]
if options.rung >= 0:
    name = f"rung_{options.rung}"
    for record in runs("assignment_6a", name, variants[name], options):
        print(f"Rung {STEPS[options.rung]}, seed {record.seed}: test accuracy {record.test_acc:.2%}")
    raise SystemExit(0)  # no failure: what is below compares rungs

# %% [markdown]
# ## As the source ran it
#
# *Question: what do the source's three networks reach here?*
#
# All 50,000 images are learnt from, and the test set serves as validation set, as in the source. Its notebook defines a
# scheduler and never gives it to the call that trains, so the rate of the final network stays at 0.003. What still
# differs: Adam's epsilon is $10^{-8}$ and not $10^{-7}$; an epoch has 391 batches, the last of 80 images, and not 390;
# on a device with units for bfloat16 most of the arithmetic is done in it; and the random numbers.

# %%
def asked(*names):
    """Return {variant: its records}."""
    return {name: runs("assignment_6a", name, variants[name], options)
            for name in names}


def test(group):
    return np.array([r.test_acc for r in group])


# %%
base_runs = asked("as_run_base")
plots.curves(base_runs["as_run_base"], "The base as the source ran it")

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(base_runs["as_run_base"][0])

# %% tags=["remove-input"]
reported = {"as_run_base": (91.86, 83.32), "as_run_refactored": (96.45, 79.82), "as_run_final": (93.90, 84.84)}


def seen(name, group):
    """Return what there is to see in a group of runs of one of the source's networks."""
    late = np.array([r.curves().test_acc.tail(10) for r in group])
    trained, tested = (f"<q>{number:.2f} %</q>" for number in reported[name])
    return show.Text(
        f"**What we see.** After the last epoch test accuracy is **{show.percent(test(group))}** ({plots.seeds(group)}; the "
        f"source: {tested}, one run). The readings of the last ten epochs lie between {late.min():.2%} and {late.max():.2%}, "
        f"on average at {late.mean():.2%}: the last one owes something to where it stopped. Training accuracy, counted while "
        f"the network learns, is {show.percent(r.train_acc for r in group)} ({trained}); of clean images learnt from, it has "
        f"{show.percent(r.learnt_acc for r in group)} right.")


seen("as_run_base", base_runs["as_run_base"])

# %% [markdown]
# The final network is the pyramid with fewer kernels, batch normalisation, less dropout and augmentation, at three times
# the base's rate. Before you look: which of the two will move more from epoch to epoch?

# %%
final_runs = asked("as_run_final")
plots.curves(final_runs["as_run_final"], "The final network as the source ran it")

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(final_runs["as_run_final"][0])

# %% tags=["remove-input"]
seen("as_run_final", final_runs["as_run_final"])

# %% [markdown]
# And all three, side by side:

# %%
source_runs = base_runs | asked("as_run_refactored") | final_runs

# %% tags=["hide-input"]
show.Table(pd.DataFrame([{
    "last epoch": name, "training, source": f"{trained:.2f}%",
    "training, here": show.percent(r.train_acc for r in source_runs[name]),
    "test, source": f"{tested:.2f}%", "test, here": show.percent(test(source_runs[name])),
    "gap, source": f"{trained - tested:.1f}",
    "gap, here": f"{100 * np.mean([r.train_acc - r.test_acc for r in source_runs[name]]):z.1f}",
    "clean gap, here": show.gap(source_runs[name]),
} for name, (trained, tested) in reported.items()]))

# %% tags=["remove-input"]
off = [f"{name} {100 * test(group).mean() - reported[name][1]:+z.1f}" for name, group in source_runs.items()]
theirs = reported["as_run_final"][1] - reported["as_run_base"][1]
change = stats.gained(source_runs["as_run_base"], source_runs["as_run_final"])
show.Text(f"**What we see.** Test accuracy here less that of the source, in points: {', '.join(off)}. From base to "
          f"final it changes by {stats.phrase(*change)}; in the source it was {theirs:+.2f}.")

# %% [markdown]
# ### A headline
#
# The README sums up that the new model <q>achieved a training accuracy (94%) higher than the base accuracy</q>, and
# that the gap between training and validation accuracy <q>had narrowed</q>. Read quickly, that is 94 against 83.
#
# * <q>94.00 %</q> is a *training* accuracy, and the best of a hundred epochs. The base's is <q>92.36 %</q>. On test
#   images the last epochs read <q>84.84 %</q> and <q>83.32 %</q>, of one run each.
# * The gap narrowed against the middle network only; from base to final it grew, from <q>91.86 %</q> less
#   <q>83.32 %</q> to <q>93.90 %</q> less <q>84.84 %</q>. Even that compares little: training accuracy is measured under dropout,
#   of which the base has more, and under augmentation, which only the final network has. Both make a gap look small.
#   The *clean gap* leaves both aside: there, images learnt from are given unchanged and with nothing dropped, as test
#   images are.
#
# ## What each rung gave
#
# *Question: which steps helped, which cost, and which cannot be told from chance?*

# %%
ladder = asked(*RUNGS)
moves = itertools.pairwise(ladder.values())
steps = pd.DataFrame(
    [(step, *stats.gained(*pair)) for step, pair in zip(STEPS[1:], moves)],
    columns=["step", "change", "low", "high"])
plots_ladder.waterfall((STEPS[0], 100 * test(ladder["rung_0"]).mean()), steps,
                       options.seeds, "What each rung gave")

# %% tags=["remove-input"]
top, bottom = steps.loc[steps.change.idxmax()], steps.loc[steps.change.idxmin()]
clear = ", ".join(f"*{row.step}*" for row in steps.itertuples() if row.low > 0 or row.high < 0)
show.Text(
    f"**What we see.** The ladder leads from {show.percent(test(ladder['rung_0']))} to "
    f"{show.percent(test(ladder['rung_7']))}. The highest change is that of *{top.step}*, {stats.phrase(*top[1:])}; "
    f"the lowest that of *{bottom.step}*, {stats.phrase(*bottom[1:])}. "
    + ("So few seeds give no intervals. By McNemar's test, which tells these networks apart and not the steps: "
       + "; ".join(f"*{step}* {stats.told(*pair)}" for step, pair in zip(STEPS[1:], itertools.pairwise(ladder.values()))) + "."
       if options.seeds < stats.ENOUGH else
       f"Beyond chance: {clear or 'no step'}. Any other interval holds zero. (About every third table of seven such "
       "intervals has one that misses the truth.) Intervals are paired: the runs of one seed share the order of "
       "images, and whatever that does to both cancels in the difference. It need not be much."))

# %% [markdown]
# *Clean gap* is how far clean training accuracy is above test accuracy.
# The fastest epoch says most about a run's time, as all else a machine does adds to it; compare those of one machine.

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(dict(zip(STEPS, ladder.values())), clean_gap=show.gap, **{"fastest epoch (s)": show.seconds})

# %% [markdown]
# ### What became of the dense layers
#
# In the source, test accuracy fell from <q>83.32 %</q> to <q>79.82 %</q> and an epoch took 28 seconds instead of 9.
# The dense layers went and the blocks were rebuilt at the same time. Rungs 1 and 2 tell them apart.

# %% tags=["remove-input"]
layers = inspect.layers(nets[2])
heavy = layers.loc[layers.macs.idxmax()]
show.Text(
    f"*Arithmetic.* Rung 1 takes {params[0] - params[1]:,} parameters away, {1 - params[1] / params[0]:.0%} of all, "
    f"and {1 - macs[1] / macs[0]:.1%} of the arithmetic: a dense layer uses each weight once an image. Rung 2 has only "
    f"{params[2] - params[1]:,} parameters more and {macs[2] / macs[1]:.1f} times the arithmetic: a convolution uses "
    f"each weight at every place. One layer, the second of block 1, does {heavy.macs / macs[2]:.0%} of it, having "
    f"{heavy.channels} channels on a {heavy.height}×{heavy.width} map; the base has pooled before it has as many. "
    "**By arithmetic the cost is the pyramid's, not the dense layers'.**")

# %% tags=["remove-input"]
three = [ladder[name] for name in RUNGS[:3]]
show.Text(
    f"*Accuracy.* Rung 1 changes it by {stats.phrase(*stats.gained(*three[:2]))}, rung 2 by "
    f"{stats.phrase(*stats.gained(*three[1:]))}, both together by {stats.phrase(*stats.gained(*three[::2]))}. If rung "
    "1 loses beyond chance on test images and not in clean training accuracy, that speaks for a lost brake on "
    "over-fitting: with the dense layers went two dropouts of one half. If it loses in both, that speaks for lost capacity, "
    "or for a network that is harder to train: everything now passes ten channels and their ReLU.")

# %% tags=["remove-input", "nbval-ignore-output"]
seconds = [show.fastest_epoch(group) for group in three]
show.Text("*Time.* " + (
    f"On {three[0][0].device}, the fastest epoch of rung 1 takes {seconds[1] / seconds[0]:.1f} times as long as that of "
    f"rung 0, that of rung 2 {seconds[2] / seconds[0]:.1f} times (source: 3.1). Time need not follow arithmetic: a small "
    "network leaves a large device waiting." if show.alike(*three) else
    "These runs were not all made in one way (machine, load, threads, number format), so their times are not compared."))

# %% [markdown]
# *Receptive field.* It hardly changes. A number on the last map before the head has seen a square of 36 pixels a side
# in the base and of 34 in the pyramid, both more than the image.
#
# ### What the forgotten scheduler would have given
#
# *Question: is what rung 7 gave due to its higher rate, or to the decay?* One variant more tells them apart: rung 6 at
# a constant 0.003, as the source's last network ran.

# %% tags=["variants"]
variants["higher_rate"] = switched(SWITCHES[:3], lr=0.003)

# %%
between = asked("higher_rate")["higher_rate"]

# %% tags=["remove-input"]
show.Text(
    "* A higher rate: " + stats.sentence(ladder["rung_6"], between, ("rung 6", "rung 6 at 0.003"))
    + "\n* The decay, which the source forgot: "
    + stats.sentence(between, ladder["rung_7"], ("rung 6 at 0.003", "rung 7")))

# %% [markdown]
# ## Is a step's worth the same whenever it is taken?
#
# Steps 1 to 3 make the network that the others are tried in, so they stay where they are. Steps 4 to 7 can be taken in
# any order. We take them backwards too, and then leave each one out of the finished network, which is to take it last.
# Equal sets of steps are one variant, so that only five are new. (All orders would take six sets more. These can show
# already that the order matters; that it never does, they cannot.)

# %% tags=["variants"]
taken_after = [(s, SWITCHES[:n]) for n, s in enumerate(SWITCHES)]
taken_after += [(s, SWITCHES[n + 1:]) for n, s in enumerate(SWITCHES)]
taken_after += [(s, {*SWITCHES} - {s}) for s in SWITCHES]
for step, before in taken_after:
    for on in ({*before}, {*before, step}):
        variants.setdefault(name_of(on), switched(on))

# %%
every = ladder | asked(*[v for v in variants if v.startswith("with_")])
CALLED = {step: name[2:] for step, name in zip(SWITCHES, STEPS[4:])}
pairs = {(CALLED[step], len(before) + 1):  # which step, taken as number so
         (name_of(before), name_of({*before, step}))
         for step, before in taken_after}
worths = pd.DataFrame(
    [(*key, *stats.gained(*[every[name] for name in pair]))
     for key, pair in pairs.items()],
    columns=["step", "place", "change", "low", "high"])
plots_ladder.worths(worths, options.seeds, "What a step gave")

# %% tags=["remove-input"]
lines = []
for step in CALLED.values():
    first = min(place for called, place in pairs if called == step)
    early, late = (test(every[after]) - test(every[before]) for before, after in (pairs[step, first], pairs[step, 4]))
    lines.append(f"* *{step}*: {100 * early.mean():+z.2f} points as number {first}, {100 * late.mean():+z.2f} as the "
                 f"last; last minus earlier {stats.worded(*stats.points(early, late))}.")
floor = 0.15  # guessing gives 0.1
nothing = {f"`{name}`" for pair in pairs.values() for name in pair if test(every[name]).min() < floor}
show.Text("**What we see.**\n\n" + "\n".join(lines) + (
    f"\n\nIn {', '.join(sorted(nothing))} a run learnt nothing (test accuracy below {floor:.0%}). A step that makes "
    "such a network learn is worth much there, and that says little about it elsewhere." if nothing else ""))

# %% [markdown]
# All orders lead from rung 3 to rung 7, so the four worths of an order always add up to the same sum. The order decides
# how the sum is shared out. “This step gave two points” is therefore short for “… after those steps, in this network”.
#
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. See.** Write the function that the source's comments needed. It takes the layers as pairs (kernel, stride) and
# returns the side of the receptive field of the last one, in pixels. A 2×2 pooling is `(2, 2)`.

# %% tags=["exercise"]
def field(pairs):
    return None  # a whole number


# %% tags=["check", "hide-input"]
def check_field(answer):
    pooled = [(3, 1), (3, 1), (3, 1), (2, 2)]
    whole = [*pooled, (3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (7, 1)]
    cases = (([(3, 1)], 3), ([(3, 1), (3, 1)], 5), (pooled, 8), (whole, 58),
             ([(3, 2), (3, 2), (3, 1)], 15), ([(7, 3), (3, 1)], 13))
    return compare(
        answer, [((pairs,), right) for pairs, right in cases],
        [(lambda pairs: 1 + sum(kernel - 1 for kernel, _ in pairs),
          "after a stride, neighbours lie further apart, and a kernel adds more than its side less 1."),
         (lambda pairs: 14 if pairs == pooled else None,
          "a pooling does not double the field, which is the source's mistake; it doubles the jump."),
         (lambda pairs: 9 if pairs == pooled else None,
          "the pooling's own kernel still takes the old jump; the jump changes after it.")],
        praise="58 for the pyramid's head, where the source's comment says 47.")


print(check_field(field))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_field(pairs):
    side, jump = 1, 1
    for kernel, stride in pairs:
        side, jump = side + (kernel - 1) * jump, jump * stride
    return side


print(check_field(solved_field))

# %% [markdown]
# **2. Wait.** A schedule starts at `start`, multiplies by `factor` after every `every` epochs and never goes below
# `floor`. In which epoch, counted from 1, is the rate `floor` for the first time? In Assignment 6B the source did run
# such a schedule, with drops every 2 epochs. Its log shows 0.0005 exactly from epoch 37: so should your function.

# %% tags=["exercise"]
def first_at_floor(start, factor, every, floor):
    return None  # a whole number


# %% tags=["check", "hide-input"]
def check_floor(answer):
    return compare(
        answer, [((0.003, 0.9, 3, 0.0005), 55), ((0.003, 0.9, 2, 0.0005), 37), ((0.1, 0.5, 10, 0.001), 71),
                 ((1.0, 0.5, 10, 0.25), 21)],
        [(lambda start, factor, every, floor: math.ceil(math.log(floor / start) / math.log(factor)),
          "that is the number of drops; how many epochs pass between them?"),
         (lambda start, factor, every, floor: {3: 54, 2: 36, 10: 70}[every],
          "that is the epoch counted from 0, as Keras does; from 1 it is one more.")],
        praise="55 for the schedule of rung 7, so that nearly half of its epochs run at the lowest rate.")


print(check_floor(first_at_floor))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_first_at_floor(start, factor, every, floor):
    drops = math.ceil(math.log(floor / start) / math.log(factor))
    return drops * every + 1


print(check_floor(solved_first_at_floor))

# %% [markdown]
# ## What we saw

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(source_runs | {name: ladder[name] for name in ("rung_0", "rung_7")})

# %% [markdown]
# * Steps that are taken together cannot be told apart. A run for each is the price of knowing.
# * Parameters and arithmetic are different costs: dense layers hold the one, large maps with many channels the other.
# * A pooling does not double the receptive field; it doubles the distance between neighbours, the jump.
# * A step's worth was measured after certain steps. Say after which.
# * Compare test accuracies, of the last epoch. A training accuracy under dropout and augmentation compares with little.
#
# [Assignment 6B](assignment_6b) asks what kind of convolution to put into a network's blocks, and [another
# lab](fixed_budget) how far the same number of parameters goes with what is known today.
