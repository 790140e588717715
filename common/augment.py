"""Augmentation of a whole batch on the device, random for each sample.

Nothing here has a shape that depends on what was drawn, and nothing is read back, so a training step with it can be
captured as a CUDA graph. Images are (N, 3, H, W); numbers are drawn on the images' device, from `generator` or else
torch's own.
"""

import math

import torch
import torch.nn.functional as F

from common.data import normalise


def augment(images, recipe, mean, std, mirrored=None):
    """Return a training batch from uint8 `images`: augmented as `recipe` says and normalised, float32.

    `mirrored`, bool (N,), tells which images to flip; without it each is flipped with the recipe's probability.
    """
    if recipe.crop:
        images = crop(images, recipe.crop, recipe.crop_mode)
    if recipe.flip:
        images = flip(images, chance(images, recipe.flip_p) if mirrored is None else mirrored)
    images = normalise(images, mean, std)
    if recipe.shift or recipe.scale or recipe.rotate:
        images = shift_scale_rotate(images, recipe.shift, recipe.scale, recipe.rotate, recipe.affine_p)
    if recipe.zoom:
        images = zoom(images, recipe.zoom)
    if recipe.grey_p:
        images = grey(images, recipe.grey_p, recipe.grey_least)
    if recipe.cutout:
        # zero is the mean once images are normalised; the mean itself is the mistake of filling as if they were not
        fill = mean if recipe.cutout_fill == "mean, not normalised" else torch.zeros_like(mean)
        images = cutout(images, recipe.cutout_least or recipe.cutout, recipe.cutout, recipe.cutout_p, fill)
    return images


def chance(images, p, generator=None):
    """Return bool (N,): true with probability `p` for each image."""
    return torch.rand(len(images), device=images.device, generator=generator) < p


def uniform(images, low, high, generator=None):
    """Return float32 (N,): a number between `low` and `high` for each image."""
    return torch.rand(len(images), device=images.device, generator=generator) * (high - low) + low


def flip(images, mirrored):
    """Mirror left to right the images that `mirrored`, bool (N,), marks."""
    mirrored = mirrored.view(-1, 1, 1, 1)
    return images.flip(3) * mirrored + images * ~mirrored  # torch.where takes three times as long on a CPU


def crop(images, padding, mode="black", generator=None):
    """Pad each image with `padding` pixels all round and cut it back to (H, W) at a random place.

    The margin is black, or with `mode` "reflect" the image mirrored at its edge (the edge itself not repeated).
    """
    n, _, h, w = images.shape
    if mode == "reflect":  # which F.pad has for floating point only
        padded = F.pad(images.float(), (padding,) * 4, mode="reflect").to(images.dtype)
    else:
        padded = F.pad(images, (padding,) * 4)
    down, right = torch.randint(0, 2 * padding + 1, (2, n), device=images.device, generator=generator)
    windows = padded.unfold(2, h, 1).unfold(3, w, 1)  # a view of every place to cut: (N, 3, places, places, H, W)
    return windows[torch.arange(n, device=images.device), :, down, right]


def cutout(images, least, largest, p, fill, generator=None):
    """With probability `p` put a rectangle of `fill`, float (3,), wholly inside an image, at a random place.

    Its height and its width are whole numbers drawn between `least` and `largest`, in pixels. Cutout is due to
    DeVries and Taylor, arXiv:1708.04552, whose square may reach over the edge; this one, like the sources', may not.
    """
    n, _, h, w = images.shape
    inside = []
    for size in (h, w):
        side = uniform(images, least, largest + 1, generator).floor().clamp(max=largest)  # float32 may round up
        start = (uniform(images, 0, 1, generator) * (size - side + 1)).floor()
        place = torch.arange(size, device=images.device)
        inside.append((place >= start[:, None]) & (place < (start + side)[:, None]))
    hole = inside[0][:, :, None] & inside[1][:, None, :] & chance(images, p, generator)[:, None, None]
    return torch.where(hole[:, None], fill.to(images).view(1, 3, 1, 1), images)


def shift_scale_rotate(images, shift, scale, degrees, p, generator=None):
    """With probability `p`, rotate a float image about its centre, enlarge it and move it, all by random amounts.

    It turns by up to `degrees` either way, grows by a factor within 1 ± `scale`, and moves by up to the fraction
    `shift` of its size along each axis. What comes in from outside is the image mirrored at its edge.
    """
    n, (h, w) = len(images), images.shape[2:]
    on = chance(images, p, generator)
    angle = uniform(images, -math.radians(degrees), math.radians(degrees), generator) * on
    factor = 1 + uniform(images, -scale, scale, generator) * on
    down, right = (uniform(images, -shift, shift, generator) * on * size for size in (h, w))
    cos, sin = angle.cos() / factor, angle.sin() / factor
    matrix = torch.stack([cos, -sin, sin, cos], 1).view(n, 2, 2)
    return warp(images, matrix, torch.stack([down, right], 1), "reflection")


def zoom(images, amount, generator=None):
    """Stretch each float image about its centre, height and width by factors of their own.

    A side of the window that is looked at is 1 ± `amount` of the image's; beyond the edge, the edge is repeated.
    """
    stretch = torch.stack([uniform(images, 1 - amount, 1 + amount, generator) for _ in range(2)], 1)
    return warp(images, torch.diag_embed(stretch), torch.zeros_like(stretch), "border")


def warp(images, matrix, offset, outside):
    """Return float images whose pixel at p, in (row, column) from the centre, is looked up at matrix @ (p - offset).

    `matrix` is (N, 2, 2) and `offset` (N, 2), in pixels; between pixels the four nearest are mixed (bilinear).
    `outside` is "reflection" or "border".
    """
    n, _, h, w = images.shape
    rows, columns = (torch.arange(s, device=images.device) - (s - 1) / 2 for s in (h, w))
    here = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).view(1, h * w, 2) - offset[:, None]
    there = here @ matrix.transpose(1, 2)
    # grid_sample counts from -1 to 1 between the centres of the outermost pixels, and names the column first
    grid = torch.stack([there[..., 1] * 2 / (w - 1), there[..., 0] * 2 / (h - 1)], -1).view(n, h, w, 2)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode=outside, align_corners=True)


def grey(images, p, least=1.0, generator=None):
    """With probability `p`, mix a float image with its grey version, whose share is drawn between `least` and 1.

    Grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), of normalised channels here, as a source did it: even with
    `least` 1 a faint tint is left, up to 16 of 255 levels in CIFAR-10's pixels, since the channels' scales differ.
    """
    red, green, blue = images.split(1, dim=1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    share = (uniform(images, least, 1, generator) * chance(images, p, generator)).view(-1, 1, 1, 1)
    return torch.lerp(images, luma.expand_as(images), share)


def mixup(images, alpha):
    """Mix each image with its neighbour in the batch; return (images, share), the part of each that is its own, (N,).

    The share is drawn from Beta(alpha, alpha), the larger part always the image's own, which by symmetry is the same
    mixture of pairs. Zhang et al., "mixup: Beyond empirical risk minimization", arXiv:1710.09412.
    """
    pair = torch.full((len(images), 2), alpha, device=images.device)
    share = torch.distributions.Dirichlet(pair, validate_args=False).sample().amax(1)
    return torch.lerp(images.roll(1, 0), images, share.view(-1, 1, 1, 1)), share


def mixed(labels, share, classes):
    """Return the targets of what `mixup` made of a batch with `labels`, int64 (N,): probabilities float32 (N, classes)."""
    sure = torch.eye(classes, device=labels.device)[labels]
    return torch.lerp(sure.roll(1, 0), sure, share.view(-1, 1))
