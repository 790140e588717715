"""What is owed and in which order, how long it may take, and what a budget of time leaves out."""

from types import SimpleNamespace

import pytest
import torch
from one_lab import LAB, record, stopped

from common import labs, plan, recording
from common.errors import CourseError


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


def test_a_run_that_was_begun_takes_the_less(lab, capsys):
    record(1, "a_lab/two")
    took = labs.read_all()[0].took
    whole = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(2))[0]
    stopped(lab, "two", 1)
    rest = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(2))[0]
    assert plan.known(whole, labs.read_all()) == took and plan.known(rest, labs.read_all()) == took / 2
    plan.say_owed(labs.all_variants("a_lab/two"), labs.wanted(2), torch.device("cpu"))
    assert "(50% of seed 1 done)" in capsys.readouterr().out


def test_a_guess_follows_how_time_grew_with_arithmetic_here(lab):
    def ran(macs, took, variant="other"):
        return SimpleNamespace(lab="a_lab", variant=variant, recipe=job.variant.recipe, macs=macs, took=took)

    job = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(1))[0]
    macs = job.work / job.variant.recipe.epochs
    assert plan.expected(job, []) is None
    assert plan.expected(job, [ran(macs / 10, 3.0)]) == pytest.approx(30)  # of a single size nothing but the proportion
    # a hundred times the arithmetic took ten times as long, so ten times takes the root of ten
    both = [ran(macs / 1000, 1.0), ran(macs / 10, 10.0)]
    assert plan.expected(job, both) == pytest.approx(10 * 10**0.5)
    assert plan.expected(job._replace(done=0.5), both) == pytest.approx(5 * 10**0.5)
    assert plan.expected(job, [ran(macs / 1000, 4.0), ran(macs / 10, 4.0)]) == pytest.approx(4)
    assert plan.expected(job, [ran(macs / 100, 9.0), ran(macs / 10, 4.0)]) == pytest.approx(6)  # nor less for more
    assert plan.expected(job, [ran(macs / 100, 1.0), ran(macs / 10, 1000.0)]) == pytest.approx(10**0.5 * 1000**0.5 * 10)
    assert plan.expected(job, [*both, ran(macs, 7.0, "two")]) == 7


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


@pytest.mark.parametrize("text, amount", [("25m", 1500), ("90s", 90), ("1.5h", 5400), ("", None)])
def test_budgets(text, amount):
    assert plan.seconds(text) == amount


def test_a_budget_that_is_no_time_is_refused():
    with pytest.raises(CourseError, match="The budget '25 minutes' is no time: .* as in BUDGET=25m"):
        plan.seconds("25 minutes")


def test_a_budget_is_for_all_runs_together(lab, monkeypatch):
    now, run = [0.0], recording.run

    def takes_ten(*given):
        now[0] += 10
        return run(*given[:5])

    monkeypatch.setattr(recording, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(recording, "known", lambda job, here: 10.0)
    monkeypatch.setattr(recording, "run", takes_ten)
    record(2, budget=25)
    assert len(labs.read_all()) == 2


def test_the_time_to_go_is_shared_by_runs_at_once(lab, capsys, monkeypatch):
    monkeypatch.setattr(recording, "expected", lambda job, here: 60.0)
    monkeypatch.setattr(recording, "running", lambda: 2)
    jobs = plan.owed(labs.all_variants(), labs.wanted(1))
    recording.say_progress(jobs[0], jobs, 3, [], 5)
    assert capsys.readouterr().out == "== 1 of 3 runs done, 2 running, 2 left, 5 s gone, about 60 s to go: a_lab one seed 0\n"


def test_a_guess_by_arithmetic_may_be_twice_too_high(lab, monkeypatch):
    monkeypatch.setattr(recording, "known", lambda job, here: None)
    monkeypatch.setattr(recording, "expected", lambda job, here: 90.0)
    record(1, "a_lab/one", budget=60)
    assert len(labs.read_all()) == 1


def test_the_time_of_another_recipe_is_not_known_to_be_this_ones(lab):
    record(1, "a_lab/two")
    lab.write_text(LAB.replace("lr=0.1, statistics", "lr=0.2, statistics"))
    job = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(1))[0]
    assert plan.known(job, labs.read_all()) is None


