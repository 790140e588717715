"""Assignment 6A: its networks are the source's, its rungs differ in one step, its checks say what is wrong."""

import math

import pytest
import torch
from conftest import cells, papermill, printed, rates
from torch import nn

from common import data as datasets
from common import inspect


@pytest.fixture(scope="module")
def lab():
    return cells("assignment_6a")


def test_one_rung_alone(tmp_path):
    done = papermill("assignment_6a", tmp_path / "out.ipynb", tmp_path / "runs", "rung=3", "epochs=1",
                     "dataset=synthetic", "images=60", "device=cpu")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("runs/assignment_6a/*")] == ["rung_3"]
    assert "Rung 3 fewer kernels, seed 0: test accuracy" in "".join(printed(tmp_path / "out.ipynb"))


def test_rung_9(tmp_path):
    done = papermill("assignment_6a", tmp_path / "out.ipynb", tmp_path / "runs", "rung=9")
    assert done.returncode != 0 and "The parameter rung is 9, but it must be a rung from 0 to 7" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_networks_are_the_sources(lab):
    built = {name: variant.build() for name, variant in lab["variants"].items()}
    assert [inspect.parameters(built[f"as_run_{name}"]) for name in ("base", "refactored", "final")] == [
        1_172_410, 649_656, 293_260]
    assert [inspect.parameters(built[f"rung_{n}"]) for n in (0, 2, 7)] == [1_172_410, 649_656, 293_260]
    norms = [m.num_features for m in built["as_run_final"].modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms == [64, 128, 32, 64, 128, 10] and inspect.parameters(built["as_run_final"]) + 2 * sum(norms) == 294_112
    for name in ("as_run_refactored", "as_run_final"):
        rows = inspect.layers(built[name])
        rows = rows[rows.layer.str.contains("3×3|7×7|MaxPool")]
        assert rows.field.tolist() == [3, 5, 7, 8, 12, 16, 18, 26, 34, 58]
        assert rows.height.tolist() == [32, 32, 30, 15, 15, 15, 7, 7, 7, 1]
    assert inspect.layers(built["as_run_base"]).height.tolist().count(2) > 0  # the last map of the base is 2x2


def test_the_sources_networks_see_pixels(lab):
    images = datasets.draw(4, seed=0)[0]
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
    assert torch.allclose(lab["Pixels"]()(datasets.normalise(images, mean, std)), images / 255, atol=1e-6)


def test_first_weights_are_those_of_keras(lab):
    dense = next(m for m in lab["variants"]["rung_0"].build() if isinstance(m, nn.Linear))
    assert dense.bias.abs().max() == 0 and 0.99 < dense.weight.abs().max() / math.sqrt(6 / (768 + 512)) <= 1


def test_each_rung_takes_one_step(lab):
    recipes = [lab["variants"][f"rung_{n}"].recipe.model_dump() for n in range(8)]
    changed = [{k for k in new if new[k] != old[k]} for old, new in zip(recipes, recipes[1:])]
    assert changed == [set()] * 5 + [{"zoom", "flip"}, {"lr", "schedule", "step_size", "factor", "min_lr"}]
    printed = [repr(lab["variants"][f"rung_{n}"].build()) for n in range(8)]
    assert len(set(printed)) == 6 and printed[5] == printed[6] == printed[7]


def test_equal_sets_of_steps_are_one_variant(lab):
    assert lab["name_of"]({"norm"}) == "rung_4" and lab["name_of"](["schedule", "norm", "augmentation", "dropout"]) == "rung_7"
    pairs = [(repr(v.build()), v.recipe.model_dump_json()) for v in lab["variants"].values()]
    assert len(set(pairs)) == len(pairs) == 17


def test_the_last_step_is_split_into_a_higher_rate_and_its_decay(lab):
    six, between, seven = (lab["variants"][name] for name in ("rung_6", "higher_rate", "rung_7"))
    assert repr(six.build()) == repr(between.build()) == repr(seven.build())
    assert between.recipe == six.recipe.plus(lr=seven.recipe.lr)
    differ = {k for k, v in seven.recipe.model_dump().items() if v != getattr(between.recipe, k)}
    assert differ == {"schedule", "step_size", "factor", "min_lr"}


def test_the_schedule_is_the_one_that_was_defined(lab):
    """Which the source wrote as a function of the epoch, counted from 0, and of the rate so far."""
    rate = 0.003
    for epoch, ours in enumerate(rates(lab["variants"]["rung_7"].recipe, 100)):
        if epoch % 3 == 0 and epoch:
            rate = max(0.9 * rate, 0.0005)
        assert ours == pytest.approx(rate)
    assert lab["variants"]["as_run_final"].recipe.schedule == "constant"  # but never passed


def field(double=False, early=False, pools=True, any_stride=True):
    def answer(pairs):
        side, jump = 1, 1
        for kernel, stride in pairs:
            stride = stride if any_stride else min(stride, 2)
            if double and stride > 1:
                side *= 2
                continue
            jump *= stride if early else 1
            side += (kernel - 1) * jump if pools or stride == 1 else 0
            jump *= 1 if early else stride
        return side
    return answer


@pytest.mark.parametrize("answer, said", [
    (lambda pairs: None, "Not yet: the function returns None"),
    (field(double=True), "Not yet: a pooling does not double the field"),
    (field(early=True), "Not yet: the pooling's own kernel still takes the old jump"),
    (field(pools=False), "Not yet: for [(3, 1), (3, 1), (3, 1), (2, 2)] it gives 7, and it should give 8."),
    (lambda pairs: 1 + sum(k - 1 for k, _ in pairs), "Not yet: after a stride, neighbours lie further apart"),
    (lambda pairs: 2 + 2 * len(pairs), "Not yet: for [(3, 1)] it gives 4, and it should give 3."),
    (field(any_stride=False), "Not yet: for [(7, 3), (3, 1)] it gives 11, and it should give 13."),
    (field(), "Right: "),
])
def test_field(lab, answer, said):
    assert lab["check_field"](answer).startswith(said)


def drops(start, factor, floor):
    return math.ceil(math.log(floor / start) / math.log(factor))


@pytest.mark.parametrize("answer, said", [
    (lambda s, f, e, low: None, "Not yet: the function returns None"),
    (lambda s, f, e, low: drops(s, f, low), "Not yet: that is the number of drops"),
    (lambda s, f, e, low: e * drops(s, f, low), "Not yet: that is the epoch counted from 0"),
    (lambda s, f, e, low: e * (drops(s, f, low) - 1) + 1, "Not yet: for 0.003, 0.9, 3, 0.0005 it gives 52, and it should give 55."),
    (lambda s, f, e, low: 100, "Not yet: for 0.003, 0.9, 3, 0.0005 it gives 100, and it should give 55."),
    (lambda s, f, e, low: e * math.floor(math.log(low / s) / math.log(f) + 1) + 1, "Not yet: for 1.0, 0.5, 10, 0.25 it gives 31"),
    (lambda s, f, e, low: e * drops(s, f, low) + 1, "Right: "),
])
def test_floor(lab, answer, said):
    assert lab["check_floor"](answer).startswith(said)
