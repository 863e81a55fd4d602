"""D4, the quadratic charge of a symmetric generator (theory.md#D4)."""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.cases.rule import Rule
from noether.laws.exact import planted
from noether.laws.exact.balance import broken_pull, broken_size, charge
from noether.laws.exact.terms import ExactLaw, Residual, act, depth, dot, formed, size
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def massive(rule: Rule, symmetry: Symmetry) -> bool:
    return symmetry.is_symmetric and rule.decay == "coupled" and rule.moves_by_buffer and rule.keeps_beta


def mass_law(t: Trajectory, symmetry: Symmetry, kinetic: float = 1.0, mass=None):
    """D4  D[Q + beta/(1-beta) J] = -eta/(1-beta) <f, Aq> + (1+beta)/(2(1-beta)) <A w, w>,  Q = <q, Aq>/2."""
    A, q, p, w = symmetry.matrix, t.q[:-1], t.q[1:], t.v[1:]
    ratio = t.beta / (1 - t.beta)
    Q = dot(t.q, act(A, t.q)) / 2
    J = charge(t, symmetry)
    whole = Q + ratio * J
    weight = (1 + t.beta) / 2 if mass is None else mass
    source = kinetic * weight / (1 - t.beta) * dot(act(A, w), w)
    predicted = -broken_pull(t, symmetry) / (1 - t.beta) + source
    slope = np.abs(act(A, q + w) + ratio * act(A, w))
    bound = (
        dot(np.abs(act(A, q)), t.delta) / (1 - t.beta)
        + dot(slope, t.sigma)
        + dot(act(np.abs(A), t.sigma), t.sigma) / 2
    )
    moved = lambda x: act(np.abs(A), np.abs(x))
    charges = (ratio * size(w, moved(p)), ratio * size(t.v[:-1], moved(q)))
    pull = broken_size(t, moved(q)) / (1 - t.beta)
    squares = (size(p, moved(p)), size(q, moved(q)))
    own = formed(t, depth(symmetry), *squares, *charges, pull, size(w, moved(w)) / (1 - t.beta))
    return Residual(np.diff(whole, axis=0), predicted, bound + own, size(w, act(A, q)))


LAWS = (
    ExactLaw(
        key="D4",
        home=("product", "heavy-ball"),
        reads_buffer=True,
        title="balance of the quadratic charge",
        equation=(
            r"D\left[ Q + \frac{\beta}{1 - \beta} J \right] = -\frac{\eta}{1 - \beta} \langle g + k q, A "
            r"q \rangle + \frac{1 + \beta}{2 (1 - \beta)} \langle A v', v' \rangle"
        ),
        applies="gradient descent and heavy ball with coupled decay, dampened and maximising too, symmetric "
        "A",
        suits=massive,
        residual=mass_law,
        blind=("what D2 is blind to",),
        faults=(
            *planted.STATES,
            *planted.NEAR_GRADIENTS,
            *planted.DECAYS,
            planted.BETA_OFF,
            *wrong("mass eta/2 for eta(1+beta)/2", "dropped kinetic term"),
            *planted.LATE,
        ),
        promised=planted.ulps(float64=("state", "buffer")),
    ),
)
