"""Kinks of a loss on the way of a solution: there statements about solutions end (theory.md section 8).

A solution that meets a kink is no smoother than its force, which jumps there: no method has its order, and no
1e-12 is to be had. Kinks are declared by the case; where a root, a logarithm or a quotient has none is read
off its formulas: sqrt(r * r) is as much a kink at r = 0 as a step is. Decided by a reference that no verdict
is about, a solution of the same equations at a loose tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import sympy

from noether.cases.case import BREGMAN, Case
from noether.kernels.programs.namespaces import NUMPY
from noether.mechanics.symbolic import KAPPA, formulas, metric_entries, zeros_of
from noether.mechanics.symbolic_exact import arrays, compiled, expression


class Kinked(RuntimeError):
    """Raised when a reference trajectory meets a kink: what a cell would say of its solution is outside."""


def arguments(case: Case, q: np.ndarray) -> np.ndarray:
    """The values of case.kinks along q (n, d, lanes), (n, kinks, lanes)."""
    shape = (q.shape[0], q.shape[2])
    found = [np.broadcast_to(x, shape) for x in case.kinks(list(np.moveaxis(q, 1, 0)), NUMPY)]
    return np.stack(found, axis=1) if found else np.empty((shape[0], 0, shape[1]))


def met(case: Case, q: np.ndarray) -> np.ndarray:
    """(lanes,) whether an argument changes its sign along q, or comes so near 0 that it may have between two
    rows.

    Near: below half of what it moves by in the interval before or after.
    """
    u = arguments(case, q)
    reach = np.abs(np.diff(u, axis=0)) / 2
    before, after = np.abs(u[:-1]) <= reach, np.abs(u[1:]) <= reach
    changed = np.sign(u[1:]) != np.sign(u[:-1])
    return (changed | before | after).any(axis=(0, 1))


@cache
def singular(case: Case) -> Callable | None:
    """call(q) -> (n, k, lanes) of what has no derivative where it is 0: under roots and logarithms, in
    denominators.

    The entries of the metric are denominators: the equation of motion divides by them.
    """
    f = formulas(case)
    h = expression(case.metric.potential, f.q) if case.metric.kind == BREGMAN else None
    entries = (
        [sympy.diff(h, x, 2) for x in f.q]
        if h is not None
        else [sympy.sympify(x) for x in metric_entries(case, f.q)]
    )
    curved = [h] if h is not None else entries
    whole = [sympy.sympify(x) for x in (f.loss, f.breaking, *curved)]
    bases = [
        x.base for e in whole for x in e.atoms(sympy.Pow) if not (x.exp.is_Integer and x.exp.is_positive)
    ]
    bases += [x.args[0] for e in whole for x in e.atoms(sympy.log)]
    found = sorted(set().union(*(zeros_of(b) for b in (*bases, *entries))), key=str)
    found = [x for x in found if KAPPA not in x.free_symbols]
    if not found:
        return None
    call = arrays(compiled(f.q, found, "numpy"), len(found))
    return lambda q: call(*np.moveaxis(q, 1, 0)).swapaxes(0, 1)


def touched(case: Case, q: np.ndarray) -> np.ndarray:
    """(lanes,) whether something that must not be 0 changes its sign along q (n, d, lanes), or turns back
    next to 0.

    Next to: below half of what it moves by in the interval before and in the one after. What only grows or
    only shrinks towards 0 has not met it.
    """
    call = singular(case)
    if call is None:
        return np.zeros(q.shape[2], dtype=bool)
    with np.errstate(all="ignore"):
        u = call(q)
    size = np.abs(u)
    fall, rise = (size[:-1] - size[1:])[:-1], (size[1:] - size[:-1])[1:]
    turned = (fall >= 2 * size[1:-1]) & (rise >= 2 * size[1:-1])
    return (np.sign(u[1:]) != np.sign(u[:-1])).any(axis=(0, 1)) | turned.any(axis=(0, 1))


def require_smooth(case: Case, q: np.ndarray, times: np.ndarray) -> None:
    """Refuse a reference that meets a kink, declared or not: q (n, d, lanes) at times (n, lanes). Raises
    Kinked."""
    kinds = [("meets a kink", met)] if case.kinks else []
    for told, meets in (*kinds, ("comes to a point where the loss has no derivative", touched)):
        lanes = np.flatnonzero(meets(case, q))
        if len(lanes):
            lane = int(lanes[0])
            upto = next(n for n in range(2, len(q) + 1) if meets(case, q[:n, :, lane : lane + 1])[0])
            raise Kinked(
                f"the reference {told} before t = {times[upto - 1, lane]:.3g} in lane {lane}; {len(lanes)} "
                f"of {q.shape[2]} lanes do"
            )
