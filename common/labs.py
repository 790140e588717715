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
from common.errors import CourseError
from common.records import fits, identity, read_all
from common.runs import confusion
from common.train import evaluate

LABS = datasets.ROOT / "labs"
AGREES = 0.003  # weights kept in half precision may move a test accuracy by this much: 30 of 10,000 images
DIFFERS = 0.02  # and take this share of the images for another class than the run did


def variants(path):
    """Return {name: Variant} of the lab at `path`, a .py in percent format, without running the rest of it.

    What a lab trains is defined in its cells tagged "variants", which need nothing but the cell tagged "imports". Only
    those imports are done whose names they use: a machine that trains need not have what draws the figures.
    """
    imports, definitions = statements(path, "imports"), statements(path, "variants")
    used = {node.id for part in definitions for node in ast.walk(part) if isinstance(node, ast.Name)}
    for line in imports:
        line.names = [name for name in line.names if (name.asname or name.name.partition(".")[0]) in used]
    names = {}
    module = ast.Module([line for line in imports if line.names] + definitions, type_ignores=[])
    exec(compile(module, path, "exec"), names)
    return names["variants"]


def statements(path, tag):
    """Return the statements, ast nodes, of those cells of the lab at `path` that bear `tag`."""
    cells = [cell.partition("\n") for cell in re.split(r"^# %%", path.read_text(), flags=re.MULTILINE)[1:]]
    return [node for header, _, body in cells if f'"{tag}"' in header for node in ast.parse(body, path).body]


def seeds(path):
    """Return how many seeds of each variant the lab at `path` asks for by itself."""
    return next(ast.literal_eval(node.value) for node in statements(path, "parameters") if node.target.id == "seeds")


def wanted(asked=None):
    """Return {lab: how many seeds of each variant}: `asked`, or else as many as the lab shows."""
    return {path.stem: asked or seeds(path) for path in LABS.glob("*.py")}


def all_variants(only=""):
    """Return [(lab, name, Variant)] over all labs, or of the one that `only` names, as "level_1/as_run" or "level_1"."""
    found = [(path.stem, name, variant) for path in sorted(LABS.glob("*.py")) for name, variant in variants(path).items()]
    wanted = [v for v in found if only in ("", v[0], f"{v[0]}/{v[1]}")]
    if not wanted:
        raise CourseError(f"There is no variant {only}: choose from {', '.join(f'{lab}/{name}' for lab, name, _ in found)}.")
    return wanted


def verify(data_dir, every=1):
    """Prove every record; raise CourseError at the first that does not hold.

    A record's place must be that of its run and its checksums fit, its test accuracy and confusion matrix must follow from the stored predictions and
    the test labels, to the last digit, and its stored weights, given every `every`-th test image, must predict nearly
    all of them alike and give about that accuracy. A record that no lab asks for is named.
    """
    data = datasets.load("cifar10", data_dir)
    offered = {(lab, name): variant for lab, name, variant in all_variants()}
    records, scales = read_all(), {}  # {what decides the normalisation: (mean, std)}
    for record in records:
        said = f"The record {record.path}"
        if record.path.parts[-3:] != (record.lab, record.variant, f"seed-{record.seed}.json"):
            raise CourseError(f"{said} is of {record.lab}/{record.variant}, seed {record.seed}: remove the copy.")
        predictions = torch.from_numpy(record.predictions())
        right = predictions == data.test_labels
        for what, holds in (
                (f"a test accuracy, {record.test_acc},", right.double().mean().item() == record.test_acc),
                ("a confusion matrix", confusion(data.test_labels, predictions) == record.confusion),
                ("a list of correct images", torch.equal(torch.from_numpy(record.correct()), right))):
            if not holds:
                raise CourseError(f"{said} holds {what} that its predictions do not give: restore it with git, or remove "
                                  "it and train it again with `make record`.")
        variant = offered.get((record.lab, record.variant))
        if variant is None or not fits(record, identity("cifar10", variant, record.seed)):
            raise CourseError(f"{said} is of a run that its lab does not ask for (any more): remove it.")
        again = ""
        if ".safetensors" in record.files:
            key = record.recipe.validation, record.recipe.statistics
            if key not in scales:
                scales[key] = datasets.normalisation(data, record.recipe)
            network = record.load_weights(variant.build()).to(memory_format=torch.channels_last)
            _, _, given = evaluate(network, data.test_images[::every], data.test_labels[::every], *scales[key])
            apart = (given != predictions[::every]).double().mean().item()
            moved = ((given == data.test_labels[::every]).double() - right[::every].double()).mean().item()
            if apart > DIFFERS or abs(moved) > AGREES:
                raise CourseError(f"The weights beside {record.path} predict another class than it holds for {apart:.1%} of the "
                                  f"images, and their accuracy differs by {moved:+.2%}: restore it with git, or remove it and "
                                  "train it again with `make record`.")
            again = f"; its weights predict {1 - apart:.2%} of the images alike"
        print(f"{record.lab} {record.variant} seed {record.seed}: {record.test_acc:.2%} holds{again}", flush=True)
    print(f"{len(records)} records hold.")


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
