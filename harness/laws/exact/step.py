"""D0, the update itself (theory.md#D0)."""

from __future__ import annotations

import numpy as np

from noether.laws.exact import planted
from noether.laws.exact.terms import ExactLaw, Residual, formed
from noether.laws.exact.witness import witnessed
from noether.mechanics.accumulated import AGAIN
from noether.mechanics.trajectory import Trajectory


def update(t: Trajectory, symmetry=None):
    """D0  the new buffers and q' are the sums of the terms of the rule, componentwise (log q for the mirror
    rule)."""
    old = t.summands[0]["q"]
    own_v = formed(t, 4, t.sizes_v) + inner(t, t.delta)
    own_q = (
        formed(t, 3 if t.rule.shrinks else 1, old, t.v[1:])
        if t.rule.moves_by_buffer
        else formed(t, 6, old, t.reach) + inner(t, t.sigma)
    )
    if t.rule.simplex:
        own_q = own_q + formed(t, 12 + t.dim, t.log_sum, 1)[:, None]  # exp, the sum, log
    return Residual(
        np.concatenate([t.v[1:], t.z[1:]], axis=1),
        np.concatenate([t.expected_v, old + t.move - t.log_sum[:, None]], axis=1),
        np.concatenate([t.delta + own_v, t.sigma + own_q], axis=1),
        np.broadcast_to(t.path, (t.steps, t.lanes)),
    )


def inner(t: Trajectory, bound):
    """What the terms of a rule round inside of themselves, where they are more than products: what the kernel
    rounds in its own arithmetic, in the units of this one."""
    return 0 * bound if t.rule.elementary else AGAIN * (t.unit / t.precision.u_arith) * bound


LAWS = (
    ExactLaw(
        key="D0",
        home=("product", "heavy-ball"),
        reads_buffer=True,
        title="the update itself",
        equation=r"v' = \beta v - \eta (g + k q), \quad q' = q + v'",
        applies="every rule, every case, every precision",
        suits=lambda rule, symmetry: True,
        residual=update,
        blind=("nothing that changes a bit by more than its rounding",),
        faults=(
            *planted.STATES,
            *planted.NEAR_GRADIENTS,
            *planted.DECAYS,
            planted.ANOTHER_LOSS,
            planted.BETA_OFF,
            planted.DECAY_COUPLED,
            planted.NARROW_ETA,
            *planted.NARROW_STORES,
            planted.ONE_LANE,
            *planted.OPTIONS,
            *planted.METRICS,
            planted.VELOCITY_KEPT,
            *planted.SCHEDULES,
            planted.SIGN_IGNORED,
            planted.NOT_NORMALISED,
            *planted.LINES,
            *planted.PLACED,
        ),
        everywhere=tuple(fault.name for fault in planted.PLACED),
        promised=planted.ulps(
            float64=("state", "buffer"), bfloat16=("state", "buffer"), bfloat16_mixed=("state", "buffer")
        ),
        about_symmetry=False,
        about_path=True,
        witness=witnessed,
    ),
)
