"""The rule that decides an order: it finds true orders, keeps the sign, and declines to decide on bad
evidence."""

import numpy as np
import plainest
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.laws.orders import cells as order_laws
from noether.laws.orders.runs import FINAL, Cell, reference, step_sizes, updates
from noether.verdicts import orders
from noether.verdicts.claims import order_record
from noether.verdicts.figures import Course
from noether.verdicts.record import HOLDS, INCONCLUSIVE, ORDER, OUTSIDE, VIOLATED

ETA = 2.0 ** -np.arange(4, 11)
NONE = np.zeros_like(ETA)
BY_NAME = {c.name: c for c in CATALOG}
COURSE = Course(x=[1.0], y=[1.0], label="error")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([1, 2, 3]), st.floats(0.1, 10), *[st.floats(-3, 3)] * 3)
def test_a_decided_order_of_a_power_series_is_within_its_bound(order, lead, first, second, third):
    """Holds also where two terms make the differences of p_j pass through zero."""
    errors = ETA**order * (lead * (1 + first * ETA + second * ETA**2 + third * ETA**3))
    decision = orders.decide(errors, 8 * 2.0**-53 * errors)  # each error is formed by eight roundings
    if decision.is_decided:
        assert abs(decision.value - order) <= decision.bound
        assert round(decision.value) == order


def test_a_clean_second_order_is_decided_as_two():
    decision = orders.decide(3 * ETA**2 + ETA**3, NONE)
    assert decision.is_decided and abs(decision.value - 2) <= decision.bound < 0.01


def test_a_diverging_error_has_a_negative_order():
    decision = orders.decide(ETA**-1 + 1, NONE)
    assert decision.is_decided and decision.value == pytest.approx(-1, abs=0.05)
    assert decision.value < 0


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (2.0 ** -np.cumsum([1, 5.7, -2.5, 0.4, 3.0, -4.0, 6.0]), "grow"),
        (ETA * np.array([1, 1, 1, 1, 1, 1, -1]), "change sign"),
        (2.0 ** -np.cumsum([1, 5.7, -2.5, 0.4, 1.9, 2.6, 2.0]), "below 1/2"),
        (np.array([1, 1, np.nan, 1, 1, 1, 1]), "at step size 2 is nan"),
        (np.zeros(7), "0 of 7 step sizes are above the rounding plateau"),
        (ETA[:4] ** 2, "4 of 4 step sizes"),
    ],
)
def test_bad_evidence_decides_nothing(errors, reason):
    decision = orders.decide(errors, np.zeros(len(errors)))
    assert not decision.is_decided and decision.value is None and decision.bound is None
    assert reason in decision.reason


def test_step_sizes_on_the_rounding_plateau_are_left_out_and_too_few_decide_nothing():
    errors, noise = ETA**2 + 1e-5, np.full_like(ETA, 1e-5)
    assert not orders.decide(errors, noise).is_decided
    kept = orders.decide(ETA**2 * (1 + ETA), np.array([0, 0, 0, 0, 0, 0, 1.0]))
    assert kept.is_decided and len(kept.orders) == 5


def test_vectors_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="must be one vector each"):
        orders.decide(ETA, NONE[:3])


@pytest.mark.parametrize("cell", order_laws.cells([BY_NAME["mexican-hat"]], "quick", 3), ids=lambda c: c.name)
def test_stated_orders_hold_and_every_near_fault_is_violated(cell):
    records = order_laws.run_cell(cell)
    claims = [r for r in records if r.fault is None and r.verdict != OUTSIDE]
    assert {r.verdict for r in claims} == {HOLDS}
    assert {r.verdict for r in records if r.fault} == {VIOLATED}


def test_the_start_velocity_decides_the_order_of_the_heavy_ball_model():
    (cell,) = [
        c
        for c in order_laws.cells([BY_NAME["mexican-hat"]], "quick", 0)
        if c.name == "O3/mexican-hat/heavy-ball"
    ]
    measured = {
        (r.parameters["statement"].split(", ", 1)[1], r.fault): r.measured
        for r in order_laws.run_cell(cell)
        if r.kind == ORDER and r.parameters["beta"] == 0.53
    }
    assert measured["cold, qdot(0) = -(g + k q)/(1 + beta)", None] == pytest.approx(2, abs=0.1)
    assert measured["cold, qdot(0) = 0", None] == pytest.approx(1, abs=0.1)


