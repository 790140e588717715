"""A step fit to be captured as a CUDA graph. What needs a GPU is skipped without one; the rest needs none."""

import contextlib

import pytest
import torch
from conftest import NAMES, build, stopped_after_each_epoch
from torch import nn
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import DataDependentOutputException

from common import data as datasets
from common import graphs
from common import train as module
from common.inspect import digest
from common.labs import LABS, variants
from common.recipe import Recipe
from common.train import train

EVERYTHING = dict(crop=4, crop_mode="reflect", flip=True, shift=0.1, scale=0.1, rotate=15, zoom=0.1, grey_p=0.2,
                  cutout=8, mixup=0.3, l1=1e-4, label_smoothing=0.1)


class Stop(Exception):
    """The step was run; there is nothing to see in the rest of the run."""


def step_on_a_gpu_that_is_not_there(build, data, recipe, monkeypatch):
    """Run two steps of `train` on tensors that have shapes and a device, cuda, but no contents to read."""
    learn, validate = datasets.split(data.train_labels, recipe.validation)
    mean, std = datasets.normalisation(data, recipe)

    def network():
        with torch.device("cuda"):
            made = build()
        made.to = lambda *a, **k: made
        return made

    def two_steps(step, optimizer, device):
        assert device.type == "cuda"
        step()
        step()
        raise Stop

    def backward(loss):  # PyTorch's own asks the driver; all that matters here is what stands around it
        assert loss.device.type == "cuda" and loss.dim() == 0

    with FakeTensorMode(allow_non_fake_inputs=True):
        for name, stand_in in [
                ("split", lambda labels, fraction: (learn.to("cuda"), validate.to("cuda"))),
                ("normalisation", lambda data, recipe: (mean.to("cuda"), std.to("cuda"))),
                ("make_optimizer", lambda network, recipe: torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)),
                ("has_bf16_units", lambda device: False), ("captured", two_steps)]:
            monkeypatch.setattr(module, name, stand_in)
        monkeypatch.setattr(torch.Tensor, "backward", backward)
        monkeypatch.setattr(torch, "_sample_dirichlet", torch.rand_like)  # has no form without contents
        monkeypatch.setattr(nn.utils, "skip_init", lambda kind, *given, **more: kind(*given, **more))  # nor has this
        train(network, data, recipe, 0, "cuda")


@pytest.mark.parametrize("settings", [{}, EVERYTHING, dict(flip=True, alternate=True), dict(zoom=0.1, cutout=16)])
def test_a_step_reads_nothing_back_from_the_device(tiny, monkeypatch, settings):
    with pytest.raises(Stop):
        step_on_a_gpu_that_is_not_there(build, tiny, Recipe(epochs=1, batch_size=32, **settings), monkeypatch)


@pytest.mark.parametrize("lab", NAMES)
def test_nor_does_any_network_of_a_lab(tiny, monkeypatch, lab):
    for made, recipe in pairs(lab):
        with pytest.raises(Stop), monkeypatch.context() as patched:
            step_on_a_gpu_that_is_not_there(made, tiny, recipe.plus(batch_size=32, schedule="constant"), patched)


@pytest.mark.parametrize("settings, is_captured", [
    ({}, True), (dict(schedule="onecycle"), False), (dict(schedule="onecycle", cycle_momentum=False), True)])
def test_a_step_whose_momentum_moves_is_not_captured(tiny, monkeypatch, settings, is_captured):
    """A graph would go on with the momentum of the step that was captured."""
    with pytest.raises(Stop if is_captured else DataDependentOutputException):  # or else the epoch ends, and reads its losses
        step_on_a_gpu_that_is_not_there(build, tiny, Recipe(epochs=1, batch_size=32, **settings), monkeypatch)


def pairs(lab):
    """Return the Variants of a lab that differ in their networks or recipes."""
    return {(digest(each.build()), each.recipe): each for each in variants(LABS / f"{lab}.py").values()}.values()


class Reads(nn.Module):
    """A layer that reads a number back."""

    def forward(self, images):
        return images * images.max().item()


