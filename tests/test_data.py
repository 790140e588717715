"""The data sets: drawn, parsed, checked, split, normalised."""

import hashlib
import pickle
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch

from common import data as datasets
from common.errors import CourseError
from common.recipe import Recipe


def test_synthetic_has_the_form_of_cifar10_and_is_the_same_each_time():
    one, two = datasets.load("synthetic"), datasets.load("synthetic")
    assert one.train_images.shape == (2000, 3, 32, 32) and one.train_images.dtype == torch.uint8
    assert one.test_labels.shape == (1000,) and one.test_labels.dtype == torch.int64
    assert torch.bincount(one.train_labels).tolist() == [200] * 10
    assert torch.equal(one.train_images, two.train_images) and torch.equal(one.test_labels, two.test_labels)
    assert not torch.equal(one.train_images[:1000], one.test_images)


def test_the_first_images_of_each_class():
    whole, some = datasets.load("synthetic"), datasets.load("synthetic", images=60)
    assert torch.bincount(some.train_labels).tolist() == torch.bincount(some.test_labels).tolist() == [6] * 10
    for c in range(10):
        assert torch.equal(some.train_images[some.train_labels == c], whole.train_images[whole.train_labels == c][:6])
    kept = [(whole.train_images == image).flatten(1).all(1).nonzero().item() for image in some.train_images]
    assert kept == sorted(kept)  # not class by class, or else the first of them would be of few classes
    assert [len(part) for part in datasets.split(some.train_labels, 0.1)] == [50, 10]
    assert (whole.digest, some.digest) == ("synthetic-1", "synthetic-1, first 60")
    with pytest.raises(CourseError, match="has 2,000 images to train on, not 2,010: ask for fewer"):
        datasets.load("synthetic", images=2010)


def test_split_is_even_over_classes_disjoint_and_always_the_same():
    labels = torch.arange(50_000) % 10
    learn, validate = datasets.split(labels, 0.1)
    assert len(learn) == 45_000 and len(validate) == 5_000
    assert torch.bincount(labels[validate]).tolist() == [500] * 10
    assert len(set(learn.tolist()) | set(validate.tolist())) == 50_000
    assert torch.equal(validate, datasets.split(labels, 0.1)[1])
    few = datasets.split(torch.arange(10).repeat(100), 0.1)[1]  # with another split, no record would be what it says
    assert few[:12].tolist() == [2, 7, 11, 17, 32, 49, 64, 78, 83, 86, 92, 96]
    assert [len(part) for part in datasets.split(labels, 0.0)] == [50_000, 0]


def test_images_are_normalised_with_those_learnt_from_or_else_those_of_the_test(tiny):
    learn, _ = datasets.split(tiny.train_labels, 0.1)
    for settings, images in ((dict(), tiny.train_images[learn]), (dict(validation=0), tiny.train_images),
                             (dict(statistics="test"), tiny.test_images)):
        used = datasets.normalisation(tiny, Recipe(epochs=1, **settings))
        assert torch.equal(torch.stack(used), torch.stack(datasets.statistics(images)))


