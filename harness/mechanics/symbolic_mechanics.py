"""The equations of motion of a case and the sources of its charges, compiled from
harness/mechanics/theorem.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import sympy
from sympy.codegen.cfunctions import log1p

from noether.cases.case import BREGMAN, DIAGONAL, Case, CaseError, Symmetry
from noether.mechanics import theorem
from noether.mechanics.symbolic import (
    DECAY,
    EPS,
    KAPPA,
    MU,
    PARAMETERS,
    Formulas,
    M,
    formulas,
    metric_entries,
)
from noether.mechanics.symbolic_exact import Exact, arrays, compiled, expression, unwrap

# The parts of a charge's source, in the order in which theorem.py writes them. "breaking" is eps times the
# breaking potential's share of "potential", "decay" that of weak decay, "deformed" what kappa adds to
# "generator" + "metric".
PARTS = ("generator", "metric", "potential", "breaking", "decay", "deformed")
TOTAL = ("generator", "metric", "potential")
MU_OFF = sympy.Rational(1, 1000)


@dataclass(frozen=True, eq=False)
class Mechanics:
    """Equations of motion of 2d coordinates x, and of the sources of each charge per unit mass.

    x            (q, p) with p = G qdot for a metric, (q, qdot) for Bregman
    rates        numpy: rates(*x, m, mu, eps, kappa, k) -> (2d, ...)
    field        numpy, of the same -> (2d + sources, ...) rates, the same to the bit, then the sources
    integrals    arguments (*x, *z, m, mu, eps, kappa, k) and expressions: the rates of x and of the damped
                 integrals z of flow.py (1): one per source, then S with friction mu (1 + MU_OFF), the fault,
                 per symmetry; last the undamped integral of <qdot, G qdot> (theory.md#T4), for a metric
    parts        parts[symmetry index][name] -> index among the sources (absent when identically zero)
    charges      compiled numpy: j = J/m of every symmetry, then sum |p_i xi_i| of every symmetry
    powers       how many undamped integrals z ends with: 1 for a metric, 0 for Bregman
    energy       compiled numpy, for a metric: T, f, and T without its metric
    """

    case: Case
    bregman: bool
    dim: int
    rates: Callable
    field: Callable
    integrals: tuple
    parts: tuple
    sources: int
    charges: Callable
    powers: int
    energy: Callable | None

    @cached_property
    def complete(self) -> Callable:
        """`integrals` over plain floats, compiled when LSODA asks: a run at m = 1 does not."""
        return compiled(*self.integrals, "math")


@dataclass(frozen=True, eq=False)
class Equations:
    """What is compiled, as expressions of x and PARAMETERS.

    The rates of x, the sources, the charges and their sizes, and for a metric the power (9) and the energies
    T, f and T without its metric.
    """

    x: tuple
    rates: tuple
    sources: tuple
    parts: tuple
    charges: tuple
    power: tuple
    energy: tuple


@cache
def equations(case: Case) -> Equations:
    """The equations of motion of a case: (2) or (7) of theorem.py, its sources (4a), (4b), (5) or (8) over m,
    and (9)."""
    build = bregman_terms if case.metric.kind == BREGMAN else metric_terms
    x, rates, terms, charges, power, energy = build(case, formulas(case))
    sources, parts = [], []
    for named in terms:
        where = {}
        for name in PARTS:
            if named[name] != 0:
                where[name] = len(sources)
                sources.append(named[name] / M)
        parts.append(where)
    return Equations(*map(tuple, (x, rates, sources, parts, charges, power, energy)))


@cache
def mechanics(case: Case) -> Mechanics:
    """The equations of a case, compiled for numpy and for plain floats."""
    e = equations(case)
    of_total = lambda where: [e.sources[where[n]] if n in where else sympy.Integer(0) for n in TOTAL]
    totals = [theorem.inner([1] * len(TOTAL), of_total(where)) for where in e.parts]
    z = sympy.symbols(f"z:{len(e.sources) + len(e.parts)}")
    frictions = [MU] * len(e.sources) + [MU * (1 + MU_OFF)] * len(e.parts)
    damped = zip([*e.sources, *totals], frictions, z, strict=True)
    integrals = [source - friction / M * y for source, friction, y in damped]
    numpy = lambda outputs: arrays(compiled((*e.x, *PARAMETERS), outputs, "numpy"), len(outputs))
    w = sympy.symbols(f"w:{len(e.power)}")
    return Mechanics(
        case=case,
        bregman=case.metric.kind == BREGMAN,
        dim=case.dim,
        rates=numpy(e.rates),
        field=numpy([*e.rates, *e.sources, *e.power]),
        integrals=((*e.x, *z, *w, *PARAMETERS), [*e.rates, *integrals, *e.power]),
        parts=e.parts,
        sources=len(e.sources),
        charges=numpy(e.charges),
        powers=len(e.power),
        energy=numpy(e.energy) if e.energy else None,
    )


def metric_terms(case: Case, f: Formulas) -> tuple:
    """x, rates, terms, charges with their sizes, power and energies of a metric, for `equations`."""
    p, v = sympy.symbols(f"p:{case.dim}"), f.w
    G = metric_entries(case, f.q)
    velocity = {y: momentum / g for y, momentum, g in zip(v, p, G, strict=True)}
    pull = theorem.decayed(f.total_gradient, f.q, DECAY)
    rates = [velocity[y] for y in v] + theorem.momentum_rate(G, f.q, v, pull, M, MU)
    terms, charges, sizes = [], [], []
    for symmetry in case.symmetries:
        xi = f.generator(symmetry, f.q)
        named = {
            "generator": theorem.generator_breaking(G, v, M, f.jacobian(symmetry)),
            "metric": theorem.metric_breaking(G, f.q, v, M, xi),
            "potential": theorem.potential_term(pull, xi),
            "breaking": EPS * theorem.potential_term(f.breaking_gradient, xi),
            "decay": DECAY * theorem.potential_term(f.q, xi),
        }
        kinetic = named["generator"] + named["metric"]
        if case.metric.kind == DIAGONAL and sympy.expand(sympy.diff(kinetic, KAPPA, 2)) == 0:
            # Exact, and free of cancellation, where kappa is linear.
            named["deformed"] = KAPPA * sympy.diff(kinetic, KAPPA)
        else:
            named["deformed"] = kinetic - kinetic.xreplace({KAPPA: sympy.Integer(0)})
        terms.append({name: sympy.sympify(e).xreplace(velocity) for name, e in named.items()})
        charges.append(theorem.inner(p, xi))
        sizes.append(size_of_charge(p, symmetry, f.q))
    kinetic = theorem.kinetic_energy(G, v, M)
    potential = f.loss + EPS * f.breaking + DECAY * theorem.inner(f.q, f.q) / 2
    energy = [kinetic, potential, theorem.kinetic_energy([1] * len(G), v, M)]
    of_momenta = lambda expressions: [sympy.sympify(e).xreplace(velocity) for e in expressions]
    power = of_momenta([2 * kinetic / M])  # (9)
    return (*f.q, *p), of_momenta(rates), terms, charges + sizes, power, of_momenta(energy)


def bregman_terms(case: Case, f: Formulas) -> tuple:
    """x, rates, terms and charges with their sizes of a Bregman metric, for `equations`.

    Raises CaseError for a potential that is not a sum of one for each parameter.
    """
    h = expression(case.metric.potential, f.q)
    grad_h = [sympy.diff(h, x) for x in f.q]
    if any(g.has(x) for i, g in enumerate(grad_h) for j, x in enumerate(f.q) if i != j):
        raise CaseError(
            f"case {case.name}: the Bregman potential is not separable: it must be sum_i h_i(q_i)"
        )
    v = list(f.w)
    Q = [x + M * y for x, y in zip(f.q, v, strict=True)]
    # log(q + m v) - log q loses u/m, and u/m^2 in the sources: enough to stop LSODA at m = 1e-4.
    delta = [
        log1p(M * y / x) if sympy.expand(D - sympy.log(X) + sympy.log(x)) == 0 else expanded(D, y)
        for D, x, y, X in zip(theorem.bregman_momentum(grad_h, f.q, Q), f.q, v, Q, strict=True)
    ]
    pull = theorem.decayed(f.total_gradient, f.q, DECAY)
    moved = theorem.bregman_rate(grad_h, delta, f.q, Q, pull, M, MU)
    rates = v + [(r - y) / M for r, y in zip(moved, v, strict=True)]
    terms, charges, sizes = [], [], []
    for symmetry in case.symmetries:
        xi = f.generator(symmetry, f.q)
        terms.append(
            {
                "generator": theorem.bregman_generator_breaking(delta, v, f.jacobian(symmetry)),
                "metric": theorem.bregman_curvature_breaking(delta, grad_h, f.q, v, M, xi),
                "potential": theorem.potential_term(pull, xi),
                "breaking": EPS * theorem.potential_term(f.breaking_gradient, xi),
                "decay": DECAY * theorem.potential_term(f.q, xi),
                "deformed": sympy.Integer(0),
            }
        )
        charges.append(theorem.inner(delta, xi) / M)
        sizes.append(size_of_charge(delta, symmetry, f.q) / M)
    return (*f.q, *v), rates, terms, charges + sizes, [], []


def expanded(D, velocity):
    """A difference of powers, (q + m v)^n - q^n, without its cancellation: q^n drops out."""
    return sympy.expand(D) if D.is_polynomial(velocity) else D


def size_of_charge(p: Sequence, symmetry: Symmetry, q: Sequence):
    """sum_i |p_i| (sum_j |A_ij q_j| + |a_i|): what the rounding of the charge is relative to.

    Term by term: of a rotation about a point far away A q and a cancel, and leave their roundings.
    """
    rows = tuple(tuple(abs(x) for x in row) for row in symmetry.A)
    sizes = replace(symmetry, A=rows, a=tuple(abs(x) for x in symmetry.a))
    at = [unwrap(x) for x in sizes.generator([Exact(sympy.Abs(x)) for x in q])]
    return theorem.inner([sympy.Abs(x) for x in p], at)
