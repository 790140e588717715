# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Level 4: the ladder goes on
#
# *How much of these networks' accuracy is the recipe?* The README of Strixbee ends with Level 3. Its author wrote three
# more notebooks, of networks between 96,490 and 11,173,962 parameters; we call them Level 4. We run and repair all
# three, give the smallest the recipe of another, and see how a learning rate is found.
#
# **After this lab you can** read a residual network and count a block of it; say when a scheduler acts, and on which
# loss; run a learning-rate range test and read it; tell what a network gains from what a recipe gains.
#
# **Before**, do Levels 1 to 3. The [glossary](../book/glossary.md) has most words in a sentence.
# [Inside Model4](model_4) goes on with the smallest of the three.

# %% tags=["imports"]
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from common import data, inspect, plots, plots_study, settings, show, stats
from common.blocks import Residual, conv_block, residual_block, resnet_18
from common.exercises import compare
from common.recipe import Recipe, Variant
from common.runs import runs

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
show.cost("level_4", options)

# %% [markdown]
# ## Three networks
#
# **Model4** is plain: eleven 3×3 blocks of 32 channels, three with stride 2, each with one channel in twenty dropped
# in training.
#
# The **one-cycle net**, the source's `Cifar_Net_R`, is named here after its schedule. It is short and wide. Two of its
# stages have a *residual* part: `Residual(body)` returns `x + body(x)`, so the body learns only what is to be changed.
#
# **ResNet-18** is `common.blocks.resnet_18`, in its usual form for CIFAR-10: eight `residual_block`s of two
# convolutions and a shortcut around them, which is the input as it is where the shape allows (He et al.,
# arXiv:1512.03385). So the gradient has a short way past every block. Its bodies end in normalisation, and a ReLU
# follows the sum. The one-cycle net's bodies end in a ReLU, so they can only add.

# %% tags=["variants"]
def model_4():
    """Return Model4: (N, 3, 32, 32) to ten scores an image."""
    strides = [1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1]
    channels = [3] + 10 * [32]
    return nn.Sequential(
        *[conv_block(n, 32, stride=stride, dropout=0.05)
          for n, stride in zip(channels, strides)],
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(32, 64, 1), nn.Conv2d(64, 10, 1), nn.Flatten())


def widen(n, m):
    """Return a 3x3 convolution from n to m channels, pooled and normalised."""
    return nn.Sequential(
        nn.Conv2d(n, m, 3, padding=1, bias=False), nn.MaxPool2d(2),
        nn.BatchNorm2d(m), nn.ReLU(inplace=True))


def one_cycle():
    """Return the one-cycle net: (N, 3, 32, 32) to ten scores an image."""
    return nn.Sequential(
        conv_block(3, 64),
        widen(64, 128),
        Residual(nn.Sequential(conv_block(128, 128), conv_block(128, 128))),
        widen(128, 256),
        widen(256, 512),
        Residual(nn.Sequential(conv_block(512, 512), conv_block(512, 512))),
        nn.AvgPool2d(4), nn.Flatten(), nn.Linear(512, 10))


ladder = dict(model_4=model_4, one_cycle=one_cycle, resnet_18=resnet_18)

# %% tags=["hide-input"]
sizes = {name: inspect.layers(build()) for name, build in ladder.items()}
show.Table(pd.DataFrame([{
    "network": name, "parameters": int(layers.params.sum()), "parameters, source": published,
    "macs": int(layers.macs.sum()), "convolutions": int(layers.layer.str.startswith("Conv").sum()),
    "field at the end": int(layers.field.max()),
} for (name, layers), published in zip(sizes.items(), ("96,490", "6,573,130", "11,173,962"))]))

# %% [markdown]
# ResNet-18 is named for the 17 convolutions on its main way and the dense layer; the other three stand in shortcuts.

# %% [markdown]
# ## As the source ran them
#
# *Question: what do they reach, trained as their author trained them?*
#
# | | Model4 | one-cycle net | ResNet-18 |
# |---|---|---|---|
# | batch, epochs | 64, 100 | 512, 25 | 64, 50 |
# | learning rate | 0.01, constant | one cycle: 0.04 up to 1, then to 0 | 0.01, a hundredth of it once the *training* loss was not lower for 6 epochs |
# | move, grow (shares of the side), turn | 0.05, 0.1, 7° | 0.15, 0.15, 10° | no, 0.1, 7° |
# | crop, mirror | no | padded by 4; mirrored | no |
# | hole | 16×16 | a side of 8 to 16 | 16×16 |
# | all colour taken | yes | no | no |
#
# SGD without weight decay. The momentum is 0.9; the one-cycle net's moves against the rate, from 0.95 to 0.85 and back,
# as is the scheduler's default. On that net each change but the crop has a probability of 0.3. The other
# notebooks name none, so we assume the library's default, one half. All three repeat the mistakes of Levels 1 to
# 3: statistics of the test set, the test set watched after every epoch, and a hole filled with the mean of the *pixels*
# although the image is normalised. Besides the random numbers and, on a device with units for it, bfloat16, three
# details differ here, and we did not measure whether they matter: the source crops after it moves, we before; it fills
# the crop's margin with that wrong mean, we with the mirrored image; it takes the colour after the hole, we before.
#
# Model4 and the one-cycle net come first. ResNet-18 has a question of its own, and a section below.

