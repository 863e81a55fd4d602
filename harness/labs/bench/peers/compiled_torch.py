"""The work in torch.compile: a few steps unrolled in the compiled function, called steps/unroll times.

With its default inductor ends a loop over lanes after 64 nodes, which makes dozens of loops of one step, each
through memory; the limit is raised until they are one, vectorised over lanes. (Raising what it computes again
rather than stores, realize_opcount_threshold, made the compilation exponential: 334 s for 524 operations.) It
contracts nothing, by default.
"""

from __future__ import annotations

import numpy as np

from noether.labs.bench import printing
from noether.labs.bench.peers import THREADS, not_installed
from noether.labs.bench.printing import Dialect
from noether.labs.bench.work import Work

CALLS = {"exp": "torch.exp", "log": "torch.log", "sqrt": "torch.sqrt", "abs": "torch.abs", "max": "larger"}
SHAPES = 1000  # most compilations of one function in a process
HEADER = """import torch


def larger(a, b):
    return torch.clamp(a, min=b) if isinstance(b, float) else torch.maximum(a, b)
"""


def variants(work: Work) -> tuple[str, ...]:
    """Four steps of the update compile to one loop, many times faster than one by one; with the residuals
    four take minutes to compile."""
    return ("4 steps",) if work.residual is None else ("1 step",)


def missing() -> str:
    """Why torch is not here, or ''."""
    return not_installed("torch")


def environment() -> dict[str, str]:
    """The environment variables that torch reads when it is imported."""
    return {"OMP_NUM_THREADS": str(THREADS)}


def source(work: Work) -> str:
    """The step as a function of torch."""
    return printing.function(
        work,
        Dialect(lambda value, kind: repr(value), CALLS, lambda text, kind: f"{text}.to(torch.{kind})"),
        HEADER,
    )


def configure() -> None:
    """Let inductor fuse a whole step, on THREADS threads, and compile it for as many shapes as there are.

    After eight compilations of one line of Python dynamo gives up, which with fullgraph is an error: the
    works of one process, of other lanes and steps, are more (torch 2.13).
    """
    import torch
    from torch._dynamo import config as dynamo
    from torch._inductor import config

    torch.set_num_threads(THREADS)
    dynamo.recompile_limit = dynamo.accumulated_recompile_limit = SHAPES
    config.max_fusion_size = 10**6
    config.cpp.max_horizontal_fusion_size = 10**3


def prepare(work: Work, variant: str):
    """How arrays are sent to torch, and how the work is run."""
    import torch

    configure()
    step = printing.load(source(work), "torch").step
    unroll = int(variant.split()[0])
    if work.steps % unroll:
        unroll = 1

    def several(state, params, again):
        for _ in range(unroll):
            state = step(state, params, again)
        return state

    compiled = torch.compile(several, fullgraph=True, dynamic=False)
    send = lambda rows: tuple(torch.from_numpy(np.ascontiguousarray(x)) for x in rows)
    q, v, params = work.arrays()
    start, params = send([*q, *v, np.zeros(work.lanes, work.residual_arith)]), send(params)

    @torch.inference_mode()
    def run(again):
        state = start
        for _ in range(work.steps // unroll):
            state = compiled(state, params, again)
        d = work.dim
        return lambda: (
            np.stack([x.numpy() for x in state[:d]]),
            np.stack([x.numpy() for x in state[d : 2 * d]]),
            state[-1].numpy(),
        )

    return send, run
