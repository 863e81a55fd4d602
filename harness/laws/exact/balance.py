"""D2, the balance of the discrete charge, and D3, its decay for a Killing field (theory.md#D2,
theory.md#D3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.cases.case import Symmetry
from noether.cases.rule import Rule
from noether.laws.exact import planted
from noether.laws.exact.terms import ExactLaw, Residual, act, along, bounded, depth, dot, formed
from noether.laws.law import wrong
from noether.mechanics.trajectory import UNROUNDED, Trajectory


def broken_pull(t: Trajectory, symmetry: Symmetry):
    """<b f, xi> with the symmetric part of the gradient set to zero: b (+-eps <grad b, xi> + k <q, xi>), k
    when coupled."""
    return dot(t.pull_of_breaking, along(t, symmetry)[:-1])


def broken_size(t: Trajectory, x, sized: Callable = np.abs):
    """What <b f, x> of the broken pull is without cancellation, for x not negative."""
    decay = t.pull_of_decay
    return dot(sized(t.pull_of_breaking - decay), x) + dot(sized(decay), x)


def charge(t: Trajectory, symmetry: Symmetry):
    """J_n = <p_n, xi(q_n)>, (steps + 1, lanes)."""
    return dot(t.p, along(t, symmetry))


def charge_bound(t: Trajectory, symmetry: Symmetry):
    """|s| <|xi|, delta> + <|A^T w|, sigma>, the linear form of D2's residual."""

    def form(sized):
        x, w = sized(along(t, symmetry)[:-1]), t.p[1:]
        buffers = sized(t.shrink) * dot(x, t.delta_p)
        return buffers + dot(sized(act(symmetry.matrix.T, w)), t.predicted_sigma)

    return bounded(t, form)


def charge_own(t: Trajectory, symmetry: Symmetry):
    """What forming D2's residual rounds."""

    def form(sized):
        M, w, q = symmetry.sizes, sized(t.p[1:]), sized(t.q)
        at = [act(M, q[i]) + np.abs(symmetry.shift)[:, None] for i in (slice(None, -1), slice(1, None))]
        pull = broken_size(t, at[0], sized)
        ends = dot(w, at[1]), dot(sized(t.kept_part), at[0])
        return formed(t, depth(symmetry), *ends, pull, dot(act(M, sized(t.reach)), w))

    return bounded(t, form)


def charge_predicted(t: Trajectory, symmetry: Symmetry, J, kinetic: float = 1.0, plain: bool = False):
    """The right side of D2 where the charge is J; (steps, lanes)"""
    w = t.p[1:]
    source = dot(act(symmetry.matrix, w if plain else t.predicted_move), w)
    shift = symmetry.shift[:, None].astype(w.dtype)
    drift = (1 - t.shrink) * dot(w, np.broadcast_to(shift, w.shape))
    return t.shrink * (t.kept * J[:-1] - broken_pull(t, symmetry)) + drift + kinetic * source


def charge_law(t: Trajectory, symmetry: Symmetry, kinetic: float = 1.0, plain: bool = False):
    """D2  J' = s (beta J - eta <f, xi>) + (1 - s) <w, a> + <A y, w>.

    `kinetic` scales the last term, `plain` has y = w.
    """
    J = charge(t, symmetry)
    predicted = charge_predicted(t, symmetry, J, kinetic, plain)
    return Residual(
        J[1:], predicted, charge_bound(t, symmetry) + charge_own(t, symmetry), size_of_charge(t, symmetry)
    )


def size_of_charge(t: Trajectory, symmetry: Symmetry):
    """What J would be without cancellation: |w| |xi|, the scale on which its bound is a rounding."""
    return bounded(t, lambda sized: dot(sized(t.p[1:]), sized(along(t, symmetry)[1:])))


def decaying(rule: Rule, symmetry: Symmetry) -> bool:
    """Nesterov moves q along the force too, a metric in another direction: a rotation feels it, a translation
    does not. Where the first step keeps nothing of the buffer, nothing is left that could decay."""
    if rule.covector is None or not (rule.momentum and rule.remembers):
        return False
    if symmetry.is_translation:
        return not rule.always_drawn_back
    return symmetry.is_rotation and rule.moves_along_buffer


def undisturbed(t: Trajectory, symmetry: Symmetry) -> np.ndarray:
    """Symmetric loss; for translations no coupled decay either."""
    return (t.eps == 0) & (symmetry.is_rotation | ~drawn_back(t))


