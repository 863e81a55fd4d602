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


@dataclass(frozen=True, eq=False)
class Term:
    """A part of one field of (1), by the name that it has in the statement; numbers, (sizes,) or, for qdot,
    (d, starts, 1)."""

    name: str
    field: str
    value: np.ndarray | float


FIELDS = ("mass", "friction", "curvature", "spring", "force", "qdot")
FORCE = Term("force", "force", 1.0)


def changed(model: tuple[Term, ...], name: str, factor: float) -> tuple[Term, ...]:
    """The model with every term of this name times `factor`."""
    return tuple(replace(t, value=t.value * factor) if t.name == name else t for t in model)


def field(model: tuple[Term, ...], name: str, shape: tuple) -> np.ndarray:
    """The sum of the terms of a field, in `shape` (sizes,) or (d, starts, sizes)."""
    return sum((np.broadcast_to(t.value, shape) for t in model if t.field == name), np.zeros(shape))


def massive(g, mass, friction, curvature, spring, force):
    """(2) as rates of (q, r); parameters (lanes,)."""

    def rates(x):
        q, r = np.split(x, 2)
        pull = force * g(q)
        return np.concatenate([(r - friction * q - curvature * pull) / mass, -spring * q - pull])

    return rates
