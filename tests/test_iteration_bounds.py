"""What an iteration of singular values makes of an error, and how far its rounding may take a step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases.matrices import shape
from noether.cases.rules.muon import MUON
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import Precision, parse
from noether.kernels.programs.trace_rule import iterated_programs, position_program
from noether.mechanics import iteration_bounds, step_bounds

each_shape = pytest.mark.parametrize("d", [2, 3, 4, 6, 8, 9], ids=lambda d: "{}x{}".format(*shape(d)))


def image(X, d):
    """One iteration of matrices (1, d, lanes)."""
    once = iterated_programs(MUON, d)[1]
    return np.stack(once.evaluate([*X[0], *X[0]], Precision("float64")))[None]


@each_shape
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), log_size=st.floats(-8, 0))
def test_an_error_passes_by_no_more_than_the_divided_differences_and_what_bends(d, seed, log_size):
    """Both sides round f by less than 2^-40."""
    rng = np.random.default_rng(seed)
    X, away = rng.normal(size=(2, 1, d, 50))
    X, away = X / np.linalg.norm(X, axis=1)[:, None], away / np.linalg.norm(away, axis=1)[:, None]
    e = np.full((1, 50), 10.0**log_size)
    passed = iteration_bounds.passed(MUON.iteration.odd, iteration_bounds.singular_values(X, d), e, shape(d))
    apart = np.linalg.norm(image(X + e[:, None] * away, d) - image(X, d), axis=1)
    assert (apart <= passed + 2.0**-40).all()


def judged(d, precision, gradient):
    """What a first step from q = 0, with a momentum, errs by against float64, what each bound allows, and how
    far the step goes; (d, lanes) each."""
    p, dtype = Precision(precision), np.dtype(Precision(precision).arith)
    lanes = gradient.shape[1]
    params = [np.full(lanes, x) for x in (2.0**-4, 0.5, 0.0, 0.0, 2.0**-20)]
    nothing = np.zeros((d, lanes))

    def taken(precision, dtype):
        start = [list(nothing.astype(dtype))] * 2
        rows = [x.astype(dtype) for x in params]
        return step(*start, rows, lambda q, eps: list(gradient.astype(dtype)), MUON, precision)

    (q, m), (exact, _) = taken(p, dtype), taken(Precision("float64"), np.dtype(np.float64))
    rows = lambda x: np.stack(x).astype(float)[None]
    inputs = {"q": (nothing[None], None), "v": (nothing[None], None), "w": (rows(m), None)}
    inputs |= {"g": (rows(gradient), None), "p": (rows(params), None)}
    own = iteration_bounds.position_error(MUON, d, inputs, p)
    running = step_bounds.step_error(position_program(MUON, d), inputs, p)
    return np.abs(rows(q) - rows(exact))[0], own[0], running[0], np.abs(rows(exact))[0]


@each_shape
def test_a_step_of_muon_is_within_its_bound_and_near_enough_to_be_seen(d):
    """In single precision, where float64 is exact to 2^-29 of the same errors: numbers of few digits, whose
    momentum no store rounds."""
    gradient = (2 * np.random.default_rng(d).integers(-32, 32, (d, 400)) + 1) / 64
    error, own, running, moved = judged(d, "float32", gradient)
    assert (error <= own * (1 + 2.0**-20)).all()
    assert (error / own).max() > 0.01
    assert np.median(own / moved) < 2.0**-10, "the bound does not see a thousandth of the step"
    assert np.median(running / own) > 8, "the plain running error is as good"


def test_a_matrix_that_is_not_finite_is_not_known():
    gradient = np.full((4, 1), np.inf)
    with np.errstate(all="ignore"):
        assert (judged(4, "float32", gradient)[1] >= 2.0**900).all()


@pytest.mark.parametrize("rounding", ["float16", "bfloat16"])
def test_where_every_operation_is_rounded_to_sixteen_bits_little_or_nothing_is_known(rounding):
    """The bound is finite even so: laws multiply it by numbers that may be 0."""
    nothing = np.zeros((1, 4, 3))
    g = np.random.default_rng(1).normal(size=(1, 4, 3))
    params = np.broadcast_to(np.array([0.1, 0.5, 0.0, 0.0, 2.0**-20])[None, :, None], (1, 5, 3))
    inputs = {"q": (nothing, None), "v": (nothing, None), "w": (g / 2, None), "g": (g, None)}
    bound = iteration_bounds.position_error(
        MUON, 4, inputs | {"p": (params, None)}, parse(f"{rounding}/eager")
    )
    assert np.isfinite(bound).all() and (bound > 0.01).all()
