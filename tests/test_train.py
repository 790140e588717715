"""The training loop: repeatable, resumable, its numbers right."""

import dataclasses
import time

import pytest
import torch
import torch.nn.functional as F
from conftest import build, rates, stopped_after_each_epoch

from common import data as datasets
from common import train as module
from common.checkpoint import epochs, restore
from common.errors import CourseError
from common.recipe import Recipe
from common.schedule import make_optimizer, make_scheduler
from common.train import Diverged, OutOfTime, evaluate, train


def plain(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def same(one, two):
    weights = zip(one.network.state_dict().values(), two.network.state_dict().values())
    return plain(one.history) == plain(two.history) and all(torch.equal(a, b) for a, b in weights)


def test_same_seed_same_run_and_another_seed_another(tiny, variant):
    one, two, other = (train(variant.build, tiny, variant.recipe, seed) for seed in (0, 0, 1))
    assert same(one, two) and one.test_loss == two.test_loss and torch.equal(one.predictions, two.predictions)
    assert not same(one, other) and one.test_loss != other.test_loss


@pytest.mark.parametrize("schedule", ["constant", "step", "plateau", "onecycle", "cosine"])
def test_a_run_stopped_after_any_epoch_goes_on_to_the_same_end(tiny, variant, tmp_path, monkeypatch, schedule):
    recipe = variant.recipe.plus(epochs=3, schedule=schedule, step_size=1, patience=0)
    whole = train(variant.build, tiny, recipe, 0)
    resumed = stopped_after_each_epoch(monkeypatch, 3, variant.build, tiny, recipe, 0, checkpoint=tmp_path / "run.checkpoint")
    assert same(whole, resumed) and whole.test_loss == resumed.test_loss


def test_an_epoch_shows_each_image_learnt_from_once_in_an_order_of_its_own(tiny, monkeypatch):
    shown = []
    monkeypatch.setattr(module, "augment", lambda images, recipe, mean, std, mirrored: (
        shown.extend(image.numpy().tobytes() for image in images), datasets.normalise(images, mean, std))[1])
    train(build, tiny, Recipe(epochs=2, batch_size=64), 0)
    learn, _ = datasets.split(tiny.train_labels, 0.1)
    expected = [image.numpy().tobytes() for image in tiny.train_images[learn]]
    first, second = shown[:len(learn)], shown[len(learn):]
    assert sorted(first) == sorted(second) == sorted(expected) and len(set(expected)) == len(learn)
    assert first != second and expected not in (first, second)


def test_validation_numbers_are_those_of_the_images_held_out(tiny):
    recipe = Recipe(epochs=2, batch_size=64, lr=0.05, precision="fp32")
    result = train(build, tiny, recipe, 0)
    _, held_out = datasets.split(tiny.train_labels, recipe.validation)
    loss, accuracy, _ = evaluate(result.network, tiny.train_images[held_out], tiny.train_labels[held_out],
                                 *datasets.normalisation(tiny, recipe))
    assert (result.history[-1]["val_loss"], result.history[-1]["val_acc"]) == (loss, accuracy)


@pytest.mark.parametrize("schedule", ["onecycle", "cosine"])
def test_a_schedule_that_moves_with_every_step_does(tiny, schedule):
    recipe = Recipe(epochs=4, batch_size=64, schedule=schedule)
    rows = train(build, tiny, recipe, 0).history
    assert [row["lr"] for row in rows] == rates(recipe, 12, batches=3)[::3]  # 135 images are three batches


def test_training_numbers_weigh_the_smaller_last_batch_rightly(tiny):
    recipe = Recipe(epochs=1, batch_size=64, lr=1e-12, momentum=0, validation=0,  # nothing moves: 150 = 64 + 64 + 22
                    precision="fp32")
    row = train(build_frozen, tiny, recipe, 0).history[0]
    mean, std = datasets.statistics(tiny.train_images)
    torch.manual_seed(0)
    network = build_frozen().train()
    logits = network(datasets.normalise(tiny.train_images, mean, std))
    assert row["train_loss"] == pytest.approx(F.cross_entropy(logits, tiny.train_labels).item(), rel=1e-5)
    assert row["train_acc"] == pytest.approx((logits.argmax(1) == tiny.train_labels).double().mean().item(), rel=1e-9)


def build_frozen():
    """Without normalisation, a loss does not depend on who else is in the batch."""
    return torch.nn.Sequential(torch.nn.Conv2d(3, 10, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


def test_evaluate_does_not_depend_on_the_batch_size(tiny):
    mean, std = datasets.statistics(tiny.train_images)
    network = build()
    results = [evaluate(network, tiny.test_images, tiny.test_labels, mean, std, batch_size=n) for n in (50, 7)]
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5) and results[0][1] == results[1][1]


def test_evaluate_gives_the_mean_loss_the_accuracy_and_the_classes(tiny):
    mean, std = datasets.statistics(tiny.train_images)
    network = build()
    loss, accuracy, predictions = evaluate(network, tiny.test_images, tiny.test_labels, mean, std)
    logits = network.eval()(datasets.normalise(tiny.test_images, mean, std))
    assert loss == pytest.approx(F.cross_entropy(logits, tiny.test_labels).item(), rel=1e-5)
    assert torch.equal(predictions.long(), logits.argmax(1))
    assert accuracy == pytest.approx((logits.argmax(1) == tiny.test_labels).double().mean().item())


def test_what_is_followed(tiny, variant):
    recipe = variant.recipe.plus(epochs=1)
    row = train(build, tiny, recipe, 0).history[0]
    assert "val_acc" in row and "test_acc" not in row
    result = train(build, tiny, recipe.plus(validation=0, follow_test=True), 0)
    assert "val_acc" not in result.history[0] and result.history[0]["test_acc"] == result.test_acc


def test_following_the_clean_training_images_changes_nothing_else(tiny, variant):
    """It is read in evaluation mode and without augmentation, on the images learnt from, not on those held out."""
    def follow(on):
        return train(build, tiny, variant.recipe.plus(follow_train=on, precision="fp32"), 0)

    without, followed = follow(False), follow(True)
    learn, _ = datasets.split(tiny.train_labels, variant.recipe.validation)
    loss, accuracy, _ = evaluate(followed.network, tiny.train_images[learn], tiny.train_labels[learn],
                                 *datasets.normalisation(tiny, variant.recipe))
    assert (followed.history[-1]["clean_loss"], followed.history[-1]["clean_acc"]) == (loss, accuracy)
    assert followed.learnt_acc == accuracy  # of so few images, all are among the first 10,000
    for row in followed.history:
        del row["clean_loss"], row["clean_acc"]
    assert same(without, followed) and without.test_loss == followed.test_loss


def test_some_images_learnt_from_are_given_once_more_at_the_end(tiny, variant):
    recipe = variant.recipe.plus(crop=4, flip=True, validation=0.5, epochs=1, precision="fp32")
    result = train(build, tiny, recipe, 0, learnt=25)
    learn = datasets.split(tiny.train_labels, 0.5)[0][:25]
    _, accuracy, _ = evaluate(result.network, tiny.train_images[learn], tiny.train_labels[learn],
                              *datasets.normalisation(tiny, variant.recipe.plus(validation=0.5)))
    assert result.learnt_acc == accuracy != result.history[-1]["train_acc"]


def test_a_loss_that_is_no_number_stops_the_run_and_says_where(tiny, variant):
    recipe = variant.recipe.plus(lr=1e30, momentum=0.0)
    with pytest.raises(CourseError, match=r"The loss became (nan|inf) in epoch 1, step [23], at learning rate 1e\+30"):
        train(build, tiny, recipe, 0)


@pytest.mark.parametrize("validation", [0, 0.1])
def test_a_last_step_that_blows_up_the_network_is_no_finished_run(tiny, tmp_path, validation):
    """Its losses were taken before it. Without held-out images a checkpoint was kept, and the next try says the same."""
    recipe = Recipe(epochs=1, batch_size=150, lr=1e30, validation=validation)
    for _ in range(2):
        with pytest.raises(Diverged, match="The loss in evaluation became (nan|inf) after epoch 1: train again"):
            train(build, tiny, recipe, 0, checkpoint=tmp_path / "c")


def test_a_cycle_without_a_step_to_rise_in_is_refused():
    recipe = Recipe(epochs=1, lr=0.1, schedule="onecycle", pct_start=0.1)
    assert len(rates(recipe, 8, batches=8)) == 8
    with pytest.raises(CourseError, match="pct_start is 0.1, which of 9 steps leaves none to rise in: make it a little"):
        rates(recipe, 9, batches=9)


def test_rates_of_each_schedule():
    def rates_of(**settings):
        recipe = Recipe(epochs=4, lr=0.1, **settings)
        return rates(recipe, 4 if recipe.schedule in ("constant", "step") else 20, batches=5)

    assert rates_of(schedule="constant") == [0.1] * 4
    assert rates_of(schedule="step", step_size=2, factor=0.1) == pytest.approx([0.1, 0.1, 0.01, 0.01])
    cosine = rates_of(schedule="cosine")
    assert cosine[0] == 0.1 and cosine[10] == pytest.approx(0.05) and cosine[-1] < 0.001
    onecycle = rates_of(schedule="onecycle", pct_start=0.25)
    assert max(onecycle) == pytest.approx(0.1, rel=0.01) and onecycle.index(max(onecycle)) in (4, 5)
    assert onecycle[0] < 0.01 and onecycle[-1] < 0.001


def test_plateau_lowers_the_rate_when_the_validation_loss_stays(tiny):
    recipe = Recipe(epochs=6, lr=1e-6, momentum=0, schedule="plateau", patience=1, factor=0.5)
    rates = [row["lr"] for row in train(build_frozen, tiny, recipe, 0).history]
    assert rates == pytest.approx([1e-6, 1e-6, 1e-6, 5e-7, 5e-7, 2.5e-7], rel=1e-9, abs=0)


def test_plateau_never_goes_below_the_lowest_rate(tiny):
    recipe = Recipe(epochs=6, lr=1e-6, momentum=0, schedule="plateau", patience=0, factor=0.5, min_lr=3e-7)
    rates = [row["lr"] for row in train(build_frozen, tiny, recipe, 0).history]
    assert rates == pytest.approx([1e-6, 1e-6, 5e-7, 3e-7, 3e-7, 3e-7], rel=1e-9, abs=0)


def test_plateau_follows_the_validation_loss_and_not_the_training_loss(tiny, monkeypatch):
    losses = iter(range(1, 100))  # always worse
    monkeypatch.setattr(module, "evaluate", lambda *given: (float(next(losses)), *evaluate(*given)[1:]))
    recipe = Recipe(epochs=4, batch_size=32, lr=0.01, schedule="plateau", patience=0, factor=0.5)
    rows = train(build, tiny, recipe, 0).history
    assert all(after["train_loss"] < before["train_loss"] for before, after in zip(rows, rows[1:]))
    assert [row["lr"] for row in rows] == pytest.approx([0.01, 0.01, 0.005, 0.0025])


@pytest.mark.parametrize("moves", [True, False])
def test_one_cycle_moves_the_momentum_only_where_it_is_asked_to(moves):
    recipe = Recipe(epochs=1, lr=0.1, momentum=0.9 if moves else 0.8, schedule="onecycle", cycle_momentum=moves)
    optimizer = make_optimizer(build(), recipe)
    make_scheduler(optimizer, recipe, batches=20)
    assert optimizer.param_groups[0]["momentum"] == (0.95 if moves else 0.8)


@pytest.mark.parametrize("settings, kind", [
    (dict(optimizer="sgd", momentum=0.8, nesterov=True), torch.optim.SGD),
    (dict(optimizer="adam", weight_decay=0.1), torch.optim.Adam), (dict(optimizer="adamw"), torch.optim.AdamW)])
def test_optimisers(settings, kind):
    optimizer = make_optimizer(build(), Recipe(epochs=1, lr=0.3, **settings))
    assert type(optimizer) is kind and optimizer.defaults["lr"] == 0.3
    assert {"momentum", "nesterov", "weight_decay"} & settings.keys() <= {
        k for k, v in settings.items() if optimizer.defaults.get(k) == v}


def test_label_smoothing_is_pytorchs(tiny):
    recipe = Recipe(epochs=1, lr=1e-12, momentum=0, batch_size=150, validation=0, precision="fp32", label_smoothing=0.5)
    torch.manual_seed(0)
    logits = build_frozen()(datasets.normalise(tiny.train_images, *datasets.statistics(tiny.train_images)))
    smoothed, sure = (F.cross_entropy(logits, tiny.train_labels, label_smoothing=s).item() for s in (0.5, 0.0))
    loss = train(build_frozen, tiny, recipe, 0).history[0]["train_loss"]
    assert loss == pytest.approx(smoothed, rel=1e-5) != pytest.approx(sure, rel=1e-4)


def test_flips_alternate_half_of_the_images_in_each_epoch(tiny, monkeypatch):
    seen = []
    real = module.augment
    monkeypatch.setattr(module, "augment", lambda images, recipe, mean, std, mirrored: (
        seen.append((images, mirrored)), real(images, recipe, mean, std, mirrored))[1])
    recipe = Recipe(epochs=3, batch_size=64, validation=0, flip=True, alternate=True)
    train(build, tiny, recipe, 0)
    epochs = []
    for epoch in range(3):
        marks = {}
        for images, mirrored in seen[3 * epoch:3 * epoch + 3]:
            marks |= {image.numpy().tobytes(): mark.item() for image, mark in zip(images, mirrored)}
        epochs.append(marks)
    first, second, third = epochs
    assert len(first) == 150 and first == third and all(first[image] != second[image] for image in first)
    assert 50 < sum(first.values()) < 100


def test_an_l1_penalty_pulls_weights_to_zero_and_is_no_part_of_the_reported_loss(tiny):
    recipe = Recipe(epochs=1, batch_size=150, validation=0, lr=1e-12, momentum=0)
    free, tied = (train(build_frozen, tiny, recipe.plus(l1=l1), 0) for l1 in (0.0, 1.0))
    assert free.history[0]["train_loss"] == tied.history[0]["train_loss"]
    recipe = recipe.plus(lr=0.01, epochs=20)
    free, tied = (train(build_frozen, tiny, recipe.plus(l1=l1), 0) for l1 in (0.0, 1.0))
    size = [sum(p.abs().sum() for p in result.network.parameters()).item() for result in (free, tied)]
    assert size[1] < 0.5 * size[0]


def test_steps_never_go_below_the_lowest_rate(tiny):
    recipe = Recipe(epochs=5, lr=0.1, schedule="step", step_size=2, factor=0.1, min_lr=0.004)
    rates = [row["lr"] for row in train(build, tiny, recipe, 0).history]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.004])


