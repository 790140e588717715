"""The one kind of error that a reader can mend, and the way out of a misspelt name."""

import difflib


class CourseError(SystemExit):
    """One sentence: which thing, what was expected, what to do.

    It is a SystemExit so that a script ends with the sentence and status 1, and a notebook shows the sentence instead
    of a traceback; papermill counts it as the failure that it is.
    """


class Unfit(CourseError):
    """A network or a recipe that cannot be trained; others can."""


def meant(name, known, cutoff=0.6):
    """Return what to do about a `name` that is not one of `known`: take one at least so near, or else choose."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}."
