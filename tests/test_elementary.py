"""The exponential and the logarithm are what they claim, in numpy, in Triton and in exact arithmetic."""

import ast
import math
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.kernels.loops import launch
from noether.kernels.programs import elementary
from noether.kernels.programs.precision import SUBNORMAL, UNIT

ROUNDING = Path(launch.__file__).parent / "triton_rounding.py"
DIGITS = {"float64": 53, "float32": 24}


def error_in_units(x, y, unit, function=mpmath.exp):
    with mpmath.workdps(40):
        want = function(mpmath.mpf(float(x)))
        return float(abs(mpmath.mpf(float(y)) - want) / abs(want * unit))


@pytest.mark.parametrize(("name", "low", "high"), [("float64", -700.0, 709.0), ("float32", -87.0, 88.0)])
def test_exp_is_within_its_stated_units(name, low, high):
    rng = np.random.default_rng(7)
    x = np.concatenate([rng.uniform(low, high, 3000), rng.uniform(-1, 1, 3000), [0.0, low, high]]).astype(
        name
    )
    y = elementary.exp(x)
    worst = max(error_in_units(a, b, UNIT[name]) for a, b in zip(x, y, strict=True))
    assert 0.5 < worst <= elementary.EXP_UNITS, (
        f"exp of {name} errs by {worst:.2f} units, stated {elementary.EXP_UNITS}"
    )


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


@pytest.mark.parametrize(("name", "low", "high"), [("float64", -708.0, 709.0), ("float32", -87.0, 88.0)])
def test_log_is_within_its_stated_units(name, low, high):
    rng = np.random.default_rng(7)
    subnormal = 10.0 ** (low / math.log(10) - rng.uniform(0.5, 5, 300))
    near = 1 + np.concatenate([np.arange(-40, 0), np.arange(1, 40)]) * 2 * UNIT[name]
    x = np.concatenate(
        [
            np.exp(rng.uniform(low, high, 2000)),
            rng.uniform(0.5, 2, 4000),
            rng.uniform(0.69, 0.7072, 1000),
            near,
            subnormal,
        ]
    ).astype(name)
    assert (x[-300:] < np.finfo(name).smallest_normal).all() and (x > 0).all()
    y = elementary.log(x)
    worst = max(error_in_units(a, b, UNIT[name], mpmath.log) for a, b in zip(x, y, strict=True))
    assert 0.5 < worst <= elementary.LOG_UNITS, (
        f"log of {name} errs by {worst:.2f} units, stated {elementary.LOG_UNITS}"
    )


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_log_keeps_the_edges(name):
    with np.errstate(all="raise"):
        y = elementary.log(np.array([0.0, -0.0, 1.0, np.inf, -1.0, -np.inf, -SUBNORMAL[name], np.nan], name))
    assert list(y[:4]) == [-np.inf, -np.inf, 0.0, np.inf] and np.isnan(y[4:]).all()
    assert not np.signbit(y[2])


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=50))
def test_log_is_the_same_for_any_batch_and_inverts_exp_to_its_units(values):
    x = np.array(values)
    y = elementary.log(x)
    assert np.array_equal(y, [elementary.log(np.array([v]))[0] for v in values])
    room = UNIT["float64"] * (elementary.EXP_UNITS + elementary.LOG_UNITS * np.abs(y)) * (1 + 2.0**-20)
    assert (np.abs(elementary.exp(y) / x - 1) <= room + UNIT["float64"]).all()


# ---- the documented formulas in exact arithmetic, each operation rounded by integers


def nearest(x: Fraction, name: str) -> Fraction:
    """x to the nearest number of the type, ties to even; no overflow."""
    if not x:
        return x
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length() - DIGITS[name]
    exponent += abs(x) >= Fraction(2) ** (
        exponent + DIGITS[name]
    )  # so that 2^(digits-1) <= |x| 2^-exponent < 2^digits
    step = max(Fraction(2) ** exponent, Fraction(SUBNORMAL[name]))
    return round(x / step) * step  # Python rounds ties of a Fraction to even


def constants(name):
    """log2 e and ln 2 in two parts, the high one with as many zeros as the largest n has bits."""
    with mpmath.workdps(60):
        exact = Fraction(int(mpmath.ln2 * 2**180), 2**180)
        log2e = Fraction(int(2**180 / mpmath.ln2), 2**180)
    cut, kept = {"float64": (math.floor, 32), "float32": (round, 9)}[name]
    high = cut(exact * 2**kept) / Fraction(2**kept)
    return nearest(log2e, name), high, nearest(exact - high, name)


def horner(coefficients, x, name):
    total = nearest(coefficients[0], name)
    for c in coefficients[1:]:
        total = nearest(nearest(total * x, name) + nearest(c, name), name)
    return total


