"""Checks of exercises tell a wrong answer what is wrong with it."""

import pytest
import torch
from conftest import cells
from torch import nn


@pytest.fixture(scope="module")
def level_1():
    """The names of the lab's check cells, over an untrained network."""
    names = cells("level_1")
    torch.manual_seed(0)
    names |= dict(trained=names["as_run"]().eval())
    return names


@pytest.mark.parametrize("answer, said", [
    (lambda n, m, k: None, "Not yet: the function returns None"),
    (lambda n, m, k: n * m * k * k + m, "Not yet: you count a bias"),
    (lambda n, m, k: n * m * k * k, "Not yet: for 3, 16, 3 it gives 432, and it should give 464."),
    (lambda n, m, k: n * m * k * k + 2 * m, "Right: "),
])
def test_level_1_count(level_1, answer, said):
    assert level_1["check_count"](answer).startswith(said)


def folded(weight, bias):
    layer = nn.Conv2d(64, 10, 1)
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def without_bias(first, second):
    """Fold the weights alone, and spoil the layers that were given, so that these have no bias either."""
    first.bias.data.zero_()
    second.bias.data.zero_()
    return folded((second.weight.data[:, :, 0, 0] @ first.weight.data[:, :, 1, 1])[:, :, None, None], torch.zeros(10))


@pytest.mark.parametrize("answer, said", [
    (lambda a, b: None, "Not yet: the function must return a convolution"),
    (lambda a, b: nn.Conv2d(64, 10, 1), "Not yet: scores differ by up to"),
    (lambda a, b: folded((b.weight.data[:, :, 0, 0] @ a.weight.data[:, :, 1, 1])[:, :, None, None], b.bias.data),
     "Not yet: the weight is right, the bias is not"),
    (lambda a, b: folded((b.weight.data[:, :, 0, 0] @ a.weight.data[:, :, 1, 1])[:, :, None, None],
                         b.weight.data[:, :, 0, 0] @ a.bias.data + b.bias.data), "Right: "),
    (without_bias, "Not yet: the weight is right, the bias is not"),
])
def test_level_1_fold(level_1, answer, said):
    assert level_1["check_fold"](answer).startswith(said)