def test_and_one_that_did_would_be_found(tiny, monkeypatch):
    with pytest.raises(DataDependentOutputException):
        step_on_a_gpu_that_is_not_there(lambda: nn.Sequential(Reads(), build()), tiny, Recipe(epochs=1), monkeypatch)


def test_every_call_is_one_step_at_the_rate_of_that_moment(monkeypatch):
    """With a stand-in for the capture: what runs inside it is noted down and not done, and a replay does it."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.0)
    group, done, recording = optimizer.param_groups[0], [], []

    def step():
        where = group["lr"]
        if recording:
            recording.append(lambda: done.append(("replayed", round(float(where), 6))))
        else:
            done.append(("run", where))

    class Graph:
        def replay(self):
            recording[1]()

    @contextlib.contextmanager
    def record(graph, stream):
        recording.append(None)
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", record)
    monkeypatch.setattr(graphs, "side_stream", lambda: "side")
    monkeypatch.setattr(graphs, "on_stream", lambda step, side: step())
    go = graphs.captured(step, optimizer, "cpu")
    for number in range(1, 7):
        group["lr"] = number / 10
        go()
    assert done == [("run", 0.1), ("run", 0.2), ("run", 0.3), ("replayed", 0.4), ("replayed", 0.5), ("replayed", 0.6)]
    assert group["lr"] == 0.6 and len(recording) == 2


def test_without_a_graph_every_call_is_a_step(monkeypatch):
    monkeypatch.setenv("NO_GRAPH", "1")
    done = []
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    go = graphs.captured(lambda: done.append(1), optimizer, "cpu")
    for _ in range(6):
        go()
    assert len(done) == 6


def build_without_dropout():
    """Random numbers need not fall the same way in a graph and outside."""
    return nn.Sequential(*[layer for layer in build().modules() if not list(layer.children())
                           and not isinstance(layer, nn.Dropout2d)])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_replay_draws_anew_and_by_the_seed():
    drawn, number = torch.zeros(6, device="cuda"), torch.zeros(1, dtype=torch.int64, device="cuda")

    def step():
        drawn[number] = torch.rand((), device="cuda")
        number.add_(1)

    go = graphs.captured(step, torch.optim.SGD([nn.Parameter(torch.zeros(1, device="cuda"))], lr=0.1), torch.device("cuda"))

    def six(seed):
        number.zero_()
        torch.manual_seed(seed)
        for _ in range(6):
            go()
        return drawn.tolist()

    first = six(1)  # three of them eager, three replayed
    assert len(set(first)) == 6 and six(1) == first != six(2)  # so a resumed run needs no generator's state


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_run_on_a_gpu_goes_on_to_the_same_end(tiny, tmp_path, monkeypatch):
    recipe = Recipe(epochs=4, batch_size=32, lr=0.05, crop=4, flip=True, precision="fp32")
    whole = train(build, tiny, recipe, 0, "cuda")
    resumed = stopped_after_each_epoch(monkeypatch, 2, build, tiny, recipe, 0, "cuda", checkpoint=tmp_path / "c")
    for one, two in zip(whole.history, resumed.history, strict=True):
        assert one["train_loss"] == pytest.approx(two["train_loss"], rel=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("settings", [
    dict(schedule="cosine"), dict(schedule="onecycle", lr=0.1), dict(optimizer="adamw", lr=0.003), dict(label_smoothing=0.1)])
def test_the_captured_step_learns_what_the_plain_one_does(tiny, settings):
    recipe = Recipe(epochs=6, batch_size=32, precision="fp32", **dict(lr=0.05) | settings)
    fast, plain = (train(build_without_dropout, tiny, recipe, 0, "cuda", plain=p).history for p in (False, True))
    for a, b in zip(fast, plain):
        assert a["lr"] == b["lr"] and a["train_loss"] == pytest.approx(b["train_loss"], rel=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("lab", NAMES)
def test_every_network_of_a_lab_is_captured_and_learns(tiny, lab):
    for made, recipe in pairs(lab):
        short = recipe.plus(epochs=2, batch_size=16, lr=min(recipe.lr, 0.01), validation=0.1, follow_test=False, follow_train=False)
        result = train(made, tiny, short, 0, "cuda")
        assert all(0 < row["train_loss"] < 10 for row in result.history), (digest(made()), recipe)
