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
# *How much of these networks' accuracy is the recipe?* After Level 3 the author of Strixbee wrote three more notebooks,
# which his README does not mention. They climb from 96,490 to 11,173,962 parameters. We run and repair all three, give
# the smallest the recipe of another, and use it for four questions: how to find a learning rate, over what to
# normalise, what a penalty on the weights does, and where a network looks.
#
# **After this lab you can** write a residual block; run a learning-rate range test and read it; tell batch, ghost,
# layer and group normalisation apart; find a penalty that counts some weights 37 times, and a hook that takes the wrong
# gradient; write Grad-CAM in a dozen lines.
#
# **Before**, do Levels 1 to 3. The [glossary](../book/glossary.md) has most words in a sentence.

# %% tags=["imports"]
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from common import data, inspect, plots, plots_study, settings, show, stats
from common.blocks import Residual, conv_block, resnet_18
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
show.cost("level_4")

# %% [markdown]
# ## Three networks
#
# **Model4** is plain: eleven 3×3 blocks of 32 channels, three with stride 2, each with one channel in twenty dropped
# in training. We write the block out, since we shall exchange its normalisation.
#
# The **one-cycle net** is short and wide. Two of its stages have a *residual* part: two blocks whose output is added to
# their input, so that they learn only what is to be changed.
#
# **ResNet-18** is `common.blocks.resnet_18`, in its usual form for CIFAR-10: eight `residual_block`s of two
# convolutions and a shortcut around them, which is the input as it is where the shape allows. So the gradient has a
# short way past every block (He et al., arXiv:1512.03385).

# %% tags=["variants"]
def block(n, stride, norm):
    """Return a 3x3 block from n to 32 channels, normalised by norm(32)."""
    return nn.Sequential(
        nn.Conv2d(n, 32, 3, stride, padding=1, bias=False), norm(32),
        nn.ReLU(inplace=True), nn.Dropout2d(0.05))


def model_4(norm=nn.BatchNorm2d):
    """Return Model4: (N, 3, 32, 32) to ten scores an image."""
    strides = [1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1]
    channels = [3] + 10 * [32]
    return nn.Sequential(
        *[block(n, stride, norm) for n, stride in zip(channels, strides)],
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
    "network": name, "parameters": int(layers.params.sum()), "of the source's": published,
    "macs": int(layers.macs.sum()), "convolutions": int(layers.layer.str.startswith("Conv").sum()),
    "field at the end": int(layers.field.max()),
} for (name, layers), published in zip(sizes.items(), ("96,490", "6,573,130", "11,173,962"))]))

# %% [markdown]
# ## As the source ran them
#
# *Question: what do they reach, trained as their author trained them?*
#
# | | Model4 | one-cycle net | ResNet-18 |
# |---|---|---|---|
# | batch, epochs | 64, 100 | 512, 25 | 64, 50 |
# | learning rate | 0.01, constant | one cycle: 0.04 up to 1, then to 0 | 0.01, lower when the *training* loss stands |
# | move, grow (shares of the side), turn | 0.05, 0.1, 7° | 0.15, 0.15, 10° | no, 0.1, 7° |
# | crop, mirror | no | padded by 4; mirrored | no |
# | hole | 16×16 | a side of 8 to 16 | 16×16 |
# | all colour taken | yes | no | no |
#
# SGD without weight decay. The momentum is 0.9; the one-cycle net's moves against the rate, from 0.95 to 0.85 and back,
# as is the scheduler's default. On that net each change but the crop has a probability of 0.3. The other
# notebooks name none, so we assume the library's default, one half. All three repeat the mistakes of Levels 1 to
# 3: statistics of the test set, the test set watched after every epoch, and a hole filled with the mean of the *pixels*
# although the image is normalised. Three details differ here, and we did not measure whether they matter: the source
# crops after it moves, we before; it fills the crop's margin with that wrong mean, we with the mirrored image; it takes
# the colour after the hole, we before.

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
    "as_run_resnet_18": Variant(resnet_18, Recipe(
        epochs=50, batch_size=64, lr=0.01, schedule="plateau",
        factor=0.01, patience=5, min_lr=1e-7, scale=0.1, rotate=7,
        affine_p=0.5, cutout=16, cutout_p=0.5, **wrong)),
}

