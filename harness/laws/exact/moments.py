"""D14, what a rule keeps beside its covector: second moments, maxima, metrics (theory.md#D14)."""

from __future__ import annotations

import numpy as np

from noether.laws.exact import planted
from noether.laws.exact.terms import ExactLaw, Residual, formed
from noether.laws.law import wrong
from noether.mechanics.trajectory import Trajectory


def moment_law(t: Trajectory, symmetry=None):
    """D14  s' = F(s, g) from s_0 on, with the F of the rule and gradients of wide arithmetic; component by
    component of every buffer but the covector."""
    beside = np.ones(t.v.shape[1], bool)
    beside[t.charged] = False
    measured, predicted, error = (x[1:, beside] for x in (t.v, t.v_apart, t.v_error))
    return Residual(measured, predicted, error + formed(t, 1, predicted), np.abs(predicted))


LAWS = (
    ExactLaw(
        key="D14",
        home=("product", "adam"),
        beside=True,
        title="second moments, from the gradients alone",
        equation=r"s_n = \beta_2^n s_0 + (1 - \beta_2) \sum_{i<n} \beta_2^{n-1-i} g_i^2",
        adds="every other buffer beside the covector by the recursion of its rule",
        applies="rules with more than one buffer",
        suits=lambda rule, symmetry: len(rule.buffers) > 1,
        residual=moment_law,
        blind=("the covector, and what moves q",),
        faults=(
            planted.NAN_IN_A_LANE,
            *planted.MOMENTS,
            *wrong("second moments without their memory", "second moments with beta2 off by 2^-10"),
            *wrong("second moments without decay"),
        ),
        about_symmetry=False,
        screened=False,
    ),
)
