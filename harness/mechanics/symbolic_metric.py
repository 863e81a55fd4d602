"""The metric of a case as functions of q, with its derivatives and, for mirror descent, the mirror map.

A Bregman case has G = hess h and the mirror map grad h. A diagonal metric is a Hessian when each G_i depends
on q_i alone: h_i' = int G_i dq_i. A metric that is none has a natural gradient and geodesics, but no mirror
descent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import sympy

from noether.cases.case import BREGMAN, Case
from noether.mechanics import theorem
from noether.mechanics.symbolic import KAPPA, formulas, metric_entries
from noether.mechanics.symbolic_exact import arrays, compiled, expression


@dataclass(frozen=True, eq=False)
class Curved:
    """entries(q, kappa) -> G (d, ..);  bend(q, w, kappa) -> sum_j d_i G_j w_j^2 / 2, then sum_j d_j G_i w_j,
                                        (2d, ..)
    geodesic(q, w, kappa) -> the acceleration of a geodesic, G^{-1} (the first of bend less the second times
    w) mirror(q, kappa) -> grad h (d, ..), None where G is no Hessian of a separable h
    """

    entries: Callable
    bend: Callable
    geodesic: Callable
    mirror: Callable | None


def mirror_map(case: Case, q: tuple, G: list) -> list | None:
    """The gradient of h as expressions, of a Bregman metric or where each entry of G is a polynomial of its
    own component; else None."""
    if case.metric.kind == BREGMAN:
        h = expression(case.metric.potential, q)
        return [sympy.diff(h, x) for x in q]
    if any(not g.free_symbols <= {x, KAPPA} or not g.is_polynomial(x) for g, x in zip(G, q, strict=True)):
        return None
    return [sympy.integrate(g, x) for g, x in zip(G, q, strict=True)]


def hessian(case: Case, q: tuple) -> list:
    """The entries of G as expressions, with kappa free."""
    if case.metric.kind == BREGMAN:
        return [sympy.diff(dh, x) for dh, x in zip(mirror_map(case, q, []), q, strict=True)]
    return [sympy.sympify(g) for g in metric_entries(case, q)]


@cache
def bends(case: Case) -> bool:
    """Whether G depends on q at all: on a flat metric all updates are one."""
    q = sympy.symbols(f"q:{case.dim}")
    return any(g.free_symbols & set(q) for g in hessian(case, q))


@cache
def is_entropy(case: Case) -> bool:
    """Whether the potential is the entropy."""
    q = sympy.symbols(f"q:{case.dim}")
    return case.metric.kind == BREGMAN and all(
        sympy.expand(dh - sympy.log(x)) == 0 for dh, x in zip(mirror_map(case, q, []), q, strict=True)
    )


@cache
def curved(case: Case) -> Curved:
    f = formulas(case)
    G = hessian(case, f.q)
    pull = [sympy.Add(*(sympy.diff(g, x) * w * w for g, w in zip(G, f.w, strict=True))) / 2 for x in f.q]
    turn = [theorem.derivative_along(g, f.q, f.w) for g in G]
    d, mirror = case.dim, mirror_map(case, f.q, G)

    def numeric(arguments, expressions):
        return arrays(compiled((*arguments, KAPPA), expressions, "numpy"), len(expressions))

    straight = [(p - t * w) / g for p, t, w, g in zip(pull, turn, f.w, G, strict=True)]
    both = (*f.q, *f.w)
    entries, bend, geodesic = numeric(f.q, G), numeric(both, [*pull, *turn]), numeric(both, straight)
    moved = numeric(f.q, mirror) if mirror and len(mirror) == d else None
    return Curved(
        lambda q, kappa: entries(*q, kappa),
        lambda q, w, kappa: bend(*q, *w, kappa),
        lambda q, w, kappa: geodesic(*q, *w, kappa),
        (lambda q, kappa: moved(*q, kappa)) if moved else None,
    )
