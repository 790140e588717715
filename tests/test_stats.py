"""Intervals against SciPy's own."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from common.stats import paired, unpaired


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
