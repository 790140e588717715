"""Checks of Level 3's exercises tell a wrong answer what is wrong with it."""

import pytest

from common.labs import LABS


@pytest.fixture(scope="module")
def level_3():
    """The names of the lab's check cells."""
    names = {}
    for cell in (LABS / "level_3.py").read_text().split("# %%")[1:]:
        header, _, body = cell.partition("\n")
        if '"imports"' in header or '"variants"' in header:
            exec(body, names)
        if '"check"' in header:
            exec(body.rsplit("\nprint(", 1)[0], names)
    return names


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
    (lambda n, m: None, "Not yet: the function returns None"),
    (lambda n, m: 9 * n * m + 9 * m * m, "Not yet: the convolutions are right"),
    (lambda n, m: 9 * n * m + 9 * m * m + 4 * m, "Not yet: right for equal widths"),
    (lambda n, m: 10 * n * m + 9 * m * m + 6 * m, "Not yet: where n equals m"),
    (lambda n, m: 9 * n * m + 9 * m * m + 2 * m, "Not yet: for 24 and 24 it gives 10,416, but PyTorch counts 10,464"),
    (lambda n, m: 9 * n * m + 9 * m * m + 4 * m + (n != m) * (n * m + 2 * m), "Right: "),
])
def test_level_3_residual(level_3, answer, said):
    assert level_3["check_residual"](answer).startswith(said)
