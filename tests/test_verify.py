"""`make verify` finds a record that does not hold, whatever it is that does not."""

import hashlib
import re

import numpy as np
import pytest
import torch
from one_lab import LAB, record

from common import labs, records, runs, settings
from common.errors import CourseError


def sealed(held, changes):
    """Write a record with other fields, under a right checksum."""
    held.path.write_text(records._text(held.model_copy(update=changes)))


@pytest.mark.parametrize("change", [("lr=0.1", "lr=0.2"), ("stride=4", "stride=2"), ('"one"', '"uno"')])
def test_a_record_that_its_lab_no_longer_asks_for_is_named(lab, change):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace(*change))
    if change[1] != '"uno"':  # a fresh run beside it in runs/ does not make a stale record good
        runs.runs("a_lab", "one", labs.variants(lab)["one"], settings.read(dict(device="cpu")))
    with pytest.raises(CourseError, match="one/seed-0.json is of a run that its lab does not ask for"):
        labs.verify("")


@pytest.mark.parametrize("name", ["seed-1", "seed-0 (copy)"])
def test_a_copy_of_a_record_is_no_other_seed(lab, name):
    record(1, "a_lab/two")
    path = labs.read_all()[0].path
    for ending in (".json", ".npz", ".safetensors"):
        path.with_name(f"{name}{ending}").write_bytes(path.with_suffix(ending).read_bytes())
    for reader in labs.read_all, lambda: labs.verify(""):
        with pytest.raises(CourseError, match=rf"{re.escape(name)}.json is of a_lab/two, seed 0: remove the copy"):
            reader()


@pytest.mark.parametrize("change, said", [
    (dict(params=10), "a count of parameters, 10, that"), (dict(macs=10), "a count of multiply-accumulates, 10, that"),
    (dict(split=dict(train=1, validation=2, test=3)), "numbers of images, "), (dict(history=[]), "a history that"),
    (dict(history=[{}]), "a history that"), (dict(history=[dict(epoch=1, test_acc=2.0)]), "a history that"),
    (dict(files=[".npz"]), "files, .npz, that")])
def test_numbers_that_no_run_can_have_given_are_found(lab, change, said):
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    if "files" in change:
        change = dict(files={ending: held.files[ending] for ending in change["files"]})
    sealed(held, change)
    with pytest.raises(CourseError, match=f"holds {said}.*restore it with git"):
        labs.verify("")


@pytest.mark.parametrize("more", [None, float("nan"), 0.1])
def test_another_clean_training_accuracy_is_found(lab, more):
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    sealed(held, dict(learnt_acc=more and held.learnt_acc + more))
    with pytest.raises(CourseError, match="holds a clean training accuracy of .* and its weights have 0"):
        labs.verify("")


@pytest.mark.parametrize("factor", [1.1, 0.0, float("nan")])
def test_weights_with_another_loss_are_found(lab, factor):
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    sealed(held, dict(test_loss=held.test_loss * factor))
    with pytest.raises(CourseError, match="The weights beside .* their loss is "):
        labs.verify("")


@pytest.mark.parametrize("contents", [dict(predictions=[None]), dict(correct=[True]), dict(predictions=[300]), dict(predictions=200), None])
def test_what_is_no_list_of_predictions_is_said_and_nothing_is_unpickled(lab, contents):
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    beside = held.path.with_suffix(".npz")
    if contents == dict(predictions=200):  # as many as there are images, of a class that there is not
        contents = dict(predictions=np.full(len(held.correct()), 200, np.uint8))
    np.savez(beside, **{k: np.array(v) for k, v in contents.items()}) if contents else beside.write_bytes(b"text")
    files = held.files | {".npz": hashlib.sha256(beside.read_bytes()).hexdigest()}
    sealed(held, dict(files=files))
    with pytest.raises(CourseError, match="does not hold the predictions of .* test images: restore it with git"):
        labs.verify("")


def test_weights_of_another_network_are_said(lab):
    record(1, "a_lab/one")
    with pytest.raises(CourseError, match="seed-0.safetensors are not of this network"):
        labs.read_all()[0].load_weights(torch.nn.Linear(1, 1))


def test_a_changed_confusion_matrix_is_found(lab):
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    sealed(held, dict(confusion=held.confusion[::-1]))
    with pytest.raises(CourseError, match="holds a confusion matrix that its run cannot have given"):
        labs.verify("")


@pytest.mark.parametrize("right, count", [(True, 1), (False, 2)])
def test_weights_are_found_that_predict_otherwise_or_are_right_more_or_less_often(lab, tiny, monkeypatch, right, count):
    """Of 50 images: one that was right and is not, then two that were wrong and are otherwise wrong."""
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    given = torch.from_numpy(held.predictions()).long()
    for place in [n for n, hit in enumerate(held.correct()) if hit == right][:count]:
        given[place] = next(c for c in range(10) if c not in (given[place], tiny.test_labels[place]))
    monkeypatch.setattr(labs, "evaluate", lambda *given_to: (held.test_loss, 0.0, given))
    with pytest.raises(CourseError, match="The weights beside"):
        labs.verify("")
