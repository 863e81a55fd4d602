"""D4, the quadratic charge of a symmetric generator (theory.md#D4)."""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.cases.rule import Rule
from noether.laws.exact import planted
from noether.laws.exact.balance import broken_pull, broken_size, charge
from noether.laws.exact.terms import ExactLaw, Residual, act, bounded, depth, dot, formed, size
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def massive(rule: Rule, symmetry: Symmetry) -> bool:
    return (
        symmetry.is_symmetric
        and rule.decay == "coupled"
        and not rule.shrinks
        and rule.moves_by_buffer
        and rule.keeps_beta
    )


def mass_law(t: Trajectory, symmetry: Symmetry, kinetic: float = 1.0, mass=None):
    """D4  D[Q + beta/(1-beta) J] = -eta/(1-beta) <f, Aq> + (1+beta)/(2(1-beta)) <A w, w>,  Q = <q, Aq>/2."""
    A, q, w = symmetry.matrix, t.q[:-1], t.v[1:]
    ratio = t.kept / (1 - t.kept)
    Q = dot(t.q, act(A, t.q)) / 2
    J = charge(t, symmetry)
    joint = Q + ratio * J
    weight = (1 + t.kept) / 2 if mass is None else mass
    source = kinetic * weight / (1 - t.kept) * dot(act(A, w), w)
    predicted = -broken_pull(t, symmetry) / (1 - t.kept) + source
    return Residual(np.diff(joint, axis=0), predicted, mass_bound(t, symmetry, ratio), size(w, act(A, q)))


def mass_bound(t: Trajectory, symmetry: Symmetry, ratio):
    """The bound on D4's residual; ratio is beta/(1-beta)."""
    A, M, left, (q, p) = symmetry.matrix, symmetry.sizes, 1 - t.kept, (t.q[:-1], t.q[1:])
    moved = lambda x: act(M, x)

    def form(sized):
        w, v, slope = t.v[1:], sized(t.v[:-1]), sized(act(A, q + t.v[1:]) + ratio * act(A, t.v[1:]))
        bound = dot(sized(act(A, q)), t.delta) / sized(left) + dot(slope, t.sigma)
        bound = bound + dot(act(M, t.sigma), t.sigma) / 2
        at, after, w = sized(q), sized(p), sized(w)
        charges = sized(ratio) * dot(w, moved(after)), sized(ratio) * dot(v, moved(at))
        pull = broken_size(t, moved(at), sized) / sized(left)
        squares = dot(after, moved(after)), dot(at, moved(at))
        return bound + formed(t, depth(symmetry), *squares, *charges, pull, dot(w, moved(w)) / sized(left))

    return bounded(t, form)


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
