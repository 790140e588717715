"""Checks of Level 3's exercises tell a wrong answer what is wrong with it."""

import pytest
from conftest import cells


@pytest.fixture(scope="module")
def level_3():
    return cells("level_3")


@pytest.mark.parametrize("answer, said", [
    (lambda v, mean, std: None, "Not yet: the function returns None"),
    (lambda v, mean, std: v, "Not yet: that is the pixel value itself, the source's mistake"),
    (lambda v, mean, std: mean, "Not yet: that is the pixel value itself, the source's mistake"),
    (lambda v, mean, std: 0, "Not yet: 0 looks like the mean of the channel"),
    (lambda v, mean, std: v * std + mean, "Not yet: that turns a normalised value back"),
    (lambda v, mean, std: v - mean, "Not yet: for pixel value 1.0, mean 0.4822 and deviation 0.2435 it gives 0.518, but"),
    (lambda v, mean, std: (v - mean) / std, "Right: "),
])
def test_level_3_fill(level_3, answer, said):
    assert level_3["check_fill"](answer).startswith(said)


@pytest.mark.parametrize("answer, said", [
    (lambda validation, test: None, "Not yet: the function returns None"),
    (lambda validation, test: max(test, key=lambda name: sum(test[name]) / len(test[name])), "Not yet: that one has the"),
    (lambda validation, test: max(validation, key=lambda name: max(validation[name])), "Not yet: that one had a lucky"),
    (lambda validation, test: max(validation, key=lambda name: sum(validation[name])), "Not yet: that one has the most"),
    (lambda validation, test: 0.91, "Not yet: 0.91 is not the name of a variant"),
    (lambda validation, test: "c", "Not yet: right here, but not for other numbers"),
    (lambda validation, test: max(validation, key=lambda name: sum(validation[name]) / len(validation[name])), "Right: "),
])
def test_level_3_choose(level_3, answer, said):
    assert level_3["check_choose"](answer).startswith(said)
