"""What checks of exercises share tells right from wrong, and one mistake from another."""

import numpy as np
import pytest
import torch

from common.exercises import compare

CASES = [((2, 3), 6), ((4, 5), 20)]
MISTAKES = [(lambda a, b: a + b, "that is the sum."), (lambda a, b: 6, "it is not always 6.")]


@pytest.mark.parametrize("answer, said", [
    (lambda a, b: None, "Not yet: the function returns None; put your answer in its place."),
    (lambda a, b: a + b, "Not yet: that is the sum."),
    (lambda a, b: 6, "Not yet: it is not always 6."),  # right for the first case, wrong for the second
    (lambda a, b: 7, "Not yet: for 2, 3 it gives 7, and it should give 6."),
    (lambda a, b: "six", "Not yet: for 2, 3 it gives six, and it should give 6."),
    (lambda a, b: [6, 6], "Not yet: for 2, 3 it gives [6, 6], and it should give 6."),
    (lambda a, b: np.array([6, 6]), "Not yet: for 2, 3 it gives [6 6]"),
    (lambda a, b: a * b, "Right: well multiplied."),
    (lambda a, b: a * b * (1 + 1e-9), "Right: well multiplied."),
    (lambda a, b: torch.tensor(float(a * b)), "Right: well multiplied."),
])
def test_a_number(answer, said):
    assert compare(answer, CASES, MISTAKES, praise="well multiplied.").startswith(said)


def test_a_number_is_right_to_six_digits():
    assert compare(lambda: 1.0001, [((), 1.0)]).startswith("Not yet")


def test_a_list_and_a_name():
    cases = [((3,), [0, 1, 2])]
    assert compare(lambda n: list(range(n)), cases) == compare(range, cases) == "Right: "
    assert compare(lambda n: [0, 1], cases) == "Not yet: for 3 it gives [0, 1], and it should give [0, 1, 2]."
    assert compare(lambda n: "a", [((1,), "a")]) == "Right: " != compare(lambda n: "b", [((1,), "a")])


def test_an_answer_may_use_its_arguments_up():
    numbers = [3, 1, 2]
    cases = [((numbers, 1), 6), ((numbers, 2), 12)]

    def emptied(values, factor):
        total = 0
        while values:
            total += values.pop()
        return total * factor

    assert compare(emptied, cases, [(lambda values, factor: sum(values), "times the factor.")]) == "Right: "
    assert compare(lambda values, factor: emptied(values, 1), cases, [(lambda values, factor: sum(values), "times the factor.")]) \
        == "Not yet: times the factor."
