"""exp and log on every backend: the bits of numpy, and the stated units of forty digits."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from test_elementary import arguments, error_in_units, nearest

from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs import elementary
from noether.kernels.programs.precision import SUBNORMAL, UNIT, Precision
from noether.kernels.programs.program import Op, Program

BOTH = Program(2, (Op("input", value=0), Op("input", value=1), Op("exp", (0,)), Op("log", (1,))), (2, 3))


def values(name, backend):
    """exp and log as a backend computes them: the v of one step with eta = 1, beta = k = 0 is -g, exactly."""
    x, y = arguments(name, 600)
    tiny = SUBNORMAL[name]
    x[:8] = [0.0, -0.0, np.inf, -np.inf, np.nan, tiny, -2000.0, 2000.0]
    y[:9] = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, -1.0, tiny, np.finfo(name).max]
    start = np.stack([x, y]).astype(float)
    params = np.repeat([[1.0], [0.0], [0.0], [0.0]], len(x), axis=1)
    job = launch.Job(
        BOTH, RULES["heavy-ball-decoupled"], Precision(name), start, np.zeros_like(start), params, 1
    )
    outcome = launch.run(job, backend)
    assert outcome.backend == backend and not outcome.unwritten.any()
    with np.errstate(all="ignore"):
        return (x, y), 0 - outcome.v[1], outcome


@pytest.mark.parametrize("backend", [b for b in launch.BACKENDS if not launch.missing(b)])
@pytest.mark.parametrize("name", ["float64", "float32"])
def test_every_backend_has_the_bits_of_numpy(name, backend):
    (x, y), got, outcome = values(name, backend)
    with np.errstate(all="ignore"):
        want = np.stack([elementary.exp(x), elementary.log(y)])
    assert np.isfinite(want).mean() > 0.9 and np.array_equal(got, want, equal_nan=True)
    assert launch.differing_bits(outcome, values(name, "numpy")[2]) == 0


FOUR = Program(
    4,
    (
        *(Op("input", value=i) for i in range(4)),
        Op("exp", (0,)),
        Op("log", (1,)),
        Op("sqrt", (2,)),
        Op("div", (1, 3)),
    ),
    (4, 5, 6, 7),
)


def hard(name: str) -> np.ndarray:
    """(4, n) arguments of exp, log, sqrt and divisors: dense, where a reduction changes, and beside exact
    results."""
    rng, n = np.random.default_rng(23), 400
    end, step = (700.0, 2.0**-53) if name == "float64" else (85.0, 2.0**-24)
    beside = 1 + step * rng.integers(-3, 4, n)
    x = np.concatenate(
        [
            rng.uniform(-end, end, n),
            (rng.integers(-120, 120, n) + 0.5) * math.log(2) * beside,
            rng.uniform(-1, 1, n),
        ]
    )
    y = np.concatenate(
        [
            np.exp(rng.uniform(-end, end, n)),
            2.0 ** (rng.integers(-120, 120, n) + 0.5) * beside,
            1 + rng.integers(1, 2**12, n) * step,
        ]
    )
    whole = rng.integers(1, 2 ** (26 if name == "float64" else 12), n).astype(float)
    z = np.concatenate(
        [2.0 ** rng.uniform(-end / 0.7, end / 0.7, n), whole**2 * beside, whole * (whole + 1) * beside]
    )
    return np.stack([x, y, z, rng.uniform(1, 2, 3 * n)]).astype(name)


@pytest.mark.parametrize("backend", [b for b in launch.BACKENDS if not launch.missing(b)])
@pytest.mark.parametrize("name", ["float64", "float32"])
def test_every_backend_is_within_the_stated_units_of_forty_digits(name, backend):
    x = hard(name)
    params = np.repeat([[1.0], [0.0], [0.0], [0.0]], x.shape[1], axis=1)
    job = launch.Job(
        FOUR, RULES["heavy-ball-decoupled"], Precision(name), x.astype(float), np.zeros(x.shape), params, 1
    )
    with np.errstate(all="ignore"):
        exp, log, root, ratio = -launch.run(job, backend).v[1]
    unit = UNIT[name]
    for got, at, function, units in (
        (exp, x[0], mpmath.exp, elementary.EXP_UNITS),
        (log, x[1], mpmath.log, elementary.LOG_UNITS),
    ):
        worst = max(error_in_units(a, b, unit, function) for a, b in zip(at, got, strict=True))
        assert 0.5 < worst <= units, (
            f"{function.__name__} of {name} on {backend} errs by {worst:.2f} units, stated {units}"
        )
    for a, b in zip(
        x[2], root, strict=True
    ):  # to nearest: no tie, since the square of a midpoint has too many digits
        assert b > 0 and all(
            (abs(Fraction(float(b)) + d * spacing(b)) ** 2 - Fraction(float(a))) * d > 0 for d in (1, -1)
        ), f"sqrt {a}"
    for a, b, c in zip(x[1], x[3], ratio, strict=True):
        assert (
            abs(c) < np.finfo(name).smallest_normal
            or float(nearest(Fraction(float(a)) / Fraction(float(b)), name)) == c
        ), f"{a} / {b}"


def spacing(x) -> Fraction:
    """Half the distance to the next number: a result to nearest is no farther away."""
    return Fraction(float(np.spacing(x))) / 2
