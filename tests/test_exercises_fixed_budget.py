"""A fixed budget: its networks keep to theirs, and its checks tell a wrong answer what is wrong with it."""

import math

import numpy as np
import pytest
import torch
from conftest import cells

from common import inspect


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


def root(budget, count):
    return (-4 + math.sqrt(16 + 36 * budget / count)) / 18


@pytest.mark.parametrize("answer, said", [
    (lambda budget, count: None, "Not yet: the function returns None"),
    (root, "Not yet: 44."),
    (lambda budget, count: math.ceil(root(budget, count)), "Not yet: 16 layers of 45 channels have 294,480"),
    (lambda budget, count: 1, "Not yet: 16 layers of 1 channels fit into 294,112, and wider ones would, too."),
    (lambda budget, count: int(root(budget, count)), "Right: "),
])
def test_widest(lab, answer, said):
    assert lab["check_widest"](answer).startswith(said)


def best(column, value, within=True):
    return lambda all_, budget: max((name for name in all_ if not within or all_[name][0] <= budget),
                                    key=lambda name: value(all_[name][column]), default=None)


@pytest.mark.parametrize("answer, said", [
    (lambda candidates, budget: None, "Not yet: the function returns None"),
    (best(2, np.mean), "Not yet: that one is best on the test images."),
    (best(1, np.mean, within=False), "Not yet: that one is over the budget."),
    (best(1, max), "Not yet: that one has the best single run"),
    (best(1, sum), "Not yet: that one has the best single run"),
    (lambda candidates, budget: "e", "Not yet: 'e' is none of the candidates."),
    (lambda candidates, budget: best(1, np.mean)(candidates, budget - 1), "Not yet: within 90,000 parameters it is 'a'"),
    (best(1, np.mean), "Right: "),
])
def test_keep(lab, answer, said):
    assert lab["check_keep"](answer).startswith(said)
