"""From steps and seconds to what the benchmark tells, with stand-ins for what takes time."""

from types import SimpleNamespace

import pytest
import torch
from conftest import build

from common import bench, choices, costs, labs, loops, whole_runs
from common import data as datasets


@pytest.fixture
def alone(monkeypatch):
    """No processes: each module's `process` and `end` do nothing."""
    for module in (bench, choices, costs, whole_runs):
        monkeypatch.setattr(module, "process", lambda *given, **more: (None, None))
        monkeypatch.setattr(module, "end", lambda workers: None)


def test_a_loop_has_as_many_images_a_second_as_its_batches_hold(alone, monkeypatch):
    monkeypatch.setattr(bench, "answer", lambda worker, steps: (steps / 10, 7))
    assert [row["images_per_s"] for row in bench.measure("n", 64, "synthetic", "cpu", 3, 1.0)] == pytest.approx([640] * 3)


def test_costs_are_images_over_seconds(alone, monkeypatch):
    monkeypatch.setattr(costs, "answer", lambda worker, steps: (steps / 10, 64 * steps, 7))
    assert [row["images_per_s"] for row in costs.costs("level_1", "cpu").values()] == pytest.approx([640, 640])


def test_peak_memory_is_what_came_on_top_and_all_images_are_learnt_from(monkeypatch):
    sent, counts, peaks, steps = [], [], iter((500, 520, 530)), iter((4, 8, 0))
    pipe = SimpleNamespace(recv=lambda: next(steps), send=lambda row: sent.append(row[1:]))
    monkeypatch.setattr(costs, "peak_mib", lambda device: next(peaks))
    monkeypatch.setattr(costs, "train", lambda build, data, recipe, *given, learnt: (
        counts.append((len(data.train_labels), recipe.validation, learnt, len(data.test_labels))), SimpleNamespace(history=[dict(seconds=9), dict(seconds=1)]))[1])
    costs._serve(pipe, "level_1", "repaired", "cpu")
    batch = labs.variants(labs.LABS / "level_1.py")["repaired"].recipe.batch_size
    assert sent == [(4 * batch, 20), (8 * batch, 30)] and counts == [(4 * batch, 0, 10, 10), (8 * batch, 0, 10, 10)]


def test_nor_does_our_loop_evaluate_more_than_a_few_images(tiny, monkeypatch):
    evaluated = []
    monkeypatch.setattr("common.train.evaluate", lambda network, images, labels, *given: (
        evaluated.append(len(images)), (1.0, 0.5, labels))[1])
    assert loops.ours(build, tiny, 8, torch.device("cpu"))(8) > 0
    assert evaluated == [10, 10]


def test_stacked_networks_count_each_for_itself(tiny, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda network: network)
    monkeypatch.setattr(choices, "seconds", lambda step, count: count / 10)
    rows = choices.choices(build, tiny, torch.device("cpu"), batch_size=16, repeats=1)
    assert [row["images_per_s"] for row in rows] == pytest.approx([160] * (len(rows) - 1) + [640])


def test_side_by_side_counts_the_images_of_all(alone, monkeypatch):
    sent = []
    monkeypatch.setattr(choices, "process", lambda *given, **more: (SimpleNamespace(send=sent.append), None))
    monkeypatch.setattr(choices, "answer", lambda each: (sent[-1] / 10, 7))
    assert choices.side_by_side("n", "synthetic", "cpu", 2) == dict(alone=640, together=1280, count=2)


def test_growth_is_of_the_images_and_epochs_that_it_says(alone, monkeypatch):
    asked = []
    monkeypatch.setattr(whole_runs, "process", lambda *given: asked.append(given[-2:]))
    monkeypatch.setattr(whole_runs, "answer", lambda alone: (asked[-1][0] - 1, 1.5, 7))
    rows = whole_runs.growth("level_1", "synthetic", "cpu")
    assert asked == whole_runs.GROWTH
    assert [(row["images"] + 1, row["epochs"]) for row in rows] == asked  # as many as were used, where there are fewer


def test_a_run_of_the_growth_counts_the_images_that_there_are():
    sent = []
    whole_runs._one(SimpleNamespace(send=sent.append), "level_1", "synthetic", "cpu", 10_000, 1)
    assert sent[0][0] == len(datasets.load("synthetic").train_images) < 10_000


def test_the_benchmark_asks_for_what_the_makefile_exports():
    lines = (datasets.ROOT / "Makefile").read_text().splitlines()
    assert tuple(line.split()[1] for line in lines if line.startswith("export ")) == bench.ALLOCATOR
