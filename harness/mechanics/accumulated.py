"""What a rule keeps beside the covector of its charge, accumulated a second time from the gradients alone.

A second moment that a kernel keeps is never read here: it starts where the launch does and goes on by the
terms of the rule, with the gradients of wide arithmetic at the positions that the launch has passed. So a
kernel that freezes it, or gives it another memory, is seen by every law that needs it. The bound is the
running error of the kernel's own recursion, carried from step to step:

    s' = F(s, g),    E' = (what the kernel's F rounds) + (what F passes on of E)                          (1)

Both are the running error of the kernel's lines. But that of m + w (f - m) passes on (1 + w) E, step by step,
where 1 - w is right; so where the terms of a rule, in which each old number stands once, pass on less than
its lines, that is taken. Of sums and products the lines round at most what their running error is above
what they pass on, by induction. Constants are off in both; those of the terms count.

What of a step does not read the buffers of the step before is evaluated for all steps at once.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.programs import carried
from noether.kernels.programs.operations import NUMPY, OPERATIONS
from noether.kernels.programs.program import Program
from noether.kernels.programs.tape import pruned
from noether.kernels.programs.trace_rule import rows_of
from noether.mechanics import bounds
from noether.mechanics.bounds import FLOAT64
from noether.mechanics.operation_rounding import NONE, Rounding, constant_error
from noether.mechanics.step_bounds import limited, rows
from noether.mechanics.wide import U_WIDE, WIDE

WIDELY = {**NUMPY, "exp": np.exp, "log": np.log}
"""The operations of a program in wide arithmetic."""
AGAIN = 8
"""How many times as many operations as a step may have its terms, which are evaluated in 64 bits."""


def values(t, taken: tuple[int, ...]) -> np.ndarray:
    """All buffers of a trajectory, (steps + 1, buffers d, lanes), those that are not taken from it
    accumulated.

    taken  the positions of the buffers that are read as the kernel has stored them
    """
    mine = rows_of(carried.apart(t.rule, taken), t.dim)
    first, then = carried.cut(carried.by_terms(t.rule, t.dim, taken), names_of(mine))
    out = t.v.copy()
    with np.errstate(all="ignore"):
        fixed = stacked(evaluated(first, rows(first, widely(t))[0]), t)
        x = Numbers(then, t.lanes, WIDE)
        for n in range(t.steps):
            x.enter(out[n, mine], fixed[n])
            for layer in carried.layers(then):
                x.at[layer.at] = WIDELY[layer.name](*(x.at[a] for a in layer.args))
            out[n + 1, mine] = x.outputs
    return out


def errors(t, v: np.ndarray, taken: tuple[int, ...]) -> np.ndarray:
    """(1): how far a right kernel's buffers may be from v, of the same shape; 0 of those that are taken."""
    mine = rows_of(carried.apart(t.rule, taken), t.dim)
    lines, terms = (form(t.rule, t.dim, taken) for form in (carried.by_lines, carried.by_terms))
    running, longer = Passing(lines, mine, t), passes_more(t.rule, t.dim, taken)
    both = [Passing(x, mine, t, exact=True) for x in (lines, terms)] if longer.any() else []
    out, numbers = np.zeros(v.shape), v.astype(np.float64)
    with np.errstate(all="ignore"):
        for n in range(t.steps):
            here = n, numbers[n, mine], out[n, mine]
            error = running.at(*here)
            if both:
                by_lines, by_terms = (x.at(*here) for x in both)
                less = error - by_lines + by_terms + CANCELLED * error
                error = np.where(longer[:, None], np.fmin(error, less), error)
            out[n + 1, mine] = limited(error)
    return out * (1 + AGAIN * U_WIDE / t.precision.u_arith)  # and what the terms round in 64 bits


CANCELLED = 2.0**-48
"""Of a difference of two bounds in float64: what it may have lost."""


class Passing:
    """How an error of the old buffers passes through a program, and what is rounded; or no rounding."""

    def __init__(self, program: Program, mine: list[int], t, exact: bool = False):
        first, self.then = carried.cut(program, names_of(mine))
        found = bounds.operations(first, *rows(first, t.evidence), t.precision, bounds.FAR_RULE, exact)
        self.numbers, self.off = (stacked([of[o] for o in first.outputs], t) for of in found)
        self.rounding = NONE if exact else Rounding.under(t.precision)
        self.x, self.e = (Numbers(self.then, t.lanes, np.float64) for _ in range(2))
        self.e.at[:] = self.x.constants_off(t.precision)

    def at(self, n: int, old: np.ndarray, off: np.ndarray) -> np.ndarray:
        """The errors of the new buffers of step n, from the old ones and their errors; (rows, lanes)."""
        x, e = self.x, self.e
        x.enter(old, self.numbers[n])
        e.enter(off, self.off[n])
        for layer in carried.layers(self.then):
            pairs = [[of.at[a] for a in layer.args] for of in (x, e)]
            value, passed = bounds.FAR_RULE[layer.name](*pairs)
            x.at[layer.at] = value
            error = passed + self.rounding.of(OPERATIONS[layer.name], value, passed, layer.sign)
            if self.rounding.eager and layer.unrounded:
                error = error + self.rounding.of_operands(layer.unrounded, *pairs)
            e.at[layer.at] = error
        return e.outputs


