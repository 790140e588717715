# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Level 1: the skeleton
#
# *How much accuracy can few parameters buy?* The first answer is a plain network of 83,368 parameters: eleven small
# convolution blocks, four poolings, no dense layer, no tricks. At four bytes each, its parameters are a third of a
# megabyte. We run it by its author's recipe, ask what the curves say, and then mend what was wrong.
#
# It is Level 1 of *Strixbee*, a student's project that has a README and a notebook for each network
# ([where it is](../book/references.md)). In this lab and the next two, that is *the source*.
#
# **After this lab you can**
#
# * read a layer table: where parameters sit, where the arithmetic goes, how far a layer sees;
# * say from two curves when over-fitting begins;
# * find a wrong number in somebody's plot without running anything;
# * show what a 3×3 convolution on a 1×1 map really computes, and what it wastes.
#
# **Before**, if convolutions are new to you, read [how one computes](../book/theory_convolution) and the first section
# of [batch normalisation](../book/theory_normalisation). The [glossary](../book/glossary.md) has the words.

# %% tags=["imports"]
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from common import data, inspect, plots, settings, show, stats
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
seeds: int = 3  # how many networks of each variant
images: int = 0  # how many to train on, and to test on; 0: all
device: str = "auto"  # "cuda" or "cpu"; auto takes the GPU where there is one
retrain: bool = False  # True: train even what is on record

# %%
options = settings.read(globals())

# %% tags=["remove-input", "nbval-ignore-output"]
show.cost("level_1", options)

# %% [markdown]
# ## The network
#
# *Question: what can a network look like that has no dense layer and fits in a third of a megabyte?*
#
# A *stage* is what happens on maps of one size. Its two 3×3 blocks raise the number of channels; they are padded, so
# that the map keeps its size. Then a 2×2 max-pooling halves the map's sides, and a 1×1 block brings the channels down,
# to a half, later to a quarter, before the next two raise them again: a *squeeze* that keeps the 3×3 convolutions
# cheap. A `conv_block` is a convolution without bias, batch normalisation, [ReLU](../book/theory_nonlinearity). At the
# end the 2×2 map is averaged, and two more convolutions, the *head*, make ten class scores of it.
#
# The source also lists a `Dropout2d(p=0)` in every block. It does nothing and is left out here.

# %% tags=["variants"]
def body():
    """Return the layers from an image (3, 32, 32) to features (64, 1, 1)."""
    return [
        conv_block(3, 16), conv_block(16, 32),
        nn.MaxPool2d(2),
        conv_block(32, 16, 1), conv_block(16, 32), conv_block(32, 64),
        nn.MaxPool2d(2),
        conv_block(64, 16, 1), conv_block(16, 32), conv_block(32, 64),
        nn.MaxPool2d(2),
        conv_block(64, 16, 1), conv_block(16, 32), conv_block(32, 64),
        nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(1),
    ]


def as_run():
    """Return the network as the source listed it."""
    return nn.Sequential(
        *body(),
        nn.Conv2d(64, 10, 3, padding=1), nn.Conv2d(10, 10, 1), nn.Flatten())


# %%
layers = inspect.layers(as_run())
show.Table(layers[~layers.layer.isin(["ReLU", "Flatten"])])

# %% [markdown]
# *channels*, *height* and *width* are those of a layer's output, *macs* are multiply–accumulates for one image. *field*
# is the side of its [receptive field](../book/theory_receptive_field) in input pixels; one wider than the image reaches
# over its edge, into padding. ReLU and flattening cost no parameters and are not listed.

# %% tags=["remove-input"]
convolutions = layers[layers.macs > 0]
heaviest = convolutions.sort_values("params").params.iloc[-3:]
early = convolutions[convolutions.height >= 16].macs.sum()
show.Text(
    f"**What we see.** The network has {layers.params.sum():,} parameters and takes {layers.macs.sum():,} "
    "multiply–accumulates an image. Parameters follow the channels: three 32→64 convolutions, one in each stage but the "
    f"first, hold {heaviest.sum() / layers.params.sum():.0%} of them, whatever the size of their map. Arithmetic follows "
    f"the map: the layers on maps of 16×16 and more do {early / layers.macs.sum():.0%} of it. Behind the last "
    "convolution on maps of 8×8 the field is as wide as the image.")

