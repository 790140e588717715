"""Checks of Level 4's exercises tell a wrong answer what is wrong with it; and what the lab builds is what it says."""

import re

import pytest
import torch
from conftest import cells
from torch import nn

from common.inspect import layers, macs, parameters
from common.labs import LABS


@pytest.fixture(scope="module")
def lab():
    """The names of the lab's cells of imports, variants and checks, and its function for heat maps."""
    names = cells("level_4")
    exec(re.search("^def grad_cam.*?(?=^def )", (LABS / "level_4.py").read_text(), re.MULTILINE | re.DOTALL)[0], names)
    return names


def count(n, m, stride):
    return 9 * n * m + 9 * m * m + 4 * m + (n * m + 2 * m if stride > 1 or n != m else 0)


@pytest.mark.parametrize("answer, said", [
    (lambda n, m, s: None, "Not yet: the function returns None"),
    (lambda n, m, s: 9 * n * m + 9 * m * m + 4 * m,
     "Not yet: for 64, 128, 2 it gives 221,696, but PyTorch counts 230,144; the shape changes, so the shortcut is a 1×1"),
    (lambda n, m, s: 9 * n * m + 9 * m * m + 6 * m + n * m,
     "Not yet: for 64, 64, 1 it gives 78,208, but PyTorch counts 73,984; the shape stays"),
    (lambda n, m, s: count(n, m, s) - (2 * m if s > 1 or n != m else 0),
     "Not yet: for 64, 128, 2 it gives 229,888, but PyTorch counts 230,144; the shortcut's convolution is normalised too"),
    (lambda n, m, s: 9 * n * m + 9 * m * m + 4 * m + (n * m + 2 * m if n != m else 0),
     "Not yet: for 64, 64, 2 it gives"),
    (lambda n, m, s: 1, "Not yet: for 64, 64, 1 it gives 1, but PyTorch counts 73,984."),
    (count, "Right: "),
])
def test_count(lab, answer, said):
    assert lab["check_count"](answer).startswith(said)


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


def test_the_networks_have_the_sources_parameters(lab):
    assert [parameters(build()) for build in lab["ladder"].values()] == [96_490, 6_573_130, 11_173_962]
    for variant in lab["variants"].values():  # each layer is seen by the tracer
        assert layers(variant.build()).params.sum() == parameters(variant.build())


def test_only_the_normalisation_differs(lab):
    variants = lab["variants"]
    for name in lab["norms"]:
        assert variants[name].recipe == variants["model_4"].recipe
        network = variants[name].build()
        assert (parameters(network), macs(network)) == (96_490, macs(variants["model_4"].build()))


@pytest.mark.parametrize("size", [1, 3, 4, 26, 64])
def test_ghost_normalisation_is_batch_normalisation_of_each_quarter(lab, size):
    torch.manual_seed(0)
    ghost, x = lab["GhostNorm"](5).train(), torch.randn(size, 5, 4, 4)
    quarters = x.tensor_split(min(4, size))
    assert torch.equal(ghost(x), torch.cat([nn.BatchNorm2d(5)(quarter) for quarter in quarters]))
    x, usual = torch.randn(64, 5, 4, 4), nn.BatchNorm2d(5)
    for _ in range(200):
        ghost(x), usual(x)
    assert torch.allclose(ghost.norm.running_mean, usual.running_mean, atol=0.02)
    assert torch.allclose(ghost.eval()(x), usual.eval()(x), atol=0.05)


def test_grad_cam_at_the_last_maps_is_the_heads_weights_times_the_maps(lab):
    torch.manual_seed(0)
    network, image, kept = lab["model_4"]().eval(), torch.randn(1, 3, 32, 32), []
    network[10].register_forward_hook(lambda module, inputs, output: kept.append(output[0].detach()))
    chosen, heat = lab["grad_cam"](network, network[10], image)
    first, second = (network[place].weight.detach().flatten(1) for place in (12, 13))
    expected = nn.functional.interpolate(signed(kept[0], first, second, chosen).relu()[None, None], (32, 32),
                                         mode="bilinear")
    assert chosen == network(image).argmax().item() and torch.allclose(heat, expected[0, 0], atol=1e-6)
