"""On real CIFAR-10, where DATA_DIR has it: its digests, its statistics, and every record proved against it."""

import hashlib
import json

import numpy as np
import pytest
import torch
from conftest import CIFAR_10, needs_cifar_10
from safetensors.torch import load_file, save

from common import data as datasets
from common import labs, recording, records
from common.errors import CourseError

pytestmark = needs_cifar_10


@pytest.fixture(scope="module")
def real():
    return datasets.load("cifar10", CIFAR_10)  # checks the six MD5s


def test_the_sizes_and_the_split(real):
    assert real.train_images.shape == (50_000, 3, 32, 32) and real.test_images.shape == (10_000, 3, 32, 32)
    assert [len(part) for part in datasets.split(real.train_labels, 0.1)] == [45_000, 5_000]


def test_the_statistics_of_the_training_images(real):
    mean, std = datasets.statistics(real.train_images)
    assert [f"{v:.4f}" for v in mean.tolist()] == ["0.4914", "0.4822", "0.4465"]
    assert [f"{v:.4f}" for v in std.tolist()] == ["0.2470", "0.2435", "0.2616"]


def test_every_record_holds(real, capsys):
    labs.verify(CIFAR_10, every=10)  # `make verify` takes all images, and minutes
    assert f"{len(records.read_all())} records hold." in capsys.readouterr().out


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """One real record in a folder of its own."""
    record = next(r for r in records.read_all() if ".safetensors" in r.files)
    folder = tmp_path / record.lab / record.variant
    folder.mkdir(parents=True)
    for path in [record.path, *(record.beside(ending) for ending in record.files)]:
        (folder / path.name).write_bytes(path.read_bytes())
    for module in (records, recording):
        monkeypatch.setattr(module, "RECORDS", tmp_path)
    monkeypatch.setattr(records, "read_all", lambda: [records.read(folder / record.path.name)])
    monkeypatch.setattr(labs, "read_all", records.read_all)
    return folder / record.path.name


def seal(path, fields):
    """Write a record with a checksum that fits, as somebody would who means it."""
    record = records.Record(**{k: v for k, v in fields.items() if k != "checksum"})
    path.write_text(records._text(record))


def test_a_changed_digit_of_the_accuracy_is_found_even_under_a_right_checksum(real, copied):
    fields = json.loads(copied.read_text())
    fields["test_acc"] = round(fields["test_acc"] + 0.0001, 4)
    seal(copied, fields)
    with pytest.raises(CourseError, match="holds a test accuracy, .*, that its run cannot have given"):
        labs.verify(CIFAR_10)


def test_a_changed_digit_is_found(real, copied):
    text = copied.read_text()
    at = text.index('"test_acc": 0.') + len('"test_acc": 0.')
    copied.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1:])
    with pytest.raises(CourseError, match="cut short or was changed"):
        labs.verify(CIFAR_10)


def test_a_changed_list_of_correct_images_is_found_even_under_right_checksums(real, copied):
    path, fields = copied.with_suffix(".npz"), json.loads(copied.read_text())
    with np.load(path) as arrays:
        predictions, correct = arrays["predictions"], arrays["correct"]
    correct[[0, 1]] = ~correct[[0, 1]]
    np.savez_compressed(path, predictions=predictions, correct=correct)
    fields["files"][".npz"] = hashlib.sha256(path.read_bytes()).hexdigest()
    seal(copied, fields)
    with pytest.raises(CourseError, match="holds a list of correct images that its run cannot have given"):
        labs.verify(CIFAR_10)


def test_changed_predictions_are_found(real, copied):
    path = copied.with_suffix(".npz")
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(CourseError, match="is missing or is not what its record"):
        labs.verify(CIFAR_10)


def test_other_weights_are_found(real, copied):
    path = copied.with_suffix(".safetensors")
    weights = load_file(path)
    first = next(name for name, values in weights.items() if name.endswith("weight") and values.dim() == 4)
    weights[first] = torch.roll(weights[first], 1, 0)
    path.write_bytes(save(weights))
    fields = json.loads(copied.read_text())
    fields["files"][".safetensors"] = hashlib.sha256(path.read_bytes()).hexdigest()
    seal(copied, fields)
    with pytest.raises(CourseError, match="The weights beside .* predict another class than it holds for"):
        labs.verify(CIFAR_10)
