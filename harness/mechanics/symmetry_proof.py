"""The proof that the symmetries of a case are true, that its breaking breaks one, that its metric is positive
and that its kinks have a name.

The pairing of the gradient with a generator is taken at random points, in exact arithmetic where the gradient
is a rational function and else at 50 digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import sympy

from noether.cases.case import BREGMAN, Case, CaseError
from noether.kernels.programs import trace
from noether.kernels.programs.loop_program import LoopProgram
from noether.mechanics import bounds, directional_proof
from noether.mechanics.symbolic import KAPPA, Formulas, derived, formulas, metric_entries, zeros_of
from noether.mechanics.symbolic_exact import arrays, compiled, decimals, expression
from noether.mechanics.symbolic_gradient import Step

DIGITS = 50
POINTS = 3
# Of a relative number: 50 digits lose fewer than 10 to d products and to exp and log of box values.
ZERO = mpmath.mpf(10) ** -40
# Share of |grad b| |xi| below which a breaking breaks by the roundings of its constants, if at all.
KEEPS = 2.0**-40


class FalseSymmetry(CaseError):
    """Raised when the declared generator does not leave the loss as it is."""


@dataclass(frozen=True)
class Proof:
    """<grad f, xi> = 0 at `points` random points: exactly (fractions), or to `relative` at 50 digits."""

    case: str
    symmetry: str
    points: int
    exact: bool
    relative: float
    broken: float  # largest |<grad b, xi>| / (|grad b| |xi|); 0 when b keeps this symmetry


def random_rationals(case: Case, rng: np.random.Generator) -> list[Fraction]:
    """One random rational point of the box."""
    return [
        Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(int(rng.integers(1, 1009)), 1009)
        for low, high in case.box
    ]


def at_points(
    case: Case, expressions: Sequence, points: Sequence[Sequence[Fraction]], exact: bool
) -> list[list]:
    """Values at rational points: sympy Rationals, or mpmath numbers of DIGITS digits."""
    f = formulas(case)
    if exact:
        return [
            [e.xreplace({x: sympy.Rational(c) for x, c in zip(f.q, p, strict=True)}) for e in expressions]
            for p in points
        ]
    call = compiled(f.q, expressions, "mpmath")
    with mpmath.workdps(DIGITS):
        return [call(*(mpmath.mpf(c.numerator) / c.denominator for c in p)) for p in points]


def wide(x) -> mpmath.mpf:
    """A sympy Rational or an mpmath number as an mpf."""
    return mpmath.mpf(int(x.p)) / int(x.q) if isinstance(x, sympy.Rational) else mpmath.mpf(x)


def pairing(g: Sequence, xi: Sequence) -> tuple:
    """(<g, xi>, |<g, xi>| / (|g| |xi|)), the second 0 where either is 0."""
    with mpmath.workdps(DIGITS):
        exact = all(isinstance(a, sympy.Rational) for a in g)
        value = sum(a * b if exact else wide(a) * wide(b) for a, b in zip(g, xi, strict=True))
        size = mpmath.sqrt(sum(wide(a) ** 2 for a in g) * sum(wide(b) ** 2 for b in xi))
        return value, abs(wide(value)) / size if size else mpmath.mpf(0)


def prove(case: Case, seed: int = 0) -> list[Proof]:
    """Prove the symmetries of a case. Raises FalseSymmetry, or CaseError when the breaking breaks nothing or
    the metric is not positive.

    A loss means its floats, or else its decimals: 0.1 q0 + 0.3 q1 keeps (3, -1), and their floats miss it by
    a rounding, which the bounds of what runs have (harness/mechanics/bounds.py, constant_error); or else
    numbers that were computed, each known to a rounding: what they miss must be explained by that. A
    generator means its floats.
    """
    if isinstance(trace.gradient(case), LoopProgram):
        return shown_along(case, seed)
    try:
        return shown(case, formulas(case), seed)
    except FalseSymmetry as false:
        with decimals():
            meant = derived(case)
        for formulation, computed in ((meant, False), (formulas(case), True)):
            try:
                return shown(case, formulation, seed, computed=computed)
            except FalseSymmetry:
                continue
        raise false from None


def shown_along(case: Case, seed: int) -> list[Proof]:
    """The proofs of a large case, which has no formulas. Raises FalseSymmetry and CaseError as prove does."""
    proofs = []
    for symmetry, found in zip(case.symmetries, directional_proof.directional(case, seed), strict=True):
        if found.relative > ZERO and not directional_proof.explained(case, symmetry, found):
            raise FalseSymmetry(
                f"case {case.name}: symmetry {symmetry.name} is false: <grad f, xi> is "
                f"{float(found.value):.6g} ({float(found.relative):.3g} of |grad f||xi|), must be 0, "
                "at a random point of the box"
            )
        sizes = float(found.relative), float(found.broken)
        proofs.append(Proof(case.name, symmetry.name, directional_proof.points_of(case), False, *sizes))
    check_broken(case, proofs)
    directional_proof.check_kinks(case, seed)
    return proofs


def check_broken(case: Case, proofs: list[Proof]) -> None:
    """Refuse a breaking that breaks nothing. Raises CaseError."""
    if max(p.broken for p in proofs) <= KEEPS:
        raise CaseError(
            f"case {case.name}: breaking keeps every declared symmetry: it must break at least one"
        )


def explained(case: Case, point: Sequence, xi: Sequence, value) -> bool:
    """Whether <grad f, xi> = value at a point is within the rounding of the loss's constants."""
    q = np.array([[float(x)] for x in point])
    off = bounds.of_constants(trace.gradient(case), q)[:, 0]
    return bool(abs(float(value)) <= float(np.sum(off * np.abs([float(x) for x in xi]))))


