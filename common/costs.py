"""What the variants of a lab cost on the device at hand, in turns: how fast they train, and the memory that takes."""

import contextlib
import json
import statistics

import torch

from common import data as datasets
from common.inspect import digest
from common.labs import LABS, variants
from common.loops import forget_peak, leading, peak_mib
from common.processes import answer, end, process
from common.train import train

KEPT = datasets.ROOT / "book" / "bench"  # a file a machine, written by common.bench
IMAGES = 25_600  # of noise, since what they show costs nothing


def costs(lab, device, repeats=5, target=1.5):
    """Return {variant: {images_per_s, peak_mib, network}} of `lab`, each in a process of its own, by its own recipe.

    Speeds are medians over `repeats` turns of about `target` seconds. Peak memory is what the first steps held at most
    beyond what the process held before them: Python, PyTorch and the images. `network` is the digest of what was measured.
    """
    offered = variants(LABS / f"{lab}.py")
    workers = {name: process(_serve, lab, name, device) for name in offered}
    steps, rates, peaks = {}, {name: [] for name in offered}, {}
    try:
        for name, worker in workers.items():
            answer(worker, 4)  # warms up
            seconds, images, peaks[name] = answer(worker, 8)
            steps[name] = max(2, min(8 * IMAGES // images, round(8 * target / seconds)))
        for _ in range(repeats):
            for name, worker in workers.items():
                seconds, images, _ = answer(worker, steps[name])
                rates[name].append(images / seconds)
    finally:
        end(workers.values())
    return {name: dict(images_per_s=statistics.median(rates[name]), peak_mib=peaks[name], network=digest(variant.build()))
            for name, variant in offered.items()}


def _serve(pipe, lab, name, device):
    """For each number of steps that comes through `pipe` send back (seconds, images, peak MiB so far)."""
    variant = variants(LABS / f"{lab}.py")[name]
    recipe = variant.recipe.plus(epochs=2, validation=0)
    images, labels = torch.randint(256, (IMAGES, 3, 32, 32), dtype=torch.uint8), torch.arange(IMAGES) % 10
    data = datasets.Data("noise", "", images, labels, images[:10], labels[:10])
    torch.zeros(1, device=device)  # wakes a GPU
    before = peak_mib(device)
    while steps := pipe.recv():
        count = steps * recipe.batch_size
        forget_peak(device)
        with contextlib.redirect_stdout(None):
            second = train(variant.build, leading(data, count, 10), recipe, 0, device, learnt=10).history[1]
        pipe.send((second["seconds"], count, peak_mib(device) - before))


def on_record(lab, offered):
    """Return {machine: what `costs` measured}, where that was of the very networks of `offered`, {name: Variant}."""
    now = {name: digest(variant.build()) for name, variant in offered.items()}
    kept = [json.loads(path.read_text()) for path in sorted(KEPT.glob("*.json"))]
    measured = {one["machine"]: one.get("costs", {}).get(lab, {}) for one in kept}
    return {machine: rows for machine, rows in measured.items()
            if {name: row["network"] for name, row in rows.items()} == now}
