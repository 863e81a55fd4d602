"""The exponential is what it claims, in numpy and in Triton."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import elementary
from kernels.precision import UNIT


def error_in_units(x, y, unit):
    with mpmath.workdps(40):
        want = mpmath.exp(mpmath.mpf(float(x)))
        return float(abs(mpmath.mpf(float(y)) - want) / (want * unit))


@pytest.mark.parametrize(("name", "low", "high"), [("float64", -700.0, 709.0), ("float32", -87.0, 88.0)])
def test_exp_is_within_its_stated_units(name, low, high):
    rng = np.random.default_rng(7)
    x = np.concatenate([rng.uniform(low, high, 3000), rng.uniform(-1, 1, 3000), [0.0, low, high]]).astype(name)
    y = elementary.exp(x)
    worst = max(error_in_units(a, b, UNIT[name]) for a, b in zip(x, y, strict=True))
    assert 0.5 < worst <= elementary.EXP_UNITS, f"exp of {name} errs by {worst:.2f} units, stated {elementary.EXP_UNITS}"


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_exp_keeps_the_edges(name):
    x = np.array([-np.inf, -2000.0, 0.0, 2000.0, np.inf, np.nan], name)
    with np.errstate(all="ignore"):
        y = elementary.exp(x)
    assert list(y[:2]) == [0.0, 0.0] and y[2] == 1.0 and list(y[3:5]) == [np.inf, np.inf] and np.isnan(y[5])


@given(st.lists(st.floats(-80, 80), min_size=1, max_size=50))
def test_exp_is_the_same_for_any_batch(values):
    x = np.array(values)
    one_by_one = np.array([elementary.exp(np.array([v]))[0] for v in values])
    assert np.array_equal(elementary.exp(x), one_by_one)


def test_a_wrong_coefficient_is_seen(monkeypatch):
    monkeypatch.setitem(elementary.LN2_LO, "float64", 0.0)
    y = elementary.exp(np.array([100.0]))
    assert error_in_units(100.0, y[0], UNIT["float64"]) > elementary.EXP_UNITS
