# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Inside Model4: normalisation, penalties, heat maps
#
# Model4 is a plain network of 96,490 parameters, which the author of Levels 1 to 3 built after those. [Level
# 4](level_4) repairs its recipe: the rate falls along a cosine, half of the images are mirrored, a hole is filled with
# the right mean, and the test images take no part. Here we take it so, and change a single thing at a time. The
# source's framework has several kinds of normalisation, a penalty on the weights, and heat maps; each of the three has
# a fault. *Over what should a layer normalise, what does a penalty do to the weights, and where in its maps does a
# choice arise?*
#
# **After this lab you can** tell batch, ghost, layer and group normalisation apart; find a penalty that counts some
# weights 37 times, and a hook that takes the wrong gradient unnoticed; write Grad-CAM in a dozen lines.
#
# **Before**, do Levels 1 to 3, and read [normalisation](../book/theory_normalisation).

# %% tags=["imports"]
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from common import data, inspect, plots_study, settings, show, stats
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
show.cost("model_4", options)

# %% [markdown]
# ## The network
#
# Eleven 3×3 blocks of 32 channels, three with stride 2, each with one channel in twenty dropped in training. The block is
# written out, since we shall exchange its normalisation. The recipe: SGD in batches of 64, at a rate that falls from 0.01
# to 0 along a cosine, for 100 epochs. Half of the images are mirrored. Each of three more changes has a probability of
# one half: an image is moved, scaled and turned a little; all its colour is taken; a hole of 16×16 is made in it.
#
# Network and recipe are those of Level 4's `model_4`: all others are compared with that run, which is asked for by its
# name and not trained again (`make record ONLY=level_4/model_4` is what trains it).

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


study = Recipe(
    epochs=100, batch_size=64, optimizer="sgd", lr=0.01, momentum=0.9,
    schedule="cosine", flip=True, shift=0.05, scale=0.1, rotate=7,
    affine_p=0.5, grey_p=0.5, cutout=16, cutout_p=0.5)

# %%
base = {"model_4": runs("level_4", "model_4", Variant(model_4, study),
                        options)}

# %% [markdown]
# ## Which normalisation?
#
# *Question: over what should a mean be taken?* All four kinds subtract a mean, divide by a deviation, and give each
# channel a scale and a shift that are learnt. **Batch** normalisation takes the mean of a channel over the whole batch.
# **Ghost** takes it over a quarter of the batch (Hoffer et al., arXiv:1705.08741).
# **Group** takes it over half of the channels of one image (Wu and He, arXiv:1803.08494), **layer** over all of them,
# which is a single group. All take it over all places of the map. In evaluation, batch and ghost use running averages
# and are then the same; group and layer do what they do in training.
#
# The source's ghost normalisation at first could not run, for want of an import. It stops where four does not divide the
# batch, and its scale is not learnt. Ours mends these.

