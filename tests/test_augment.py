"""Augmentations of a batch against the same done slowly, image by image."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from common import augment
from common.data import draw, normalise
from common.recipe import Recipe

MEAN, STD = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.25, 0.3])


def generator():
    return torch.Generator().manual_seed(7)


@pytest.fixture
def images():
    return draw(64, seed=2)[0]


def uniform(rng, low, high, n=64):
    """The numbers that an augmentation draws when it asks for one an image."""
    return (torch.rand(n, generator=rng) * (high - low) + low).tolist()


def test_flip_mirrors_the_marked_images_and_no_others(images):
    mirrored = augment.chance(images, 0.5, generator())
    for image, got, mark in zip(images, augment.flip(images, mirrored), mirrored):
        assert torch.equal(got, image.flip(2) if mark else image)


def test_chance_is_what_it_says():
    many = torch.empty(20_000)
    for p in (0.0, 0.3, 1.0):
        assert augment.chance(many, p, generator()).float().mean().item() == pytest.approx(p, abs=0.01)


@pytest.mark.parametrize("mode, numpys", [("black", "constant"), ("reflect", "reflect")])
def test_crop_is_a_window_of_the_padded_image_and_each_sample_has_its_own(images, mode, numpys):
    cropped = augment.crop(images, 3, mode, generator())
    assert cropped.shape == images.shape and cropped.dtype == torch.uint8
    places = set()
    for image, got in zip(images.numpy(), cropped.numpy()):
        padded = np.pad(image, ((0, 0), (3, 3), (3, 3)), mode=numpys)
        found = [(y, x) for y in range(7) for x in range(7) if np.array_equal(padded[:, y:y + 32, x:x + 32], got)]
        assert len(found) == 1
        places.update(found)
    assert len(places) > 25  # of 49
    assert {y for y, _ in places} == {x for _, x in places} == set(range(7))


def test_cutout_fills_a_rectangle_wholly_inside_now_and_then(images):
    fill = torch.tensor([-5.0, -6.0, -7.0])
    sizes, shapes, corners = set(), set(), set()
    for image, got in zip(images.float(), augment.cutout(images.float(), 4, 8, 0.5, fill, generator())):
        hole = (got == fill.view(3, 1, 1)).all(0).numpy()
        if hole.any():
            rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
            expected = image.clone()
            expected[:, rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] = fill.view(3, 1, 1)
            sizes |= {len(rows), len(columns)}
            shapes.add((len(rows), len(columns)))
            corners.add((rows[0], columns[0]))
        else:
            expected = image
        assert torch.equal(got, expected)
    assert sizes == {4, 5, 6, 7, 8} and 20 < len(corners) <= 45
    assert len(shapes) > 10  # squares alone would give 5


def test_cutout_reaches_every_pixel_and_no_further():
    blank = torch.zeros(4000, 3, 8, 8)
    covered = augment.cutout(blank, 3, 3, 1.0, torch.ones(3), generator())[:, 0].sum(0)
    assert covered.min() > 0 and covered.sum() == 4000 * 9
    assert torch.allclose(covered[3, 3] / 4000, torch.tensor(9 / 36), atol=0.03)  # 9 of the 36 places


def slowly(image, matrix, offset, mode):
    """Warp one image (3, H, W) as SciPy does: for each pixel the place it is looked up at, bilinear."""
    centre = (np.array(image.shape[1:]) - 1) / 2
    shift = centre - matrix @ (centre + offset)
    return np.stack([ndimage.affine_transform(plane, matrix, shift, order=1, mode=mode) for plane in image])


def test_shift_scale_rotate(images):
    images = images.float()
    got = augment.shift_scale_rotate(images, 0.1, 0.2, 30, 0.7, generator())
    rng = generator()
    on = [u < 0.7 for u in uniform(rng, 0, 1)]
    angles, factors = uniform(rng, -math.radians(30), math.radians(30)), uniform(rng, -0.2, 0.2)
    downs, rights = uniform(rng, -0.1, 0.1), uniform(rng, -0.1, 0.1)
    assert 30 < sum(on) < 60
    for k, image in enumerate(images.numpy()):
        angle, factor = angles[k] * on[k], 1 + factors[k] * on[k]
        cos, sin = math.cos(angle) / factor, math.sin(angle) / factor
        offset = np.array([downs[k] * 32, rights[k] * 32]) * on[k]
        expected = slowly(image, np.array([[cos, -sin], [sin, cos]]), offset, "mirror")
        assert np.abs(got[k].numpy() - expected).max() < 0.02  # of 255: places are single precision


def test_zoom(images):
    images = images.float()
    got = augment.zoom(images, 0.3, generator())
    rng = generator()
    for image, down, right, out in zip(images.numpy(), uniform(rng, 0.7, 1.3), uniform(rng, 0.7, 1.3), got.numpy()):
        assert np.abs(out - slowly(image, np.diag([down, right]), np.zeros(2), "nearest")).max() < 0.02


def test_a_turn_of_90_degrees_and_a_shift_are_exact(images):
    images = images.float()
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand(64, 2, 2)
    turned = augment.warp(images, quarter, torch.zeros(64, 2), "border")
    assert torch.allclose(turned, images.rot90(-1, (2, 3)), atol=0.01)
    moved = augment.warp(images, torch.eye(2).expand(64, 2, 2), torch.tensor([[2.0, -3.0]]).expand(64, 2), "border")
    assert torch.allclose(moved[:, :, 2:, :-3], images[:, :, :-2, 3:], atol=0.01)


@pytest.mark.parametrize("least", [1.0, 0.2])
def test_grey(images, least):
    got = augment.grey(images.float(), 0.5, least, generator())
    rng = generator()
    shares, on = uniform(rng, least, 1), [u < 0.5 for u in uniform(rng, 0, 1)]
    for image, share, mark, out in zip(images.numpy().astype(float), shares, on, got.numpy()):
        luma = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
        expected = image + share * mark * (luma - image)
        assert np.abs(out - expected).max() < 1e-4
        assert least < 1 or not mark or np.ptp(out, axis=0).max() < 1e-4, "no colour is left"


def test_mixup(images):
    labels = torch.arange(64) % 10
    mixed, share = augment.mixup(images.float(), 0.4)
    targets = augment.mixed(labels, share, 10)
    for k in range(64):
        share = targets[k, labels[k]].item()
        assert 0.5 <= share <= 1 and targets[k].sum().item() == pytest.approx(1, abs=1e-6)
        assert targets[k, labels[k - 1]].item() == pytest.approx(1 - share, abs=1e-6)
        assert torch.allclose(mixed[k], share * images[k].float() + (1 - share) * images[k - 1].float(), atol=1e-3)


def test_mixups_shares_have_the_spread_of_a_beta_distribution():
    for alpha in (0.2, 1.0, 4.0):
        torch.manual_seed(0)
        shares = augment.mixup(torch.zeros(50_000, 1, 1, 1), alpha)[1]
        assert ((shares - 0.5) ** 2).mean().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.02)


EVERYTHING = dict(crop=4, crop_mode="reflect", flip=True, shift=0.1, scale=0.1, rotate=15, zoom=0.1, grey_p=0.2, cutout=8)


def test_nothing_asked_is_nothing_but_normalising(images):
    assert torch.equal(augment.augment(images, Recipe(epochs=1), MEAN, STD), normalise(images, MEAN, STD))


def test_all_of_it_is_random_for_each_sample_and_leaves_what_was_given(images):
    same = images[:1].repeat(64, 1, 1, 1)
    kept = same.clone()
    out = augment.augment(same, Recipe(epochs=1, **EVERYTHING), MEAN, STD)
    assert out.dtype == torch.float32 and out.shape == same.shape and torch.equal(same, kept)
    assert len(torch.unique(out.flatten(1), dim=0)) == 64


def test_each_augmentation_is_done_as_the_recipe_says_and_in_its_order(images):
    recipe = Recipe(epochs=1, crop=3, crop_mode="reflect", flip=True, flip_p=0.3, shift=0.1, scale=0.2, rotate=15,
                    affine_p=0.7, zoom=0.3, grey_p=0.4, grey_least=0.6, cutout=8, cutout_least=4, cutout_p=0.6)
    torch.manual_seed(7)
    got = augment.augment(images, recipe, MEAN, STD)
    torch.manual_seed(7)
    expected = augment.crop(images, 3, "reflect")
    expected = normalise(augment.flip(expected, augment.chance(expected, 0.3)), MEAN, STD)
    expected = augment.zoom(augment.shift_scale_rotate(expected, 0.1, 0.2, 15, 0.7), 0.3)
    expected = augment.cutout(augment.grey(expected, 0.4, 0.6), 4, 8, 0.6, torch.zeros(3))
    assert torch.equal(got, expected)


def test_the_flips_that_are_asked_for_are_those_that_are_done(images):
    mirrored = augment.chance(images, 0.5, generator())
    got = augment.augment(images, Recipe(epochs=1, flip=True), MEAN, STD, mirrored)
    assert torch.equal(got, normalise(augment.flip(images, mirrored), MEAN, STD))


def test_the_fill_of_a_hole(images):
    for fill, level in [("mean", torch.zeros(3)), ("mean, not normalised", MEAN)]:
        recipe = Recipe(epochs=1, cutout=32, cutout_fill=fill)  # a hole as large as the image
        assert torch.equal(augment.augment(images, recipe, MEAN, STD), level.view(1, 3, 1, 1).expand(64, 3, 32, 32))
