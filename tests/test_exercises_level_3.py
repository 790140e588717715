"""Checks of Level 3's exercises tell a wrong answer what is wrong with it."""

from statistics import mean, median

import pytest
from conftest import cells


@pytest.fixture(scope="module")
def level_3():
    return cells("level_3")


@pytest.mark.parametrize("answer, said", [
    (lambda filled, mean, std: None, "Not yet: the function returns None"),
    (lambda filled, mean, std: filled, "Not yet: that is the value as written"),
    (lambda filled, mean, std: (filled - mean) / std, "Not yet: that normalises once more"),
    (lambda filled, mean, std: filled * std, "Not yet: that is how far it lies from the mean"),
    (lambda filled, mean, std: mean, "Not yet: for -1.0, 0.4465, 0.2616 it gives 0.4465, and it should give 0.1849."),
    (lambda filled, mean, std: filled + mean, "Not yet: for -1.0, 0.4465, 0.2616 it gives -0.5535"),
    (lambda filled, mean, std: filled * std + mean, "Right: "),
])
def test_level_3_looks(level_3, answer, said):
    assert level_3["check_looks"](answer).startswith(said)


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
    (highest(lambda values: min(values) + max(values)), "Not yet: right for some numbers; does the test set have a say, and does every"),
    (highest(lambda values: mean(values[:2])), "Not yet: right for some numbers"),
    (highest(lambda values: mean(values[:3])), "Not yet: right for some numbers"),
    (lambda validation, test: 0.91, "Not yet: for {'a': "),
    (lambda validation, test: "c", "Not yet: for {'x': "),
    (highest(mean), "Right: "),
])
def test_level_3_choose(level_3, answer, said):
    assert level_3["check_choose"](answer).startswith(said)
