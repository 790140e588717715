"""Differences between networks, with the interval that says whether there is one."""

import numpy as np
from scipy import stats

ENOUGH = 3  # pairs or seeds from which there is an interval; that of two is many times wider than what it is made from


def interval(values):
    """Return (mean, low, high) of values over seeds: Student's 95 % t-interval; of fewer than ENOUGH low and high are NaN."""
    values = np.asarray(values)
    if len(values) < ENOUGH:
        return values.mean(), float("nan"), float("nan")
    reach = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), values.mean() - reach, values.mean() + reach


def paired(first, second):
    """Return the `interval` of `second` minus `first`, pairs of accuracies over the same seeds."""
    pairs = min(len(first), len(second))
    return interval(np.asarray(second[:pairs]) - np.asarray(first[:pairs]))


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
    """Return (mean, low, high) of the test accuracies of `second` minus `first`, records of two variants, in points.

    Raises ValueError where several pairs are not each of one seed. (A single pair may be two seeds of one variant.)
    """
    pairs = list(zip(first, second))
    if len(pairs) > 1 and any(one.seed != two.seed for one, two in pairs):
        raise ValueError("Pairs are of the same seed: give both lists in the order of their seeds, without gaps.")
    return points([r.test_acc for r in first], [r.test_acc for r in second])


def verdict(low, high):
    """Return in a few words what the interval of a difference says, which is NaN for too few pairs of runs."""
    if low != low:
        return "too few runs to tell"
    return "no difference shown" if low <= 0 <= high else "beyond chance"


def worded(mean, low, high):
    """Return a difference as a table or a list shows it: "+1.23 (+0.40 to +2.06): beyond chance"."""
    return f"{mean:+z.2f}" + (f" ({low:+.2f} to {high:+.2f})" if low == low else "") + f": {verdict(low, high)}"


def phrase(mean, low, high):
    """Return a difference in points as a sentence holds it: "+1.23 points (95 % interval +0.40 to +2.06)"."""
    return f"{mean:+z.2f} points" + (f" (95 % interval {low:+.2f} to {high:+.2f})" if low == low else "")


def told(first, second):
    """Return `gained` for a table: with its interval, or with McNemar's p of each pair of too few runs."""
    mean, low, high = gained(first, second)
    chances = [f"{mcnemar(one.correct(), two.correct())[2]:.2g}" for one, two in zip(first, second)]
    return worded(mean, low, high) if low == low else f"{mean:+z.2f} (p = {', '.join(chances)})"


def sentence(first, second, names):
    """Return a sentence or two on how the test accuracies of two lists of records differ, paired over seeds.

    Too few pairs have no interval. Each gets McNemar's test instead, which is about these two networks' accuracy, and not
    about what made them. `names` are what to call the two, and are set in italics.
    """
    mean, low, high = gained(first, second)
    pairs = list(zip(first, second))
    names = [f"*{name}*" for name in names]
    what = f"{names[1]} minus {names[0]}, test accuracy: {mean:+z.2f} points"
    if low == low:
        said = "no difference shown, since the interval holds zero" if low <= 0 <= high else "a difference beyond chance"
        return f"{what} (95 % interval {low:+.2f} to {high:+.2f}, {len(pairs)} pairs): {said}."
    tests = [mcnemar(one.correct(), two.correct()) for one, two in pairs]
    differ = [p < 0.05 for _, _, p in tests]
    directions = {two > one for one, two, _ in tests}
    counts = [(f"{one:,}", f"{two:,}", f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001") for one, two, p in tests]
    (one, two, chance), *others = counts
    return (f"{what}, from {len(pairs)} pair{'s' * bool(others)} of runs, too few for an interval. "
            f"Of the test images, {names[0]} alone has {one} right, and {names[1]} alone {two} (McNemar's test, {chance})"
            + "".join(f"; in the other pair {one} and {two} ({chance})" for one, two, chance in others)
            + (". That may be chance." if not any(differ) else
               ". In one of the pairs the networks differ in accuracy beyond chance." if not all(differ) else
               ". These networks differ in accuracy; those of other seeds need not." if len(directions) == 1 else
               ". The networks of each pair differ in accuracy, but not in the same direction."))


def precisions(groups):
    """Return a sentence or two on the number formats that `groups`, {what to call a variant: its records}, trained in."""
    made = {}
    for name, group in groups.items():
        made.setdefault(" or ".join(sorted({r.precision for r in group})), []).append(name)
    if len(made) == 1 and " or " not in min(made):
        return f"All of these runs were trained in {min(made)}."
    by_seed = [{r.seed: r.precision for r in group} for group in groups.values()]
    if len(by_seed) > 1 and all(one == by_seed[0] for one in by_seed):
        return f"These runs were trained in {min(made)}, those of one seed alike, so no pair differs in its number format."
    return ("**Not trained alike:** " + "; ".join(
        f"in {precision}{', by seed' * (' or ' in precision)}: {', '.join(names)}" for precision, names in made.items())
        + ". Of a difference between a run in the one and a run in the other, the number format may have made a part.")


def learnt(group):
    """Return the mean clean training accuracy of a variant's records, of those that have one; NaN where none has."""
    known = [r.learnt_acc for r in group if r.learnt_acc is not None]
    return np.mean(known) if known else np.nan


def lowest_loss(records):
    """Return ("mean ± standard deviation" of each run's lowest test loss, nats; the epochs of these, as "9, 14"), text."""
    losses = [record.curves().test_loss for record in records]
    values = [loss.min() for loss in losses]
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}", ", ".join(str(loss.idxmin()) for loss in losses)
