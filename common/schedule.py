"""A recipe's optimiser and learning-rate schedule, as torch's own classes."""

import torch
from torch.optim import lr_scheduler

from common.errors import Unfit

PER_STEP = ("onecycle", "cosine")  # schedules that move after every step; the others move after an epoch


def make_optimizer(network, recipe):
    """Return torch's optimiser of `recipe` over all parameters of `network`, on whose device it works."""
    gpu = next(network.parameters()).is_cuda
    common = dict(lr=recipe.lr, weight_decay=recipe.weight_decay, fused=gpu)  # fused: one kernel for all parameters
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=recipe.momentum, nesterov=recipe.nesterov, **common)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(network.parameters(), **common)


def make_scheduler(optimizer, recipe, batches):
    """Return torch's scheduler of `recipe`, where an epoch has `batches` steps. Raises Unfit."""
    if recipe.schedule == "constant":
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if recipe.schedule == "step":
        lowest = recipe.min_lr / recipe.lr
        return lr_scheduler.LambdaLR(optimizer, lambda epoch: max(recipe.factor ** (epoch // recipe.step_size), lowest))
    if recipe.schedule == "plateau":
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=recipe.factor, patience=recipe.patience,
                                              min_lr=recipe.min_lr)
    steps = recipe.epochs * batches
    if recipe.schedule == "onecycle":
        if recipe.pct_start * (steps + 1) == 1:  # torch would divide by zero
            raise Unfit(f"The recipe's pct_start is {recipe.pct_start}, which of {steps} steps leaves none to rise in: make it "
                        "a little larger, or train longer.")
        # One step too many. It stays, since records were trained so; rates are off by a fraction of about 1 / steps.
        return lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=steps + 1, pct_start=recipe.pct_start,
                                       cycle_momentum=recipe.cycle_momentum)
    return lr_scheduler.CosineAnnealingLR(optimizer, steps)