# %% [markdown]
# ## As the source ran it
#
# *Question: what does this network reach, trained as its author trained it?*
#
# The README speaks of SGD with ReduceLROnPlateau. The notebook tells another story: the line that builds the scheduler
# is commented out, in this level and the next two. What ran is SGD at a **constant** rate of 0.01, momentum 0.9, no
# weight decay, batches of 64, 50 epochs, no augmentation. Two more things we copy here only to reproduce them: the
# images are normalised with the mean and deviation of the *test* set (two arguments were swapped), and the test set is
# looked at after every epoch, in place of a validation set.
#
# The loss is the *cross-entropy*: $-\ln p$, where $p$ is the probability that the network gives to the true class, as a
# mean over images. With natural logarithms its unit is the *nat*.
#
# A *variant* is a network with its recipe. `runs` returns the records of its runs: replayed, or trained where there are
# none. In this recipe `validation=0` holds no images out, `follow_test` looks at the test set after every epoch, and
# `statistics` says by which images all are normalised.
#
# In the figures a line is the mean over seeds, its band ± one standard deviation; the dotted line marks the epoch at
# which the loss on images that are not learnt from is lowest. Training accuracy is counted during the epoch, while the
# weights still change, and test accuracy after it, so at first the training curve lies lower. Before you look: which
# of the four curves will turn?

# %% tags=["variants"]
variants = {
    "as_run": Variant(as_run, Recipe(
        epochs=50, batch_size=64, optimizer="sgd", lr=0.01, momentum=0.9,
        schedule="constant",
        validation=0, follow_test=True, statistics="test")),
}

# %%
as_run_records = runs("level_1", "as_run", variants["as_run"], options)

# %% tags=["remove-input", "nbval-ignore-output"]
show.took(as_run_records[0])

# %%
mean_test_loss = plots.mean(as_run_records, "test_loss")
turn = int(mean_test_loss.idxmin())
plots.curves(as_run_records, "Level 1 as the source ran it", mark=turn)

# %% tags=["remove-input"]
mean_train = plots.mean(as_run_records, "train_acc")
mean_test = plots.mean(as_run_records, "test_acc")
show.Text(
    f"**What we see.** The test loss is lowest at epoch {turn}, {mean_test_loss[turn]:.3f}" + (
        ", the last: in so few epochs nothing is over-fitted." if turn == len(mean_test_loss) else
        f", and from there it goes up, to {mean_test_loss.iloc[-1]:.3f}: the network over-fits. Test accuracy is "
        f"{mean_test[turn]:.1%} then and {mean_test.iloc[-1]:.1%} at the end, while training accuracy goes from "
        f"{mean_train[turn]:.1%} to {mean_train.iloc[-1]:.1%}."
        + (" So the accuracy does not show it: the network chooses about as well as before, and is surer of its "
           "mistakes. One that leaves the true class a probability of 0.1 costs 2.3 nats, one that leaves it 0.001 costs "
           "6.9; for the accuracy both are one mistake. That is why we look at the loss."
           if abs(mean_test.iloc[-1] - mean_test[turn]) < 0.01 else "")))

# %% [markdown]
# The README sees the network over-fit after about 5 epochs, where training accuracy begins to leave test accuracy
# behind. The test loss turns later. Both can be called so: first the network learns the training images better than
# others, and later that begins to harm.
#
# Next to what the source reports (one run; what is known to differ here are the random numbers, and bfloat16 where it was
# used; it counts epochs from 0, we count from 1; its loss is shown multiplied by
# 63.7, for a reason given below):

