"""Differences between networks, with the interval that says whether there is one."""

import numpy as np
from scipy import stats


def paired(first, second, level=0.95):
    """Return (mean difference, low, high) of `second` minus `first`, pairs of accuracies over the same seeds.

    A Student t-interval at `level`; with a single pair there is none, and low and high are NaN.
    """
    pairs = min(len(first), len(second))
    difference = np.asarray(second[:pairs]) - np.asarray(first[:pairs])
    if pairs < 2:
        return difference.mean(), float("nan"), float("nan")
    reach = stats.t.ppf((1 + level) / 2, pairs - 1) * difference.std(ddof=1) / np.sqrt(pairs)
    return difference.mean(), difference.mean() - reach, difference.mean() + reach


def unpaired(first, second):
    """Return (mean of `first` less that of `second`, its standard error), of two samples that are not paired."""
    first, second = np.asarray(first), np.asarray(second)
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    return first.mean() - second.mean(), error


def points(first, second):
    """Return (mean, low, high) of `second` minus `first` in points: `paired`, of accuracies that are fractions."""
    return tuple(100 * value for value in paired(first, second))


def verdict(low, high):
    """Return in a few words what the interval of a difference says, which is NaN for a single pair of runs."""
    if low != low:
        return "one pair of runs, may be chance"
    return "no difference" if low <= 0 <= high else "beyond chance"


def worded(mean, low, high):
    """Return a difference as a table or a list shows it: "+1.23 (+0.40 to +2.06): beyond chance"."""
    return f"{mean:+z.2f}" + (f" ({low:+.2f} to {high:+.2f})" if low == low else "") + f": {verdict(low, high)}"


def phrase(mean, low, high):
    """Return a difference in points as a sentence holds it: "+1.23 points (95 % interval +0.40 to +2.06)"."""
    return f"{mean:+z.2f} points" + (f" (95 % interval {low:+.2f} to {high:+.2f})" if low == low else "")


def sentence(first, second, names):
    """Return one sentence on how the test accuracies of two lists of records differ, paired over seeds."""
    mean, low, high = points([r.test_acc for r in first], [r.test_acc for r in second])
    pairs = min(len(first), len(second))
    what = f"{names[1]} minus {names[0]}, test accuracy: {mean:+z.2f} points"
    if low != low:
        return f"{what}, from a single pair of runs, so without an interval: it may be chance."
    said = "no difference, since the interval holds zero" if low <= 0 <= high else "a difference beyond chance"
    return f"{what} (95 % interval {low:+.2f} to {high:+.2f}, {pairs} pairs): {said}."
