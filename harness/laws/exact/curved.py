"""D7, the charge under a metric of the rule's own (theory.md#D7)."""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.cases.rule import Rule
from noether.laws.exact import planted
from noether.laws.exact.balance import broken_pull, broken_size
from noether.laws.exact.terms import ExactLaw, Residual, depth, dot, formed, size, xi
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def curved(rule: Rule, symmetry: Symmetry) -> bool:
    """Whether a step is one of the metric's own: mirror descent's in log q, natural gradient's in G(q) (q' -
    q).

    On the simplex normalising adds -log Z <1, xi>: only a generator along it is covered.
    """
    if rule.simplex:
        return not symmetry.matrix.sum(axis=0).any() and not symmetry.shift.sum()
    return not rule.momentum and (rule.log_state or rule.on_metric)


def own_law(t: Trajectory, symmetry: Symmetry, flat: bool = False):
    """D7, of a mirror step or of a natural gradient's; `flat` leaves its metric out."""
    return mirror_law(t, symmetry) if t.rule.log_state else natural_law(t, symmetry, flat)


def mirror_law(t: Trajectory, symmetry: Symmetry):
    """D7  <log q' - log q, xi(q)> = -eta eps <grad b, xi(q)>."""
    x = xi(symmetry, t.q[:-1])
    moved = np.diff(t.z, axis=0)
    pull = t.eta * t.eps * dot(t.g_broken, x)
    bound = dot(np.abs(x), t.delta + t.apart)  # what all components share drops out with log Z
    own = formed(t, depth(symmetry), size(t.z[1:], x), size(t.z[:-1], x), t.eta * t.eps * size(t.g_broken, x))
    return Residual(dot(moved, x), -pull, bound + own, dot(np.abs(moved), np.abs(x)))


def natural_law(t: Trajectory, symmetry: Symmetry, flat: bool = False):
    """D7  <G(q) (q' - q), xi(q)> = -eta <f, xi(q)>;  residual <xi, delta> + <G xi, sigma>."""
    x, G = xi(symmetry, t.q[:-1]), np.ones_like(t.G) if flat else t.G
    moved = G * np.diff(t.q, axis=0)
    pull = broken_pull(t, symmetry)
    bound = dot(np.abs(x), t.delta) + dot(np.abs(G * x), t.sigma)
    sizes = broken_size(t, np.abs(x))
    own = formed(t, depth(symmetry), size(G * t.q[1:], x), size(G * t.q[:-1], x), sizes)
    return Residual(dot(moved, x), -pull, bound + own, dot(np.abs(moved), np.abs(x)))


LAWS = (
    ExactLaw(
        key="D7",
        home=("entropy-simplex", "mirror-descent"),
        title="mirror descent, natural gradient",
        equation=(
            r"\langle \nabla h(q') - \nabla h(q), \xi \rangle = -\eta \langle g, \xi \rangle, \quad "
            r"\langle G(q) (q' - q), \xi \rangle = -\eta \langle g + k q, \xi \rangle"
        ),
        applies="mirror descent; natural gradient on a diagonal metric; exponentiated gradient, generators "
        "along the simplex",
        suits=curved,
        residual=own_law,
        blind=("faults in g that keep the symmetry", "eta, on a symmetric loss"),
        faults=(
            *planted.POSITIONS,
            *planted.NEAR_GRADIENTS,
            planted.NARROW_ETA,
            *planted.METRICS,
            *wrong("natural charge without its metric", "charge across the simplex"),
            planted.LATE_POSITIONS,
        ),
        promised=planted.ulps(float64=("state",)),
    ),
)