# %%
def ask(*names):
    """Return {variant: its records}."""
    return {name: runs("level_4", name, variants[name], options)
            for name in names}


# %%
as_run = ask("as_run_model_4", "as_run_one_cycle", "as_run_resnet_18")
show.Row(picture for name, group in as_run.items()
         for picture in plots.curves(group, name))

# %% tags=["remove-input", "nbval-ignore-output"]
show.Text(" ".join(show.took(group[0]) for group in as_run.values()))

# %% [markdown]
# Next to what the source reports, one run of each. (Of fewer than three seeds the comparisons below use
# [McNemar's test](../book/glossary.md), as in Level 1.)

# %% tags=["hide-input"]
reported = ("73.04%", "80.74%", "81.42%"), ("96.36%", "92.27%", "92.27%"), ("97.69%", "87.62%", "88.15%")
show.Table(pd.DataFrame([{
    "variant": name, "whose": whose, "training, last epoch": train, "test, last epoch": test, "test, best epoch": best,
} for (name, group), theirs in zip(as_run.items(), reported) for whose, (train, test, best) in (
    ("source", theirs),
    ("here", (show.percent(r.train_acc for r in group), show.percent(r.test_acc for r in group),
              show.percent(r.curves().test_acc.max() for r in group))))]))

# %% tags=["remove-input"]
gap = np.mean([r.train_acc - r.test_acc for r in as_run["as_run_model_4"]])
fired = sum((r.curves().lr.diff() < 0).sum() for r in as_run["as_run_resnet_18"])
show.Text(
    f"**What we see.** Model4's training accuracy ends {100 * abs(gap):.1f} points {'below' if gap < 0 else 'above'} "
    "its test accuracy. The first is counted on moved, greyed and punctured images with channels dropped, the second "
    "on whole ones: they do not measure the same task. ResNet-18's scheduler"
    + (f" acted {fired} times." if fired else " never acted. It watches the training loss, which goes on falling while "
       "the network memorises. Nor did it in the source: it prints a line when it acts, and the notebook has none."))

# %% [markdown]
# ## The repair
#
# *Question: what do the same networks reach when the mistakes are mended?* All three now learn from 45,000 images with
# the statistics of these, look at the test set once, and fill the hole with the mean, which is 0. Beyond that:
#
# * Model4's rate falls to 0 along a cosine, and half of its images are mirrored.
# * The one-cycle net keeps its recipe.
# * ResNet-18 gets the settings of its paper for CIFAR-10: rate 0.1, batches of 128, weight decay 0.0001, crop and
#   mirror in place of the source's changes. But the paper trains 64,000 steps, about 180 epochs, and its rate falls in
#   steps; here it is 50 epochs, and the rate falls along a cosine.
#
# These three still differ in network and recipe. So we train Model4 once more, by the recipe of the one-cycle net:
# `model_4_cycled` differs from `model_4` in the recipe alone (with its 25 epochs in place of 100), and from `one_cycle` in
# the network alone (with a 68th of its parameters). For `model_4` and `resnet_18` the repair also changes the recipe; for
# `one_cycle` it mends mistakes and nothing else (and learns from 5,000 images fewer, as all do).

# %% tags=["variants"]
right = dict(
    validation=0.1, follow_test=False, statistics="train", cutout_fill="mean")
variants |= {
    "model_4": Variant(model_4, variants["as_run_model_4"].recipe.model_copy(
        update=right | dict(schedule="cosine", flip=True))),
    "one_cycle": Variant(one_cycle, variants["as_run_one_cycle"].recipe
                         .model_copy(update=right)),
    "resnet_18": Variant(resnet_18, Recipe(
        epochs=50, batch_size=128, lr=0.1, schedule="cosine",
        weight_decay=1e-4, crop=4, flip=True, **right)),
}
variants["model_4_cycled"] = Variant(model_4, variants["one_cycle"].recipe)

# %%
base = ask("model_4")  # what the studies below begin with

