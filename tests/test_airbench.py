"""The comparison with airbench, on a stand-in for its program: the real one needs a GPU, and is not ours to keep."""

import pytest
import torch

from common import airbench
from common import data as datasets
from common.errors import CourseError

# What common/airbench.py asks of airbench94.py, and nothing else. Epochs take 3 s after one of 10 s, so it says.
STAND_IN = """
import math
import torch
from torch import nn

hyp = {"opt": {"train_epochs": 2.9, "batch_size": 7, "whiten_bias_epochs": 1}, "net": {"tta_level": 2}}

def make_net():
    net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)).half()
    net[0].weight.requires_grad = False
    return net

def init_whitening_conv(layer, images):
    raise AssertionError("it was to be left out")

class LookaheadState:
    def __init__(self, net):
        raise AssertionError("it was to be left out")

def main(run, *models):
    model = models[0] if models else make_net()
    assert model[0].weight.requires_grad and len(models) == MODELS
    init_whitening_conv(model[0], None)
    average = LookaheadState(model)
    train = torch.load("cifar10/train.pt")
    assert train["images"].shape == (1024, 32, 32, 3) and train["images"].dtype == torch.uint8
    assert len(torch.load("cifar10/test.pt")["labels"]) == 1000
    assert hyp["opt"]["whiten_bias_epochs"] >= hyp["opt"]["train_epochs"] and hyp["net"]["tta_level"] == 0
    total_time_seconds = 7.0
    for epoch in range(math.ceil(hyp["opt"]["train_epochs"])):
        average.update(model, decay=0.5)
        total_time_seconds += 3.0
        print_training_details(locals(), is_final_entry=False)
    epoch, total_time_seconds = "eval", 1000.0
    print_training_details(locals(), is_final_entry=True)
"""


def test_airbench_runs_beside_our_loop_without_what_a_loop_does_not_need(tmp_path, monkeypatch, capsys):
    for name, models in (("airbench94.py", 0), ("airbench94_compiled.py", 2)):
        (tmp_path / name).write_text(STAND_IN.replace("MODELS", str(models)))
    data = datasets.load("synthetic")
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda network, mode, dynamic: compiled.append((mode, dynamic)) or network)
    trained = []
    train = airbench.train

    def followed(build, data, recipe, *rest):
        result = train(build, data, recipe, *rest)
        trained.append((len(data.train_labels), recipe.epochs, sum(p.requires_grad for p in result.network.parameters())))
        for row, seconds in zip(result.history, (40, 2)):
            row["seconds"] = seconds
        return result

    monkeypatch.setattr(airbench, "train", followed)
    medians = airbench.compare(tmp_path, data, torch.device("cpu"), 2, 1)
    assert medians == {("eager", "theirs"): 3, ("eager", "ours"): 2, ("compiled", "theirs"): 3, ("compiled", "ours"): 2}
    assert trained == [(1024, 2, 4)] * 4
    assert compiled == 2 * [("max-autotune", False), ("max-autotune", False), ("max-autotune-no-cudagraphs", False)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("eager: 102 parameters, batches of 1024: theirs 3.0000 s an epoch, ours 2.0000 s, "
                        "theirs / ours 1.500")
    assert lines[1].startswith("compiled: 102 parameters")


def test_a_folder_without_airbench_gets_the_sentence(tmp_path):
    with pytest.raises(CourseError, match="There is no .*airbench94.py: name the folder `legacy`"):
        airbench.read(tmp_path / "airbench94.py", 2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_without_a_gpu_it_says_so(monkeypatch):
    monkeypatch.setattr("sys.argv", ["airbench", "."])
    with pytest.raises(CourseError, match="needs a CUDA GPU"):
        airbench.main()
