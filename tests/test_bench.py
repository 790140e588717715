"""The benchmark: it measures three loops and says what it saw. How fast they are is not for a test."""

import json
import os
import subprocess
import sys

import pytest
import torch
from conftest import build

from common import bench, choices, costs, labs, loops, processes, steps, whole_runs
from common import data as datasets
from common.train import has_bf16_units


def test_it_measures_each_loop_and_writes_what_it_saw(tmp_path, monkeypatch):
    command = [sys.executable, "-m", "common.bench", "--dataset", "synthetic", "--device", "cpu", "--repeats", "2",
               "--seconds", "0.05", "--networks", "level_1", "--batches", "64", "--parts", "loops", "--out", tmp_path]
    bare = {name: value for name, value in os.environ.items() if name not in bench.ALLOCATOR}
    done = subprocess.run(command, capture_output=True, text=True, cwd=datasets.ROOT, env=bare)
    assert done.returncode == 0, done.stderr
    assert "Not kept for the book: on a CPU it measures with the allocator's settings" in done.stdout
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert [row["loop"] for row in rows] == ["usual", "ours", "ceiling"]
    for row in rows:
        assert {k: row[k] for k in ("network", "batch", "device")} == dict(network="level_1", batch=64, device="cpu")
        assert 0 < row["slowest"] <= row["images_per_s"] <= row["fastest"] and row["peak_mib"] > 100
    assert "ours / usual" in done.stdout and len(list(tmp_path.iterdir())) == 2
    kept, = (json.loads(path.read_text()) for path in tmp_path.iterdir() if path.name != "bench.json")
    assert kept["loops"] == rows and not kept.keys() & set(bench.PARTS[1:])


def test_a_batch_larger_than_the_set_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--device", "cpu", "--dataset", "synthetic", "--batches", "64", "2001"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "the 2,000 images of synthetic make no batch of 2,001" in capsys.readouterr().err


