"""All labs at once: train what is not on record, and prove what is.

    python -m common.labs record [--seeds 5] [--budget 25m] [--dry] [--jobs 1] [--only level_1/as_run] [--data-dir DIR]
                                 [--device auto]
    python -m common.labs verify [--data-dir DIR]
"""

import argparse
import ast
import re
import sys

import torch

from common import data as datasets
from common import plan, recording
from common import settings as lab_settings
from common.errors import CourseError, meant
from common.inspect import macs, parameters
from common.records import fits, identity, keeps_weights, read_all
from common.runs import confusion, sizes
from common.train import LEARNT, evaluate

LABS = datasets.ROOT / "labs"
AGREES = 0.003  # weights kept in half precision may move a test accuracy by this much: 30 of 10,000 images
LOSES = 0.02  # a test loss over all images by this share
DIFFERS = 0.02  # and take this share of the images for another class than the run did


def variants(path):
    """Return {name: Variant} of the lab at `path`, a .py in percent format, without running the rest of it.

    What a lab trains is defined in its cells tagged "variants", which need nothing but the cell tagged "imports". Only
    those imports are done whose names they use: a machine that trains need not have what draws the figures.
    """
    imports = [line for line in statements(path, "imports") if isinstance(line, (ast.Import, ast.ImportFrom))]
    definitions = statements(path, "variants")
    used = {node.id for part in definitions for node in ast.walk(part) if isinstance(node, ast.Name)}
    for line in imports:
        line.names = [name for name in line.names if (name.asname or name.name.partition(".")[0]) in used | {"*"}]
    names = {}
    module = ast.Module([line for line in imports if line.names] + definitions, type_ignores=[])
    try:
        exec(compile(module, path, "exec"), names)
    except CourseError as error:
        raise CourseError(f"In the lab {path}: {error}") from None
    if "variants" not in names:
        raise CourseError(f"The lab {path} has no cell tagged variants that says what it trains: add one, or move it elsewhere.")
    return names["variants"]


def statements(path, tag):
    """Return the statements, ast nodes, of those cells of the lab at `path` that bear `tag`."""
    found, lines = [], 0
    for cell in re.split(r"^(?=# %%)", path.read_text(), flags=re.MULTILINE):
        if f'"{tag}"' in cell.partition("\n")[0]:
            found += ast.parse("\n" * lines + cell, path).body  # so that an error names the line of the file
        lines += cell.count("\n")
    return found


def seeds(path):
    """Return how many seeds of each variant the lab at `path` asks for by itself. Raises CourseError."""
    names = {}
    exec(compile(ast.Module(statements(path, "parameters"), type_ignores=[]), path, "exec"), names)
    if not isinstance(names.get("seeds"), int):
        raise CourseError(f"The parameters cell of the lab {path} does not say how many seeds it shows: add seeds: int = 1.")
    return names["seeds"]


def paths():
    """Return the paths of the labs: not of Untitled.py or level_1-Copy1.py, which JupyterLab writes beside them."""
    return [path for path in sorted(LABS.glob("*.py")) if re.fullmatch("[a-z0-9_]+", path.stem)]


def wanted(asked=None):
    """Return {lab: how many seeds of each variant}: `asked`, or else as many as the lab shows."""
    return {path.stem: asked or seeds(path) for path in paths()}


def all_variants(only=""):
    """Return [(lab, name, Variant)] over all labs, or of the one that `only` names, as "level_1/as_run" or "level_1"."""
    found = [(path.stem, name, variant) for path in paths() for name, variant in variants(path).items()]
    wanted = [v for v in found if only in ("", v[0], f"{v[0]}/{v[1]}")]
    if not wanted:
        known = [path.stem for path in paths()] + [f"{lab}/{name}" for lab, name, _ in found]
        raise CourseError(f"There is no lab or variant {only}: {meant(only, known)}")
    return wanted


