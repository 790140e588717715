# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Level 3: regularisation, one part at a time
#
# Level 2 ends at <q>98.50 %</q> on its training images and <q>78.01 %</q> on the test images. Its author then added
# the textbook cure, regularisation: dropout, rotations and holes. Test accuracy *fell*, to <q>72.33 %</q>. The notes
# stop at an empty heading. *What does each part do, and what do other changes do, to a network of 203,624 parameters?*
#
# **After this lab you can**
#
# * tell under-fitting from over-fitting, and say what curves of training and test accuracy alone do not prove;
# * take apart several changes that came together;
# * see a mistake of normalisation in a hole, and measure whether it matters;
# * build a training recipe as a ladder, one rung at a time, and choose at its end by images that were held out for it.
#
# **Before**, you should have read [Level 2](level_2).

# %% tags=["imports"]
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import nn

from common import data, inspect, plots, plots_study, settings, show, stats
from common.augment import crop, cutout, flip, shift_scale_rotate
from common.blocks import Pixels, conv_block, residual_block
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
show.cost("level_3", options)

# %% [markdown]
# ## As the source ran it
#
# *Question: what did Level 3 change, and what did it reach?*
#
# The network is that of Level 2, with `Dropout2d` in its eleven ordinary blocks: in training, each channel of a map is
# set to zero with probability 0.1, and the others are enlarged to make up for it. The four blocks with stride 2 were
# built without the argument, so they have none.
#
# An image is changed anew at each use. With probability ½ it is moved by up to a sixteenth of its side, scaled by up to
# a tenth and turned by up to 45°: the notebook leaves these to the library's defaults. Then, again with probability ½,
# a square of 16×16 pixels is painted over. Here it is done to a drawn picture, for which no data set is needed.
# `Pixels` holds the mean and deviation of the training images, as the notebook prints them, and undoes normalisation.

# %%
pixels = Pixels()
mean, std = pixels.mean.flatten(), pixels.std.flatten()
one = data.normalise(data.load("synthetic").test_images[31:32], mean, std)
painted = partial(cutout, one, 16, 16, 1)
place = torch.Generator()  # with one seed, so that both holes are in one place
torch.manual_seed(5)
changed = {"drawn": one,
           "turned": shift_scale_rotate(one, 0.0625, 0.1, 45, p=1),
           "wrong hole": painted(mean, place.manual_seed(4)),
           "mended hole": painted(torch.zeros(3), place.manual_seed(4)),
           "mirrored": flip(one, torch.tensor([True])),
           "cropped": crop(one, 4, "reflect")}
plots_study.pictures(
    [pixels(image)[0] for image in changed.values()], list(changed),
    "One drawn image, changed",
    "Turned: corners are filled by mirroring. The wrong hole is a lighter "
    "grey than the mended one. Mirrored and cropped: what comes later.")

# %% [markdown]
# *Turned* is moved, scaled and turned at once; its corners are filled by mirroring. The wrong hole is the lighter of the
# two; the section on the hole says why. *Mirrored* and *cropped* belong to the ladder that comes later.

# %% tags=["variants"]
def body(dropout):
    """Return Level 2's layers, from (3, 32, 32) to features (64, 1, 1)."""
    block = partial(conv_block, dropout=dropout)
    return [
        block(3, 16), block(16, 32),
        conv_block(32, 32, stride=2),
        block(32, 16, 1), block(16, 32), block(32, 64),
        conv_block(64, 64, stride=2),
        block(64, 16, 1), block(16, 32), block(32, 64),
        conv_block(64, 64, stride=2),
        block(64, 16, 1), block(16, 32), block(32, 64),
        conv_block(64, 64, stride=2),
        nn.AdaptiveAvgPool2d(1),
    ]


def as_run():
    """Return the network as the source listed it."""
    return nn.Sequential(
        *body(dropout=0.1),
        nn.Conv2d(64, 10, 3, padding=1), nn.Conv2d(10, 10, 1), nn.Flatten())


variants = {
    "as_run": Variant(as_run, Recipe(
        epochs=50, batch_size=64, optimizer="sgd", lr=0.01, momentum=0.9,
        schedule="constant",
        shift=0.0625, scale=0.1, rotate=45, affine_p=0.5,
        cutout=16, cutout_p=0.5, cutout_fill="mean, not normalised",
        validation=0, follow_test=True, statistics="test")),
}

