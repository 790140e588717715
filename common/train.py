"""The training loop, to be read top to bottom."""

import math
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from tqdm import tqdm

from common.augment import augment, mixed, mixup
from common.checkpoint import restore, save
from common.data import normalisation, normalise, split
from common.errors import CourseError
from common.graphs import captured
from common.inspect import dilated
from common.schedule import PER_STEP, make_optimizer, make_scheduler

# Raise this when a change to the loop, the data path or the augmentations alters results: older records then no
# longer count as runs of this engine.
ENGINE = 1
LEARNT = 10_000  # images learnt from, given once more at the end: as many as CIFAR-10 has to test on, so as sure an accuracy
KEEP = {"cpu": 0, "cuda": 20}  # seconds between checkpoints: of a large network, one takes as long as a GPU's epoch


class OutOfTime(Exception):
    """A run stopped after an epoch, since it would have gone on beyond its deadline; its checkpoint is kept."""


class Diverged(CourseError):
    """A run's loss is no number any more."""


@dataclass
class Result:
    """What a finished run leaves behind."""

    network: torch.nn.Module
    precision: str  # "fp32" or "bf16"
    history: list[dict] = field(default_factory=list)  # one row an epoch; accuracies are fractions
    test_loss: float = float("nan")  # mean negative log-likelihood, nats
    test_acc: float = float("nan")
    learnt_acc: float = float("nan")  # on the first LEARNT of the images learnt from, clean, in evaluation mode
    predictions: torch.Tensor | None = None  # uint8, one class an image of the test set, in its order
    correct: torch.Tensor | None = None  # bool, whether that is the image's class


