"""Intervals against SciPy's own."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from common.stats import paired, phrase, points, sentence, unpaired, verdict, worded


def test_the_paired_interval_is_scipys():
    one, two = np.array([0.781, 0.785, 0.779, 0.790]), np.array([0.79, 0.792, 0.791, 0.793])
    interval = scipy_stats.ttest_rel(two, one).confidence_interval(0.95)
    assert paired(one, two) == pytest.approx(((two - one).mean(), interval.low, interval.high))


def test_a_single_pair_has_no_interval():
    mean, low, high = paired([0.7], [0.75])
    assert mean == pytest.approx(0.05) and np.isnan(low) and np.isnan(high)


def test_the_error_of_an_unpaired_difference_is_welchs():
    one, two = np.array([0.781, 0.785, 0.779, 0.790]), np.array([0.79, 0.792, 0.80])
    difference, error = unpaired(one, two)
    assert difference / error == pytest.approx(scipy_stats.ttest_ind(one, two, equal_var=False).statistic)


def test_differences_in_words():
    better, same = (0.4, 0.1, 0.7), (-0.001, -0.5, 0.498)
    alone = points([0.7], [0.75])
    assert verdict(*better[1:]) == "beyond chance" and verdict(*same[1:]) == "no difference"
    assert worded(*better) == "+0.40 (+0.10 to +0.70): beyond chance" and phrase(*alone) == "+5.00 points"
    assert worded(*same) == "+0.00 (-0.50 to +0.50): no difference"  # and no -0.00
    assert phrase(*better) == "+0.40 points (95 % interval +0.10 to +0.70)"
    assert worded(*alone) == "+5.00: one pair of runs, may be chance"


@pytest.mark.parametrize("second, said", [
    ([0.75], "two minus one, test accuracy: +5.00 points, from a single pair of runs, so without an interval"),
    ([0.69, 0.71, 0.70], "+0.00 points (95 % interval -2.48 to +2.48, 3 pairs): no difference, since the interval"),
    ([0.75, 0.751, 0.75], "+5.03 points (95 % interval +4.89 to +5.18, 3 pairs): a difference beyond chance."),
])
def test_a_sentence_says_whether_there_is_a_difference(second, said):
    runs = [[SimpleNamespace(test_acc=accuracy) for accuracy in accuracies] for accuracies in ([0.7] * 3, second)]
    assert said in sentence(*runs, ("one", "two"))
