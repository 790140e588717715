"""Residual blocks and ResNet-18: shapes, parameters, and what a residual block computes."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from common.blocks import Residual, conv_block, like_keras, residual_block, resnet_18
from common.inspect import layers, macs, parameters


def test_resnet_18_is_the_published_one():
    network = resnet_18().eval()
    assert parameters(network) == layers(network).params.sum() == 11_173_962
    with FlopCounterMode(display=False) as counter:
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert 2 * macs(network) == counter.get_total_flops()
    assert parameters(resnet_18(100)) - parameters(resnet_18(10)) == 90 * 513


def test_a_residual_adds_its_body_to_its_input():
    body, x = conv_block(4, 4), torch.randn(2, 4, 8, 8)
    assert torch.equal(Residual(body).eval()(x), x + body.eval()(x))


@pytest.mark.parametrize("out, stride, side", [(4, 1, 9), (4, 2, 5), (6, 1, 9), (6, 2, 5)])
def test_a_block_that_has_learnt_nothing_passes_on_its_shortcut(out, stride, side):
    block, x = residual_block(4, out, stride).eval(), torch.randn(2, 4, 9, 9)
    block[0].body[-1].weight.data.zero_()
    with torch.no_grad():
        assert block(x).shape == (2, out, side, side)
        assert torch.equal(block(x), F.relu(block[0].shortcut(x)))


def test_like_keras_copies_its_defaults():
    network = nn.Sequential(conv_block(8, 32), nn.Conv2d(32, 32, 3, groups=32), nn.Flatten(), nn.Linear(64, 128))
    conv, norm = network[0][0], network[0][1]
    assert like_keras(network) is network and conv.bias is None and (norm.eps, norm.momentum) == (1e-3, 0.01)
    for layer, inputs, outputs in (conv, 72, 288), (network[1], 9, 288), (network[3], 64, 128):
        assert 0.97 < layer.weight.abs().max() / math.sqrt(6 / (inputs + outputs)) <= 1  # Glorot's limit
        assert layer.bias is None or layer.bias.abs().max() == 0
