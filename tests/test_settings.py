"""A lab's parameters: what is accepted, and the sentence for what is not."""

import pytest
import torch

from common import settings
from common.errors import CourseError


def test_the_plain_values_of_a_notebook_are_its_parameters():
    names = {"__name__": "x", "_i": "", "In": [], "Out": {}, "torch": torch, "print": print, "epochs": 3, "device": "cpu"}
    options = settings.read(names)
    assert options.epochs == 3 and settings.device(options) == torch.device("cpu") and options.dataset == "cifar10"


@pytest.mark.parametrize("text, value", [("true", True), ("false", False), (True, True)])
def test_flags_as_papermill_passes_them(text, value):
    assert settings.read(dict(retrain=text)).retrain is value


@pytest.mark.parametrize("given, sentence", [
    (dict(epoch=3), "The parameter epoch is not known to this lab: did you mean epochs?"),
    (dict(zzz=3), "The parameter zzz is not known to this lab: choose from dataset, data_dir, epochs, seeds, "),
    (dict(epochs="three"), "The parameter epochs is 'three', but it must be a whole number of epochs"),
    (dict(epochs=2.5), "The parameter epochs is 2.5, but it must be"),
    (dict(epochs=-1), "The parameter epochs is -1, but it must be"),
    (dict(seeds=0), "The parameter seeds is 0, but it must be a whole number of seeds, 1 or more."),
    (dict(seeds=True), "The parameter seeds is True, but"),
    (dict(images=59), "The parameter images is 59, but it must be a multiple of 10, as many images of each class, 60 "
     "or more, or 0 for all."),
    (dict(images=65), "The parameter images is 65, but"),
    (dict(images=True), "The parameter images is True, but"),
    (dict(dataset="mnist"), "The parameter dataset is 'mnist', but it must be cifar10 or synthetic."),
    (dict(retrain="yes please"), "The parameter retrain is 'yes please', but it must be True or False."),
])
def test_the_sentence(given, sentence):
    with pytest.raises(CourseError) as error:
        settings.read(given)
    assert str(error.value).startswith(sentence) and str(error.value).count("\n") == 0


@pytest.mark.parametrize("images", [0, 60, 50_000])
def test_how_many_images(images):
    assert settings.read(dict(images=images)).images == images


def test_a_lab_may_be_run_again_in_the_same_kernel():
    names = dict(epochs=3)
    assert settings.read(names).epochs == 3
    names |= dict(options="what later cells define", epochs=5, seeds=2)
    assert settings.read(names).epochs == 5
    with pytest.raises(CourseError, match="The parameter epochs is 0.5"):
        settings.read(names | dict(epochs=0.5))
    names["epochs"] = 0.5
    with pytest.raises(CourseError, match="The parameter epochs is 0.5"):
        settings.read(names)
    names["epochs"] = 7  # mended, in the same kernel: what later cells defined is still there, and no parameter
    assert settings.read(names).epochs == 7 and names["options"] == "what later cells define"


def test_a_misspelt_parameter_is_noticed_in_a_kernel_where_the_lab_ran_before():
    names = dict(epochs=3)
    settings.read(names)
    names |= dict(epoch=5, seeds_of=[1, 2])
    with pytest.raises(CourseError, match="The parameter epoch is not known to this lab: did you mean epochs?"):
        settings.read(names)
    assert settings.read(names).epochs == 3


def test_a_parameter_that_was_misspelt_does_not_stay():
    names = dict(epoch=3)
    with pytest.raises(CourseError, match="did you mean epochs?"):
        settings.read(names)
    assert settings.read(names | dict(epochs=3)).epochs == 3


RUNG = dict(rung=settings.whole(-1, 7, "a rung from 0 to 7, or -1 for all"))


@pytest.mark.parametrize("rung", [-1, 0, 7])
def test_a_parameter_of_one_lab(rung):
    assert settings.read(dict(rung=rung, seeds=2), **RUNG).rung == rung
    assert settings.read({}, **RUNG).rung == -1


@pytest.mark.parametrize("given, own, sentence", [
    (dict(rung=9), RUNG, "The parameter rung is 9, but it must be a rung from 0 to 7, or -1 for all."),
    (dict(rung="3"), RUNG, "The parameter rung is '3', but it must be a rung"),
    (dict(rungs=3), RUNG, "The parameter rungs is not known to this lab: did you mean rung?"),
    (dict(rung=3), {}, "The parameter rung is not known to this lab: choose from dataset, "),
])
def test_the_sentence_where_a_lab_has_its_own(given, own, sentence):
    with pytest.raises(CourseError) as error:
        settings.read(given, **own)
    assert str(error.value).startswith(sentence) and str(error.value).count("\n") == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_where_there_is_none():
    with pytest.raises(CourseError, match="The parameter device is 'cuda', but PyTorch finds no CUDA device here"):
        settings.read(dict(device="cuda"))
