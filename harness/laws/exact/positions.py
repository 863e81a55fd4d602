"""D1 and D10, the positions alone: heavy ball as a central difference scheme (theory.md#D1, theory.md#D10).

    m (q_{n+1} - 2 q_n + q_{n-1})/eta^2 + mu (q_{n+1} - q_{n-1})/(2 eta) + g_n + k q_n = 0,
    m = eta (1+beta)/2, mu = 1 - beta
    <=>  q_{n+1} = q_n + beta w_n - eta (g_n + k q_n),   w_n = q_n - q_{n-1},   w_0 = v_0      (1)
    decoupled decay, a = 1 - eta k:
         q_{n+1} = q_n + a beta w_n - eta (g_n + (1-beta) k q_n),   w_0 = (v_0 - eta k q_0)/a  (2)
    where steps know a number of their own, a_n q_n - a_{n-1} q_{n-1} stands for a w_n

For beta > 0, (1) times -beta^{-n}/eta is the discrete Euler-Lagrange equation of
L_d = beta^{-n} [|q_{n+1} - q_n|^2/(2 eta) - f - k |q|^2/2]: a variational integrator (Marsden, West, 2001).
(2) has a w_0 whole, so that a = 0 needs no guard; that it is heavy ball from w_0 is said of a not 0. Both
hold at beta = 0. Nothing here reads the buffer after the start, so that a rule that keeps its momentum to
itself is judged too. Residual: delta_{n+1} + sigma_{n+1} - beta sigma_n.
"""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.cases.rule import Rule
from noether.laws.exact import planted
from noether.laws.exact.terms import ExactLaw, Residual, formed
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def plain(rule: Rule) -> bool:
    """q is moved by the buffer itself, in its own coordinates, and the buffer keeps beta of itself."""
    return rule.linear and rule.moves_by_buffer and rule.keeps_beta


def difference_law(
    t: Trajectory, symmetry: Symmetry | None = None, mass=None, friction: float = 1.0, force: float = 1.0
):
    """(1) or (2). `mass` for (1+beta)/2 and `friction` times 1 - beta: the scheme of another model; `force`
    times beta in (2)'s."""
    q, w = t.q[:-1], np.diff(t.q[:-1], axis=0)
    a = t.shrink if np.ndim(t.shrink) == 1 else t.shrink[:, None]
    first = t.v[:1] - (1 - a[:1] if np.ndim(a) == 3 else 1 - a) * q[:1]  # a w_0
    back = np.concatenate([first, a * w if np.ndim(a) == 1 else np.diff(a * q, axis=0)])
    push = t.kept * back
    pull = t.pull
    if t.rule.shrinks:
        pull = pull + (1 - force * t.kept) * ((1 - a) * q)
    if mass is not None or friction != 1:
        push, pull = remodelled(
            back, pull, (1 + t.kept) / 2 if mass is None else mass, friction * (1 - t.kept)
        )
    before = np.concatenate([0 * t.sigma[:1], t.sigma[:-1]])
    own = formed(t, 8, q, push, pull, t.kept * q, t.pull)
    moved = np.abs(np.diff(t.q, axis=0))
    return Residual(t.q[1:], q + push - pull, t.delta + t.sigma + np.abs(t.kept) * before + own, moved)


def remodelled(back, pull, mass, friction):
    """beta w and eta f of the scheme with another m/eta and mu: (m - mu/2) and 1 over (m + mu/2); beta may be
    0."""
    whole = mass + friction / 2
    return (mass - friction / 2) / whole * back, pull / whole


LAWS = (
    ExactLaw(
        key="D1",
        home=("product", "heavy-ball"),
        title="equation of motion of heavy ball",
        equation=r"q'' - (1 + \beta) q' + \beta q = -\eta (g' + k q')",
        applies="gradient descent and heavy ball with coupled decay, dampened and maximising too; beta = 0 "
        "included",
        suits=lambda rule, symmetry: plain(rule) and not rule.shrinks,
        residual=difference_law,
        lag=2,
        blind=("a buffer that is wrong and not used", "nothing else that D0 sees"),
        faults=(
            *planted.POSITIONS,
            *planted.NEAR_GRADIENTS,
            *planted.DECAYS,
            planted.ANOTHER_LOSS,
            planted.BETA_OFF,
            planted.NARROW_ETA,
            *wrong("mass eta/2 for eta(1+beta)/2", "friction off by 2^-10"),
            planted.LATE_POSITIONS,
        ),
        promised=planted.ulps(float64=("state",)),
        about_symmetry=False,
        screened=False,
    ),
    ExactLaw(
        key="D10",
        home=("mexican-hat-2", "heavy-ball-decoupled"),
        title="decoupled weight decay",
        equation=r"q'' - (1 + a \beta) q' + a \beta q = -\eta (g' + (1 - \beta) k q'), \quad a = 1 - \eta k",
        applies="heavy ball with decoupled decay, at every beta and 1 - eta k",
        suits=lambda rule, symmetry: plain(rule) and rule.shrinks,
        residual=difference_law,
        lag=2,
        blind=("a buffer that is wrong and not used", "nothing else that D0 sees"),
        faults=(
            *planted.POSITIONS,
            *planted.NEAR_GRADIENTS,
            planted.ANOTHER_LOSS,
            planted.BETA_OFF,
            planted.K_OFF,
            planted.DECAY_COUPLED,
            *wrong("force g + k q for g + (1-beta) k q"),
            planted.LATE_POSITIONS,
        ),
        promised=planted.ulps(float64=("state",)),
        about_symmetry=False,
        screened=False,
    ),
)
