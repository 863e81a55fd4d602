"""D7, the charge under a metric of the rule's own (theory.md#D7)."""

from __future__ import annotations

import numpy as np

from cases.case import Symmetry
from harness.laws.terms import ExactLaw, Residual, depth, dot, formed, size, xi
from harness.trajectory import Trajectory


def mirror_law(t: Trajectory, symmetry: Symmetry):
    """D7  <log q' - log q, xi(q)> = -eta eps <grad b, xi(q)>."""
    x = xi(symmetry, t.q[:-1])
    moved = np.diff(t.z, axis=0)
    pull = t.eta * t.eps * dot(t.g_broken, x)
    bound = dot(np.abs(x), t.delta + t.sigma)
    own = formed(t, depth(symmetry), size(t.z[1:], x), size(t.z[:-1], x), t.eta * t.eps * size(t.g_broken, x))
    return Residual(dot(moved, x), -pull, bound + own, dot(np.abs(moved), np.abs(x)))


LAWS = (
    ExactLaw("D7", "mirror descent keeps the charge of its own metric", "<grad h(q') - grad h(q), xi> = -eta <g, xi>", lambda rule, symmetry: rule.log_state, mirror_law,
             ("faults in g that keep the symmetry", "eta, on a symmetric loss")),
)  # fmt: skip
