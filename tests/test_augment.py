"""Augmentations of a batch against the same done slowly, image by image."""

import torch

from common import augment
from common.data import draw


def test_flip_mirrors_about_half_and_nothing_else():
    images = draw(400, seed=1)[0]
    flipped = augment.flip(images, torch.Generator().manual_seed(0))
    same = [torch.equal(a, b) for a, b in zip(images, flipped)]
    mirrored = [torch.equal(a.flip(2), b) for a, b in zip(images, flipped)]
    assert all(a != b for a, b in zip(same, mirrored)), "each image is either as it was or mirrored"
    assert 150 < sum(mirrored) < 250


def test_crop_is_a_window_of_the_padded_image_and_each_sample_has_its_own():
    images = draw(64, seed=2)[0]
    cropped = augment.crop(images, 3, torch.Generator().manual_seed(0))
    assert cropped.shape == images.shape and cropped.dtype == torch.uint8
    places = set()
    for image, got in zip(images, cropped):
        padded = torch.zeros(3, 38, 38, dtype=torch.uint8)
        padded[:, 3:35, 3:35] = image
        found = [(y, x) for y in range(7) for x in range(7) if torch.equal(padded[:, y:y + 32, x:x + 32], got)]
        assert len(found) == 1
        places.update(found)
    assert len(places) > 25  # of 49
