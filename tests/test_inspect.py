"""Layer tables against arithmetic by hand, the gradient, and the source's printed table."""

import pytest
import torch
import torch.nn.functional as F
from conftest import NAMES
from torch import nn

from common import labs
from common.blocks import conv_block
from common.errors import CourseError
from common.inspect import digest, dilated, keras_count, layers, macs, parameters

LEVEL_1 = labs.variants(labs.LABS / "level_1.py")


class Branches(nn.Module):
    """Two branches, added and concatenated, with stride, dilation and groups."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.near = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.far = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.last = nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, x):
        x = self.stem(x)
        return self.last(torch.cat([self.near(x) + x, self.far(x)], 1))


def by_hand(network):
    """Return the multiply-accumulates of one image: each number of a layer's output takes a kernel, or a row of weights."""
    counts = []
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda m, _, output: counts.append(m.weight[0].numel() * output[0].numel()))
    network.eval()(torch.zeros(1, 3, 32, 32))
    return counts


def test_multiply_accumulates_are_those_counted_by_hand():
    for network in LEVEL_1["as_run"].build(), Branches():
        assert [count for count in layers(network).macs if count] == by_hand(network)
        assert layers(network).params.sum() == parameters(network)


def test_the_field_is_what_the_gradient_reaches():
    network = Branches()
    for p in network.parameters():
        nn.init.ones_(p)
    image = torch.ones(1, 3, 64, 64, requires_grad=True)
    network(image)[0, 0, 16, 16].backward()
    reached = image.grad[0, 0].nonzero()
    side = (reached.max(0).values - reached.min(0).values + 1).tolist()
    assert side == [layers(network, (3, 64, 64)).field.iloc[-1]] * 2


def test_level_1_is_the_sources_table():
    table = layers(LEVEL_1["as_run"].build())
    main = table[table.layer.str.match("Conv|MaxPool")]
    assert parameters(LEVEL_1["as_run"].build()) == 83_368
    assert main.field.tolist()[:15] == [3, 5, 6, 6, 10, 14, 16, 16, 24, 32, 36, 36, 52, 68, 76]  # as the source printed
    assert table[table.layer.str.startswith("Conv")].params.tolist() == [
        432, 4608, 512, 4608, 18432, 1024, 4608, 18432, 1024, 4608, 18432, 5770, 110]
    assert main.height.tolist() == [32, 32, 16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 2, 1, 1]


def test_the_repaired_head_saves_eight_taps():
    assert parameters(LEVEL_1["as_run"].build()) - parameters(LEVEL_1["repaired"].build()) == 64 * 10 * 8


def test_networks_that_differ_in_a_shape_alone_have_other_digests():
    one, other = Product(), Product()
    other.weight = nn.Parameter(torch.zeros(10, 3071))
    assert digest(one) == digest(Product()) != digest(other)


def test_a_dense_layer_sees_the_whole_image():
    assert layers(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(1800, 9), nn.Linear(9, 2))).field.tolist() == [
        3, 32, 32, 32]
    assert layers(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))).field.tolist() == [32, 32, 32]


def test_a_kernel_sees_no_further_than_its_map():
    assert layers(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 2, 3, padding=1))).field.tolist() == [32, 32]


def test_inspecting_leaves_the_network_as_it_was():
    network = nn.Sequential(conv_block(3, 4)).train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    layers(network)
    assert network.training and all(torch.equal(before[k], v) for k, v in network.state_dict().items())


def test_inspecting_leaves_a_frozen_layer_frozen():
    network = nn.Sequential(conv_block(3, 4)).train()
    network[0][1].eval()
    layers(network)
    assert macs(network) and network.training and not network[0][1].training


class Branching(nn.Sequential):
    """A network whose way through depends on what it sees."""

    def forward(self, x):
        return super().forward(x if x.mean() > 0 else -x)


class Counting(nn.Sequential):
    """A network that looks at each image of a batch by itself."""

    def forward(self, x):
        return torch.stack([super(Counting, self).forward(x[i]) for i in range(x.shape[0])])


@pytest.mark.parametrize("kind", [Branching, Counting])
def test_what_cannot_be_followed_is_said(kind):
    network = kind(nn.Conv2d(3, 4, 3))
    with pytest.raises(CourseError, match="The network cannot be followed layer by layer"):
        layers(network)
    assert network.training and macs(network) > 0


class Product(nn.Module):
    """A linear layer without a module of its own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(10, 3072))

    def forward(self, x):
        return x.flatten(1) @ self.weight.t()


def test_arithmetic_outside_of_modules_counts():
    assert macs(Product()) == 30_720


@pytest.mark.parametrize("lab", NAMES)
def test_counting_by_hand_agrees_on_every_network_of_the_course(lab):
    built = [variant.build() for variant in labs.variants(labs.LABS / f"{lab}.py").values()]
    for network in {digest(one): one for one in built}.values():
        assert macs(network) == layers(network).macs.sum() == sum(by_hand(network))


class Functional(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.first, self.change = nn.Conv2d(3, 4, 3, stride=32), change

    def forward(self, x):
        return self.change(self.first(x), x)


@pytest.mark.parametrize("change", [lambda y, x: F.max_pool2d(x, 2), lambda y, x: x.mean((2, 3)), lambda y, x: x.flatten(1)])
def test_a_field_that_cannot_be_followed_is_not_told(change):
    with pytest.raises(CourseError, match="which is no module, so its receptive field"):
        layers(Functional(change))
    with pytest.raises(CourseError, match="behind AdaptiveAvgPool2d"):
        layers(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(4)))


def test_what_leaves_the_size_of_a_map_alone_need_be_no_module():
    assert len(layers(Functional(lambda y, x: y.flatten(1) + F.relu(y).mean((2, 3))))) == 1
    assert len(layers(Functional(lambda y, x: torch.cat([x, x * y[:, :1]])))) == 1


def test_the_field_of_an_enlarged_image_is_in_pixels_of_the_image():
    network = nn.Sequential(nn.Upsample(scale_factor=6.0), nn.Conv2d(3, 1, 7, 6, bias=False), nn.Conv2d(1, 1, 3, 2, bias=False))
    for p in network.parameters():
        nn.init.ones_(p)
    image = torch.ones(1, 3, 32, 32, requires_grad=True)
    network(image)[0, 0, 4, 4].backward()
    rows = image.grad[0, 0].nonzero()[:, 0]
    assert rows.max() - rows.min() + 1 == 4
    assert layers(network).field.tolist() == [1, 2, 4]


def test_keras_counts_running_means_and_variances_too():
    network = nn.Sequential(conv_block(3, 4), conv_block(4, 6, 1))
    assert parameters(network) == 108 + 8 + 24 + 12 and keras_count(network) == parameters(network) + 2 * (4 + 6)


@pytest.mark.parametrize("network, fields", [
    (nn.Sequential(nn.Conv2d(3, 1, 3, stride=16, padding=1), nn.Conv2d(1, 1, 3, padding=1)), [3, 35]),
    (nn.Sequential(nn.MaxPool2d(3, 2), nn.Conv2d(3, 1, 3)), [3, 7])])
def test_a_field_grows_by_what_lies_apart(network, fields):
    assert layers(network).field.tolist() == fields


def test_a_map_is_as_high_and_as_wide_as_it_is():
    row = layers(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), (3, 32, 16)).iloc[0]
    assert (row.channels, row.height, row.width) == (4, 32, 16)


def test_dilated_in_one_direction_is_dilated():
    assert dilated(nn.Conv2d(1, 1, 3, dilation=(1, 2))) and not dilated(nn.Conv2d(1, 1, 3))
