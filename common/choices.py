"""What each choice in the training step is worth: the same step on one batch, done in other ways, in turn."""

import os
import shutil
import statistics
import time

import torch
import torch.nn.functional as F

from common.loops import synchronise, worker
from common.processes import answer, end, process
from common.steps import one_batch, one_step
from common.train import has_bf16_units

STACKED = 4  # networks trained as one


def choices(build, data, device, batch_size=64, repeats=5, target=2.0):
    """Return [{choice, images_per_s, first_s}]: medians over `repeats` turns of about `target` seconds.

    The first is what we do. `first_s` are the seconds of the first step, in which a compiler compiles.
    """
    images, labels = one_batch(data, batch_size, device)
    gpu, units = device.type == "cuda", has_bf16_units(device)
    ways = {"as we train": {}, "channels first": dict(memory=torch.contiguous_format)}
    ways["fp32" if units else "bfloat16 without units for it"] = dict(bf16=not units)
    compiler = bool(os.environ.get("CC")) or any(map(shutil.which, ("c++", "gcc", "clang")))  # torch.compile needs one
    if gpu:
        ways["kernel by kernel"] = dict(replayed=False)
    if compiler:
        ways["compiled"] = dict(compiled=True)
    if compiler and gpu:
        ways["compiled, kernel by kernel"] = dict(compiled=True, replayed=False)
    steps = {name: one_step(build, images, labels, device, **{"bf16": units, "replayed": gpu} | way)
             for name, way in ways.items()}
    if not gpu and torch.get_num_threads() > 1:
        steps["on one thread"] = on_one_thread(steps["as we train"])
    steps[f"{STACKED} networks stacked, in fp32"] = stacked_step(build, images, labels, device)[1]
    counts, first = {}, {}
    for name, step in list(steps.items()):
        try:
            first[name] = seconds(step, 1)
        except RuntimeError as error:
            if "compiled" not in name:
                raise
            print(f"{name}: not measured, since the compiler does not work here ({str(error).splitlines()[0]})")
            del steps[name]
            continue
        for _ in range(5):  # captures, chooses kernels
            step()
        counts[name] = max(1, round(target / seconds(step, 2) * 2))
    rates = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            trained = batch_size * counts[name] * (STACKED if "stacked" in name else 1)
            rates[name].append(trained / seconds(step, counts[name]))
    return [dict(choice=name, images_per_s=statistics.median(values), first_s=first[name]) for name, values in rates.items()]


def on_one_thread(step):
    """Return `step` as it is done without the other threads."""
    threads = torch.get_num_threads()

    def alone():
        torch.set_num_threads(1)
        step()
        torch.set_num_threads(threads)

    return alone


def seconds(step, count):
    """Return how long `count` steps take."""
    synchronise()
    started = time.perf_counter()
    for _ in range(count):
        step()
    synchronise()
    return time.perf_counter() - started


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


def side_by_side(network, dataset, device, count, target=4.0):
    """Return {alone, together}: images/s of one network's steps, and of `count` at once in processes of their own.

    A process has all threads when alone and its share of them together. Turns take about `target` seconds, and hold
    nothing but steps: those of several processes must not miss each other.
    """
    rates = {}
    for name, processes in (("alone", 1), ("together", count)):
        threads = str(max(1, torch.get_num_threads() // processes))
        workers = [process(worker, "ceiling", network, 64, dataset, device, OMP_NUM_THREADS=threads)
                   for _ in range(processes)]
        turns, steps = [], 10
        try:
            for turn in range(5):
                for pipe, _ in workers:
                    pipe.send(steps)
                took = max(answer(each)[0] for each in workers)
                if turn < 2:  # the first two warm up and tell how long a step takes
                    steps = max(1, round(steps * target / took))
                else:
                    turns.append(processes * steps * 64 / took)
        finally:
            end(workers)
        rates[name] = statistics.median(turns)
    return rates | dict(count=count)