# %%
repaired = base | ask("one_cycle", "resnet_18", "model_4_cycled")
plots_study.compare(repaired, "val_acc", "Validation accuracy, repaired",
                    "accuracy (%)")

# %% tags=["remove-input"]
show.Text("**The repair.**\n\n" + "\n".join(
    f"* {stats.sentence(as_run[f'as_run_{name}'], repaired[name], (f'{name} as run', 'repaired'))}" for name in ladder)
    + "\n\n**Recipe and network, one at a time.**\n\n"
    + "* On Model4, "
    + stats.sentence(repaired["model_4"], repaired["model_4_cycled"], ("its own recipe", "the one-cycle net's recipe"))
    + "\n* By that recipe, "
    + stats.sentence(repaired["model_4_cycled"], repaired["one_cycle"], ("Model4", "the one-cycle net")))

# %% [markdown]
# ## Which learning rate?
#
# *Question: how can you find a learning rate in a minute?* Start far too low, multiply the rate by the same factor
# after each batch until the loss explodes, and draw the loss over the rate. Where it is flat, the rate is too low;
# where it climbs, too high. This is the *range test* (L. N. Smith, arXiv:1506.01186). The source's framework has one,
# from $10^{-7}$ to 10 in 70 steps. Ours runs here and now: on CIFAR-10 where it is at hand, otherwise on drawn images,
# whose rate is not to be carried over to CIFAR-10.

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


drawn, real = data.load("synthetic"), None
files = data.folder(options.data_dir) / "cifar-10-batches-py"
if options.dataset == "cifar10" and files.is_dir():
    real = data.load("cifar10", options.data_dir)
which = "CIFAR-10" if real else "drawn images"
test = range_test(model_4, (real or drawn).train_images,
                  (real or drawn).train_labels)
lowest = test.rate[test.smooth.idxmin()]
plots_study.range_test(test, lowest / 10, f"Range test of Model4, {which}")

# %% tags=["remove-input"]
show.Text(
    f"**What we see.** On {which} the smoothed loss is lowest at a rate of {lowest:.2g}, and the test ends at "
    f"{test.rate.iloc[-1]:.2g}. The lowest point is on the brink; a common choice is a tenth of it, here "
    f"{lowest / 10:.2g}. That is an order of magnitude and no more: fewer than nine steps cover a factor of ten, the dip "
    f"is {test.smooth.iloc[0] - test.smooth.min():.2f} deep, and single batches scatter by {test.loss[:30].std():.2f} where "
    "nothing is learnt yet. " + (
        f"Model4's own recipe begins at {variants['model_4'].recipe.lr:g}." if real else "It is no rate for CIFAR-10."))

# %% [markdown]
# Before it trained the one-cycle net, the source ran its test from 0.001 to 0.1, and was told 0.0032. Then it trained
# with a peak of 1.0, three hundred times as much. A test that stops before the loss explodes cannot say how high one
# may go; and one cycle climbs slowly to a rate at which one could not start (Smith and Topin, arXiv:1708.07120).
#
# ## Which normalisation?
#
# *Question: over what should a mean be taken?* All four kinds subtract a mean, divide by a deviation, and give each
# channel a scale and a shift that are learnt. **Batch** normalisation takes the mean of a channel over the whole batch,
# and over all places of the map. **Ghost** takes it over a quarter of the batch (Hoffer et al., arXiv:1705.08741).
# **Group** takes it over half of the channels of one image (Wu and He, arXiv:1803.08494), **layer** over all of them,
# which is a single group.

# %% tags=["variants"]
class GhostNorm(nn.Module):
    """Batch normalisation, in training by the statistics of a quarter.

    Four steps in a batch, so the running averages' step is a quarter as long.
    (The source's fails unless four divides the batch; its scale is fixed.)
    """

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, momentum=0.1 / 4)

    def forward(self, x):
        """Return x (N, C, H, W) normalised; four need not divide N."""
        if not self.training:
            return self.norm(x)
        quarters = x.tensor_split(min(4, len(x)))
        return torch.cat([self.norm(quarter) for quarter in quarters])


