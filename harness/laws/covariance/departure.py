"""How far a stability that is not scaled along takes a run, to which order in it (theory.md#D17).

    q_N(a f, s) - q_N(f, s) = (a^-x - 1) s D + O(s^2),  D = dq_N/ds at s = 0                       (1)

for a run of N steps under f with the stability s, which is q_N(f, s a^-x) at the scale a f, x the power that
the lines of the rule ask for it. D comes from the lines of the rule on complex numbers: the imaginary part
of q_N at s = i h, exact to rounding (Squire, Trapp, 1998). A rule that takes the larger of a size and of its
stability has D = 0. It departs by nothing where dq_N/ds is 0 at s too: all sizes of that run are larger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from noether.cases.rule import Rule
from noether.cases.turns import by_components
from noether.cases.units import LOSS, scaling
from noether.kernels.loops.launch import Job
from noether.kernels.programs.trace_rule import update_program
from noether.laws.covariance import scaled
from noether.laws.covariance.faults import OTHER_CONSTANT
from noether.laws.covariance.turned import about
from noether.laws.map.stepping import gradient_of
from noether.verdicts import judgement, orders
from noether.verdicts.claims import QUARTER
from noether.verdicts.judgement import Worst
from noether.verdicts.record import HOLDS, VIOLATED, Record

STEPS, LARGEST, HALVINGS = 4, 2.0**-6, 16
"""Steps of a run, the largest stability over the least size that it is compared with at the start, and how
many there are, each half of the one before."""
LANES = 4
WRONG = 1.01
"""A factor of D that D17 must notice."""
LEFT = "departure, less its first term"
FINEST, GRADE = 2.0**-40, 4.0
H = 1e-30  # of the complex step: its square is nothing beside 1


def sided(x):
    """The sign of the real part."""
    return np.sign(np.real(x))


COMPLEX = SimpleNamespace(
    sqrt=np.sqrt,
    exp=np.exp,
    log=np.log,
    sign=sided,
    step=lambda x: (np.real(x) > 0) + 0.0,
    absolute=lambda x: x * sided(x),
    maximum=lambda x, y: np.where(np.real(x) >= np.real(y), x, y),
    store=lambda x: x,
    store_buffer=lambda x: x,
)
"""The namespace xp of a rule on complex numbers; nothing is rounded to a store."""


@dataclass(frozen=True)
class Departure:
    """q_N(a f, s) - q_N(f, s) and what (1) says of it, (sizes, d, lanes).

    floor  what rounding may do to it: each operation of a step rounds, by u of the largest parameter
    still  (sizes, lanes) bool: dq_N/ds is 0 at s as well
    """

    sizes: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray
    floor: float
    still: np.ndarray


def slope(case, job: Job) -> np.ndarray:
    """dq_N/ds at the stabilities of a job, (d, lanes), by the lines of the rule: D of (1) where s = 0."""
    rule, at = job.rule, job.rule.index("stability")
    q, g = list(job.q0 + 0j), gradient_of(case)
    buffers = [list(x + 0j) for x in np.split(job.v0, len(rule.buffers))]
    params = [x + 1j * H if i == at else x for i, x in enumerate(job.params)]
    for known in rule.known_numbers(job.params, job.steps):
        p = rule.named([*params, *known])
        q, buffers = rule.update(q, buffers, list(g(np.array(q))), p, COMPLEX)
    return np.imag(q) / H


def departure(case, job: Job) -> Departure:
    """Of a job of float64 without breaking."""
    rule, at, lanes = job.rule, job.rule.index("stability"), job.lanes
    change = scaling(rule, len(job.q0), LOSS)
    asked = change.power("stability")
    g = np.abs(gradient_of(case)(job.q0))
    size = (g.min() if by_components(rule, len(g)) else np.sqrt((g * g).sum(axis=0)).min()) ** (
        asked / change.fine
    )
    sizes = size * LARGEST * 2.0 ** -np.arange(HALVINGS)
    tile = lambda x: np.tile(x, HALVINGS)
    params = tile(job.params)
    params[at] = np.repeat(sizes, lanes)
    ladder = replace(job, q0=tile(job.q0), v0=tile(job.v0), params=params)
    j = np.ones(lanes * HALVINGS)
    here = scaled.scales(rule, len(job.q0), None, j)
    there = scaled.scales(rule, len(job.q0), change, j, stability=0)
    ends = [scaled.run(ladder, s)[0][-1] for s in (there, here)]
    by_size = lambda x: x.reshape(len(job.q0), HALVINGS, lanes).swapaxes(0, 1)
    zero = replace(job, params=np.where(np.arange(len(job.params))[:, None] == at, 0.0, job.params))
    predicted = (2.0**-asked - 1) * sizes[:, None, None] * slope(case, zero)
    roundings = job.steps * len(update_program(rule, len(job.q0)).ops)
    floor = 2.0**-53 * float(np.abs(ends).max()) * roundings
    still = (by_size(slope(case, ladder)) == 0).all(axis=1)
    return Departure(sizes, by_size(ends[0] - ends[1]), predicted, floor, still)


def departs(rule: Rule, d: int) -> bool:
    """Whether (1) speaks of a rule: its stability must be scaled along under f -> a f, and eta must not.

    Under Adadelta the size of the first step is the root of its stability: there is no dq/ds at 0.
    """
    change = scaling(rule, d, LOSS) if "stability" in rule.parameters else None
    return change is not None and change.power("stability") > 0 and not change.power("eta")


def departed(cell) -> list[Record]:
    """The order of the departure, and that of what (1) leaves of it; of a rule without one, that it is 0."""
    job = cell.job(LANES, STEPS)
    found = departure(cell.case, job)
    words = about(cell, job)
    if not found.predicted.any():
        return [nothing(found, words)]
    out = [of_order(found.measured, found, 1, "departure of a stability", words)]
    left = lambda factor: found.measured - found.predicted * factor
    out.append(of_order(left(1.0), found, 2, LEFT, words))
    if out[-1].verdict == HOLDS:
        out[-1].powers = {"dq/ds": noticed(lambda x: of_order(left(1 + x), found, 2, LEFT, words))}
    return [*out, of_order(left(WRONG), found, 2, LEFT, words, OTHER_CONSTANT.name)]


def noticed(judged: Callable[[float], Record]) -> float:
    """The least relative error of a constant that is violated, of those each GRADE times the one before."""
    x = FINEST
    while x < 1 and judged(x).verdict != VIOLATED:
        x *= GRADE
    return x if x < 1 else float("inf")


def of_order(error, found: Departure, stated: int, what: str, words: dict, fault=None) -> Record:
    """The order in the stability of an error (sizes, d, lanes)."""
    errors = np.sqrt((error**2).sum(axis=(1, 2)))
    order = orders.decide(errors, np.full(len(errors), found.floor))
    decided = order.is_decided and order.bound <= QUARTER
    spent = float(judgement.spent_of(order.value, stated, QUARTER)) if decided else None
    return judgement.order(
        Worst(spent, order.value, float(stated), QUARTER),
        f"{what}: {errors[0]:.2g} at s = {found.sizes[0]:.2g}, {errors[-1]:.2g} at s = "
        f"{found.sizes[-1]:.2g}: {order.reason}",
        enough=True,
        symmetry=f"{LOSS}, {what}",
        fault=fault,
        **words,
    )


def nothing(found: Departure, words: dict) -> Record:
    """That not one bit departs where the stability is below all sizes that a run compares it with."""
    below = found.measured[np.broadcast_to(found.still[:, None], found.measured.shape)]
    wrong = int((below != 0).sum())
    return judgement.bits(
        wrong,
        f"below the size that it is compared with: {wrong} of {below.size} values depart",
        enough=bool(found.still.any()),
        symmetry=f"{LOSS}, departure of a stability",
        **words,
    )


def rests(case, job: Job) -> bool:
    """Whether a rule whose stability is 0 stands still from rest, as Adadelta does: each of its steps is
    measured by those before."""
    p = job.rule.named([*job.params, *job.rule.known_numbers(job.params, 1)[0]])
    q, g = list(job.q0), list(gradient_of(case)(job.q0))
    after = job.rule.update(q, [[0 * x for x in q] for _ in job.rule.buffers], g, p, COMPLEX)[0]
    return not any((x != y).any() for x, y in zip(after, q, strict=True))