def train(build, data, recipe, seed, device="cpu", checkpoint=None, title="", plain=False, deadline=None, learnt=LEARNT):
    """Train the network that `build()` returns on `data` by `recipe`, and return a Result.

    All randomness comes from `seed`; on a CPU, with as many threads, the same seed gives the very same result. With
    `checkpoint`, a path, the state is kept there, as often as KEEP says, and a run that was stopped goes on from it. `plain`
    keeps to fp32 and launches every kernel from Python: slow, what the fast path is tested against. At the end, `learnt` of
    the images learnt from are given once more. Raises OutOfTime when not done by `deadline` (time.monotonic), or Diverged.
    """
    device = torch.device(device)
    set_kernels()
    torch.manual_seed(seed)
    network = build().to(device, memory_format=torch.channels_last)
    optimizer = make_optimizer(network, recipe)
    # In bfloat16 on a CPU, oneDNN's weight gradient of a dilated convolution may hold whatever lay in memory before.
    fp32 = plain or recipe.precision == "fp32" or device.type == "cpu" and dilated(network)
    bf16 = has_bf16_units(device) and not fp32
    autocast = torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext()
    result = Result(network, "bf16" if bf16 else "fp32")
    data = data.to(device)
    learn, validate = split(data.train_labels, recipe.validation)
    mean, std = normalisation(data, recipe)
    sizes = [len(batch) for batch in learn.split(recipe.batch_size)]  # the last batch may be smaller, and weighs less
    scheduler = make_scheduler(optimizer, recipe, len(sizes))
    if checkpoint and checkpoint.exists():
        restore(checkpoint, network, optimizer, scheduler, result.history)

    # What a step reads and writes stays in its place on the device. The host only says "next", and never waits.
    order, within = learn.clone(), torch.arange(recipe.batch_size, device=device)
    number = torch.zeros(1, dtype=torch.int64, device=device)  # of the step within its epoch
    losses, hits = torch.zeros(2, len(sizes), device=device)
    halves = torch.rand(len(data.train_images), generator=torch.Generator().manual_seed(seed)).to(device) < 0.5
    mirrored = halves.clone()  # of each training image, where flips alternate

    def step(size=recipe.batch_size):
        """Learn from the epoch's next `size` images."""
        batch = order[number * recipe.batch_size + within[:size]]
        labels = targets = data.train_labels[batch]
        images = augment(data.train_images[batch], recipe, mean, std, mirrored[batch] if recipe.alternate else None)
        if recipe.mixup:
            images, share = mixup(images, recipe.mixup)
        with autocast:
            logits = network(images).float()
        if recipe.mixup:
            targets = mixed(labels, share, logits.shape[1])
        loss = F.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad()
        (loss + recipe.l1 * sum(p.abs().sum() for p in network.parameters()) if recipe.l1 else loss).backward()
        optimizer.step()
        losses[number] = loss.detach()
        hits[number] = (logits.detach().argmax(1) == labels).sum().float()
        number.add_(1)

    def test(images, labels):
        with autocast:
            loss, accuracy, predictions = evaluate(network, images, labels, mean, std)
        if not math.isfinite(loss):
            raise Diverged(f"The loss in evaluation became {loss} after epoch {epoch}: train again with a lower "
                           "learning rate.")
        return loss, accuracy, predictions

    fixed = not (recipe.schedule == "onecycle" and recipe.cycle_momentum)  # but for the rate, which a graph can follow
    go = captured(step, optimizer, device) if device.type == "cuda" and fixed and not plain else step

    epoch, kept = len(result.history), time.monotonic()
    for epoch in range(begun := epoch + 1, recipe.epochs + 1):
        started = time.perf_counter()
        # Order, augmentation and dropout depend on seed and epoch alone, so a resumed run needs no generator's state.
        torch.manual_seed(10_000 * seed + epoch)
        order.copy_(learn[torch.randperm(len(learn), device=device)])
        mirrored.copy_(halves if epoch % 2 else ~halves)
        number.zero_()
        rates = []
        network.train()
        for size in tqdm(sizes, f"{title} epoch {epoch}", leave=False, disable=not sys.stderr.isatty()):  # a log gets no bar
            rates.append(optimizer.param_groups[0]["lr"])
            go() if size == recipe.batch_size else step(size)
            if recipe.schedule in PER_STEP:
                scheduler.step()

        loss, hit = losses.double().cpu(), hits.double().cpu()  # here the host waits, for the first time in the epoch
        if not loss.isfinite().all():
            at = int((~loss.isfinite()).nonzero()[0])
            raise Diverged(f"The loss became {loss[at].item()} in epoch {epoch}, step {at + 1}, at learning rate "
                           f"{rates[at]:g}: train again with a lower learning rate.")
        row = dict(epoch=epoch, lr=rates[0], train_loss=(loss @ torch.tensor(sizes).double() / len(learn)).item(),
                   train_acc=hit.sum().item() / len(learn))
        if len(validate):
            row["val_loss"], row["val_acc"], _ = test(data.train_images[validate], data.train_labels[validate])
        if recipe.follow_test:
            row["test_loss"], row["test_acc"], _ = test(data.test_images, data.test_labels)
        if recipe.follow_train:
            row["clean_loss"], row["clean_acc"], _ = test(data.train_images[learn], data.train_labels[learn])
        if recipe.schedule == "plateau":
            scheduler.step(row.get("val_loss", row["train_loss"]))
        elif recipe.schedule not in PER_STEP:
            scheduler.step()
        row["seconds"] = round(time.perf_counter() - started, 6)
        result.history.append(row)
        needs = (recipe.epochs - epoch) * row["seconds"]
        late = deadline and begun < epoch < recipe.epochs and time.monotonic() + needs > deadline  # the first may take longer
        if checkpoint and (late or time.monotonic() - kept >= KEEP.get(device.type, 0)):
            save(checkpoint, network, optimizer, scheduler, result.history)
            kept = time.monotonic()
        print(line(title, row, recipe.epochs), flush=True)
        if late:
            raise OutOfTime(f"{title} needs {needs:.0f} s more")

    _, result.learnt_acc, _ = test(data.train_images[learn[:learnt]], data.train_labels[learn[:learnt]])
    result.test_loss, result.test_acc, predictions = test(data.test_images, data.test_labels)
    result.predictions, result.correct = predictions.to(torch.uint8).cpu(), (predictions == data.test_labels).cpu()
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
    accuracy = (predictions == labels).sum().item() / len(labels)  # a mean on a GPU can differ in its last digit
    return losses.mean().item(), accuracy, predictions


def set_kernels():
    """Have a GPU try cuDNN's kernels for each shape once and keep the fastest, and compute in fp32 what is called so."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False


def has_bf16_units(device):
    """Tell whether `device` multiplies bfloat16 matrices in hardware; without, autocast would only slow it down."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and any(torch.cpu.get_capabilities().get(unit) for unit in ("amx_bf16", "avx512_bf16"))


def line(title, row, epochs):
    """Return one line of text for an epoch's row of history."""
    parts = [f"{title} epoch {row['epoch']:>{len(str(epochs))}}/{epochs}", f"lr {row['lr']:.2g}"]
    for name in ("train", "clean", "val", "test"):
        if f"{name}_loss" in row:
            parts.append(f"{name} loss {row[f'{name}_loss']:.4f} acc {row[f'{name}_acc']:.4f}")
    return "  ".join(parts + [f"{row['seconds']:.1f} s"])
