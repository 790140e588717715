"""Convolution blocks that several labs share, and the one network that they share whole."""

import torch
from torch import nn


def conv_block(in_channels, out_channels, kernel_size=3, stride=1, dropout=0.0):
    """Return convolution without bias -> batch normalisation -> ReLU (-> Dropout2d), as a Sequential.

    Maps (N, in_channels, H, W) to (N, out_channels, ceil(H/stride), ceil(W/stride)), for an odd kernel. The
    convolution needs no bias, since the normalisation that follows subtracts any constant and adds its own.
    """
    layers = [
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    ]
    return nn.Sequential(*layers, *([nn.Dropout2d(dropout)] if dropout else []))


def like_keras(network):
    """Give the layers of `network` those defaults of Keras that differ from PyTorch's, and return it.

    First weights are drawn from Glorot's uniform distribution and biases are zero. Batch normalisation has a larger
    epsilon, and its running averages keep 0.99 of their values in a step, not 0.9.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps, layer.momentum = 1e-3, 0.01
    return network


class Pixels(nn.Module):
    """Turn normalised images (N, 3, H, W) back into pixels from 0 to 1, as some sources fed them.

    With the mean and deviation of CIFAR-10's training images to four digits, so up to about as much.
    """

    def __init__(self):
        super().__init__()
        for name, values in ("mean", [0.4914, 0.4822, 0.4465]), ("std", [0.2470, 0.2435, 0.2616]):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))

    def forward(self, x):
        """Return x * deviation + mean, channel by channel."""
        return x * self.std + self.mean


class Residual(nn.Module):
    """The sum of what two paths make of the same input: `shortcut`, which by default leaves it as it is, and `body`.

    Both map (N, C, H, W) to one shape, which is that of the sum. He et al., "Deep residual learning for image
    recognition", arXiv:1512.03385: the body learns only what is to be added.
    """

    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x):
        """Return shortcut(x) + body(x)."""
        return self.shortcut(x) + self.body(x)


def residual_block(in_channels, out_channels, stride=1):
    """Return the basic block of arXiv:1512.03385, figure 5: two 3x3 convolutions beside a shortcut, ReLU after the sum.

    Maps (N, in_channels, H, W) to (N, out_channels, ceil(H/stride), ceil(W/stride)). Where the shape changes, the
    shortcut is a 1x1 convolution with normalisation (the paper's option B).
    """
    body = nn.Sequential(
        *conv_block(in_channels, out_channels, stride=stride),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
    )
    shortcut = None
    if stride > 1 or in_channels != out_channels:
        shortcut = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                                 nn.BatchNorm2d(out_channels))
    return nn.Sequential(Residual(body, shortcut), nn.ReLU(inplace=True))


def resnet_18(classes=10):
    """Return ResNet-18 as it is used on CIFAR-10, 11,173,962 parameters for 10 classes: (N, 3, 32, 32) to (N, classes).

    Four stages of two basic blocks, of 64, 128, 256 and 512 channels. The network of arXiv:1512.03385 for large images
    begins with a strided 7x7 convolution and a pooling; a 32x32 image cannot spare the pixels, so here it is one 3x3.
    """
    layers, channels = [conv_block(3, 64)], 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [residual_block(channels, width, stride), residual_block(width, width)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