# %%
as_run_records = runs("level_3", "as_run", variants["as_run"], options)
plots.curves(as_run_records, "Level 3 as the source ran it")

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(as_run_records[0])

# %% tags=["remove-input"]
lead = 100 * (plots.mean(as_run_records, "test_acc") - plots.mean(as_run_records, "train_acc"))
show.Text(
    f"**What we see.** Test accuracy lies above training accuracy in {(lead > 0).sum()} of {len(lead)} epochs; in the "
    f"last one, test minus training accuracy is {lead.iloc[-1]:+z.1f} points. Next to what the source reports (one run; "
    "it counts epochs from 0, we count from 1; its loss multiplied by 63.7):")

# %% tags=["hide-input"]
show.beside(["203,624", "60.50%", "72.33%", "72.61% (the 48th and 49th)", "49", "0.777"], as_run_records)

# %% [markdown]
# ### Test above training: what does it prove?
#
# In the source, test accuracy ends at <q>72.33 %</q> and training accuracy at <q>60.50 %</q>. One is tempted to read
# this as under-fitting: so much regularisation that not even the training images are learnt. The two numbers do not
# prove it. Training accuracy is counted on turned and painted images, with a tenth of the channels missing, while the
# weights still change; test accuracy on clean images, with all channels, after the epoch. A strong enough augmentation
# can put test above training by itself.
#
# *Under-fitting* shows in **clean training accuracy**: after its last epoch each run classifies 10,000 of the images it
# learnt from as the test images are classified, unchanged and with all channels. The source did not count it.

# %% tags=["remove-input"]
clean, test = stats.learnt(as_run_records), np.mean([r.test_acc for r in as_run_records])
show.Text(
    f"**What we see.** Clean training accuracy is {show.percent(r.learnt_acc for r in as_run_records)}, test accuracy "
    f"{show.percent(r.test_acc for r in as_run_records)}: counted alike, training minus test is {100 * (clean - test):+z.1f} "
    f"points. Yet {1 - clean:.0%} of images that the network was given in every epoch, changed in ever new ways, it takes for "
    "something else. Could it learn more of them? It is Level 2's network, so we can see what it learns without all this.")

# %% [markdown]
# ## One part at a time
#
# *Question: what does each part do?*
#
# Three things came together. We add them one by one, each on top of those before: `dropout`; `rotation`, which also
# moves and scales; `wrong_hole`. Then we mend the hole. The protocol is the repaired one: 45,000 images to learn from,
# 5,000 to choose by, the test set once, and the head's 3×3 convolution replaced by the 1×1 that it is (so 198,504
# parameters do the work of 203,624). `plain`, without any of the three, is Level 2's *strided, large*: the same runs.

# %% tags=["variants"]
def network(dropout=0.0):
    """Return Level 2's network with its head mended."""
    return nn.Sequential(
        *body(dropout),
        nn.Conv2d(64, 10, 1), nn.Conv2d(10, 10, 1), nn.Flatten())


plain = Recipe(
    epochs=50, batch_size=64, optimizer="sgd", lr=0.01, momentum=0.9,
    schedule="constant",
    validation=0.1, follow_test=False, statistics="train")
turned = plain.plus(shift=0.0625, scale=0.1, rotate=45, affine_p=0.5)
holed = turned.plus(
    cutout=16, cutout_p=0.5, cutout_fill="mean, not normalised")

variants |= {
    "dropout": Variant(partial(network, dropout=0.1), plain),
    "rotation": Variant(partial(network, dropout=0.1), turned),
    "wrong_hole": Variant(partial(network, dropout=0.1), holed),
    "mended_hole": Variant(partial(network, dropout=0.1),
                           holed.plus(cutout_fill="mean")),
}

# %%
parts = ["plain", "dropout", "rotation", "wrong_hole", "mended_hole"]
groups = {"plain": runs("level_2", "strided_large",
                        Variant(network, plain), options)}
groups |= {name: runs("level_3", name, variants[name], options)
           for name in parts[1:]}


def validation(name):
    """Return a variant's validation accuracies after the last epoch."""
    return [r.val_acc for r in groups[name]]


