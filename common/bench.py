"""Three loops in turn over the same network: the usual one, ours, and the ceiling, which has no data path at all.

    python -m common.bench [--device auto] [--repeats 5] [--seconds 3] [--networks level_1 resnet_18] [--batches 64 512]
                           [--parts loops choices side_by_side growth costs agreement]

Each loop lives in a process of its own, so that peak memory is its own, and works when it is told to: usual, ours,
ceiling, usual, … What slows the machine for a while then slows all three. Prints a table and writes _build/bench.json.
The other parts ask what else the engine page tells. Each part is written when it is done, beside bench.json under the
machine's name; parts that are not asked for are taken from there. When all are there, and measured on CIFAR-10, the
file goes to book/bench/, from where the book shows it.
"""

import argparse
import datetime
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from common import data as datasets
from common import settings as lab_settings
from common.choices import choices, side_by_side
from common.costs import KEPT, costs
from common.files import write_whole
from common.loops import LOOPS, cores, networks, worker
from common.processes import answer, end, process
from common.runs import device_name
from common.train import has_bf16_units
from common.whole_runs import agreement, growth

# What the Makefile tells glibc for our loop. The usual loop is run as it usually is, without.
ALLOCATOR = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "THP_MEM_ALLOC_ENABLE")

PARTS = ["loops", "choices", "side_by_side", "growth", "costs", "agreement"]


def measure(network, batch_size, dataset, device, repeats, target):
    """Return one row a loop, each with the median of `repeats` turns of about `target` seconds."""
    workers = {loop: process(worker, loop, network, batch_size, dataset, device,
                             **dict.fromkeys(ALLOCATOR) if loop == "usual" else {}) for loop in LOOPS}

    most = max(1, (2_000 if dataset == "synthetic" else 50_000) // batch_size)
    steps, rates, peaks = 1, {loop: [] for loop in LOOPS}, {}
    try:
        for loop in LOOPS:  # warm up
            took, _ = answer(workers[loop], steps)
        while took < target / 10 and steps < most:
            steps = min(10 * steps, most)
            took, _ = answer(workers["ceiling"], steps)
        steps = max(1, min(most, round(steps * target / took)))
        for _ in range(repeats):
            for loop in LOOPS:
                took, peaks[loop] = answer(workers[loop], steps)
                rates[loop].append(steps * batch_size / took)
    finally:
        end(workers.values())
    print(f"{network}, batch {batch_size}: " + ", ".join(f"{loop} {np.median(rates[loop]):,.0f}" for loop in LOOPS), flush=True)
    return [dict(network=network, batch=batch_size, device=device, loop=loop, images_per_s=float(np.median(rates[loop])),
                 peak_mib=peaks[loop], slowest=min(rates[loop]), fastest=max(rates[loop])) for loop in LOOPS]


def table(rows):
    """Return a DataFrame with one row a network and batch size: images/s of the three loops, ratios, peak MiB."""
    frame = pd.DataFrame(rows).pivot(index=["network", "batch"], columns="loop", values=["images_per_s", "peak_mib"])
    speed, peak = frame.images_per_s, frame.peak_mib
    return pd.DataFrame({
        **{loop: [f"{v:,.0f}" for v in speed[loop]] for loop in LOOPS},
        "ours / usual": [f"{v:.2f}" for v in speed.ours / speed.usual],
        "ours / ceiling": [f"{v:.3f}" for v in speed.ours / speed.ceiling],
        **{f"{loop}, MiB": [f"{v:,.0f}" for v in peak[loop]] for loop in LOOPS}}, index=frame.index).reset_index()


def main():
    """Read the command line, measure, print and keep."""
    parser = argparse.ArgumentParser(prog="python -m common.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dataset", default="cifar10")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of one turn of one loop, about")
    parser.add_argument("--networks", nargs="+", choices=list(networks()), default=list(networks()))
    parser.add_argument("--batches", nargs="+", type=int, default=[64, 512])
    parser.add_argument("--out", type=Path, default=datasets.ROOT / "_build", help="where bench.json goes")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="measure no others now")
    given = parser.parse_args()
    if given.repeats < 1 or min(given.batches) < 1:
        parser.error("repeats and batches must be 1 or more")
    device = lab_settings.device(lab_settings.read(dict(device=given.device)))

    data = datasets.load(given.dataset)  # so that what is wrong with it is said at once
    if max(given.batches) > len(data.train_labels):
        parser.error(f"the {len(data.train_labels):,} images of {given.dataset} make no batch of {max(given.batches):,}")

    parts = dict(
        loops=lambda: [row for network in given.networks for batch_size in given.batches
                       for row in measure(network, batch_size, given.dataset, device.type, given.repeats, given.seconds)],
        choices=lambda: choices(networks()["level_1"], data, device),
        side_by_side=lambda: side_by_side("level_1", given.dataset, device.type, 2 if device.type == "cpu" else min(8, cores())),
        growth=lambda: growth("level_1", given.dataset, device.type),
        costs=lambda: dict(assignment_6b=costs("assignment_6b", device.type)),
        agreement=lambda: agreement(networks()["level_1"], data, device.type))
    name = "-".join(re.findall(r"[a-z0-9]+", device_name(device).lower())) + ".json"
    found = json.loads((given.out / name).read_text()) if (given.out / name).exists() else {}
    alike = dict(dataset=given.dataset, networks=given.networks, batches=given.batches, repeats=given.repeats,
                 seconds=given.seconds, threads=torch.get_num_threads(), torch=torch.__version__,
                 precision="bf16" if has_bf16_units(device) else "fp32")
    if any(found.get(what) != value for what, value in alike.items()):
        found = {}  # parts that were measured otherwise do not stand beside those of now
    found |= alike | dict(machine=device_name(device), cores=os.cpu_count(), date=datetime.date.today().isoformat())
    for part in given.parts:
        found[part] = parts[part]()
        write_whole(given.out / name, (json.dumps(found, indent=1) + "\n").encode())
        if part == "loops":
            write_whole(given.out / "bench.json", json.dumps(found["loops"], indent=1).encode())
    if "loops" in given.parts:
        print(table(found["loops"]).to_string(index=False))
    if device.type == "cpu" and not all(map(os.environ.get, ALLOCATOR)):
        print("Not kept for the book: on a CPU it measures with the allocator's settings of the Makefile, so use make bench.")
    elif given.dataset == "cifar10" and all(part in found for part in PARTS):
        write_whole(KEPT / name, (given.out / name).read_bytes())


if __name__ == "__main__":
    main()
