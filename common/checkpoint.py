"""What a run that was stopped goes on from: its state after its last whole epoch."""

import io
from pickle import UnpicklingError

import torch

from common.errors import CourseError
from common.files import write_whole

DAMAGED = EOFError, KeyError, RuntimeError, TypeError, ValueError, UnpicklingError  # what reading half a file raises


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
        return len(torch.load(checkpoint, map_location="cpu", weights_only=True)["history"])
    except (OSError, *DAMAGED):
        return 0


def restore(checkpoint, network, optimizer, scheduler, history):
    """Bring back what `save` wrote. Raises CourseError when that is not what is there."""
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        kinds = {name: optimizer.param_groups[0].get(name) for name in ("fused", "capturable")}  # as fits this device
        state["optimizer"]["param_groups"][0].update((name, kind) for name, kind in kinds.items() if kind is not None)
        optimizer.load_state_dict(state["optimizer"])  # which decides by them where Adam's step counts live
        scheduler.load_state_dict(state["scheduler"])
        history.extend(state["history"])
    except DAMAGED as error:
        raise CourseError(f"The checkpoint {checkpoint} is damaged ({type(error).__name__}): remove it, and the run "
                          "starts anew.") from None
