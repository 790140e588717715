"""What several tests need: a small data set, a small network, a run folder of one's own."""

import os

import pytest
import torch
from torch import nn

from common import data as datasets
from common.blocks import conv_block
from common.recipe import Recipe, Variant
from common.settings import Settings

os.environ.pop("RUNS_DIR", None)  # tests choose their own


@pytest.fixture(scope="session")
def tiny():
    """150 synthetic images to learn from and 50 to test on: a whole run takes a fraction of a second."""
    return datasets.Data("synthetic", "tiny", *datasets.draw(150, seed=3), *datasets.draw(50, seed=4))


def build():
    """A network of a few hundred parameters that has all that matters to a run: normalisation and dropout too."""
    return nn.Sequential(conv_block(3, 8, stride=2, dropout=0.1), conv_block(8, 10, stride=2), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten())


@pytest.fixture
def variant():
    return Variant(build, Recipe(epochs=2, batch_size=32, lr=0.05, flip=True, crop=2))


@pytest.fixture
def folders(tmp_path, monkeypatch, tiny):
    """Empty folders for records and runs, and the tiny set in place of the real ones."""
    from common import records, runs

    for module, name, folder in [(records, "RECORDS", "records"), (records, "RUNS", "runs"), (runs, "RUNS", "runs")]:
        monkeypatch.setattr(module, name, tmp_path / folder)
    monkeypatch.setattr(datasets, "load", lambda name, data_dir=None, images=0: tiny)
    return tmp_path


@pytest.fixture
def options():
    return Settings(dataset="synthetic", seeds=1, device="cpu")
