"""Convolution blocks that several labs share."""

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
