"""Our loop against airbench's own on a GPU: one network, the same images, batches and augmentation, epochs in turn.

    python -m common.airbench FOLDER [--epochs 8] [--repeats 3] [--profile]

FOLDER is `legacy` of github.com/KellerJordan/cifar10-airbench (Jordan, arXiv:2404.00498), whose airbench94.py and
airbench94_compiled.py are run as they are, but for three things that a loop can do without: the first convolution is
trained like any other and not whitened, weights are not averaged, and all epochs are whole. Needs CIFAR-10.
"""

import argparse
import contextlib
import importlib.util
import statistics
import tempfile
from pathlib import Path

import torch

from common import data as datasets
from common.errors import CourseError
from common.loops import leading
from common.recipe import Recipe
from common.train import train

FILES = {"eager": "airbench94.py", "compiled": "airbench94_compiled.py"}
RECIPE = Recipe(epochs=2, batch_size=1024, lr=1e-3, momentum=0.85, nesterov=True, label_smoothing=0.2, validation=0,
                crop=2, crop_mode="reflect", flip=True, alternate=True)


class NoAverage:
    """Stands in for airbench's average of weights."""

    def __init__(self, network):
        pass

    def update(self, network, decay):
        """Leave the weights alone."""


def read(path, epochs):
    """Return airbench's program at `path` as a module that trains for whole `epochs`. Raises CourseError."""
    if not path.is_file():
        raise CourseError(f"There is no {path}: name the folder `legacy` of a copy of github.com/KellerJordan/cifar10-airbench.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.hyp["opt"] |= dict(train_epochs=epochs, batch_size=RECIPE.batch_size, whiten_bias_epochs=epochs)
    module.hyp["net"]["tta_level"] = 0
    module.init_whitening_conv = lambda *_: None
    module.LookaheadState = NoAverage
    make = module.make_net

    def make_net():
        network = make()
        network[0].weight.requires_grad_()  # whitening had it fixed
        return network

    module.make_net = make_net
    return module


def theirs(module, compiled):
    """Return the seconds of each epoch of one run of airbench's own loop, from its own CUDA events."""
    ends = {}  # epoch -> seconds since the start, without evaluations

    def note(variables, is_final_entry):
        if not is_final_entry:
            ends[variables["epoch"]] = variables["total_time_seconds"]

    module.print_training_details = note
    module.main(None, *[torch.compile(module.make_net(), mode="max-autotune", dynamic=False) for _ in range(2 * compiled)])
    seconds = [ends[epoch] for epoch in sorted(ends)]
    return [now - before for before, now in zip([0, *seconds], seconds)]


def ours(module, compiled, data, device, epochs):
    """Return the seconds of each epoch of one run of `common.train` of the same network."""
    def build():
        network = module.make_net().float()  # ours keeps weights in fp32 and computes in bfloat16
        return torch.compile(network, mode="max-autotune-no-cudagraphs", dynamic=False) if compiled else network

    with contextlib.redirect_stdout(None):
        return [row["seconds"] for row in train(build, data, RECIPE.plus(epochs=epochs), 0, device).history]


def write(data, folder):
    """Write `data` into `folder` in the files that airbench reads."""
    folder.mkdir()
    for name in ("train", "test"):
        images, labels = getattr(data, f"{name}_images"), getattr(data, f"{name}_labels")
        torch.save(dict(images=images.permute(0, 2, 3, 1).contiguous(), labels=labels, classes=datasets.CLASSES["cifar10"]),
                   folder / f"{name}.pt")


def compare(folder, data, device, epochs, repeats):
    """Print and return {(way, loop): median seconds of an epoch}, of `repeats` runs of each loop in turn.

    Both see as many images as fill their batches. What compiles, captures and chooses kernels does not count: the first
    run of each loop, and the first epoch of each run.
    """
    data = leading(data, len(data.train_images) // RECIPE.batch_size * RECIPE.batch_size, len(data.test_images))
    modules = {way: read(folder / name, epochs) for way, name in FILES.items()}
    medians = {}
    with tempfile.TemporaryDirectory() as there, contextlib.chdir(there):
        write(data, Path("cifar10"))
        for way, module in modules.items():
            taken = {"theirs": [], "ours": []}
            for repeat in range(repeats + 1):
                for loop, seconds in (("theirs", theirs(module, way == "compiled")),
                                      ("ours", ours(module, way == "compiled", data, device, epochs))):
                    taken[loop] += seconds[1:] if repeat else []
            medians |= {(way, loop): statistics.median(seconds) for loop, seconds in taken.items()}
            print(f"{way}: {sum(p.numel() for p in module.make_net().parameters()):,} parameters, batches of "
                  f"{RECIPE.batch_size}: theirs {medians[way, 'theirs']:.4f} s an epoch, ours {medians[way, 'ours']:.4f} s, "
                  f"theirs / ours {medians[way, 'theirs'] / medians[way, 'ours']:.3f}", flush=True)
    return medians


def profile(module, data, device):
    """Print which kernels take the time in one run of our loop, its start included, those that take most at the top."""
    with torch.profiler.profile() as seen:
        ours(module, False, data, device, 4)
    print(seen.key_averages().table(sort_by=f"self_{device.type}_time_total", row_limit=25, max_name_column_width=60))


def main():
    """Read the command line, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m common.airbench", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=8, help="of a run")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each loop that count")
    parser.add_argument("--profile", action="store_true", help="print which kernels take our loop's time, too")
    given = parser.parse_args()
    if given.epochs < 2 or given.repeats < 1:
        parser.error("epochs must be 2 or more, and repeats 1 or more")
    if not torch.cuda.is_available():
        raise CourseError("airbench's own loop needs a CUDA GPU, and there is none here.")
    data, device = datasets.load("cifar10"), torch.device("cuda")
    print(torch.cuda.get_device_name())
    compare(given.folder.resolve(), data, device, given.epochs, given.repeats)
    if given.profile:
        profile(read(given.folder.resolve() / FILES["eager"], 2), data, device)


if __name__ == "__main__":
    main()
