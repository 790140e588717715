"""What bfloat16 does on a CPU that has units for it: the gradients of every convolution of the labs, beside fp32."""

import pytest
import torch
import torch.nn.functional as F
from conftest import NAMES, build
from torch import nn

from common import train as training
from common.inspect import dilated
from common.labs import LABS, variants
from common.recipe import Recipe

CPU = torch.device("cpu")


def layers(lab):
    """Return the distinct convolutions of a lab's variants that are trained in bfloat16: {settings and size: layer}."""
    found = {}

    def note(layer, inputs, _):
        shape = layer.weight.shape, layer.stride, layer.padding, layer.dilation, layer.groups, inputs[0].shape[2:]
        found.setdefault(shape, layer)

    for variant in variants(LABS / f"{lab}.py").values():
        network = variant.build().eval()
        if dilated(network):
            continue
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(note)
        with torch.no_grad():
            network(torch.zeros(1, 3, 32, 32))
    return found


def gradients(layer, images, weight):
    """Return the output and both gradients of a convolution, for a gradient of ones and minus ones at its output."""
    images, weight = images.clone().requires_grad_(), weight.clone().requires_grad_()
    out = F.conv2d(images, weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)
    litter = [torch.full((2**size,), float("nan")) for size in range(8, 22)]  # what is left in memory must not count
    del litter
    given = torch.ones_like(out).flatten()
    given[::3] = -1
    return out, *torch.autograd.grad(out, (images, weight), given.view_as(out))


@pytest.mark.skipif(not training.has_bf16_units(CPU), reason="this CPU has no units for bfloat16")
@pytest.mark.parametrize("lab", NAMES)
def test_gradients_in_bfloat16_are_those_in_fp32(lab):
    for (_, *settings, size), layer in layers(lab).items():
        images = torch.randn(4, layer.in_channels, *size).bfloat16().contiguous(memory_format=torch.channels_last)
        weight = torch.randn_like(layer.weight).bfloat16().contiguous(memory_format=torch.channels_last)
        for ours, exact in zip(gradients(layer, images, weight), gradients(layer, images.float(), weight.float())):
            assert (ours - exact).abs().max() < 0.02 * exact.abs().max(), (layer, settings, size)


def test_a_dilated_network_is_trained_in_fp32_on_a_cpu(tiny, monkeypatch):
    monkeypatch.setattr(training, "has_bf16_units", lambda device: True)
    recipe = Recipe(epochs=1, lr=0.01)
    assert training.train(build, tiny, recipe, 0).precision == "bf16"
    wide = training.train(lambda: nn.Sequential(nn.Conv2d(3, 10, 3, dilation=2), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
                          tiny, recipe, 0)
    assert wide.precision == "fp32"
