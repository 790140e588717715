"""Augmentation of a whole batch on the device, random for each sample."""

import torch
import torch.nn.functional as F


def flip(images, generator=None):
    """Mirror each image (N, 3, H, W) left to right with probability one half."""
    mirrored = torch.rand(len(images), 1, 1, 1, device=images.device, generator=generator) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def crop(images, padding, generator=None):
    """Pad each image (N, 3, H, W) with `padding` black pixels all round and cut it back to (H, W) at a random place."""
    n, _, h, w = images.shape
    padded = F.pad(images, (padding,) * 4)
    offset = torch.randint(0, 2 * padding + 1, (2, n, 1), device=images.device, generator=generator)
    rows = offset[0] + torch.arange(h, device=images.device)
    columns = offset[1] + torch.arange(w, device=images.device)
    # Indices beside a slice put the indexed axes first: (N, H, W, 3), which is channels-last as the network wants it.
    sample = torch.arange(n, device=images.device)[:, None, None]
    return padded[sample, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