def test_it_goes_to_the_book_when_all_parts_are_there_though_measured_in_several_goes(tmp_path, monkeypatch, tiny):
    monkeypatch.setattr(datasets, "load", lambda name: tiny)
    monkeypatch.setattr(bench, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(bench, "measure", lambda *given: [
        dict(network=given[0], batch=given[1], loop=loop, images_per_s=1.0, peak_mib=1) for loop in loops.LOOPS])
    for part in bench.PARTS[1:]:
        monkeypatch.setattr(bench, part, lambda *given, part=part: part)
    for variable in bench.ALLOCATOR:
        monkeypatch.setenv(variable, "1")

    def measure(*parts):
        monkeypatch.setattr(sys, "argv", ["bench", "--device", "cpu", "--batches", "64", "128", "--out", str(tmp_path / "out"),
                                          "--parts", *parts])
        bench.main()

    measure("loops", "costs")
    assert not (tmp_path / "kept").exists()
    measure(*bench.PARTS[1:])
    kept, = (json.loads(path.read_text()) for path in (tmp_path / "kept").iterdir())
    assert set(bench.PARTS) < kept.keys() and kept["growth"] == "growth" and len(kept["loops"]) == 12
    assert kept["costs"] == dict(assignment_6b="costs")
    monkeypatch.setattr(bench, "KEPT", tmp_path / "others")
    measure("costs", "--repeats", "4")  # and what was measured otherwise does not count
    assert not (tmp_path / "others").exists()
    measure(*bench.PARTS[:-1])
    assert not (tmp_path / "others").exists()


def test_the_table_has_the_ratios():
    rows = [dict(network="n", batch=64, device="cpu", loop=loop, images_per_s=speed, peak_mib=1)
            for loop, speed in (("usual", 100), ("ours", 320), ("ceiling", 330))]
    assert bench.table(rows)[["ours / usual", "ours / ceiling"]].values.tolist() == [["3.20", "0.970"]]


def test_the_usual_loop_sees_the_images_that_it_is_given(tiny):
    shown = loops.Pictures(tiny.train_images, tiny.train_labels)
    shown.transform.transforms[:2] = []  # neither cropped nor flipped
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
    expected = datasets.normalise(tiny.train_images[:5], mean, std)
    for index in range(5):
        image, label = shown[index]
        assert label == tiny.train_labels[index] and torch.allclose(image, expected[index], atol=1e-5)


def test_a_line_through_points():
    start, slope, off = whole_runs.line([1, 2, 3, 4], [5, 7, 9, 11])
    assert (start, slope) == (pytest.approx(3), pytest.approx(2)) and off < 1e-9
    assert whole_runs.line([1, 2, 3], [1, 4, 9])[2] > 0.05


def test_three_loops_are_trained_over_the_same_seeds(tiny, monkeypatch):
    asked, train, used, evaluate = [], whole_runs.train, [], whole_runs.evaluate
    monkeypatch.setattr(whole_runs, "train", lambda *given, plain: (asked.append(plain), train(*given, plain=plain))[1])
    monkeypatch.setattr(whole_runs, "evaluate", lambda *given: (used.append(given[3:]), evaluate(*given))[1])
    found = whole_runs.agreement(build, tiny, "cpu", seeds=2, images=128, epochs=1)
    given = loops.Pictures(tiny.train_images, tiny.train_labels).transform.transforms[-1]
    assert [[each.tolist() for each in pair] for pair in used] == 2 * [  # the usual loop is judged as it was taught
        [torch.tensor(given.mean).tolist(), torch.tensor(given.std).tolist()]]
    assert asked == [False, True, False, True]
    assert [len(found[name]) for name in ("fast", "plain", "usual")] == [2, 2, 2]
    assert all(0 <= accuracy <= 1 for accuracies in found.values() for accuracy in accuracies)
    assert found["fast"] == found["plain"] or has_bf16_units(torch.device("cpu"))


def test_choices_are_each_a_step_that_trains(tiny, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda network: network)  # half a minute's work
    rows = choices.choices(build, tiny, torch.device("cpu"), batch_size=16, repeats=1, target=0.01)
    assert rows[0]["choice"] == "as we train" and len(rows) >= 4
    assert all(row["images_per_s"] > 0 and row["first_s"] > 0 for row in rows)


@pytest.mark.parametrize("bf16", [False, True])
def test_the_ceiling_is_a_step_that_learns(tiny, bf16):
    made = []
    images, labels = steps.one_batch(tiny, 32, torch.device("cpu"))
    step = steps.one_step(lambda: made.append(build()) or made[0], images, labels, torch.device("cpu"), bf16=bf16)
    before = torch.nn.functional.cross_entropy(made[0](images), labels).item()
    for _ in range(150):  # of 100 random starts the slowest is then at 0.70 of its first loss
        step()
    assert torch.nn.functional.cross_entropy(made[0](images), labels).item() < 0.8 * before


def test_the_usual_loop_learns(tiny):
    network, batches, step = loops.usual_loop(build, tiny, 32, torch.device("cpu"))
    batch = next(batches)
    losses = [step(batch)[0] for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_compiler_that_does_not_work_is_left_out_and_nothing_else(tiny, monkeypatch, capsys):
    def fails(network):
        def run(images):
            raise RuntimeError("Python.h: No such file or directory\nmore")
        return run

    monkeypatch.setenv("CC", "cc")
    monkeypatch.setattr(torch, "compile", fails)
    rows = choices.choices(build, tiny, torch.device("cpu"), batch_size=16, repeats=1, target=0.01)
    assert len(rows) >= 3 and "compiled" not in [row["choice"] for row in rows]
    assert "compiled: not measured, since the compiler does not work here (Python.h: No such file or directory)\n" \
        in capsys.readouterr().out


def test_one_thread_and_all_of_them_again():
    seen, before = [], torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        choices.on_one_thread(lambda: seen.append(torch.get_num_threads()))()
        assert seen == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_costs_are_of_each_variant_and_of_networks_as_they_are(tmp_path, monkeypatch):
    found = costs.costs("level_1", "cpu", repeats=1, target=0.01)
    offered = labs.variants(labs.LABS / "level_1.py")
    assert found.keys() == offered.keys()
    assert all(row["images_per_s"] > 0 and 10 < row["peak_mib"] < 1_000 for row in found.values())
    monkeypatch.setattr(costs, "KEPT", tmp_path)
    (tmp_path / "a.json").write_text(json.dumps(dict(machine="a", costs=dict(level_1=found))))
    (tmp_path / "b.json").write_text(json.dumps(dict(machine="b")))  # measured before there were costs
    assert costs.on_record("level_1", offered) == {"a": found}
    changed = offered | dict(repaired=offered["repaired"]._replace(build=build))
    assert costs.on_record("level_1", changed) == {}


def test_stacked_networks_learn_what_each_would_alone(tiny):
    images = datasets.normalise(tiny.train_images[:32], *datasets.statistics(tiny.train_images))
    labels = tiny.train_labels[:32]

    def plain():
        return torch.nn.Sequential(torch.nn.Conv2d(3, 10, 3, stride=4), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())

    torch.manual_seed(0)
    weights, step = choices.stacked_step(plain, images, labels, torch.device("cpu"))
    torch.manual_seed(0)
    alone = plain()
    assert torch.equal(weights["0.weight"][0], alone[0].weight)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.01, momentum=0.9)
    for _ in range(3):
        step()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(alone(images), labels).backward()
        optimizer.step()
    assert torch.allclose(weights["0.weight"][0], alone[0].weight, atol=1e-6)
    assert not torch.allclose(weights["0.weight"][0], weights["0.weight"][1], atol=1e-3)


def test_environment_is_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("ONE", "1")
    monkeypatch.delenv("TWO", raising=False)
    with processes.environment(ONE=None, TWO="2"):
        assert "ONE" not in os.environ and os.environ["TWO"] == "2"
    assert os.environ["ONE"] == "1" and "TWO" not in os.environ


def test_the_peak_is_of_this_process_and_not_of_its_parent():
    """getrusage charges a new process with its parent's memory: the parent's 600 MiB more must not show."""
    child = "from common.loops import peak_mib; a = peak_mib('cpu'); x = bytearray(200 << 20); print(a, peak_mib('cpu'))"
    parent = ("import subprocess, sys; held = bytearray(int(sys.argv[2]) << 20)\n"
              "for place in range(0, len(held), 4096): held[place] = 1\n"
              "subprocess.run([sys.executable, '-c', sys.argv[1]])")
    peaks = [list(map(int, subprocess.run([sys.executable, "-c", parent, child, str(held)], capture_output=True, text=True,
                                          check=True).stdout.split())) for held in (0, 600)]
    assert all(150 < after - before < 250 for before, after in peaks)
    assert abs(peaks[1][0] - peaks[0][0]) < 60