norms = {
    "norm_ghost": GhostNorm,
    "norm_group": lambda channels: nn.GroupNorm(2, channels),
    "norm_layer": lambda channels: nn.GroupNorm(1, channels),
}
study = variants["model_4"].recipe
variants |= {name: Variant(lambda norm=norm: model_4(norm), study)
             for name, norm in norms.items()}

# %% [markdown]
# How much does an image's output depend on its neighbours? Here are one image's features in 100 batches that share
# nothing else, and the deviation of its output over these:

# %%
torch.manual_seed(0)
mine, moved = torch.randn(1, 32, 4, 4), {}
for name, norm in {"batch": nn.BatchNorm2d, **norms}.items():
    outputs = []
    for _ in range(100):
        rest = torch.randn(63, 32, 4, 4) + torch.randn(63, 32, 1, 1)
        outputs.append(norm(32)(torch.cat([mine, rest]))[0].detach())
    moved[name] = torch.stack(outputs).std(0).mean().item()
    print(f"{name}: {moved[name]:.3f}")

# %% tags=["remove-input"]
show.Text(
    f"**What we see.** For ghost it is {moved['norm_ghost'] / moved['batch']:.1f} times that of batch normalisation: "
    "the mean of a quarter of the images is twice as uncertain. Such noise is said to work against over-fitting, as "
    "dropout does; whether it does here is measured next. With group and layer normalisation it is "
    f"{moved['norm_group']:.3f} and {moved['norm_layer']:.3f}.")

# %%
normed = base | ask(*norms)
plots_study.compare(normed, "val_acc", "Model4, four normalisations",
                    "validation accuracy (%)")

# %% tags=["remove-input"]
show.Text(
    "**What we see.** On the validation images: "
    + ", ".join(f"`{name}` {show.percent(r.val_acc for r in group)}" for name, group in normed.items())
    + ". On the test images:\n\n"
    + "\n".join(f"* {stats.sentence(normed['model_4'], normed[name], ('batch', name))}" for name in norms))

# %% [markdown]
# ## A penalty on the weights
#
# *Question: what does $\lambda \sum |w|$ do?* The source's framework also has a function for it, which none of these
# notebooks switches on. It goes over the tensors of the network, keeps a running sum of $|w|$, and adds $\lambda$ times
# this sum to the loss **inside the loop**, after each tensor. The gradient tells how often each is counted:

# %%
torch.manual_seed(0)
names, tensors = zip(*model_4().named_parameters())
so_far = added = torch.zeros(())
for tensor in tensors:
    so_far = so_far + tensor.abs().sum()
    added = added + 1e-4 * so_far  # as the source: inside the loop
slopes = torch.autograd.grad(added, tensors)
times = [round(slope.abs().max().item() / 1e-4) for slope in slopes]
show.Table(pd.DataFrame([
    {"tensor": names[i], "weights": tensors[i].numel(), "counted": times[i]}
    for i in (0, 1, 3, 15, 35, 36)]))

# %% [markdown]
# It weighs most on what stands first, for no reason but its place in the list. The repair is to add once, after the
# loop, and our recipes do. We train Model4 with $\lambda = 10^{-4}$, once with
# $\lambda \sum |w|$ and once with $\tfrac{\lambda}{2} \sum w^2$, which is `weight_decay`. The gradient of the second is
# $\lambda w$ and fades with the weight. That of the first is $\pm\lambda$, however small the weight is. (Both penalties,
# like the source's, take all parameters: kernels, biases, and the scales and shifts of normalisation.)

# %% tags=["variants"]
variants |= {
    "l1": Variant(model_4, study.model_copy(update=dict(l1=1e-4))),
    "l2": Variant(model_4, study.model_copy(update=dict(weight_decay=1e-4))),
}

# %%
penalised, tiny = base | ask("l1", "l2"), {}
for name, group in penalised.items():
    network = group[0].load_weights(model_4())
    kernels = [p.flatten() for p in network.parameters() if p.dim() == 4]
    tiny[name] = (torch.cat(kernels).abs() < 0.001).float().mean().item()

