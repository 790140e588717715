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


def mcnemar(first, second):
    """Return (only first right, only second right, p) of two single networks on the same images.

    `first` and `second` tell of each image whether the network was right, booleans (N,). p is the two-sided probability
    of counts at least as uneven if both networks were equally good: the exact, binomial form of the test of Q. McNemar,
    Psychometrika 12, 1947, which T. G. Dietterich, Neural Computation 10, 1998, recommends where each network can be
    trained only once. Raises ValueError unless both have the same shape.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if first.shape != second.shape:
        raise ValueError(f"McNemar's test needs the same images twice, not {first.shape} and {second.shape}.")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    return only_first, only_second, stats.binomtest(only_first, differ).pvalue if differ else 1.0


def points(first, second):
    """Return (mean, low, high) of `second` minus `first` in points: `paired`, of accuracies that are fractions."""
    return tuple(100 * value for value in paired(first, second))


def gained(first, second):
    """Return (mean, low, high) of the test accuracies of `second` minus `first`, records of two variants, in points."""
    return points([r.test_acc for r in first], [r.test_acc for r in second])


def verdict(low, high):
    """Return in a few words what the interval of a difference says, which is NaN for a single pair of runs."""
    if low != low:
        return "one pair of runs, no interval"
    return "no difference" if low <= 0 <= high else "beyond chance"


def worded(mean, low, high):
    """Return a difference as a table or a list shows it: "+1.23 (+0.40 to +2.06): beyond chance"."""
    return f"{mean:+z.2f}" + (f" ({low:+.2f} to {high:+.2f})" if low == low else "") + f": {verdict(low, high)}"


def phrase(mean, low, high):
    """Return a difference in points as a sentence holds it: "+1.23 points (95 % interval +0.40 to +2.06)"."""
    return f"{mean:+z.2f} points" + (f" (95 % interval {low:+.2f} to {high:+.2f})" if low == low else "")


def sentence(first, second, names):
    """Return a sentence or two on how the test accuracies of two lists of records differ, paired over seeds.

    A single pair has no interval, and gets McNemar's test instead, which tells the two networks apart and not what
    made them.
    """
    mean, low, high = gained(first, second)
    pairs = min(len(first), len(second))
    what = f"{names[1]} minus {names[0]}, test accuracy: {mean:+z.2f} points"
    if low != low:
        one, two, p = mcnemar(first[0].correct(), second[0].correct())
        return (f"{what}, from a single pair of runs, so without an interval over seeds. {one:,} test images only "
                f"{names[0]} has right, {two:,} only {names[1]} (McNemar's test, p = {p:.2g}): "
                + ("these two networks differ; whether others from other seeds would, it cannot tell." if p < 0.05 else
                   "that may be chance."))
    said = "no difference, since the interval holds zero" if low <= 0 <= high else "a difference beyond chance"
    return f"{what} (95 % interval {low:+.2f} to {high:+.2f}, {pairs} pairs): {said}."