# %% tags=["hide-input"]
above = mean_test[mean_test >= 0.77]
show.beside(
    ["83,368", "97.26%", "78.53%", "78.72% (the 14th)", "10", "0.659"], as_run_records,
    [(f"epoch at which {0.77:.0%} is first reached", "8", str(above.index[0]) if len(above) else "never")])

# %% [markdown]
# The best epoch is a number to distrust. It is picked by looking at the test set, so it is the largest of fifty noisy
# readings rather than an estimate of anything. The last epoch was decided beforehand. We report the last epoch.
#
# ### Which classes it confuses
#
# *Question: are mistakes spread evenly over the classes?* Each row is a true class: its numbers, in percent, say what the
# network takes these images for. The diagonal is what it has right. Look for the darkest squares off the diagonal, and
# whether they come in pairs.

# %%
classes = data.CLASSES[options.dataset]
plots.confusion(as_run_records, classes, "Level 1 as the source ran it")

# %% tags=["remove-input"]
counts = np.mean([r.confusion for r in as_run_records], axis=0)
shares = counts / counts.sum(axis=1, keepdims=True)
recall = pd.Series(np.diag(shares), index=classes).sort_values()
wrong = np.where(np.eye(10, dtype=bool), 0, shares)
darkest = [np.unravel_index(place, wrong.shape) for place in np.argsort(-wrong, axis=None)[:10]]
true, said = darkest[0]
rarer = [min(wrong[p], wrong[p[::-1]]) / max(wrong[p], wrong[p[::-1]]) for p in darkest if wrong[p]]
show.Text(f"**What we see.** Mistakes are not spread evenly. The class recognised least is *{recall.index[0]}* "
          f"({recall.iloc[0]:.0%} of its images), then *{recall.index[1]}* ({recall.iloc[1]:.0%}); the one recognised "
          f"best is *{recall.index[-1]}* ({recall.iloc[-1]:.0%}). One accuracy for all ten hides this. The darkest square "
          f"off the diagonal is *{classes[true]}* taken for *{classes[said]}*, {wrong[true, said]:.0%}; the other way round "
          f"it is {wrong[said, true]:.0%}. Compare each of the ten darkest with its mirror image: the rarer of the two "
          f"mistakes is made between {min(rarer, default=0):.0%} and {max(rarer, default=0):.0%} as often as the other. (If "
          "it never happened, one class would be taken for the other, and not the other way round.)")

# %% [markdown]
# ### What the first layer learnt
#
# The sixteen kernels of the first convolution are 3×3 pixels with three colours each, so they can be shown as pictures.

# %%
trained = as_run_records[0].load_weights(as_run())
plots.kernels(trained[0][0].weight, "First-layer kernels, seed 0")

# %% [markdown]
# Look for three kinds: pairs of light and dark sides (edges, in some direction), uniform patches of one colour
# against another (colour contrast), and a bright or dark centre (spots). How strong a kernel's colours are says
# little, since the normalisation behind it rescales its output. With 432 weights this layer has about one in two
# hundred of the parameters.
#
# ## What was wrong: a loss 64 times too small
#
# *Question: can a loss curve be wrong by its scale alone, and how would you notice?*
#
# The source adds up the **mean** loss of each batch and divides by the number of **images**. The mean has been divided
# by the batch size already, so the loss is divided twice. (For the test loss the code asks for a sum, by
# `reduce="sum"`. But `reduce` is an old argument that takes yes or no: any text is a yes, and the mean stays a mean.)
# Here are three ways to average, on an untrained network and 1,000 drawn images, in batches of 64 of which the last
# holds 40:

# %%
torch.manual_seed(0)
drawn = data.load("synthetic")
untrained = as_run().eval()
with torch.no_grad():
    mean, std = data.statistics(drawn.train_images)
    scores = untrained(data.normalise(drawn.test_images, mean, std))
per_image = F.cross_entropy(scores, drawn.test_labels, reduction="none")
batch_means = torch.stack([batch.mean() for batch in per_image.split(64)])
show.Table(pd.DataFrame({
    "average": ["mean over images", "mean of the batch means",
                "sum of the batch means over images, as the source did"],
    "loss (nats)": [f"{loss:.5f}" for loss in (
        per_image.mean(), batch_means.mean(), batch_means.sum() / 1000)],
}))

