"""`make record` over a lab that the test writes, and the command line."""

import subprocess
import sys

import pytest
from one_lab import LAB, record, stopped

from common import checkpoint, labs, plan, recording, records, runs, settings, train
from common import data as datasets
from common.errors import CourseError


def test_only_a_labs_imports_and_variants_are_executed(lab):
    assert {name: v.recipe.epochs for name, v in labs.variants(lab).items()} == {"one": 1, "two": 2}


def test_what_is_missing_is_trained_and_put_on_record_and_holds(lab, monkeypatch, capsys):
    record(2)
    assert [(r.variant, r.seed) for r in labs.read_all()] == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    labs.verify("")
    assert "4 records hold." in capsys.readouterr().out
    monkeypatch.setattr(runs, "train", lambda *a, **k: pytest.fail("trained again"))
    record(2)


def test_only_one_variant(lab, monkeypatch):
    record(1, "a_lab/two")
    assert [r.variant for r in labs.read_all()] == ["two"]
    with pytest.raises(CourseError, match="The parameter seeds is 0, but it must be a whole number of seeds, 1 or more"):
        monkeypatch.setattr(sys, "argv", ["labs", "record", "--seeds", "0"])
        labs.main()
    with pytest.raises(CourseError, match="no lab or variant a_lab/three: did you mean a_lab/two"):
        record(1, "a_lab/three")


def test_an_interrupted_run_leaves_the_records_of_the_finished_ones(lab, monkeypatch):
    real, calls = train.train, []

    def interrupted_at_the_third(*arguments, **more):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **more)

    monkeypatch.setattr(runs, "train", interrupted_at_the_third)
    with pytest.raises(CourseError, match="Stopped in a_lab one seed 1"):
        record(2)
    assert [(r.variant, r.seed) for r in labs.read_all()] == [("one", 0), ("two", 0)]


def test_a_lab_is_read_where_there_is_nothing_to_draw_with(lab, monkeypatch):
    lab.write_text(LAB.replace("from torch import nn\n", "import matplotlib\nfrom pandas import DataFrame as D\nfrom torch import nn, cuda\n"))
    for missing in ("matplotlib", "pandas"):
        monkeypatch.setitem(sys.modules, missing, None)  # makes an import of it fail
    assert list(labs.variants(lab)) == ["one", "two"]


def test_a_record_that_is_replaced_leaves_no_weights_of_the_old_one(lab, folders):
    record(1, "a_lab/one")
    beside = folders / "records" / "a_lab" / "one"
    (beside / "seed-0.safetensors").rename(beside / "seed-0.other")
    new = runs.run("a_lab", "one", labs.variants(lab)["one"], 0, settings.read(dict(device="cpu", retrain=True)))
    recording.promote(new)
    assert sorted(path.name for path in beside.iterdir()) == ["seed-0.json", "seed-0.npz", "seed-0.safetensors"]


def test_seeds_are_what_the_parameters_of_a_lab_say(lab):
    assert labs.seeds(lab) == 4 and labs.wanted() == {"a_lab": 4} and labs.wanted(2) == {"a_lab": 2}


def test_what_jupyterlab_writes_beside_the_labs_is_none_of_them(lab):
    lab.with_name("Untitled.py").write_text("# %%\n1 + 1\n")
    lab.with_name("a_lab-Copy1.py").write_text(LAB)
    assert labs.wanted() == {"a_lab": 4} and {found[0] for found in labs.all_variants()} == {"a_lab"}


@pytest.mark.parametrize("change, said", [
    (("seeds: int = 4", "seed: int = 4"), "does not say how many seeds it shows: add seeds: int = 1"),
    (('# %% tags=["variants"]', "# %%"), "has no cell tagged variants")])
def test_a_lab_that_does_not_say_what_it_must_is_named(lab, change, said):
    lab.write_text(LAB.replace("seeds: int = 4", "seeds = 4"))
    assert labs.seeds(lab) == 4
    lab.write_text(LAB.replace(*change))
    with pytest.raises(CourseError, match=f"a_lab.py {said}"):
        labs.all_variants(), labs.wanted()


def test_a_damaged_checkpoint_keeps_no_other_from_the_record(lab, capsys):
    stopped(lab, "one", 0)  # holds no weights
    with pytest.raises(CourseError, match="These runs failed: a_lab one seed 0. The lines above"):
        record(1)
    assert [r.variant for r in labs.read_all()] == ["two"] and "given up: The checkpoint " in capsys.readouterr().out


def test_a_run_that_diverged_is_told_at_the_end_and_keeps_no_other_from_the_record(lab, capsys):
    lab.write_text(LAB.replace("epochs=1, lr=0.1", "epochs=1, lr=3e38"))
    with pytest.raises(CourseError, match="These runs failed: a_lab one seed 0. The lines above"):
        record(1)
    assert "given up: " in (said := capsys.readouterr().out) and "train again with a lower learning rate" in said
    assert [r.variant for r in labs.read_all()] == ["two"]