# %% tags=["remove-input"]
size = torch.cat([w.flatten() for w in tensors if w.dim() == 4]).abs().mean().item()
show.Text(
    "**What we see.**\n\n" + "\n".join(
        f"* {stats.sentence(base['model_4'], penalised[name], ('no penalty', name))}" for name in ("l1", "l2"))
    + "\n\nOf the kernels' weights in seed 0, those below 0.001 are "
    + ", ".join(f"{share:.1%} (`{name}`)" for name, share in tiny.items())
    + f". The two penalties are not equally strong: the untrained kernels have a mean size of {size:.3f}, and there the "
    f"absolute values pull {1 / size:.0f} times as hard as the squares. So this compares two settings; that absolute values "
    "make zeros by their shape would have to be shown beside squares of like strength.")

# %% [markdown]
# ## Where does it look?
#
# *Question: which part of an image speaks for the class that was chosen?* Grad-CAM (Selvaraju et al., arXiv:1610.02391)
# weighs each map of a layer by the mean gradient of the class's score, adds the maps up and drops what is negative.
#
# The source's cell ends in an `AttributeError`. Its backward hook is written `(module, grad_out, grad_in)` and takes
# the first gradient. But PyTorch passes the gradient for the layer's **input** first. The input of the first
# convolution is the image, which needs none, so there is `None`. We need only a forward hook, which keeps the maps:

# %%
def grad_cam(network, layer, image):
    """Return the class chosen for image (1, 3, H, W), and its heat (H, W)."""
    maps = []
    hook = layer.register_forward_hook(
        lambda module, inputs, output: maps.append(output))
    scores = network(image)
    hook.remove()
    chosen = scores.argmax().item()
    gradient, = torch.autograd.grad(scores[0, chosen], maps)
    weights = gradient.mean((2, 3), keepdim=True)
    heat = (weights * maps[0]).sum(1, keepdim=True).relu()
    heat = F.interpolate(heat, image.shape[2:], mode="bilinear")
    return chosen, heat[0, 0].detach()


# %% tags=["hide-input"]
pixels = (real or drawn).test_images[:5]
images_seen = data.normalise(pixels, *data.normalisation(real or drawn, study))
network, rows = base["model_4"][0].load_weights(model_4()), {}
for side, place in ((16, 4), (8, 7), (4, 10)):
    chosen, rows[f"{side}×{side}"] = zip(*[
        grad_cam(network, network[place], image[None]) for image in images_seen])
plots_study.heat(pixels, rows, [data.CLASSES[options.dataset][c] for c in chosen],
                 f"Grad-CAM of model_4 on {which}, and its choices")

# %% tags=["remove-input"]
hot = {name: np.mean([(heat > heat.max() / 2).float().mean() for heat in heats]) for name, heats in rows.items()}
show.Text(
    "**What we see.** Hotter than half of the hottest is " + ", ".join(
        f"{share:.0%} of a picture at {name}" for name, share in hot.items())
    + ". A map's weight is a mean over all its places, so at a shallow layer it is only loosely tied to the class."
    + ("" if real or options.dataset == "synthetic" else " This network learnt photographs and is shown drawings, since "
       "CIFAR-10 is not at hand: what it chooses means nothing. Put the data set where `DATA_DIR` says."))

# %% [markdown]
# ## Exercises
#
# Write your answer in place of `None`, and run the cell below it.
#
# **1. Normalise by groups.** Write group normalisation without its learnt scale and shift. `x` is (N, C, H, W); each
# image's channels form `groups` groups, in their order. (Add 0.00001 to the variance, as PyTorch does.)

# %% tags=["exercise"]
def group_norm(x, groups):
    return None  # a tensor like x


