"""The work in numba: blocks of lanes on two threads, the time loop inside, and in it a loop over 64 lanes
that LLVM vectorises.

The state of a block is one small array, a row for each component: rows of a known distance need no run-time
checks that they do not overlap, so the loop vectorises at any d (separate arrays stop at d = 4). error_model
numpy: the check for a division by zero is a branch, and branches are not vectorised. fastmath is off: it
would be another program. 512-bit vectors are asked for where the processor has them, since LLVM takes 256 of
its own accord and that is a quarter slower here. `one lane` is the loop as one would write it first, left to
LLVM.
"""

from __future__ import annotations

import numpy as np

from noether.labs.bench import printing
from noether.labs.bench.peers import THREADS, not_installed
from noether.labs.bench.printing import Dialect, indented, names
from noether.labs.bench.work import Work

WIDTH = 64
CALLS = {"exp": "math.exp", "log": "math.log", "sqrt": "math.sqrt", "abs": "abs", "max": "larger"}
HEADER = """import math
import numpy as np
from numba import njit, prange
{constants}
@njit(inline="always")
def larger(a, b):
    return a if a > b else b


@njit(parallel=True, error_model="numpy", fastmath=False)
def run(q, v, params, again, steps, q_out, v_out, worst_out):
    lanes = q.shape[1]
"""
BLOCKS = """    for block in prange((lanes + {last}) // {width}):
        at = block * {width}
        n = min({width}, lanes - at)
        s = np.ones(({rows}, {width}), {real})
        t = {more}
        for l in range({width}):
            t[{at}, l] = 0
        for l in range(n):
            for i in range({d}):
                s[i, l] = q[i, at + l]
                s[{d} + i, l] = v[i, at + l]
            for i in range(4):
                s[2 * {d} + i, l] = params[i, at + l]
                t[{at} + 1 + i, l] = again[i, at + l]
        for _ in range(steps):
            for l in range({width}):
{body}        for l in range(n):
            worst_out[at + l] = t[{at}, l]
            for i in range({d}):
                q_out[i, at + l] = s[i, l]
                v_out[i, at + l] = s[{d} + i, l]
"""
LANES = """    for l in prange(lanes):
{load}        worst = {zero}
        for _ in range(steps):
{body}{store}        worst_out[l] = worst
"""


def variants(work: Work) -> tuple[str, ...]:
    """The shapes that are tried."""
    return ("64 lanes", "one lane") if work.residual is None else ("64 lanes",)


def missing() -> str:
    """Why numba is not here, or ''."""
    return not_installed("numba")


def environment() -> dict[str, str]:
    """The environment variables that numba reads when it is imported."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    wide = {
        "NUMBA_CPU_NAME": llvm.get_host_cpu_name(),
        "NUMBA_CPU_FEATURES": features.flatten() + ",-prefer-256-bit",
    }
    return {"NUMBA_NUM_THREADS": str(THREADS), **(wide if features.get("avx512f") else {})}


def source(work: Work, variant: str) -> str:
    """The text of the module that numba compiles."""
    d = work.dim
    typed = {"float32": "np.float32", "float64": "np.float64"}
    real, wide = typed[work.arith], typed[work.residual_arith]
    numbers: dict[tuple, str] = {}

    def constant(value: float, kind: str) -> str:
        return numbers.setdefault((value, kind), f"c{len(numbers)}")

    dialect = Dialect(constant, CALLS, lambda text, kind: f"{typed[kind]}({text})")
    body = printing.step(work, dialect)
    zero = constant(0.0, work.residual_arith)
    if variant == "64 lanes":
        rest = in_blocks(d, body, real, wide)
    else:
        rest = lane_by_lane(d, body, zero)
    constants = "".join(f"{name} = {typed[kind]}({value!r})\n" for (value, kind), name in numbers.items())
    return HEADER.format(constants=constants) + rest


def in_blocks(d: int, body: list[str], real: str, wide: str) -> str:
    """The loop over blocks of WIDTH lanes, whose state has the type `real` and whose residual the type
    `wide`."""
    rows = [*names("q", d), *names("v", d), *printing.PARAMETERS]
    # One array where one type does: two would need checks at run time that they do not overlap.
    at, more = (len(rows), "s") if real == wide else (0, f"np.ones((5, {WIDTH}), {wide})")
    load = [f"{r} = s[{i}, l]" for i, r in enumerate(rows)]
    load += [f"r_{r} = t[{i}, l]" for i, r in enumerate(printing.PARAMETERS, at + 1)]
    keep = [f"s[{i}, l] = {r}" for i, r in enumerate([*names("p", d), *names("w", d)])]
    text = indented([*load, f"worst = t[{at}, l]", *body, *keep, f"t[{at}, l] = worst"], 16)
    size = dict(width=WIDTH, last=WIDTH - 1, rows=len(rows) + 5 * (more == "s"), at=at, d=d)
    return BLOCKS.format(real=real, more=more, body=text, **size)


def lane_by_lane(d: int, body: list[str], zero: str) -> str:
    """The loop as one would write it first."""
    load = [f"{x}{i} = {x}[{i}, l]" for i in range(d) for x in "qv"]
    load += [f"{x} = params[{i}, l]" for i, x in enumerate(printing.PARAMETERS)]
    load += [f"r_{x} = again[{i}, l]" for i, x in enumerate(printing.PARAMETERS)]
    turn = [f"{new}{i} = {old}{i}" for i in range(d) for new, old in ("qp", "vw")]
    store = indented([f"{x}_out[{i}, l] = {x}{i}" for i in range(d) for x in "qv"], 8)
    steps = indented([*body, *turn], 12)
    return LANES.format(load=indented(load, 8), zero=zero, body=steps, store=store)


def prepare(work: Work, variant: str):
    """How arrays are sent to numba, and how the work is run."""
    module = printing.load(source(work, variant), "numba")
    q, v, params = work.arrays()

    out = np.empty_like(q), np.empty_like(v), np.empty(work.lanes, work.residual_arith)

    def run(again):
        module.run(q, v, params, again, work.steps, *out)
        return lambda: out

    return np.ascontiguousarray, run
