"""`make record` and `make verify`, over a lab that the test writes."""

import sys

import pytest
import torch

from common import checkpoint, labs, plan, recording, records, runs, settings, train
from common import data as datasets
from common.errors import CourseError

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
    with pytest.raises(CourseError, match="no variant a_lab/three: choose from a_lab/one, a_lab/two"):
        record(1, "a_lab/three")


@pytest.mark.parametrize("change", [("lr=0.1", "lr=0.2"), ("stride=4", "stride=2"), ('"one"', '"uno"')])
def test_a_record_that_its_lab_no_longer_asks_for_is_named(lab, change):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace(*change))
    if change[1] != '"uno"':  # a fresh run beside it in runs/ does not make a stale record good
        runs.runs("a_lab", "one", labs.variants(lab)["one"], settings.read(dict(device="cpu")))
    with pytest.raises(CourseError, match="one/seed-0.json is of a run that its lab does not ask for"):
        labs.verify("")


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


def test_every_variants_first_seed_comes_first_and_the_cheapest_lab_before_others(lab, folders):
    dear = LAB.replace("Recipe(epochs=1", "Recipe(epochs=50").replace("uno", "one")
    (lab.parent / "a_dear_lab.py").write_text(dear)
    planned = [(job.lab, job.name, job.seed) for job in plan.owed(labs.all_variants(), labs.wanted(2))]
    first = [("a_lab", "one"), ("a_lab", "two"), ("a_dear_lab", "one"), ("a_dear_lab", "two")]
    assert planned == [(*v, seed) for seed in (0, 1) for v in first]
    (folders / "runs" / "a_lab" / "two").mkdir(parents=True)
    (folders / "runs" / "a_lab" / "two" / "seed-0-0123abcd.checkpoint").touch()  # of an older recipe: of no use
    stopped(lab, "two", 1)
    resumed = plan.owed(labs.all_variants(), labs.wanted(2))
    assert [(job.name, job.seed, job.done) for job in resumed][:2] == [("two", 1, 0.5), ("one", 0, 0)]
    assert len(resumed) == len(planned)


def stopped(lab, name, seed, epochs=1):
    """Leave what is kept of a run after some epochs, as far as a plan looks at it."""
    wanted = records.identity("cifar10", labs.variants(lab)[name], seed)
    kept = dict(network={}, optimizer={}, scheduler={}, history=[{}] * epochs)
    torch.save(kept, runs.place(lab.stem, name, wanted).with_suffix(".checkpoint"))


def test_a_run_that_was_begun_takes_the_less(lab, capsys):
    record(1, "a_lab/two")
    took = labs.read_all()[0].took
    whole = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(2))[0]
    stopped(lab, "two", 1)
    rest = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(2))[0]
    assert plan.known(whole, labs.read_all()) == took and plan.known(rest, labs.read_all()) == took / 2
    plan.say_owed(labs.all_variants("a_lab/two"), labs.wanted(2), torch.device("cpu"))
    assert "(50% of seed 1 done)" in capsys.readouterr().out


def test_a_record_that_is_replaced_leaves_no_weights_of_the_old_one(lab, folders):
    record(1, "a_lab/one")
    beside = folders / "records" / "a_lab" / "one"
    (beside / "seed-0.safetensors").rename(beside / "seed-0.other")
    new = runs.run("a_lab", "one", labs.variants(lab)["one"], 0, settings.read(dict(device="cpu", retrain=True)))
    recording.promote(new)
    assert sorted(path.name for path in beside.iterdir()) == ["seed-0.json", "seed-0.npz", "seed-0.safetensors"]


def test_seeds_are_what_the_parameters_of_a_lab_say(lab):
    assert labs.seeds(lab) == 4 and labs.wanted() == {"a_lab": 4} and labs.wanted(2) == {"a_lab": 2}


