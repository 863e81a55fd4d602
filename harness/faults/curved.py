"""Faults of rules with a metric of their own: the wrong metric, at the wrong point, or for the wrong buffer.

    p' = beta p - eta (g + k q),   q' = q + p' / G(q, kappa)

A step is given G(q) as the last entries of its parameters (noether.kernels.programs.numpy_step.Reader).
"""

from __future__ import annotations

import numpy as np

from noether.faults.fault import HISTORY, NEAR, Fault, on, rolled, scaled
from noether.kernels.programs.numpy_step import step

WRONG_METRIC = "wrong metric"
MOVING = on(metric="diagonal")


def apart(params: list, q: list) -> tuple[list, list]:
    """The numbers of a step without the entries of G(q), and these."""
    return params[: -len(q)], params[-len(q) :]


def measured(change):
    """The step with other entries of the metric: change(G) -> list of d arrays."""

    def advance(n, q, v, params, gradient, rule, precision):
        own, G = apart(params, q)
        changed = [np.asarray(x, y.dtype) for x, y in zip(change(G), G, strict=True)]
        return step(q, v, [*own, *changed], gradient, rule, precision)

    return advance


def one_step_late():
    """A step with G(q_{n-1}) for G(q_n)."""
    past: list = []

    def advance(n, q, v, params, gradient, rule, precision):
        own, G = apart(params, q)
        old = past.pop() if past and n > 1 else G
        past[:] = [G]
        return step(q, v, [*own, *old], gradient, rule, precision)

    return advance


def as_velocity():
    """A step with beta G(q_n) p / G(q_{n-1}) for beta p: what it keeps is the velocity p / G, which the
    metric of the next step makes a momentum."""
    past: list = []

    def advance(n, q, v, params, gradient, rule, precision):
        entries = apart(params, q)[1]
        old = past.pop() if past and n > 1 else entries
        past[:] = [entries]
        carried = [(x * G / H).astype(x.dtype) for x, G, H in zip(v, entries, old, strict=True)]
        return step(q, carried, params, gradient, rule, precision)

    return advance


FAULTS = (
    Fault(
        "metric ignored",
        WRONG_METRIC,
        "q' = q + p'",
        applies=MOVING,
        advance=measured(lambda G: [np.ones_like(x) for x in G]),
    ),
    Fault(
        "metric times p",
        WRONG_METRIC,
        "G p' for p' / G",
        applies=MOVING,
        advance=measured(lambda G: [1 / x for x in G]),
    ),
    Fault(
        "root of the metric",
        WRONG_METRIC,
        "p' / sqrt G, as adaptive rules have it",
        applies=MOVING,
        advance=measured(lambda G: [np.sqrt(x) for x in G]),
    ),
    Fault(
        "metric x (1 + 2^-10)",
        WRONG_METRIC,
        "(1 + 2^-10) G for G",
        applies=MOVING,
        advance=measured(lambda G: [x.dtype.type(NEAR) * x for x in G]),
    ),
    Fault(
        "metric of the next component",
        WRONG_METRIC,
        "G_(i+1) for G_i",
        applies=MOVING,
        advance=measured(rolled),
    ),
    Fault(
        "kappa x (1 + 2^-10)",
        WRONG_METRIC,
        "the deformation of the metric",
        applies=on(metric="diagonal", deformed=True),
        alter=scaled(4, NEAR),
    ),
    Fault(
        "metric of the last position",
        WRONG_METRIC,
        "G(q_(n-1)) for G(q_n)",
        applies=on(metric="diagonal", curved=True),
        remembering=one_step_late,
        when=HISTORY,
    ),
    Fault(
        "velocity kept for momentum",
        WRONG_METRIC,
        "beta G(q_n) p / G(q_(n-1)) for beta p",
        applies=on(metric="diagonal", momentum=True, curved=True),
        remembering=as_velocity,
        when=HISTORY,
    ),
)
