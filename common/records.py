"""Records: what a finished run leaves behind; written, found, tabulated.

    book/records/<lab>/<variant>/seed-<n>.json          everything about the run but
                                 seed-<n>.npz           the test predictions and which are correct, and
                                 seed-<n>.safetensors   the weights in half precision (seed 0 of small networks)

`runs/` holds the same, as runs finish, with a key in the file names. `python -m common.records [--json]` prints the table.
"""

import hashlib
import io
import itertools
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors.torch import save as to_safetensors

from common import data as datasets
from common.errors import CourseError
from common.files import write_all
from common.inspect import digest
from common.record import Record, cast
from common.train import ENGINE

RECORDS = datasets.ROOT / "book" / "records"  # in git: the book's numbers
RUNS = datasets.placed(os.environ.get("RUNS_DIR") or "runs")  # not in git: this machine's own
COLUMNS = "lab variant params macs seeds test_acc_mean test_acc_std train_acc_mean epochs device seconds".split()
KEEP_WEIGHTS = 300_000  # parameters, up to which seed 0's weights are kept


def identity(dataset, variant, seed, images=0):
    """Return what a run is found by; change any of it and the run is another one."""
    data = datasets.DIGEST[dataset] + (f", first {images}" if images else "")  # as the Data that `load` returns has it
    return dict(data=data, network=digest(variant.build()), recipe=variant.recipe.model_dump(), seed=seed,
                engine=ENGINE)


def find(lab, name, wanted, folders=None):
    """Return the Record of `wanted` (an `identity`) in `folders`, by default on record or in runs/, or None."""
    for folder in folders or (RECORDS, RUNS):
        for path in sorted((folder / lab / name).glob(f"seed-{wanted['seed']}[.-]*json")):  # and of 1, not those of 10
            record = read(path)
            if fits(record, wanted):
                return record


def missing(lab, name, variant, seeds):
    """Return the `identity` of each run of `variant`, as it is now, with one of `seeds`, that book/records lacks."""
    first = identity("cifar10", variant, 0)  # which builds the network: once is enough
    all_wanted = [first | dict(seed=seed) for seed in seeds]
    return [wanted for wanted in all_wanted if not find(lab, name, wanted, folders=[RECORDS])]


def fits(record, wanted):
    """Tell whether `record` is of the run `wanted`, an `identity`."""
    return wanted == record.model_dump(include=set(wanted))


def write(path, fields, result):
    """Write a run's files beside each other, the .json last: without it, the others do not count. Return the Record.

    Raises OSError, and then what was there before is there still.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, predictions=result.predictions.numpy(), correct=result.correct.numpy())
    contents = {".npz": buffer.getvalue()}
    if keeps_weights(fields["seed"], fields["params"]):
        state = result.network.state_dict().items()
        contents[".safetensors"] = to_safetensors({k: cast(t, torch.float16).cpu().contiguous() for k, t in state})
    fields["files"] = {ending: hashlib.sha256(content).hexdigest() for ending, content in contents.items()}
    files = {path.with_suffix(ending): content for ending, content in contents.items()}
    write_all(files | {path: _text(Record(**fields)).encode()})
    return read(path)


def keeps_weights(seed, params):
    """Tell whether the weights of a run of so many parameters are kept with its record."""
    return seed == 0 and params <= KEEP_WEIGHTS


def _text(record):
    """Return the JSON of a record: one line a field or epoch, and last a checksum over all that stands before."""
    fields = record.model_dump(mode="json")
    rows = ",\n  ".join(json.dumps(row) for row in fields["history"])
    lines = [f"{json.dumps(k)}: " + (f"[\n  {rows}\n ]" if k == "history" else json.dumps(v)) for k, v in fields.items()]
    body = "{\n " + ",\n ".join(lines)
    return f'{body},\n "checksum": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


def read(path):
    """Return the Record at `path`, after checking that not a byte has changed. Raises CourseError."""
    try:
        text = path.read_text()
        fields = json.loads(text)
        body, _ = text.rsplit(',\n "checksum"', 1)
        if hashlib.sha256(body.encode()).hexdigest() != fields.pop("checksum"):
            raise ValueError("its checksum does not fit")
        return Record(**fields | dict(path=path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError, CourseError) as error:
        raise CourseError(f"The record {path} is cut short or was changed ({str(error).splitlines()[0]}): restore it "
                          "with git, or remove it and train it again with `make record`.") from None


def read_all(folder=RECORDS):
    """Return all records under `folder`, by lab, variant and seed. Raises CourseError where one is not in its place."""
    records = [read(path) for path in folder.glob("*/*/seed-*.json")]
    for record in records:
        place = re.escape(f"{record.lab}/{record.variant}/seed-{record.seed}") + r"(-[0-9a-f]{8})?\.json"
        if not re.fullmatch(place, record.path.relative_to(folder).as_posix()):
            raise CourseError(f"The record {record.path} is of {record.lab}/{record.variant}, seed {record.seed}: remove the "
                              "copy.")
    return sorted(records, key=lambda r: (r.lab, r.variant, r.seed))


def alike(group):
    """Tell whether records differ in nothing but their seed: in data, network, recipe and engine they are one experiment."""
    return all(fits(r, group[0].model_dump(include={"data", "network", "recipe", "engine"})) for r in group)


def table(records=None):
    """Return a DataFrame with one row a variant: means over seeds, `seeds` their count, `seconds` the median run's.

    `records` are in the order of `read_all`, the default.
    """
    import pandas as pd

    records = read_all() if records is None else records
    rows = []
    for (lab, variant), group in itertools.groupby(records, key=lambda r: (r.lab, r.variant)):
        group = list(group)
        first, tests = group[0], np.array([r.test_acc for r in group])
        if not alike(group):
            raise CourseError(f"The records of {lab}/{variant} are of different experiments: remove those that its lab does "
                              "not ask for any more; `make verify` names them.")
        rows.append(dict(
            lab=lab, variant=variant, params=first.params, macs=first.macs, seeds=len(group),
            test_acc_mean=tests.mean(), test_acc_std=tests.std(ddof=1) if len(group) > 1 else float("nan"),
            train_acc_mean=np.mean([r.train_acc for r in group]), epochs=first.recipe.epochs,
            device="; ".join(sorted({r.device for r in group})), seconds=np.median([r.took for r in group])))
    return pd.DataFrame(rows, columns=COLUMNS)


if __name__ == "__main__":
    frame = table()
    if "--json" in sys.argv:
        print(frame.to_json(orient="records", indent=1))
    elif frame.empty:
        print("There are no records yet: `make record` makes them.")
    else:
        accuracy = [f"{m:.2%}" + (f" ± {s:.2%}" if s == s else "") for m, s in zip(frame.test_acc_mean, frame.test_acc_std)]
        frame = frame.assign(accuracy=accuracy, seconds=frame.seconds.round().astype(int))
        print(frame["lab variant params seeds accuracy epochs device seconds".split()].to_string(index=False))
