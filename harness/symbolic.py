"""From a case's arithmetic to formulas: gradient, mechanics, and the proof that the loss is invariant.

Floats of a case are read as the exact rationals that they are, so that one expression serves numpy, plain
floats, mpmath at 50 digits and exact fractions. Nothing is simplified: sympy.simplify takes 5-17 s on a
quotient of eight parameters (sympy 1.14) and nothing here needs it.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import sympy
from sympy.codegen.cfunctions import log1p

from cases.case import BREGMAN, DIAGONAL, Case, CaseError, Symmetry
from harness import theorem

DIGITS = 50
POINTS = 3
M, MU, EPS, KAPPA = sympy.symbols("m mu eps kappa")
PARAMETERS = (M, MU, EPS, KAPPA)
# The parts of a charge's source, in the order in which theorem.py writes them. "breaking" is eps times the
# breaking potential's share of "potential", "deformed" is what kappa adds to "generator" + "metric".
PARTS = ("generator", "metric", "potential", "breaking", "deformed")
TOTAL = ("generator", "metric", "potential")
MU_OFF = sympy.Rational(1, 1000)


class FalseSymmetry(CaseError):
    """The declared generator does not leave the loss invariant."""


@dataclass(frozen=True)
class Proof:
    """<grad f, xi> = 0 at `points` random points: exactly (fractions), or to `relative` at 50 digits."""

    case: str
    symmetry: str
    points: int
    exact: bool
    relative: float
    broken: float  # largest |<grad b, xi>| / (|grad b| |xi|); 0 when b keeps this symmetry


def rational(number):
    """A number of a case file as the binary fraction that it is."""
    return sympy.Rational(Fraction(number)) if isinstance(number, float) else sympy.sympify(number)


class Exact:
    """A sympy expression that turns the floats it meets into fractions first.

    sympy adds and divides Floats among themselves at 15 digits (1.14): a false constant at 1e-16, enough to
    make the proof at 50 digits fail.
    """

    __slots__ = ("expression",)

    def __init__(self, expression):
        self.expression = expression

    def __neg__(self):
        return Exact(-self.expression)

    def __pow__(self, n):
        return Exact(self.expression ** unwrap(n))


def unwrap(x):
    return x.expression if isinstance(x, Exact) else rational(x)


def lift(operation: Callable) -> tuple[Callable, Callable]:
    return (
        lambda self, other: Exact(operation(self.expression, unwrap(other))),
        lambda self, other: Exact(operation(unwrap(other), self.expression)),
    )


for _name in ("add", "sub", "mul", "truediv"):
    _forward, _reflected = lift(getattr(operator, _name))
    setattr(Exact, f"__{_name}__", _forward)
    setattr(Exact, f"__r{_name}__", _reflected)


class ExactNamespace:
    """The namespace `xp` of a case, over Exact."""

    exp = staticmethod(lambda x: Exact(sympy.exp(unwrap(x))))
    log = staticmethod(lambda x: Exact(sympy.log(unwrap(x))))
    sqrt = staticmethod(lambda x: Exact(sympy.sqrt(unwrap(x))))


def expression(function: Callable, q: Sequence, *between):
    """function(q, *between, xp) of a case file as a sympy expression, or a list of them."""
    out = function([Exact(x) for x in q], *(Exact(x) for x in between), ExactNamespace)
    return [unwrap(x) for x in out] if isinstance(out, list | tuple) else unwrap(out)


def compiled(arguments: Sequence, expressions: Sequence, module: str) -> Callable:
    """A function of `arguments` returning a list; module numpy (arrays), math (plain floats) or mpmath."""
    return sympy.lambdify(arguments, list(expressions), modules=module, cse=True)


def arrays(function: Callable, count: int) -> Callable:
    """`function` with its list stacked into (count, lanes): constants are spread over the lanes.

    The first argument has the full shape and the dtype, float or complex; later ones broadcast to it.
    """

    def call(*arguments):
        out = np.empty((count, *arguments[0].shape), dtype=arguments[0].dtype)
        for i, value in enumerate(function(*arguments)):
            out[i] = value
        return out

    return call


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
        return [g + EPS * b for g, b in zip(self.loss_gradient, self.breaking_gradient, strict=True)]

    def generator(self, symmetry: Symmetry, q: Sequence) -> list:
        return [unwrap(x) for x in symmetry.generator([Exact(x) for x in q])]

    def jacobian(self, symmetry: Symmetry) -> list:
        return [[rational(x) for x in row] for row in symmetry.A]


@cache
def formulas(case: Case) -> Formulas:
    q = sympy.symbols(f"q:{case.dim}", real=True)
    w = sympy.symbols(f"w:{case.dim}", real=True)
    loss = expression(case.loss, q)
    breaking = expression(case.breaking, q)
    return Formulas(case, q, w, loss, breaking, tuple(sympy.diff(loss, x) for x in q), tuple(sympy.diff(breaking, x) for x in q))


@cache
def gradient(case: Case) -> Callable:
    """g(q, eps) -> (d, lanes) for q (d, lanes), numpy."""
    f = formulas(case)
    call = arrays(compiled((*f.q, EPS), f.total_gradient, "numpy"), case.dim)
    return lambda q, eps: call(*q, eps)


@cache
def curvature(case: Case) -> Callable:
    """(H w, f'''(w, w)) at (q, eps, w), each (d, lanes), numpy."""
    f = formulas(case)
    first = [theorem.derivative_along(g, f.q, f.w) for g in f.total_gradient]
    second = [theorem.derivative_along(g, f.q, f.w) for g in first]
    call = arrays(compiled((*f.q, EPS, *f.w), first + second, "numpy"), 2 * case.dim)

    def both(q, eps, w):
        out = call(*q, eps, *w)
        return out[: case.dim], out[case.dim :]

    return both


@dataclass(frozen=True, eq=False)
class Mechanics:
    """Equations of motion of 2d coordinates x, and of the sources of each charge per unit mass.

    x            (q, p) with p = G qdot for a metric, (q, qdot) for Bregman
    field        numpy: field(*x, m, mu, eps, kappa) -> (2d + sources, ...) rates, then the sources
    complete     plain floats: complete(*x, *z, m, mu, eps, kappa) -> the rates of x and of the damped integrals
                 z of flow.py (1): one per source, then S with friction mu (1 + MU_OFF), the control, per symmetry
    parts        parts[symmetry index][name] -> index among the sources (absent when identically zero)
    charges      compiled numpy: j = J/m of every symmetry, then sum |p_i xi_i| of every symmetry
    """

    case: Case
    bregman: bool
    dim: int
    field: Callable
    complete: Callable
    parts: tuple
    sources: int
    charges: Callable


def metric_entries(case: Case, q: Sequence) -> list:
    if case.metric.kind == DIAGONAL:
        return expression(case.metric.entries, q, KAPPA)
    return [sympy.Integer(1)] * case.dim


@cache
def mechanics(case: Case) -> Mechanics:
    """The equations of motion of theorem.py, (2) or (7), with the sources (4a), (4b), (5) or (8) over m."""
    build = bregman_terms if case.metric.kind == BREGMAN else metric_terms
    x, rates, terms, charges = build(case, formulas(case))
    sources, parts = [], []
    for named in terms:
        where = {}
        for name in PARTS:
            if named[name] != 0:
                where[name] = len(sources)
                sources.append(named[name] / M)
        parts.append(where)
    totals = [theorem.inner([1] * len(TOTAL), [sources[w[n]] if n in w else sympy.Integer(0) for n in TOTAL]) for w in parts]
    z = sympy.symbols(f"z:{len(sources) + len(parts)}")
    frictions = [MU] * len(sources) + [MU * (1 + MU_OFF)] * len(parts)
    integrals = [source - friction / M * y for source, friction, y in zip(sources + totals, frictions, z, strict=True)]
    return Mechanics(
        case=case,
        bregman=case.metric.kind == BREGMAN,
        dim=case.dim,
        field=arrays(compiled((*x, *PARAMETERS), [*rates, *sources], "numpy"), len(rates) + len(sources)),
        complete=compiled((*x, *z, *PARAMETERS), [*rates, *integrals], "math"),
        parts=tuple(parts),
        sources=len(sources),
        charges=arrays(compiled((*x, *PARAMETERS), charges, "numpy"), len(charges)),
    )


@cache
def metric(case: Case) -> Callable:
    """G(q, kappa) -> (d, lanes), numpy."""
    f = formulas(case)
    call = arrays(compiled((*f.q, KAPPA), metric_entries(case, f.q), "numpy"), case.dim)
    return lambda q, kappa: call(*q, kappa)


def metric_terms(case: Case, f: Formulas):
    p, v = sympy.symbols(f"p:{case.dim}", real=True), f.w
    G = metric_entries(case, f.q)
    velocity = {y: momentum / g for y, momentum, g in zip(v, p, G, strict=True)}
    rates = [velocity[y] for y in v] + theorem.momentum_rate(G, f.q, v, f.total_gradient, M, MU)
    terms, charges, sizes = [], [], []
    for symmetry in case.symmetries:
        xi = f.generator(symmetry, f.q)
        named = {
            "generator": theorem.generator_breaking(G, v, M, f.jacobian(symmetry)),
            "metric": theorem.metric_breaking(G, f.q, v, M, xi),
            "potential": theorem.potential_term(f.total_gradient, xi),
            "breaking": EPS * theorem.potential_term(f.breaking_gradient, xi),
        }
        kinetic = named["generator"] + named["metric"]
        if case.metric.kind == DIAGONAL and sympy.expand(sympy.diff(kinetic, KAPPA, 2)) == 0:
            named["deformed"] = KAPPA * sympy.diff(kinetic, KAPPA)  # exact, and free of cancellation, for linear kappa
        else:
            named["deformed"] = kinetic - kinetic.xreplace({KAPPA: sympy.Integer(0)})
        terms.append({name: sympy.sympify(e).xreplace(velocity) for name, e in named.items()})
        charges.append(theorem.inner(p, xi))
        sizes.append(absolute(p, xi))
    return (*f.q, *p), [r.xreplace(velocity) for r in rates], terms, charges + sizes


def bregman_terms(case: Case, f: Formulas):
    h = expression(case.metric.potential, f.q)
    grad_h = [sympy.diff(h, x) for x in f.q]
    if any(g.has(x) for i, g in enumerate(grad_h) for j, x in enumerate(f.q) if i != j):
        raise CaseError(f"case {case.name}: the Bregman potential is not separable: it must be sum_i h_i(q_i)")
    v = list(f.w)
    Q = [x + M * y for x, y in zip(f.q, v, strict=True)]
    delta = [
        # log(q + m v) - log q loses u/m, and u/m^2 in the sources: enough to stop LSODA at m = 1e-4.
        log1p(M * y / x) if sympy.expand(D - sympy.log(X) + sympy.log(x)) == 0 else D
        for D, x, y, X in zip(theorem.bregman_momentum(grad_h, f.q, Q), f.q, v, Q, strict=True)
    ]
    moved = theorem.bregman_rate(grad_h, delta, f.q, Q, f.total_gradient, M, MU)
    rates = v + [(r - y) / M for r, y in zip(moved, v, strict=True)]
    terms, charges, sizes = [], [], []
    for symmetry in case.symmetries:
        xi = f.generator(symmetry, f.q)
        terms.append({
            "generator": theorem.bregman_generator_breaking(delta, v, f.jacobian(symmetry)),
            "metric": theorem.bregman_curvature_breaking(delta, grad_h, f.q, v, M, xi),
            "potential": theorem.potential_term(f.total_gradient, xi),
            "breaking": EPS * theorem.potential_term(f.breaking_gradient, xi),
            "deformed": sympy.Integer(0),
        })
        charges.append(theorem.inner(delta, xi) / M)
        sizes.append(absolute(delta, xi) / M)
    return (*f.q, *v), rates, terms, charges + sizes


def absolute(p: Sequence, xi: Sequence):
    """sum_i |p_i xi_i|: what the rounding of the charge is relative to."""
    return theorem.inner([sympy.Abs(x) for x in p], [sympy.Abs(x) for x in xi])


def random_rationals(case: Case, rng: np.random.Generator) -> list[Fraction]:
    return [
        Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(int(rng.integers(1, 1009)), 1009)
        for low, high in case.box
    ]


def at_points(case: Case, expressions: Sequence, points: Sequence[Sequence[Fraction]], exact: bool) -> list[list]:
    """Values at rational points: sympy Rationals, or mpmath numbers of DIGITS digits."""
    f = formulas(case)
    if exact:
        return [[e.xreplace({x: sympy.Rational(c) for x, c in zip(f.q, p, strict=True)}) for e in expressions] for p in points]
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
    """Raises FalseSymmetry, or CaseError when the breaking breaks nothing or the metric is not positive."""
    f, rng = formulas(case), np.random.default_rng(seed)
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
            # 50 digits lose fewer than 10 to d products and to exp and log of box values: 1e-40 is zero.
            if (exact and value != 0) or relative > mpmath.mpf(10) ** -40:
                where = ", ".join(str(x) for x in point)
                raise FalseSymmetry(
                    f"case {case.name}: symmetry {symmetry.name} is false: <grad f, xi> is {float(value):.6g} "
                    f"({float(relative):.3g} of |grad f||xi|), must be 0, at q = ({where})"
                )
            worst = max(worst, relative)
            broken = max(broken, pairing(b, xi)[1])
        proofs.append(Proof(case.name, symmetry.name, POINTS, exact, float(worst), float(broken)))
    if max(p.broken for p in proofs) < 1e-3:
        raise CaseError(f"case {case.name}: breaking keeps every declared symmetry: it must break at least one")
    check_metric(case, rng)
    return proofs


def check_metric(case: Case, rng: np.random.Generator) -> None:
    """G (or hess h) positive at the corners of the box and at 64 random points, kappa 0 and 1."""
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