def test_a_damaged_checkpoint_is_named_and_nothing_is_lost(tiny, variant, tmp_path):
    checkpoint = tmp_path / "run.checkpoint"
    train(variant.build, tiny, variant.recipe, 0, checkpoint=checkpoint)
    whole = checkpoint.read_bytes()
    state = torch.load(checkpoint, weights_only=True)
    for other in (state | dict(network={}), state | dict(scheduler=None), state | dict(history=3)):
        torch.save(other, checkpoint)
        with pytest.raises(CourseError, match="run.checkpoint is damaged .* remove it, and the run starts anew"):
            train(variant.build, tiny, variant.recipe, 0, checkpoint=checkpoint)
    for damaged in (whole[:1000], b"", whole.replace(b"history", b"mystery")):
        checkpoint.write_bytes(damaged)
        with pytest.raises(CourseError, match="run.checkpoint .* remove it, and the run starts anew"):
            train(variant.build, tiny, variant.recipe, 0, checkpoint=checkpoint)
        assert checkpoint.read_bytes() == damaged


def test_too_little_memory_does_not_make_a_checkpoint_damaged(tiny, variant, tmp_path, monkeypatch):
    def full(*args, **options):
        raise MemoryError

    checkpoint = tmp_path / "run.checkpoint"
    train(variant.build, tiny, variant.recipe, 0, checkpoint=checkpoint)
    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(MemoryError):
        train(variant.build, tiny, variant.recipe, 0, checkpoint=checkpoint)
    assert epochs(checkpoint) == 0


