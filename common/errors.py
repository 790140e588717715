"""The one kind of error that a reader can mend."""


class CourseError(SystemExit):
    """One sentence: which thing, what was expected, what to do.

    It is a SystemExit so that a script ends with the sentence and status 1, and a notebook shows the sentence instead
    of a traceback; papermill counts it as the failure that it is.
    """
