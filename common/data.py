"""CIFAR-10, and a drawn stand-in for tests, as whole tensors that live on the device.

There is no DataLoader: 50,000 images are 147 MiB as bytes, so the set is moved to the device once and a batch is one
indexing operation there.
"""

import hashlib
import os
import pickle
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torchvision.datasets import CIFAR10
from torchvision.datasets.utils import download_and_extract_archive

from common.errors import CourseError
from common.files import write_whole
from common.synthetic import draw

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "runs" / "cache"
CLASSES = {
    "cifar10": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    "synthetic": ["disc", "ring", "square", "frame", "triangle", "cross", "saltire", "bars", "checks", "dots"],
}
MD5 = dict(CIFAR10.train_list + CIFAR10.test_list)  # file name -> digest, the official ones
# What a record is tied to. It has to be known without the data set, so that the book is built where there is none.
DIGEST = {
    "cifar10": hashlib.sha256("".join(MD5[name] for name in sorted(MD5)).encode()).hexdigest()[:16],
    "synthetic": "synthetic-1",  # raise the number when common/synthetic.py changes
}


@dataclass(frozen=True)
class Data:
    """One data set. Images are uint8 (N, 3, H, W), all of one size; labels int64 (N,); all on one device."""

    name: str
    digest: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor

    def to(self, device):
        """The same set with every tensor on `device`."""
        tensors = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return Data(self.name, self.digest, *(t.to(device) for t in tensors))


def load(name, data_dir=None, images=0):
    """Return the data set `name`, "cifar10" or "synthetic", on the CPU; with `images`, only the first of each part.

    CIFAR-10 is read from `data_dir`, or else $DATA_DIR, or else `data/`, a relative name counting from the repository
    and not from where a notebook runs; where it is absent it is downloaded there.
    Every file's MD5 is checked on each load, before anything is unpickled. Raises CourseError.
    """
    if images:
        data = load(name, data_dir)
        if images > len(data.train_labels):
            raise CourseError(f"The data set {name} has {len(data.train_labels):,} images to train on, not {images:,}: ask "
                              "for fewer, or for all with images=0.")
        return Data(name, f"{data.digest}, first {images}", *first(images, data.train_images, data.train_labels),
                    *first(images, data.test_images, data.test_labels))
    if name == "synthetic":
        return Data(name, DIGEST[name], *draw(2_000, seed=0), *draw(1_000, seed=1))
    if name != "cifar10":
        raise CourseError(f"The data set {name!r} is not known: choose cifar10 or synthetic.")
    files = _checked(folder(data_dir))
    return Data(name, DIGEST[name], **_parse(files))


def at_hand(name, data_dir=None):
    """Return what `load` does where the files lie already, and otherwise the synthetic set: to show, not to measure."""
    there = os.path.isdir(folder(data_dir) / CIFAR10.base_folder)
    return load(name if there else "synthetic", data_dir)


def folder(data_dir=None):
    """Return where data sets lie: `data_dir`, or else $DATA_DIR, or else `data/`, beside the repository's other folders."""
    return placed(data_dir or os.environ.get("DATA_DIR") or "data")


def placed(name):
    """Return the path of the folder `name`, a relative one beside the repository's other folders. Raises CourseError."""
    try:
        return ROOT / Path(name).expanduser()
    except RuntimeError as error:
        raise CourseError(f"The folder {name} is not known ({error}): write its name in full.") from None


def kept(name, make):
    """Return the tensors, a dict, that runs/cache holds under `name`, or else those of `make()`, which it holds then."""
    cache = CACHE / f"{name}.safetensors"
    try:
        return load_file(cache)
    except (OSError, SafetensorError):
        tensors = make()
        with suppress(OSError):  # where there is no room the tensors are made anew each time
            write_whole(cache, save(tensors))
        return tensors