# %% tags=["variants"]
wrong = dict(
    optimizer="sgd", momentum=0.9, validation=0, follow_test=True,
    statistics="test", cutout_fill="mean, not normalised")
variants = {
    "as_run_model_4": Variant(model_4, Recipe(
        epochs=100, batch_size=64, lr=0.01, schedule="constant",
        shift=0.05, scale=0.1, rotate=7, affine_p=0.5, grey_p=0.5,
        cutout=16, cutout_p=0.5, **wrong)),
    "as_run_one_cycle": Variant(one_cycle, Recipe(
        epochs=25, batch_size=512, lr=1.0, schedule="onecycle",
        pct_start=4 / 24, crop=4, crop_mode="reflect", flip=True, flip_p=0.3,
        shift=0.15, scale=0.15, rotate=10, affine_p=0.3,
        cutout=16, cutout_least=8, cutout_p=0.3, **wrong)),
}

# %%
def ask(*names):
    """Return {variant: its records}."""
    return {name: runs("level_4", name, variants[name], options)
            for name in names}


# %%
as_run = ask("as_run_model_4", "as_run_one_cycle")
show.Row(picture for name, group in as_run.items()
         for picture in plots.curves(group, name))

# %% tags=["remove-input", "nbval-ignore-output"]
show.Text(" ".join(show.took(group[0]) for group in as_run.values()))

# %% [markdown]
# Next to what the source reports, one run of each. (Of fewer than three seeds the comparisons below use
# [McNemar's test](../book/glossary.md), as in Level 1.)

# %% tags=["hide-input"]
def next_to(groups, reported):
    """Return a Table of `groups`, {variant: its records}, each beside the accuracies that the source reports of it."""
    rows = []
    for (name, group), theirs in zip(groups.items(), reported, strict=True):
        ours = [show.percent(r.train_acc for r in group), show.percent(r.test_acc for r in group),
                show.percent(r.curves().test_acc.max() for r in group)]
        rows += [(name, "source", *theirs, 1), (name, "here", *ours, len(group))]
    return show.Table(pd.DataFrame(
        rows, columns=["variant", "whose", "training, last epoch", "test, last epoch", "test, best epoch", "runs"]))


next_to(as_run, [("73.04%", "80.74%", "81.42%"), ("96.36%", "92.27%", "92.27%")])

# %% tags=["remove-input"]
model = as_run["as_run_model_4"]
gap = np.mean([r.train_acc - r.test_acc for r in model])
show.Text(
    f"**What we see.** Model4's training accuracy ends {100 * abs(gap):.1f} points {'below' if gap < 0 else 'above'} "
    "its test accuracy. The first is counted on moved, greyed and punctured images with channels dropped, the second "
    "on whole ones: they do not measure the same task. Counted on the same task, with the images learnt from given whole "
    f"and no channel dropped, training accuracy is {show.percent(r.learnt_acc for r in model)}: "
    "clean training less test accuracy is "
    f"{show.gap(model)} points.")

# %% [markdown]
# ## The repair
#
# *Question: what do the same networks reach when the mistakes are mended?* Both now learn from 45,000 images with the
# statistics of these, and look at the test set once. A hole is filled with the mean, which is 0. Beyond that, Model4's
# rate falls to 0 along a cosine, and half of its images are mirrored. The one-cycle net keeps its recipe.
#
# These two still differ in network and recipe. So we train Model4 once more, by the recipe of the one-cycle net:
# `model_4_cycled` differs from `model_4` in the recipe alone (with its 25 epochs in place of 100 and batches of 512 in
# place of 64: a 32nd of the steps), and from `one_cycle` in the network alone (with a 68th of its parameters). For
# `model_4` the repair also changes the recipe; for `one_cycle` it mends mistakes and nothing else (and learns from
# 5,000 images fewer, as all do).

