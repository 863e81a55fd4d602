"""Certified trajectories and the laws on them: solvers agree, bounds are derived, every fault is seen."""

import pickle
import warnings
from dataclasses import replace
from fractions import Fraction
from math import comb, factorial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import ODEintWarning

from noether.cases import CATALOG
from noether.laws.continuous import cells, comparison, sweep
from noether.laws.continuous.settings import SETTINGS, spread
from noether.mechanics import collocation, flow
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts.claims import record
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

BY_NAME = {c.name: c for c in CATALOG}


def oscillator(rate):
    """x'' = -rate x' - x as rates of (x, x')."""
    return lambda y: np.concatenate([y[1:], -rate * y[1:] - y[:1]])


def exact_oscillator(rate, t):
    """From x = 1, x' = 0."""
    root = np.sqrt(complex(rate * rate / 4 - 1))
    a, b = -rate / 2 + root, -rate / 2 - root
    return ((a * np.exp(b * t) - b * np.exp(a * t)) / (a - b)).real


def marched(rates, start, times, stages, settle=None):
    """The coordinates at these times, and no integral beside them."""
    none = np.zeros((0, 1))
    return collocation.march(rates, lambda X: X[:0], np.array(start), none, none, times, stages, settle)


@pytest.mark.parametrize("rate", [0.5, 10.0, 1e4])
def test_collocation_solves_the_damped_oscillator_to_rounding(rate):
    times = flow.output_times(1 / rate)[:, None]
    x, _ = marched(oscillator(rate), [[1.0], [0.0]], times, 8)
    expected = np.array([exact_oscillator(rate, t) for t in times[:, 0]])
    # The quadratic formula itself loses rate times one rounding.
    assert np.max(np.abs(x[:, 0, 0] - expected)) <= 2.0**-53 * (100 + rate)


@pytest.mark.parametrize("stages", [3, 4, 5])
def test_collocation_converges_at_order_two_s_minus_one(stages):
    errors = []
    for n in (2, 4):
        times = np.linspace(0, 4, n + 1)[:, None]
        x, _ = marched(oscillator(0.5), [[1.0], [0.0]], times, stages)
        errors.append(abs(x[-1, 0, 0] - exact_oscillator(0.5, 4.0)))
    assert np.log2(errors[0] / errors[1]) > 2 * stages - 2


def test_an_equation_that_newton_cannot_settle_is_an_error_not_a_number():
    with pytest.raises(FloatingPointError, match="stages do not settle"):
        marched(lambda y: y * y, [[1.0]], np.array([[0.0], [2.0]]), 8)


def test_stages_that_settle_by_simple_iteration_are_those_of_newton():
    rates = lambda x: np.stack([x[1], -np.sin(x[0])])
    x, h = np.array([[0.3, 1.0], [0.5, -0.2]]), np.array([0.2, 0.1])
    one, other = (solve(rates, x, h, 8) for solve in (collocation.settled, collocation.newton))
    assert np.max(np.abs(one - other)) < 1e-13


def pade(z, k: int, m: int) -> Fraction:
    """The approximant of e^z of degrees k over m (Pade, 1892): what a step of Radau IIA multiplies with."""
    share = lambda k, m, j: Fraction(comb(k, j) * factorial(m + k - j), factorial(m + k))
    part = lambda z, k, m: sum(share(k, m, j) * z**j for j in range(k + 1))
    return part(z, k, m) / part(-z, m, k)


def test_simple_iteration_gives_up_where_a_rate_is_fast_and_the_march_halves_its_step():
    x, rates = np.ones((1, 1)), lambda x: -5 * x
    settled = lambda h: collocation.settled(rates, x, np.full(1, h), 8)
    assert settled(4.0) is None and settled(1.0) is not None
    end = lambda rates, times, settle: marched(rates, x, np.array(times)[:, None], 8, settle)[0][-1, 0, 0]
    halved_twice = end(rates, [0.0, 4.0], collocation.settled)
    by_newton = end(rates, [0.0, 1.0, 2.0, 3.0, 4.0], collocation.newton)
    exact = float(pade(-5, 7, 8) ** 4)
    assert by_newton == pytest.approx(exact, rel=2.0**-40, abs=0)
    # An iteration that halves what is left, as at h = 1, ends where it moves stages by less than 1e-12.
    assert abs(halved_twice - exact) < 1e-12
    with pytest.raises(FloatingPointError, match="do not settle"):
        end(lambda x: -5.0 * 2**collocation.HALVINGS * x, [0.0, 4.0], collocation.settled)


def test_the_damped_integral_of_a_constant_is_within_the_distance_of_two_orders_and_does_not_overflow():
    rate, times = np.array([[1e4]]), flow.output_times(1e-4)[:, None]
    fine, coarse = (
        collocation.march(
            lambda y: 0 * y, lambda X: 1 + 0 * X, np.zeros((1, 1)), np.zeros((1, 1)), rate, times, s
        )[1][:, 0, 0]
        for s in (8, 7)
    )
    expected, rounding = 1e-4 * -np.expm1(-1e4 * times[:, 0]), 1e-4 * len(times) * 2.0**-53
    assert np.max(np.abs(fine - expected)) <= np.max(np.abs(fine - coarse)) + rounding
    assert np.max(np.abs(fine - coarse)) < 1e-12 * 1e-4