def shown(case: Case, f: Formulas, seed: int, *, computed: bool = False) -> list[Proof]:
    """The proofs of a case's symmetries, by formulas of it. Raises FalseSymmetry and CaseError as prove does.

    computed  its constants are known to a rounding, by which a pairing may miss 0
    """
    rng = np.random.default_rng(seed)
    exact = all(g.is_rational_function(*f.q) for g in (*f.loss_gradient, *f.breaking_gradient))
    points = [random_rationals(case, rng) for _ in range(POINTS)]
    both = at_points(case, [*f.loss_gradient, *f.breaking_gradient], points, exact)
    proofs = []
    for symmetry in case.symmetries:
        worst, broken = mpmath.mpf(0), mpmath.mpf(0)
        vectors = at_points(case, f.generator(symmetry, f.q), points, True)
        for point, values, xi in zip(points, both, vectors, strict=True):
            g, b = values[: case.dim], values[case.dim :]
            value, relative = pairing(g, xi)
            if ((exact and value != 0) or relative > ZERO) and not (
                computed and explained(case, point, xi, value)
            ):
                where = ", ".join(str(x) for x in point)
                raise FalseSymmetry(
                    f"case {case.name}: symmetry {symmetry.name} is false: <grad f, xi> is "
                    f"{float(value):.6g} "
                    f"({float(relative):.3g} of |grad f||xi|), must be 0, at q = ({where})"
                )
            worst = max(worst, relative)
            broken = max(broken, pairing(b, xi)[1])
        proofs.append(
            Proof(case.name, symmetry.name, POINTS, exact and worst == 0, float(worst), float(broken))
        )
    check_broken(case, proofs)
    check_metric(case, rng)
    check_kinks(case, formulas(case))
    return proofs


proven = cache(prove)
"""Once a process and case: every cell asks."""


def check_kinks(case: Case, f: Formulas) -> None:
    """Refuse kinks that do not name where an argument of a step is 0. Raises CaseError."""
    declared = expression(case.kinks, f.q) if case.kinks else []
    known = [g for u in declared for g in turning(sympy.sympify(u))]
    for found in (f.loss + f.breaking).atoms(Step):
        if not all(any(is_multiple(e, u, f.q) for u in known) for e in zeros_of(found.args[0])):
            told = sympy.N(found.args[0], 6)
            raise CaseError(
                f"case {case.name}: the loss has a kink where {told} is 0, kinks must name it; it names "
                f"{[str(sympy.N(u, 6)) for u in declared]}"
            )


def turning(u) -> set:
    """Factors of a declared argument with which it changes its sign: a kink is met where it does
    (harness/mechanics/kinks.py), and q0^2 never does."""
    powers = [x.as_base_exp() for x in sympy.Mul.make_args(u)]
    return {
        base for base, exponent in powers if base.free_symbols and exponent.is_odd and exponent.is_positive
    }


def is_multiple(e, u, q: Sequence) -> bool:
    """Whether e is a number times u but for roundings of their constants, by one point at which no simple
    expression is 0."""
    at = {x: sympy.Rational(2 * i + 3, 2 * i + 7) for i, x in enumerate(q)}
    there, other = e.subs(at), u.subs(at)
    if other == 0:
        return False
    left, whole = (sympy.expand(x).as_coefficients_dict().values() for x in (e - u * there / other, e))
    return max((abs(float(c)) for c in left), default=0.0) <= KEEPS * max(abs(float(c)) for c in whole)


def check_metric(case: Case, rng: np.random.Generator) -> None:
    """Refuse a metric that is not positive at the corners of the box and at 64 random points, for kappa 0 and
    1. Raises CaseError."""
    f = formulas(case)
    if case.metric.kind == BREGMAN:
        h = expression(case.metric.potential, f.q)
        entries = [sympy.diff(h, x, 2) for x in f.q]
    else:
        entries = metric_entries(case, f.q)
    call = arrays(compiled((*f.q, KAPPA), entries, "numpy"), case.dim)
    corners = np.array(list(itertools.product(*case.box))).T if case.dim <= 8 else np.empty((case.dim, 0))
    q = np.concatenate([corners, case.draw(rng, 64)], axis=1)
    for kappa in (0.0, 1.0):
        values = call(*q, kappa)
        if not np.all(values > 0):
            i, lane = np.argwhere(~(values > 0))[0]
            raise CaseError(
                f"case {case.name}: metric entry {i} is {values[i, lane]:.6g}, must be positive on the box, "
                f"at q = {[float(x) for x in q[:, lane]]}, kappa = {kappa}"
            )
