"""What an epoch is made of, to the last number: order, marks, targets, penalties, formats, and which epoch counts."""

import pytest
import torch
import torch.nn.functional as F
from conftest import build, rates
from test_train import build_frozen

from common import data as datasets
from common import train as module
from common.recipe import Recipe
from common.train import evaluate, train


RICH = dict(flip=True, alternate=True, crop=4, crop_mode="reflect", cutout=16, cutout_p=0.5, shift=0.1, scale=0.1, rotate=20,
            zoom=0.15, grey_p=0.3, mixup=0.2, label_smoothing=0.1, weight_decay=5e-4, schedule="onecycle", cycle_momentum=False)


@pytest.mark.parametrize("settings, losses, test_loss", [
    (dict(), [2.28771, 2.29468, 2.20934], 2.32238),
    (dict(optimizer="adam", lr=0.003, schedule="step", step_size=1), [2.28953, 2.28013, 2.24543], 2.28081),
    (RICH, [2.33636, 2.29333, 2.26183], 2.31031),
], ids=["plain", "steps", "rich"])
def test_an_engine_of_this_number_trains_as_it_did_when_the_records_were_made(tiny, settings, losses, test_loss):
    """Seen with engine 1, alike with one thread and two, with AVX-512 and without."""
    recipe = Recipe(**dict(epochs=3, batch_size=32, lr=0.05, precision="fp32") | settings)
    result = train(build, tiny, recipe, 1)
    assert [row["train_loss"] for row in result.history] + [result.test_loss] == pytest.approx([*losses, test_loss], rel=1e-3), (
        "runs end otherwise than those on record: undo the change, or raise ENGINE in common/train.py and train all again")


def test_the_last_epoch_counts_and_not_the_best(tiny, variant, monkeypatch):
    falls = iter((0.9, 0.8, 0.75, 0.7))
    monkeypatch.setattr(module, "evaluate", lambda *given: (evaluate(*given)[0], next(falls), evaluate(*given)[2]))
    result = train(build, tiny, variant.recipe.plus(validation=0, follow_test=True), 0)
    assert [row["test_acc"] for row in result.history] == [0.9, 0.8] and (result.learnt_acc, result.test_acc) == (0.75, 0.7)


def test_seeds_differ_in_their_order_and_in_which_images_are_mirrored_first(tiny, monkeypatch):
    seen, augment = [], module.augment
    monkeypatch.setattr(module, "augment", lambda images, recipe, mean, std, mirrored: (
        seen.extend(zip((image.numpy().tobytes() for image in images), mirrored.tolist())),
        augment(images, recipe, mean, std, mirrored))[1])
    for seed in (0, 1):
        train(build, tiny, Recipe(epochs=1, batch_size=64, validation=0, flip=True, alternate=True), seed)
    first, second = seen[:150], seen[150:]
    assert len(second) == 150 and [image for image, _ in first] != [image for image, _ in second]
    assert dict(first).keys() == dict(second).keys() and dict(first) != dict(second)


def test_mixed_images_are_learnt_towards_mixed_targets(tiny, monkeypatch):
    seen, mixup, mixed = {}, module.mixup, module.mixed

    def mix(images, alpha):
        seen["images"], share = mixup(images, alpha)
        return seen["images"], share

    def target(*given):
        seen["targets"] = mixed(*given)
        return seen["targets"]

    monkeypatch.setattr(module, "mixup", mix)
    monkeypatch.setattr(module, "mixed", target)
    recipe = Recipe(epochs=1, lr=1e-12, momentum=0, batch_size=150, validation=0, precision="fp32", mixup=0.4)
    loss = train(build_frozen, tiny, recipe, 0).history[0]["train_loss"]
    torch.manual_seed(0)
    assert loss == pytest.approx(F.cross_entropy(build_frozen()(seen["images"]), seen["targets"]).item(), rel=1e-5)


def test_a_penalty_is_as_strong_as_the_recipe_says(tiny):
    recipe = Recipe(epochs=1, batch_size=150, validation=0, lr=0.01, momentum=0, precision="fp32")
    torch.manual_seed(0)
    first = list(build_frozen().parameters())
    free, tied = (list(train(build_frozen, tiny, recipe.plus(l1=l1), 0).network.parameters()) for l1 in (0.0, 0.3))
    for before, one, other in zip(first, free, tied):
        assert torch.allclose(one - other, 0.01 * 0.3 * before.sign(), atol=1e-6)


def test_plain_and_fp32_are_fp32_and_the_rest_is_tested_as_it_is_trained(tiny, monkeypatch):
    monkeypatch.setattr(module, "has_bf16_units", lambda device: True)
    recipe = Recipe(epochs=1, lr=0.01)
    assert train(build, tiny, recipe, 0, plain=True).precision == "fp32"
    assert train(build, tiny, recipe.plus(precision="fp32"), 0).precision == "fp32"
    result = train(build, tiny, recipe, 0)
    with torch.autocast("cpu", torch.bfloat16):
        loss, *_ = evaluate(result.network, tiny.test_images, tiny.test_labels, *datasets.normalisation(tiny, recipe))
    assert result.precision == "bf16" and result.test_loss == loss


def test_one_cycle_is_one_step_longer_than_the_run():
    """By which records were trained."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs, said = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=21, pct_start=0.25), []
    for _ in range(20):
        said.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert rates(Recipe(epochs=4, lr=0.1, schedule="onecycle", pct_start=0.25), 20, batches=5) == said
