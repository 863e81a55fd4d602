"""The rule that decides an order, on series whose p_j are whole numbers: every digit by hand."""

import numpy as np
import pytest

from noether.verdicts.claims import verdict_of
from noether.verdicts.orders import DISTINGUISHES, FEWEST, PLATEAU, SETTLED, decide
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED


def series(*p, first=1.0):
    """Errors whose orders are exactly p."""
    return np.array([first, *(first * 2.0 ** -sum(p[: i + 1]) for i in range(len(p)))])


def free(p, **facts):
    e = series(*p, **facts)
    return decide(e, np.zeros_like(e))


@pytest.mark.parametrize(
    ("p", "value", "bound"),
    [
        ((2, 2, 2, 2), 2, SETTLED),
        ((1, 2, 2, 2), 2, 0.25),
        ((3, 2, 2, 2), 2, 0.25),
        ((9, 2, 2, 2, 2), 2, SETTLED),
        ((2, 2, 9, 1, 2, 2, 2), 2, 0.25),
        ((-1, -1, -1, -1), -1, SETTLED),
    ],
)
@pytest.mark.parametrize("first", [1.0, -1.0])
def test_order_and_bound_are_those_of_equations_2_and_3(p, value, bound, first):
    found = free(p, first=first)
    assert found.is_decided and (found.value, found.bound) == (value, bound) and found.orders == p


@pytest.mark.parametrize(
    ("p", "reason"),
    [
        ((2, 2, 3, 3), "p* = 3 within 0.5"),
        ((2, 3, 3, 4), "p* = 5 within 1"),
        ((2, 4, 5, 6), "p* = 7 within 1"),
        ((2, 2, 2, 3), "the differences of p_j grow: 0, 0, then 1"),
        ((2, 3, 4, 6), "the differences of p_j grow: 1, 1, then 2"),
        ((0, 2, 2, 2), "p* = 2 within 0.5"),
        ((2, 2, 3, 4), "p* = 5 within 1"),
    ],
)
def test_an_order_that_still_moves_is_not_decided(p, reason):
    found = free(p)
    assert (
        not found.is_decided
        and found.value is None
        and found.bound is None
        and found.reason.startswith(reason)
        and found.orders == p
    )


@pytest.mark.parametrize(
    ("p", "stated", "verdict"),
    [
        ((3.246, 2.991, 2.363, 1.967), 2, INCONCLUSIVE),
        ((1.4, 1.2, 1.1, 1.05), 2, VIOLATED),
        ((2.9, 2.5, 1.8, 1.2), 2, INCONCLUSIVE),
        ((1.9, 1.7, 1.5, 1.4), 2, VIOLATED),
        ((2.1, 2.05, 2.02, 2.01), 2, HOLDS),
    ],
)
def test_an_order_is_violated_where_the_last_that_was_measured_is_below_it_too(p, stated, verdict):
    """The first series is that of a right charge, on its way from a large next term to 2: p* = 1.571 within
    .42."""
    assert verdict_of(free(p), stated) == verdict


def test_noise_widens_the_bound_by_three_of_itself_over_the_last_error():
    e = series(2, 2, 2, 2)
    noise = np.array([0, 0, 0, 0, 0.02 * e[-1]])
    assert decide(e, noise).bound == pytest.approx(SETTLED + 3 * 0.02 / np.log(2), rel=1e-14, abs=0)
    assert decide(-e, noise).bound == decide(e, noise).bound


def test_a_small_difference_that_grows_is_allowed_eight_of_itself():
    """Of a right schedule: p_j = .945, .929, .949, .970, and the differences are about to halve."""
    found = free((0.945, 0.929, 0.949, 0.971))
    assert found.is_decided and found.bound == pytest.approx(8 * 0.022) and verdict_of(found, 1) == HOLDS
    assert not free((0.8, 0.9, 1.0, 1.2)).is_decided
    assert (
        free((1.0, 1.01, 1.02, 1.02 + 1 / 33)).is_decided
        and not free((1.0, 1.01, 1.02, 1.02 + 1 / 31)).is_decided
    ), "a quarter at most"


def test_a_last_difference_within_the_noise_is_no_growth():
    e = series(2, 2, 2, 2)
    e[-1] *= 1 - 2.0**-6
    noise = np.array([0, 0, 0, 0, 0.02 * e[-1]])
    assert decide(e, np.zeros(5)).bound == pytest.approx(-8 * np.log2(1 - 2.0**-6), rel=1e-12, abs=0), (
        "eight of a difference that grows"
    )
    found = decide(e, noise)
    assert found.is_decided and found.bound == pytest.approx(
        -np.log2(1 - 2.0**-6) + 3 * 0.02 / np.log(2), rel=1e-12, abs=0
    )


@pytest.mark.parametrize(("above", "decided"), [(FEWEST, True), (FEWEST - 1, False)])
def test_the_plateau_ends_the_series_and_five_step_sizes_are_the_fewest(above, decided):
    assert (FEWEST, PLATEAU, DISTINGUISHES) == (5, 0.125, 0.5)
    e = series(2, 2, 2, 2, 2, 2)
    noise = np.zeros(7)
    noise[above] = e[above] * PLATEAU * np.log(2) / 3 * 1.001
    found = decide(e, noise)
    assert found.is_decided == decided and len(found.orders) == (above - 1 if decided else 0)
    assert decided or found.reason.startswith("4 of 7 step sizes")
    noise[above] *= 0.99
    assert decide(e, noise).is_decided and len(decide(e, noise).orders) == 6


def test_an_error_of_zero_is_on_the_plateau():
    e = series(2, 2, 2, 2, 2)
    e[-1] = 0
    found = decide(e, np.zeros(6))
    assert found.is_decided and len(found.orders) == 4


def test_errors_that_change_sign_or_are_no_numbers_decide_nothing():
    e = series(2, 2, 2, 2, 2)
    e[3] *= -1
    assert decide(e, np.zeros(6)).reason == "the errors change sign"
    e[2] = np.nan
    assert (
        decide(e, np.zeros(6)).reason == "the error at step size 2 is nan"
        and decide(e, np.zeros(6)).orders == ()
    )


@pytest.mark.parametrize(("errors", "noise"), [(np.ones(5), np.ones(4)), (np.ones((5, 1)), np.ones((5, 1)))])
def test_errors_or_noise_that_are_no_vector_of_one_length_are_refused(errors, noise):
    with pytest.raises(ValueError, match="must be one vector each"):
        decide(errors, noise)
