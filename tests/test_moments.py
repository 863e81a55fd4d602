"""D14: what a rule keeps beside its covector follows from its gradients alone; and the faults of it."""

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.adam import ADAM
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.rmsprop_momentum import RMSPROP_MOMENTUM
from noether.faults import moments
from noether.kernels.loops.launch import run
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, Residual, charge, charge_bound, charge_own
from noether.laws.exact.balance import broken_pull
from noether.laws.exact.judge import spent_of
from noether.laws.exact.terms import act, dot
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

PRODUCT = next(c for c in CATALOG if c.name == "product")
RESCALE = PRODUCT.symmetries[0]
MOVES = "second moment of the step before"


def launched(rule, fault=None, precision="float64", steps=12):
    """The trajectory of a rule on the product, or of a planted fault of it."""
    job = sweep.draw(PRODUCT, rule, parse(precision), lanes=31, steps=steps, seed=2)
    states = fault.outcome(PRODUCT, job) if fault else run(job, "numpy").wide()
    return job, Trajectory.launched(PRODUCT, job, *states)


def spent(t: Trajectory, law: str = "D14") -> float:
    with np.errstate(all="ignore"):
        return spent_of(EXACT[law].residual(t, RESCALE)).max()


def test_the_law_speaks_of_what_stands_beside_the_covector_alone():
    _, t = launched(AMSGRAD)
    r = EXACT["D14"].residual(t)
    assert r.measured.shape == (12, 4, 31) and np.array_equal(r.measured, t.v[1:, 2:])
    _, t = launched(RMSPROP_MOMENTUM)
    assert np.array_equal(EXACT["D14"].residual(t).measured, t.v[1:, 2:])
    assert not EXACT["D14"].suits(HEAVY_BALL, None)


BELOW = ("1 - beta2 x (1 + 2^-10)", "second moment one type lower")
SHOWN = [
    (fault, precision)
    for fault in moments.FAULTS
    for precision in ("float64", "float32", "bfloat16")
    if precision != "bfloat16" or fault.name not in BELOW
]
"""A change of 2^-10 is below the rounding of bfloat16, and no type is below it."""


@pytest.mark.parametrize("fault, precision", SHOWN, ids=lambda x: getattr(x, "name", x))
def test_a_wrong_second_moment_is_killed_and_one_that_is_read_late_only_by_the_charge(fault, precision):
    _, t = launched(ADAM, fault, precision)
    if fault.name == MOVES:
        assert spent(t, "D2") > 2 and (precision != "float64" or spent(t) <= 1)
    else:
        assert spent(t) > 2


def test_no_type_is_below_bfloat16():
    job, _ = launched(ADAM, precision="bfloat16")
    assert [f.name for f in moments.FAULTS if not f.applies(job)] == ["second moment one type lower"]


@pytest.mark.parametrize("rule", [ADAM, AMSGRAD, ADAGRAD], ids=lambda rule: rule.name)
def test_a_fault_of_the_second_moment_is_consistent_with_the_lines_of_the_rule(rule):
    """q' is that of the rule from the wrong moment: D0 finds the buffers wrong, and q' right."""
    fault = next(f for f in moments.FAULTS if f.name == "second moment one type lower")
    job, t = launched(rule, fault)
    assert fault.applies(job)
    found = spent_of(EXACT["D0"].residual(t))
    d, rows = t.dim, t.v.shape[1]
    assert found[:, :d].max() <= 1 and found[:, rows:].max() <= 1
    assert found[:, d:rows].max() > 2.0**20


def test_a_kinetic_term_that_is_measured_from_the_step_sees_no_wrong_second_moment():
    """J' = a J - b <f, xi> + <A (q' - q), p'> is an identity of any q': only a predicted step tells."""
    fault = next(f for f in moments.FAULTS if f.name == "second moment without its square")
    _, t = launched(ADAM, fault)
    J, moved = charge(t, RESCALE), t.q[1:] - t.q[:-1]
    tautology = t.kept * J[:-1] - broken_pull(t, RESCALE) + dot(act(RESCALE.matrix, moved), t.p[1:])
    bound = charge_bound(t, RESCALE) + charge_own(t, RESCALE)
    assert (spent_of(Residual(J[1:], tautology, bound, bound)) <= 1).all()
    assert spent(t, "D2") > 2.0**20


def test_an_error_of_one_step_stays_visible():
    """The law starts where the launch does: a moment that is off once is off until it is forgotten."""
    job, t = launched(ADAGRAD, steps=12)
    v = t.v.copy()
    v[4:, t.dim :] += 2.0**-20
    off = spent_of(EXACT["D14"].residual(Trajectory.launched(PRODUCT, job, t.z, v)))
    assert (off[:3] <= 1).all() and (off[3:] > 1).all()
