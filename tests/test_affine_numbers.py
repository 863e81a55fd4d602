"""Affine numbers hold what float64 gives, and take off what a formula takes off."""

import math

import mpmath
import pytest
from affine_numbers import AFFINE, Book
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.floats(0.25, 4.0)
FORMULAS = (
    lambda a, b, c, xp: (a + b) * c - a / b,
    lambda a, b, c, xp: xp.sqrt(a * a + b) / (c + 0.1) - a,
    lambda a, b, c, xp: xp.maximum(a * 0.3, b * 0.7) - xp.absolute(b - c),
    lambda a, b, c, xp: a + 0.1 * (b - a) + 0.3 * (c - (a + 0.1 * (b - a))),
    lambda a, b, c, xp: 1 / (2 - -a) + (a * b - b * c),
)
PLAIN = type("xp", (), dict(sqrt=math.sqrt, maximum=max, absolute=abs))


@pytest.mark.parametrize("formula", FORMULAS)
@given(a=SIZES, b=SIZES, c=SIZES)
def test_float64_is_within_the_radius_of_the_exact_value(formula, a, b, c):
    """No value here is above 64, and no formula has more than 16 operations, whose slopes are below 16."""
    with mpmath.workdps(60):
        exact = formula(*map(Book().number, (a, b, c)), AFFINE)
        assert abs(formula(a, b, c, PLAIN) - exact.value) <= exact.radius <= 2.0**-53 * 64 * 16 * 16


def test_an_average_forgets_its_errors_as_it_forgets_what_it_averaged():
    """m + w (f - m) keeps 1 - w of an error; an error that knew no better would grow by 1 + (1 - w)."""
    with mpmath.workdps(60):
        m, f = Book().number(0.7) * 1.1, 0.3
        first = m.radius
        for _ in range(200):
            m = m + 0.75 * (f - m)
        assert m.radius < 4 * first


def test_a_root_and_a_quotient_refuse_what_may_have_no_value():
    with mpmath.workdps(60):
        x = Book().number(0.1)
        nothing = x * 3 - 0.3
        with pytest.raises(ArithmeticError, match="a root of"):
            AFFINE.sqrt(nothing)
        with pytest.raises(ArithmeticError, match="a divisor is"):
            x / nothing


def test_the_larger_of_two_that_cannot_be_told_apart_is_as_uncertain_as_both():
    with mpmath.workdps(60):
        x = Book().number(0.1) * 3
        y = x + 2.0**-60
        larger = AFFINE.maximum(x, y)
        assert larger.value == max(x.value, y.value) and larger.radius >= max(x.radius, y.radius)
        assert AFFINE.maximum(x, y + 1).radius == (y + 1).radius
        assert AFFINE.absolute(x * 1 - x).radius >= (x * 1 - x).radius * (1 - 2.0**-30)
