"""Figures about kinds of convolution: what a kernel touches, what a pixel sees, how kinds compare; and their memory."""

import copy

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from torch import nn

from common.plots import seeds
from common.show import picture


def seen(layers, size, channel=slice(None), row=None, column=None):
    """Return what one output pixel of `layers`, in one `channel` or in all, sees of an input of `size` (C, H, W).

    All weights are taken as positive and equal: then the gradient of the output with respect to each input, of shape
    `size`, tells how much depends on it. The pixel is the middle one unless `row` or `column` say otherwise. A maximum
    pooling among `layers` counts as averaging, since of equal pixels a maximum would pick one.
    """
    layers = [nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding) if isinstance(layer, nn.MaxPool2d) else layer
              for layer in layers]
    network = copy.deepcopy(nn.Sequential(*layers)).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
    image = torch.ones(1, *size, requires_grad=True)
    output = network(image)[0]
    row, column = (side // 2 if at is None else at for side, at in zip(output.shape[1:], (row, column)))
    return torch.autograd.grad(output[channel, row, column].sum(), image)[0][0]


def extent(image):
    """Return the side of the smallest square that holds all of a map (H, W) that is not zero."""
    return max(int(np.ptp(places)) + 1 for places in np.nonzero(np.asarray(image)))


def work(blocks, title):
    """Draw what pixels and channels a block touches, for each of `blocks` {kind: block(n, m)}, and its first step."""
    figure, axes = plt.subplots(len(blocks), 5, figsize=(6.6, 1.05 * len(blocks) + 0.5), layout="constrained")
    said = []
    for row, (kind, block) in zip(axes, blocks.items()):
        whole = [block(8, 8)]
        first = [whole[0][0]] if isinstance(whole[0], nn.Sequential) else whole
        pixels = [seen(layers, (8, 7, 7), column=at).sum(0) for layers, at in ((whole, 2), (whole, 3), (first, 2))]
        links = [torch.stack([seen(layers, (8, 7, 7), channel).sum((1, 2)) for channel in range(8)])
                 for layers in (first, whole)]
        for place, values in zip(row, pixels + links):
            _grid(place, values)
        row[0].set_ylabel(kind, rotation=0, ha="right", va="center", fontsize=9)
        counts = [int((values > 0).sum()) for values in (pixels[0], pixels[2], links[0][0], links[1][0])]
        said.append("{} touches {} pixels, first {} of them and {} of 8 channels, {} in all".format(kind, *counts))
    for place, name in zip(axes[0], ("pixels", "of the next", "first, pixels", "first, channels", "all channels")):
        place.set_title(name, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}, a row of small grids for each kind: {'; '.join(said)}.")


def _grid(place, values):
    values = np.asarray(values, dtype=float)
    place.imshow(np.ma.masked_equal(values / values.max(), 0), cmap="viridis", vmin=0, vmax=1)  # zero stays white
    place.grid(False)
    place.set(xticks=[], yticks=[])
    for side, draw in zip(values.shape, (place.axhline, place.axvline)):
        for at in range(1, side):
            draw(at - 0.5, color="#BBBBBB", linewidth=0.5)
    place.spines[:].set(visible=True, color="#888888")


def steps(blocks, title):
    """Draw the steps of each of `blocks` {kind: block(n, m)}: what one number is made of, and then the next.

    A step is a convolution or a shuffle; a map has 8 channels of 5×7 pixels, side by side. Two paths are two steps.
    """
    colors = ["white", "#E6E6E6", "#56B4E9", "#E69F00", "#444444"]
    figure, axes = plt.subplots(len(blocks), 2, figsize=(8.2, 1.2 * len(blocks) + 0.6), layout="constrained")
    said = []
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
        place.spines[:].set(visible=False)
        place.grid(False)
    for row, (kind, block) in zip(axes, blocks.items()):
        row[0].set_ylabel(kind, rotation=0, ha="right", va="center", fontsize=9)
        layers = [layer for layer in block(8, 8).modules() if isinstance(layer, (nn.Conv2d, nn.ChannelShuffle))]
        for place, layer in zip(row, layers):
            makes = layer(torch.zeros(1, 8, 5, 7))[0].shape
            read, made = ([seen(what, size, 1, 2, column) > 0 for column in (2, 3)]
                          for what, size in (([layer], (8, 5, 7)), ([], makes)))
            above, below = _strip(*read), _strip(*made)
            below = np.pad(below, ((2, 0), (0, above.shape[1] - below.shape[1])))
            place.pcolormesh(np.vstack([above, below]), cmap=ListedColormap(colors), vmin=0, vmax=4, edgecolors="white",
                             linewidth=0.3)
            place.invert_yaxis()
            name = "shuffle" if isinstance(layer, nn.ChannelShuffle) else "×".join(map(str, layer.kernel_size))
            place.set_title(f"{name}: one number is made of {read[0].sum()}", fontsize=8)
            said.append(f"{kind}, {name}, {read[0].sum()} over {read[0].any(2).any(1).sum()} of 8 channels")
    meanings = "one number, and what it is made of", "its right-hand neighbour", "in both"
    figure.legend(handles=[Patch(color=color, label=meaning) for color, meaning in zip(colors[2:], meanings)],
                  loc="outside lower center", ncols=3, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return picture(figure, f"{title}: for each, the channels that it reads, above those that it makes. One number is made of: "
                           f"{'; '.join(said)}.", least=560)


def _strip(one, two):
    """Return two masks (C, H, W) as one picture, channels side by side: 1 where neither is, 2 or 3 for one, 4 for both."""
    values = 1 + one.numpy() + 2 * two.numpy()
    return np.hstack(np.pad(values, ((0, 0), (0, 0), (0, 1))))


def compare(sets, title):
    """Draw test accuracies, a point a seed and, of several, a bar at the mean: `sets` is {name: {kind: records}}, two of them."""
    kinds = list(next(iter(sets.values())))
    figure, axes = plt.subplots(figsize=(6.0, 0.5 * len(kinds) + 1.3), layout="constrained")
    said = []
    styles = (-0.15, dict(color="#0072B2", marker="o")), (0.15, dict(color="#D55E00", marker="s"))
    for (name, groups), (offset, style) in zip(sets.items(), styles):
        for number, kind in enumerate(kinds):
            accuracies, height = [100 * r.test_acc for r in groups[kind]], number + offset
            axes.plot(accuracies, [height] * len(accuracies), linestyle="none", markersize=5, alpha=0.8,
                      label=None if number else name, **style)
            if len(accuracies) > 1:
                axes.plot([np.mean(accuracies)] * 2, [height - 0.13, height + 0.13], color=style["color"])
            said.append(f"{kind} ({name}) {np.mean(accuracies):.2f}")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.invert_yaxis()
    axes.set_xlabel("test accuracy (%)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    figure.suptitle(f"{title}, {seeds(groups[kinds[0]])}", fontsize=10)
    return picture(figure, f"{title}, test accuracy in %, means over seeds: {', '.join(said)}.")


def kept(network):
    """Return the MiB that autograd keeps of a batch of 128 images 32x32 for the backward pass, in float32."""
    own = {p.data_ptr() for p in network.parameters()}

    def of(images):
        sizes = {}

        def note(tensor):
            if tensor.data_ptr() not in own:
                sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            _ = network(torch.zeros(images, 3, 32, 32))  # under a name, which holds all of it until it is counted
        return sum(sizes.values())

    one, two = of(1), of(2)
    return (one + 127 * (two - one)) / 2**20  # what a normalisation keeps of the batch as a whole is there once
