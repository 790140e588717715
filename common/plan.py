"""What is owed over all labs, in the order in which it is trained, and how long it may take."""

import re
import statistics
from typing import NamedTuple

import numpy as np

from common.checkpoint import epochs
from common.errors import CourseError
from common.inspect import macs, parameters
from common.recipe import Variant
from common.records import missing, read_all
from common.runs import device_name, place


class Job(NamedTuple):
    """A run that is owed."""

    lab: str
    name: str
    variant: Variant
    seed: int
    work: int  # multiply-accumulates of one image, times epochs
    done: float  # share of its epochs that a checkpoint holds


def seconds(text):
    """Return the seconds of a time such as "25m", "90s", "1.5h"; of an empty text, none. Raises CourseError."""
    if not text:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not match:
        raise CourseError(f"The budget {text!r} is no time: give a number and s, m or h, as in BUDGET=25m.")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def owed(variants, seeds):
    """Return a Job for each run without a record, of `variants`, a list of (lab, name, Variant), and `seeds`, {lab: count}.

    First come runs that were begun and stopped. Then every variant's seed 0, the cheapest lab first, every variant's
    seed 1, and so on: a lab is whole as early as it can be, if with one seed.
    """
    jobs, work = [], {}
    for lab, name, variant in variants:
        amount = variant.recipe.epochs * _macs(lab, name, variant)
        work[lab] = work.get(lab, 0) + amount
        for wanted in missing(lab, name, variant, range(seeds[lab])):
            path = place(lab, name, wanted).with_suffix(".checkpoint")
            jobs.append(Job(lab, name, variant, wanted["seed"], amount, epochs(path) / variant.recipe.epochs))
    return sorted(jobs, key=lambda job: (not job.done, job.seed, work[job.lab]))


def _macs(lab, name, variant):
    """Return the network's multiply-accumulates of one image. Raises CourseError, which names the network."""
    try:
        return macs(variant.build())
    except Exception as error:
        raise CourseError(f"The network of {lab}/{name} cannot be built, or takes no images of 3×32×32 "
                          f"({type(error).__name__}: {error}): mend it, or remove it from the lab.") from error


def of_device(records, name):
    """Return those of `records` made on the device `name`; without any, those of one named so but for family and model.

    Older records of a CPU do not tell these. Their times are a rough guess, and may be off by a factor of two.
    """
    plain = re.sub(r" \(family .*?\)", "", name)
    return [r for r in records if r.device == name] or [r for r in records if r.device == plain]


def known(job, records):
    """Return the seconds that a run still takes, by the median of this very variant's in `records`; None without any."""
    here = job.lab, job.name, job.variant.recipe, job.work
    times = [r.took for r in records if (r.lab, r.variant, r.recipe, r.recipe.epochs * r.macs) == here]
    return statistics.median(times) * (1 - job.done) if times else None


def expected(job, records):
    """Return `known`, or else a guess from the arithmetic of all variants in `records`; None without any.

    An epoch's time is taken for a power of the network's multiply-accumulates, between 0 and 1, fitted to the records:
    small networks are slow for their arithmetic, most of all on a GPU, where an epoch of any of them takes as long.
    """
    if not records:
        return None
    work, epoch = np.log([(max(1, r.macs), r.took / r.recipe.epochs) for r in records]).T
    power = np.clip(np.cov(work, epoch, bias=True)[0, 1] / work.var(), 0, 1) if np.ptp(work) else 1
    here = np.log(max(1, job.work / job.variant.recipe.epochs))
    guess = job.variant.recipe.epochs * float(np.exp(epoch.mean() + power * (here - work.mean())))
    return known(job, records) or guess * (1 - job.done)


def left(plan, seen, before):
    """Return the jobs of `plan` without a record among those that are in `seen` and were not `before`."""
    done = {(r.lab, r.variant, r.seed) for key, r in seen.items() if key not in before}
    return [job for job in plan if (job.lab, job.name, job.seed) not in done]


def say_owed(variants, seeds, device):
    """Print what `owed` lists, a line a variant, with the time that it would take on `device`, if that is known."""
    plan = owed(variants, seeds)
    here = of_device(read_all(), device_name(device))
    times = []
    for lab, name, variant in variants:
        jobs = [job for job in plan if (job.lab, job.name) == (lab, name)]
        if jobs:
            each = [expected(job, here) for job in jobs]
            times += each
            begun = [f"{job.done:.0%} of seed {job.seed} done" for job in jobs if job.done]
            print(f"{lab} {name}: {parameters(variant.build()):,} parameters, {variant.recipe.epochs} epochs, seeds "
                  f"{', '.join(str(job.seed) for job in jobs)}"
                  + (f", about {clock(max(each))}{' each' * (len(jobs) > 1)}" if None not in each else "")
                  + (f" ({', '.join(begun)})" if begun else ""))
    print(f"{len(plan)} runs are owed"
          + (f", about {clock(sum(times))} on this device." if times and None not in times else "."))


def clock(amount):
    """Return seconds as "1 h 05 min", "12 min" or "40 s"."""
    amount = round(amount)
    if amount < 100:
        return f"{amount} s"
    minutes = round(amount / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