# %% tags=["check", "hide-input"]
def check_group(answer):
    """Return what is to be said of a function that normalises over groups of channels."""
    torch.manual_seed(0)
    x = torch.randn(5, 1, 1, 1) + torch.randn(1, 8, 1, 1) + torch.randn(5, 8, 4, 4)
    wrong = {"each channel over the batch; that is batch normalisation": F.batch_norm(x, None, None, training=True),
             "over all channels of an image; that is layer normalisation": F.group_norm(x, 1),
             "each channel of an image by itself; there are fewer groups than channels": F.instance_norm(x)}
    for groups in (2, 4):
        right, given = F.group_norm(x, groups), answer(x, groups)
        if given is None:
            return "Not yet: the function returns None; put your tensor in its place."
        if given.shape != x.shape:
            return f"Not yet: the result must be of shape {tuple(x.shape)}, and yours is {tuple(given.shape)}."
        for what, other in wrong.items():
            if torch.allclose(given, other, atol=1e-3):
                return f"Not yet: this normalises {what}."
        n = x[0].numel() // groups
        if torch.allclose(given, right * (1 - 1 / n) ** 0.5, atol=1e-3):
            return "Not yet: `var` and `std` divide by n − 1 unless told `correction=0`; a normalisation divides by n."
        if not torch.allclose(given, right, atol=1e-3):
            return f"Not yet: with {groups} groups yours differs by up to {(given - right).abs().max():.2g}."
    return "Right: no other image occurs in it, so it does the same in training and in evaluation."


print(check_group(group_norm))


# %% tags=["solution", "hide-cell"]
def solved_group_norm(x, groups):
    parts = x.reshape(len(x), groups, -1)
    mean, var = parts.mean(2, keepdim=True), parts.var(2, keepdim=True, correction=0)
    return ((parts - mean) / (var + 1e-5).sqrt()).reshape(x.shape)


print(check_group(solved_group_norm))

# %% [markdown]
# **2. Grad-CAM without a gradient.** After Model4's last block come only the mean over the 4×4 map and two convolutions
# of 1×1, so a score is linear in the block's maps. Write down the heat map there, before it is enlarged, from the
# block's `maps` (32, 4, 4) and the weights `first` (64, 32) and `second` (10, 64) of the two convolutions.

# %% tags=["exercise"]
def heat_map(maps, first, second, chosen):
    return None  # a tensor (4, 4)


# %% tags=["check", "hide-input"]
def check_heat(answer):
    """Return what is to be said of a function that makes a class's heat map from the head's weights."""
    torch.manual_seed(0)
    maps, first, second = torch.rand(32, 4, 4).requires_grad_(), torch.randn(64, 32), torch.randn(10, 64)
    for chosen, score in enumerate(second @ first @ maps.mean((1, 2))):
        gradient, = torch.autograd.grad(score, maps, retain_graph=True)
        signed = (gradient.mean((1, 2), keepdim=True) * maps.detach()).sum(0)
        given = answer(maps.detach(), first, second, chosen)
        if given is None:
            return "Not yet: the function returns None; put your map in its place."
        if tuple(given.shape) != (4, 4):
            return f"Not yet: the map must be of shape (4, 4), and yours is {tuple(given.shape)}."
        if torch.allclose(given, signed.relu(), atol=1e-4):
            continue
        if torch.allclose(given, signed, atol=1e-4):
            return "Not yet: there are negative places in your map; Grad-CAM drops them."
        if torch.allclose(given.relu() / 16, signed.relu(), atol=1e-4):
            return "Not yet: your map is 16 times too hot; what is the share of one of 16 places in their mean?"
        return f"Not yet: for class {chosen} your map differs by up to {(given - signed.relu()).abs().max():.2g}."
    return "Right: with no ReLU after the maps, a map's weight is the same for every image."


print(check_heat(heat_map))


# %% tags=["solution", "hide-cell"]
def solved_heat_map(maps, first, second, chosen):
    weights = second[chosen] @ first / 16
    return torch.einsum("c,chw->hw", weights, maps).relu()


print(check_heat(solved_heat_map))

# %% [markdown]
# ## What we saw

# %% tags=["hide-input", "nbval-ignore-output"]
show.summary(as_run | repaired | normed | penalised)

# %% [markdown]
# * Before you praise or blame a network, look at its recipe.
# * A training loss does not show over-fitting, so a scheduler should watch the validation loss.
# * A range test must go on until the loss explodes; else it only tells where learning begins.
# * What is added inside a loop is counted many times. The gradient shows it at once.
# * A hook's arguments come in the library's order, whatever they are called.