def test_statistics_and_normalise_agree_with_torch():
    images = datasets.draw(300, seed=9)[0]
    mean, std = datasets.statistics(images)
    scaled = images.double() / 255
    assert torch.allclose(mean.double(), scaled.mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(std.double(), scaled.std((0, 2, 3), correction=0), atol=1e-6)
    normal = datasets.normalise(images, mean, std)
    assert normal.is_contiguous(memory_format=torch.channels_last)
    expected = (scaled - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    assert torch.allclose(normal.double(), expected, atol=1e-5)


@pytest.fixture
def official(tmp_path, monkeypatch):
    """A folder in CIFAR-10's format with few images, whose digests are taken for the official ones."""
    folder = tmp_path / "data" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    digests = {}
    for name in datasets.MD5:
        batch = {b"data": rng.integers(0, 256, (20, 3072), dtype=np.uint8), b"labels": rng.permutation(np.arange(20) % 10).tolist()}
        content = pickle.dumps(batch)
        (folder / name).write_bytes(content)
        digests[name] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(datasets, "MD5", digests)
    return folder


def test_cifar10_is_what_its_files_hold(official):
    data = datasets.load("cifar10", official.parent)
    assert data.train_images.shape == (100, 3, 32, 32)
    for images, labels, name in ((data.train_images[20:40], data.train_labels[20:40], "data_batch_2"),
                                 (data.test_images, data.test_labels, "test_batch")):
        batch = pickle.loads((official / name).read_bytes())
        assert torch.equal(images.flatten(1), torch.from_numpy(batch[b"data"])) and labels.tolist() == batch[b"labels"]


def test_what_is_downloaded_is_checked_and_lies_where_it_is_looked_for(official, tmp_path, monkeypatch):
    def download(url, folder, filename, md5):
        assert md5 == datasets.CIFAR10.tgz_md5
        official.rename(Path(folder) / official.name)

    monkeypatch.setattr(datasets, "download_and_extract_archive", download)
    assert len(datasets.load("cifar10", tmp_path / "new").train_images) == 100
    assert [path.name for path in (tmp_path / "new").iterdir()] == [official.name]


def test_a_relative_folder_counts_from_the_repository(monkeypatch):
    monkeypatch.setenv("DATA_DIR", "elsewhere")
    assert datasets.folder() == datasets.ROOT / "elsewhere" and datasets.folder("here") == datasets.ROOT / "here"


def test_drawn_images_are_those_of_the_digest():
    """Who changes common/synthetic.py raises the number in DIGEST, and writes here what is drawn then."""
    images, labels = datasets.draw(20, seed=0)
    assert datasets.DIGEST["synthetic"] == "synthetic-1"
    assert labels.tolist() == [4, 9, 6, 2, 3, 6, 3, 1, 0, 8, 0, 2, 7, 5, 8, 7, 4, 9, 1, 5]
    assert images.double().mean().item() == pytest.approx(79.7805, abs=0.01)


def test_what_is_kept_is_made_once_and_anew_where_it_broke_or_cannot_be_kept(tmp_path, monkeypatch):
    made = []

    def make():
        made.append(1)
        return dict(some=torch.arange(1000))

    monkeypatch.setattr(datasets, "CACHE", tmp_path / "cache")
    for _ in range(2):
        assert datasets.kept("name", make)["some"].tolist() == list(range(1000)) and len(made) == 1
    cache = next((tmp_path / "cache").iterdir())
    cache.write_bytes(cache.read_bytes()[:1000])
    assert datasets.kept("name", make)["some"].tolist() == list(range(1000)) and len(made) == 2
    (tmp_path / "file").touch()
    monkeypatch.setattr(datasets, "CACHE", tmp_path / "file" / "cache")
    assert len(datasets.kept("name", make)["some"]) == 1000


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "code"])
def test_a_file_that_is_not_the_official_one_is_not_opened(official, tmp_path, damage):
    path, mark = official / "data_batch_3", tmp_path / "executed"

    class Code:
        def __reduce__(self):
            return mark.touch, ()

    content = bytearray(path.read_bytes())
    content[500] ^= 1
    damaged = {"cut": path.read_bytes()[:-7], "flip": bytes(content), "code": pickle.dumps(Code()), "missing": None}[damage]
    path.unlink() if damaged is None else path.write_bytes(damaged)
    with pytest.raises(CourseError, match=r"data_batch_3 (is not the official one|cannot be read).*DATA_DIR"):
        datasets.load("cifar10", official.parent)
    assert not mark.exists()
    assert path.exists() == (damaged is not None) and (damaged is None or path.read_bytes() == damaged)


def test_a_folder_of_nobody_is_said():
    with pytest.raises(CourseError, match="The folder ~nobody_at_all/x is not known .*write its name in full"):
        datasets.load("cifar10", "~nobody_at_all/x")


def test_no_data_and_no_network_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(datasets, "download_and_extract_archive", refuse)
    with pytest.raises(CourseError, match="could not be downloaded .*no network.*cifar-10-python.tar.gz.*DATA_DIR"):
        datasets.load("cifar10", tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_another_process_finished_first_is_used(official, tmp_path, monkeypatch):
    def other(*args, **kwargs):
        official.rename(tmp_path / "new" / official.name)
        raise OSError("Directory not empty")

    monkeypatch.setattr(datasets, "download_and_extract_archive", other)
    assert len(datasets.load("cifar10", tmp_path / "new").train_images) == 100


def test_an_unknown_set_is_named():
    with pytest.raises(CourseError, match="'cifar100' is not known: choose cifar10 or synthetic"):
        datasets.load("cifar100")


def test_at_hand_is_what_needs_no_download(official, tmp_path):
    assert datasets.at_hand("cifar10", official.parent).name == "cifar10"
    for name, folder in (("cifar10", tmp_path / "elsewhere"), ("synthetic", official.parent)):
        assert datasets.at_hand(name, folder).name == "synthetic"
    assert not (tmp_path / "elsewhere").exists()
