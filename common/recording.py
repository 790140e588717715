"""Put on record what is missing, over all labs: in an order that finishes labs early, and within a time budget."""

import re
import statistics
import time

from common import data as datasets
from common import settings as lab_settings
from common.errors import CourseError
from common.files import write_all
from common.inspect import macs, parameters
from common.records import RECORDS, find, identity, read_all
from common.runs import device_name, run
from common.train import OutOfTime


def seconds(text):
    """Return the seconds of a time such as "25m", "90s", "1.5h"; of an empty text, none. Raises CourseError."""
    if not text:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not match:
        raise CourseError(f"The budget {text!r} is no time: give a number and s, m or h, as in BUDGET=25m.")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def owed(variants, seeds):
    """Return [(lab, name, variant, seed)] of what has no record, for `variants`, a list of (lab, name, Variant).

    First comes every variant's seed 0, the cheapest lab first, then every variant's seed 1, and so on: a lab is whole
    as early as it can be, if with one seed.
    """
    work = {}
    for lab, _, variant in variants:
        work[lab] = work.get(lab, 0) + variant.recipe.epochs * macs(variant.build())
    return [(lab, name, variant, seed) for seed in range(seeds)
            for lab, name, variant in sorted(variants, key=lambda v: work[v[0]])
            if not find(lab, name, identity("cifar10", variant, seed), folders=[RECORDS])]


def known(variant, name, records):
    """Return the median seconds of the runs of this very variant in `records`, or None."""
    times = [r.seconds for r in records if r.recipe == variant.recipe and r.variant == name]
    return statistics.median(times) if times else None


def expected(variant, name, records):
    """Return `known`, or else a guess in proportion to the arithmetic of other variants; None without any record."""
    rates = [r.seconds / r.recipe.epochs / r.macs for r in records]
    guess = statistics.median(rates) * macs(variant.build()) * variant.recipe.epochs if rates else None
    return known(variant, name, records) or guess


def record(variants, settings, budget=None):
    """Train what `owed` lists, and put each finished run on record at once.

    With `budget`, in seconds, nothing is begun that would not be finished in it, as far as this variant has been trained
    on this device before; a run that turns out so after its first epochs is laid aside, with its checkpoint, and the
    next is tried.
    """
    started = time.monotonic()
    deadline = None if budget is None else started + budget
    plan = owed(variants, settings.seeds)
    name_here = device_name(lab_settings.device(settings))
    done, aside = 0, 0
    for number, (lab, name, variant, seed) in enumerate(plan):
        here = [r for r in read_all() if r.device == name_here]
        times = [expected(v, n, here) for _, n, v, _ in plan[number:]]
        left = None if None in times else sum(times)
        print(f"== {done} of {len(plan)} runs done, {clock(time.monotonic() - started)} gone, {len(plan) - number} left"
              + (f", about {clock(left)}" if left is not None else "") + f": {lab} {name} seed {seed}", flush=True)
        if deadline and time.monotonic() + (known(variant, name, here) or 0) > deadline:
            print("   would not be finished in time", flush=True)
            aside += 1
            continue
        try:
            promote(run(lab, name, variant, seed, settings, deadline))
            done += 1
        except OutOfTime as short:
            print(f"   laid aside: {short}", flush=True)
            aside += 1
    print(f"{done} runs put on record in {clock(time.monotonic() - started)}"
          + (f"; {aside} did not fit into the time." if aside else "; nothing is missing."), flush=True)


def clock(amount):
    """Return seconds as "1 h 05 min", "12 min" or "40 s"."""
    amount = round(amount)
    if amount < 100:
        return f"{amount} s"
    minutes = round(amount / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def promote(record):
    """Copy a record's files to book/records, the .json last; whatever was there under the same seed is replaced."""
    source = record._path
    if RECORDS in source.parents:
        return
    target = RECORDS / record.lab / record.variant / f"seed-{record.seed}.json"
    files = {target.with_suffix(ending): record.beside(ending).read_bytes() for ending in record.files}
    write_all(files | {target: source.read_bytes()})
    print(f"On record: {target.relative_to(datasets.ROOT)}, test accuracy {record.test_acc:.2%}", flush=True)


def say_owed(variants, seeds, device):
    """Print what `owed` lists, a line a variant, with the time that it would take on `device`, if that is known."""
    plan = owed(variants, seeds)
    here = [r for r in read_all() if r.device == device_name(device)]
    total = 0
    for lab, name, variant in variants:
        missing = [str(seed) for l, n, _, seed in plan if (l, n) == (lab, name)]
        if missing:
            each = expected(variant, name, here)
            total = None if each is None or total is None else total + each * len(missing)
            print(f"{lab} {name}: {parameters(variant.build()):,} parameters, {variant.recipe.epochs} epochs, seeds "
                  f"{', '.join(missing)}" + (f", about {clock(each)} each" if each else ""))
    print(f"{len(plan)} runs are owed" + (f", about {clock(total)} on this device." if total and plan else "."))
