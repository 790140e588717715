"""Processes that serve this one: each measures something where nothing else is in its memory."""

import contextlib
import multiprocessing
import os

from common.errors import CourseError


def process(target, *arguments, **variables):
    """Start `target(pipe, *arguments)` in a process of its own, and return (our end of the pipe, the process).

    It has other environment `variables` than this one; None takes one away.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    started = context.Process(target=target, args=(theirs, *arguments))
    with environment(**variables):
        started.start()
    theirs.close()
    return mine, started


def answer(process, question=None):
    """Return what a `process` of the function above sends back, to `question` where one is given. Raises CourseError."""
    pipe, _ = process
    try:
        if question is not None:
            pipe.send(question)
        return pipe.recv()
    except (EOFError, OSError):
        raise CourseError("A process of the benchmark ended early: the lines above say why.") from None


def end(processes):
    """Wait until `processes` have ended, each after its turn; workers are told to."""
    for pipe, started in processes:
        with contextlib.suppress(OSError):  # it has ended already
            pipe.send(0)
        pipe.close()
        started.join()


@contextlib.contextmanager
def environment(**changes):
    """Have other environment variables for a while, for processes that are started meanwhile; None takes one away."""
    def put(values):
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    before = {name: os.environ.get(name) for name in changes}
    put(changes)
    try:
        yield
    finally:
        put(before)