def drawn_back(t: Trajectory) -> np.ndarray:
    """(lanes,) whether the force of the covector has a part that is q itself, as that of coupled decay."""
    ones, nothing = ([np.full((t.steps, t.lanes), x, t.z.dtype) for _ in range(t.dim)] for x in (1, 0))
    with np.errstate(all="ignore"):
        force = t.rule.covector.force(ones, nothing, t.parameters(), UNROUNDED)
    return np.any([np.broadcast_to(x != 0, ones[0].shape) for x in force], axis=(0, 1))


def decay_law(t: Trajectory, symmetry: Symmetry):
    """D3  J_n = (s beta)^n J_0 (rotation), beta^n J_0 (translation);  B_{n+1} = |factor| B_n + b_n."""
    J = charge(t, symmetry)
    factor = t.kept * (t.shrink if symmetry.is_rotation else 1)
    # A translation's charge is <v, a>: all of delta enters, where in D2 a part of it cancels against (1 - s)
    # <w, a>.
    rounding = (
        charge_bound(t, symmetry)
        if symmetry.is_rotation
        else bounded(t, lambda sized: dot(sized(along(t, symmetry)[:-1]), t.delta_p))
    )
    local = rounding + charge_own(t, symmetry)
    predicted, bound = carried(factor, J[0], local)
    signal = np.broadcast_to(np.abs(J[0]), predicted.shape)  # kicked: from rest it is 0 = 0
    return Residual(J[1:], predicted, bound + formed(t, 2 * t.steps + 16, predicted), signal)


def carried(factor, start, local, sources=None):
    """P_{n+1} = factor P_n + source_n from P_0 = start, and how far roundings of size b_n may take it,
    B_{n+1} = |factor| B_n + b_n from 0; (steps, lanes) each.

    factor  (lanes,) or (steps, lanes);  start  (lanes,);  local  b_n, (steps, lanes)
    sources  (steps, lanes), none where left out
    """
    predicted, bound = np.empty(local.shape, start.dtype), np.empty_like(local)
    B, P = np.zeros_like(local[0]), start
    for n in range(len(local)):
        by = factor[n] if np.ndim(factor) == 2 else factor
        B = np.abs(by) * B + local[n]
        P = by * P if sources is None else by * P + sources[n]
        bound[n], predicted[n] = B, P
    return predicted, bound


LAWS = (
    ExactLaw(
        key="D2",
        home=("product", "heavy-ball"),
        reads_buffer=True,
        title="balance of the discrete charge",
        equation=r"J' = \beta J - \eta \langle g + k q, \xi \rangle + \langle A v', v' \rangle",
        applies="rules that keep a covector, every affine symmetry",
        suits=lambda rule, symmetry: rule.covector is not None and not rule.log_state,
        residual=charge_law,
        blind=("faults in g that keep the symmetry", "eta, on a symmetric loss without decay"),
        faults=(
            *planted.STATES,
            *planted.NEAR_GRADIENTS,
            *planted.DECAYS,
            planted.BETA_OFF,
            *wrong(
                "dropped kinetic term", "doubled kinetic term", "kinetic term of heavy ball for Nesterov's"
            ),
            planted.NARROW_ETA,
            *planted.METRICS,
            planted.METRIC_BEFORE,
            planted.VELOCITY_KEPT,
            *wrong("kinetic term without its metric", "kinetic term without its schedule"),
            planted.SCHEDULE_INSIDE,
            *planted.LATE,
        ),
        promised=planted.ulps(
            float64=("state", "buffer"), bfloat16=("state", "buffer"), bfloat16_mixed=("state",)
        ),
    ),
    ExactLaw(
        key="D3",
        home=("mexican-hat-2", "heavy-ball"),
        reads_buffer=True,
        title="decay of a Killing charge",
        equation=r"J_n = \beta^n J_0",
        applies="rules with momentum, eps = 0: rotations where a step is along it (not Nesterov, no "
        "metric); translations without coupled decay, whatever moves q",
        suits=decaying,
        residual=decay_law,
        some=undisturbed,
        blind=("everything along the rotation: coupled decay of any size", "the gradient"),
        faults=(*planted.STATES, planted.BETA_OFF, planted.DECAY_COUPLED, *planted.LATE),
        promised=planted.ulps(
            float64=("state", "buffer"), bfloat16=("state", "buffer"), bfloat16_mixed=("state",)
        ),
    ),
)