def first(count, images, labels):
    """Return the first `count` images and their labels, as many of each class, in the order that they have in the set."""
    chosen = torch.cat([(labels == c).nonzero()[: count // 10, 0] for c in range(10)]).sort().values
    return images[chosen], labels[chosen]


def _checked(root):
    """Return {file name: bytes} of the six official files under `root`, each with the right MD5."""
    folder = root / CIFAR10.base_folder
    if not os.path.isdir(folder):  # nor one that cannot be looked into, where Path.is_dir raises PermissionError
        _download(root)
    files = {}
    for name, md5 in MD5.items():
        try:
            files[name] = (folder / name).read_bytes()
        except OSError as error:
            raise CourseError(f"The CIFAR-10 file {folder / name} cannot be read ({error.strerror}): remove the folder "
                              f"{folder} to download it again, or set DATA_DIR to a whole copy.") from None
        if hashlib.md5(files[name]).hexdigest() != md5:
            raise CourseError(f"The CIFAR-10 file {folder / name} is not the official one (its MD5 is not {md5}) and was "
                              f"not opened: remove the folder {folder} to download it again, or set DATA_DIR to a "
                              "whole copy.")
    return files


def _download(root):
    missing = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root) as partial:  # so that a broken download leaves nothing behind
            download_and_extract_archive(CIFAR10.url, partial, filename=CIFAR10.filename, md5=CIFAR10.tgz_md5)
            (Path(partial) / CIFAR10.base_folder).rename(root / CIFAR10.base_folder)
    except (OSError, RuntimeError) as error:
        if (root / CIFAR10.base_folder).is_dir():  # another process was quicker
            return
        if missing:
            with suppress(OSError):
                root.rmdir()
        raise CourseError(f"CIFAR-10 is not in {root} and could not be downloaded ({error}): unpack the official "
                          f"cifar-10-python.tar.gz there, or set DATA_DIR to the folder that holds "
                          f"{CIFAR10.base_folder}.") from None


def _parse(files):
    def tensors(names):
        batches = [pickle.loads(files[name], encoding="bytes") for name in names]  # safe: the MD5s were checked
        images = torch.from_numpy(np.concatenate([b[b"data"] for b in batches])).view(-1, 3, 32, 32)
        return images, torch.tensor([label for b in batches for label in b[b"labels"]])

    train_images, train_labels = tensors([name for name, _ in CIFAR10.train_list])
    test_images, test_labels = tensors([name for name, _ in CIFAR10.test_list])
    return dict(train_images=train_images, train_labels=train_labels, test_images=test_images, test_labels=test_labels)


def split(labels, fraction):
    """Return (training, validation) indices, int64 on the labels' device: `fraction` of each class held out.

    The split depends on the labels alone, never on a run's seed, so that all runs are compared on the same images.
    """
    generator = torch.Generator().manual_seed(45_000)
    order = torch.randperm(len(labels), generator=generator)
    by_class = [order[labels.cpu()[order] == c] for c in labels.unique().cpu()]
    held_out = torch.cat([members[: round(fraction * len(members))] for members in by_class])
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[held_out] = True
    return (~mask).nonzero().flatten().to(labels.device), mask.nonzero().flatten().to(labels.device)


def statistics(images):
    """Return (mean, std) per channel of uint8 images (N, 3, H, W), each of shape (3,), on the scale 0 to 1."""
    counts = torch.stack([torch.bincount(images[:, c].flatten(), minlength=256) for c in range(3)]).double()
    levels = torch.arange(256, device=images.device).double() / 255
    mean = counts @ levels / counts.sum(1)
    variance = counts @ levels**2 / counts.sum(1) - mean**2
    return mean.float(), variance.sqrt().float()


def normalisation(data, recipe):
    """Return the (mean, std) that `recipe` normalises with: of the images it learns from, or of the test images."""
    learn, _ = split(data.train_labels, recipe.validation)
    return statistics(data.test_images if recipe.statistics == "test" else data.train_images[learn])


def normalise(images, mean, std):
    """Turn uint8 images (N, 3, H, W) into float32, channels last, minus `mean` and over `std`, both of shape (3,)."""
    images = images.to(torch.float32, memory_format=torch.channels_last)

    def everywhere(values):  # a CPU is slow on what it must repeat along channels, which lie innermost
        return values.view(1, 3, 1, 1).expand_as(images[:1]).contiguous(memory_format=torch.channels_last)

    return images.mul_(everywhere(1 / (255 * std))).sub_(everywhere(mean / std))
