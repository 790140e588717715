"""`make record` and `make verify`, over a lab that the test writes."""

import pytest

from common import labs, records, runs, settings, train
from common import data as datasets
from common.errors import CourseError

LAB = '''# %% [markdown]
# # A lab

# %% tags=["imports"]
from torch import nn

from common.recipe import Recipe, Variant

# %% tags=["parameters"]
epochs: int = 0

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
    monkeypatch.setattr(labs, "RECORDS", folders / "records")
    monkeypatch.setattr(datasets, "ROOT", folders)
    monkeypatch.setattr(labs, "read_all", lambda: records.read_all(folders / "records"))
    return path


def test_only_a_labs_imports_and_variants_are_executed(lab):
    assert {name: v.recipe.epochs for name, v in labs.variants(lab).items()} == {"one": 1, "two": 2}


def test_what_is_missing_is_trained_and_put_on_record_and_holds(lab, monkeypatch, capsys):
    labs.record(seeds=2, data_dir="", device="cpu", only="")
    assert [(r.variant, r.seed) for r in labs.read_all()] == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    labs.verify("")
    assert "4 records hold." in capsys.readouterr().out
    monkeypatch.setattr(runs, "train", lambda *a: pytest.fail("trained again"))
    labs.record(seeds=2, data_dir="", device="cpu", only="")


def test_only_one_variant(lab):
    labs.record(seeds=1, data_dir="", device="cpu", only="a_lab/two")
    assert [r.variant for r in labs.read_all()] == ["two"]
    with pytest.raises(CourseError, match="The parameter seeds is 0, but it must be a whole number of seeds, 1 or more"):
        labs.record(seeds=0, data_dir="", device="cpu", only="")
    with pytest.raises(CourseError, match="no variant a_lab/three: choose from a_lab/one, a_lab/two"):
        labs.record(seeds=1, data_dir="", device="cpu", only="a_lab/three")


@pytest.mark.parametrize("change", [("lr=0.1", "lr=0.2"), ("stride=4", "stride=2"), ('"one"', '"uno"')])
def test_a_record_that_its_lab_no_longer_asks_for_is_named(lab, change):
    labs.record(seeds=1, data_dir="", device="cpu", only="a_lab/one")
    lab.write_text(LAB.replace(*change))
    if change[1] != '"uno"':  # a fresh run beside it in runs/ does not make a stale record good
        runs.runs("a_lab", "one", labs.variants(lab)["one"], settings.read(dict(device="cpu")))
    with pytest.raises(CourseError, match="one/seed-0.json is of a run that its lab does not ask for"):
        labs.verify("")


def test_an_interrupted_run_leaves_the_records_of_the_finished_ones(lab, monkeypatch):
    real, calls = train.train, []

    def interrupted_at_the_third(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(runs, "train", interrupted_at_the_third)
    with pytest.raises(CourseError, match="Stopped in a_lab one seed 1"):
        labs.record(seeds=2, data_dir="", device="cpu", only="")
    assert [(r.variant, r.seed) for r in labs.read_all()] == [("one", 0), ("two", 0)]
