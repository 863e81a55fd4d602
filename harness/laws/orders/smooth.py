"""Whether a loss has its derivatives where an order is measured: on the flow of the loss, which every model
follows.

An order is a statement about derivatives. A root, a logarithm or a denominator that comes to 0 ends it,
though nobody declared a kink there: |u v - 1| written as the root of a square.
"""

from __future__ import annotations

import numpy as np

from noether.laws.orders.runs import CANDIDATES, FINAL, Cell
from noether.mechanics.kinks import singular, touched
from noether.mechanics.symbolic import gradient

# of Runge and Kutta, order 4: eigenvalues are at most 2 in the unit of time (units.py), h lambda 2^-7
STEPS = 512


def loses_derivatives(cell: Cell) -> bool:
    """Whether the flow qdot = -grad f from the cell's starts comes to a point where the loss has no
    derivative before FINAL."""
    if singular(cell.case) is None:
        return False
    g, h = gradient(cell.slowed), FINAL / STEPS
    q = cell.drawn(CANDIDATES)[0]
    path = [q]
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            a = -g(q, 0.0)
            b = -g(q + h / 2 * a, 0.0)
            c = -g(q + h / 2 * b, 0.0)
            d = -g(q + h * c, 0.0)
            q = q + h / 6 * (a + 2 * b + 2 * c + d)
            path.append(q)
        return bool(touched(cell.case, np.stack(path)).any())
