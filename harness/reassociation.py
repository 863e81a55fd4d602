"""Whether a compiled kernel adds the terms of its sums in another order than written: an explanation of B1.

The kernel's PTX is evaluated for one step, with every addition watched. A sum of the traced program is found
among them by the values of its terms, lane by lane: whatever the compiler renamed, merged or commuted, the
additions that lead from these values to one number are its order. A program in that order then runs in numpy;
only where it agrees with the launch in every bit is the order an explanation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.kernels import elementary, launch
from noether.kernels.precision import Precision, narrow
from noether.kernels.program import Program
from noether.kernels.sums import Sum, Tree, reordered, shape, sums, terms

WAYS = 8  # sets of terms that one value may stand for, where terms are equal
NAMED = 2  # sums named in one line


@dataclass(frozen=True)
class Addition:
    """What one add or sub of the kernel read and gave, (lanes,) float64."""

    a: np.ndarray
    b: np.ndarray
    result: np.ndarray


def explain(job: launch.Job, mine: launch.Outcome) -> dict:
    """Whether the orders of the compiled sums explain a launch that differs: {"explained", "orders", "line"}.

    Raises what compiling and evaluating PTX raise.
    """
    ptx = mine.notes.get("ptx") or launch.compiled(job).ptx
    found, orders = job, []
    for part in ("program", "metric"):
        if getattr(job, part) is not None:
            found, told = taken_over(found, part, additions(job, ptx))
            orders += told
    if not orders:
        return {
            "explained": False,
            "orders": [],
            "line": "the compiled kernel adds the terms of every sum of the program as written",
        }
    left, names = launch.differing_bits(mine, launch.run(found, "numpy")), "; ".join(orders[:NAMED])
    names += f"; and {len(orders) - NAMED} more sums" if len(orders) > NAMED else ""
    if left:
        line = f"the compiled kernel reassociates a strict sum, but that is not all: {left} values "
        line += f"differ from numpy with {names}"
    else:
        line = f"numpy with {names} agrees in every bit: the compiler reassociates a strict sum"
    return {"explained": not left, "orders": orders, "line": line}


def taken_over(job: launch.Job, part: str, added: list[Addition]) -> tuple[launch.Job, list[str]]:
    """The job with the sums of its program or metric in the order of the additions; and what changed."""
    orders = []
    for number in range(len(sums(getattr(job, part)))):
        program = getattr(job, part)
        one = sums(program)[number]
        tree = order(one, first_values(job, part, program), added, job.precision)
        if tree is not None and shape(tree) != shape(one.tree):
            orders.append(words(program, one, tree))
            job = replace(job, **{part: reordered(program, one, tree)})
    return job, orders


def words(program: Program, one: Sum, tree: Tree) -> str:
    named = terms(program, one)
    shown = named if len(named) <= 4 else [*named[:3], "...", named[-1]]
    return (
        f"the {len(named)} terms of {' + '.join(shown)} (0 to {len(named) - 1}) in the order {written(tree)}"
    )


def written(tree: Tree, inside: bool = False) -> str:
    """2 7 0 6 for ((2 + 7) + 0) + 6; other trees with brackets."""
    if isinstance(tree, int):
        return str(tree)
    chain, rest = [], tree
    while not isinstance(rest, int):
        left, right = rest if isinstance(rest[1], int) or not isinstance(rest[0], int) else rest[::-1]
        chain.append(written(right, True))
        rest = left
    text = " ".join([str(rest), *chain[::-1]])
    return f"({text})" if inside else text


def order(one: Sum, values: list[np.ndarray], added: list[Addition], precision: Precision) -> Tree | None:
    """The tree in which these additions make the sum of its terms; None where they do not.

    known   a value, as bytes -> what it is: a set of terms, how they were added, and the sign of the whole
    """
    known: dict[bytes, list[tuple[frozenset, Tree, int]]] = {}

    def learn(value: np.ndarray, some: frozenset, tree: Tree, sign: int) -> None:
        for turned in (1, -1):
            ways = known.setdefault(key(turned * value), [])
            if len(ways) < WAYS and (some, tree, sign * turned) not in ways:
                ways.append((some, tree, sign * turned))

    for number, (at, sign) in enumerate(one.terms):
        learn(sign * values[at], frozenset([number]), number, 1)
    whole: list[Tree] = []
    for x in added:
        for some, left, sign in list(known.get(key(x.a), ())):
            for others, right, too in list(known.get(key(x.b), ())):
                if sign == too and not some & others:
                    both, tree = some | others, (left, right)
                    whole += [tree] if len(both) == len(one.terms) else []
                    for value in (x.result, rounded(x.result, precision)):
                        learn(value, both, tree, sign)
    as_written = any(shape(tree) == shape(one.tree) for tree in whole)
    return one.tree if as_written else whole[0] if whole else None


def key(value: np.ndarray) -> bytes:
    return (value + 0.0).tobytes()  # + 0: both zeros are one


def rounded(value: np.ndarray, precision: Precision) -> np.ndarray:
    """What the next operation reads where each is rounded: the compiler may round by integer arithmetic."""
    return narrow(value.astype(np.float32), precision.name).astype(np.float64) if precision.eager else value


def first_values(job: launch.Job, part: str, program: Program) -> list[np.ndarray]:
    """What every operation gives in the first step of the first lanes, float64."""
    n, p = watched_lanes(job), job.precision
    dtype = np.dtype(p.arith)
    q = [x[:n].astype(dtype) for x in job.q0]
    last = job.params[4 if part == "metric" else 3][:n].astype(dtype)
    with np.errstate(all="ignore"):
        if part == "program" and job.rule.log_state:
            q = [narrow(elementary.exp(x), p.name) if p.eager else elementary.exp(x) for x in q]
        return [np.broadcast_to(x, n).astype(np.float64) for x in program.values([*q, last], p)]


def watched_lanes(job: launch.Job) -> int:
    return min(job.lanes, 32 * launch.WARPS)  # one CTA


def additions(job: launch.Job, ptx: str) -> list[Addition]:
    """Every floating add and sub of one step, in the order in which they run; a - b as a + (-b)."""
    from noether.kernels.ptx import evaluate

    n, found = watched_lanes(job), []

    def note(word: str, a, b, result) -> None:
        for k in range(2) if np.ndim(result) == 2 else (...,):  # f16x2: two at once
            x, y, z = (
                np.broadcast_to(s[..., k] if k != ... else s, 32 * launch.WARPS)[:n].astype(np.float64)
                for s in (a, b, result)
            )
            found.append(Addition(x, -y if word == "sub" else y, z))

    one = replace(job, steps=1)
    q, v = launch.buffers(one)
    evaluate(ptx, [q, v, np.ascontiguousarray(job.params), job.lanes, 1], 1, watch=note)
    return found
