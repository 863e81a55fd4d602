"""A run and the same run at other scales, as lanes of one launch (theory.md#D17).

    run(a^x q_0, a^y g, a^z p) = a^x run(q_0, g, p),  a = 2^j                                     (1)

x, y, z are the powers that the lines of the rule have (cases/units.py); each lane has a j of its own. The
loss at the other scale is f(q / a^x) a^(x + y): its gradient is the traced one, its arguments and its results
multiplied by powers of two. So any loss will do, and nothing rounds otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from noether.cases.rule import Rule
from noether.cases.units import Scaling, names_of
from noether.kernels.loops.launch import Job
from noether.kernels.programs import numpy_step
from noether.kernels.programs.precision import Precision, widen
from noether.kernels.programs.program import Program
from noether.kernels.programs.trace_rule import update_program
from noether.mechanics.domain import MARGIN, NORMAL, OVERFLOW

FLOAT64 = Precision("float64")
STEPS_OF_SCALE = (-3, -2, -1, 1, 2, 3)
"""The j of (1) that lanes draw from."""


@dataclass(frozen=True)
class Moved:
    """A program at other scales: of its position over 2^x, its outputs times 2^y; x, y (d, lanes) int."""

    program: Program
    x: np.ndarray
    y: np.ndarray
    dim: int = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "dim", self.program.dim)

    def run(self, q, eps, precision: Precision) -> list[np.ndarray]:
        at = [np.ldexp(a, -x) for a, x in zip(q, self.x, strict=True)]
        return [np.ldexp(a, y) for a, y in zip(self.program.run(at, eps, precision), self.y, strict=True)]


@dataclass(frozen=True)
class Scales:
    """The powers of 2 of every lane.

    q, g    (d, lanes) int;  v (buffers d, lanes);  params (rows, lanes)
    """

    q: np.ndarray
    g: np.ndarray
    v: np.ndarray
    params: np.ndarray

    def beside(self, other: Scales) -> Scales:
        """These lanes, then those of another."""
        join = lambda a, b: np.concatenate([a, b], axis=1)
        return Scales(*(join(getattr(self, x), getattr(other, x)) for x in ("q", "g", "v", "params")))


def scales(rule: Rule, d: int, scaling: Scaling | None, j: np.ndarray, **other: int) -> Scales:
    """The Scales of lanes under a change of scale; without one, nothing is scaled.

    other  powers of parameters that stand in the place of the right ones
    """
    q, buffers, g = names_of(rule, d)

    def rows(names):
        powers = [other.get(x, scaling.power(x) if scaling else 0) for x in names]
        return np.outer(powers, j).astype(int).reshape(len(names), len(j))

    return Scales(rows(q), rows(g), rows([x for b in buffers for x in b]), rows(rule.parameters))


def run(job: Job, s: Scales, advance=numpy_step.advanced) -> tuple[np.ndarray, np.ndarray]:
    """q and v (steps + 1, ..., lanes) float64 of a job whose lanes begin at these scales, in numpy."""
    none = np.zeros_like(s.q)
    program, metric = Moved(job.program, s.q, s.g), job.metric and Moved(job.metric, s.q, none)
    known = job.rule.known_numbers(job.params, job.steps)  # of parameters that no change of scale touches
    start = (np.ldexp(job.q0, s.q), np.ldexp(job.v0, s.v), np.ldexp(job.params, s.params), job.steps)
    out = numpy_step.trajectory(
        program, job.rule, job.precision, *start, known=known, metric=metric, advance=advance
    )
    return widen(out[0], job.precision.q_store), widen(out[1], job.precision.v_store)


def ordinary(job: Job, s: Scales) -> np.ndarray:
    """(steps + 1, lanes) bool: true as long as no number of a step of the reference, the job in float64, is
    within MARGIN of a subnormal or of overflow in the types of the job. There (1) ends."""
    q, v = run(replace(job, precision=FLOAT64), s)
    with np.errstate(all="ignore"):
        found = [inside(np.array(stepped(job, s, q, v)), job.precision.rounded)]
        found += [inside(np.moveaxis(q, 1, 0), job.precision.q_store)]
        found += [inside(np.moveaxis(v, 1, 0), job.precision.v_store)]
    fine = found[1] & found[2]
    fine[: job.steps] &= found[0]
    return np.logical_and.accumulate(fine, axis=0)


def inside(x: np.ndarray, kind: str) -> np.ndarray:
    """Whether all of (n, steps, lanes) numbers are 0, or MARGIN away from what a type cannot hold."""
    size = np.abs(x)
    small, large = NORMAL[kind] * MARGIN, OVERFLOW[kind] / MARGIN
    return (((size >= small) & (size < large)) | (size == 0)).all(axis=0)


def stepped(job: Job, s: Scales, q: np.ndarray, v: np.ndarray):
    """What the operations of every step give from its state, (steps, lanes) each."""
    rule, n, lanes = job.rule, job.steps, q.shape[2]
    flat = lambda x: np.moveaxis(x[:-1], 1, 0).reshape(x.shape[1], -1)
    whole = lambda x: np.tile(x, n)
    at = [np.ldexp(a, -whole(x)) for a, x in zip(flat(q), s.q, strict=True)]
    params = np.ldexp(job.params, s.params)
    inside = job.program.values([*at, whole(params[rule.index("eps")])], FLOAT64)
    g = [np.ldexp(inside[i] + 0 * at[0], whole(y)) for i, y in zip(job.program.outputs, s.g, strict=True)]
    known = np.broadcast_to(rule.known_numbers(job.params, n), (n, len(rule.known_names), lanes))
    p = [*(whole(x) for x in params), *np.moveaxis(known, 1, 0).reshape(known.shape[1], n * lanes)]
    if job.metric:
        p += job.metric.run(at, whole(params[rule.index("kappa")]), FLOAT64)
    given = {"q": flat(q), "v": flat(v), "g": g, "p": p}
    program = update_program(rule, len(at))
    found = program.values([given[name[0]][int(name[2:-1])] for name in program.inputs], FLOAT64)
    return [np.broadcast_to(x, n * lanes).reshape(n, lanes) for x in (*inside, *g, *found)]
