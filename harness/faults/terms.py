"""Faults of terms: each term of the update with a wrong sign or factor, and no update at all.

v' = beta v - eta (g + k q),   q' = q + v',   g = grad f0 + eps grad b
"""

from __future__ import annotations

import numpy as np

from noether.faults.fault import NEAR, Fault, always, given, moved, on, pulled
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import narrow

SIGN, FACTOR, NOTHING = "sign", "factor", "no-op"


def times(c: float):
    return pulled(lambda gradient, at, eps, params, n: [c * g for g in gradient(at, eps)])


def row(i: int):
    return lambda c: given(i, lambda p, n: c * p)


def displaced(c: float):
    return moved(lambda q, v, q2, v2, params, n: ([x + (c - 1) * w for x, w in zip(q2, v2, strict=True)], v2))


def hauled(c: float):
    """A launch whose step q' - q is times c, of a rule that has no displacement."""
    return moved(lambda q, v, q2, v2, params, n: ([x + c * (y - x) for x, y in zip(q, q2, strict=True)], v2))


def carried(c: float):
    return moved(lambda q, v, q2, v2, params, n: ([y + (c - 1) * x for x, y in zip(q, q2, strict=True)], v2))


def buffered(c: float):
    """A launch with a change of the stored buffer alone, not of the one that moves q."""
    return moved(lambda q, v, q2, v2, params, n: (q2, [c * w for w in v2]))


TERMS = {
    "gradient": (times, always, "g"),
    "eta": (row(0), always, "the step size"),
    "beta": (row(1), on(reads_beta=True), "the momentum"),
    "k": (row(2), on(decays=True), "the decay"),
    "eps": (row(3), on(breaks=True), "the breaking term"),
    "displacement": (displaced, on(displaces=True), "v' in q' = q + v'"),
    "move": (hauled, on(displaces=False), "q' - q, where v' is no displacement"),
    "state": (carried, always, "q in q' = q + v'"),
    "stored buffer": (buffered, on(carries=True), "v' as it is stored"),
}
SPECIAL = {("sign", "gradient"): "ascent"}  # the names under which verify shows them

SIGNS = tuple(
    Fault(
        SPECIAL.get(("sign", term), f"sign of the {term}"),
        SIGN,
        f"{what} with the other sign",
        applies=applies,
        advance=make(-1.0),
    )
    for term, (make, applies, what) in TERMS.items()
)
FACTORS = tuple(
    Fault(
        f"{term} x {word}",
        FACTOR,
        f"{what} times {word}",
        applies=applies,
        advance=make(factor),
        size_only=term == "gradient" or (term, factor) == ("eps", NEAR),
    )
    for term, (make, applies, what) in TERMS.items()
    for word, factor in (("(1 + 2^-10)", NEAR), ("2", 2.0), ("1/2", 0.5))
)


def frozen(n, q, v, *about):
    return q, [np.zeros_like(x) for x in v]


def stopping(n, q, v, params, gradient, rule, precision):
    return step(q, v, params, gradient, rule, precision) if n <= 6 else (q, v)


def units_off(which: int, n: int = 8):
    """A step whose stored state (0) or buffer (1) is n units in the last place too large: some ten of its
    bounds."""

    def advance(k, q, v, params, gradient, rule, precision):
        pair = list(step(q, v, params, gradient, rule, precision))
        kind, unit = ((precision.q_store, precision.u_q), (precision.v_store, precision.u_v))[which]
        pair[which] = [narrow(x * x.dtype.type(1 + 2 * n * unit), kind) for x in pair[which]]
        return tuple(pair)

    return advance


FAULTS = (
    *SIGNS,
    *FACTORS,
    Fault("k off by 1 %", FACTOR, "the decay times 1.01", applies=on(decays=True), advance=row(2)(1.01)),
    Fault("state 8 ulp off", FACTOR, "q' eight units in the last place off", advance=units_off(0)),
    Fault("buffer 8 ulp off", FACTOR, "v' eight units in the last place off", advance=units_off(1)),
    Fault("no-op kernel", NOTHING, "q' = q, v' = 0", advance=frozen),
    Fault(
        "the state is never written",
        NOTHING,
        "q' = q, v' right",
        advance=moved(lambda q, v, q2, v2, params, n: (q, v2)),
    ),
    Fault(
        "the buffer is never written",
        NOTHING,
        "v' = v, q' right",
        applies=on(carries=True),
        advance=moved(lambda q, v, q2, v2, params, n: (q2, v)),
    ),
    Fault("nothing after six steps", NOTHING, "q' = q, v' = v from step 7 on", advance=stopping),
)