@pytest.mark.filterwarnings("ignore:.*meta parameter")
def test_a_checkpoint_of_a_cpu_goes_on_on_a_gpu(tiny, variant, tmp_path):
    """A fused Adam counts its steps on the device; "meta" stands in for one."""
    checkpoint = tmp_path / "run.checkpoint"
    train(variant.build, tiny, variant.recipe.plus(optimizer="adam"), 0, checkpoint=checkpoint)
    network = variant.build().to("meta")
    optimizer = torch.optim.Adam(network.parameters())
    optimizer.param_groups[0]["fused"] = True  # as make_optimizer has it there
    restore(checkpoint, network, optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer), [])
    assert {state["step"].device.type for state in optimizer.state.values()} == {"meta"}
    assert optimizer.param_groups[0]["fused"]


def test_a_run_whose_last_epoch_is_over_is_not_laid_aside(tiny, variant):
    late = time.monotonic() - 1
    assert len(train(build, tiny, variant.recipe, 0, deadline=late).history) == variant.recipe.epochs == 2
    with pytest.raises(OutOfTime):
        train(build, tiny, variant.recipe.plus(epochs=3), 0, deadline=late)


def test_mixup_knows_how_many_classes_there_are(tiny):
    more = dataclasses.replace(tiny, train_labels=tiny.train_labels + 7, test_labels=tiny.test_labels + 7)
    result = train(lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 17)), more,
                   Recipe(epochs=8, lr=1e-3, mixup=0.4, batch_size=32), 0)
    assert result.history[-1]["train_loss"] < 0.9 * result.history[0]["train_loss"] < 45


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_checkpoint_of_a_gpu_goes_on_on_a_cpu(tiny, variant, tmp_path, optimizer):
    """It comes home with the settings of the optimiser that only a GPU can have."""
    checkpoint = tmp_path / "run.checkpoint"
    recipe = variant.recipe.plus(optimizer=optimizer, epochs=1)
    train(variant.build, tiny, recipe, 0, checkpoint=checkpoint)
    state = torch.load(checkpoint, weights_only=True)
    state["optimizer"]["param_groups"][0]["fused"] = True
    torch.save(state, checkpoint)
    longer = recipe.plus(epochs=2)
    assert len(train(variant.build, tiny, longer, 0, checkpoint=checkpoint).history) == 2


@pytest.mark.parametrize("name", ["train", "augment"])
def test_the_loop_stays_short_enough_to_be_read_in_one_go(name):
    assert len((datasets.ROOT / "common" / f"{name}.py").read_text().splitlines()) < 200