def test_half_of_a_run_is_expected_to_take_half_of_its_time(lab):
    record(1, "a_lab/one")
    job, found = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(1))[0], labs.read_all()
    assert plan.expected(job._replace(done=0.5), found) == pytest.approx(plan.expected(job, found) / 2)


def test_what_is_owed_is_not_timed_by_another_device(lab, capsys, monkeypatch):
    record(1, "a_lab/one")
    capsys.readouterr()
    monkeypatch.setattr(plan, "device_name", lambda device: "another")
    plan.say_owed(labs.all_variants(), labs.wanted(2), torch.device("cpu"))
    assert "about" not in capsys.readouterr().out


def test_a_cpu_without_records_of_its_own_is_guessed_from_those_that_do_not_tell_its_family():
    old, new = SimpleNamespace(device="AMD EPYC, AVX512"), SimpleNamespace(device="AMD EPYC (family 26, model 2), AVX512")
    others = [SimpleNamespace(device=name) for name in ("AMD EPYC", "NVIDIA H100", "AMD EPYC (family 25, model 17), AVX512")]
    assert plan.of_device([old, new, *others], new.device) == [new]
    assert plan.of_device([old, *others], new.device) == [old]
    assert plan.of_device([new, *others], "NVIDIA H200") == []


def test_a_network_changed_under_its_name_is_not_known(lab):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace("stride=4", "stride=1"))
    job = plan.owed(labs.all_variants("a_lab/one"), labs.wanted(1))[0]
    assert plan.known(job, labs.read_all()) is None
    assert plan.expected(job, labs.read_all()) == pytest.approx(labs.read_all()[0].took * 225 / 16, rel=0.5)


def test_a_network_of_no_counted_arithmetic_has_a_guess(lab):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace("nn.Conv2d(3, 10, 3, stride=4)", "nn.Flatten(), nn.Unflatten(1, (3072, 1, 1)), nn.BatchNorm2d(3072)"))
    job = plan.owed(labs.all_variants("a_lab/two"), labs.wanted(1))[0]
    assert 0 < plan.expected(job, labs.read_all()) < float("inf")


def test_a_network_that_takes_no_images_is_named(lab):
    lab.write_text(LAB.replace('variants["two"] = Variant(build', 'variants["two"] = Variant(lambda: nn.Conv2d(4, 10, 3)'))
    with pytest.raises(CourseError, match="The network of a_lab/two cannot be built, or takes no images of 3×32×32 .RuntimeError"):
        plan.owed(labs.all_variants(), labs.wanted(1))


def test_a_network_that_cannot_be_trained_stops_no_other(lab, capsys):
    lab.write_text(LAB.replace('{"one": Variant(build', '{"one": Variant(lambda: nn.Sequential(build(), nn.Linear(10, 12))'))
    with pytest.raises(CourseError, match="These runs failed: a_lab one seed 0. "):
        record(1)
    assert "given up: The network of a_lab/one gives (2, 12) for two images" in capsys.readouterr().out
    assert [r.variant for r in labs.read_all()] == ["two"]


def test_only_the_imports_of_a_labs_first_cell_are_done_all_names_of_a_star_too(lab):
    lab.write_text(LAB.replace("from torch import nn\n", "import torch\nfrom torch.nn import *\ntorch.set_num_threads('x')\n")
                   .replace("nn.Flatten", "Flatten").replace("from common.recipe", "from torch import nn\nfrom common.recipe"))
    assert labs.variants(lab).keys() == {"one", "two"}


def test_what_is_wrong_in_a_labs_cell_is_found_where_it_stands(lab):
    lab.write_text(LAB.replace("lr=0.1)", "lr=0)", 1))
    with pytest.raises(CourseError, match=r"In the lab .*a_lab.py: The recipe's lr is 0"):
        labs.variants(lab)
    lab.write_text(LAB.replace('Variant(build, Recipe(epochs=2', 'Variant(built, Recipe(epochs=2'))
    with pytest.raises(NameError) as error:
        labs.variants(lab)
    line = error.traceback[-1].lineno  # counted from 0
    assert "Variant(built, " in lab.read_text().splitlines()[line]