@pytest.fixture(scope="module")
def rayleigh():
    """Certified at m = 1 and 1e-3, with breaking and decay."""
    cell = comparison.Cell("T1", BY_NAME["rayleigh"], "lagrangian", "masses", "quick", 1)
    mech = mechanics(cell.case)
    return cell, mech, comparison.solve(cell, mech, spread((1.0, 1e-3), SETTINGS[:1]))


@pytest.mark.parametrize("name", ["rayleigh", "linear-network", "entropy-mirror", "deformed-rayleigh"])
def test_rates_alone_are_those_beside_the_sources_to_the_bit(name):
    case = BY_NAME[name]
    mech, rng = mechanics(case), np.random.default_rng(0)
    lanes = 7
    x = np.concatenate([case.draw(rng, lanes), rng.normal(size=(case.dim, lanes))])
    values = rng.uniform(0.1, 1.0, size=(5, lanes))
    for y in (x, x + 1e-30j):
        whole, alone = mech.field(*y, *values), mech.rates(*y, *values)
        assert len(whole) > len(alone) == 2 * case.dim
        assert alone.tobytes() == whole[: 2 * case.dim].tobytes()


def test_two_methods_at_two_tolerances_agree_and_tightening_helps(rayleigh):
    _, _, solution = rayleigh
    assert list(flow.methods(solution.run.parameters)) == ["DOP853", "LSODA"]
    assert np.all(solution.settled) and np.all(solution.state < 1e-9)


def test_a_trajectory_that_tightening_does_not_improve_is_not_certified(rayleigh):
    cell, _, solution = rayleigh
    off = replace_state(solution.run, solution.run.x * (1 + 1e-6))
    bad = flow.Certified(off, solution.fine, solution.coarse, solution.loose)
    assert not np.any(bad.settled)
    judged = comparison.judge(bad, 0, 1, comparison.windows(bad, 1)["layer"], lambda t: t.predicted(0))
    assert record(cell, "scale", [judged], {}, 0).verdict != HOLDS


def replace_state(run, x):
    return flow.Trajectory(run.mechanics, run.parameters, run.times, x, run.z)


def test_the_bound_does_not_excuse_a_wrong_formula(rayleigh):
    """The distances of (2) compare a formula with itself: a wrong term moves the residual, not the bound."""
    _, _, solution = rayleigh
    window = comparison.windows(solution, 1)["rest"]
    right = comparison.judge(solution, 0, 1, window, lambda t: t.predicted(0))
    wrong = comparison.judge(solution, 0, 1, window, lambda t: t.predicted(0) + t.part(0, "generator"))
    assert right.spent <= 1 < wrong.spent / 1e3
    assert wrong.bound < 10 * right.bound


def test_layer_and_rest_are_judged_apart(rayleigh):
    _, _, solution = rayleigh
    assert comparison.windows(solution, 0).keys() == {"layer"}  # at m = 1 the layer outlasts the run
    two = comparison.windows(solution, 1)
    assert (
        two.keys() == {"layer", "rest"}
        and not np.any(two["layer"] & two["rest"])
        and np.all(two["layer"] | two["rest"])
    )


def test_no_motion_is_inconclusive():
    """From rest at a minimum of the symmetric loss: j = S = 0 proves nothing."""
    case = BY_NAME["mexican-hat"]
    cell = comparison.Cell("T1", case, "lagrangian", "masses", "quick", 0)
    mech, one = mechanics(case), np.ones(1)
    parameters = flow.Parameters(one, one, 0 * one, 0 * one)
    still = flow.certified(
        mech, np.array([[1.0], [0], [0], [0], [0], [0]]), parameters, flow.output_times(1.0)[:, None]
    )
    judged = comparison.judge(still, 0, 0, np.ones(len(still.run.times), bool), lambda t: t.predicted(0))
    found = record(cell, "rotation-01", [judged], {}, cells.MOTION)
    assert found.verdict == INCONCLUSIVE and "no motion" in found.reason


def test_a_non_finite_charge_is_violated_not_ignored(rayleigh):
    cell, _, solution = rayleigh
    x = solution.run.x.copy()
    x[5, 0, 0] = np.nan
    bad = flow.Certified(replace_state(solution.run, x), solution.fine, solution.coarse, solution.loose)
    judged = comparison.judge(bad, 0, 0, comparison.windows(bad, 0)["layer"], lambda t: t.predicted(0))
    found = record(cell, "scale", [judged], {}, 0)
    assert found.verdict == VIOLATED and found.spent == float("inf")


@pytest.mark.parametrize("name", ["mexican-hat", "entropy-mirror", "deformed-rayleigh"])
def test_every_law_of_a_case_holds_and_every_fault_is_violated(name):
    for cell in cells.cells([BY_NAME[name]], "quick", 2):
        pickle.loads(pickle.dumps(cell))
        records = cells.run_cell(cell)
        real = [
            r
            for r in records
            if r.fault is None and not (r.law == "T5" and r.parameters.get("window") == "rest")
        ]
        assert {r.verdict for r in real} == {HOLDS}
        assert {r.verdict for r in records if r.fault} == {VIOLATED}


