"""A folder of one lab of two variants that train in no time, in place of the course's labs."""

import pytest
import torch

from common import data as datasets
from common import labs, plan, recording, records, runs, settings

LAB = '''# %% [markdown]
# # A lab

# %% tags=["imports"]
from torch import nn

from common.recipe import Recipe, Variant

# %% tags=["parameters"]
epochs: int = 0
seeds: int = 4

# %% tags=["variants"]
def build():
    return nn.Sequential(nn.Conv2d(3, 10, 3, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten())


variants = {"one": Variant(build, Recipe(epochs=1, lr=0.1))}

# %%
raise RuntimeError("the rest of a lab is not run")

# %% tags=["variants"]
variants["two"] = Variant(build, Recipe(epochs=2, lr=0.1, statistics="test"))
'''


@pytest.fixture
def lab(folders, monkeypatch):
    path = folders / "labs" / "a_lab.py"
    path.parent.mkdir()
    path.write_text(LAB)
    monkeypatch.setattr(labs, "LABS", path.parent)
    monkeypatch.setattr(recording, "RECORDS", folders / "records")
    monkeypatch.setattr(datasets, "ROOT", folders)
    monkeypatch.setattr(recording, "RUNS", folders / "runs")
    for module in (labs, plan):
        monkeypatch.setattr(module, "read_all", lambda: records.read_all(folders / "records"))
    return path


def record(seeds=1, only="", budget=None):
    recording.record(labs.all_variants(only), labs.wanted(seeds), settings.read(dict(device="cpu")), budget)


def stopped(lab, name, seed, epochs=1):
    """Leave what is kept of a run after some epochs, as far as a plan looks at it."""
    wanted = records.identity("cifar10", labs.variants(lab)[name], seed)
    kept = dict(network={}, optimizer={}, scheduler={}, history=[{}] * epochs)
    path = runs.place(lab.stem, name, wanted).with_suffix(".checkpoint")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(kept, path)
