"""What the checks of exercises share: try an answer on some cases, and recognise mistakes that are often made."""

import copy
import math

import numpy as np


def compare(answer, cases, mistakes=(), praise=""):
    """Return what is to be said of the function `answer`: "Right: " and `praise`, or "Not yet: " and what is wrong.

    `cases` are pairs (arguments, what they should give), tried in turn. `mistakes` are pairs (function of the same
    arguments, hint): where the answer gives what that function gives, the hint is said.
    """
    for arguments, right in cases:
        given = answer(*copy.deepcopy(arguments))  # an answer may use its arguments up
        if given is None:
            return "Not yet: the function returns None; put your answer in its place."
        if not same(given, right):
            hints = [hint for wrong, hint in mistakes if same(given, wrong(*arguments))]
            shown = ", ".join(f"{argument:,}" if isinstance(argument, int) else str(argument) for argument in arguments)
            return "Not yet: " + (hints[0] if hints else f"for {shown} it gives {given}, and it should give {right}.")
    return f"Right: {praise}"


def same(one, other):
    """Tell whether two answers are equal; of single numbers, to six digits."""
    try:
        return math.isclose(one, other, rel_tol=1e-6)
    except (OverflowError, TypeError, ValueError):  # no numbers, or one that is too large
        return np.array_equal(one, other)
