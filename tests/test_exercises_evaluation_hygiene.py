"""The evaluation lab: its network is the source's, its checks tell a wrong answer what is wrong with it."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import CIFAR_10, cells, needs_cifar_10

from common import data as datasets
from common import inspect
from common.labs import LABS, variants

LAB = LABS / "evaluation_hygiene.py"


@pytest.fixture(scope="module")
def lab():
    """The names of the lab's check cells, and the images that they use."""
    return cells("evaluation_hygiene", drawn=datasets.load("synthetic"))


def test_the_network_is_the_sources():
    build = variants(LAB)["as_run"].build
    sides = inspect.layers(build()).height.tolist()
    assert inspect.parameters(build()) == 102_210
    assert [side for side, before in zip(sides, [32, *sides]) if side != before] == [30, 15, 17, 8, 10, 6, 4, 1]


def test_what_the_repair_drops_was_576_parameters_that_changed_no_score():
    one, other = (variants(LAB)[name].build for name in ("as_run", "repaired"))
    assert inspect.parameters(one()) - inspect.parameters(other()) == 576
    images = torch.rand(4, 3, 32, 32)
    scores = []
    for build in (one, other):
        torch.manual_seed(0)
        scores.append(build()(images))
    assert torch.equal(*scores)


def test_variants_that_are_compared_differ_in_one_setting():
    recipes = {name: variant.recipe.model_dump() for name, variant in variants(LAB).items()}

    def differ(name):
        return {k for k in recipes[name] if recipes[name][k] != recipes["repaired"][k]}

    assert differ("repaired_test_statistics") == {"statistics"} and differ("repaired_constant") == {"schedule"}


@needs_cifar_10
def test_the_statistics_that_the_lab_quotes():
    real, text = datasets.load("cifar10", CIFAR_10), LAB.read_text()
    for name, images in ("training", real.train_images), ("test", real.test_images):
        for values in datasets.statistics(images):
            assert f"\"{name}\": [{', '.join(f'{v:.4f}' for v in values.tolist())}]" in text


@pytest.mark.parametrize("answer, said", [
    (lambda p: None, "Not yet: the function returns None"),
    (lambda p: "50000", "Not yet: for 78.53 it gives 50000, and it should give 10000."),
    (lambda p: 1j, "Not yet: for 78.53 it gives 1j, and"),
    (lambda p: 10_000, "Not yet: for 79.198 it gives 10000, and it should give 50000."),
    (lambda p: Fraction(p).denominator, "Not yet: that is for the number itself; it is a percentage."),
    (lambda p: 100 * 10 ** len(p.partition(".")[2]), "Not yet: that many images do give it, but so do fewer"),
    (lambda p: (Fraction(p) / 100).denominator, "Right: "),
    (lambda p: 100_000 // np.gcd(round(1000 * float(p)), 100_000), "Right: "),  # all numbers of numpy's
    (lambda p: Fraction((Fraction(p) / 100).denominator), "Right: "),
    (lambda p: Decimal((Fraction(p) / 100).denominator), "Right: "),
    (lambda p: float((Fraction(p) / 100).denominator), "Right: "),
])
def test_fewest_images(lab, answer, said):
    assert lab["check_fewest"](answer).startswith(said)


def batches(start=0, of_labels=0, short=False):
    """Return an answer that is right but for where it starts, or for its labels, or that drops the last batch."""
    def answer(images, labels, size):
        stop = len(images) // size * size if short else len(images)
        for at in range(start, stop, size):
            yield images[at:at + size], labels.roll(of_labels)[at:at + size]
    return answer


@pytest.mark.parametrize("answer, said", [
    (lambda i, l, n: None, "Not yet: the function returns None"),
    (batches(short=True), "Not yet: asked for 1,000 images in batches of 64, it leaves out the last 40"),
    (batches(start=64), "Not yet: asked for 1,000 images in batches of 64, it yields 936; where"),
    (lambda i, l, n: [(i[at:at + n], l[at:at + n]) for at in range(0, 2_000, n)],
     "Not yet: asked for 1,000 images in batches of 64, it yields batches of 64, 64, 64 … 0."),
    (lambda i, l, n: [(i[at * n:at * n + n], l[at * n:at * n + n]) for at in range(len(i) // n + 1)],
     "Not yet: asked for 6 images in batches of 3, it yields batches of 3, 3, 0 … 0."),
    (lambda i, l, n: [(i, l)], "Not yet: asked for 1,000 images in batches of 64, it yields batches of 1000 … 1000."),
    (lambda i, l, n: zip(i.flip(0).split(n), l.split(n)), "Not yet: asked for 1,000 images in batches of 64, it yields others"),
    (batches(of_labels=1), "Not yet: asked for 1,000 images in batches of 64, it yields the right images with labels"),
    (batches(), "Right: "),
])
def test_batches(lab, answer, said):
    assert lab["check_batches"](answer).startswith(said)


def test_batches_of_a_set_that_is_written_into_the_function(lab):
    drawn = lab["drawn"]

    def leaky(images, labels, size):
        return zip(drawn.test_images.split(size), drawn.test_labels.split(size))

    assert lab["check_batches"](leaky).startswith("Not yet: asked for 5 images in batches of 2, it yields 1,000; where")
