"""D6, the charge of a translation (theory.md#D6)."""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.laws.exact import planted
from noether.laws.exact.balance import broken_force
from noether.laws.exact.terms import ExactLaw, Residual, depth, dot, formed, size
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def translation_law(t: Trajectory, symmetry: Symmetry, constant: bool = False):
    """D6  c_{n+1} = (s + b) c_n - s b c_{n-1} - (1 + l) r_n eta F_n + l eta F_{n-1},  c = <a, q>,  F = <f,
           a>.

    l = beta for Nesterov, else 0; b = beta r_n/r_{n-1} with r the rate of a scheduled step, else 1. Without
    breaking F = k c when coupled, else 0.
    """
    a = symmetry.shift[:, None].astype(t.q.dtype)
    c = dot(t.q, np.broadcast_to(a, t.q.shape))
    pull = t.eta * broken_force(t, symmetry)
    lead = t.beta if t.rule.nesterov else 0
    rate = t.rate[1:]
    beta = t.beta * (rate / rate if constant else rate / t.rate[:-1])
    predicted = (
        (t.shrink + beta) * c[1:-1]
        - t.shrink * beta * c[:-2]
        - (1 + lead) * rate * pull[1:]
        + lead * pull[:-1]
    )
    local = (
        (np.abs(t.beta) if t.rule.nesterov else 1) * rate[:, None] * t.delta[1:]
        + t.sigma[1:]
        + np.abs(beta)[:, None] * t.sigma[:-1]
    )
    bound = dot(np.broadcast_to(np.abs(a), local.shape), local)
    mass = dot(np.broadcast_to(np.abs(a), t.q.shape), np.abs(t.q))
    pull_size = t.eta * (t.eps * size(t.g_broken, np.broadcast_to(a, t.g_broken.shape)) + t.k * mass[:-1])
    masses = (mass[2:], (np.abs(t.shrink) + np.abs(beta)) * mass[1:-1], t.shrink * beta * mass[:-2])
    pulls = ((1 + lead) * rate * pull_size[1:], lead * pull_size[:-1])
    own = formed(t, depth(symmetry), *masses, *pulls)
    return Residual(c[2:], predicted, bound + own, mass[2:])


LAWS = (
    ExactLaw(
        key="D6",
        home=("free-particle", "heavy-ball"),
        title="translation charge",
        equation=r"c_{n+1} - (1 + \beta - \eta k) c_n + \beta c_{n-1} = 0, \quad c = \langle a, q \rangle",
        applies="Euclidean rules, translations",
        suits=lambda rule, symmetry: symmetry.is_translation and rule.metric == "euclidean",
        residual=translation_law,
        lag=2,
        some=lambda t, symmetry: np.full(t.lanes, t.steps >= 2),
        blind=("faults in g that keep the symmetry", "eta, on a symmetric loss without decay"),
        faults=(
            *planted.POSITIONS,
            *planted.NEAR_GRADIENTS,
            planted.K_OFF,
            planted.SCHEDULE_IGNORED,
            *wrong("translation law at a constant rate"),
            planted.LATE_POSITIONS,
        ),
        promised=planted.ulps(float64=("state",)),
    ),
)
