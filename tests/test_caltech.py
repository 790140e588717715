"""Caltech-256: real loading code, tested on small photographs that the test makes."""

import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from common import caltech
from common import data as datasets
from common.errors import CourseError

CATEGORIES = {"001.ak47": 13, "002.american-flag": 30, "003.clutter": 8}


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A data folder with three categories of noisy photographs of several sizes, every fourth of them grey."""
    rng = np.random.default_rng(0)
    for number, (category, count) in enumerate(CATEGORIES.items(), start=1):
        folder = tmp_path / caltech.FOLDER / category
        folder.mkdir(parents=True)
        for index in range(1, count + 1):
            shape = (40, 60) if index % 2 else (90, 30)
            pixels = rng.integers(60 * number, 60 * number + 50, (*shape, 3), dtype=np.uint8)
            image = Image.fromarray(pixels[..., 0] if index % 4 == 0 else pixels)
            image.save(folder / f"{number:03d}_{index:04d}.jpg")
    monkeypatch.setattr(datasets, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(caltech, "CATEGORIES", len(CATEGORIES))
    monkeypatch.setattr(caltech, "LEAST", min(CATEGORIES.values()))
    return tmp_path


def test_photographs_of_all_sizes_become_one_tensor_without_the_clutter(photographs):
    data = caltech.load(photographs, side=16)
    assert data.train_images.shape == (33, 3, 16, 16) and data.train_images.dtype == torch.uint8
    assert torch.bincount(data.train_labels).tolist() == [10, 23] and torch.bincount(data.test_labels).tolist() == [3, 7]
    brightness = data.test_images.float().mean((1, 2, 3))
    assert ((brightness > 115) == (data.test_labels == 1)).all()  # so labels belong to their photographs


def test_the_second_time_it_comes_from_the_cache_and_is_the_same(photographs, monkeypatch):
    one = caltech.load(photographs, side=16)
    monkeypatch.setattr(caltech, "_read", lambda photographs: pytest.fail("read again"))
    two = caltech.load(photographs, side=16)
    assert one.digest == two.digest and torch.equal(one.train_images, two.train_images)
    assert torch.equal(one.test_labels, two.test_labels)


def test_another_side_and_other_files_are_another_data_set(photographs):
    digests = {caltech.load(photographs, side=16).digest, caltech.load(photographs, side=8).digest}
    next((photographs / caltech.FOLDER / "001.ak47").glob("*_0013.jpg")).unlink()
    digests.add(caltech.load(photographs, side=16).digest)
    assert len(digests) == 3


def test_what_is_cut_out_is_the_middle_and_nothing_is_distorted(tmp_path, monkeypatch):
    folder = tmp_path / caltech.FOLDER / "001.ak47"
    folder.mkdir(parents=True)
    pixels = np.zeros((32, 96, 3), dtype=np.uint8)
    pixels[8:24, 40:56] = 255  # a square in the middle
    for index in range(1, 9):
        Image.fromarray(pixels).save(folder / f"001_{index:04d}.jpg", quality=95)
    monkeypatch.setattr(datasets, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(caltech, "CATEGORIES", 1)
    monkeypatch.setattr(caltech, "LEAST", 8)
    white = caltech.load(tmp_path, side=16).train_images[0, 0] > 128
    assert white[4:12, 4:12].all() and white.sum() == 64


def test_a_missing_folder_and_a_broken_photograph_are_named(photographs):
    with pytest.raises(CourseError, match=r"Caltech-256 is not in .*nowhere/caltech256/256_ObjectCategories: download .* "
                                          "or set DATA_DIR"):
        caltech.load(photographs / "nowhere")
    assert not (photographs / "nowhere").exists()
    (photographs / caltech.FOLDER / "002.american-flag" / "002_0007.jpg").write_bytes(b"no photograph")
    with pytest.raises(CourseError, match="Photograph 7 of 002.american-flag in Caltech-256 cannot be read"):
        caltech.load(photographs, side=16)
    assert not list(photographs.glob("cache/*"))


def test_half_an_unpacked_set_is_not_taken_for_the_whole(photographs):
    (photographs / caltech.FOLDER / ".DS_Store").touch()
    with pytest.raises(CourseError, match="Caltech-256 cannot be read .*must hold the folders of the categories"):
        caltech.load(photographs, side=16)
    (photographs / caltech.FOLDER / ".DS_Store").unlink()
    one = next((photographs / caltech.FOLDER / "003.clutter").glob("*.jpg"))
    one.unlink()
    with pytest.raises(CourseError, match="3 categories of 8 or more photographs: 3 categories have photographs, and one of them 7"):
        caltech.load(photographs, side=16)
    for path in (photographs / caltech.FOLDER / "003.clutter").glob("*.jpg"):
        path.unlink()
    with pytest.raises(CourseError, match="not as it was published, .*: 2 categories"):
        caltech.load(photographs, side=16)


def test_a_category_too_many_is_not_taken_for_a_label(photographs):
    shutil.copytree(photographs / caltech.FOLDER / "003.clutter", photographs / caltech.FOLDER / "004.clutter")
    for path in (photographs / caltech.FOLDER / "004.clutter").glob("*.jpg"):
        path.rename(path.with_name(path.name.replace("003_", "004_")))
    with pytest.raises(CourseError, match="not as it was published, 3 categories .*: 4 categories have photographs"):
        caltech.load(photographs, side=16)


def test_a_cache_that_cannot_be_read_is_made_anew(photographs):
    one = caltech.load(photographs, side=16)
    (cache,) = photographs.glob("cache/*")
    cache.unlink()
    cache.mkdir()
    assert torch.equal(caltech.load(photographs, side=16).train_images, one.train_images)


def test_classes_weigh_alike_in_the_balanced_accuracy():
    labels, predictions = torch.tensor([0] * 8 + [1] * 2), torch.tensor([0] * 8 + [0, 1])
    assert caltech.balanced(labels, predictions) == 0.75


def test_the_pages_example_trains(photographs, monkeypatch, capsys):
    page = (datasets.ROOT / "book" / "caltech.md").read_text()
    code, = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for there, here in ("side=64", "side=16"), ("epochs=60", "epochs=1"), ("batch_size=128", "batch_size=8"), ("crop=8", "crop=2"):
        assert there in code
        code = code.replace(there, here)
    monkeypatch.setenv("DATA_DIR", str(photographs))
    exec(code, {})
    assert re.search(r"of all photographs +\d+\.\d%\nmean over classes +\d+\.\d%", capsys.readouterr().out)
