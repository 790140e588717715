"""One training step on one batch that never changes, for measuring what the step itself takes."""

import contextlib

import torch
import torch.nn.functional as F

from common import data as datasets
from common.graphs import captured
from common.recipe import Recipe
from common.schedule import make_optimizer
from common.train import set_kernels


def one_batch(data, batch_size, device):
    """Return (images, labels): the first `batch_size` training images of `data`, normalised, on `device`."""
    images = datasets.normalise(data.train_images[:batch_size], *datasets.statistics(data.train_images))
    return images.to(device), data.train_labels[:batch_size].to(device)


def one_step(build, images, labels, device, memory=torch.channels_last, bf16=False, compiled=False, replayed=False):
    """Return a training step, a function of no arguments, of one network on one batch."""
    set_kernels()
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

    return captured(step, optimizer, device) if replayed else step