plots_study.dots([(name, validation(name)) for name in parts],
                 "Adding the parts of Level 3", "validation accuracy")

# %% tags=["hide-input"]
def lowest(name):
    """Return the epoch at which a variant's validation loss is lowest, and how many there are."""
    loss = plots.mean(groups[name], "val_loss")
    return int(loss.idxmin()), len(loss)


def unpaired(name):
    """Return the standard error of a difference of two such validation accuracies, by the images alone."""
    p = np.mean(validation(name))
    return np.sqrt(2 * p * (1 - p) / groups[name][0].split["validation"])


def wandering(name):
    """Return the standard deviation of validation accuracy over the last ten epochs, in points: the mean over runs."""
    return 100 * np.mean([r.curves().val_acc.tail(10).std(ddof=0) for r in groups[name]])


def ladder(rungs):
    """Return a table with a row for each of the variants `rungs`, each compared with the one before."""
    return show.Table(pd.DataFrame([{
        "variant": name,
        "clean training": show.percent(r.learnt_acc for r in groups[name]),
        "validation": show.percent(validation(name)),
        "last 10 epochs (points)": f"{wandering(name):.2f}",
        "step (points)": stats.worded(*stats.points(validation(before), validation(name))) if before else "",
        "validation loss lowest at epoch": "{} of {}".format(*lowest(name)),
    } for before, name in zip([None, *rungs], rungs)]))


ladder(parts)

# %% tags=["remove-input"]
without, together = (np.mean(validation(name)) for name in ("plain", "wrong_hole"))
turn, last = lowest("wrong_hole")
learnt = [stats.learnt(groups[name]) for name in ("plain", "wrong_hole")]
error = unpaired("plain")
show.Text(
    f"**What we see.** All three parts together take validation accuracy from {without:.1%} to {together:.1%}. The epoch of "
    f"the lowest validation loss moves from {lowest('plain')[0]} to {turn}, of {last}. Clean training accuracy goes from "
    f"{learnt[0]:.1%} to {learnt[1]:.1%}, so the gap between clean training and validation accuracy goes from "
    f"{100 * (learnt[0] - without):.1f} to {100 * (learnt[1] - together):.1f} points. "
    + ("**This is under-fitting**: the gap did close, as regularisation is meant to close it, but by losing on the images "
       "learnt from. On images not seen before the network lost as well, by more than two standard errors "
       f"({200 * error:.1f} points, as if each were tested on images of its own)."
       if without - together > 2 * error and learnt[0] - learnt[1] > 2 * error else
       "Under-fitting would lower both accuracies by more than two standard errors "
       f"({200 * error:.1f} points, as if each were tested on images of its own); these runs do not show it.")
    + (" The loss is lowest near the end, so more epochs might give some of it back." if turn > 0.9 * last else "")
    + "\n\n" + stats.precisions({name: groups[name] for name in parts}))

# %% [markdown]
# Each part is measured on top of those before it; in another order it may cost less or more. Nor does this tell likely
# reasons for it apart: three images of four are changed, where all test images are clean and upright; a turn blurs 32×32
# pixels; whole channels are dropped where there are only 16; a rate that never comes down, which `plain` has too, may
# weigh more on harder images.
#
# ## The hole
#
# *Question: how wrong is the wrong hole, and does it matter?*
#
# Cutout paints over part of an image so that the network cannot rely on one detail. The patch should say *nothing
# here*. In a normalised image, pixel value $x$ has become $(x - \mu)/\sigma$, and the value that says nothing is 0, the
# mean. The source fills with the mean of the *pixels*, between 0.44 and 0.50 by colour, one line too late, after
# normalisation. There such a value is half a deviation above the mean: a light grey square.
#
# In evaluation, batch normalisation uses the averages that it gathered in training, from images with holes. Test images
# have none, so a trace of the wrong grey is in every test result. (Fewer than three seeds give no interval, but
# [McNemar's test](../book/glossary.md).)

# %% tags=["remove-input"]
show.Text("**What we see.** "
          + stats.sentence(groups["wrong_hole"], groups["mended_hole"], ("wrong hole", "mended hole")))