class Numbers:
    """One number of every operation of a program, in all lanes: `at`, (operations, lanes)."""

    def __init__(self, program: Program, lanes: int, dtype):
        self.program = program
        inputs = [(op.value, i) for i, op in enumerate(program.ops) if op.name == "input"]
        self.given, self.places = (np.array(x, int) for x in zip(*inputs, strict=True))
        self.at = np.zeros((len(program.ops), lanes), dtype)
        for i, op in enumerate(program.ops):
            if op.name == "const":
                self.at[i] = op.value

    def enter(self, old: np.ndarray, fixed: np.ndarray) -> None:
        """The inputs of a step: the buffers before it, and what does not depend on them; (..., lanes)."""
        self.at[self.places] = np.concatenate([old, fixed])[self.given]

    @property
    def outputs(self) -> np.ndarray:
        """Those of the outputs, (outputs, lanes)."""
        return self.at[list(self.program.outputs)]

    def constants_off(self, precision) -> np.ndarray:
        """How far the constants are from what they are in a kernel, (operations, 1); 0 of all else."""
        of = lambda op: constant_error(op.value, precision) if op.name == "const" else 0.0
        return np.array([[of(op)] for op in self.program.ops])


@cache
def passes_more(rule: Rule, d: int, taken: tuple[int, ...]) -> np.ndarray:
    """Whether the lines of a rule pass on more of an error of its old buffers than its terms do, and are sums
    and products alone; (outputs,) of carried.by_lines, told at a random point."""
    mine, rng = names_of(rows_of(carried.apart(rule, taken), d)), np.random.default_rng(0)
    lines, terms = (form(rule, d, taken) for form in (carried.by_lines, carried.by_terms))
    point = {name: rng.uniform(0.25, 0.75, 1) for name in lines.inputs}
    error = {name: np.full(1, float(name in mine)) for name in point}

    def passed(program):
        at = [[of[name] for name in program.inputs] for of in (point, error)]
        found = bounds.operations(program, *at, FLOAT64, bounds.FAR_RULE, exact=True)[1]
        return np.array([np.max(found[o]) for o in program.outputs])

    plain = [{op.name for op in pruned(d, lines, [o]).ops} <= SUMS_AND_PRODUCTS for o in lines.outputs]
    return np.array(plain) & (passed(lines) > passed(terms) * (1 + 2.0**-20))


SUMS_AND_PRODUCTS = {"input", "const", "neg", "add", "sub", "mul", "store", "store_buffer"}


def reads(t, taken: tuple[int, ...], parameter: int) -> bool:
    """Whether `values` depends on a number of Rule.inputs, by its position."""
    program = carried.by_terms(t.rule, t.dim, taken)
    return any(op.name == "input" and program.inputs[op.value] == f"p[{parameter}]" for op in program.ops)


def names_of(mine: list[int]) -> tuple[str, ...]:
    """The names of these rows of the old buffers, as inputs of a step's program."""
    return tuple(f"v[{i}]" for i in mine)


def widely(t) -> dict:
    """The inputs of a step's programs, by letter, in wide arithmetic and without an error."""
    p = np.stack([np.broadcast_to(x, (t.steps, t.lanes)) for x in t.numbers], axis=1)
    p = np.concatenate([p, t.G], axis=1) if t.rule.on_metric else p
    found = {"q": t.z[:-1], "v": t.v[:-1], "w": t.v[1:], "g": t.g, "p": p}
    return {letter: (x, None) for letter, x in found.items()}


def evaluated(program: Program, inputs: list) -> list:
    """The outputs of a program in wide arithmetic."""
    out: list = []
    for op in program.ops:
        if op.name == "input":
            out.append(inputs[op.value])
        elif op.name == "const":
            out.append(WIDE(op.value))
        else:
            out.append(WIDELY[op.name](*(out[a] for a in op.args)))
    return [out[o] for o in program.outputs]


def stacked(outputs: list, t) -> np.ndarray:
    """(steps, outputs, lanes) of outputs that need not have all steps and lanes."""
    shape = (t.steps, t.lanes)
    wide = [np.broadcast_to(x, shape) for x in outputs]
    return np.stack(wide, axis=1) if wide else np.empty((t.steps, 0, t.lanes))
