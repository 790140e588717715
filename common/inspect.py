"""What a network is, layer by layer: output size, receptive field, parameters, multiply-accumulates."""

import hashlib
import json
from contextlib import contextmanager

import torch
from torch import fx, nn
from torch.utils.flop_counter import FlopCounterMode

from common.errors import CourseError


def digest(network):
    """Return a digest of a network's structure: names and shapes of its tensors, and the modules as printed.

    What the code of a `forward` does with them, and how first weights are drawn, is not in it: who changes that in
    common/blocks.py raises common.train.ENGINE, and in a lab gives the variant another name.
    """
    if not isinstance(network, nn.Module):
        raise CourseError(f"What was built is no network but {network!r}: return an nn.Module from the function that builds it.")
    shapes = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
    return hashlib.sha256(json.dumps([shapes, repr(network)]).encode()).hexdigest()[:16]


def parameters(network):
    """Return the number of trainable and frozen parameters of `network`; running statistics do not count."""
    return sum(p.numel() for p in network.parameters())


def keras_count(network):
    """Return what Keras calls the parameters of `network`: those, and the running means and variances."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return parameters(network) + 2 * sum(norm.num_features for norm in norms)


def dilated(network):
    """Tell whether a convolution of `network` has its taps more than a pixel apart."""
    return any(isinstance(module, nn.Conv2d) and max(module.dilation) > 1 for module in network.modules())


def macs(network, size=(3, 32, 32)):
    """Return the multiply-accumulates of one image of `size` (C, H, W): half of PyTorch's count of operations.

    Convolutions and matrix products count, with taps that fall on padding, since they are computed; biases,
    normalisation and pooling do not. The network is not changed.
    """
    with evaluated(network), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *size, device=next(network.parameters()).device))
    return counter.get_total_flops() // 2


def layers(network, size=(3, 32, 32)):
    """Return a DataFrame, one row a layer of `network`, for one input image of `size` (C, H, W).

    Columns: layer (as printed by PyTorch), channels, height, width (of its output), field (height of its receptive
    field in input pixels), params, macs. Branches are followed through additions and concatenations, where the
    largest field counts. The network is not changed. Raises CourseError for one that torch.fx cannot follow.
    """
    import pandas as pd  # here and not above: a machine that only trains need not have it

    with evaluated(network):
        try:
            tracer = _Tracer(fx.symbolic_trace(network))
        except (fx.proxy.TraceError, TypeError) as error:
            raise CourseError(f"The network cannot be followed layer by layer ({error}): write its forward without a "
                              "branch or a loop that depends on the values of tensors.") from None
        tracer.run(torch.zeros(1, *size, device=next(network.parameters()).device))
    return pd.DataFrame(tracer.rows, columns=["layer", "channels", "height", "width", "field", "params", "macs"])


@contextmanager
def evaluated(network):
    """Have `network` in evaluation mode for a while, so that one image does not touch the running statistics."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


class _Tracer(fx.Interpreter):
    """Runs a network and notes at each layer what `layers` reports.

    The field of a value and its jump (the input pixels between neighbours of its map) follow the rule
    field += (kernel - 1) * jump; jump *= stride. A value from several inputs takes the largest of each.
    """

    def __init__(self, module):
        super().__init__(module)
        self.rows = []
        self.seen = {}  # node -> (field, jump)

    def run_node(self, node):
        with FlopCounterMode(display=False) as counter:
            value = super().run_node(node)
        inputs = [self.seen[n] for n in node.all_input_nodes] or [(1, 1)]
        field, jump = (max(pair) for pair in zip(*inputs))
        if node.op == "call_module":
            module = self.fetch_attr(node.target)
            before = self.env[node.all_input_nodes[0]].shape
            kernel, stride = _reach(module, before)
            field, jump = field + (kernel - 1) * jump, jump * stride
            channels, height, width = (tuple(value.shape[1:]) + (1, 1))[:3]
            self.rows.append((_name(module), channels, height, width, field, parameters(module),
                              counter.get_total_flops() // 2))
        elif node.op.startswith("call") and _side(value) not in [_side(self.env[n]) for n in node.all_input_nodes]:
            raise CourseError(f"The network changes the size of a map by {node.name}, which is no module, so its receptive "
                              "field cannot be followed: use nn.MaxPool2d, nn.Flatten and the like.")
        self.seen[node] = field, jump
        return value


def _side(value):
    """Return (H, W) of a map (N, C, H, W), and of a single pixel or anything else ()."""
    side = tuple(getattr(value, "shape", ())[2:])
    return side if side != (1, 1) else ()


def _reach(module, shape):
    """Return (kernel, stride) of a layer on a map of `shape` (N, C, H, W), as far as the kernel meets the map.

    A kernel never sees further than the map it stands on: of a 3x3 kernel on a 1x1 map, one tap sees anything.
    """
    if isinstance(module, nn.Conv2d):
        kernel = module.dilation[0] * (module.kernel_size[0] - 1) + 1
        return min(kernel, 2 * shape[-2] - 1), module.stride[0]
    if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
        first = [v if isinstance(v, int) else v[0] for v in (module.kernel_size, module.stride)]
        return first[0], first[1]
    if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size not in (1, (1, 1)):
        raise CourseError(f"The receptive field behind {module} cannot be followed: use nn.AvgPool2d.")
    if isinstance(module, nn.AdaptiveAvgPool2d) or isinstance(module, nn.Flatten) and len(shape) == 4:
        return shape[-2], 1  # to 1x1, or for a dense layer: the whole map is the kernel
    if isinstance(module, nn.Upsample):  # nearest: its outputs stand closer than its inputs
        return 1, 1 / module.scale_factor
    return 1, 1


def _name(module):
    if isinstance(module, nn.Conv2d):
        (kh, kw), stride = module.kernel_size, module.stride[0]
        extras = [f"stride {stride}"] * (stride > 1) + [f"dilation {module.dilation[0]}"] * (module.dilation[0] > 1)
        extras += [f"groups {module.groups}"] * (module.groups > 1) + ["bias"] * (module.bias is not None)
        return f"Conv {kh}×{kw}" + "".join(f", {e}" for e in extras)
    names = {nn.BatchNorm2d: "BatchNorm", nn.AdaptiveAvgPool2d: "AvgPool, whole map", nn.Dropout2d: "Dropout2d"}
    if isinstance(module, nn.MaxPool2d):
        return f"MaxPool {module.kernel_size}×{module.kernel_size}"
    return names.get(type(module), type(module).__name__)
