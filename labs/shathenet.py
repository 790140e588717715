# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ShatheNet: a list of things to try

# %% tags=["imports"]
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import nn

from common import data, inspect, plots, plots_study, settings, show, stats
from common.blocks import Residual
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

# %% tags=["variants"]
class Pixels(nn.Module):
    """Take the loop's normalisation back: pixels from 0 to 1 again."""

    def __init__(self):
        super().__init__()
        for name, values in (("mean", [0.4914, 0.4822, 0.4465]),
                             ("std", [0.2470, 0.2435, 0.2616])):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))

    def forward(self, x):
        return x * self.std + self.mean


def same(n, m, kernel, stride):
    """Return a convolution padded as Keras does, drawn as the source's."""
    extra = kernel - stride  # if it is odd, one more to the right and below
    before, after = extra // 2, extra - extra // 2
    layer = nn.Conv2d(n, m, kernel, stride)
    nn.init.trunc_normal_(layer.weight, std=0.05, a=-0.1, b=0.1)
    nn.init.zeros_(layer.bias)
    return [nn.ZeroPad2d((before, after, before, after)), layer]


def fold(weight):
    """Return (m, n, 2, 2), which does at stride 1 what `weight`, (m, n, 7, 7),
    does at stride 6 on an image of which each pixel is repeated 6×6 times."""
    rows = torch.stack([weight[:, :, :6].sum(2), weight[:, :, 6]], 2)
    return torch.stack([rows[..., :6].sum(3), rows[..., 6]], 3)


def folded(large):
    """Return the folded form of a padded 7x7 convolution, (padding, layer)."""
    padding, layer = large
    small = nn.utils.skip_init(nn.Conv2d, 3, 16, 2)  # draws no random numbers
    small.weight.data, small.bias.data = fold(layer.weight.data), layer.bias.data
    return [padding, small]


def head(activation, dropout=0.0):
    """Return the source's layers from the last map, (32, 4, 4), to scores."""
    return [nn.MaxPool2d(2), nn.Flatten(),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.Linear(128, 32), activation(), nn.Linear(32, 10)]


def network(enlarged=False, raw=True, norm=False, activation=nn.ReLU,
            pooled=False, inserted=list, end=head):
    """Return version 1.0, or version 1.0 with one thing tried."""
    def then(m):
        return [*([nn.BatchNorm2d(m)] if norm else []), activation()]

    def block(n, m, kernel, stride):
        if pooled:
            return [*same(n, m, kernel, 1), *then(m), nn.MaxPool2d(stride)]
        return [*same(n, m, kernel, stride), *then(m)]

    first = same(3, 16, 7, 6)
    return nn.Sequential(
        *([Pixels()] if raw else []),
        *([nn.Upsample(scale_factor=6.0), *first] if enlarged
          else folded(first)), *then(16),
        *block(16, 16, 5, 4), *inserted(), *block(16, 32, 3, 2),
        *end(activation))


source = dict(batch_size=32, optimizer="adam", lr=0.001, schedule="constant")
variants = {
    "as_run": Variant(partial(network, enlarged=True), Recipe(
        epochs=60, **source,
        validation=0, follow_test=True, statistics="train")),
}

# %% tags=["variants"]
repaired = dict(epochs=20, **source, validation=0.1, follow_test=False,
                statistics="train")
variants |= {
    "enlarged": Variant(partial(network, enlarged=True), Recipe(**repaired)),
    "native": Variant(network, Recipe(**repaired)),
}

# %% tags=["variants"]
def average(activation):
    """Return a head without dense layers in between."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)]


def pair():
    """Return two convolutions from (16, 8, 8) to the same shape."""
    return nn.Sequential(*same(16, 16, 3, 1), nn.ReLU(inplace=True),
                         *same(16, 16, 3, 1))


def he():
    """Return the network with convolutions drawn after arXiv:1502.01852."""
    made = network()
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return made


def tried(build=network, **more):
    """Return the native variant with another network or other settings."""
    return Variant(build, Recipe(**repaired | more))


variants |= {
    "normalised": tried(partial(network, raw=False)),
    "augmented": tried(shift=0.15, rotate=45, affine_p=1.0, zoom=0.35),
    "flipped": tried(flip=True),
    "batch_norm": tried(partial(network, norm=True)),
    "he_init": tried(he),
    "decay": tried(weight_decay=1e-3),
    "dropout": tried(partial(network, end=partial(head, dropout=0.2))),
    "elu": tried(partial(network, activation=nn.ELU)),
    "pooled": tried(partial(network, pooled=True)),
    "sgd": tried(optimizer="sgd", lr=0.01, momentum=0.9),
    "smoothing": tried(label_smoothing=0.1),
    "average": tried(partial(network, end=average)),
    "cosine": tried(schedule="cosine"),
    "deeper": tried(partial(network, inserted=lambda: [pair(), nn.ReLU()])),
    "residual": tried(partial(
        network, inserted=lambda: [Residual(pair()), nn.ReLU()])),
}
