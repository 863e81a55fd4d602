"""D6, the charge of a translation (theory.md#D6)."""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.laws.exact import planted
from noether.laws.exact.balance import broken_pull, broken_size
from noether.laws.exact.terms import ExactLaw, Residual, depth, dot, formed
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def translation_law(t: Trajectory, symmetry: Symmetry, constant: bool = False):
    """D6  c_{n+1} = (s_n + b) c_n - s_{n-1} b c_{n-1} - (r_n + m_n) F_n + b m_{n-1} F_{n-1},
        c = <a, q>,  F = <b f, a>.

    q moves by r v' - m b f: r = 1 and m = 0 for most rules, beta and 1 for Nesterov's, the rate of the step
    and 0 under a schedule. b = beta r_n/r_{n-1}, and 0 where nothing is carried over: there r_{n-1} may be 0.
    Without breaking F = eta k c when coupled, else 0.
    """
    a = symmetry.shift[:, None].astype(t.q.dtype)
    c = dot(t.q, np.broadcast_to(a, t.q.shape))
    pull = broken_pull(t, symmetry)
    rate, ahead = t.rate, t.ahead
    kept, ratio = stepwise(t.kept, t)[1:], rate[1:] / (rate[1:] if constant else rate[:-1])
    beta = kept * (ratio if t.traced else np.where(kept == 0, 0, ratio))
    s, old = (t.shrink, t.shrink) if np.ndim(t.shrink) == 1 else (t.shrink[1:], t.shrink[:-1])
    predicted = (
        (s + beta) * c[1:-1]
        - old * beta * c[:-2]
        - (rate[1:] + ahead[1:]) * pull[1:]
        + beta * ahead[:-1] * pull[:-1]
    )
    local = np.abs(rate[1:])[:, None] * t.delta_p[1:] + t.sigma[1:] + np.abs(beta)[:, None] * t.sigma[:-1]
    bound = dot(np.broadcast_to(np.abs(a), local.shape), local)
    mass = dot(np.broadcast_to(np.abs(a), t.q.shape), np.abs(t.q))
    pull_size = broken_size(t, np.broadcast_to(np.abs(a), t.g_broken.shape))
    masses = (mass[2:], (np.abs(s) + np.abs(beta)) * mass[1:-1], old * beta * mass[:-2])
    pulls = ((np.abs(rate) + np.abs(ahead))[1:] * pull_size[1:], (beta * ahead[:-1]) * pull_size[:-1])
    own = formed(t, depth(symmetry), *masses, *pulls)
    return Residual(c[2:], predicted, bound + own, mass[2:])


def stepwise(x, t: Trajectory):
    """A number of every lane, or of every step of every lane, as (steps, lanes)."""
    return np.broadcast_to(x, (t.steps, t.lanes))


LAWS = (
    ExactLaw(
        key="D6",
        home=("free-particle", "heavy-ball"),
        title="translation charge",
        equation=r"c_{n+1} - (1 + \beta - \eta k) c_n + \beta c_{n-1} = 0, \quad c = \langle a, q \rangle",
        applies="Euclidean rules, translations",
        suits=lambda rule, symmetry: symmetry.is_translation and rule.linear,
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
