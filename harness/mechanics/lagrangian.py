"""The equations of motion, charges, sources and energy derived a second time, from the Lagrangian alone
(theory.md#T1, #T2).

With V = loss + eps breaking + k |q|^2 / 2, as the case itself writes them,

    L(q, v, t) = e^{mu t / m} ( (m/2) sum_i G_i(q) v_i^2 - V(q) )                                  a
    metric        (1)
    L(q, v, t) = e^{mu t / m} ( [h(q + m v) - h(q) - d/ds h(q + s m v)] / m - V(q) ),  s =
    0       Bregman         (2)

along a solution and at t = 0, for any w:

    d/dt <dL/dv, w> = <dL/dq, w>,   m <p, w> = <dL/dv, w>,   J = <dL/dv, xi>,   E = <v, dL/dv> -
                                                             L                 (3)
    dL along (xi, A v) = m times the sources of j = J/m,   power = <v,
                                                           dL/dv>/m                                    (4)

Solutions are integrated, and charges predicted, by one set of equations (theorem.py): a force or a friction
that is wrong in both obeys the theorem. Here nothing of it is read but its values, and derivatives are
central differences with a step of 10^-30 in 160 digits: they err by 10^-60 for the step, and by 10^-(160 -
90) for what cancels. A step is 10^-30 of what it moves: where parameters are small, or move fast, it is
smaller, with as many digits more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import mpmath
import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case
from noether.kernels.programs.namespaces import MPMATH
from noether.mechanics.own_units import narrowed
from noether.mechanics.symbolic import PARAMETERS
from noether.mechanics.symbolic_exact import compiled
from noether.mechanics.symbolic_mechanics import TOTAL, equations

DIGITS = 160
STEP = mpmath.mpf(10) ** -30
SAME = 1e-40  # of the terms: 20 digits are left for functions whose third derivatives are large
STATEMENT = "the equations are those of the Lagrangian"


@dataclass(frozen=True)
class Point:
    """A random point: q, v (d numbers each), values (m, mu, eps, kappa, k), w a direction; all mpmath
    numbers."""

    q: list
    v: list
    values: tuple
    w: list


def drawn(case: Case, rng: np.random.Generator) -> Point:
    """A random point in the box, with velocities as trajectories have them."""
    number = lambda x: [mpmath.mpf(float(y)) for y in x]
    q, turn = case.draw(rng, 1)[:, 0], rng.choice([-1.0, 1.0], case.dim)
    v = rng.uniform(0.25, 0.5, case.dim) * turn
    v = v * (q if case.metric.kind == BREGMAN else 2 * narrowed(case, 1.0))
    parameters = tuple(number(rng.uniform([0.5, 0.6, 0.1, 0.3, 0.1], [0.9, 1.5, 0.5, 0.9, 0.5])))
    return Point(number(q), number(v), parameters, number(rng.uniform(0.5, 1.5, case.dim)))


def moved(x: list, by, along: list) -> list:
    return [a + by * b for a, b in zip(x, along, strict=True)]


def lagrangian(case: Case, values: tuple):
    """The Lagrangian L(q, v, t) of (1) or (2) on mpmath numbers."""
    m, mu, eps, kappa, k = values

    def kinetic(q, v):
        if case.metric.kind == BREGMAN:
            h = lambda s: case.metric.potential(moved(q, s * m, v), MPMATH)
            return (h(1) - h(0) - (h(STEP) - h(-STEP)) / (2 * STEP)) / m
        G = case.metric.entries(q, kappa, MPMATH) if case.metric.kind == DIAGONAL else [1] * case.dim
        return m / 2 * sum(g * x * x for g, x in zip(G, v, strict=True))

    def L(q, v, t=0):
        V = case.loss(q, MPMATH) + eps * case.breaking(q, MPMATH) + k * sum(x * x for x in q) / 2
        return mpmath.exp(mu * t / m) * (kinetic(q, v) - V)

    return L


@cache
def written(case: Case):
    """A function of mpmath numbers, call(*x, m, mu, eps, kappa, k) -> all that `equations` has, in order."""
    e = equations(case)
    outputs = (*e.rates, *e.sources, *e.charges[: len(case.symmetries)], *e.power, *e.energy)
    return compiled((*e.x, *PARAMETERS), outputs, "mpmath")


def slope(f, reach=1):
    """The derivative of f at 0, where f changes within `reach`, a number of at most 1."""
    h = STEP * reach
    return (f(h) - f(-h)) / (2 * h)


def reach(x: list, along: list):
    """How far x can go along a direction before a component is another number; at most 1."""
    sizes = [abs(a / b) for a, b in zip(x, along, strict=True) if a and b]
    return min([mpmath.mpf(1), *sizes])


def digits(case: Case, point: Point) -> int:
    """DIGITS, and twice as many as a step is shorter than 10^-30."""
    with mpmath.workdps(DIGITS):
        x, rates, _ = on_solution(case, point)
        shortest = min(reach(point.q, point.w), reach(x, rates))
        return DIGITS + 2 * int(mpmath.ceil(-mpmath.log10(shortest)))


def on_solution(case: Case, point: Point) -> tuple[list, list, list]:
    """(q, p) or (q, qdot) of a point, its rates, and all that `written` gives there."""
    q, v, d = point.q, point.v, case.dim
    G = case.metric.entries(q, point.values[3], MPMATH) if case.metric.kind == DIAGONAL else [1] * d
    x = q + (v if case.metric.kind == BREGMAN else [g * y for g, y in zip(G, v, strict=True)])
    found = written(case)(*x, *point.values)
    return x, found[: 2 * d], found


def off(case: Case, point: Point, friction=0, motion_only: bool = False) -> dict[str, float]:
    """By how much (3) and (4) fail, by name, relative to the sum of their terms' sizes; `friction` is by what
    part mu is off in L."""
    with mpmath.workdps(digits(case, point)):
        m, mu, *rest = point.values
        e, L, d = equations(case), lagrangian(case, (m, mu * (1 + mpmath.mpf(friction)), *rest)), case.dim
        q, v, w, zero = point.q, point.v, point.w, [mpmath.mpf(0)] * case.dim
        x, rates, found = on_solution(case, point)
        told = lambda x: written(case)(*x, *point.values)

        def along_v(q, v, t, w):
            return slope(lambda s: L(q, moved(v, s, w), t))

        def momentum(s):
            """<dL/dv, w> on the solution, s later."""
            there = moved(x, s, rates)
            return along_v(there[:d], there[d:] if case.metric.kind == BREGMAN else told(there)[:d], s, w)

        pairs = {
            "motion": (slope(momentum, reach(x, rates)), slope(lambda s: L(moved(q, s, w), v), reach(q, w))),
            "velocity": tuple(sum(a * b for a, b in zip(x, w, strict=False)) for x in (rates, v)),
        }
        if not motion_only:
            pairs |= readings(case, e, point, found[2 * d :], L, along_v, zero)
        return {name: float(abs(a - b) / (abs(a) + abs(b) + STEP)) for name, (a, b) in pairs.items()}


def readings(case: Case, e, point: Point, found: list, L, along_v, zero: list) -> dict:
    """Charges, sources, and for a metric power and energy: as `equations` has them, and as (3) and (4) do."""
    q, v, m, out, one = point.q, point.v, point.values[0], {}, mpmath.mpf(0)
    sources, found = found[: len(e.sources)], found[len(e.sources) :]
    for s, where, j in zip(case.symmetries, e.parts, found, strict=False):
        A, shift = s.matrix.tolist(), s.shift.tolist()
        turned = lambda y, A=A: [sum(mpmath.mpf(c) * z for c, z in zip(row, y, strict=True)) for row in A]
        xi = [a + mpmath.mpf(b) for a, b in zip(turned(q), shift, strict=True)]
        twist = turned(v)
        # A charge or a source may be nothing at all: both are then told beside <dL/dv, w>.
        size = along_v(q, v, one, point.w)
        out[f"charge of {s.name}"] = (m * j + size, along_v(q, v, one, xi) + size)
        total = sum((sources[where[n]] for n in TOTAL if n in where), zero[0])
        out[f"sources of {s.name}"] = (
            m * total + size,
            slope(
                lambda h, xi=xi, twist=twist: L(moved(q, h, xi), moved(v, h, twist)),
                min(reach(q, xi), reach(v, twist)),
            )
            + size,
        )
    rest = found[len(case.symmetries) :]
    if rest:
        work = along_v(q, v, one, v)
        out |= {"power": (m * rest[0], work), "energy": (rest[1] + rest[2], work - L(q, v))}
    return out
