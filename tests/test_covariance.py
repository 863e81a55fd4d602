"""D17: rules go their way again at another scale and turned, to the bit, and what is wrong is seen."""

from dataclasses import replace

import numpy as np
import pytest

from noether.cases import CORE, DEFORMED_RAYLEIGH
from noether.cases.rules import RULES
from noether.cases.turns import commutes, turns
from noether.cases.units import LOSS, PLACE, scaling
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.covariance import cells, departure, faults, scaled, turned
from noether.laws.covariance.turned import about
from noether.laws.registry import LAWS
from noether.mechanics import sweep
from noether.verdicts import orders
from noether.verdicts.record import HOLDS, INCONCLUSIVE, ORDER, VIOLATED

D = DEFORMED_RAYLEIGH.dim


def cell(rule, precision="float64", profile="full"):
    return cells.Cell(DEFORMED_RAYLEIGH, rule, precision, profile, 5)


@pytest.fixture(scope="module")
def records():
    return [r for c in cells.cells(CORE, "quick", 3) for r in cells.run_cell(c)]


def test_every_rule_that_has_a_scale_goes_its_way_again(records):
    right = [r for r in records if r.fault is None]
    assert {r.verdict for r in right} == {HOLDS}
    assert {r.rule for r in right} == {name for name, rule in RULES.items() if rule.fits(4)}
    assert {r.precision for r in right} == set(cells.PRECISIONS)
    assert {r.spent for r in right if r.kind == "bitwise"} == {0.0}


def test_every_fault_is_killed_and_the_book_names_them_all(records):
    wrong = {r.fault for r in records if r.verdict == VIOLATED and r.fault}
    assert wrong == set(LAWS["D17"].must_kill)
    seen = [r.verdict for r in records if r.fault]
    assert seen.count(VIOLATED) >= 0.98 * len(seen) and HOLDS not in seen


@pytest.mark.parametrize("fault", faults.STEPS)
@pytest.mark.parametrize("rule", ["adam", "rmsprop", "nadam", "lamb"])
def test_a_step_that_is_wrong_by_one_power_is_another_run(fault, rule):
    found = [r for r in cells.run_cell(cell(rule)) if r.fault == fault.name]
    assert found and {r.verdict for r in found} == {VIOLATED}


def test_a_loss_that_says_itself_doubled_gives_the_run_of_the_scaled_gradient():
    """Apart from the way in which D17 scales a gradient: the loss is traced anew, times 2."""
    case = replace(DEFORMED_RAYLEIGH, name="doubled", loss=lambda q, xp: 2 * DEFORMED_RAYLEIGH.loss(q, xp))
    rule, s = RULES["adam"], scaling(RULES["adam"], D, LOSS)
    size = dict(lanes=5, steps=3, seed=1, overrides={"eps": 0.0})
    job = sweep.draw(DEFORMED_RAYLEIGH, rule, parse("float32"), **size)
    other = sweep.draw(case, rule, parse("float32"), **size)
    here = scaled.scales(rule, D, s, np.ones(5))
    v0, params = np.ldexp(job.v0, here.v), np.ldexp(job.params, here.params)
    other = replace(other, q0=job.q0, v0=v0, params=params)
    q, v = launch.run(job, "numpy").wide()
    z, w = launch.run(other, "numpy").wide()
    assert np.array_equal(q, z) and np.array_equal(np.ldexp(v, here.v), w) and (q[-1] != q[0]).all()


def test_radam_is_not_covariant_under_the_scales_of_adam():
    job = cell("radam").job(8, 12)
    j = np.ones(8)
    scales = scaled.scales(RULES["radam"], D, scaling(RULES["adam"], D, LOSS), j)
    (found,) = cells.tried(job, [scaled.scales(RULES["radam"], D, None, j), scales])
    assert found.off[1:].all()


def test_underflow_ends_the_statement_and_excuses_nothing_before():
    job = cell("adam", "float16").job(24, 8)
    j = np.full(24, -3.0)
    scales = [scaled.scales(RULES["adam"], D, s, j) for s in (None, scaling(RULES["adam"], D, LOSS))]
    (found,) = cells.tried(job, scales)
    assert found.inside[0].any() and not found.inside.all() and (found.off & ~found.inside).any()


def test_a_buffer_that_is_said_not_to_scale_is_seen():
    rule, job = RULES["heavy-ball"], cell("heavy-ball").job(8, 4)
    right = scaled.scales(rule, D, scaling(rule, D, PLACE), np.ones(8))
    own = scaled.scales(rule, D, None, np.ones(8))
    wrong = replace(right, v=0 * right.v)
    good, bad = cells.tried(job, [own, right, wrong])
    assert not good.off.any() and bad.off[1:].all()


# ---- the stability that is left behind


