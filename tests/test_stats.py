"""Intervals against SciPy's own."""

from math import comb
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from common.stats import mcnemar, paired, phrase, points, precisions, sentence, told, verdict, worded


def test_the_paired_interval_is_scipys():
    one, two = np.array([0.781, 0.785, 0.779, 0.790]), np.array([0.79, 0.792, 0.791, 0.793])
    interval = scipy_stats.ttest_rel(two, one).confidence_interval(0.95)
    assert paired(one, two) == pytest.approx(((two - one).mean(), interval.low, interval.high))


def test_a_single_pair_has_no_interval():
    mean, low, high = paired([0.7], [0.75])
    assert mean == pytest.approx(0.05) and np.isnan(low) and np.isnan(high)


def test_mcnemar_by_hand():
    first, second = np.array(10 * [True] + 2 * [False] + 5 * [True]), np.array(10 * [False] + 2 * [True] + 5 * [True])
    p = 2 * (comb(12, 0) + comb(12, 1) + comb(12, 2)) / 2**12
    assert mcnemar(first, second) == (10, 2, pytest.approx(p))
    assert mcnemar(second, first) == (2, 10, pytest.approx(p))
    assert mcnemar(first, first) == (0, 0, 1.0)
    with pytest.raises(ValueError, match="the same images twice"):
        mcnemar(first, second[1:])


def test_below_five_in_a_hundred_networks_differ():
    def pair(one_alone, two_alone):
        first, second = np.zeros(100, bool), np.zeros(100, bool)
        first[:one_alone], second[50:50 + two_alone] = True, True
        return [[SimpleNamespace(seed=0, test_acc=c.mean(), correct=lambda c=c: c)] for c in (first, second)]

    assert "p = 0.077). That may be chance." in sentence(*pair(4, 12), "ab")
    assert "p = 0.035). These networks differ" in sentence(*pair(3, 12), "ab")


def test_differences_in_words():
    better, same = (0.4, 0.1, 0.7), (-0.001, -0.5, 0.498)
    alone = points([0.7], [0.75])
    assert verdict(*better[1:]) == "beyond chance" and verdict(*same[1:]) == "no difference shown"
    assert worded(*better) == "+0.40 (+0.10 to +0.70): beyond chance" and phrase(*alone) == "+5.00 points"
    assert worded(*same) == "+0.00 (-0.50 to +0.50): no difference shown"  # and no -0.00
    assert phrase(*better) == "+0.40 points (95 % interval +0.10 to +0.70)"
    assert worded(*alone) == "+5.00: too few runs to tell"


@pytest.mark.parametrize("second, said", [
    ([0.75], "*two* minus *one*, test accuracy: +5.00 points, from 1 pair of runs, too few for an interval. "
     "Of the test images, *one* alone has 5 right, and *two* alone 10 (McNemar's test, p = 0.3). That may be chance."),
    ([0.95], "Of the test images, *one* alone has 0 right, and *two* alone 25 (McNemar's test, p < 0.0001). These networks differ in "
     "accuracy;"),
    ([0.95, 0.95], "from 2 pairs of runs, too few"),
    ([0.95, 0.95], "*two* alone 25 (McNemar's test, p < 0.0001); in the other pair 0 and 25 (p < 0.0001). These networks differ in accuracy; "
     "those of other seeds need not."),
    ([0.95, 0.4], "in the other pair 30 and 0 (p < 0.0001). The networks of each pair differ in accuracy, but not in the same direction."),
    ([0.95, 0.75], "in the other pair 5 and 10 (p = 0.3). In one of the pairs the networks differ in accuracy beyond chance."),
    ([0.69, 0.71, 0.70], "+0.00 points (95 % interval -2.48 to +2.48, 3 pairs): no difference shown, since the interval"),
    ([0.75, 0.751, 0.75], "+5.03 points (95 % interval +4.89 to +5.18, 3 pairs): a difference beyond chance."),
])
def test_a_sentence_says_whether_there_is_a_difference(second, said):
    def run(accuracy, left_out):
        correct = np.arange(100) < round(100 * accuracy)
        correct[:left_out], correct[95:95 + left_out] = False, True
        return SimpleNamespace(test_acc=accuracy, correct=lambda: correct)

    runs = [run(0.7, 0) for _ in range(3)], [run(accuracy, 5 * (accuracy == 0.75)) for accuracy in second]
    for group in runs:
        for seed, one in enumerate(group):
            one.seed = seed
    assert said in sentence(*runs, ("one", "two"))
    short = told(*runs)
    assert (": " in short) == (len(second) == 3) and short.count("p = ") == (len(second) < 3)
    runs[1][0].seed = 3
    if len(second) > 1:
        with pytest.raises(ValueError, match="Pairs are of the same seed"):
            sentence(*runs, ("one", "two"))
    else:
        assert said in sentence(*runs, ("one", "two"))


def test_number_formats_that_differ_are_told():
    def runs(*formats):
        return [SimpleNamespace(seed=seed, precision=one) for seed, one in enumerate(formats)]

    assert precisions({"a": runs("bf16"), "b": runs("bf16", "bf16")}) == "All of these runs were trained in bf16."
    assert precisions({"a": runs("bf16"), "b": runs("fp32", "fp32"), "c": runs("fp32", "bf16"), "d": runs("bf16")}).startswith(
        "**Not trained alike:** in bf16: a, d; in fp32: b; in bf16 or fp32, by seed: c. Of a difference")
    assert precisions({"a": runs("fp32", "bf16")}).startswith("**Not trained alike:**")
    assert precisions({"a": runs("fp32", "bf16"), "b": runs("fp32", "bf16")}) == (
        "These runs were trained in bf16 or fp32, those of one seed alike, so no pair differs in its number format.")
    for other in (runs("bf16", "fp32"), runs("fp32")):
        assert precisions({"a": runs("fp32", "bf16"), "b": other}).startswith("**Not trained alike:**")