# %% tags=["variants"]
right = dict(
    validation=0.1, follow_test=False, statistics="train", cutout_fill="mean")
variants |= {
    "model_4": Variant(model_4, variants["as_run_model_4"].recipe.plus(
        schedule="cosine", flip=True, **right)),
    "one_cycle": Variant(
        one_cycle, variants["as_run_one_cycle"].recipe.plus(**right)),
}
variants["model_4_cycled"] = Variant(model_4, variants["one_cycle"].recipe)

# %%
repaired = ask("model_4", "one_cycle", "model_4_cycled")
plots_study.compare(repaired, "val_acc", "Validation accuracy, repaired",
                    "accuracy (%)")

# %% tags=["remove-input"]
show.Text("**The repair.**\n\n" + "\n".join(
    f"* {stats.sentence(as_run[f'as_run_{name}'], repaired[name], (f'{name} as run', f'{name} repaired'))}"
    for name in ("model_4", "one_cycle"))
    + "\n\n**Recipe and network, one at a time.**\n\n"
    + "* On Model4, "
    + stats.sentence(repaired["model_4"], repaired["model_4_cycled"], ("its own recipe", "the one-cycle net's recipe"))
    + "\n* By that recipe, "
    + stats.sentence(repaired["model_4_cycled"], repaired["one_cycle"], ("Model4", "the one-cycle net"))
    + f"\n\nFrom `model_4` to `one_cycle` it is {stats.phrase(*stats.gained(repaired['model_4'], repaired['one_cycle']))} "
    "in all. The shares hold for this order; the large network by Model4's recipe was not trained, and there the recipe's "
    "may be another. How much of the recipe's share is its schedule and how much its fewer steps, this does not tell.")

# %% [markdown]
# ## Which learning rate?
#
# *Question: how can you find a learning rate in a minute?* Start far too low, multiply the rate by the same factor
# after each batch until the loss explodes, and draw the loss over the rate. Where it is flat, the rate is too low;
# where it climbs, too high. This is the *range test*, after L. N. Smith (arXiv:1506.01186), who raised the rate linearly
# and watched the accuracy. The source's framework had one, from $10^{-7}$ to 10 in 70 steps. Ours runs here and now: on
# CIFAR-10 where it is at hand, otherwise on drawn images, whose rate is not to be carried over to CIFAR-10.