def test_what_is_owed_is_said_and_nothing_trained(lab, capsys):
    record(1, "a_lab/one")
    capsys.readouterr()
    plan.say_owed(labs.all_variants(), labs.wanted(2), torch.device("cpu"))
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("a_lab one: 280 parameters, 1 epochs, seeds 1, about")
    assert said[1].startswith("a_lab two: 280 parameters, 2 epochs, seeds 0, 1, about")
    assert said[2].startswith("3 runs are owed, about") and len(labs.read_all()) == 1


def test_a_budget_begins_nothing_it_does_not_suffice_for(lab, capsys, monkeypatch):
    record(1, "a_lab/one")
    record(2, budget=1e-6)
    said = capsys.readouterr().out
    assert len(labs.read_all()) == 1 and "the time is over\n" in said and "3 are missing still.\n" in said
    monkeypatch.setattr(recording, "known", lambda job, here: 1e9)
    record(2, budget=60)
    said = capsys.readouterr().out
    assert len(labs.read_all()) == 1 and "would not be finished in time" in said and "3 did not fit into the time" in said


def test_a_run_that_turns_out_too_long_is_laid_aside_and_goes_on_another_time(lab, folders, capsys, monkeypatch):
    monkeypatch.setattr(recording, "expected", lambda job, here: None)  # as on a device without records
    lab.write_text(LAB.replace("Recipe(epochs=2", "Recipe(epochs=100000"))
    record(1, budget=20)
    said = capsys.readouterr().out
    assert [r.variant for r in labs.read_all()] == ["one"] and "laid aside: a_lab two seed 0 needs" in said
    kept = list((folders / "runs").rglob("*.checkpoint"))
    assert len(kept) == 1 and len(torch.load(kept[0], weights_only=True)["history"]) == 2


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


def test_a_budget_begins_nothing_that_by_its_arithmetic_is_far_too_long(lab, capsys):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace("Recipe(epochs=2", "Recipe(epochs=1_000_000"))
    record(1, budget=20)
    assert "a_lab two seed 0\n   would not be finished in time\n" in capsys.readouterr().out


def test_times_of_another_device_say_nothing_of_a_budget_here(lab, monkeypatch):
    record(1)
    monkeypatch.setattr(recording, "known", lambda job, here: 1e9 if here else None)
    monkeypatch.setattr(recording, "device_name", lambda device: "another")
    record(2, "a_lab/one", budget=60)
    assert [(r.variant, r.seed) for r in labs.read_all()] == [("one", 0), ("one", 1), ("two", 0)]


def test_a_run_of_a_variant_without_a_record_is_expected_to_take_its_share_of_the_arithmetic(lab):
    record(1, "a_lab/one")
    short, long = labs.read_all()[0], plan.owed(labs.all_variants("a_lab/two"), labs.wanted(1))[0]
    assert plan.expected(long, [short]) == pytest.approx(2 * short.took) and plan.expected(long, []) is None
    record(1, "a_lab/two")
    twice, other = labs.read_all()[1], plan.owed(labs.all_variants("a_lab/one"), labs.wanted(2))[0]
    assert plan.expected(other, [twice]) == pytest.approx(twice.took / 2)


def test_retraining_begins_anew_where_a_run_was_stopped(lab, monkeypatch):
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
    assert len(lines) == 2


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


@pytest.mark.parametrize("text, amount", [("25m", 1500), ("90s", 90), ("1.5h", 5400), ("", None)])
def test_budgets(text, amount):
    assert plan.seconds(text) == amount


def test_a_budget_that_is_no_time_is_refused():
    with pytest.raises(CourseError, match="The budget '25 minutes' is no time: .* as in BUDGET=25m"):
        plan.seconds("25 minutes")


def test_the_bar_of_progress_counts(lab, capsys):
    record(1)
    said = capsys.readouterr().out
    assert "== 0 of 2 runs done" in said and "== 1 of 2 runs done" in said and "a_lab two seed 0" in said
    assert "2 runs put on record" in said and "nothing is missing" in said
