"""The training loop, to be read top to bottom."""

import io
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler
from tqdm import tqdm

from common import augment
from common.data import normalisation, normalise, split
from common.errors import CourseError
from common.files import write_whole

# Raise this when a change to the loop, the data path or the augmentations alters results: older records then no
# longer count as runs of this engine.
ENGINE = 1


@dataclass
class Result:
    """What a finished run leaves behind."""

    network: torch.nn.Module
    precision: str  # "fp32" or "bf16"
    history: list[dict] = field(default_factory=list)  # one row an epoch; accuracies are fractions
    test_loss: float = float("nan")  # mean negative log-likelihood, nats
    test_acc: float = float("nan")
    predictions: torch.Tensor | None = None  # uint8, one class an image of the test set, in its order


def train(build, data, recipe, seed, device="cpu", checkpoint=None, title=""):
    """Train the network that `build()` returns on `data` by `recipe`, and return a Result.

    All randomness comes from `seed`; on a CPU, with as many threads, the same seed gives the very same result. With
    `checkpoint`, a path, the state is kept there after each epoch and a run that was stopped goes on from it. Raises
    CourseError when the loss is no longer a number.
    """
    device = torch.device(device)
    torch.manual_seed(seed)
    network = build().to(device, memory_format=torch.channels_last)
    optimizer = make_optimizer(network, recipe)
    result = Result(network, "bf16" if recipe.precision == "auto" and has_bf16_units(device) else "fp32")
    autocast = torch.autocast(device.type, torch.bfloat16) if result.precision == "bf16" else nullcontext()

    data = data.to(device)
    learn, validate = split(data.train_labels, recipe.validation)
    mean, std = normalisation(data, recipe)
    batches = -(-len(learn) // recipe.batch_size)
    sizes = torch.full((batches,), recipe.batch_size).double()
    sizes[-1] = len(learn) - recipe.batch_size * (batches - 1)  # the last batch may be smaller, and weighs less
    scheduler = make_scheduler(optimizer, recipe, batches)

    def test(images, labels):
        with autocast:
            return evaluate(network, images, labels, mean, std)

    if checkpoint and checkpoint.exists():
        restore(checkpoint, network, optimizer, scheduler, result.history)

    for epoch in range(len(result.history) + 1, recipe.epochs + 1):
        started = time.perf_counter()
        # Order, augmentation and dropout depend on seed and epoch alone, so a resumed run needs no generator's state.
        torch.manual_seed(10_000 * seed + epoch)
        order = learn[torch.randperm(len(learn), device=device)]
        # Per-step results stay on the device: reading one here would make the host wait for the device at each step.
        losses, hits = torch.zeros(batches, device=device), torch.zeros(batches, device=device)
        rates = []
        network.train()
        steps = order.split(recipe.batch_size)
        for step, batch in enumerate(tqdm(steps, f"{title} epoch {epoch}", leave=False, disable=not interactive())):
            images, labels = data.train_images[batch], data.train_labels[batch]
            if recipe.crop:
                images = augment.crop(images, recipe.crop)
            if recipe.flip:
                images = augment.flip(images)
            with autocast:
                logits = network(normalise(images, mean, std))
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.append(optimizer.param_groups[0]["lr"])
            losses[step] = loss.detach()
            hits[step] = (logits.detach().argmax(1) == labels).sum()
            if recipe.schedule in PER_STEP:
                scheduler.step()

        losses, hits = losses.double().cpu(), hits.double().cpu()  # the one synchronisation of the epoch
        if not losses.isfinite().all():
            step = int((~losses.isfinite()).nonzero()[0])
            raise CourseError(f"The loss became {losses[step].item()} in epoch {epoch}, step {step + 1}, at learning "
                              f"rate {rates[step]:g}: train again with a lower learning rate.")
        row = dict(epoch=epoch, lr=rates[0], train_loss=(losses @ sizes / sizes.sum()).item(),
                   train_acc=(hits.sum() / sizes.sum()).item())
        if len(validate):
            row["val_loss"], row["val_acc"], _ = test(data.train_images[validate], data.train_labels[validate])
        if recipe.follow_test:
            row["test_loss"], row["test_acc"], _ = test(data.test_images, data.test_labels)
        if recipe.schedule == "plateau":
            scheduler.step(row.get("val_loss", row["train_loss"]))
        elif recipe.schedule not in PER_STEP:
            scheduler.step()
        row["seconds"] = round(time.perf_counter() - started, 3)
        result.history.append(row)
        if checkpoint:
            save(checkpoint, network, optimizer, scheduler, result.history)
        print(line(title, row, recipe.epochs), flush=True)

    result.test_loss, result.test_acc, predictions = test(data.test_images, data.test_labels)
    result.predictions = predictions.to(torch.uint8).cpu()
    return result


@torch.no_grad()
def evaluate(network, images, labels, mean, std, batch_size=1000):
    """Return (mean loss in nats, accuracy as a fraction, predictions int64 (N,)) of `network` in evaluation mode.

    `images` is uint8 (N, 3, H, W). Sums run over images, not batches, so the batch size does not weigh in.
    """
    network.eval()
    losses, predictions = [], []
    for some, theirs in zip(images.split(batch_size), labels.split(batch_size)):
        logits = network(normalise(some, mean, std)).float()
        losses.append(F.cross_entropy(logits, theirs, reduction="none"))
        predictions.append(logits.argmax(1))
    losses, predictions = torch.cat(losses).double(), torch.cat(predictions)
    return losses.mean().item(), (predictions == labels).double().mean().item(), predictions


PER_STEP = ("onecycle", "cosine")  # schedules that move after every step; the others move after an epoch


def make_optimizer(network, recipe):
    """Return torch's optimiser of `recipe` over all parameters of `network`."""
    common = dict(lr=recipe.lr, weight_decay=recipe.weight_decay)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=recipe.momentum, nesterov=recipe.nesterov, **common)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer](network.parameters(), **common)


