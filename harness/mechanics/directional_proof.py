"""The proof of the symmetries of a large case: one derivative along each generator, at 50 digits.

<grad f, xi> is the derivative of f along xi(q), so a dual number of one part decides it without the gradient,
in the time of a few evaluations of the loss. Formulas, which symmetry_proof.py takes of smaller cases, grow
with every parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import mpmath
import numpy as np

from noether.cases.case import EUCLIDEAN, Case, CaseError, Symmetry
from noether.kernels.programs import trace
from noether.kernels.programs.namespaces import MPMATH
from noether.mechanics import bounds, wide
from noether.mechanics.dual import Dual, Functions
from noether.mechanics.wide import Sides

DIGITS = 50
POINTS, LONG = 2, 2**18
"""Random points; of a gradient of more operations one, for each takes many seconds."""
ALONG_A_KINK = 2.0**-40
"""Of a step's argument, how far it may be from a multiple of a declared one at a second point: constants that
both have may differ by roundings of 2^-53 each, and some thousands of them are below this."""


def along(function, q: list, directions: list[list]) -> list:
    """The derivatives of function(q, xp) at a point of mpmath numbers along each direction."""
    duals = [Dual(x, [d[i] for d in directions]) for i, x in enumerate(q)]
    found = function(duals, Functions(mpmath))
    return list(found.partials) if isinstance(found, Dual) else [mpmath.mpf(0)] * len(directions)


def generator(symmetry: Symmetry, q: list) -> list:
    """The entries of xi(q), of the numbers of A that are not 0."""
    out = [mpmath.mpf(float(a)) for a in symmetry.a]
    A = symmetry.matrix
    for i, j in zip(*np.nonzero(A), strict=True):
        out[i] = out[i] + mpmath.mpf(float(A[i, j])) * q[j]
    return out


def norm(x) -> mpmath.mpf:
    """The length of a vector."""
    return mpmath.sqrt(sum(mpmath.mpf(float(v)) ** 2 for v in x))


def points_of(case: Case) -> int:
    """At how many random points a case is tried."""
    return 1 if trace.gradient(case).length > LONG else POINTS


@dataclass(frozen=True)
class Along:
    """What a generator does to a case at the random point where it changes the loss most.

    value     <grad f, xi>;  relative  its size over |grad f| |xi|;  broken  the same of the breaking, the
              largest of all points;  point  (d,) float64
    """

    value: mpmath.mpf
    relative: mpmath.mpf
    broken: mpmath.mpf
    point: np.ndarray


def directional(case: Case, seed: int) -> list[Along]:
    """What each symmetry does at some random points. Raises CaseError for another metric than the
    Euclidean."""
    if case.metric.kind != EUCLIDEAN:
        raise CaseError(
            f"case {case.name}: metric is {case.metric.kind}, of {case.dim} parameters and a long loss: must "
            "be euclidean, a large case has no other"
        )
    q = case.draw(np.random.default_rng(seed), points_of(case)).T
    out = []
    for each in zip(*(at_point(case, x) for x in q), strict=True):
        worst = max(each, key=lambda a: a.relative)
        out.append(replace(worst, broken=max(a.broken for a in each)))
    return out


def at_point(case: Case, q: np.ndarray) -> list[Along]:
    """What each symmetry does at a point (d,)."""
    with mpmath.workdps(DIGITS):
        point = [mpmath.mpf(float(x)) for x in q]
        xis = [generator(s, point) for s in case.symmetries]
        found = []
        for part in (case.loss, case.breaking):
            g = norm(wide.gradient(part, q[:, None])[:, 0])
            sizes = [g * norm(xi) or mpmath.mpf(1) for xi in xis]
            found.append([(x, abs(x) / size) for x, size in zip(along(part, point, xis), sizes, strict=True)])
        return [Along(loss[0], loss[1], broken[1], q) for loss, broken in zip(*found, strict=True)]


def explained(case: Case, symmetry: Symmetry, found: Along) -> bool:
    """Whether <grad f, xi> at a point is within the rounding of the loss's constants."""
    off = bounds.of_constants(trace.gradient(case), found.point[:, None])[:, 0]
    xi = symmetry.matrix @ found.point + symmetry.shift
    return bool(abs(float(found.value)) <= float(np.sum(off * np.abs(xi))))


def check_kinks(case: Case, seed: int) -> None:
    """Refuse kinks that do not name where an argument of a step is 0: at two random points each argument must
    be the same multiple of a declared one. Raises CaseError."""
    pairs = []
    for q in case.draw(np.random.default_rng(seed), 2).T:
        with mpmath.workdps(DIGITS):
            point, xp = [mpmath.mpf(float(x)) for x in q], Sides()
            case.total(point, mpmath.mpf(1), xp)
            known = [mpmath.mpf(u) for u in case.kinks(point, MPMATH)] if case.kinks else []
            pairs.append((np.array(xp.steps, object), np.array(known, object)))
    (u, a), (w, b) = pairs
    for i, (x, y) in enumerate(zip(u, w, strict=True)):
        if not any(abs(x * d - y * c) <= ALONG_A_KINK * abs(x * d) for c, d in zip(a, b, strict=True)):
            raise CaseError(
                f"case {case.name}: the loss has a kink where the argument of its step number {i} is 0, "
                f"kinks must name it; it names {len(a)} arguments"
            )
