"""What each choice in the training step is worth: the same step on one batch, done in other ways, in turn."""

import contextlib
import multiprocessing
import shutil
import statistics
import time

import torch
import torch.nn.functional as F

from common import data as datasets
from common.graphs import recorded
from common.loops import environment, synchronise
from common.recipe import Recipe
from common.schedule import make_optimizer
from common.train import has_bf16_units

STACKED = 4  # networks trained as one


def choices(build, data, device, batch_size=64, repeats=5, target=2.0):
    """Return [{choice, images_per_s}]: medians over `repeats` turns of about `target` seconds; the first is what we do."""
    images = datasets.normalise(data.train_images[:batch_size], *datasets.statistics(data.train_images)).to(device)
    labels = data.train_labels[:batch_size].to(device)
    gpu, units = device.type == "cuda", has_bf16_units(device)
    ways = {"as we train": {}, "channels first": dict(memory=torch.contiguous_format)}
    ways["fp32" if units else "bfloat16 without units for it"] = dict(bf16=not units)
    if gpu or shutil.which("c++"):  # which torch.compile needs on a CPU
        ways["compiled"] = dict(compiled=True)
    if gpu:
        ways["kernel by kernel"] = dict(replayed=False)
        ways["compiled, kernel by kernel"] = dict(compiled=True, replayed=False)
    steps = {name: one_step(build, images, labels, device, **{"bf16": units, "replayed": gpu} | way)
             for name, way in ways.items()}
    steps[f"{STACKED} networks stacked"] = stacked_step(build, images, labels, device)[1]
    counts = {}
    for name, step in steps.items():
        for _ in range(6):  # compiles, records, chooses kernels
            step()
        counts[name] = max(1, round(target / seconds(step, 2) * 2))
    rates = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            trained = batch_size * counts[name] * (STACKED if "stacked" in name else 1)
            rates[name].append(trained / seconds(step, counts[name]))
    return [dict(choice=name, images_per_s=statistics.median(values)) for name, values in rates.items()]


def seconds(step, count):
    """Return how long `count` steps take."""
    synchronise()
    started = time.perf_counter()
    for _ in range(count):
        step()
    synchronise()
    return time.perf_counter() - started


def one_step(build, images, labels, device, memory=torch.channels_last, bf16=False, compiled=False, replayed=False):
    """Return a training step of one network on one batch."""
    network = build().to(device, memory_format=memory).train()
    optimizer = make_optimizer(network, Recipe(epochs=1))
    run = torch.compile(network) if compiled else network
    images = images.contiguous(memory_format=memory)

    def step():
        with torch.autocast(device.type, torch.bfloat16) if bf16 else contextlib.nullcontext():
            logits = run(images)
        optimizer.zero_grad()
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()

    return recorded(step, optimizer, device) if replayed else step


def stacked_step(build, images, labels, device):
    """Return (weights, step) of several networks of one structure as one, by torch.func: each operation is for all."""
    networks = [build().to(device).train() for _ in range(STACKED)]
    weights, buffers = torch.func.stack_module_state(networks)
    weights = {name: value.detach().requires_grad_() for name, value in weights.items()}
    optimizer = torch.optim.SGD(weights.values(), lr=0.01, momentum=0.9)

    def loss(weights, buffers):
        logits = torch.func.functional_call(networks[0], (weights, buffers), (images,))
        return F.cross_entropy(logits, labels)

    def step():
        optimizer.zero_grad()
        torch.vmap(loss, randomness="different")(weights, buffers).sum().backward()
        optimizer.step()

    return weights, step


def side_by_side(worker, network, dataset, device, count, steps=60):
    """Return {alone, together}: images/s of one run, and of `count` at once in processes that share cores or GPU.

    `worker` is common.bench.worker; a process has all threads when alone and its share of them together.
    """
    context = multiprocessing.get_context("spawn")
    rates = {}
    for name, processes in (("alone", 1), ("together", count)):
        threads = str(max(1, torch.get_num_threads() // processes))
        pipes, started = [], []
        for _ in range(processes):
            mine, theirs = context.Pipe()
            started.append(context.Process(target=worker, args=(theirs, "ours", network, 64, dataset, device)))
            with environment(OMP_NUM_THREADS=threads):
                started[-1].start()
            theirs.close()
            pipes.append(mine)
        turns = []
        for turn in range(4):
            for pipe in pipes:
                pipe.send(steps)
            took = max(pipe.recv()[0] for pipe in pipes)
            if turn:  # the first warms up
                turns.append(processes * steps * 64 / took)
        for pipe, process in zip(pipes, started):
            pipe.send(0)
            process.join()
        rates[name] = statistics.median(turns)
    return rates | dict(count=count)
