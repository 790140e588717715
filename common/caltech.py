"""Caltech-256 as whole tensors, for the same training loop as CIFAR-10.

Griffin, Holub and Perona, "Caltech-256 object category dataset", doi:10.22002/D1.20087: 30,607 photographs of many
sizes in 256 categories and one of clutter, which is left out here.
"""

import hashlib
import json
from collections import Counter

import torch
from torchvision.datasets import Caltech256
from torchvision.transforms import v2
from tqdm import tqdm

from common import data as datasets
from common.errors import CourseError

FOLDER = "caltech256/256_ObjectCategories"  # under the data folder, as torchvision has it
CATEGORIES, LEAST = 257, 80  # those with clutter, and the photographs of the smallest
TEST = 0.23  # of each category; the source's share, which it drew anew each time


def load(data_dir=None, side=64):
    """Return Caltech-256 as a Data of images (N, 3, side, side) in 256 classes, split into training and test images.

    Read from `data_dir`, or else $DATA_DIR, or else `data/`. A photograph is scaled until its shorter side has `side`
    pixels, and the middle is cut out: nothing is distorted. The split depends on the files alone, never on a run's
    seed. The first time takes minutes; what it makes is kept in runs/cache. Raises CourseError.
    """
    root = datasets.folder(data_dir)
    if not (root / FOLDER).is_dir():
        raise CourseError(f"Caltech-256 is not in {root / FOLDER}: download 256_ObjectCategories.tar from CaltechDATA "
                          f"(doi:10.22002/D1.20087) and unpack it in {(root / FOLDER).parent}, or set DATA_DIR to the "
                          "folder that holds caltech256.")
    form = v2.Compose([v2.RGB(), v2.Resize(side, antialias=True), v2.CenterCrop(side), v2.PILToTensor()])
    try:
        photographs = Caltech256(root, transform=form)
    except OSError as error:
        raise CourseError(f"Caltech-256 cannot be read ({error}): {root / FOLDER} must hold the folders of the categories and "
                          "nothing else.") from None
    counts = Counter(photographs.y)
    if len(counts) != CATEGORIES or min(counts.values()) < LEAST:
        raise CourseError(f"Caltech-256 in {root / FOLDER} is not as it was published, {CATEGORIES} categories of {LEAST} or more "
                          f"photographs: {len(counts)} categories have photographs, and one of them "
                          f"{min(counts.values(), default=0)}. Unpack 256_ObjectCategories.tar again, in an empty folder.")
    files = [(path.name, path.stat().st_size) for path in sorted((root / FOLDER).glob("*/*.jpg"))]
    digest = f"caltech256-{side}-{hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]}"
    tensors = datasets.kept(digest, lambda: _read(photographs))
    learn, test = datasets.split(tensors["labels"], TEST)
    parts = (tensors[what][which] for which in (learn, test) for what in ("images", "labels"))
    return datasets.Data("caltech256", digest, *parts)


def _read(photographs):
    """Return all of torchvision's photographs but the clutter as tensors: images uint8 (N, 3, H, W), labels int64 (N,)."""
    wanted = [n for n, label in enumerate(photographs.y) if "clutter" not in photographs.categories[label]]
    images = []
    for n in tqdm(wanted, "Caltech-256", leave=False, mininterval=1):
        try:
            images.append(photographs[n][0])
        except OSError as error:
            label = photographs.y[n]
            raise CourseError(f"Photograph {photographs.index[n]} of {photographs.categories[label]} in Caltech-256 cannot "
                              f"be read ({error}): unpack 256_ObjectCategories.tar again, in an empty folder.") from None
    return dict(images=torch.stack(images), labels=torch.tensor([photographs.y[n] for n in wanted]))


def balanced(labels, predictions):
    """Return the mean over classes of the share that was classified correctly, from classes (N,) true and predicted.

    Some categories hold ten times as many photographs as others; the plain accuracy is mostly that of the large ones.
    """
    right = (labels == predictions).double()
    return torch.stack([right[labels == c].mean() for c in labels.unique()]).mean().item()