# %% [markdown]
# The first is right. The second gives the 40 images of the last batch as much weight as 64 others. The third is the
# source's.
#
# You can notice this without running anything. A network that knows nothing gives each of ten classes a tenth, and
# loses $-\ln \tfrac{1}{10} = \ln 10 \approx 2.303$ an image. The first point of a curve comes after an epoch and may
# lie well below; hold it against the accuracy. After its first epoch the notebook prints a test loss of <q>0.0189</q>
# beside an accuracy of <q>55.75 %</q>. Such a loss gives the true class a probability of $e^{-0.0189} \approx 0.98$
# (the geometric mean), and almost every second image is taken for something else. On the 10,000 test images, in 157
# batches of 64, the factor is $10000/157 \approx 63.7$, and the loss 1.204. The shape of the curve is the same, so the
# lesson of the plot survives. So does the comparison of its training loss with its test loss: both are too small by
# nearly the same factor. A comparison with a loss from elsewhere, or from batches of another size, does not.
#
# ## What was wrong: a 3×3 convolution with nothing to look at
#
# *Question: what does the head's 3×3 convolution compute?*
#
# It stands on a 1×1 map with padding 1. Eight of its nine taps see only padding, which is zero. They add nothing to the
# output, so no gradient ever reaches them ([why, by hand](../book/theory_backprop)). (Weight decay would have shrunk
# them all the same; there is none here.) If that is so, they must still be what they were before training. (Counted
# from 0, the layers of `body` are numbers 0 to 15; number 16 is this convolution, 17 the 1×1 behind it.)

# %%
torch.manual_seed(0)  # the training loop starts so, too
before = as_run()[16].weight.detach().half()  # as weights are stored
after = trained[16].weight.detach()
moved = (after - before.float()).abs().amax(dim=(0, 1))
show.Table(pd.DataFrame(
    [[f"{v:.4f}" for v in row] for row in moved.tolist()],
    columns=["left", "middle", "right"]))

# %% tags=["remove-input"]
still = int((moved == 0).sum())
show.Text(
    f"The table shows how far each of the nine taps has moved, as the largest change over all 64 × 10 channels. "
    f"**{still} of them have not moved at all**: {still * 640:,} of the {inspect.parameters(trained):,} parameters "
    "were never trained.")

# %% [markdown]
# What the layer computes is a 1×1 convolution with the middle tap. On a single place that is a dense layer from 64 to
# 10.
#
# ## The repair
#
# *Question: what does the same network reach when the mistakes are mended?*
#
# | | as the source ran it | repaired |
# |---|---|---|
# | head | 3×3 convolution on a 1×1 map, 5,770 parameters | 1×1 convolution, 650 parameters |
# | parameters | 83,368 | 78,248 |
# | images to learn from | 50,000 | 45,000; 5,000 are held out for choices |
# | normalised with statistics of | the test images | the images learnt from |
# | test set | looked at after every epoch | looked at once, at the end |
# | learning rate | constant (the scheduler was never built) | ReduceLROnPlateau, on the *validation* loss |
#
# No scheduler ran, so we take the settings of one that the source's helper function offers: rate × 0.01 when the loss
# has not improved for more than 7 epochs, and never below $10^{-7}$.

# %% tags=["variants"]
def repaired():
    """Return the network with a head of what the 3x3 convolution computes."""
    return nn.Sequential(
        *body(),
        nn.Conv2d(64, 10, 1), nn.Conv2d(10, 10, 1), nn.Flatten())


variants["repaired"] = Variant(repaired, Recipe(
    epochs=50, batch_size=64, optimizer="sgd", lr=0.01, momentum=0.9,
    schedule="plateau", factor=0.01, patience=7, min_lr=1e-7,
    validation=0.1, follow_test=False, statistics="train"))