def verify(data_dir, every=1):
    """Prove every record; raise CourseError at the first that does not hold.

    Its place must be that of its run and its checksums fit. Test accuracy and confusion matrix must follow from the stored
    predictions and the test labels, to the last digit; counts of parameters, arithmetic, images and epochs from the lab.
    Stored weights, given every `every`-th test image, must predict nearly all of them alike and give about that accuracy,
    and, given as many images that they were learnt from, about the clean training accuracy.
    A record that no lab asks for is named.
    """
    data = datasets.load("cifar10", data_dir)
    offered = {(lab, name): variant for lab, name, variant in all_variants()}
    records, scales = read_all(), {}  # {what decides the normalisation: (mean, std, images learnt from)}
    for record in records:
        said = f"The record {record.path}"
        variant = offered.get((record.lab, record.variant))
        if variant is None or not fits(record, identity("cifar10", variant, record.seed)):
            raise CourseError(f"{said} is of a run that its lab does not ask for (any more): remove it.")
        network, predictions = variant.build(), torch.from_numpy(record.predictions())
        if len(predictions) != len(data.test_labels):
            raise CourseError(f"{said} holds predictions of {len(predictions):,} images, not of the test set's "
                              f"{len(data.test_labels):,}: restore it with git, or remove it and train it again with `make record`.")
        right = predictions == data.test_labels
        for what, holds in numbers(record, network, data, predictions, right):
            if not holds:
                raise CourseError(f"{said} holds {what} that its run cannot have given: restore it with git, or remove it "
                                  "and train it again with `make record`.")
        again = ""
        if ".safetensors" in record.files:
            key = record.recipe.validation, record.recipe.statistics
            if key not in scales:
                learn, _ = datasets.split(data.train_labels, record.recipe.validation)
                scales[key] = *datasets.normalisation(data, record.recipe), learn[:LEARNT:every]
            mean, std, learn = scales[key]
            network = record.load_weights(network).to(memory_format=torch.channels_last)
            loss, _, given = evaluate(network, data.test_images[::every], data.test_labels[::every], mean, std)
            apart = (given != predictions[::every]).double().mean().item()
            moved = ((given == data.test_labels[::every]).double() - right[::every].double()).mean().item()
            lost = every == 1 and not abs(loss - record.test_loss) <= LOSES * loss  # nor is NaN a loss
            if apart > DIFFERS or abs(moved) > AGREES or lost:
                raise CourseError(f"The weights beside {record.path} predict another class than it holds for {apart:.1%} of the "
                                  f"images, their accuracy differs by {moved:+.2%}, and their loss is {loss:.4f}, not "
                                  f"{record.test_loss:.4f}: restore it with git, or remove it and train it again with "
                                  "`make record`.")
            _, learnt, _ = evaluate(network, data.train_images[learn], data.train_labels[learn], mean, std)
            off = AGREES + 2 / len(learn)  # of a trial's few images, two may lie near a border
            off += 3 * (learnt * (1 - learnt) / len(learn)) ** 0.5 if every > 1 else 0  # chance, of having taken these
            if record.learnt_acc is None or not abs(learnt - record.learnt_acc) <= off:
                raise CourseError(f"{said} holds a clean training accuracy of {record.learnt_acc}, and its weights have "
                                  f"{learnt:.4f} of such images right: restore it with git, or remove it and train it again "
                                  "with `make record`.")
            again = f"; its weights predict {1 - apart:.2%} of the images alike"
        print(f"{record.lab} {record.variant} seed {record.seed}: {record.test_acc:.2%} holds{again}", flush=True)
    print(f"{len(records)} records hold.")


def numbers(record, network, data, predictions, right):
    """Return [(what `record` holds, whether a run of `network` on `data` can have given it)], its weights left out."""
    rows = record.history
    return [
        (f"a test accuracy, {record.test_acc},", right.double().mean().item() == record.test_acc),
        ("a confusion matrix", confusion(data.test_labels, predictions) == record.confusion),
        ("a list of correct images", torch.equal(torch.from_numpy(record.correct()), right)),
        (f"a count of parameters, {record.params:,},", record.params == parameters(network)),
        (f"a count of multiply-accumulates, {record.macs:,},", record.macs == macs(network)),
        (f"numbers of images, {record.split},", record.split == sizes(data, record.recipe)),
        ("a history", [row.get("epoch") for row in rows] == list(range(1, record.recipe.epochs + 1))
         and rows[-1].get("test_acc", record.test_acc) == record.test_acc),
        (f"files, {', '.join(record.files)},", (".safetensors" in record.files) == keeps_weights(record.seed, record.params))]


def main():
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m common.labs", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["record", "verify"])
    parser.add_argument("--seeds", type=int, help="how many of each variant; if not given, as many as its lab shows")
    parser.add_argument("--budget", default="", help="a time, as 25m: nothing is begun that it does not suffice for")
    parser.add_argument("--jobs", type=int, default=1, help="how many runs at once, each in a process of its own")
    parser.add_argument("--dry", action="store_true", help="say what is missing, and train nothing")
    parser.add_argument("--only", default="", help="one lab or variant, as level_1 or level_1/as_run")
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    if given.jobs < 1:
        raise CourseError(f"The number of jobs is {given.jobs}, but it must be 1 or more.")
    if given.what == "verify":
        return verify(given.data_dir)
    asked = {} if given.seeds is None else dict(seeds=given.seeds)
    settings = lab_settings.read(asked | dict(data_dir=given.data_dir, device=given.device))
    if given.dry:
        plan.say_owed(all_variants(given.only), wanted(given.seeds), lab_settings.device(settings))
    elif given.jobs > 1:
        recording.in_processes(given.jobs, [sys.executable, "-m", "common.labs", *sys.argv[1:], "--jobs", "1"])
    else:
        recording.record(all_variants(given.only), wanted(given.seeds), settings, plan.seconds(given.budget))


if __name__ == "__main__":
    main()
