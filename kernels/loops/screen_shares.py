"""A screen shared out: each share is a launch of the same steps with some of its residuals.

One kernel that holds the residuals of all laws needs more registers than a thread has, and spills. A share
holds as many as fit, counted on its program; it steps the trajectory itself, so that no state passes through
memory, and what two shares need both compute. Its operations are ordered depth first and kept in that order
(kernels/programs/pressure.py, fenced_text.py). What is found of each law is what the one kernel finds, to the
bit: a law whose residual is a largest of many may have parts in several shares, and is put together again.

Which way is taken, ptxas decides (`chosen`), and only on a GPU: one kernel as it is where it spills nothing;
else one share where all laws fit into it; else one kernel in depth-first order, which spills less, or the
shares, whichever is cheaper by

    shares   operations of all shares / RESULTS   cycles of a multiprocessor, for a step of a lane   (1)
    ordered  the larger of its operations / RESULTS and the bytes that it spills / BYTES             (2)

A processor has a few dozen registers at most, and its first cache for the rest: there one kernel stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from noether.kernels.loops.assembler import assembled
from noether.kernels.programs.pressure import alive, depth_first, largest_of, leaves, part
from noether.kernels.programs.program import SOURCES, Program

REGISTERS = 255 // 2
"""Numbers of 64 bits that the registers of a thread hold, on every GPU since 2012."""
OTHERS = 34
"""Registers, in such numbers, that a residual must leave: for parameters of the step, counts, addresses,
masks and what a quotient of double precision needs itself. Found with ptxas, not derived: shares of the core
cases that need up to 91 numbers spill nothing, one that needs 94 does in float32 (Triton 3.7.1, sm_90)."""
KEPT = 3
"""What is kept of each law from step to step: the most, where it was, the first above 1."""
RESULTS = 64
"""Double-precision results of a multiprocessor in a cycle: GH100; 32 on A100 (their whitepapers)."""
BYTES = 47
"""Bytes of a cycle that a multiprocessor has of the second cache, which what is spilled reaches at the worst:
5120 among 108 (A100 whitepaper)."""


@dataclass(frozen=True)
class Share:
    """Some residuals of a screen: their program, and for each output the law that it is of, by position."""

    program: Program
    laws: tuple[int, ...]


def needed(program: Program, laws: int, late: bool) -> int:
    """The numbers that a share holds at once. A law that looks back two steps has one more state."""
    return alive(program) + KEPT * laws + (2 * program.dim if late else 0)


@cache
def shares(program: Program, lags: tuple[int, ...]) -> tuple[Share, ...]:
    """The residuals in as few shares as they fit into, in order; what fits into none has one of its own."""
    room = REGISTERS - OTHERS
    fits = lambda p, at, laws: needed(part(p, at), len(at), any(lags[law] > 1 for law in laws)) <= room
    done, outputs, laws = [], [], []  # shares that are full; outputs of the one that is not, and their laws
    grown = program
    for law in range(len(lags)):
        for more, output in pieces(grown, law, fits):
            grown = more
            if outputs and not fits(grown, [*outputs, output], [*laws, law]):
                done.append((outputs, laws))
                outputs, laws = [], []
            outputs, laws = [*outputs, output], [*laws, law]
    return tuple(Share(part(grown, at), tuple(of)) for at, of in [*done, (outputs, laws)])


def pieces(program: Program, law: int, fits):
    """The output of a law, or where it does not fit, parts of it whose largest it is.

    Each with a program that has it: operations are only added, so that positions stay.
    """
    output = program.outputs[law]
    whole, left = leaves(program, output), []
    if len(whole) < 2 or fits(program, [output], [law]):
        yield program, output
        return
    for leaf in whole:
        tried = largest_of(program, output, [*left, leaf])
        if left and not fits(tried, [tried.outputs[-1]], [law]):
            program = largest_of(program, output, left)
            yield program, program.outputs[-1]
            left = []
        left.append(leaf)
    program = largest_of(program, output, left)
    yield program, program.outputs[-1]


def shared(screen) -> list:
    """The launches of the shares of a screen."""
    out = []
    for share in shares(screen.residual, screen.lags):
        lags = tuple(screen.lags[law] for law in share.laws)
        out.append(
            replace(screen, residual=share.program, lags=lags, of=share.laws, fenced=True, shared=False)
        )
    return out


in_order = cache(depth_first)
"""Of the residual of a screen, which a campaign launches again and again."""


def ordered(screen):
    """The launch of all laws in one kernel, depth first."""
    every = tuple(range(len(screen.lags)))
    return replace(screen, residual=in_order(screen.residual), of=every, fenced=True, shared=False)


def chosen(screen, spilled) -> list:
    """The launches that a GPU takes; none where it takes the screen as it is.

    spilled  from a launch to the bytes that ptxas spills
    """
    before = spilled(screen)
    if not before:
        return []
    parts = shared(screen)
    if len(parts) == 1:
        return parts
    whole = ordered(screen)
    after = spilled(whole)
    apart = sum(operations(launch.residual) for launch in parts) / RESULTS  # (1)
    if max(operations(whole.residual) / RESULTS, min(before, after) / BYTES) > apart:  # (2)
        return parts
    return [whole] if after < before else []


def operations(program: Program) -> int:
    """The operations of a program that a GPU computes."""
    return sum(op.name not in SOURCES for op in program.ops)


def joined(screen, launches: list, found: list):
    """What a screen finds, of what these launches found. Raises RuntimeError where they did not take the same
    steps."""
    first, *others = found
    same = lambda a, b: a.tobytes() == b.tobytes()
    if not all(same(getattr(first, x), getattr(f, x)) for f in others for x in ("q", "v", "moved")):
        raise RuntimeError(f"{first.backend}: shares of one screen took different steps")
    laws = np.concatenate([launch.of for launch in launches])
    kept = ("spent", "worst_step", "first_bad")
    rows = {name: np.concatenate([getattr(f, name) for f in found]) for name in kept}
    empty = lambda x: np.empty((len(screen.lags), screen.lanes), x.dtype)
    out = replace(first, **{name: empty(x) for name, x in rows.items()})
    never = np.iinfo(np.int32).max
    for law in range(len(screen.lags)):
        spent, worst, bad = (rows[name][laws == law] for name in rows)
        out.spent[law] = spent.max(axis=0)
        out.worst_step[law] = np.where(spent == out.spent[law], worst, never).min(axis=0)
        earliest = np.where(bad < 0, never, bad).min(axis=0)
        out.first_bad[law] = np.where(earliest == never, -1, earliest)
    out.notes = {**first.notes, "shares": len(found)}
    return out


@cache
def spills(ptx: str) -> int:
    """Bytes that a kernel spills, each instruction counted once; 0 where there is no ptxas to ask."""
    try:
        return assembled(ptx, listed=False).spills
    except FileNotFoundError:
        return 0
