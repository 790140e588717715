"""Checks of Level 4's exercises tell a wrong answer what is wrong with it; and what the lab builds is what it says."""

import pytest
import torch
from conftest import cells
from torch.optim.lr_scheduler import ReduceLROnPlateau

from common.inspect import layers, parameters


@pytest.fixture(scope="module")
def lab():
    return cells("level_4")


def drops(losses, patience):
    """Return the epochs in which PyTorch's own scheduler lowers the rate."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, acts = ReduceLROnPlateau(optimizer, patience=patience, threshold=0, eps=0), []
    for epoch, loss in enumerate(losses, 1):
        before = optimizer.param_groups[0]["lr"]
        scheduler.step(loss)
        if optimizer.param_groups[0]["lr"] < before:
            acts.append(epoch)
    return acts


@pytest.mark.parametrize("answer, said", [
    (lambda losses, patience: None, "Not yet: the function returns None"),
    (lambda losses, patience: [], "Not yet: for [1.0, 0.5, 0.6, 0.7, 0.8], 1 it gives [], and it should give [4]."),
    (lambda losses, patience: [epoch - 1 for epoch in drops(losses, patience)], "Not yet: the first epoch is 1."),
    (drops, "Right: "),
])
def test_drops(lab, answer, said):
    assert lab["check_drops"](answer).startswith(said)


@pytest.mark.parametrize("mistake, said", [
    ("last", "you compare with the epoch before"), ("early", "it bears `patience` epochs"),
    ("once", "after it has acted, the count begins again")])
def test_drops_with_a_mistake(lab, mistake, said):
    mistaken = lab["check_drops"](lambda losses, patience: lab["walk_plateau"](losses, patience, **{mistake: True}))
    assert mistaken.startswith(f"Not yet: {said}")


@pytest.mark.parametrize("answer, said", [
    (lambda n, m: None, "Not yet: the function returns None"),
    (lambda n, m: n * m, "Not yet: for 64, 64 it gives 4096, and it should give 73984."),
    (lambda n, m: 9 * n * m + 9 * m * m + (n * m if n != m else 0), "Not yet: batch normalisation has"),
    (lambda n, m: 9 * n * m + 9 * m * m + 4 * m, "Not yet: where the channels differ"),
    (lambda n, m: 9 * n * m + 9 * m * m + n * m + 6 * m, "Not yet: where the shape stays"),
    (lambda n, m: 18 * n * m + 4 * m + (n * m + 2 * m if n != m else 0), "Not yet: the second convolution goes"),
    (lambda n, m: 9 * n * m + 9 * m * m + 4 * m + (n * m + 2 * m if n < m else 0), "Not yet: where the channels differ"),
    (lambda n, m: 9 * n * m + 9 * m * m + 4 * m + (n * m + 2 * m if n != m else 0), "Right: the last stage has 75%"),
])
def test_block(lab, answer, said):
    assert lab["check_block"](answer).startswith(said)


def test_the_networks_have_the_sources_parameters(lab):
    assert [parameters(build()) for build in lab["ladder"].values()] == [96_490, 6_573_130, 11_173_962]
    for variant in lab["variants"].values():  # each layer is seen by the tracer
        assert layers(variant.build()).params.sum() == parameters(variant.build())


def test_model_4_by_the_other_recipe_differs_in_the_recipe_from_one_variant_and_in_the_network_from_another(lab):
    cycled, own, cycle = (lab["variants"][name] for name in ("model_4_cycled", "model_4", "one_cycle"))
    assert cycled.build is own.build and cycled.recipe == cycle.recipe != own.recipe
