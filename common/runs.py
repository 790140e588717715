"""Runs that a lab asks for: replayed where they are on record, trained where they are not."""

import datetime
import hashlib
import json
import os
import platform
import re
import subprocess
from pathlib import Path

import torch

from common import data as datasets
from common import settings as lab_settings
from common.errors import CourseError, Unfit
from common.files import is_claimed, sweep
from common.inspect import evaluated, macs, parameters
from common.records import RUNS, find, identity, write
from common.train import train


class NotOnRecord(CourseError):
    """A run is asked for where nothing is to be trained, as in the book, and is not on record."""


def runs(lab, name, variant, settings):
    """Return a Record for each of `settings.seeds` seeds of `variant`, replayed where on record and else trained.

    A finished run is written to runs/ at once; one that is stopped goes on from its last epoch the next time.
    """
    return [run(lab, name, variant, seed, settings) for seed in range(settings.seeds)]


def run(lab, name, variant, seed, settings, deadline=None):
    """Return the Record of one seed of `variant`, as `runs` does. Raises OutOfTime, as `train` does.

    Where the environment has REPLAY_ONLY, nothing is trained, and what is not on record raises NotOnRecord.
    """
    if settings.epochs:
        variant = variant._replace(recipe=variant.recipe.plus(epochs=settings.epochs))
    wanted = identity(settings.dataset, variant, seed, settings.images)
    record = None if settings.retrain else find(lab, name, wanted)
    if record is None and os.environ.get("REPLAY_ONLY"):
        raise NotOnRecord(f"`{lab}/{name}`, seed {seed}, is not on record.")
    return record or _train(lab, name, variant, wanted, settings, deadline)


def _train(lab, name, variant, wanted, settings, deadline):
    data = datasets.load(settings.dataset, settings.data_dir, settings.images)
    device = lab_settings.device(settings)
    path = place(lab, name, wanted)
    checkpoint = path.with_suffix(".checkpoint")
    network = scores(variant.build(), lab, name)  # one that fails does so now, not after hours of training
    known = dict(params=parameters(network), macs=macs(network), commit=_commit())  # by the end there may be a later one
    title = f"{lab} {name} seed {wanted['seed']}"
    try:
        result = train(variant.build, data, variant.recipe, wanted["seed"], device, checkpoint, title, deadline=deadline)
        record = write(path, known | describe(lab, name, variant, data, wanted, device, result), result)
    except KeyboardInterrupt:
        raise CourseError(f"Stopped in {title}: finished runs are kept in {RUNS}, and this one goes on from its last "
                          "stored epoch when it is asked for again.") from None
    except torch.OutOfMemoryError:
        raise CourseError(f"{title} needs more memory than the GPU has free: run fewer at once, or wait. It goes on from its "
                          "last stored epoch when it is asked for again.") from None
    except BrokenPipeError:  # whoever read the lines has gone; no file failed
        raise
    except OSError as error:
        raise CourseError(f"The record {path}, or the checkpoint beside it, could not be read or written ({error.strerror}): "
                          "make room, or make them yours, and run this again; it goes on from the last epoch that was "
                          "stored.") from None
    checkpoint.unlink(missing_ok=True)
    sweep(checkpoint)
    return record


def scores(network, lab, name):
    """Return `network`, which must give ten scores an image and have something to train. Raises Unfit."""
    if not any(p.requires_grad for p in network.parameters()):
        raise Unfit(f"The network of {lab}/{name} has no parameters to train: give it a layer that has some.")
    with evaluated(network), torch.no_grad():
        given = network(torch.zeros(2, 3, 32, 32))
    if getattr(given, "shape", None) != (2, 10):
        raise Unfit(f"The network of {lab}/{name} gives {tuple(getattr(given, 'shape', [type(given).__name__]))} for two "
                    "images, not (2, 10): end it in ten scores an image, as nn.Flatten() and nn.Linear(…, 10) do.")
    return network


def place(lab, name, wanted):
    """Return the path in runs/ of the record of the run that `wanted`, an identity, describes; its checkpoint is beside."""
    key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:8]
    return RUNS / lab / name / f"seed-{wanted['seed']}-{key}.json"


def describe(lab, name, variant, data, wanted, device, result):
    """Return a finished run's fields of Record, but for `files` and what was known before it."""
    labels = data.test_labels.cpu()
    return wanted | dict(
        lab=lab, variant=name, dataset=data.name, split=sizes(data, variant.recipe),
        history=result.history, test_loss=result.test_loss, test_acc=result.test_acc,
        learnt_acc=result.learnt_acc,
        confusion=confusion(labels, result.predictions), device=device_name(device),
        precision=result.precision, threads=torch.get_num_threads(), torch=torch.__version__,
        date=datetime.date.today().isoformat(), seconds=round(sum(row["seconds"] for row in result.history), 3),
        at_once=1 + running(but=RUNS / lab / name / f"seed-{wanted['seed']}.claim"))


def sizes(data, recipe):
    """Return how many images a run learns from, validates on and is tested on, as a record holds it."""
    learn, validate = datasets.split(data.train_labels, recipe.validation)
    return dict(train=len(learn), validation=len(validate), test=len(data.test_labels))


def running(but=None):
    """Return how many runs `make record` is training on this machine, the one with the claim `but` left out."""
    return sum(is_claimed(path) for path in RUNS.glob("*/*/*.claim") if path != but)


def confusion(labels, predictions):
    """Return the ten rows of ten counts that a record holds, from classes (N,) true and predicted."""
    return torch.bincount(labels * 10 + predictions.long(), minlength=100).view(10, 10).tolist()


def device_name(device, cpuinfo=Path("/proc/cpuinfo")):
    """Return what the maker calls the processor behind a torch.device; of a CPU also the units that PyTorch uses of it.

    A rented machine may say no more than "AMD EPYC", and the next that says so, with the same units, take half the time
    or twice. What tells their kinds apart is the family and the model, where the system says them.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    units = torch.backends.cpu.get_cpu_capability()
    try:
        first = cpuinfo.read_text().split("\n\n")[0]  # the first processor's block
        said = dict(re.findall(r"^([^\t:]+?)\s*: (.+)$", first, flags=re.MULTILINE))
        return f"{said['model name']} (family {said['cpu family']}, model {said['model']}), {units}"
    except (OSError, KeyError):
        return f"{platform.processor() or platform.machine()}, {units}"


def _commit():
    """Return the commit of the code that trains, marked where labs/ or common/ differ from it; without git, $COMMIT."""
    def git(*arguments):
        command = ["git", "-C", str(datasets.ROOT), *arguments]
        mine = os.environ | {"GIT_CEILING_DIRECTORIES": str(datasets.ROOT.parent)}  # and no repository around this folder
        return subprocess.run(command, capture_output=True, text=True, check=True, env=mine).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "common", "labs")
        return git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("COMMIT", "unknown")
