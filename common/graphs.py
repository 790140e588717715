"""A training step captured once as a CUDA graph and then replayed.

A small network's step is a few hundred kernels of some microseconds each: launched one by one from Python, the GPU
mostly waits for the next launch. A graph launches them all at once. torch.cuda.graph rather than torch.compile: no
minute of compiling, the same kernels as without, and it is all here to read.
"""

import functools
import os

import torch

WARM_UP = 3  # steps before the capture, in which libraries choose their kernels and optimisers make their state


def captured(step, optimizer, device):
    """Return a function of no arguments that does what `step()` does, the quicker from its fifth call on.

    `step` must read and write nothing but tensors on `device` that stay where they are. The learning rate is read from
    the optimiser at each call, as ever; its other settings are those of the capture.
    """
    if os.environ.get("NO_GRAPH"):  # the way out where a capture fails
        return step
    group = optimizer.param_groups[0]
    rate = torch.zeros((), device=device)  # where the graph finds the learning rate
    graph, side = torch.cuda.CUDAGraph(), side_stream()
    calls = 0

    def run():
        nonlocal calls
        calls += 1
        if calls <= WARM_UP:
            on_stream(step, side)
            return
        if calls == WARM_UP + 1:
            # A fused Adam counts its steps on the device anyway; capturable is to say so, and outside of a graph warns.
            inside = {"lr": rate} | ({"capturable": True} if "capturable" in group else {})
            outside = {name: group[name] for name in inside}
            group.update(inside)
            with torch.cuda.graph(graph, stream=side):  # nothing is computed in here, only noted down
                step()
            group.update(outside)
        rate.fill_(group["lr"])
        graph.replay()

    return run


@functools.cache
def side_stream():
    """Return the stream of all captures: PyTorch keeps a workspace for good for each stream that was ever used."""
    return torch.cuda.Stream()


def on_stream(step, side):
    """Run `step` on the stream `side`, so that what libraries keep for each stream is there before the capture."""
    here = torch.cuda.current_stream()
    side.wait_stream(here)
    with torch.cuda.stream(side):
        step()
    here.wait_stream(side)
