"""`xp.step`, the one operation with a kink: exact on every backend, flat, and honest where its side is not
known."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import plainest
import pytest

from noether.campaigns.kill_matrix.generated import GeneratedCell
from noether.cases.case import CaseError, linear
from noether.cases.losses.leaky_network import LEAKY_NETWORK, kinks
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.namespaces import NUMPY, step
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.trace import gradient, gradient_program
from noether.laws.continuous import cells, starts
from noether.laws.continuous.comparison import solve
from noether.laws.continuous.settings import Setting, spread
from noether.laws.exact import residuals
from noether.laws.exact.cell import LaunchCell
from noether.laws.orders import cells as orders
from noether.mechanics import bounds, wide
from noether.mechanics.kinks import Kinked, met, require_smooth
from noether.mechanics.magnitude_bounds import Magnitude, magnitude_error
from noether.mechanics.symbolic import formulas
from noether.mechanics.symbolic import gradient as symbolic_gradient
from noether.mechanics.symbolic_mechanics import mechanics
from noether.mechanics.symmetry_proof import prove
from noether.verdicts.record import HOLDS, OUTSIDE, VIOLATED

F64 = Precision("float64")
SLOPE = gradient_program(2, lambda q, eps, xp: q[0] * q[0] * xp.step(q[0] - q[1]) / 2)
"""Gradient q_0 where q_0 > q_1, else 0."""


def test_step_is_one_above_zero_and_zero_elsewhere_in_every_arithmetic():
    for kind in (float, np.float32, np.longdouble, mpmath.mpf, Fraction):
        assert [step(kind(x)) for x in (-1, 0, 2)] == [0, 0, 1] and type(step(kind(2))) is kind
    x = np.array([-1.0, -0.0, 0.0, 5e-324, np.inf, np.nan])
    assert step(x).tolist() == [0, 0, 0, 1, 1, 0] and step(x.astype(np.longdouble)).dtype == np.longdouble
    assert step(np.array([1 + 1e-30j, -1 + 1e-30j])).tolist() == [1, 0], "the complex step of the collocation"


def test_the_gradient_of_a_leaky_network_is_one_gradient_in_every_derivation():
    q = LEAKY_NETWORK.draw(np.random.default_rng(0), 7)
    u = np.array(kinks(list(q), NUMPY))
    assert (u > 0).any(axis=1).sum() and (u < 0).any(axis=1).sum() and np.abs(u).min() > 1e-3
    eps = np.full(7, 0.5)
    traced = np.array(gradient(LEAKY_NETWORK).run(list(q), eps, F64))
    known = wide.gradient(lambda x, xp: LEAKY_NETWORK.total(x, 0.5, xp), q)
    bound = bounds.program_error(gradient(LEAKY_NETWORK), q, 0 * q, eps, F64)[1]
    assert (np.abs(traced - known) <= bound).all() and np.abs(known).max() > 0.1
    assert (
        np.abs(symbolic_gradient(LEAKY_NETWORK)(q, 0.5) - known).max() < 1e-14
    )  # a hundred operations in numbers of order 1
    differences = wide.gradient_mp(lambda x, xp: LEAKY_NETWORK.total(x, mpmath.mpf(0.5), xp), q[:, 0])
    assert max(abs(float(a) - float(b)) for a, b in zip(differences, known[:, 0], strict=True)) < 1e-16
    assert all(d.has(*formulas(LEAKY_NETWORK).q) for d in formulas(LEAKY_NETWORK).loss_gradient)


def near_the_kink():
    """q_0 - q_1 at 0, below, at and above the error of q."""
    off = np.array([0.0, 2.0**-50, 2.0**-41, -(2.0**-41), 2.0**-30, -(2.0**-30)])
    return np.stack([1 + off, np.ones(6)]), np.full((2, 6), 2.0**-40)


def test_where_rounding_may_cross_the_kink_the_bound_covers_both_sides_and_elsewhere_it_is_small():
    q, error = near_the_kink()
    value, bound = bounds.program_error(SLOPE, q, error, np.zeros(6), F64)
    assert value[0].tolist() == [0, q[0, 1], q[0, 2], 0, q[0, 4], 0]
    assert (bound[0, :4] >= 1).all() and (bound[0, 4:] < 2.0**-38).all()
    exact = bounds.program_error(SLOPE, q, 0 * error, np.zeros(6), F64)[1]
    assert (exact[0, 1:] < 2.0**-50).all(), (
        "exact inputs: the kernel's difference is exact, its side is known"
    )


def test_the_screen_bounds_the_same_by_magnitudes():
    q, error = near_the_kink()
    for scale in (0.0, 2.0**12):  # gamma(1) m: 2^-53 m in float64
        sizes = (
            [Magnitude(np.abs(x), 0) for x in q]
            if not scale
            else [Magnitude(np.abs(x) * scale, 1) for x in q]
        )
        bound = magnitude_error(SLOPE, [*q, np.zeros(6)], [*sizes, Magnitude(np.zeros(6), 0)], F64)
        run = bounds.program_error(
            SLOPE, q, np.stack([F64.u_arith * s.m * s.c for s in sizes]), np.zeros(6), F64
        )[1]
        assert (bound >= run * (1 - 2.0**-20)).all()
    assert (bound[0, :4] >= 1).all() and (bound[0, 4:] < 2.0**-35).all()


def test_every_changed_operation_of_a_step_is_killed_or_changes_nothing():
    (record,) = GeneratedCell(LEAKY_NETWORK, "heavy-ball", "float64", "gradient", 3).run()
    data = record.data["generated"]
    assert data["killed"] > 100 and not data["survivors"] and record.verdict == VIOLATED


def test_a_launch_through_kinks_is_judged_as_any_other():
    cell = LaunchCell(
        LEAKY_NETWORK, "heavy-ball", "float32", "numpy", "exact", ("D0", "D1", "D2", "D4"), 61, 0
    )
    z = launch.run(cell.job(), "numpy").wide()[0]
    assert met(LEAKY_NETWORK, z).sum() > 10, "few lanes meet a kink: nothing was shown"
    assert {r.verdict for r in cell.run()} == {HOLDS}


@pytest.mark.parametrize("backend", [b for b in ("triton-ptx", "triton-cpu") if not launch.missing(b)])
@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_what_triton_compiles_steps_as_numpy_does(backend, precision):
    cell = LaunchCell(LEAKY_NETWORK, "heavy-ball", precision, backend, "parity", ("B1",), 61, 0, 8)
    assert cell.run()[0].verdict == HOLDS


def test_the_residuals_of_a_case_with_kinks_can_be_screened():
    rule, precision = RULES["heavy-ball"], Precision("float32")
    traced = residuals.residuals(
        LEAKY_NETWORK, rule, precision, tuple(residuals.speaking(LEAKY_NETWORK, rule, ("D0", "D2")))
    )
    assert sum(op.name == "step" for op in traced.program.ops) > sum(
        op.name == "step" for op in gradient(LEAKY_NETWORK).ops
    )


def test_a_reference_that_meets_a_kink_puts_the_statement_outside_before_anything_is_judged(monkeypatch):
    right = starts.lost
    monkeypatch.setattr(starts, "lost", lambda *a: ~right(*a))  # the starts that meet one come first
    (cell,) = cells.cells((LEAKY_NETWORK,), "glance")
    records = cells.run_cell(cell)
    records = [
        r for r in records if not r.fault and "statement" not in r.parameters
    ]  # the equations are derived without a trajectory
    assert {r.verdict for r in records} == {OUTSIDE} and "meets a kink before t = " in records[0].reason
    w, c, a = (8.0, 12.0), (-0.25, 0.25), (0.25, 0.5)
    calm = replace(LEAKY_NETWORK, box=(w, c, a) * 2)
    (cell,) = cells.cells((calm,), "glance")
    solution = solve(cell, mechanics(calm), spread([1.0], (Setting(1.0),)), points=4, final=0.25)
    assert not met(calm, solution.run.x[:, :6]).any()
    assert {r.verdict for r in orders.run_cell(orders.cells((LEAKY_NETWORK,))[0])} == {OUTSIDE}


@pytest.mark.parametrize("seed", range(6))
def test_no_trajectory_starts_where_a_rectifier_is_flat(seed):
    """Behind it nothing pulls: what is left of a motion after its layer is nothing, of which no law can be
    shown."""

    def loss(q, xp):
        u = q[0] + q[1]
        return (q[2] * u * xp.step(u) - 1) ** 2 / 2

    case = plainest.case(
        "flat",
        loss,
        breaking=lambda q, xp: q[0] + q[2] * q[2] / 4,
        box=((-1, 1), (-1, 1), (0.5, 1)),
        kinks=lambda q, xp: [q[0] + q[1]],
        symmetries=(linear(np.diag([1.0, 1.0, -1.0]), "rescale"),),
    )
    setting, mech, rng = spread([1.0], (Setting(1.0),)), mechanics(case), np.random.default_rng(seed)
    for x0 in starts.candidates(rng, mech, setting, np.array([[0.0], [1.0]])):
        assert x0[0, 0] + x0[1, 0] > 0


def test_a_kink_of_the_loss_that_its_case_does_not_name_is_refused():
    for named in (None, lambda q, xp: kinks(q, xp)[:-1]):
        with pytest.raises(CaseError, match=r"has a kink where .* is 0, kinks must name it"):
            prove(replace(LEAKY_NETWORK, kinks=named))
    prove(LEAKY_NETWORK)


def test_a_kink_may_be_named_by_anything_that_is_zero_where_it_is():
    """q0 names the kink of step(.3 q0), and q0 and q1 that of step(-2 q0 q1)."""

    def loss(q, xp):
        return q[0] * xp.step(0.3 * q[0]) * q[1] + q[1] * q[2] * xp.step(-2 * q[0] * q[1])

    named = plainest.case(
        "named",
        loss,
        breaking=lambda q, xp: q[2],
        kinks=lambda q, xp: [q[0], 3 * q[1]],
        box=((0.5, 1),) * 3,
        symmetries=(linear(np.diag([1.0, -1.0, 1.0]), "rescale"),),
    )
    prove(named)
    sums = replace(
        named,
        loss=lambda q, xp: q[0] * q[1] * xp.step(q[0] * q[1] - 0.3 - 1),
        kinks=lambda q, xp: [q[0] * q[1] - 1.3],
    )
    prove(sums)  # 0.3 + 1 is 1.3 but for a rounding
    for wrong in (
        lambda q, xp: [q[0]],
        lambda q, xp: [q[1]],
        lambda q, xp: [q[0], q[1] ** 2],
        lambda q, xp: [(q[0] * q[1]) ** 2],
        lambda q, xp: [q[0], q[1] - q[2]],
        lambda q, xp: [q[0] + q[1]],
    ):
        with pytest.raises(
            CaseError, match=r"has a kink where -2(\.0)?\*q0\*q1 is 0|has a kink where 0\.3\*q0 is 0"
        ):
            prove(replace(named, kinks=wrong))


def test_a_kink_between_two_rows_is_met_when_its_argument_comes_near():
    case = replace(LEAKY_NETWORK, kinks=lambda q, xp: [q[0]])
    line = lambda *rows: np.array(rows)[:, None, None] * np.eye(6)[0][:, None]
    assert not met(case, line(3.0, 2.0, 1.5))[0]
    assert met(case, line(1.0, -1.0))[0], "a sign"
    assert met(case, line(1.0, 0.3, 1.0))[0], "a touch"
    with pytest.raises(Kinked, match=r"meets a kink before t = 2 in lane 0; 1 of 1 lanes"):
        require_smooth(case, line(3.0, 2.0, -1.0), np.array([[0.0], [1.0], [2.0]]))
