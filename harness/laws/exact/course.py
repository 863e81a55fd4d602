"""The course of a charge from its start, and what its law predicts of it step after step.

D2 says of one step what D2' says of all of them, by itself put into itself: with its right side linear in J,

    P_0 = J_0,   P_{n+1} = s beta P_n + c_n,   c_n = s (-eta <f, xi>) + (1 - s) <w, a> + <A y, w>        (1)
    |J_n - P_n| <= B_n,   B_0 = 0,   B_{n+1} = |s beta| B_n + b_n,   b_n the bound of D2 in that step    (2)

so that an error of one step is carried on, where D2 begins anew from every J_n. The charge that a mirror step
keeps, D7, has no memory: its prediction is that of the step.
"""

from __future__ import annotations

import numpy as np

from noether.cases.case import Symmetry
from noether.laws.exact import EXACT, balance, curved
from noether.laws.exact.terms import Residual, formed
from noether.mechanics.trajectory import Trajectory


def predicting(t: Trajectory, symmetry: Symmetry) -> str:
    """The key of the law that predicts the charge of a symmetry under the rule of a trajectory; '' where none
    does."""
    return next((key for key in ("D2", "D7") if EXACT[key].suits(t.rule, symmetry)), "")


def course(t: Trajectory, symmetry: Symmetry) -> Residual:
    """The charge at every state, its prediction and its bound, (steps + 1, lanes); NaN where no law predicts
    it."""
    key = predicting(t, symmetry)
    with np.errstate(all="ignore"):  # a non-finite state is shown, not warned about
        if key == "D2":
            return balanced(t, symmetry)
        if key == "D7":
            return begun(curved.own_law(t, symmetry), np.zeros_like(t.eta))
        J = balance.charge(t, symmetry)
        unknown = np.full_like(J, np.nan)
        return Residual(J, unknown, unknown, np.abs(J))


def balanced(t: Trajectory, symmetry: Symmetry) -> Residual:
    """(1) and (2)."""
    J, factor = balance.charge(t, symmetry), t.shrink * t.kept
    sources = balance.charge_predicted(t, symmetry, np.zeros_like(J))
    local = balance.charge_bound(t, symmetry) + balance.charge_own(t, symmetry)
    predicted = balance.carried(factor, J[0], local, sources)[0]
    before = np.concatenate([J[:1], predicted[:-1]])
    local = local + formed(t, 4, factor * before, predicted)  # what (1) itself rounds
    bound = balance.carried(factor, J[0], local, sources)[1]
    size = balance.size_of_charge(t, symmetry)
    return begun(Residual(J[1:], predicted, bound, size), J[0])


def begun(r: Residual, start) -> Residual:
    """A residual of every step with the start (lanes,) before it, where nothing is predicted yet."""
    before = lambda x, first: np.concatenate([first[None], x])
    nothing = np.zeros_like(start)
    ends = before(r.measured, start), before(r.predicted, start)
    return Residual(*ends, before(r.bound, nothing), before(r.signal, np.abs(start)))