def make_scheduler(optimizer, recipe, batches):
    """Return torch's scheduler of `recipe`, where an epoch has `batches` steps."""
    if recipe.schedule == "constant":
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if recipe.schedule == "step":
        return lr_scheduler.StepLR(optimizer, recipe.step_size, recipe.factor)
    if recipe.schedule == "plateau":
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=recipe.factor, patience=recipe.patience,
                                              min_lr=recipe.min_lr)
    steps = recipe.epochs * batches
    if recipe.schedule == "onecycle":
        return lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=steps + 1, pct_start=recipe.pct_start)
    return lr_scheduler.CosineAnnealingLR(optimizer, steps)


def has_bf16_units(device):
    """Tell whether `device` multiplies bfloat16 matrices in hardware; without, autocast would only slow it down."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16", False)


def save(checkpoint, network, optimizer, scheduler, history):
    """Write the state after an epoch to the path `checkpoint`, whole or not at all."""
    state = dict(network=network.state_dict(), optimizer=optimizer.state_dict(), scheduler=scheduler.state_dict(),
                 history=history)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_whole(checkpoint, buffer.getvalue())


def restore(checkpoint, network, optimizer, scheduler, history):
    """Bring back what `save` wrote."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    history.extend(state["history"])


def interactive():
    """Tell whether there is a terminal to show a bar within the epoch; a notebook and a log get the lines alone."""
    return sys.stderr.isatty()


def line(title, row, epochs):
    """Return one line of text for an epoch's row of history."""
    parts = [f"{title} epoch {row['epoch']:>{len(str(epochs))}}/{epochs}", f"lr {row['lr']:.2g}"]
    for name in ("train", "val", "test"):
        if f"{name}_loss" in row:
            parts.append(f"{name} loss {row[f'{name}_loss']:.4f} acc {row[f'{name}_acc']:.4f}")
    return "  ".join(parts + [f"{row['seconds']:.1f} s"])
