"""ShatheNet's networks, and the checks of its exercises."""

import math

import pytest
import torch
from conftest import cells

from common import labs
from common.blocks import Pixels
from common.inspect import macs, parameters

VARIANTS = labs.variants(labs.LABS / "shathenet.py")


@pytest.fixture(scope="module")
def shathenet():
    return cells("shathenet")


def made(name):
    torch.manual_seed(0)
    return VARIANTS[name].build().eval()


def test_version_1_0_has_the_readmes_parameters_on_images_of_192_pixels():
    assert parameters(made("as_run")) == 17_882
    assert macs(made("as_run")) == 147 * 16 * 32**2 + 400 * 16 * 8**2 + 144 * 32 * 4**2 + 128 * 32 + 32 * 10


def test_the_enlarged_and_the_native_network_are_one_function():
    images = torch.randn(4, 3, 32, 32)
    large, small = made("enlarged"), made("native")
    assert torch.allclose(large(images), small(images), atol=1e-6)
    images[2, 1, 5, 7] += 1  # and it is no constant
    assert not torch.allclose(large(images)[2], small(torch.zeros_like(images))[2], atol=1e-3)
    assert VARIANTS["enlarged"].recipe == VARIANTS["native"].recipe


@pytest.mark.parametrize("name", [n for n in VARIANTS if n not in ("as_run", "enlarged", "native", "together")])
def test_each_entry_of_the_list_changes_the_network_or_the_recipe_and_not_both(name):
    network, recipe = (repr(made(name)) != repr(made("native")), VARIANTS[name].recipe != VARIANTS["native"].recipe)
    drawn = not all(torch.equal(a, b) for a, b in zip(made(name).parameters(), made("native").parameters()))
    assert (network or drawn) != recipe


def test_what_is_tried_together_is_what_was_tried_alone():
    extra = {name: parameters(made(name)) - parameters(made("native")) for name in ("deeper", "batch_norm", "together")}
    assert extra["together"] == extra["deeper"] + extra["batch_norm"] + 2 * 2 * 16  # the added layers have their norms too
    assert not any(isinstance(layer, Pixels) for layer in made("together"))
    assert VARIANTS["together"].recipe == VARIANTS["flipped"].recipe
    for layer in made("together"):
        if isinstance(layer, torch.nn.Conv2d):  # the source's start draws none beyond 0.1
            assert layer.weight.abs().max() > 0.2


def right(side):
    for stride in (6, 4, 2):
        side = math.ceil(side / stride)
    return 32 * (side // 2) ** 2


@pytest.mark.parametrize("answer, said", [
    (lambda side: None, "Not yet: the function returns None"),
    (lambda side: right(side) // 32, "Not yet: that is the number of places on the map"),
    (lambda side: 4 * right(side), "Not yet: that is before the pooling"),
    (lambda side: 32 * (side // 96) ** 2, "Not yet: a stride divides the side and rounds *up*"),
    (right, "Right: "),
])
def test_shathenet_flattened(shathenet, answer, said):
    assert shathenet["check_flattened"](answer).startswith(said)


@pytest.mark.parametrize("answer, said", [
    (lambda kernel, factor: None, "Not yet: the function returns None"),
    (lambda kernel, factor: kernel / factor, "Not yet: a pixel that is only partly covered"),
    (lambda kernel, factor: kernel // factor + 1, "Not yet: where the taps cover pixels exactly"),
    (lambda kernel, factor: kernel // factor, "Not yet: a pixel that is only partly covered"),
    (lambda kernel, factor: kernel // factor + (kernel % factor == 1), "Not yet: a pixel that is only partly covered"),
    (lambda kernel, factor: -(-kernel // factor), "Right: "),
])
def test_shathenet_folded_side(shathenet, answer, said):
    assert shathenet["check_folded_side"](answer).startswith(said)