# %%
repaired_records = runs("level_1", "repaired", variants["repaired"], options)
mean_val_loss = plots.mean(repaired_records, "val_loss")
lowest = int(mean_val_loss.idxmin())
plots.curves(repaired_records, "Level 1 repaired", mark=lowest)

# %% tags=["remove-input"]
curves = repaired_records[0].curves()
drops = curves.lr[curves.lr.diff() < 0]
stood = max(r.curves().train_loss.cummin().value_counts().max() - 1 for r in as_run_records)
show.Text(
    "**What we see.** " + (
        "In seed 0 the scheduler lowers the rate at epoch "
        + ", ".join(f"{epoch} (to {rate:.0e})" for epoch, rate in drops.items()) + f". In epoch {drops.index[0]} validation "
        f"accuracy goes from {curves.val_acc[drops.index[0] - 1]:.1%} to {curves.val_acc[drops.index[0]]:.1%}; over the last "
        f"ten epochs it moves by {100 * np.ptp(curves.val_acc.tail(10)):.1f} points. " if len(drops) else
        "In so few epochs the scheduler has nothing to do. ")
    + f"At its end training accuracy is {curves.train_acc.iloc[-1]:.1%} and validation accuracy "
    f"{curves.val_acc.iloc[-1]:.1%}. The README names such a scheduler; in the notebook the line that steps it, commented "
    "out too, hands it the *training* loss. As the source ran it, that loss goes at most "
    f"{stood} epoch{'' if stood == 1 else 's'} here without a new lowest: with a patience of 7 the scheduler would "
    f"{'have' if stood > 7 else 'never have'} acted. To watch the validation loss is our change.")

# %% tags=["remove-input"]
show.Text("**The difference.** " + stats.sentence(as_run_records, repaired_records, ("as run", "repaired")) + "\n\n"
          + stats.precisions({"as run": as_run_records, "repaired": repaired_records}))

# %% [markdown]
# (Too few runs for an interval are compared image by image: [McNemar's test](../book/glossary.md) counts the images on
# which exactly one of two networks is right. If both were equally good, each would have about half of them; *p* is how
# likely a split at least as uneven would then be. Below 0.05 we say that the two networks differ in accuracy.) How much
# can such a test say? Here it is of two networks that differ in nothing but the seed:

# %% tags=["remove-input"]
tests = [(a, b, stats.mcnemar(a.correct(), b.correct())[2]) for n, a in enumerate(as_run_records)
         for b in as_run_records[n + 1:]]
late = [100 * r.curves().test_acc.tail(10).mean() for r in as_run_records]
show.Text(
    "**The seed.** Of *as run*: " + "; ".join(
        f"seed {b.seed} minus seed {a.seed}, {100 * (b.test_acc - a.test_acc):+.2f} points (p = {p:.2g})" for a, b, p in tests)
    + f". In {sum(p < 0.05 for _, _, p in tests)} of {len(tests)} pairs the networks differ in accuracy. At a constant rate a "
    "part of this is where the last epoch happened to stop: of means over the last ten epochs, the highest is "
    f"{max(late) - min(late):.2f} points above the lowest." if tests else "This lab was run with a single seed.")

# %% [markdown]
# A small *p* says *these two networks are not equally accurate*, beyond the luck of these test images. But two networks
# of one recipe and different seeds may be unequally accurate, too. So a small *p* never says that two *recipes* differ:
# that takes several seeds of each.
#
# Read the difference with care for another reason: several things changed at once. There is a schedule; there are 5,000
# images fewer to learn from; the statistics are those of the 45,000 learnt from; and the head begins with larger
# weights, since PyTorch draws those of a 1×1 kernel from a wider interval. (The 5,120 parameters that are gone made no
# difference to any output.) To tell causes apart, change one thing at a time; that is what the next levels do.
#
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. Count.** How many trainable parameters has `conv_block(n, m, k)`? Write it as a function of the channels in, the
# channels out and the side of the kernel.

