"""Checks of the exercises on Model4 tell a wrong answer what is wrong with it; and what the lab builds is what it says."""

import re

import pytest
import torch
from conftest import cells
from torch import nn

from common.inspect import digest, macs, parameters
from common.labs import LABS


@pytest.fixture(scope="module")
def lab():
    """The names of the lab's cells of imports, variants and checks, and its function for heat maps."""
    names = cells("model_4")
    exec(re.search("^def grad_cam.*?(?=^# %%)", (LABS / "model_4.py").read_text(), re.MULTILINE | re.DOTALL)[0], names)
    return names


def group_norm(x, groups, correction=0):
    parts = x.reshape(len(x), groups, -1)
    mean, var = parts.mean(2, keepdim=True), parts.var(2, keepdim=True, correction=correction)
    return ((parts - mean) / (var + 1e-5).sqrt()).reshape(x.shape)


@pytest.mark.parametrize("answer, said", [
    (lambda x, groups: None, "Not yet: the function returns None"),
    (lambda x, groups: group_norm(x, groups).reshape(len(x), groups, -1),
     "Not yet: the result must be of shape (5, 8, 4, 4), and yours is (5, 2, 64)."),
    (lambda x, groups: nn.functional.batch_norm(x, None, None, training=True), "Not yet: this normalises each channel"),
    (lambda x, groups: group_norm(x, 1), "Not yet: this normalises over all channels of an image"),
    (lambda x, groups: group_norm(x, 8), "Not yet: this normalises each channel of an image by itself"),
    (lambda x, groups: group_norm(x, groups, correction=1), "Not yet: `var` and `std` divide by n − 1"),
    (lambda x, groups: group_norm(x, 2), "Not yet: with 4 groups yours differs by up to"),
    (lambda x, groups: (p := x.reshape(len(x), groups, -1)).sub(p.mean(2, keepdim=True)).div(
        p.std(2, keepdim=True, correction=0) + 1e-5).reshape(x.shape), "Not yet: right for these numbers, but not for very"),
    (group_norm, "Right: "),
    (nn.functional.group_norm, "Right: "),
])
def test_group(lab, answer, said):
    assert lab["check_group"](answer).startswith(said)


def signed(maps, first, second, chosen):
    return torch.einsum("c,chw->hw", second[chosen] @ first / 16, maps)


@pytest.mark.parametrize("answer, said", [
    (lambda *a: None, "Not yet: the function returns None"),
    (lambda maps, *a: maps, "Not yet: the map must be of shape (4, 4), and yours is (32, 4, 4)"),
    (signed, "Not yet: there are negative places"),
    (lambda *a: 16 * signed(*a).relu(), "Not yet: your map is 16 times too hot"),
    (lambda *a: 16 * signed(*a), "Not yet: your map is 16 times too hot"),
    (lambda maps, *a: maps.mean(0), "Not yet: for class 0 your map differs by up to"),
    (lambda *a: signed(*a).relu(), "Right: "),
])
def test_heat(lab, answer, said):
    assert lab["check_heat"](answer).startswith(said)


def test_only_the_normalisation_differs_from_level_4(lab):
    base, variants = cells("level_4")["variants"]["model_4"], lab["variants"]
    assert (digest(lab["model_4"]()), lab["study"]) == (digest(base.build()), base.recipe)
    for name in lab["norms"]:
        assert variants[name].recipe == base.recipe
        network = variants[name].build()
        assert (parameters(network), macs(network)) == (96_490, macs(base.build()))


@pytest.mark.parametrize("size", [1, 3, 4, 26, 64])
def test_ghost_normalisation_is_batch_normalisation_of_each_quarter(lab, size):
    ghost, x = lab["GhostNorm"](5).train(), torch.randn(size, 5, 4, 4)
    quarters = x.tensor_split(min(4, size))
    assert torch.equal(ghost(x), torch.cat([nn.BatchNorm2d(5)(quarter) for quarter in quarters]))
    x, usual = torch.randn(64, 5, 4, 4), nn.BatchNorm2d(5)
    for _ in range(200):
        ghost(x), usual(x)
    assert torch.allclose(ghost.norm.running_mean, usual.running_mean, atol=0.02)
    assert torch.allclose(ghost.eval()(x), usual.eval()(x), atol=0.05)


def test_grad_cam_at_the_last_maps_is_the_heads_weights_times_the_maps(lab):
    network, image, kept = lab["model_4"]().eval(), torch.randn(1, 3, 32, 32), []
    network[10].register_forward_hook(lambda module, inputs, output: kept.append(output[0].detach()))
    chosen, heat = lab["grad_cam"](network, network[10], image)
    first, second = (network[place].weight.detach().flatten(1) for place in (12, 13))
    expected = nn.functional.interpolate(signed(kept[0], first, second, chosen).relu()[None, None], (32, 32),
                                         mode="bilinear")
    assert chosen == network(image).argmax().item() and torch.allclose(heat, expected[0, 0], atol=1e-6)
