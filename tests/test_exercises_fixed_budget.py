"""A fixed budget: its networks keep to theirs, and its checks tell a wrong answer what is wrong with it."""

import math
import operator

import numpy as np
import pytest
import torch
from conftest import cells
from torch import nn

from common import inspect, plots_study


@pytest.fixture(scope="module")
def lab():
    return cells("fixed_budget")


def test_every_network_keeps_to_its_budget_and_spends_most_of_it(lab):
    assert sorted(name for names in lab["budgets"].values() for name in names) == sorted(lab["variants"])
    for budget, names in lab["budgets"].items():
        for name in names:
            network = lab["variants"][name].build()
            assert 0.96 * budget < inspect.keras_count(network) <= budget, name
            assert network(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_all_are_trained_alike_and_never_see_the_test_set(lab):
    recipe, *others = {v.recipe.model_dump_json(): v.recipe for v in lab["variants"].values()}.values()
    assert not others and recipe.validation == 0.1 and not recipe.follow_test


def test_the_recipe_is_that_of_level_3s_last_rung_as_the_page_says(lab):
    assert {v.recipe for v in lab["variants"].values()} == {cells("level_3")["variants"]["long"].recipe}


def test_shares_are_of_the_map_that_a_layer_writes():
    """By hand: 9·3·4 weights on 8x8, 9·4·8 on 4x4 and a dense layer of 8·10 + 10 after it; a map is used 64 and 16 times."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4, padding=1, bias=False), nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False),
                            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    said = plots_study.shares({"a": inspect.layers(network)}, "Shares").alt
    assert "a, parameters: 22 on 8×8, 78 on 4×4" in said  # 108 and 378
    assert "a, multiply–accumulates: 60 on 8×8, 40 on 4×4" in said  # 6,912 and 4,688


def root(budget, count):
    return (-4 + math.sqrt(16 + 36 * budget / count)) / 18


@pytest.mark.parametrize("answer, said", [
    (lambda budget, count: None, "Not yet: the function returns None"),
    (root, "Not yet: a number of channels is whole"),
    (lambda budget, count: math.ceil(root(budget, count)), "Not yet: these layers have more parameters than the budget."),
    (lambda budget, count: 1, "Not yet: for 294,112, 16 it gives 1, and it should give 44."),
    (lambda budget, count: int(root(budget, count)), "Right: "),
])
def test_widest(lab, answer, said):
    assert lab["check_widest"](answer).startswith(said)


def best(column, value, least=operator.le):
    return lambda all_, budget: max((name for name in all_ if least(all_[name][0], budget)),
                                    key=lambda name: value(all_[name][column]))


@pytest.mark.parametrize("answer, said", [
    (lambda candidates, budget: None, "Not yet: the function returns None"),
    (best(2, np.mean), "Not yet: that one is best on the test images."),
    (best(1, np.mean, lambda count, budget: True), "Not yet: that one is over the budget."),
    (best(1, max), "Not yet: that one has the best single run"),
    (best(1, sum), "Not yet: that one has the best single run"),
    (best(1, min), "Not yet: that one has the best of its worst seed"),
    (best(1, np.median), "Not yet: that one has the best of its worst seed"),
    (best(1, lambda values: values[-1]), "Not yet: that one has the best of its worst seed"),
    (best(1, lambda values: np.mean(values[:3])), "Not yet: that one is best in its first seeds"),
    (best(1, lambda values: min(values) + max(values)), "Not yet: that one has the best single run"),
    (best(1, lambda values: np.mean(values) + np.std(values)), "Not yet: that one has the best single run"),
    (lambda candidates, budget: "g", "Not yet: for {'a': "),
    (best(1, np.mean, operator.lt), "Not yet: a budget of 120,000 may be spent to the last one"),
    (best(1, np.mean), "Right: "),
])
def test_keep(lab, answer, said):
    assert lab["check_keep"](answer).startswith(said)