# %% [markdown]
# ## A ladder of common changes
#
# *Question: what does each of these changes to the recipe do, with the network as it is?*
#
# The source did *not* use what most published recipes for CIFAR-10 have: mirroring, random crops, weight decay and a
# falling learning rate. From the plain network on, each rung adds one thing to the one before, at a common value:
#
# | rung | adds | why |
# |---|---|---|
# | `flip` | each image mirrored left to right in every second epoch | a mirrored car is a car |
# | `crop` | 4 pixels of mirrored margin, then a random 32×32 window | a car further left is a car |
# | `rate` | a constant rate of 0.1 instead of 0.01 | larger steps; the next rung keeps the peak and changes the shape |
# | `schedule` | one cycle: the rate rises to 0.1, then falls to almost 0; momentum stays | large steps, then small |
# | `decay` | weight decay $5 \cdot 10^{-4}$ | small weights; where a normalisation follows, they learn faster |
# | `long` | 100 epochs instead of 50 | an image has 162 forms (mirrored or not, at 9 × 9 places), of which an epoch shows one |
#
# Before you look: which rung will bring most, and which may cost something?

# %% tags=["variants"]
flipped = plain.plus(flip=True, alternate=True)
cropped = flipped.plus(crop=4, crop_mode="reflect")
faster = cropped.plus(lr=0.1)
scheduled = faster.plus(schedule="onecycle", cycle_momentum=False)
decayed = scheduled.plus(weight_decay=5e-4)
longer = decayed.plus(epochs=100)

variants |= {
    "flip": Variant(network, flipped),
    "crop": Variant(network, cropped),
    "rate": Variant(network, faster),
    "schedule": Variant(network, scheduled),
    "decay": Variant(network, decayed),
    "long": Variant(network, longer),
}

# %%
rungs = ["plain", "flip", "crop", "rate", "schedule", "decay", "long"]
groups |= {name: runs("level_3", name, variants[name], options)
           for name in rungs[1:]}
plots_study.dots([(name, validation(name)) for name in rungs],
                 "A ladder of common changes", "validation accuracy")

# %% tags=["hide-input"]
ladder(rungs)

# %% tags=["remove-input"]
gaps = [100 * (stats.learnt(groups[name]) - np.mean(validation(name))) for name in ("plain", "long")]
constant = [name for name in rungs if groups[name][0].recipe.schedule == "constant"]
late = {name: 100 * plots.mean(groups[name], "val_acc").tail(10).mean() for name in constant}
show.Text(
    f"**What we see.** From `plain` to `long`, validation accuracy goes from {np.mean(validation('plain')):.1%} to "
    f"{np.mean(validation('long')):.1%}, and clean training minus validation accuracy from {gaps[0]:.1f} to {gaps[1]:.1f} "
    "points."
    + (f" A step from so few seeds is told from chance only as far as images go: for single runs at "
       f"{np.mean(validation('crop')):.0%} the standard error of a difference is {100 * unpaired('crop'):.1f} points, as if "
       "each were tested on images of its own. What another seed would change comes on top."
       if options.seeds < stats.ENOUGH else "")
    + " At a constant rate a reading also wanders from epoch to epoch: over a run's last ten, validation accuracy deviates by up "
    f"to {max(wandering(name) for name in constant):.1f} points. From one mean of ten epochs to the next the steps are "
    + ", ".join(f"{late[name] - late[before]:+.1f} (*{name}*)" for before, name in zip(constant, constant[1:])) + ".\n\n"
    + stats.precisions({name: groups[name] for name in rungs}))

# %% [markdown]
# So far dropout and the hole were tried without any of these. Do they help where the rest of the recipe is sound? Two
# more variants each add one of them to `decay`: `hole` adds the mended hole, on half of the images, and `late_dropout`
# adds dropout of 0.1.

# %% tags=["variants"]
variants |= {
    "hole": Variant(network, decayed.plus(cutout=16, cutout_p=0.5)),
    "late_dropout": Variant(partial(network, dropout=0.1), decayed),
}

# %%
aside = ["decay", "hole", "late_dropout"]
groups |= {name: runs("level_3", name, variants[name], options)
           for name in aside[1:]}
plots_study.dots([(name, validation(name)) for name in aside],
                 "Two parts of Level 3 again", "validation accuracy")

