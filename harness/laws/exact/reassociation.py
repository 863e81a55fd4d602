"""Whether a compiled kernel adds the terms of its sums in another order than written: an explanation of B1.

The kernel's PTX is evaluated up to the first step that differs, with every addition watched. A sum of the
traced program is found among them by the values of its terms, lane by lane: whatever the compiler renamed,
merged or commuted, the additions that lead from these values to one number are its order. A program in that
order then runs in numpy; only where it agrees with the launch in every bit is the order an explanation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from noether.kernels.loops import backends, launch
from noether.kernels.programs.precision import Precision, narrow
from noether.kernels.programs.program import Program
from noether.kernels.programs.sums import Sum, Tree, reordered, shape, sums, terms
from noether.kernels.programs.trace_rule import whole_program
from noether.laws.exact.disagreement import first, only_signs_of_zeros

WAYS = 8  # sets of terms that one value may stand for, where terms are equal
NAMED = 2  # sums named in one line
STAGES = 4  # copies of a step in one kernel, at most
KEPT = 8192  # additions, 3 kB each: of the largest step and more


@dataclass(frozen=True)
class Addition:
    """One add or sub of the kernel: what it read and what it gave, (lanes,) float64."""

    a: np.ndarray
    b: np.ndarray
    result: np.ndarray


def explained(job: launch.Job, mine: launch.Outcome, plain: launch.Outcome) -> dict:
    """What explains a launch that differs; a search that fails says so, for no verdict may be lost by it."""
    if only_signs_of_zeros(mine, plain):
        line = "every one of them is a zero of the other sign"
    elif mine.backend == "triton-interpreted":
        line = "the interpreter compiles nothing: no order of its sums was asked for"
    else:
        try:
            return explain(job, mine, plain)
        except Exception as error:
            line = f"the search for another order failed, {type(error).__name__}: {error}"
    return {"explained": False, "orders": [], "line": line}


def explain(job: launch.Job, mine: launch.Outcome, plain: launch.Outcome) -> dict:
    """Whether the orders of the compiled sums explain a launch that differs: {"explained", "orders", "line"}.

    A kernel may have its step twice, the first one apart, with the sums of each in an order of their own: the
    first step that differs is asked, numpy goes on with what it says, and so on.
    Raises what compiling and evaluating PTX raise.
    """
    ptx = mine.notes.get("ptx") or backends.compiled(job).ptx
    job = replace(job, program=whole_program(job.rule, job.program, job.metric))
    now, orders, step, begun = plain, [], first_step(mine, plain, job), 0
    for _ in range(STAGES):
        if step is None or step < begun:
            break
        here, told = taken_over(onward(job, now, step), additions(job, ptx, step))
        if not told:
            break
        for start in dict.fromkeys((begun, step)):  # it may show late: the first start that agrees so far
            rest = replace(onward(job, now, start), program=here.program)
            tried = continued(now, stepped(rest), start)
            later = first_step(mine, tried, job)
            if later is None or later > step:
                break
        orders += [f"{words} from step {start} on" if start else words for words in told]
        now, begun, step = tried, step + 1, later
    left = launch.differing_bits(mine, now)
    return {"explained": not left, "orders": orders, "line": line(orders, left, step)}


def stepped(job: launch.Job) -> launch.Outcome:
    """A launch in numpy of a job whose program is that of the whole step."""

    def advance(n: int, q, v, params, gradient, rule, precision):
        numbers = params[: len(rule.inputs)]
        new = [x.astype(q[0].dtype) for x in job.program.evaluate([*q, *v, *numbers], precision)]
        return new[: len(q)], new[len(q) :]

    return launch.run(job, "numpy", advance=advance)


def line(orders: list[str], left: int, step: int | None) -> str:
    """What explains a launch, in words."""
    names = "; ".join(orders[:NAMED])
    names += f"; and {len(orders) - NAMED} more sums" if len(orders) > NAMED else ""
    if not orders:
        return f"the compiled kernel adds the terms of every sum of the program as written in step {step}"
    if left:
        told = f"the compiled kernel reassociates a strict sum, but that is not all: {left} values"
        return f"{told} differ from numpy with {names}"
    return f"numpy with {names} agrees in every bit: the compiler reassociates a strict sum"


def first_step(mine: launch.Outcome, now: launch.Outcome, job: launch.Job) -> int | None:
    """The earliest step that differs, 0 where the steps were not kept; None where nothing differs."""
    found = first(mine, now, job.steps)
    return None if found is None else found["step"] if job.trace else 0


def onward(job: launch.Job, now: launch.Outcome, step: int) -> launch.Job:
    """The rest of a launch from this step on."""
    if not step:
        return job
    q, v = now.wide()
    return replace(job, q0=q[step], v0=v[step], steps=job.steps - step, begun=job.begun + step)


def continued(now: launch.Outcome, rest: launch.Outcome, step: int) -> launch.Outcome:
    return replace(now, q=np.concatenate([now.q[:step], rest.q]), v=np.concatenate([now.v[:step], rest.v]))


def taken_over(job: launch.Job, added: Iterable[Addition]) -> tuple[launch.Job, list[str]]:
    """The job with the sums of its step in the order of the additions; and what changed."""
    orders = []
    for number in range(len(sums(job.program))):
        program = job.program
        one = sums(program)[number]
        tree = order(one, first_values(job, program), added, job.precision)
        if tree is not None and shape(tree) != shape(one.tree):
            orders.append(words(program, one, tree))
            job = replace(job, program=reordered(program, one, tree))
    return job, orders


def words(program: Program, one: Sum, tree: Tree) -> str:
    """The orders of the sums in words."""
    named = terms(program, one)
    shown = named if len(named) <= 4 else [*named[:3], "...", named[-1]]
    return (
        f"the {len(named)} terms of {' + '.join(shown)} (0 to {len(named) - 1}) in the order {written(tree)}"
    )


def written(tree: Tree, inside: bool = False) -> str:
    """A tree of additions in words: 2 7 0 6 for ((2 + 7) + 0) + 6; other trees have brackets."""
    if isinstance(tree, int):
        return str(tree)
    chain, rest = [], tree
    while not isinstance(rest, int):
        left, right = rest if isinstance(rest[1], int) or not isinstance(rest[0], int) else rest[::-1]
        chain.append(written(right, True))
        rest = left
    text = " ".join([str(rest), *chain[::-1]])
    return f"({text})" if inside else text


def order(one: Sum, values: list[np.ndarray], added: Iterable[Addition], precision: Precision) -> Tree | None:
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


def first_values(job: launch.Job, program: Program) -> list[np.ndarray]:
    """What every operation gives in the first step of this job, of the first lanes, float64."""
    n, p = watched_lanes(job), job.precision
    rows = [x[..., :n] for x in (job.q0, job.v0, job.params)]
    known = [np.broadcast_to(x, job.lanes)[:n] for x in job.known[0]]
    inputs = [x.astype(np.dtype(p.arith)) for x in (*rows[0], *rows[1], *rows[2], *known)]
    with np.errstate(all="ignore"):
        return [np.broadcast_to(x, n).astype(np.float64) for x in program.values(inputs, p)]


def watched_lanes(job: launch.Job) -> int:
    return min(job.lanes, backends.LANES)  # one CTA


def additions(job: launch.Job, ptx: str, step: int) -> deque[Addition]:
    """The floating adds and subs of this step, and of some before it, as they run; a - b as a + (-b)."""
    from noether.kernels.ptx import evaluate

    n, found = watched_lanes(job), deque(maxlen=KEPT)

    def note(word: str, a, b, result) -> None:
        for k in range(2) if np.ndim(result) == 2 else (...,):  # f16x2: two at once
            x, y, z = (
                np.broadcast_to(s[..., k] if k != ... else s, backends.LANES)[:n].astype(np.float64)
                for s in (a, b, result)
            )
            found.append(Addition(x, -y if word == "sub" else y, z))

    short = replace(job, steps=step + 1)
    evaluate(ptx, [*short.buffers(), *short.scalars.values()], 1, watch=note)
    return found