def exact_exp(x: Fraction, name: str) -> Fraction:
    log2e, high, low = constants(name)
    fl = lambda value: nearest(value, name)
    n = round(fl(x * log2e))
    r = fl(fl(x - fl(n * high)) - fl(n * low))
    terms = {"float64": 13, "float32": 7}[name]
    p = horner([Fraction(1, math.factorial(k)) for k in range(terms, 1, -1)], r, name)
    return fl(fl(1 + fl(r + fl(fl(r * r) * p))) * Fraction(2) ** n)  # (1)


def exact_log(x: Fraction, name: str) -> Fraction:
    _, high, low = constants(name)
    fl = lambda value: nearest(value, name)
    n = 0
    while x * x < Fraction(1, 2):
        x, n = 2 * x, n - 1
    while x * x > 2:
        x, n = x / 2, n + 1
    f = x - 1
    h, s = fl(f * f) / 2, fl(f / fl(2 + f))
    z = fl(s * s)
    terms = {"float64": 10, "float32": 4}[name]
    R = fl(z * horner([Fraction(2, 2 * k + 1) for k in range(terms, 0, -1)], z, name))
    return fl(fl(n * high) - fl(fl(h - fl(fl(s * fl(h + R)) + fl(n * low))) - f))  # (2)


def arguments(name, count=150):
    """For exp and for log: ordinary, near 0 and 1, where |r| and |s| are largest, subnormal results and
    arguments."""
    rng = np.random.default_rng(11)
    end = 700 if name == "float64" else 85
    x = np.concatenate(
        [
            rng.uniform(-end, end, count),
            rng.uniform(-0.35, 0.35, count),
            rng.uniform(0.34, 0.3465, 120),
            -end - rng.uniform(5, 15, count // 3),
        ]
    )
    y = np.concatenate(
        [
            np.exp(rng.uniform(-end, end, count)),
            rng.uniform(0.5, 2, count),
            rng.uniform(1.39, 1.414, 120),
            2.0 ** rng.uniform(-end * 1.5, -end * 1.45, count // 3),
        ]
    )
    return x.astype(name), y.astype(name)


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_the_documented_formulas_in_exact_arithmetic_give_the_same_bits(name):
    for x, function, exact in zip(
        arguments(name), (elementary.exp, elementary.log), (exact_exp, exact_log), strict=True
    ):
        got = function(x)
        assert np.isfinite(got).all() and len(np.unique(got)) > len(x) // 2
        want = np.array([float(exact(Fraction(float(v)), name)) for v in x])
        assert np.array_equal(got.astype(float), want), (
            f"{function.__name__} of {name} differs at {x[got != want][:3]}"
        )


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_one_changed_coefficient_is_seen_in_exact_arithmetic(name, monkeypatch):
    """The last coefficient doubled: an error of about the stated units, but other bits."""
    x, y = arguments(name)
    for series, function, at, values in (
        ("series", "exp", exact_exp, x),
        ("log_series", "log", exact_log, y),
    ):
        true = getattr(elementary, series)(name)
        monkeypatch.setattr(elementary, series, lambda arith, true=true: [2 * true[0], *true[1:]])
        got = getattr(elementary, function)(values).astype(float)
        assert any(g != float(at(Fraction(float(v)), name)) for g, v in zip(got, values, strict=True))


def literals(function: str) -> list[float]:
    """The float literals of a jit function of kernels/loops/triton_rounding.py, in order, signs kept."""
    tree = next(n for n in ast.parse(ROUNDING.read_text()).body if getattr(n, "name", "") == function)
    minus = {
        id(n.operand) for n in ast.walk(tree) if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub)
    }
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    found.sort(key=lambda n: (n.lineno, n.col_offset))
    return [-n.value if id(n) in minus else n.value for n in found]


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_the_literals_in_triton_are_the_numbers_of_the_formula(name):
    """A last coefficient one unit off changes no bit of almost any result: only the number itself shows
    it."""
    log2e, high, low = (float(c) for c in constants(name))
    shift, short = elementary.SHIFT[name], name[-2:]
    one = lambda value: float(nearest(Fraction(value), name))
    head = [elementary.LOWEST[name]] * 2 + [elementary.HIGHEST[name]] * 2 + [log2e, shift, shift, high, low]
    powers = [one(Fraction(1, math.factorial(k))) for k in range({"64": 13, "32": 7}[short], 1, -1)]
    assert [one(x) for x in literals(f"exp{short}")] == [*head, *powers, 1.0]
    head = [float(np.finfo(name).smallest_normal), 2.0 ** {"64": 54, "32": 25}[short], 1.0, shift, 0.5, 2.0]
    powers = [one(Fraction(2, 2 * k + 1)) for k in range({"64": 10, "32": 4}[short], 0, -1)]
    assert [one(x) for x in literals(f"log{short}")] == [*head, *powers, high, low, 0.0, 0.0]
