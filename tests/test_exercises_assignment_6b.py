"""Assignment 6B: its networks cost what they should, and its checks tell a wrong answer what is wrong with it."""

import math

import pytest
import torch
from conftest import cells, rates
from torch import nn

from common import inspect, plots_kinds
from common.labs import LABS, variants

LAB = LABS / "assignment_6b.py"


@pytest.fixture(scope="module")
def lab():
    return cells("assignment_6b")


def test_the_network_is_the_sources():
    network = variants(LAB)["as_run"].build()
    assert (inspect.parameters(network), inspect.keras_count(network)) == (150_168, 151_404)
    layers = inspect.layers(network)
    assert layers.field.max() == 58 and layers.channels.iloc[-1] == 10
    weights = [p.numel() for p in network.parameters() if p.dim() == 4]
    assert weights == [864, 6_144, 12_288, 576, 8_192, 4_096, 18_432, 51_200, 4_096, 18_432, 18_432, 1_280, 4_900]


def test_it_starts_as_keras_does():
    for layer in variants(LAB)["as_run"].build().modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert (layer.eps, round(layer.momentum, 9)) == (1e-3, 0.01)
        if isinstance(layer, nn.Conv2d):
            taps = layer.weight[0, 0].numel()
            inputs, outputs = layer.weight[0].numel(), taps * layer.weight.shape[0]
            assert layer.bias is None
            assert 0.9 < layer.weight.abs().max().item() / math.sqrt(6 / (inputs + outputs)) <= 1


def test_the_schedule_is_the_sources():
    recipe, rate, said = variants(LAB)["as_run"].recipe, 0.003, []
    for epoch in range(recipe.epochs):
        if epoch % 2 == 0 and epoch:
            rate = max(0.9 * rate, 0.0005)
        said.append(rate)
    assert rates(recipe, recipe.epochs) == pytest.approx(said) and said[36] == 0.0005 < said[35]


def test_costs_match_within_two_percent_and_recipes_are_one(lab):
    offered = variants(LAB)
    target = lab["cost"]("normal", lab["equal"])
    same = [name for name in offered if name.endswith("_matched")] + ["normal", "dilated"]
    assert len(same) == 6
    for name in same:
        network = offered[name].build()
        for here, there in zip((inspect.parameters(network), inspect.macs(network)), target):
            assert abs(here / there - 1) < 0.02, name
    assert target[0] <= 151_404 and target[1] <= 25_000_000
    assert len({offered[name].recipe.model_dump_json() for name in lab["widths"]}) == 1


def test_by_hand_as_by_count(lab):
    for kind, block in lab["kinds"].items():
        for n, m in ((8, 8), (8, 16), (32, 64)):
            assert lab["weights"](kind, n, m) == sum(p.numel() for p in block(n, m).parameters() if p.dim() == 4)
            assert block(n, m)(torch.rand(2, n, 8, 8)).shape == (2, m, 8, 8)


def test_what_is_said_of_the_figure(lab):
    """Nine pixels but for two kinds; a quarter of the channels for groups, which the shuffle brings together."""
    pixels = {kind: int((plots_kinds.seen([block(8, 8)], (8, 7, 7)).sum(0) > 0).sum()) for kind, block in lab["kinds"].items()}
    assert pixels == dict(normal=9, separable_spatial=9, depthwise=9, branches=25, groups=9, dilated=17)
    channels = {kind: int((plots_kinds.seen([block(8, 8)], (8, 7, 7), 0).sum((1, 2)) > 0).sum())
                for kind, block in lab["kinds"].items()}
    assert channels.pop("groups") == 2 and set(channels.values()) == {8}
    two = [lab["groups"](16, 16), lab["groups"](16, 16)]
    assert (plots_kinds.seen(two, (16, 5, 5), 0).sum((1, 2)) > 0).all()


def test_the_steps_of_a_kind_are_made_of_as_many_numbers_as_its_kernels_have_taps(lab):
    """Their picture's alternative text counts what a gradient reaches; the weights of one output channel are counted here."""
    said = plots_kinds.steps(lab["kinds"], "Steps").alt
    for kind, block in lab["kinds"].items():
        for layer in block(8, 8).modules():
            if isinstance(layer, nn.Conv2d):
                name, (channels, *_) = "×".join(map(str, layer.kernel_size)), layer.weight[0].shape
                assert f"{kind}, {name}, {layer.weight[0].numel()} over {channels} of 8 channels" in said
    assert "groups, shuffle, 1 over 1 of 8 channels" in said


def test_what_autograd_keeps_is_counted():
    """A convolution keeps its input and a normalisation its own; ReLU, in place, its output; no weight counts."""
    network = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.ReLU(inplace=True))
    numbers = (3 + 5 + 5) * 32 * 32
    assert plots_kinds.kept(network) == pytest.approx(128 * 4 * numbers / 2**20, rel=0.01)


def test_the_separable_block_takes_what_the_exercise_says(lab):
    network = variants(LAB)["as_run"].build()
    block = inspect.layers(network).query("layer.str.startswith('Conv')").iloc[1:3]
    assert block.macs.sum() == 16_957_440 == lab["inspect"].macs(lab["separable_spatial"](32, 64, "valid"), (32, 32, 32))
    for n, m, side, macs in ((8, 4, 10, 10_752), (5, 7, 3, 462)):
        assert inspect.macs(lab["separable_spatial"](n, m, "valid"), (n, side, side)) == macs


@pytest.mark.parametrize("answer, said", [
    (lambda n, m, side: None, "Not yet: the function returns None"),
    (lambda n, m, side: 3 * m * (n + m) * side**2, "Not yet: that is with padding"),
    (lambda n, m, side: 3 * m * (n + m) * (side - 2)**2, "Not yet: after the first convolution"),
    (lambda n, m, side: 3 * m * (n + m), "Not yet: these are the weights"),
    (lambda n, m, side: n * m * side**2, "Not yet: for 32, 64, 32 it gives 2097152, and it should give 16957440."),
    (lambda n, m, side: 3 * n * m * (side - 2) * side + 3 * m * m * (side - 2)**2, "Right: "),
])
def test_count(lab, answer, said):
    assert lab["check_macs"](answer).startswith(said)


@pytest.mark.parametrize("answer, said", [
    (lambda x, g: None, "Not yet: it must return a tensor of the shape (2, 12, 2, 3)"),
    (lambda x, g: x.flatten(1), "Not yet: it must return a tensor of the shape (2, 12, 2, 3)"),
    (lambda x, g: x, "Not yet: 12 channels in 3 groups come as [0, 1, 2"),
    (lambda x, g: x.unflatten(1, (-1, g)).transpose(1, 2).flatten(1, 2), "Not yet: you deal them back"),
    (lambda x, g: nn.ChannelShuffle(g)(x).flip(3), "Not yet: the channels are where they belong, but pixels have"),
    (lambda x, g: nn.ChannelShuffle(g)(x).flip(2), "Not yet: the channels are where they belong, but pixels have"),
    (lambda x, g: nn.ChannelShuffle(g)(x).mT.reshape(x.shape), "Not yet: the channels are where they belong"),
    (lambda x, g: nn.ChannelShuffle(g)(x).mT, "Not yet: it must return a tensor of the shape (2, 12, 2"),
    (lambda x, g: x.unflatten(1, (g, -1)).transpose(1, 2).flatten(1, 2), "Right: "),
])
def test_mix(lab, answer, said):
    assert lab["check_shuffle"](answer).startswith(said)
