"""Massive models of an optimizer: the equation of motion that a discrete run is compared with.

    m qddot + (c + lambda H(q)) qdot + kappa q + phi g(q) = 0                                        (1)
    as   qdot = (r - c q - lambda phi g(q)) / m,   rdot = -kappa q - phi g(q)                        (2)

(2) is (1) once integrated: no Hessian is needed for a friction that is proportional to it. A model is a
table of named terms, each a part of m, c, lambda, kappa, phi or qdot(0): every one of them is a symbol of the
statement, and is perturbed in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.laws.orders.runs import FINAL


@dataclass(frozen=True, eq=False)
class Term:
    """A part of one field of (1), by the name that it has in the statement; numbers, (sizes,) or, for qdot,
    (d, starts, 1)."""

    name: str
    field: str
    value: np.ndarray | float


FIELDS = ("mass", "friction", "curvature", "spring", "force", "qdot")


@dataclass(frozen=True, eq=False)
class Massive:
    """(1) from its terms, looked at when its own time is `final`."""

    terms: tuple[Term, ...]
    final: float = FINAL

    @property
    def names(self) -> list[str]:
        """Of its terms, each once."""
        return list(dict.fromkeys(term.name for term in self.terms))

    def changed(self, name: str | None, factor: float) -> Massive:
        """With every term of this name times `factor`."""
        value = lambda term: term.value * factor if term.name == name else term.value
        return replace(self, terms=tuple(replace(term, value=value(term)) for term in self.terms))

    def field(self, name: str, shape: tuple) -> np.ndarray:
        """The sum of the terms of a field, in `shape` (sizes,) or (d, starts, sizes)."""
        mine = (term.value for term in self.terms if term.field == name)
        return sum((np.broadcast_to(value, shape) for value in mine), np.zeros(shape))


def massive(final: float = FINAL, **fields: dict[str, np.ndarray | float]) -> Massive:
    """The model with these terms, {name: value} of each field; the force is that of the loss."""
    named = {"force": {"force": 1.0}, **fields}
    return Massive(
        tuple(Term(name, of, value) for of in FIELDS for name, value in named.get(of, {}).items()), final
    )


def rates_of(g, mass, friction, curvature, spring, force):
    """(2) as rates of (q, r); parameters (lanes,)."""

    def rates(x):
        q, r = np.split(x, 2)
        pull = force * g(q)
        return np.concatenate([(r - friction * q - curvature * pull) / mass, -spring * q - pull])

    return rates
