"""Residual blocks and ResNet-18: shapes, parameters, and what a residual block computes."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from common.blocks import Residual, conv_block, residual_block, resnet_18
from common.inspect import layers, macs, parameters


def test_resnet_18_is_the_published_one():
    network = resnet_18().eval()
    assert parameters(network) == layers(network).params.sum() == 11_173_962
    with FlopCounterMode(display=False) as counter:
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert 2 * macs(network) == counter.get_total_flops()
    assert parameters(resnet_18(100)) - parameters(resnet_18(10)) == 90 * 513


def test_a_residual_adds_its_body_to_its_input():
    torch.manual_seed(0)
    body, x = conv_block(4, 4), torch.randn(2, 4, 8, 8)
    assert torch.equal(Residual(body).eval()(x), x + body.eval()(x))


@pytest.mark.parametrize("out, stride, side", [(4, 1, 9), (6, 1, 9), (6, 2, 5)])
def test_a_block_that_has_learnt_nothing_passes_on_its_shortcut(out, stride, side):
    torch.manual_seed(0)
    block, x = residual_block(4, out, stride).eval(), torch.randn(2, 4, 9, 9)
    block[0].body[-1].weight.data.zero_()
    with torch.no_grad():
        assert block(x).shape == (2, out, side, side)
        assert torch.equal(block(x), F.relu(block[0].shortcut(x)))
