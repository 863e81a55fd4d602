"""Changes that are proven to be no fault: the only survivors that a run accepts.

Listed so that the matrix is seen to tell a fault from a change of spelling. A change that a law kills does
not belong here, and a run that finds one ends as one with a survivor does.
"""

from __future__ import annotations

import numpy as np

from noether.faults.fault import Fault, moved, pulled, stored
from noether.faults.reading import turns_with_its_force
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import narrow

SPELLING = "no fault"


def again(x: np.ndarray, kind: str) -> np.ndarray:
    return narrow(narrow(x, kind), kind)


def commuted(n, q, v, params, gradient, rule, precision):
    """The step with the signs of the gradient and of the step size both turned: (-eta)(-g)."""
    eta, beta, k = params[:3]
    return step(
        q, v, [-eta, beta, -k, *params[3:]], lambda at, eps: [-g for g in gradient(at, eps)], rule, precision
    )


FAULTS = (
    Fault("rounded twice into the same store", SPELLING, "narrow(narrow(x))", advance=stored(again)),
    Fault(
        "both signs turned",
        SPELLING,
        "(-eta)((-g) + (-k) q)",
        applies=lambda job: turns_with_its_force(job.rule, len(job.q0)),
        advance=commuted,
    ),
    Fault(
        "gradient times one",
        SPELLING,
        "1 g",
        advance=pulled(lambda gradient, at, eps, params, n: [g.dtype.type(1) * g for g in gradient(at, eps)]),
    ),
    Fault(
        "state plus zero",
        SPELLING,
        "q' + 0",
        advance=moved(lambda q, v, q2, v2, params, n: ([x + x.dtype.type(0) for x in q2], v2)),
    ),
)
EQUIVALENT = {
    "rounded twice into the same store": "Rounding is a projection: narrow(x) is representable in its "
    "store, and what is representable is rounded to itself.",
    "both signs turned": "Rounding to nearest, ties to even, is odd: fl(-x) = -fl(x). So fl((-k) q) = -fl(k "
    "q), the sum is -f, and fl((-eta)(-f)) = fl(eta f): every number of the step stays or changes its sign.",
    "gradient times one": "1 is representable and 1 x = x needs no rounding.",
    "state plus zero": "x + 0 = x needs no rounding; only -0 changes, to +0, and a stored q' = q + v' is -0 "
    "only where q and v' both are.",
}
"""name -> why no law can kill it; tests/test_faults.py tries each proof on every 16-bit number."""