def test_another_loss_in_the_model_gives_order_zero():
    """A model of the wrong loss is wrong at every step size; the rule must say 0, not 1."""
    case = BY_NAME["mexican-hat"]
    cell = Cell("O1", case, "gradient-descent", "quick", 0)
    eta = step_sizes(cell)
    q0 = np.repeat(cell.start(1)[0], len(eta), axis=1)
    from noether.mechanics.symbolic import gradient

    g = gradient(case)
    q = updates(lambda x: g(x, 0.25), q0, np.zeros_like(q0), eta, np.rint(FINAL / eta).astype(int))[0]
    x, error = reference(lambda x: -g(x, 0.0), q0, np.ones_like(eta))
    decision = orders.decide(np.linalg.norm(q - x, axis=0), error)
    assert decision.is_decided and abs(decision.value) <= decision.bound < 0.5


def test_the_plain_update_is_the_equation_it_states():
    start, velocity, eta = np.ones((1, 1)), np.full((1, 1), 0.5), np.array([0.25])
    q, v, ahead = updates(lambda x: 2 * x, start, velocity, eta, np.array([1]), beta=0.5, k=1.0)
    assert (q.item(), v.item(), ahead.item()) == (0.5, -0.5, 0.5 * -0.5 - 0.25 * (2 * 0.5 + 0.5))


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (2.001, HOLDS),
        (2.1, INCONCLUSIVE),
        (2.5, INCONCLUSIVE),
        (3.0, INCONCLUSIVE),
        (1.5, VIOLATED),
        (1.0, VIOLATED),
        (-1.0, VIOLATED),
        (None, INCONCLUSIVE),
    ],
)
def test_an_order_is_violated_only_by_a_lower_one(value, verdict):
    cell = order_laws.cells([BY_NAME["mexican-hat"]], "quick", 0)[0]
    order = orders.Order(
        (2.0 if value is None else value,), value, None if value is None else 0.01, "planted"
    )
    assert order_record(cell, None, order, 2, {}, COURSE).verdict == verdict


@settings(max_examples=100, deadline=None)
@given(order=st.floats(0.3, 3.2), lead=st.floats(0.1, 10), first=st.floats(-2, 2))
def test_an_order_that_is_no_integer_is_read_as_it_is(order, lead, first):
    """Nothing rounds p* before it is judged: eta^1.5 is not of order 2, nor of order 1."""
    errors = lead * ETA**order * (1 + first * ETA)
    found = orders.decide(errors, 8 * 2.0**-53 * errors)
    assert found.is_decided and abs(found.value - order) <= found.bound < 1 / 8
    judged = {
        stated: order_record(
            order_laws.cells([BY_NAME["mexican-hat"]], "quick", 0)[0], None, found, stated, {}, COURSE
        ).verdict
        for stated in (1, 2, 3)
    }
    for stated, verdict in judged.items():
        if order < stated - 0.4:
            assert verdict == VIOLATED
        if abs(order - stated) > 0.15:
            assert verdict != HOLDS


@pytest.mark.parametrize("law", ["O1", "O5"])
def test_where_the_flow_loses_its_derivatives_an_order_is_outside_and_where_it_keeps_them_it_is_not(law):
    """|u v - 1|, written as a root: the flow comes to u v = 1. Of sqrt(1 + (u v - 1)^2) it has all
    derivatives."""

    def case(offset):
        def loss(q, xp):
            r = q[0] * q[1] - 1
            return xp.sqrt(offset + r * r)

        return plainest.case("root", loss, breaking=lambda q, xp: q[0])

    for offset, verdicts in ((0, {"outside"}), (1, {"holds"})):
        (cell,) = [
            c
            for c in order_laws.cells((case(offset),), "quick")
            if (c.law, c.rule, c.part) == (law, "gradient-descent", "drift" if law == "O5" else "")
        ]
        assert {r.verdict for r in order_laws.run_cell(cell) if r.fault is None} == verdicts