# %%
def range_test(build, pixels, labels, low=1e-7, high=10, steps=70):
    """Return rate, loss and smoothed loss of each step, until it explodes."""
    torch.manual_seed(0)
    network = build().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=low, momentum=0.9)
    mean, std = data.statistics(pixels)
    rows = []
    for rate in np.geomspace(low, high, steps):
        optimizer.param_groups[0]["lr"] = rate
        some = torch.randint(len(pixels), (64,))
        scores = network(data.normalise(pixels[some], mean, std))
        loss = F.cross_entropy(scores, labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rows.append((rate, loss.item()))
        if not loss < 3 * rows[0][1]:  # too large, or no number at all
            break
    test = pd.DataFrame(rows, columns=["rate", "loss"])
    return test.assign(smooth=test.loss.ewm(alpha=0.2).mean())


shown = data.at_hand(options.dataset, options.data_dir)
real = shown.name == "cifar10"
which = "CIFAR-10" if real else "drawn images"
test = range_test(model_4, shown.train_images, shown.train_labels)
lowest = test.rate[test.smooth.idxmin()]
flat = test.loss[:30]  # the rates are too low for anything to be learnt
dips = test.smooth.min() < flat.mean() - 2 * flat.std()
plots_study.range_test(test, lowest / 10 if dips else None,
                       f"Range test of Model4, {which}")

# %% tags=["remove-input"]
show.Text(
    f"**What we see.** On {which} the smoothed loss is lowest at a rate of {lowest:.2g}, {flat.mean() - test.smooth.min():.2f} "
    f"below the mean of the first {len(flat)} steps, in which nothing is learnt yet; single batches scatter by "
    f"{flat.std():.2f} there. "
    + ("So there is no dip to speak of, and the test names no rate. " if not dips else
       f"Where it is lowest it is about to rise; a common choice is a tenth of that rate, here {lowest / 10:.2g}. It is an order of "
       "magnitude and no more: fewer than nine steps cover a factor of ten, and the smoothed curve lags by about four. ")
    + (f"At {test.rate.iloc[-1]:.2g} the loss exploded. " if not test.loss.iloc[-1] < 3 * test.loss.iloc[0] else
       f"Up to {test.rate.iloc[-1]:.2g} it did not explode, so how high one may go is not known. ")
    + (f"Model4's own recipe begins at {variants['model_4'].recipe.lr:g}, and changes its images." if real else
       "It is no rate for CIFAR-10."))

# %% [markdown]
# Before it trained the one-cycle net, the source ran its test from 0.001 to 0.1, and was told 0.0032, where the loss
# falls most steeply (another rule than ours). Then it trained with a peak of 1.0, three hundred times as much. A test
# that stops before the loss explodes cannot say how high one may go; and one cycle climbs slowly to a rate at which one
# might not be able to start (Smith and Topin, arXiv:1708.07120).

# %% [markdown]
# ## ResNet-18: a scheduler that waits
#
# *Question: what does a rate that falls "when nothing improves" do, if it watches the training loss?* As the source
# ran it, that is all that could lower ResNet-18's rate, and in 50 epochs it did nothing: it prints a line when it
# acts, and the notebook has none. Does it act here? The repair mends the mistakes, and takes the settings by which the
# network's paper trains other, much narrower ones on CIFAR-10: rate 0.1, batches of 128, weight decay 0.0001, crop and
# mirror in place of the source's changes. But the paper trains 64,000 steps, about 164 epochs, and its rate falls in
# steps; here it is 50 epochs, and the rate falls along a cosine. So between the two, much has changed at once.

# %% tags=["variants"]
variants |= {
    "as_run_resnet_18": Variant(resnet_18, Recipe(
        epochs=50, batch_size=64, lr=0.01, schedule="plateau",
        factor=0.01, patience=5, min_lr=1e-7, scale=0.1, rotate=7,
        affine_p=0.5, cutout=16, cutout_p=0.5, **wrong)),
    "resnet_18": Variant(resnet_18, Recipe(
        epochs=50, batch_size=128, lr=0.1, schedule="cosine",
        weight_decay=1e-4, crop=4, flip=True, **right)),
}

# %%
resnet_as_run = ask("as_run_resnet_18")
show.Row(plots.curves(resnet_as_run["as_run_resnet_18"], "as_run_resnet_18"))

# %% tags=["hide-input"]
next_to(resnet_as_run, [("97.69%", "87.62%", "88.15%")])

# %% tags=["remove-input"]
group = resnet_as_run["as_run_resnet_18"]
fired = sum((r.curves().lr.diff() < 0).any() for r in group)
fifth = len(group[0].history) // 5
rows = sum(r.curves() for r in group) / len(group)
then, late = rows[fifth:2 * fifth].mean(), rows[-fifth:].mean()
stood = max(r.curves().train_loss.cummin().value_counts().max() - 1 for r in group)
show.Text(
    f"**What we see.** The training loss went at most {stood} epoch{'' if stood == 1 else 's'} without a new lowest, and the "
    + (f"scheduler lowered the rate in {fired} of {plots.seeds(group)}. " if fired else
       "scheduler lowered the rate of no epoch. ")
    + (f"From the second fifth of the epochs to the last, the training loss goes from {then.train_loss:.2f} to "
       f"{late.train_loss:.2f} on average, the test loss from {then.test_loss:.2f} to {late.test_loss:.2f}, and the test "
       f"accuracy from {then.test_acc:.2%} to {late.test_acc:.2%}. " if fifth else "")
    + ("More answers are right, and yet the loss is higher: the network is surer of its wrong ones. A scheduler that is given "
       "the training loss sees nothing of this." if fifth and late.train_loss < then.train_loss
       and late.test_loss > then.test_loss and late.test_acc > then.test_acc else ""))

# %%
resnet_repaired = ask("resnet_18")
show.Row(plots.curves(resnet_repaired["resnet_18"], "resnet_18"))

# %% tags=["remove-input"]
show.Text(stats.sentence(
    resnet_as_run["as_run_resnet_18"], resnet_repaired["resnet_18"], ("resnet_18 as run", "resnet_18 repaired")))

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(resnet_as_run | resnet_repaired)

# %% [markdown]
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. When does it act?** A plateau scheduler compares each epoch's loss with the lowest of all before. Where it is not
# lower, it counts the epoch; a lower one sets the count back to 0. When the count exceeds `patience`, the rate is
# lowered and the count begins again at 0. (PyTorch also ignores gains of less than a ten-thousandth; leave that out.)
# In which epochs does it act, the first being 1?

# %% tags=["exercise"]
def drops(losses, patience):
    return None  # a list of whole numbers


# %% tags=["check", "hide-input"]
def walk_plateau(losses, patience, last=False, once=False, early=False):
    """Return the epochs in which a plateau scheduler acts, or with a flag one that is mistaken in a way of its own."""
    acts, count, lowest = [], 0, float("inf")
    for epoch, loss in enumerate(losses, 1):
        count = 0 if loss < lowest else count + 1
        lowest = loss if last else min(lowest, loss)
        if count > patience - early:
            acts, count = [*acts, epoch], count if once else 0
    return acts


def check_drops(answer):
    """Return what is to be said of a function for the epochs in which a plateau scheduler lowers the rate."""
    wavy = [1.0, 0.8, 0.9, 0.85, 0.7, 0.75, 0.74, 0.73, 0.72, 0.71, 0.705, 0.72]
    cases = [([1.0, 0.5, 0.6, 0.7, 0.8], 1), (wavy, 2), (wavy, 0), (wavy, 5), ([1.0, 0.5, 0.5, 0.5], 1),
             ([0.9 - 0.01 * i for i in range(50)], 5)]
    return compare(
        answer, [((losses, patience), walk_plateau(losses, patience)) for losses, patience in cases],
        [(lambda losses, patience: [epoch - 1 for epoch in walk_plateau(losses, patience)], "the first epoch is 1."),
         (lambda losses, patience: walk_plateau(losses, patience, last=True),
          "you compare with the epoch before; it remembers the lowest loss of all."),
         (lambda losses, patience: walk_plateau(losses, patience, early=True),
          "it bears `patience` epochs that are not better, and acts in the next."),
         (lambda losses, patience: walk_plateau(losses, patience, once=True),
          "after it has acted, the count begins again at 0.")],
        praise="and on a loss that falls in every epoch it never acts, whatever happens on other images.")


print(check_drops(drops))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_drops(losses, patience):
    acts, count = [], 0
    for epoch, loss in enumerate(losses):
        count = 0 if epoch == 0 or loss < min(losses[:epoch]) else count + 1
        if count > patience:
            acts.append(epoch + 1)
            count = 0
    return acts


print(check_drops(solved_drops))

# %% [markdown]
# **2. Where are eleven million?** Count the parameters of a `residual_block` from *n* to *m* channels: two 3×3
# convolutions without a bias, each followed by batch normalisation; and where *m* differs from *n*, a shortcut of a 1×1
# convolution and batch normalisation.

# %% tags=["exercise"]
def block_parameters(n, m):
    return None  # a whole number


# %% tags=["check", "hide-input"]
def check_block(answer):
    """Return what is to be said of a function for the number of parameters of a residual block."""
    def counted(n, m):
        return inspect.parameters(residual_block(n, m))

    return compare(
        answer, [((n, m), counted(n, m)) for n, m in ((64, 64), (64, 128), (128, 128), (3, 5), (128, 64))],
        [(lambda n, m: 9 * n * m + 9 * m * m + (n * m if n != m else 0),
          "batch normalisation has a scale and a shift for each channel."),
         (lambda n, m: 9 * n * m + 9 * m * m + 4 * m, "where the channels differ, the shortcut is a convolution too."),
         (lambda n, m: 9 * n * m + 9 * m * m + n * m + 6 * m, "where the shape stays, the shortcut is the input itself."),
         (lambda n, m: 18 * n * m + 4 * m + (n * m + 2 * m if n != m else 0),
          "the second convolution goes from m to m channels.")],
        praise=f"the last stage has {(counted(256, 512) + counted(512, 512)) / 11_173_962:.0%} of ResNet-18's parameters. "
               "Twice the channels are four times the weights.")


print(check_block(block_parameters))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_block_parameters(n, m):
    shortcut = n * m + 2 * m if n != m else 0
    return 9 * n * m + 9 * m * m + 4 * m + shortcut


print(check_block(solved_block_parameters))

# %% [markdown]
# ## What we saw

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(as_run | repaired)

# %% tags=["remove-input"]
show.Text(
    "*How much is the recipe, how much the network?* From Model4 to the one-cycle net it is "
    f"{stats.phrase(*stats.gained(repaired['model_4'], repaired['one_cycle']))} of test accuracy: "
    f"{stats.phrase(*stats.gained(repaired['model_4'], repaired['model_4_cycled']))} by the recipe first, and then "
    f"{stats.phrase(*stats.gained(repaired['model_4_cycled'], repaired['one_cycle']))} by the network.")

# %% [markdown]
# * Before you praise or blame a network, look at its recipe.
# * A scheduler that watches the training loss waits for as long as that falls, whatever happens on other images. A cycle
#   and a cosine come down in any case.
# * A range test must go on until the loss explodes; else it only tells where learning begins.
#
# [Inside Model4](model_4) asks what its normalisation does, and a penalty, and where it looks.
