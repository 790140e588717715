"""Checks of Level 2's exercises tell a wrong answer what is wrong with it."""

import pytest
from conftest import cells


@pytest.fixture(scope="module")
def level_2():
    return cells("level_2")


@pytest.mark.parametrize("answer, said", [
    (lambda n, m, side: None, "Not yet: the function returns None"),
    (lambda n, m, side: 9 * n * m * side**2 // 4, "Not yet: this is what the strided convolution takes"),
    (lambda n, m, side: 9 * n * m * side**2 / 2, "Not yet: a stride of 2 halves the rows and the columns"),
    (lambda n, m, side: n * m * side**2 * 3 / 4, "Not yet: for 16, 32, 32 it gives 393216.0, and it should give 3538944."),
    (lambda n, m, side: 9 * n * m * side**2 * 3 // 4, "Right: "),
])
def test_level_2_saved(level_2, answer, said):
    assert level_2["check_saved"](answer).startswith(said)


@pytest.mark.parametrize("answer, said", [
    (lambda side: None, "Not yet: the function returns None"),
    (lambda side: [1, 2] * (side // 4), "Not yet: for 8 it gives [1, 2, 1, 2], and it should give [1, 2, 1, 2, 1, 2, 1, 1]."),
    (lambda side: [2] + [3] * (side - 2) + [2], "Not yet: that is stride 1"),
    (lambda side: [1, 2] * (side // 2), "Not yet: all but the last pixel are right"),
    (lambda side: [2, 1] * (side // 2), "Not yet: even and odd are the wrong way round"),
    (lambda side: [1] * side, "Not yet: for 8 it gives [1, 1, 1"),
    (lambda side: [1, 2] * (side // 2 - 1) + [1, 1], "Right: "),
])
def test_level_2_looked_at(level_2, answer, said):
    assert level_2["check_looked_at"](answer).startswith(said)
