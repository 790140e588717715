"""The drawn stand-in for CIFAR-10: ten kinds of shape, for tests and for trials without a data set."""

import numpy as np
import torch


def draw(count, seed):
    """Draw `count` synthetic images of ten kinds of shape; return (images, labels) as in `Data`.

    Place, size, angle and both colours are random, the shape being the brighter, and noise is laid over them: colour
    tells nothing, and a small network needs a few epochs.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10)
    grid = np.mgrid[0:32, 0:32].reshape(2, 1, 32, 32).astype(np.float32)
    centre = rng.uniform(13, 19, (2, count, 1, 1)).astype(np.float32)
    size = rng.uniform(8, 12, (count, 1, 1)).astype(np.float32)
    angle = rng.uniform(-0.4, 0.4, (count, 1, 1)).astype(np.float32)
    dy, dx = (grid - centre) / size
    y, x = dy * np.cos(angle) - dx * np.sin(angle), dy * np.sin(angle) + dx * np.cos(angle)
    radius, box = np.hypot(x, y), np.maximum(abs(x), abs(y))
    inside = box < 1
    shapes = [
        radius < 1,
        (radius < 1) & (radius > 0.55),
        box < 0.9,
        (box < 0.9) & (box > 0.5),
        (y < 0.8) & (y > 2 * abs(x) - 0.9),
        inside & (np.minimum(abs(x), abs(y)) < 0.28),
        inside & (abs(abs(x) - abs(y)) < 0.38),
        inside & (np.sin(7 * y) > 0),
        inside & (np.sin(7 * x) * np.sin(7 * y) > 0),
        inside & (np.sin(8 * x) > 0) & (np.sin(8 * y) > 0),
    ]
    mask = np.select([labels.reshape(-1, 1, 1) == c for c in range(10)], shapes)[:, None]
    back = rng.uniform(0, 110, (count, 3, 1, 1)).astype(np.float32)
    step = rng.uniform(70, 145, (count, 3, 1, 1)).astype(np.float32)
    noise = rng.normal(0, 25, (count, 3, 32, 32)).astype(np.float32)
    images = (back + mask * step + noise).clip(0, 255).astype(np.uint8)
    return torch.from_numpy(images), torch.from_numpy(labels)