def test_the_departure_is_of_first_order_with_its_constant():
    """Where an error is 2^15 of its floors, the bound of an order (verdicts/orders.py) is SETTLED, and 3/ln 2
    of them. What is left falls as s^2, the departure as s: their ratio, at the first s the sum of a series in
    s, falls as s to a factor that is below 2."""
    c = cell("adam")
    found = departure.departure(c.case, c.job(departure.LANES, departure.STEPS))
    norm = lambda x: np.sqrt((x**2).sum(axis=(1, 2)))
    whole, left = norm(found.measured), norm(found.measured - found.predicted)
    for errors, stated in ((whole, 1), (left, 2)):
        clear = errors[errors > 2.0**15 * found.floor]
        order = orders.decide(clear, np.full(len(clear), found.floor))
        assert abs(order.value - stated) <= order.bound <= orders.SETTLED + 3 / (2.0**15 * np.log(2))
    ratio = left / whole
    assert ratio[0] < 1 / 32 and ratio[-1] < 2 * ratio[0] * found.sizes[-1] / found.sizes[0]


def test_the_slope_is_the_derivative_of_one_step():
    """From rest one step of Adam is eta g / (|g| + s), so dq/ds = eta sign(g) / |g| at s = 0."""
    c = cell("adam")
    job = c.job(6, 1, k=0.0, stability=0.0)
    job = replace(job, v0=0 * job.v0)
    g = departure.gradient_of(c.case)(job.q0)
    expected = job.params[0] * np.sign(g) / np.abs(g)
    # Some twenty operations, each on complex numbers.
    assert departure.slope(c.case, job) == pytest.approx(expected, rel=64 * 2.0**-53, abs=0)


def test_what_is_compared_with_a_stability_by_its_size_departs_by_nothing():
    found = [r for r in cells.run_cell(cell("muon")) if "departure" in r.symmetry]
    assert [r.verdict for r in found] == [HOLDS] and found[0].kind != ORDER
    assert departure.departs(RULES["muon"], D) and not departure.departs(RULES["adadelta"], D)
    assert not departure.departs(RULES["radam"], D) and not departure.departs(RULES["heavy-ball"], D)


def test_a_size_that_nearly_vanishes_on_the_way_falls_below_a_stability_and_is_left_out(monkeypatch):
    """At this seed the buffer and the gradient of one step nearly cancel."""
    c = replace(cell("muon"), seed=3001, profile="full")
    job = c.job(departure.LANES, departure.STEPS)
    found, verdict = departure.departure(c.case, job), lambda x: departure.nothing(x, about(c, job)).verdict
    assert ((found.measured != 0).any(axis=1) == ~found.still).all() and 0 < (~found.still).sum() < 4
    assert verdict(found) == HOLDS
    assert verdict(replace(found, still=found.still | True)) == VIOLATED
    monkeypatch.setattr(departure, "LARGEST", 2.0**30)
    above = departure.departure(c.case, job)
    assert verdict(above) == INCONCLUSIVE and not above.still.any()


def test_adadelta_without_its_stability_stands_still():
    job = cell("adadelta").job(4, 2, stability=0.0)
    assert departure.rests(DEFORMED_RAYLEIGH, job)
    assert not departure.rests(DEFORMED_RAYLEIGH, cell("adam").job(4, 2, stability=0.0))


# ---- turns


def test_a_turn_that_a_rule_does_not_commute_with_is_far_off():
    job = cell("adam").job(8, 3)
    own = turned.course(job)
    measured, predicted, bound, _ = turned.within(job, own, turned.beside(job, own, turns(D)), turns(D))
    spent = np.abs(measured - predicted) / bound
    for x, turn in zip(spent, turns(D), strict=True):
        assert x.max() < 1 if commutes(RULES["adam"], turn) else x.max() > 1e6


def test_muon_is_turned_with_its_matrix_and_seen_where_it_is_not():
    found = turned.judged(cell("muon"), cell("muon").job(8, 3))
    assert [(r.verdict, r.fault) for r in found] == [(HOLDS, None), (VIOLATED, faults.OTHER_TURN.name)]


def test_turns_hold_in_every_precision():
    for name in cells.PRECISIONS:
        for rule in ("adam", "normalised-gradient", "shampoo"):
            c = cell(rule, name)
            assert {r.verdict for r in turned.judged(c, c.job(8, 3)) if r.fault is None} == {HOLDS}, (
                rule,
                name,
            )


def test_the_cells_need_their_cases_and_no_glance():
    assert cells.cells(CORE[:2]) == [] == cells.cells(CORE, "glance")
    names = [c.name for c in cells.cells(CORE, "full")]
    assert len(set(names)) == len(names) > 5 * len(cells.cells(CORE, "quick")) - 1