# %% tags=["exercise"]
def block_parameters(n, m, k):
    return None  # your formula


# %% tags=["check", "hide-input"]
def check_count(answer):
    """Return what is to be said of a formula for the parameters of a block."""
    return compare(
        answer, [(case, inspect.parameters(conv_block(*case))) for case in ((3, 16, 3), (64, 16, 1), (7, 5, 5))],
        [(lambda n, m, k: m * n * k * k + m,
          "you count a bias, which the convolution does not have; what does the normalisation learn?")],
        praise="n·k·k weights for each of m outputs, and a scale and a shift for each.")


print(check_count(block_parameters))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_block_parameters(n, m, k):
    return m * n * k * k + 2 * m


print(check_count(solved_block_parameters))

# %% [markdown]
# **2. Fold.** Nothing stands between the head's two convolutions: no ReLU, no normalisation. Two linear maps in a row
# [are one](../book/theory_nonlinearity). Complete the function: it takes the two layers of the trained head, `first` the
# 3×3 and `second` the 1×1, and returns *one* convolution, 64→10 and 1×1, that computes the same on a 1×1 map. How many
# parameters does that save on top of the 5,120? (Put $y = A_1 x + b_1$ into $A_2 y + b_2$. On a single place a 1×1
# convolution is such a matrix, and of the 3×3 kernel the middle tap, `first.weight.data[:, :, 1, 1]`, is one.)

# %% tags=["exercise"]
def fold(first, second):
    folded = nn.Conv2d(64, 10, 1)
    # set folded.weight.data (10, 64, 1, 1) and folded.bias.data (10,)
    return folded


# %% tags=["check", "hide-input"]
def check_fold(answer):
    """Return what is to be said of a function that folds the head of the trained network."""
    features = torch.rand(1000, 64, 1, 1, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        scores = trained[17](trained[16](features))
    folded = answer(trained[16], trained[17])
    if not isinstance(folded, nn.Conv2d) or folded.weight.shape != (10, 64, 1, 1) or folded.bias is None:
        return "Not yet: the function must return a convolution from 64 to 10 channels, 1×1, with a bias."
    with torch.no_grad():
        difference = folded(features) - scores
    if difference.abs().max() < 1e-4:
        return "Right: 650 parameters do the work of 760, 110 fewer, or, as the source had it, of 5,880."
    if difference.std(0).max() < 1e-4:  # the same for all features: only a constant is off
        return "Not yet: the weight is right, the bias is not; the first bias passes through the second layer too."
    return (f"Not yet: scores differ by up to {difference.abs().max():.2g}; multiply the two weight matrices, and of the "
            "first layer take the middle tap, `[:, :, 1, 1]`, which alone works.")


print(check_fold(fold))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_fold(first, second):
    folded = nn.Conv2d(64, 10, 1)
    left, right = second.weight.data[:, :, 0, 0], first.weight.data[:, :, 1, 1]
    folded.weight.data = (left @ right)[:, :, None, None]
    folded.bias.data = left @ first.bias.data + second.bias.data
    return folded


print(check_fold(solved_fold))

# %% [markdown]
# ## What we saw
#
# (*Clean training accuracy*: after the last epoch the network classifies 10,000 of the images it learnt from once more, as
# it does the test images, in evaluation and unchanged. In the curves, training accuracy is counted while it learns. Of
# older runs whose weights were not kept, it is not known.)

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary({"as run": as_run_records, "repaired": repaired_records})

# %% [markdown]
# * A network of a third of a megabyte goes on learning its training images by heart long after the test loss has
#   turned: a high training accuracy says little about new images.
# * Test accuracy may stand still while the test loss climbs: look at both.
# * Hold a loss against the accuracy beside it. If they contradict each other, it is not the loss you think.
# * McNemar's test can find two networks unequal that differ in nothing but their seed.
# * What a notebook *lists* and what *ran* may differ. Read the code that ran.
#
# [Level 2](level_2) asks whether striding does better than pooling, and what the layers did that came with it.
