"""Files that appear whole or not at all, and files that one process at a time may claim."""

import fcntl
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from common.errors import CourseError


def write_whole(path, content):
    """Write `content` (bytes) to `path` in one step: a reader, a crash or a full disk never sees half of it.

    Raises OSError, after taking the unfinished file away.
    """
    write_all({path: content})


def write_all(contents):
    """Write several files, {path: bytes}, each in one step and none before all have been stored beside their places.

    Raises OSError, after taking the unfinished files away. Where there was no room for all of them, what was at the paths
    before is still there; a system that dies between two of the renames leaves some old and some new.
    """
    partials = {}
    try:
        for path, content in contents.items():
            path = Path(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            sweep(path)
            handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{os.getpid()}.")
            partials[partial] = path
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(partial, 0o644)
        for partial, path in partials.items():
            os.replace(partial, path)
    except BaseException:
        for partial in partials:
            Path(partial).unlink(missing_ok=True)
        raise


def sweep(path):
    """Remove what processes that were killed left of unfinished writes to `path`."""
    for partial in path.parent.glob(f".{path.name}.*.*"):
        try:
            os.kill(int(partial.name.split(".")[-2]), 0)  # signal 0 only asks whether the process is there
        except ProcessLookupError:
            partial.unlink(missing_ok=True)
        except (PermissionError, ValueError, OverflowError):  # it is there, and somebody else's; or no process of ours
            pass


@contextmanager
def claimed(path, patience=0.1):
    """Claim the file at `path` for as long as the block lasts, and give whether that was possible. Raises CourseError.

    The claim is the system's: it ends with the process too, however that ends. The file is empty, and stays.
    `patience`, in seconds, outlasts those who only ask.
    """
    until = time.monotonic() + patience
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a")
    except OSError as error:
        raise CourseError(f"The file {path} cannot be written ({error.strerror}): make its folder writable, make room, or "
                          "set RUNS_DIR to another folder.") from None
    with file:
        while not (mine := _locked(file, fcntl.LOCK_EX)) and time.monotonic() < until:
            time.sleep(0.01)
        yield mine


def is_claimed(path):
    """Tell whether some process, this one included, has claimed the file at `path`, which is there; who asks does not count."""
    with open(path) as file:
        return not _locked(file, fcntl.LOCK_SH)


def _locked(file, kind):
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
