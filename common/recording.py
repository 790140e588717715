"""Put on record what is missing, over all labs: in an order that finishes labs early, and within a time budget.

Several processes may do so at once, here or in several terminals: each claims a run before it trains it.
"""

import os
import signal
import subprocess
import time
import traceback

import torch

from common import data as datasets
from common import settings as lab_settings
from common.checkpoint import Damaged
from common.errors import CourseError, Unfit
from common.files import claimed, write_all
from common.plan import clock, expected, known, left, of_device, owed
from common.records import RECORDS, RUNS, read
from common.runs import device_name, run, running
from common.train import Diverged, OutOfTime


def read_new(seen):
    """Read into `seen`, a dict {(path, time it was written): Record}, the records that are not in it yet."""
    for path in RECORDS.glob("*/*/seed-*.json"):
        key = path, path.stat().st_mtime_ns
        if key not in seen:
            seen[key] = read(path)


def record(variants, seeds, settings, budget=None):
    """Train what `owed` lists, and put each finished run on record at once. Raises CourseError in the end if one failed.

    With `budget`, in seconds, nothing is begun that would not be finished in it, as far as this device's records tell; a
    run that turns out so after its first epochs is laid aside, with its checkpoint, and the next is tried.
    """
    started = time.monotonic()
    deadline = None if budget is None else started + budget
    name_here = device_name(lab_settings.device(settings))
    seen, mine, aside, failed = {}, 0, 0, []
    read_new(seen)
    before = set(seen)
    plan = owed(variants, seeds)
    for job in plan:
        lab, name, variant, seed = job[:4]
        if deadline and time.monotonic() > deadline:
            print("   the time is over", flush=True)
            break
        with claimed(RUNS / lab / name / f"seed-{seed}.claim") as free:
            read_new(seen)
            remaining = left(plan, seen, before)
            if not free or job not in remaining:  # another process trains it, or has done so
                continue
            here = of_device(seen.values(), name_here)
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
            except (Diverged, Damaged, Unfit) as error:
                print(f"   given up: {error}", flush=True)
                failed.append(f"{lab} {name} seed {seed}")
            except BrokenPipeError:  # whoever read the lines has gone
                raise
            except Exception:  # of PyTorch, in this network: the others may fare better
                traceback.print_exc()
                failed.append(f"{lab} {name} seed {seed}")
                if torch.cuda.is_initialized():
                    torch.rand(1, device="cuda").item()  # raises where the GPU, or its generator, is of no use any more
    read_new(seen)
    missed = len(left(plan, seen, before))
    print(f"{mine} runs put on record in {clock(time.monotonic() - started)}; "
          + (f"{missed} are missing still" if missed else "nothing is missing")
          + (f", {aside} did not fit into the time." if aside else "."), flush=True)
    if failed:
        raise CourseError(f"These runs failed: {', '.join(failed)}. The lines above say of each what happened.")


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
