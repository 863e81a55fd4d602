"""From a case's arithmetic to exact formulas: gradient, curvature, metric.

Floats of a case are read as the exact fractions that they are, so that one expression serves numpy, plain
floats, mpmath at 50 digits and exact arithmetic. Nothing is simplified: sympy.simplify takes 5-17 s on a
quotient of eight parameters (sympy 1.14) and nothing here needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import sympy

from noether.cases.case import DIAGONAL, Case, CaseError, Symmetry
from noether.kernels.programs import trace
from noether.mechanics import theorem
from noether.mechanics.symbolic_exact import Exact, arrays, compiled, expression, unwrap
from noether.mechanics.symbolic_gradient import partials

M, MU, EPS, KAPPA, DECAY = sympy.symbols("m mu eps kappa k")
PARAMETERS = (M, MU, EPS, KAPPA, DECAY)


@dataclass(frozen=True, eq=False)
class Formulas:
    """q, w symbols;  loss, breaking expressions;  gradient of loss + eps breaking, d expressions."""

    case: Case
    q: tuple
    w: tuple
    loss: sympy.Expr
    breaking: sympy.Expr
    loss_gradient: tuple
    breaking_gradient: tuple

    @property
    def total_gradient(self) -> list:
        """The gradient of loss + eps breaking, d expressions."""
        return [g + EPS * b for g, b in zip(self.loss_gradient, self.breaking_gradient, strict=True)]

    def generator(self, symmetry: Symmetry, q: Sequence) -> list:
        """The d expressions of xi at q."""
        return [unwrap(x) for x in symmetry.generator([Exact(x) for x in q])]

    def jacobian(self, symmetry: Symmetry) -> list:
        """The matrix A of a symmetry, as exact numbers."""
        return [[unwrap(x) for x in row] for row in symmetry.A]


LONGEST = 2**13
"""Operations of a gradient that is derived as formulas; equations of motion then take ten seconds."""


@cache
def formulas(case: Case) -> Formulas:
    """The formulas of a case as it runs: each float is the fraction that it is."""
    return derived(case)


def derived(case: Case) -> Formulas:
    """The formulas of a case, not kept. Raises CaseError where they would be too long to be of use."""
    if (count := trace.gradient(case).length) > LONGEST:
        raise CaseError(
            f"case {case.name}: its gradient has {count} operations: there are formulas, which equations of "
            f"motion are made of, up to {LONGEST}"
        )
    q = sympy.symbols(f"q:{case.dim}")
    w = sympy.symbols(f"w:{case.dim}")
    loss = expression(case.loss, q)
    breaking = expression(case.breaking, q)
    return Formulas(case, q, w, loss, breaking, tuple(partials(loss, q)), tuple(partials(breaking, q)))


@cache
def gradient(case: Case) -> Callable:
    """The function g(q, eps) -> (d, lanes) for q (d, lanes), in numpy."""
    f = formulas(case)
    call = arrays(compiled((*f.q, EPS), f.total_gradient, "numpy"), case.dim)
    return lambda q, eps: call(*q, eps)


@cache
def hessian_product(case: Case) -> Callable:
    """The function (q, eps, w) -> H w, (d, lanes), in numpy."""
    f = formulas(case)
    along = partials(theorem.inner(f.total_gradient, f.w), f.q)
    call = arrays(compiled((*f.q, EPS, *f.w), along, "numpy"), case.dim)
    return lambda q, eps, w: call(*q, eps, *w)


@cache
def curvature(case: Case) -> Callable:
    """The function (q, eps, w) -> (H w, f'''(w, w)), each (d, lanes), in numpy."""
    f = formulas(case)
    first = partials(theorem.inner(f.total_gradient, f.w), f.q)  # H and the third derivative are symmetric
    second = partials(theorem.inner(first, f.w), f.q)
    call = arrays(compiled((*f.q, EPS, *f.w), first + second, "numpy"), 2 * case.dim)

    def both(q, eps, w):
        out = call(*q, eps, *w)
        return out[: case.dim], out[case.dim :]

    return both


def metric_entries(case: Case, q: Sequence) -> list:
    """The d entries of the metric as expressions."""
    if case.metric.kind == DIAGONAL:
        return expression(case.metric.entries, q, KAPPA)
    return [sympy.Integer(1)] * case.dim


@cache
def metric(case: Case) -> Callable:
    """The function G(q, kappa) -> (d, lanes), in numpy."""
    f = formulas(case)
    call = arrays(compiled((*f.q, KAPPA), metric_entries(case, f.q), "numpy"), case.dim)
    return lambda q, kappa: call(*q, kappa)


ASKED = 1000  # operations of an expression of which sympy is asked whether it has one sign


def zeros_of(e) -> set:
    """Expressions whose zeros are those of e: the factors of a product, the base of a power."""
    if e.is_Mul:
        return set().union(*(zeros_of(x) for x in e.args))
    if e.is_Pow:
        return zeros_of(e.base) if not e.exp.is_negative else set()
    return {e} if e.free_symbols and not never_zero(e) else set()


def never_zero(e) -> bool:
    """Whether an expression has one sign at all real points, as sympy knows of 1 + r^2, or of an exponential.
    False where it is not known, and of what is too long to be asked."""
    if e.count_ops() > ASKED:
        return False
    real = e.xreplace({x: sympy.Symbol(x.name, real=True) for x in e.free_symbols})
    return bool(real.is_positive or real.is_negative)
