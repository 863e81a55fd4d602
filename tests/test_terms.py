"""The sums of which every exact law is made, against rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from noether.laws.exact.terms import dot, narrow
from noether.mechanics.wide import WIDE

NUMBERS = st.floats(-1e30, 1e30, allow_subnormal=False).map(lambda x: x if abs(x) > 1e-30 else 0.0)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 5))


def exact(x) -> Fraction:
    """A number of any of numpy's types, without rounding."""
    return Fraction(*x.as_integer_ratio())


@given(st.data(), SHAPES, st.sampled_from([np.float64, WIDE]), st.booleans())
def test_a_sum_over_components_is_rounded_once_a_product_and_once_a_sum(data, shape, kind, steps_last):
    x, y = (data.draw(arrays(np.float64, shape, elements=NUMBERS)).astype(kind) / kind(3) for _ in "xy")
    if steps_last:  # another order in memory, in which numpy may add in another order
        x = np.ascontiguousarray(x.transpose(2, 1, 0)).transpose(2, 1, 0)
    found, d = dot(x, y), shape[1]
    assert found.shape == (shape[0], shape[2]) and found.dtype == kind
    for n, lane in np.ndindex(found.shape):
        terms = [exact(x[n, i, lane]) * exact(y[n, i, lane]) for i in range(d)]
        unit = exact(np.finfo(kind).eps) / 2
        room = sum(map(abs, terms)) * ((1 + unit) ** d - 1) + d * exact(np.finfo(kind).tiny)
        assert abs(exact(found[n, lane]) - sum(terms)) <= room


@given(arrays(np.float64, (4, 3, 2), elements=NUMBERS), st.integers(1, 2**60))
def test_narrow_is_the_size_rounded_once(x, offset):
    wide = x.astype(WIDE) * (1 + WIDE(offset) * WIDE(2) ** -63)
    assert (narrow(wide) == np.abs(wide).astype(np.float64)).all()


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, -0.0])
def test_what_is_no_number_stays_none_in_narrow(odd):
    found = narrow(np.full((1, 1, 1), odd, WIDE)).item()
    assert np.array_equal(found, abs(odd), equal_nan=True) and not np.signbit(found)
