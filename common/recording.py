"""Put on record what is missing, over all labs: in an order that finishes labs early, and within a time budget.

Several processes may do so at once, here or in several terminals: each claims a run before it trains it.
"""

import os
import re
import signal
import statistics
import subprocess
import time
from typing import NamedTuple

import torch

from common import data as datasets
from common import settings as lab_settings
from common.checkpoint import epochs
from common.errors import CourseError
from common.files import claimed, write_all
from common.inspect import macs, parameters
from common.recipe import Variant
from common.records import RECORDS, RUNS, missing, read, read_all
from common.runs import device_name, place, run, running
from common.train import Diverged, OutOfTime


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
        amount = variant.recipe.epochs * macs(variant.build())
        work[lab] = work.get(lab, 0) + amount
        for wanted in missing(lab, name, variant, range(seeds[lab])):
            path = place(lab, name, wanted).with_suffix(".checkpoint")
            jobs.append(Job(lab, name, variant, wanted["seed"], amount, epochs(path) / variant.recipe.epochs))
    return sorted(jobs, key=lambda job: (not job.done, job.seed, work[job.lab]))


def known(job, records):
    """Return the seconds that a run still takes, by the median of this very variant's in `records`; None without any."""
    times = [r.took for r in records if (r.lab, r.variant, r.recipe) == (job.lab, job.name, job.variant.recipe)]
    return statistics.median(times) * (1 - job.done) if times else None


def expected(job, records):
    """Return `known`, or else a guess in proportion to the arithmetic of other variants; None without any record."""
    rates = [r.took / r.recipe.epochs / r.macs for r in records]
    return known(job, records) or (statistics.median(rates) * job.work * (1 - job.done) if rates else None)


def read_new(seen):
    """Read into `seen`, a dict {(path, time it was written): Record}, the records that are not in it yet."""
    for path in RECORDS.glob("*/*/seed-*.json"):
        key = path, path.stat().st_mtime_ns
        if key not in seen:
            seen[key] = read(path)


def record(variants, seeds, settings, budget=None):
    """Train what `owed` lists, and put each finished run on record at once. Raises CourseError if one diverged.

    With `budget`, in seconds, nothing is begun that would not be finished in it, as far as this device's records tell; a
    run that turns out so after its first epochs is laid aside, with its checkpoint, and the next is tried.
    """
    started = time.monotonic()
    deadline = None if budget is None else started + budget
    name_here = device_name(lab_settings.device(settings))
    seen, mine, aside, diverged = {}, 0, 0, []
    read_new(seen)
    before = set(seen)
    plan = owed(variants, seeds)
    for job in plan:
        lab, name, variant, seed = job[:4]
        with claimed(RUNS / lab / name / f"seed-{seed}.claim") as free:
            read_new(seen)
            remaining = left(plan, seen, before)
            if not free or job not in remaining:  # another process trains it, or has done so
                continue
            here = [r for r in seen.values() if r.device == name_here]
            say_progress(job, remaining, len(plan), here, time.monotonic() - started)
            needs = known(job, here) or (expected(job, here) or 0) / 2  # which may be twice too high
            if deadline and time.monotonic() + needs > deadline:
                print("   would not be finished in time", flush=True)
                aside += 1
                continue
            try:
                promote(run(lab, name, variant, seed, settings, deadline))
                mine += 1
            except OutOfTime as short:
                print(f"   laid aside: {short}", flush=True)
                aside += 1
            except Diverged as error:
                print(f"   given up: {error}", flush=True)
                diverged.append(f"{lab} {name} seed {seed}")
    read_new(seen)
    missed = len(left(plan, seen, before))
    print(f"{mine} runs put on record in {clock(time.monotonic() - started)}; "
          + (f"{missed} are missing still" if missed else "nothing is missing")
          + (f", {aside} did not fit into the time." if aside else "."), flush=True)
    if diverged:
        raise CourseError(f"These runs diverged: {', '.join(diverged)}. Lower their learning rates.")


def left(plan, seen, before):
    """Return the jobs of `plan` without a record among those that are in `seen` and were not `before`."""
    done = {(r.lab, r.variant, r.seed) for key, r in seen.items() if key not in before}
    return [job for job in plan if (job.lab, job.name, job.seed) not in done]


def say_progress(job, remaining, count, here, gone):
    """Print how far the whole plan is, of `count` runs of which some are `remaining`, and that `job` is next."""
    times, active = [expected(j, here) for j in remaining], running()
    print(f"== {count - len(remaining)} of {count} runs done, {active} running, {len(remaining)} left, {clock(gone)} gone"
          + ("" if None in times else f", about {clock(sum(times) / active)} to go")
          + f": {job.lab} {job.name} seed {job.seed}", flush=True)


def in_processes(jobs, command):
    """Run `command`, a list, in `jobs` processes that share the processor's threads. Raises CourseError if one fails."""
    threads = str(max(1, torch.get_num_threads() // jobs))
    started = [subprocess.Popen(command, env=os.environ | dict(OMP_NUM_THREADS=threads)) for _ in range(jobs)]
    signal.signal(signal.SIGTERM, lambda *_: [process.terminate() for process in started])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the others too, and they end in their own way
    failed = sum(process.wait() != 0 for process in started)
    if failed:
        raise CourseError(f"{failed} of {jobs} processes stopped early: the lines above say why. What was finished is "
                          "kept; `make record` goes on.")


def clock(amount):
    """Return seconds as "1 h 05 min", "12 min" or "40 s"."""
    amount = round(amount)
    if amount < 100:
        return f"{amount} s"
    minutes = round(amount / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def promote(record):
    """Copy a record's files to book/records, the .json last; whatever was there under the same seed is replaced."""
    source = record.path
    if RECORDS in source.parents:
        return
    target = RECORDS / record.lab / record.variant / f"seed-{record.seed}.json"
    files = {target.with_suffix(ending): record.beside(ending).read_bytes() for ending in record.files}
    try:
        write_all(files | {target: source.read_bytes()})
    except OSError as error:
        raise CourseError(f"The record {target} could not be written ({error.strerror}): make room and run this again; "
                          f"the finished run is kept as {source}.") from None
    for old in target.parent.glob(f"{target.stem}.*"):
        if old != target and old not in files:  # as weights, which the record before this one had and this one has not
            old.unlink()
    print(f"On record: {target.relative_to(datasets.ROOT)}, test accuracy {record.test_acc:.2%}", flush=True)


def say_owed(variants, seeds, device):
    """Print what `owed` lists, a line a variant, with the time that it would take on `device`, if that is known."""
    plan = owed(variants, seeds)
    here = [r for r in read_all() if r.device == device_name(device)]
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
