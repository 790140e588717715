"""What a run that was stopped goes on from: its state after its last stored epoch."""

import io
from contextlib import contextmanager

import torch

from common.errors import CourseError
from common.files import write_whole


class Damaged(CourseError):
    """A checkpoint that no run can go on from."""


def save(checkpoint, network, optimizer, scheduler, history):
    """Write the state after an epoch to the path `checkpoint`, whole or not at all."""
    state = dict(network=network.state_dict(), optimizer=optimizer.state_dict(), scheduler=scheduler.state_dict(),
                 history=history)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_whole(checkpoint, buffer.getvalue())


def epochs(checkpoint):
    """Return after how many epochs the state at the path `checkpoint` was kept; 0 where there is none, or a damaged one."""
    try:
        return len(_read(checkpoint)["history"])
    except (OSError, MemoryError, CourseError):
        return 0


def restore(checkpoint, network, optimizer, scheduler, history):
    """Bring back what `save` wrote. Raises CourseError when the file is damaged."""
    state = _read(checkpoint)
    with _whole(checkpoint):
        network.load_state_dict(state["network"])
        # Fused as fits this device: by it the optimiser decides where Adam's step counts live.
        state["optimizer"]["param_groups"][0]["fused"] = optimizer.param_groups[0]["fused"]
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        history.extend(state["history"])


def _read(checkpoint):
    with _whole(checkpoint):
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        return {name: state[name] for name in ("network", "optimizer", "scheduler", "history")}


@contextmanager
def _whole(checkpoint):
    try:
        yield
    except (OSError, MemoryError, torch.OutOfMemoryError):  # which say nothing of the file
        raise
    except Exception as error:  # whatever half a file makes of its reader: a dozen kinds were seen
        raise Damaged(f"The checkpoint {checkpoint} is damaged ({type(error).__name__}): remove it, and the run "
                      "starts anew.") from None
