"""What is true of one lane, as far as a solution of more bits knows: x, every charge j and what the theorem
predicts, S.

A second solution with other steps tells how far it knows: the distance of the two is taken as its error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import mpmath
import numpy as np

from noether.cases.case import Case
from noether.laws.reference.integrator import DIGITS, Solution, engine
from noether.mechanics.symbolic import PARAMETERS
from noether.mechanics.symbolic_exact import compiled
from noether.mechanics.symbolic_mechanics import TOTAL, equations


@cache
def charges(case: Case):
    """mpmath: charges(*x, m, mu, eps, kappa, k) -> j of every symmetry, then their sizes."""
    e = equations(case)
    return compiled((*e.x, *PARAMETERS), e.charges, "mpmath")


@cache
def energies(case: Case):
    """mpmath: T, f and T without its metric."""
    e = equations(case)
    return compiled((*e.x, *PARAMETERS), e.energy, "mpmath")


@dataclass(frozen=True, eq=False)
class Truth:
    """values (m, mu, eps, kappa, k) of the lane; solution and second, of the same bits and other steps."""

    case: Case
    values: tuple
    solution: Solution
    second: Solution

    def states(self, x: np.ndarray) -> np.ndarray:
        """(n,) largest |x - truth|, of float64 x (n, 2d)."""
        return np.max(np.abs(self.solution.apart(x)), axis=1)

    @cached_property
    def known(self) -> float:
        """Largest distance of the two solutions' x: how far this truth is one."""
        width = 2 * self.case.dim
        first, second = (s.pieces[:, :, :width] for s in (self.solution, self.second))
        return float(
            np.max(np.abs(((first[0] - second[0]) + (first[1] - second[1])) + (first[2] - second[2])))
        )

    @cached_property
    def both(self) -> tuple[list, list]:
        """Of each solution, at each time: (j, size, S, its kinetic parts, sum |parts|), a list over the
        symmetries each."""
        return self.read(self.solution), self.read(self.second)

    def read(self, solution: Solution) -> list:
        parts, count, width, call = (
            equations(self.case).parts,
            len(self.case.symmetries),
            2 * self.case.dim,
            charges(self.case),
        )
        out = []
        with mpmath.workdps(DIGITS):
            values = [mpmath.mpf(v) for v in self.values]
            rate, start = values[1] / values[0], None
            for t, row in zip(solution.times, solution.rows(), strict=True):
                found, z = call(*row[:width], *values), row[width:]
                j, size = [mpmath.mpf(x) for x in found[:count]], [mpmath.mpf(x) for x in found[count:]]
                start = start or j
                kept = mpmath.exp(-rate * mpmath.mpf(float(t)))
                kinetic = [
                    sum((z[w[n]] for n in ("generator", "metric") if n in w), mpmath.mpf(0)) for w in parts
                ]
                S = [
                    j0 * kept + sum((z[w[n]] for n in TOTAL if n in w), mpmath.mpf(0))
                    for j0, w in zip(start, parts, strict=True)
                ]
                weight = [
                    abs(j0 * kept) + sum((abs(z[w[n]]) for n in TOTAL if n in w), mpmath.mpf(0))
                    for j0, w in zip(start, parts, strict=True)
                ]
                out.append((j, size, S, kinetic, weight))
        return out

    def column(self, what: int, symmetry: int, solution: int = 0) -> list:
        return [at[what][symmetry] for at in self.both[solution]]

    def off(self, symmetry: int, j: np.ndarray, S: np.ndarray) -> np.ndarray:
        """(n,) |j - truth| + |S - truth| of float64 charges and predictions."""
        return distance(j, self.column(0, symmetry)) + distance(S, self.column(2, symmetry))

    def rounding(self, symmetry: int) -> list:
        """At each time u N (2 sum |p_i xi_i| + sum |z|): each step rounds q, p and every z once, and m/mu
        later a rounding of j or S is e^-1 of itself, so that the last N = 1/(1 - e^(-mu h/m)) of the mean
        step h count.
        """
        with mpmath.workdps(DIGITS):
            solution, (m, mu, *_) = self.solution, self.values
            h, u = mpmath.mpf(float(solution.times[-1])) / solution.steps, mpmath.mpf(2) ** -solution.bits
            count = 1 / (1 - mpmath.exp(-mu * h / m))
            return [
                u * count * (2 * size + z)
                for size, z in zip(self.column(1, symmetry), self.column(4, symmetry), strict=True)
            ]

    def residual(self, symmetry: int, wrong: mpmath.mpf | int = 0) -> list:
        """|j - S| at each time, all its digits; `wrong` times the kinetic parts are added to S."""
        with mpmath.workdps(DIGITS):
            columns = (self.column(i, symmetry) for i in (0, 2, 3))
            return [abs(j - S - wrong * k) for j, S, k in zip(*columns, strict=True)]

    @cached_property
    def budget(self) -> list:
        """[E], [mu int <qdot, G qdot> dt] at each time."""
        width, call = 2 * self.case.dim, energies(self.case)
        with mpmath.workdps(DIGITS):
            values = [mpmath.mpf(v) for v in self.values]
            found = [(call(*row[:width], *values), values[1] * row[-1]) for row in self.solution.rows()]
            return [[e[0] + e[1] for e, _ in found], [w for _, w in found]]

    def energy_off(self, first: int, energy: np.ndarray, dissipated: np.ndarray) -> np.ndarray:
        """(n,) |E - truth| + |dissipated - truth| of gains since time `first`; both (n,), longdouble or
        float64."""
        with mpmath.workdps(DIGITS):
            gains = [[x - column[first] for x in column] for column in self.budget]
            return distance(energy - energy[first], gains[0]) + distance(
                dissipated - dissipated[first], gains[1]
            )

    def unsure(self, symmetry: int) -> list:
        """|j - j''| + |S - S''| of the two solutions at each time."""
        with mpmath.workdps(DIGITS):
            first, second = ([self.column(i, symmetry, s) for i in (0, 2)] for s in (0, 1))
            return [abs(a - c) + abs(b - d) for a, b, c, d in zip(*first, *second, strict=True)]


def distance(x: Sequence, truth: Sequence) -> np.ndarray:
    with mpmath.workdps(DIGITS):
        return np.array(
            [
                float(abs(mpmath.mpf(float(a)) + mpmath.mpf(float(a - float(a))) - b))
                for a, b in zip(x, truth, strict=True)
            ]
        )


def truth(case: Case, x0: np.ndarray, values: Sequence, times: np.ndarray, bits: int) -> Truth:
    """Integrates twice, the second time with a step that ends at every output time."""
    values = tuple(float(v) for v in values)
    return Truth(
        case, values, *(engine(case).solve(x0, values, times, bits, stops) for stops in (False, True))
    )
