"""D8, sign descent on a product of two factors (theory.md#D8)."""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.kernels.loops.launch import Job
from noether.kernels.programs import trace
from noether.laws.exact import planted
from noether.laws.exact.terms import ExactLaw, Residual, formed
from noether.laws.law import wrong
from noether.mechanics.domain import same_stores
from noether.mechanics.trajectory import Trajectory

# steps: the reference and the trajectory may part where a gradient is within its rounding, each by a step or
# two
APART = 4


def paired(symmetry: Symmetry) -> bool:
    """Whether u is scaled up as v is scaled down, and nothing else: then f is a function of u v, whatever
    else it depends on."""
    A = symmetry.matrix
    pair = sorted(A.diagonal()[np.flatnonzero(A.diagonal())]) == [-1, 1]
    return bool(pair and not symmetry.shift.any() and np.array_equal(A, np.diag(A.diagonal())))


def factors(symmetry: Symmetry) -> tuple[int, int]:
    diagonal = list(symmetry.matrix.diagonal())
    return diagonal.index(1), diagonal.index(-1)


def keeping(t: Trajectory, symmetry: Symmetry) -> np.ndarray:
    """(steps, lanes) until a factor comes within APART steps of a change of sign, in a reference of its own
    stores."""
    start = [np.ascontiguousarray(x[0], np.float64) for x in (t.z, t.v)]
    job = Job(trace.gradient(t.case), t.rule, t.precision, *start, t.params, t.steps)
    q = same_stores(t.case, job)[0]
    near = (np.abs(q[:, factors(symmetry)]) <= APART * t.params[0]).any(axis=1)
    return ~np.logical_or.accumulate(near, axis=0)[1:]


def unbroken(t: Trajectory, symmetry: Symmetry) -> np.ndarray:
    return (t.eps == 0) & keeping(t, symmetry)[0]


def sign_law(t: Trajectory, symmetry: Symmetry, squares: bool = False):
    """D8  |u'| - |v'| = |u| - |v|;  residual +-delta_u -+ delta_v +- sigma_u -+ sigma_v.

    `squares` has u^2 - v^2, a law that is almost right.
    """
    i, j = factors(symmetry)
    u, v = (np.abs(t.q[:, k]) for k in (i, j))
    charge = u * u - v * v if squares else u - v
    inside = keeping(t, symmetry)
    bound = sum(t.delta[:, k] + t.sigma[:, k] for k in (i, j)) + formed(t, 2, u[1:], v[1:], u[:-1], v[:-1])
    after, before, signal = (np.where(inside, x, 0) for x in (charge[1:], charge[:-1], u[1:] + v[1:]))
    return Residual(after, before, bound, signal)


LAWS = (
    ExactLaw(
        key="D8",
        home=("product", "sign-descent"),
        title="sign descent keeps a difference",
        equation=r"|u'| - |v'| = |u| - |v|",
        adds="until a factor changes sign",
        applies="sign descent, eps = 0, generators that scale one factor up and one down",
        suits=lambda rule, symmetry: rule.signed and paired(symmetry),
        residual=sign_law,
        some=unbroken,
        blind=("eta", "a wrong sign of both factors: ascent"),
        faults=(
            planted.STATE_OFF,
            planted.SIGN_IGNORED,
            *wrong("squares for sizes"),
            planted.LATE_POSITIONS,
        ),
        screened=False,
    ),
)
