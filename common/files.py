"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_whole(path, content):
    """Write `content` (bytes) to `path` in one step: a reader, a crash or a full disk never sees half of it.

    Raises OSError, after taking the unfinished file away.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
