"""A rounding made again in every step is the same rounding: (6) and (8) of laws/response/rounding.py."""

import numpy as np
import plainest
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cases.case import translation
from noether.kernels.programs import trace
from noether.kernels.programs.precision import Precision
from noether.laws.response import rounding
from noether.laws.response.cells import cells, run_cell
from noether.laws.response.gradient_rounding import gradient_scatter
from noether.laws.response.one_rounding import last_bit, rounded
from noether.verdicts.record import HOLDS, VIOLATED

BREAKINGS = {
    "square": lambda q, xp: q[0] * q[0],
    "linear": lambda q, xp: q[0],
    "both": lambda q, xp: q[0] + q[1],
}


@pytest.mark.parametrize("breaking", BREAKINGS)
@pytest.mark.parametrize("slope", [3, 0.7])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_force_that_is_the_same_everywhere_is_rounded_alike_in_every_step(slope, breaking, seed):
    """(8): lanes of 3 q0 - 3 q1 scattered by 1.5 to 1.8 of error bars that took for chance what eta g, the
    sum 3 + eps and the digits of eta g below those of v' lose alike in every step."""
    loss = lambda q, xp: slope * q[0] - slope * q[1]
    box, symmetries = ((-1.0, 1.0),) * 2, (translation((1, 1)),)
    flat = plainest.case("flat", loss, BREAKINGS[breaking], box=box, symmetries=symmetries)
    (cell,) = [c for c in cells((flat,), "quick", seed, "numpy") if c.law == "E2"]
    records = run_cell(cell)
    assert {r.verdict for r in records if not r.fault} == {HOLDS}, [r.reason for r in records]
    assert all(r.verdict == VIOLATED for r in records if r.fault)


@given(*(st.tuples(st.integers(0, 10**4), st.integers(-1074, 1023)) for _ in range(2)))
def test_a_run_and_a_place_have_a_number_of_their_own(one, other):
    found = [rounding.apart(np.array(n), np.ldexp(1.0, e)) for n, e in (one, other)]
    assert (found[0] == found[1]) == (one == other)


def test_what_a_gradient_adds_from_constants_alone_is_kept_with_its_own_variance():
    """3 + eps is one rounding, the same in every step: h^2/12 (1 + 2/K^2), and nothing of it is chance."""
    loss, box = (lambda q, xp: 3 * q[0] - 3 * q[1]), ((-1.0, 1.0),) * 2
    flat = plainest.case("flat", loss, BREAKINGS["linear"], box=box, symmetries=(translation((1, 1)),))
    eps, q = np.array([0.1, 0.3, 1e-9, 0.7]), np.ones((2, 4))
    found = gradient_scatter(trace.gradient(flat), Precision("float64"), q, eps, np.full((2, 4), 2.0))
    expected, _ = rounded(3 + eps, last_bit(eps), "float64")
    assert (expected > 0).all() and (found.variance == 0).all()
    total = sum(size * size for size, _ in found.kept)
    # The weight 2 squared; a root and its square are rounded once each.
    assert np.allclose(total, 4 * expected, rtol=3 * 2.0**-53, atol=0)


def test_what_is_made_again_is_counted_once():
    """The variance of each step is as before, and its sum over a run grows as its length squared."""
    variance = np.arange(1.0, 7).reshape(6, 1, 1)
    same = np.array([False, False, True, True, False, True]).reshape(6, 1, 1)
    chance, size, run = rounding.made_again(variance, same)
    # A root and its square are rounded once each.
    assert np.allclose(chance + size * size, variance, rtol=3 * 2.0**-53, atol=0)
    assert chance.ravel().tolist() == [1.0, 0, 0, 0, 0, 0]
    assert run.ravel().tolist() == [1, 2, 2, 2, 3, 3]
