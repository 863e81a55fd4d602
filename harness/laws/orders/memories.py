"""Runs of rules with memories: where they start, and their steps.

Adaptive rules move each parameter by about the step size, whatever the loss is multiplied with. So their time
is measured in boxes, not in curvatures: the whole time T of a run is a power of two, at most SHARE of the
narrowest range of the box. Gradients, and the `stability` of a rule (Adam's eps), are measured in the largest
component of the gradient at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.programs.numpy_step import step
from noether.laws.orders.runs import FLOAT64, QUIET, STARTS, Cell, Fan
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient

SHARE = 1 / 4
STABLE = 0.23
"""The stability of a rule, of the largest component of the gradient at the start."""
COUNTS = 2 ** np.arange(4, 10)
"""How many steps each step size takes."""
SCAN, CANDIDATES = 64, 256
LONG_AGO = 2**20
"""Steps after which a bias correction is 1: (1 - 2^-9)^(2^20) = e^-2050 is 0 in float64."""


def whole(cell: Cell) -> float:
    """T of the docstring, by 2^shift of the cell."""
    width = min(high - low for low, high in cell.case.box)
    return float(2.0 ** (cell.shift + np.floor(np.log2(SHARE * width))))


@dataclass(frozen=True, eq=False)
class Starts:
    """Where runs start.

    q         (d, STARTS)
    largest   (STARTS, 1), the largest component |g| of the gradient there
    smallest  the smallest on the flows from them, over that; below 0 where one changes its sign
    bends     whether the gradient changes at all
    """

    q: np.ndarray
    largest: np.ndarray
    smallest: float
    bends: bool


def calm(cell: Cell, T: float) -> Starts:
    """Of CANDIDATES the starts where the smallest component of the gradient is largest, on
    qdot = -g/(|g| + STABLE largest) until T.

    Components that are 0 at all candidates are left out: the loss does not know these parameters. A start
    whose flow comes to where the gradient is no number is taken if there is no other.
    """
    of = gradient(cell.case)
    q, _ = cell.drawn(CANDIDATES)
    x, least, bends, lost = q, np.full(q.shape[1], np.inf), False, np.full(q.shape[1], False)
    with np.errstate(all="ignore"):
        first = of(q, EPS)
        largest, known = np.abs(first).max(axis=0), np.any(first != 0, axis=1)
        for _ in range(SCAN):
            g = of(x, EPS)
            bends, lost = bends or not np.array_equal(g, first), lost | ~np.isfinite(g).all(axis=0)
            least = np.fmin(least, np.min((g * np.sign(first) / largest)[known], axis=0, initial=np.inf))
            x = x - T / SCAN * g / (np.abs(g) + STABLE * largest)
    worth = np.where(lost | ~np.isfinite(least), -np.inf, least)
    best = np.argsort(-worth, kind="stable")[:STARTS]
    return Starts(q[:, best], largest[best, None], float(least[best[-1]]), bends)


@dataclass(frozen=True, eq=False)
class Walk:
    """A run of a rule: its parameters and first buffers by name, in shapes that broadcast to (starts, sizes)
    and (d, starts, sizes); what is not named is 0.

    begun   how many steps its known numbers say that it had already taken, as if a bias were corrected
    counts  (sizes,)
    """

    rule: Rule
    parameters: dict
    counts: np.ndarray
    buffers: dict = field(default_factory=dict)
    begun: int = 0


@QUIET
def walked(g: Callable, walks: list[Walk], q0: np.ndarray) -> list[np.ndarray]:
    """q where walks of one rule end, (d, starts, sizes) each; q0 (d, starts). All components of a rule that
    moves each by itself are one array (d, lanes)."""
    rule, sizes, d = walks[0].rule, len(walks[0].counts), len(q0)
    fan, shape = Fan(q0, np.zeros(sizes), len(walks)), (q0.shape[1], sizes)
    side_by_side = lambda each, *rows: np.concatenate(
        [np.broadcast_to(x, (*rows, *shape)) for x in each], axis=-2
    ).reshape(*rows, -1)
    parameters = np.stack([side_by_side(w.parameters.get(x, 0.0) for w in walks) for x in rule.parameters])
    v = [side_by_side((w.buffers.get(x, 0.0) for w in walks), d) for x in rule.buffers]
    counts = side_by_side(w.counts for w in walks)
    begun = side_by_side(w.begun for w in walks)
    known = known_numbers(rule, parameters, begun, int(counts.max()))
    q, end = [fan.q], fan.q.copy()
    for n in range(1, int(counts.max()) + 1):
        q, v = step(q, v, [*parameters, *known[n - 1]], lambda at, _: [g(at[0])], rule, FLOAT64)
        done = counts == n
        if done.any():
            end[:, done] = q[0][:, done]
    return list(fan.apart(end))


def known_numbers(rule: Rule, parameters: np.ndarray, begun: np.ndarray, steps: int) -> np.ndarray:
    """What each step knows of its number, (steps, names, lanes), of lanes that had begun before, (lanes,)."""
    out = np.empty((steps, len(rule.known_names), len(begun)))
    for n in np.unique(begun):
        mine = begun == n
        out[..., mine] = rule.known_numbers(parameters[:, mine], steps, int(n))
    return out
