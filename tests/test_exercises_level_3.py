"""Checks of Level 3's exercises tell a wrong answer what is wrong with it."""

from statistics import mean, median

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


def highest(rule):
    """Return a way to choose: the variant whose validation accuracies have the highest `rule`."""
    return lambda validation, test: max(validation, key=lambda name: rule(validation[name]))


@pytest.mark.parametrize("answer, said", [
    (lambda validation, test: None, "Not yet: the function returns None"),
    (lambda validation, test: max(test, key=lambda name: mean(test[name])), "Not yet: that one has the best test"),
    (highest(max), "Not yet: that one had a lucky seed"),
    (highest(lambda values: values[0]), "Not yet: that one had a lucky seed"),
    (highest(sum), "Not yet: that one has the most seeds"),
    (highest(median), "Not yet: that one is right for the middle"),
    (highest(min), "Not yet: that one is right for the middle, the worst"),
    (highest(lambda values: values[-1]), "Not yet: that one is right for the middle, the worst or the last"),
    (highest(lambda values: min(values) + max(values)), "Not yet: right here, but not for other numbers; does every"),
    (highest(lambda values: mean(values[:2])), "Not yet: right here, but not for other numbers; does every seed"),
    (lambda validation, test: 0.91, "Not yet: 0.91 is not the name of a variant"),
    (lambda validation, test: "c", "Not yet: right here, but not for other numbers; does the test set"),
    (highest(mean), "Right: "),
])
def test_level_3_choose(level_3, answer, said):
    assert level_3["check_choose"](answer).startswith(said)