def test_the_sum_of_kinetic_parts_is_most_of_what_moves_a_scale_charge(rayleigh):
    _, _, solution = rayleigh
    assert min(comparison.kinetic_share(solution, 0, lane) for lane in (0, 1)) >= 0.5


def test_a_sweep_that_resolves_too_few_decades_is_inconclusive(monkeypatch):
    monkeypatch.setattr(sweep, "MAGNITUDES", (0.0, 1e-3, 1.0))
    (cell,) = [c for c in cells.cells([BY_NAME["mexican-hat"]], "quick", 0) if c.part == "eps"]
    claims = [r for r in cells.run_cell(cell) if r.fault is None]
    assert {r.verdict for r in claims} == {INCONCLUSIVE} and "3 decades resolved, 10 needed" in claims[
        0
    ].reason


def test_a_sweep_must_resolve_what_the_rounding_of_its_solution_leaves():
    def asked(state, response, size=1.0):
        return sweep.needed([SimpleNamespace(state=state, response=r) for r in (0.0, response)], size)

    assert asked(1e-13, 0.3) == asked(0.0, 0.3) == asked(0.0, 0.0) == 10  # as it is of the catalogue
    assert asked(5e-12, 0.3) == 8 and asked(5e-12, 0.3, size=10.0) == 7 and asked(5e-12, 0.003) == 6
    assert asked(1e-6, 0.3) == asked(np.inf, 0.3) == 6  # never as good as nothing


def test_a_loss_that_is_not_symmetric_violates_the_response(monkeypatch):
    """The sweep predicts the breaking part alone: a loss that breaks the symmetry by itself is seen."""
    case = BY_NAME["mexican-hat"]
    crooked = replace(case, loss=lambda q, xp: case.loss(q, xp) + 1e-6 * q[0])
    monkeypatch.setattr(cells, "proven", lambda case: None)
    (cell,) = [c for c in cells.cells([crooked], "quick", 0) if c.part == "eps"]
    assert VIOLATED in {r.verdict for r in cells.run_cell(cell) if r.fault is None}


def test_a_solver_that_gives_up_is_inconclusive_not_a_crash(monkeypatch):
    def gives_up(*arguments):
        raise FloatingPointError("LSODA: planted")

    monkeypatch.setattr(flow, "by_lsoda", gives_up)
    (cell,) = [c for c in cells.cells([BY_NAME["mexican-hat"]], "quick", 0) if c.part == "masses"]
    found = cells.run_cell(cell)[-1]
    assert found.verdict == INCONCLUSIVE and "LSODA: planted" in found.reason


def test_a_trajectory_that_escapes_in_finite_time_ends_as_inconclusive():
    """-|q|^4 pulls outwards: no solver may step for ever towards the pole."""
    case = replace(BY_NAME["mexican-hat"], loss=lambda q, xp: -4 * sum(x * x for x in q) ** 2)
    (cell,) = [c for c in cells.cells([case], "quick", 0) if c.part == "masses"]
    found = cells.run_cell(cell)[-1]
    assert found.verdict == INCONCLUSIVE and "no solution to judge" in found.reason


def test_a_solver_that_would_take_for_ever_says_so():
    """A loss on a box of 1e-4 has a curvature of 1e8 in its unit of time: S1 did not end in ten minutes."""
    fast = lambda t, y: 1e6 * np.array([y[1], -y[0]])
    with pytest.raises(FloatingPointError, match="DOP853 took 200 steps to reach t = .*e-.* of 1"):
        flow.dop853(fast, np.ones(2), np.linspace(0, 1, 3), 1e-12, 1e-13, 200)
    slow = flow.dop853(lambda t, y: -y, np.ones(1), np.linspace(0, 1, 3), 1e-13, 1e-14, 200)
    # Each step is off by at most rtol of y, and errors of y' = -y only shrink: steps x rtol.
    assert np.allclose(slow[:, 0], np.exp([-0.0, -0.5, -1.0]), rtol=200 * 1e-13, atol=0)


def test_what_lsoda_warns_of_is_an_error_and_no_line_on_stderr(monkeypatch, recwarn):
    """Lines of scipy's source stood on stderr, also where a run was to be quiet."""

    def gives_up(rhs, y0, times, **options):
        warnings.warn("Excess work done on this call", ODEintWarning, stacklevel=1)
        return np.zeros((len(times), len(y0))), {"message": "Excess work done on this call"}

    monkeypatch.setattr(flow, "odeint", gives_up)
    mech = mechanics(BY_NAME["rayleigh-2"])
    parameters = flow.Parameters(*(np.array([x]) for x in (1e-3, 1.0, 0.0, 0.0)))
    x0 = flow.start(mech, np.ones((2, 1)), np.ones((2, 1)), parameters)
    with pytest.raises(FloatingPointError, match="LSODA gave up before the end: Excess work"):
        flow.by_lsoda(mech, x0, parameters, flow.output_times(1e-3)[:, None], 1e-12)
    assert not recwarn.list
