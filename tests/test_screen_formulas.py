"""The screen's formulas are the host's: traced, compared with numbers, their magnitudes true bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_screen import job_of

from noether.cases import CORE
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse, representable
from noether.kernels.programs.tape import Tape, TraceError, pruned
from noether.kernels.programs.traced_arrays import Scalar
from noether.laws.exact import EXACT
from noether.laws.exact.judge import spent_of
from noether.laws.exact.residuals import FLOAT64
from noether.laws.exact.screen import screen
from noether.mechanics import bounds, wide
from noether.mechanics.bounds import program_error
from noether.mechanics.magnitude_bounds import Magnitude, magnitude_error
from noether.mechanics.trajectory import Trajectory

LOOSER = {"float32": 8, "float64": 32}


HAT = next(c for c in CORE if c.name == "mexican-hat")


def test_traced_formulas_cannot_compare():
    tape = Tape()
    x = Scalar.input(tape, 0)
    with pytest.raises(TraceError, match="compares"):
        np.maximum(np.array([x], object), 0.0)


@given(st.lists(st.floats(-4, 4, width=16), min_size=2, max_size=2))
def test_traced_formulas_are_the_formulas(values):
    tape = Tape()
    x, y = (Scalar.input(tape, i) for i in (0, 1))

    def formula(a, b):
        return abs((-a) * b + 3 * a - (-b) / 4) * (a * a + abs(b)) * 2.0 * 0.5 + (-a) / (1 + abs(-b)) - 0 * a

    (traced,) = pruned(1, tape, [formula(x, y).at], ("a", "b")).evaluate(
        [np.array([v]) for v in values], FLOAT64
    )
    assert traced[0] == pytest.approx(formula(*values), rel=2.0**-48, abs=2.0**-44)


def test_spent_of_is_what_the_screen_keeps():
    """The screen divides where the host does: largest |measured - predicted| / bound over the components."""
    job = job_of(HAT, "heavy-ball", "bfloat16", lanes=20)
    q, v = launch.run(job, "numpy").wide()
    host = spent_of(EXACT["D0"].residual(Trajectory(HAT, job.rule, job.precision, q, v, job.params))).max(
        axis=(0, 1)
    )
    mine = screen(HAT, job, ["D0"], backend="numpy").spent[0]
    assert (
        (mine <= host * (1 + 2.0**-20)).all()
        and (mine >= host / LOOSER["float32"]).all()
        and np.median(mine / host) > 0.99
    )


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16/eager"])
@pytest.mark.parametrize("case", [c for c in CORE if not trace.gradient(c).has_exp], ids=lambda c: c.name)
def test_magnitudes_bound_what_the_running_error_bounds(case, precision):
    """Both are upper bounds of one thing; the cheap one is never the smaller, and within its count of
    roundings."""
    p, program = parse(precision), trace.gradient(case)
    rng = np.random.default_rng(4)
    q, eps = case.draw(rng, 200), rng.choice([0.0, 1e-9, 0.25], 200)
    sizes = [Magnitude(np.abs(x), 0) for x in (*q, eps)]
    cheap = magnitude_error(program, [*q, eps], sizes, p)
    _, running = program_error(program, q, 0 * q, eps, p)
    assert (cheap * bounds.SLACK >= running / (1 + 2 * p.u_arith)).all() and (np.median(cheap / running) < 8)


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16/eager"])
@pytest.mark.parametrize("case", [c for c in CORE if not trace.gradient(c).has_exp], ids=lambda c: c.name)
def test_magnitudes_bound_the_error_of_the_kernels_gradient(case, precision):
    p, program = parse(precision), trace.gradient(case)
    rng = np.random.default_rng(5)
    q = representable(case.draw(rng, 500) * 10.0 ** rng.uniform(-3, 3, 500), p.rounded)
    eps = representable(rng.choice([0.0, 1e-9, 0.25], 500), p.rounded)
    dtype = np.dtype(p.arith)
    with np.errstate(all="ignore"):
        mine = np.stack(program.run([x.astype(dtype) for x in q], eps.astype(dtype), p)).astype(wide.WIDE)
        exact = wide.gradient(lambda x, xp: case.total(x, eps.astype(wide.WIDE), xp), q)
        bound = magnitude_error(program, [*q, eps], [Magnitude(np.abs(x), 0) for x in (*q, eps)], p)
        off = np.abs(mine - exact)
    fine = np.isfinite(off)
    assert fine.mean() > 0.9 and (off <= bound * (1 + 2.0**-8))[fine].all()
    assert np.max((off / bound)[fine]) > 2.0**-6
