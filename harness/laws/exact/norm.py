"""D5 and D11, the norm of the parameters of a scale-invariant loss (theory.md#D5, theory.md#D11).

R = |q|^2. For a scale-invariant loss <g, q> = 0; what breaks it, eps <grad b, q> and k R, stays in <f, q>.

    D5   R_{n+1} - (1+beta) R_n + beta R_{n-1} = -2 eta <f_n, q_n> + |v_{n+1}|^2 + beta |v_n|^2
         residual  2 <q, delta'> + 2 <q + v', sigma'> + |sigma'|^2 - 2 beta <q - v, sigma> + beta |sigma|^2
    D11  gradient descent, s = 1 - eta k:  |q'|^2 = s^2 |q|^2 + eta^2 |g|^2 - 2 eta s <g, q>
                                           <q, q'> = s |q|^2 - eta <g, q>
         so the angle has tan = eta |g|/(s |q|): RMSProp on the norm.
         residual  2 <q', e> + |e|^2 and <q, e>, |e| <= delta + sigma
"""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.cases.rule import Rule
from noether.laws.exact import planted
from noether.laws.exact.balance import broken_pull
from noether.laws.exact.positions import plain
from noether.laws.exact.terms import ExactLaw, Residual, dot, formed, size
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def scales(symmetry: Symmetry) -> bool:
    """Whether the symmetry is the scaling of q, xi = q."""
    return not symmetry.shift.any() and np.array_equal(symmetry.matrix, np.eye(len(symmetry.a)))


def normed(rule: Rule, symmetry: Symmetry) -> bool:
    return scales(symmetry) and plain(rule) and rule.decay == "coupled" and not rule.shrinks


def norm_law(t: Trajectory, symmetry: Symmetry, kinetic: float = 1.0, old: float = 1.0):
    """D5. `kinetic` scales |v'|^2 + beta |v|^2, `old` its second term."""
    q, v, w, R = t.q[1:-1], t.v[1:-1], t.v[2:], dot(t.q, t.q)
    pull = 2 * broken_pull(t, symmetry)[1:]
    energy = dot(w, w) + old * t.kept * dot(v, v)
    predicted = (1 + t.kept) * R[1:-1] - t.kept * R[:-2] - pull + kinetic * energy
    delta, after, before = t.delta[1:], t.sigma[1:], t.sigma[:-1]
    bound = (
        2 * size(q, delta)
        + 2 * size(q + w, after)
        + dot(after, after)
        + np.abs(t.kept) * (2 * size(q - v, before) + dot(before, before))
    )
    sizes = 2 * t.eta * (size(t.eps * t.g_broken[1:], q) + t.k * R[1:-1])
    own = formed(t, len(symmetry.a) + 12, R[2:], (1 + t.kept) * R[1:-1], t.kept * R[:-2], sizes, energy)
    return Residual(R[2:], predicted, bound + own, size(w, q))


def root_mean_square_law(t: Trajectory, symmetry: Symmetry, square: float = 1.0):
    """D11: the residuals of |q'|^2 and of <q, q'>. `square` scales eta^2 |g|^2."""
    q, after, s = t.q[:-1], t.q[1:], 1 - t.eta * t.k
    g, R = t.sign * t.g, dot(q, q)
    broken = t.eta * t.sign * t.eps * dot(t.g_broken, q)
    gain = t.eta * t.eta * dot(g, g)
    predicted = np.stack([s * s * R + square * gain - 2 * s * broken, s * R - broken], axis=1)
    measured = np.stack([dot(after, after), dot(q, after)], axis=1)
    error = t.delta + t.sigma
    bound = np.stack([2 * size(after, error) + dot(error, error), size(q, error)], axis=1)
    sizes = t.eta * t.eps * size(t.g_broken, q)
    terms = (R, s * s * R, gain, s * R, sizes, 2 * np.abs(s) * sizes, dot(after, after), size(q, after))
    own = formed(t, len(symmetry.a) + 12, *terms)
    return Residual(measured, predicted, bound + own[:, None], np.stack([gain, gain], axis=1))


def longer_than_a_step(t: Trajectory, symmetry: Symmetry) -> np.ndarray:
    return np.full(t.lanes, t.steps >= 2)


LAWS = (
    ExactLaw(
        key="D5",
        home=("rayleigh-2", "heavy-ball"),
        reads_buffer=True,
        title="norm under a scale-invariant loss",
        equation=r"R'' - (1 + \beta) R' + \beta R = -2 \eta k R' + |v''|^2 + \beta |v'|^2, \quad R = |q|^2",
        applies="heavy ball with coupled decay, dampened and maximising too, scale-invariant losses, "
        "float64 and float32",
        suits=lambda rule, symmetry: normed(rule, symmetry) and rule.momentum,
        residual=norm_law,
        lag=2,
        some=longer_than_a_step,
        blind=("faults in g that keep the symmetry", "eta, on a symmetric loss without decay"),
        faults=(
            *planted.POSITIONS,
            *planted.NEAR_GRADIENTS,
            *planted.DECAYS,
            planted.BETA_OFF,
            *wrong("dropped kinetic term", "old kinetic term dropped"),
            *planted.LATE,
        ),
        promised=planted.ulps(float64=("state",)),
        narrow=False,
        screened=False,
    ),
    ExactLaw(
        key="D11",
        home=("rayleigh-2", "gradient-descent"),
        title="gradient descent as RMSProp",
        equation=(
            r"|q'|^2 = (1 - \eta k)^2 |q|^2 + \eta^2 |g|^2, \quad \langle q, q' \rangle = (1 - \eta k) "
            r"|q|^2"
        ),
        applies="gradient descent, scale-invariant losses, float64 and float32",
        suits=lambda rule, symmetry: normed(rule, symmetry) and not rule.momentum and rule.usual_force,
        residual=root_mean_square_law,
        blind=("a gradient turned within the tangent space of the sphere",),
        faults=(
            *planted.POSITIONS,
            *planted.NEAR_GRADIENTS,
            planted.NARROW_ETA,
            *wrong("dropped kinetic term"),
            planted.LATE_POSITIONS,
        ),
        promised=planted.ulps(float64=("state",)),
        narrow=False,
        screened=False,
    ),
)