# %% tags=["remove-input"]
taught = [stats.learnt(groups[name]) for name in aside]
hole, dropout = (stats.points(validation("decay"), validation(name)) for name in aside[1:])
show.Text(
    f"**What we see.** Added to `decay`, the hole changes validation accuracy by {stats.phrase(*hole)}, dropout by "
    f"{stats.phrase(*dropout)}. Clean training accuracy goes from {taught[0]:.1%} to {taught[1]:.1%} and {taught[2]:.1%}."
    + (f" By the images alone, the standard error of such a difference is {100 * unpaired('decay'):.1f} points."
       if options.seeds < stats.ENOUGH else ""))

# %% [markdown]
# The same dropout was the first step of the first table. Compare the two: what a part is worth depends on what it is
# added to. These runs do not tell why.
#
# ## Another place for the same parameters
#
# *Question: what does another network make of the same budget, with the recipe of the last rung?*
#
# Level 2's network halves its map four times, down to 2×2; on so small a map each weight is used in few places. Nothing
# leads around its seventeen convolutions. The redesign is a residual network after [He and
# others](https://arxiv.org/abs/1512.03385): three stages of three blocks, on maps of 32×32, 16×16 and 8×8. A block
# (`common.blocks.residual_block`) adds what two 3×3 convolutions make of its input to that input: $y = x + f(x)$. (A
# ReLU follows the sum, and where the shape changes a 1×1 convolution stands in place of the plain $x$.) The gradient
# that goes back to $x$ is that of $y$, plus what comes back through $f$; so it arrives even where the layers of $f$
# hand back little, which matters in a stack of many. The widths grow slowly, 24, 36, 44, because a wide early stage
# costs arithmetic but few parameters.

# %% tags=["variants"]
def redesigned():
    """Return a residual network within Level 2's number of parameters."""
    block = residual_block
    return nn.Sequential(
        conv_block(3, 24),
        block(24, 24), block(24, 24), block(24, 24),
        block(24, 36, stride=2), block(36, 36), block(36, 36),
        block(36, 44, stride=2), block(44, 44), block(44, 44),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(44, 10))


variants["redesigned"] = Variant(redesigned, longer)

# %% tags=["remove-input"]
old, new = (inspect.layers(build()) for build in (network, redesigned))
deep = [table[table.height <= 4].params.sum() / table.params.sum() for table in (old, new)]
show.Text(
    f"**What we see.** The redesigned network has {new.params.sum():,} parameters, within the budget of 203,624. On "
    f"maps of 4×4 and smaller it has {deep[1]:.1%} of them, Level 2's {deep[0]:.0%}. It takes "
    f"{new.macs.sum() / old.macs.sum():.1f} times the multiply–accumulates of Level 2's. Parameters are what this "
    "course counts; they are not what one pays for in time.")

# %%
redesigned_records = runs(
    "level_3", "redesigned", variants["redesigned"], options)
plots.curves(redesigned_records, "Redesigned")

# %% tags=["remove-input"]
show.Text(
    "**What we see.** After the last epoch the redesigned network has "
    f"**{show.percent(r.test_acc for r in redesigned_records)}** of the test images right "
    f"({plots.seeds(redesigned_records)}), {show.percent(r.val_acc for r in redesigned_records)} of the validation "
    f"images and {show.percent(r.learnt_acc for r in redesigned_records)} of clean images learnt from. "
    f"The source's network as it was run has {show.percent(r.test_acc for r in as_run_records)} of the test images.")

# %% [markdown]
# ## The choice
#
# *Question: which of all these do we keep?* The one with the highest mean validation accuracy after its last epoch.
# Test accuracies, such as those of the two holes, take no part in the choice.

# %% tags=["hide-input"]
groups["redesigned"] = redesigned_records
best = max(groups, key=lambda name: np.mean(validation(name)))
goal, reached = 0.9, [r.test_acc for r in groups[best]]
second = sorted(np.mean(validation(name)) for name in groups)[-2]
show.Text(
    f"**The choice** is *{best}*. Its validation accuracy of {show.percent(validation(best))} is the largest of "
    f"{len(groups)}, {100 * (np.mean(validation(best)) - second):.1f} points above the next; the smaller that "
    f"lead, the more of it may be luck. Its test accuracy is **{show.percent(reached)}** ({plots.seeds(groups[best])}) "
    f"with {groups[best][0].params:,} parameters. That is {'above' if np.mean(reached) > goal else 'not above'} {goal:.0%}, "
    f"and differs by {stats.phrase(*stats.gained(as_run_records, groups[best]))} from our run of the source's network. "
    "What the other network does by itself: "
    + stats.sentence(groups["long"], groups["redesigned"], ("Level 2's network", "redesigned"))
    + "\n\n" + stats.precisions({"as run": as_run_records, **groups}))

