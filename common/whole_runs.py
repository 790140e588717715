"""Two questions to whole runs: how their cost grows with images and epochs, and whether three loops learn the same."""

import contextlib
import time
from itertools import islice

import numpy as np
import torch

from common import data as datasets
from common.loops import MEAN, STD, leading, networks, peak_mib, usual_loop
from common.processes import answer, end, process
from common.recipe import Recipe
from common.train import evaluate, train

GROWTH = [(10_000 * n, 1) for n in range(1, 6)] + [(10_000, n) for n in range(2, 6)]  # (images, epochs)


def growth(build_name, dataset, device):
    """Return a row for each of GROWTH: seconds and peak MiB of a run of so many images and epochs, from its start.

    Each run has a process of its own; the seconds are those from the call of `train` until it returns.
    """
    rows = []
    for images, epochs in GROWTH:
        alone = process(_one, build_name, dataset, device, images, epochs)
        try:
            used, seconds, peak = answer(alone)
        finally:
            end([alone])
        rows.append(dict(images=used, epochs=epochs, seconds=seconds, peak_mib=peak))  # a small dataset has fewer
        print(f"{used:,} images, {epochs} epochs: {seconds:.1f} s, {peak:,} MiB", flush=True)
    return rows


def _one(pipe, build_name, dataset, device, images, epochs):
    data = datasets.load(dataset)
    part = leading(data, images, 1_000)
    recipe = Recipe(epochs=epochs, crop=4, flip=True, validation=0)
    started = time.perf_counter()
    with contextlib.redirect_stdout(None):
        train(networks()[build_name], part, recipe, 0, device)
    seconds = time.perf_counter() - started
    pipe.send((len(part.train_images), round(seconds, 3), peak_mib(device)))


def line(amounts, costs):
    """Return (start, slope, share): the straight line through the points, and the largest distance from it over the cost."""
    slope, start = np.polyfit(amounts, costs, 1)
    off = np.abs(np.asarray(costs) - (start + slope * np.asarray(amounts))) / np.asarray(costs)
    return float(start), float(slope), float(off.max())


def agreement(build, data, device, seeds=3, images=10_000, epochs=3):
    """Return {loop: test accuracies over seeds} of short runs: our fast path, our plain one, and the usual loop."""
    part, there = leading(data, images, len(data.test_images)), data.to(device)
    recipe = Recipe(epochs=epochs, crop=4, flip=True, validation=0)
    mean, std = (torch.tensor(each, device=device) for each in (MEAN, STD))
    found = {"fast": [], "plain": [], "usual": []}
    for seed in range(seeds):
        for name, plain in (("fast", False), ("plain", True)):
            with contextlib.redirect_stdout(None):
                found[name].append(train(build, part, recipe, seed, device, plain=plain).test_acc)
        network, batches, step = usual_loop(build, part, recipe.batch_size, torch.device(device), seed)
        for batch in islice(batches, epochs * (len(part.train_labels) // recipe.batch_size)):
            step(batch)
        found["usual"].append(evaluate(network, there.test_images, there.test_labels, mean, std)[1])
        del batches, step  # ends the loader's workers: what they do on a GPU must not fall into the next run's capture
        print(f"seed {seed}: " + ", ".join(f"{name} {values[-1]:.2%}" for name, values in found.items()), flush=True)
    return found
