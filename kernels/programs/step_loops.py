"""A whole step of many parameters as one program with loops: gradient, metric and update, in a small memory.

Its inputs are the parameters q, the buffers v and the numbers of Rule.inputs, its outputs q' and the new
buffers. What no later loop reads leaves its place to others (`packed`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.programs.array_trace import Memory
from noether.kernels.programs.loop_program import ADDRESS, LoopProgram, moved, needed
from noether.kernels.programs.program import Program
from noether.kernels.programs.rolling import rolled
from noether.kernels.programs.trace_rule import Apart, place_program, update_program


def looped(program: Program | LoopProgram) -> LoopProgram:
    """A program with loops."""
    return program if isinstance(program, LoopProgram) else rolled(program)


@cache
def step_loops(program, metric: Program | None, rule: Rule | Apart, names: tuple[str, ...]) -> LoopProgram:
    """The program of a step.  program  of the gradient;  names  those of Rule.inputs"""
    d, v = program.dim, program.dim * len(rule.buffers)
    inputs = (*(f"q[{i}]" for i in range(d)), *(f"v[{i}]" for i in range(v)), *names)
    memory = Memory(len(inputs))
    q, buffers = np.arange(d, dtype=ADDRESS), np.arange(d, d + v, dtype=ADDRESS)
    p = np.arange(d + v, len(inputs), dtype=ADDRESS)
    number = lambda name: p[[names.index(name)]]
    place = place_program(rule, d)
    where = appended(memory, looped(place), q) if place else q
    g = appended(memory, looped(program), np.concatenate([where, number("eps")]))
    G = appended(memory, looped(metric), np.concatenate([q, number("kappa")])) if metric else p[:0]
    update = looped(update_program(rule, d))
    given = dict(zip((*inputs[: d + v], *(f"g[{i}]" for i in range(d))), [*q, *buffers, *g], strict=True))
    given |= {f"p[{i}]": a for i, a in enumerate([*p, *G])}
    out = appended(memory, update, np.array([given[name] for name in update.inputs], ADDRESS))
    return packed(needed(LoopProgram(d, tuple(memory.loops), out, np.array(list(memory.constants)), inputs)))


def appended(memory: Memory, program: LoopProgram, inputs: np.ndarray) -> np.ndarray:
    """The addresses of a program's outputs, after its loops were entered with inputs from these addresses."""
    place = np.empty(program.size, ADDRESS)
    place[: len(program.inputs)] = inputs
    constants = memory.numbers(program.constants) if len(program.constants) else np.zeros(0, ADDRESS)

    def here(addresses):
        out = place[np.maximum(addresses, 0)]
        out[addresses < 0] = constants[~addresses[addresses < 0]]
        return out

    for loop in program.loops:
        place[loop.first : loop.last] = memory.enter(loop.name, *map(here, loop.args))
    return here(program.outputs)


def packed(program: LoopProgram) -> LoopProgram:
    """The same loops in as little memory as first fit finds: a place is free after its last reader."""
    inputs, count = len(program.inputs), len(program.loops)
    owner = np.full(program.size, -1)
    for i, loop in enumerate(program.loops):
        owner[loop.first : loop.last] = i
    until = np.zeros(count, int)
    for i, loop in enumerate(program.loops):
        for a in loop.args:
            until[np.unique(owner[a[a >= 0]])] = i
    until[np.unique(owner[program.outputs[program.outputs >= 0]])] = count
    free, place, loops = Free(inputs), np.arange(program.size, dtype=ADDRESS), []
    for i, loop in enumerate(program.loops):
        args = tuple(moved(a, place) for a in loop.args)
        first = free.take(loop.count)
        place[loop.first : loop.last] = np.arange(first, first + loop.count)
        loops.append(replace(loop, first=first, args=args))
        for j in np.flatnonzero(until[: i + 1] == i):
            free.give(loops[j].first, loops[j].count)
    return replace(program, loops=tuple(loops), outputs=moved(program.outputs, place))


class Free:
    """Which slots are free, as intervals; those from `end` on all are."""

    def __init__(self, end: int):
        self.end = end
        self.holes: list[tuple[int, int]] = []

    def take(self, count: int) -> int:
        """The first slot of a free interval."""
        for i, (first, size) in enumerate(self.holes):
            if size >= count:
                self.holes[i : i + 1] = [(first + count, size - count)] if size > count else []
                return first
        self.end += count
        return self.end - count

    def give(self, first: int, count: int) -> None:
        """Make an interval free, joined with its neighbours."""
        merged: list[tuple[int, int]] = []
        for at, size in sorted([*self.holes, (first, count)]):
            if merged and merged[-1][0] + merged[-1][1] == at:
                merged[-1] = (merged[-1][0], merged[-1][1] + size)
            else:
                merged.append((at, size))
        self.holes = merged
