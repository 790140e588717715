"""`make verify` finds a record that does not hold, whatever it is that does not."""

import pytest
import torch
from one_lab import LAB, record

from common import labs, records, runs, settings
from common.errors import CourseError


@pytest.mark.parametrize("change", [("lr=0.1", "lr=0.2"), ("stride=4", "stride=2"), ('"one"', '"uno"')])
def test_a_record_that_its_lab_no_longer_asks_for_is_named(lab, change):
    record(1, "a_lab/one")
    lab.write_text(LAB.replace(*change))
    if change[1] != '"uno"':  # a fresh run beside it in runs/ does not make a stale record good
        runs.runs("a_lab", "one", labs.variants(lab)["one"], settings.read(dict(device="cpu")))
    with pytest.raises(CourseError, match="one/seed-0.json is of a run that its lab does not ask for"):
        labs.verify("")


def test_a_copy_of_a_record_is_no_other_seed(lab):
    record(1, "a_lab/two")
    path = labs.read_all()[0].path
    for ending in (".json", ".npz", ".safetensors"):
        path.with_name(f"seed-1{ending}").write_bytes(path.with_suffix(ending).read_bytes())
    with pytest.raises(CourseError, match="seed-1.json is of a_lab/two, seed 0: remove the copy"):
        labs.verify("")


def test_a_changed_confusion_matrix_is_found(lab):
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    held.path.write_text(records._text(held.model_copy(update=dict(confusion=held.confusion[::-1]))))
    with pytest.raises(CourseError, match="holds a confusion matrix that its predictions do not give"):
        labs.verify("")


@pytest.mark.parametrize("right, count", [(True, 1), (False, 2)])
def test_weights_are_found_that_predict_otherwise_or_are_right_more_or_less_often(lab, tiny, monkeypatch, right, count):
    """Of 50 images: one that was right and is not, then two that were wrong and are otherwise wrong."""
    record(1, "a_lab/one")
    held = labs.read_all()[0]
    given = torch.from_numpy(held.predictions()).long()
    for place in [n for n, hit in enumerate(held.correct()) if hit == right][:count]:
        given[place] = next(c for c in range(10) if c not in (given[place], tiny.test_labels[place]))
    monkeypatch.setattr(labs, "evaluate", lambda *given_to: (0.0, 0.0, given))
    with pytest.raises(CourseError, match="The weights beside"):
        labs.verify("")