def test_a_network_that_fails_keeps_no_other_from_the_record(lab, capfd):
    lab.write_text(LAB.replace("Variant(build, Recipe(epochs=1", """Variant(lambda: Fails(*build()), Recipe(epochs=1""")
                   .replace("def build", """class Fails(nn.Sequential):
    def forward(self, images):
        if self.training:
            raise RuntimeError("no kernel for this")
        return super().forward(images)


def build"""))
    with pytest.raises(CourseError, match="These runs failed: a_lab one seed 0. The lines above"):
        record(1)
    assert [r.variant for r in labs.read_all()] == ["two"] and "no kernel for this" in capfd.readouterr().err


def test_retraining_goes_on_where_it_was_stopped_and_begins_anew_when_it_was_done(lab, monkeypatch):
    variant, again = labs.variants(lab)["two"], settings.read(dict(device="cpu", retrain=True))

    def stop(*state):
        checkpoint.save(*state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train, "save", stop)
        with pytest.raises(CourseError, match="Stopped in"):
            runs.run("a_lab", "two", variant, 0, again)
    lines = []
    monkeypatch.setattr(train, "line", lambda *given: lines.append(given) or "")
    runs.run("a_lab", "two", variant, 0, again)
    assert len(lines) == 1
    runs.run("a_lab", "two", variant, 0, again)
    assert len(lines) == 3


def test_what_is_kept_of_a_run_is_of_no_use_to_another_recipe(lab):
    variant = labs.variants(lab)["one"]
    other = variant._replace(recipe=variant.recipe.plus(lr=0.2))
    assert len({runs.place("a_lab", "one", records.identity("cifar10", each, 0)) for each in (variant, other)}) == 2


@pytest.mark.parametrize("words, called", [
    ("record --dry --only a_lab/one", ("say_owed", 1, dict(a_lab=4))), ("record --budget 2m --seeds 3", ("record", 2, dict(a_lab=3), 120)),
    ("record", ("record", 2, dict(a_lab=4), None)), ("record --jobs 3", ("in_processes", 3, "record --jobs 3 --jobs 1")),
    ("verify --data-dir d", ("verify", "d"))])
def test_the_command_line_does_what_it_says(lab, monkeypatch, words, called):
    done = []
    monkeypatch.setattr(sys, "argv", ["labs", *words.split()])
    monkeypatch.setattr(labs, "verify", lambda folder: done.append(("verify", folder)))
    monkeypatch.setattr(plan, "say_owed", lambda some, seeds, device: done.append(("say_owed", len(some), seeds)))
    monkeypatch.setattr(recording, "record", lambda some, seeds, options, budget: done.append(
        ("record", len(some), seeds, budget)))
    monkeypatch.setattr(recording, "in_processes", lambda jobs, command: done.append(
        ("in_processes", jobs, " ".join(command[3:]))))
    labs.main()
    assert done == [called]


def test_the_bar_of_progress_counts(lab, capsys):
    record(1)
    said = capsys.readouterr().out
    assert "== 0 of 2 runs done" in said and "== 1 of 2 runs done" in said and "a_lab two seed 0" in said
    assert "2 runs put on record" in said and "nothing is missing" in said


def test_a_record_of_an_older_recipe_does_not_count_as_done(lab):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace("lr=0.1", "lr=0.2"))
    record(1, "a_lab/one")
    assert [r.recipe.lr for r in labs.read_all()] == [0.2]
    labs.verify("")


def test_what_only_the_run_folder_holds_is_put_on_record_and_not_trained_again(lab, monkeypatch):
    runs.runs("a_lab", "one", labs.variants(lab)["one"], settings.read(dict(device="cpu")))
    monkeypatch.setattr(runs, "train", lambda *given, **more: pytest.fail("trained again"))
    record(1, "a_lab/one")
    assert [r.variant for r in labs.read_all()] == ["one"]


def test_a_record_of_the_book_goes_before_one_of_the_run_folder(lab, folders):
    record(1, "a_lab/one")
    runs.run("a_lab", "one", labs.variants(lab)["one"], 0, settings.read(dict(device="cpu", retrain=True)))
    found = runs.run("a_lab", "one", labs.variants(lab)["one"], 0, settings.read(dict(device="cpu")))
    assert found.path.is_relative_to(folders / "records")


@pytest.mark.parametrize("words, said", [
    ("book DRAFT=1", "-m common.book --draft"),
    ("record SEEDS=5 BUDGET=25m JOBS=2 DRY=1 ONLY=level_1",
     "-m common.labs record --seeds 5 --budget 25m --jobs 2 --dry --only level_1")])
def test_make_passes_on_what_it_is_told(words, said):
    done = subprocess.run(["make", "-n", "-o", ".venv/ready", *words.split()], cwd=datasets.ROOT, capture_output=True, text=True)
    assert said in " ".join(done.stdout.replace("\\\n", " ").split()), done