# %% [markdown]
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. What does the hole look like?** Into a channel that was normalised with `mean` and `std`, the value `filled` is
# written. To which pixel value, on the scale from 0 to 1, does it correspond?

# %% tags=["exercise"]
def looks_like(filled, mean, std):
    return None  # your formula


# %% tags=["check", "hide-input"]
def check_looks(answer):
    """Return what is to be said of a formula for the pixel value that a hole in a normalised image looks like."""
    return compare(
        answer,
        [((-1.0, 0.4465, 0.2616), 0.1849), ((0.0, 0.4822, 0.2435), 0.4822), ((0.4914, 0.4914, 0.2470), 0.6127758)],
        [(lambda filled, mean, std: filled, "that is the value as written; the image around it is normalised."),
         (lambda filled, mean, std: (filled - mean) / std, "that normalises once more; you need the way back."),
         (lambda filled, mean, std: filled * std, "that is how far it lies from the mean.")],
        praise="the source's hole looks like 0.61 in red, where the mean is 0.49: lighter. A hole of 0 is the mean.")


print(check_looks(looks_like))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_looks_like(filled, mean, std):
    return filled * std + mean


print(check_looks(solved_looks_like))

# %% [markdown]
# **2. Choose.** Write the rule of the last section as a function that returns the name of the variant to keep. Under
# each variant's name, `validation` and `test` hold a list of accuracies, one for each seed. (A variant may have more
# seeds than another.)

# %% tags=["exercise"]
def choose(validation, test):
    return None  # the name of a variant


# %% tags=["check", "hide-input"]
def check_choose(answer):
    """Return what is to be said of a rule that chooses a variant."""
    on_5000 = {"a": [0.88] * 3, "b": [0.96, 0.83], "c": [0.95, 0.89, 0.89], "d": [0.89] * 4, "e": [0.90] * 3}
    on_test = {"a": [0.93] * 3, "b": [0.90] * 2, "c": [0.89] * 3, "d": [0.88] * 4, "e": [0.87] * 3}
    two = {"x": [0.3, 0.6, 0.6], "y": [0.60, 0.50, 0.50, 0.36]}, {"x": [0.1] * 3, "y": [0.9] * 4}
    return compare(
        answer, [((on_5000, on_test), "c"), (two, "x")],
        [(lambda *_: "a", "that one has the best test accuracy, but the test set has no say."),
         (lambda *_: "b", "that one had a lucky seed; compare means, not the best of several."),
         (lambda *_: "d", "that one has the most seeds; compare means, not sums."),
         (lambda *_: "e", "that one is right for the middle, the worst or the last seed, none of which is the mean."),
         (lambda *_: "y", "right for some numbers; does the test set have a say, and does every seed count as much?")],
        praise="the highest mean on the 5,000, whatever the test accuracies are.")


print(check_choose(choose))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_choose(validation, test):
    return max(validation, key=lambda name: np.mean(validation[name]))


print(check_choose(solved_choose))

# %% [markdown]
# ## What we saw

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary({"as run": as_run_records, **groups})

# %% [markdown]
# * Regularisation trades fit for agreement between training and test. Too much of it costs more than it brings.
# * Test above training may come from harder training images, dropout, weights that still change, or an evaluation on the
#   wrong images. By itself it proves none of these. Count both alike first; then look for under-fitting.
# * Add one thing at a time. Three at once gave the source a result without a reason.
# * An augmentation should change what does not matter to the label, by as much as it varies among the images to come.
#
# Next, [inside Model4](model_4) changes one thing at a time in a network of half the parameters: normalisation, then a
# penalty on the weights. [Level 4](level_4), whose largest network waits for its runs, asks how much is the network and
# how much the recipe.
