"""From the formulas of symbolic_mechanics.py to a system of heyoka, which compiles Taylor's method for it.

heyoka's SymPy import refuses what it cannot take exactly: a fraction whose denominator is no power of two,
and it knows no log1p. Both are handed to it beforehand: the fraction divided in 128 bits, log1p as heyoka's
own. Source: Biscani, Izzo, Revisiting high-order Taylor methods for astrodynamics and celestial mechanics
(2021); heyoka.py 7.13.2, from_sympy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy
from sympy.codegen.cfunctions import log1p

from noether.mechanics.symbolic import MU, PARAMETERS, M
from noether.mechanics.symbolic_mechanics import Equations

KNOWN = (sympy.Symbol, sympy.Number, sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, log1p)


@dataclass(frozen=True)
class Needs:
    """What must be handed to the import: fractions that are not binary, log1p's from the inside out."""

    fractions: tuple
    logarithms: tuple


def needs(expressions: Iterable) -> Needs:
    """Raises ValueError where an expression has something that no kernel arithmetic makes."""
    fractions, logarithms = set(), set()
    for expression in expressions:
        for node in sympy.preorder_traversal(expression):
            if not isinstance(node, KNOWN):
                raise ValueError(
                    f"{type(node).__name__} in an equation of motion: the import knows "
                    f"{', '.join(k.__name__ for k in KNOWN)}"
                )
            if isinstance(node, sympy.Rational) and node.q & (node.q - 1):
                fractions.add(node)
            if isinstance(node, log1p):
                logarithms.add(node)
    return Needs(
        tuple(sorted(fractions)), tuple(sorted(logarithms, key=lambda e: (sympy.count_ops(e), str(e))))
    )


def complete(equations: Equations) -> tuple[tuple, tuple]:
    """The state (x, z) and its rates: beside x a damped integral for each source, flow.py (1), and one of the
    power (theory.md#T4)."""
    z = sympy.symbols(f"z:{len(equations.sources) + len(equations.power)}")
    integrals = tuple(source - MU / M * y for source, y in zip(equations.sources, z, strict=False))
    return (*equations.x, *z), (*equations.rates, *integrals, *equations.power)


def system(hy, state: Sequence, rates: Sequence) -> list:
    """[(variable, rate)] of heyoka; the parameters m, mu, eps, kappa, k are its par[0] to par[4]."""
    known = {s: hy.expression(s.name) for s in state} | {p: hy.par[i] for i, p in enumerate(PARAMETERS)}
    rates = [sympy.sympify(r) for r in rates]
    wanted = needs(rates)
    for x in wanted.fractions:
        known[x] = hy.expression(hy.real128(str(x.p)) / hy.real128(str(x.q)))
    for x in wanted.logarithms:
        known[x] = hy.log1p(hy.from_sympy(x.args[0], dict(known)))
    return [(known[s], hy.from_sympy(r, dict(known))) for s, r in zip(state, rates, strict=True)]