# %% tags=["variants"]
class GhostNorm(nn.Module):
    """Batch normalisation, in training by the statistics of a quarter.

    Four steps in a batch, so the running averages' step is a quarter as long.
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
variants = {name: Variant(lambda norm=norm: model_4(norm), study)
            for name, norm in norms.items()}

# %% [markdown]
# How much does an image's output depend on its neighbours? Here, in training mode, are one image's features in 100
# batches of 64 that share nothing else, and the deviation of its output over these:

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
    "dropout does. With group and layer normalisation it is "
    f"{moved['norm_group']:.3f} and {moved['norm_layer']:.3f}.")

# %%
normed = base | {name: runs("model_4", name, variants[name], options)
                 for name in norms}
plots_study.compare(normed, "val_acc", "Model4, four normalisations",
                    "validation accuracy (%)")

# %% tags=["remove-input"]
shares = stats.learnt(normed["model_4"]), np.mean([r.test_acc for r in normed["model_4"]])
error = 100 * np.sqrt(sum(p * (1 - p) for p in shares) / normed["model_4"][0].split["test"])  # both of as many images
gaps = {name: 100 * np.mean([r.gap for r in group]) for name, group in normed.items()}
spread = max(gaps.values()) - min(gaps.values())
show.Text(
    "**What we see.** (`model_4` is the one with batch normalisation.) On the validation images: "
    + ", ".join(f"`{name}` {show.percent(r.val_acc for r in group)}" for name, group in normed.items())
    + ". On the test images:\n\n"
    + "\n".join(f"* {stats.sentence(normed['model_4'], normed[name], ('batch', name))}" for name in norms)
    + "\n\nDoes noise work against over-fitting? Clean training less test accuracy is "
    + ", ".join(f"{show.gap(group)} points (`{name}`)" for name, group in normed.items())
    + f". By the images alone, the standard error of each is about {error:.1f} points, and that of a difference of two about "
    f"{2 ** 0.5 * error:.1f}; the largest difference is {spread:.1f}"
    + (": these runs do not show it." if spread < 2 * 2 ** 0.5 * error else
       f", more than two such errors. It is least with `{min(gaps, key=gaps.get)}` and most with `{max(gaps, key=gaps.get)}`.")
    + " (Clean: counted after the last epoch on "
    "unchanged images learnt from, with no channel dropped and no batch's noise.) They share one recipe, whose rate the source used "
    "with batch normalisation and batches of 64; it was tuned for none of them. Another rate, or the much smaller batches "
    "for which group normalisation was made, may change the order.")

# %% [markdown]
# ## A penalty on the weights
#
# *Question: what does $\lambda \sum |w|$ do?* The source's framework also has a function for it, which none of its
# notebooks switches on. It goes over the tensors of the network, keeps a running sum of $|w|$, and adds $\lambda$ times
# this sum to the loss **inside the loop**, after each tensor. The gradient tells how often each is counted: $|w|$ has a
# slope of 1 or −1, so the size of the gradient over $\lambda$ is the count.

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
    {"tensor": names[i], "weights": tensors[i].numel(),
     "times counted": times[i]} for i in (0, 1, 3, 15, 35, 36)]))

# %% [markdown]
# It weighs most on what stands first, for no reason but its place in the list. The repair is to add once, after the
# loop, and our recipes do. We train Model4 with $\lambda = 10^{-4}$, once with
# $\lambda \sum |w|$ and once with $\tfrac{\lambda}{2} \sum w^2$, which is `weight_decay`. The gradient of the second is
# $\lambda w$ and fades with the weight. That of the first is $\pm\lambda$, however small the weight is. (Both penalties,
# like the source's, take all parameters: kernels, biases, and the scales and shifts of normalisation.)

# %% tags=["variants"]
variants |= {
    "l1": Variant(model_4, study.plus(l1=1e-4)),
    "l2": Variant(model_4, study.plus(weight_decay=1e-4)),
}

# %%
penalised = base | {name: runs("model_4", name, variants[name], options)
                    for name in ("l1", "l2")}
tiny = {}
for name, group in penalised.items():
    network = group[0].load_weights(model_4())
    kernels = [p.detach() for p in network.parameters() if p.dim() == 4]
    small = [w.abs() < 0.01 * w.square().mean().sqrt() for w in kernels]
    tiny[name] = torch.cat([s.flatten() for s in small]).float().mean().item()

# %% tags=["remove-input"]
size = torch.cat([w.flatten() for w in tensors if w.dim() == 4]).abs().mean().item()
show.Text(
    "**What we see.**\n\n" + "\n".join(
        f"* {stats.sentence(base['model_4'], penalised[name], ('no penalty', name))}" for name in ("l1", "l2"))
    + "\n\nOf the kernels' weights in seed 0, those smaller than a hundredth of their layer's root mean square are "
    + ", ".join(f"{share:.1%} (`{name}`)" for name, share in tiny.items())
    + ". (An absolute limit would not do: a normalisation follows eleven of the thirteen kernels and cancels their common "
    "size, as the page on batch normalisation shows.) "
    + f"The two penalties are not equally strong: the untrained kernels have a mean size of {size:.3f}, and there the "
    f"absolute values pull {1 / size:.0f} times as hard as the squares. So this compares two settings; that absolute values "
    "make zeros by their shape would have to be shown beside squares of like strength.")

# %% [markdown]
# ## Where does it look?
#
# *Question: which part of an image speaks for the class that was chosen?* Grad-CAM (Selvaraju et al., arXiv:1610.02391)
# weighs each map of a layer by the mean gradient of the class's score, adds the maps up and drops what is negative.
#
# The source's cell, in another of the notebooks that Level 4 repairs, ends in an `AttributeError`. Its backward hook is written
# `(module, grad_out, grad_in)` and takes the first gradient. But PyTorch passes the gradient for the layer's **input**
# first. The notebook hooks every convolution, and the first one's input is the image, which needs no gradient: there
# is `None`. On a later layer nothing fails, and the gradient is of the wrong maps:

# %%
untrained = model_4()
hook = untrained[2][0].register_full_backward_hook(
    lambda module, first, second: print(
        f"the first gradient has the shape {[*first[0].shape]},",
        f"the layer's output {[*second[0].shape]}"))
untrained(torch.randn(1, 3, 32, 32))[0, 0].backward()
hook.remove()

# %% [markdown]
# Both have 32 channels, so what is made of the first looks like a heat map. We need only a forward hook, which keeps
# the layer's maps:

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
shown = data.at_hand(options.dataset, options.data_dir)
pixels = shown.test_images[:5]
images_seen = data.normalise(pixels, *data.normalisation(shown, study))
network, rows = base["model_4"][0].load_weights(model_4()), {}
for side, place in ((16, 4), (8, 7), (4, 10)):
    chosen, rows[f"{side}×{side}"] = zip(*[
        grad_cam(network, network[place], image[None]) for image in images_seen])
plots_study.heat(pixels, rows, [data.CLASSES[options.dataset][c] for c in chosen],
                 f"Grad-CAM of model_4 on {'CIFAR-10' if shown.name == 'cifar10' else 'drawn images'}, and its choices")

# %% tags=["remove-input"]
fields = inspect.layers(model_4()).query("layer.str.startswith('Conv')").field.iloc[[4, 7, 10]]
hot = {name: np.mean([(heat > heat.max() / 2).float().mean() for heat in heats]) for name, heats in rows.items()}
show.Text(
    "**What we see.** The share of a picture that is more than half as hot as its hottest place is " + ", ".join(
        f"{share:.0%} at {name}" for name, share in hot.items())
    + ". What is hot is a place in the maps, and not the pixels below it: one such place sees a square of "
    + ", ".join(str(int(field)) for field in fields) + " pixels a side, of an image of 32. And a map's weight is "
    "a mean over all its places: before the head the gradient is the same in each (exercise 2), at shallow layers it is not."
    + ("" if shown.name == options.dataset else " This network learnt photographs and is shown drawings, since "
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
        right, given = F.group_norm(x, groups), answer(x.clone(), groups)
        if given is None:
            return "Not yet: the function returns None; put your tensor in its place."
        given = torch.as_tensor(given).float()
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
    faint = 0.003 * x
    if not torch.allclose(torch.as_tensor(answer(faint.clone(), 2)).float(), F.group_norm(faint, 2), atol=1e-3):
        return "Not yet: right for these numbers, but not for very small ones; to what is 0.00001 added?"
    return "Right: no other image occurs in it, so it does the same in training and in evaluation."


print(check_group(group_norm))


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_group_norm(x, groups):
    parts = x.reshape(len(x), groups, -1)
    mean, var = parts.mean(2, keepdim=True), parts.var(2, keepdim=True, correction=0)
    return ((parts - mean) / (var + 1e-5).sqrt()).reshape(x.shape)


print(check_group(solved_group_norm))

# %% [markdown]
# **2. Grad-CAM without a gradient.** After Model4's last block come only the mean over the 4×4 map and two convolutions
# of 1×1, so a score is linear in the block's maps, but for a constant. Return Grad-CAM's heat map at that block for the
# class with the number `chosen`, neither enlarged nor rescaled, made from the block's `maps` (32, 4, 4) and the weights
# `first` (64, 32) and `second` (10, 64) of the two convolutions.

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
        given = answer(maps.detach().clone(), first, second, chosen)
        if given is None:
            return "Not yet: the function returns None; put your map in its place."
        given = torch.as_tensor(given).float()
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


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def solved_heat_map(maps, first, second, chosen):
    weights = second[chosen] @ first / 16
    return torch.einsum("c,chw->hw", weights, maps).relu()


print(check_heat(solved_heat_map))

# %% [markdown]
# ## What we saw

# %% tags=["full-width", "hide-input", "nbval-ignore-output"]
show.summary(normed | penalised)

# %% [markdown]
# * A kind of normalisation is a choice of what the mean is taken over: the batch, an image, or some of its channels.
# * What is added inside a loop is counted many times. The gradient shows it at once.
# * Where a normalisation follows, multiplying all of a kernel's weights by one positive factor changes nothing that the
#   network computes. So a penalty that only shrinks them all alike changes nothing either, but for the size of the steps.
# * A hook's arguments come in the library's order, whatever they are called.
# * A heat map names places of a map, not the pixels that decided.
#
# [Evaluation hygiene](evaluation_hygiene) reads a report of a test accuracy that was none.
