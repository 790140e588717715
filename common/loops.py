"""The three loops that the benchmark compares: the usual one, ours, and the ceiling, which has no data path at all.

Each is a function of (build, data, batch_size, device) that returns a function: seconds(steps).
"""

import contextlib
import os
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from common import data as datasets
from common.blocks import resnet_18
from common.labs import LABS, variants
from common.recipe import Recipe
from common.steps import one_batch, one_step
from common.train import has_bf16_units, train

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10, as most tutorials type them


class Pictures(Dataset):
    """What torchvision.datasets.CIFAR10 does for each image, over images that are in memory already."""

    def __init__(self, images, labels):
        self.arrays, self.labels = images.permute(0, 2, 3, 1).contiguous().numpy(), labels.tolist()
        self.transform = transforms.Compose([
            transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
            transforms.Normalize(MEAN, STD)])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def usual_loop(build, data, batch_size, device, seed=0):
    """Return (network, endless batches, step): the loop of most tutorials; `step(batch)` gives (loss, hits)."""
    torch.manual_seed(seed)
    network = build().to(device).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loader = DataLoader(Pictures(data.train_images, data.train_labels), batch_size, shuffle=True, drop_last=True,
                        num_workers=cores(), persistent_workers=True, pin_memory=device.type == "cuda")

    def step(batch):
        images, labels = (part.to(device, non_blocking=True) for part in batch)
        optimizer.zero_grad()
        logits = network(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        return loss.item(), (logits.argmax(1) == labels).sum().item()

    return network, endless(loader), step


def usual(build, data, batch_size, device):
    """The loop of most tutorials: pictures out of a DataLoader with a worker a core, fp32, a look at the loss each step."""
    _, batches, step = usual_loop(build, data, batch_size, device)
    # While the other loops have their turn, the workers load ahead: those batches must not count as free.
    return timed(lambda steps: [step(batch) for batch in islice(batches, steps)],
                 before=lambda: [next(batches) for _ in range(2 * cores())])


def cores():
    """Return how many of the processor's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def endless(loader):
    """Yield batches for ever."""
    while True:
        yield from loader


def leading(data, images, tests):
    """Return `data` with its first so many training and test images, whatever their classes."""
    return replace(data, train_images=data.train_images[:images], train_labels=data.train_labels[:images],
                   test_images=data.test_images[:tests], test_labels=data.test_labels[:tests])


def ours(build, data, batch_size, device):
    """common.train: the second epoch of a run, over as many images as the steps need."""
    def seconds(steps):
        n = steps * batch_size
        part = leading(data, n, 10)
        recipe = Recipe(epochs=2, batch_size=batch_size, crop=4, flip=True, validation=0)
        with contextlib.redirect_stdout(None):
            return train(build, part, recipe, 0, device, learnt=10).history[1]["seconds"]  # few, as they count for the peak

    return seconds


def ceiling(build, data, batch_size, device):
    """The same step as ours on one batch that is made once: no choosing, augmenting, normalising, counting."""
    step = one_step(build, *one_batch(data, batch_size, device), device, bf16=has_bf16_units(device),
                    replayed=device.type == "cuda")
    warm = 200 if device.type == "cuda" else 1  # a GPU's clock falls while it idles, and the fourth step is captured
    return timed(lambda steps: [step() for _ in range(steps)], before=lambda: [step() for _ in range(warm)])


LOOPS = {"usual": usual, "ours": ours, "ceiling": ceiling}


def timed(run, before):
    """Return a function of `steps` that gives the seconds of `run(steps)`, without those of `before()`."""
    def seconds(steps):
        before()
        synchronise()
        started = time.perf_counter()
        run(steps)
        synchronise()
        return time.perf_counter() - started

    return seconds


def synchronise():
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def forget_peak(device):
    """Have `peak_mib` count from now on, on a GPU: the first steps there hold what cuDNN tries kernels with."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_mib(device):
    """Return the largest memory this process has held so far, in MiB: of the GPU's, or else of the machine's."""
    if device == "cuda":
        return round(torch.cuda.max_memory_reserved() / 2**20)
    # not resource.getrusage, which for a young process counts what its parent held
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 2**10)


def networks():
    """Return {name: function that builds it} of what is measured."""
    return {"level_1": variants(LABS / "level_1.py")["as_run"].build, "resnet_18": resnet_18}


def worker(pipe, loop, network, batch_size, dataset, device):
    """Serve one loop: for each number of steps that comes through `pipe` send back (seconds, peak MiB so far)."""
    torch.manual_seed(0)
    data = datasets.load(dataset)
    seconds = LOOPS[loop](networks()[network], data, batch_size, torch.device(device))
    while steps := pipe.recv():
        forget_peak(device)
        pipe.send((seconds(steps), peak_mib(device)))
