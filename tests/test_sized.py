"""Bounds of charges are formed in float64 where that is enough, and are then no smaller than in 64 bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.exact import balance, quadratic, terms
from noether.laws.exact.cell import rules_of
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

POINTS = [(c, r) for c in CORE for r in rules_of(c) if RULES[r].covector is not None and RULES[r].screened]
FORMS = {
    "charge_bound": balance.charge_bound,
    "charge_own": balance.charge_own,
    "size_of_charge": balance.size_of_charge,
    "mass_law": lambda t, s: quadratic.mass_law(t, s).bound,
}


def launched(case, rule: str, precision: str, scale: float = 1.0) -> Trajectory:
    job = sweep.draw(case, RULES[rule], parse(precision), lanes=9, steps=12, seed=5)
    q, v = launch.run(job, "numpy").wide()
    return Trajectory.launched(case, job, scale * q, scale * v)


def bounds(t: Trajectory) -> dict:
    """{(form, symmetry): bound}."""
    massive = lambda name, s: name != "mass_law" or quadratic.massive(t.rule, s)
    return {(n, s.name): f(t, s) for n, f in FORMS.items() for s in t.case.symmetries if massive(n, s)}


@pytest.mark.parametrize("case, rule", POINTS, ids=lambda x: getattr(x, "name", x))
def test_a_bound_in_float64_is_that_in_wide_numbers_and_its_own_roundings(case, rule, monkeypatch):
    t = launched(case, rule, "float64")
    found = bounds(t)
    monkeypatch.setattr(terms, "far_lanes", lambda t: np.ones(t.lanes, bool))  # nothing is added for float64
    for key, wide in bounds(t).items():
        assert (found[key] >= wide).all(), key
        assert (found[key] <= wide * (1 + 2.0**-29) + 2 * terms.LEAST).all(), key


@pytest.mark.parametrize("number", [2.0**201, 2.0**-201, np.inf, np.nan])
def test_a_number_whose_products_would_leave_the_range_keeps_its_lane_wide_and_no_other(number):
    t = launched(next(c for c in CORE if c.name == "mexican-hat"), "heavy-ball", "float64")
    z = t.z.copy()
    z[5, 1, 4] = number
    other = Trajectory(t.case, t.rule, t.precision, z, t.v, t.params, t.begun)
    lanes = np.arange(t.lanes) == 4
    assert np.array_equal(terms.far_lanes(other), lanes) and not terms.far_lanes(t).any()
    with np.errstate(all="ignore"):
        found, before = bounds(other), bounds(t)
    for key, bound in found.items():
        assert np.array_equal(bound[:, ~lanes], before[key][:, ~lanes]), key


@pytest.mark.parametrize("scale", [2.0**-600, 2.0**600])
def test_a_product_that_leaves_the_range_of_float64_is_neither_lost_nor_infinite(scale):
    t = launched(next(c for c in CORE if c.name == "mexican-hat"), "heavy-ball", "float64", scale=scale)
    assert terms.far_lanes(t).all()
    for s in t.case.symmetries:
        size = balance.size_of_charge(t, s)
        by_hand = (np.abs(t.p[1:]) * np.abs(terms.xi(s, t.q[1:]))).sum(axis=1)
        assert np.array_equal(size, by_hand) and (size > 0).all() and np.isfinite(size).all()
        with np.errstate(over="ignore"):
            lost = size.astype(np.float64)  # what float64 would have made of it
        assert (lost == 0).all() or np.isinf(lost).all()


@given(
    M=arrays(float, (5, 5), elements=st.sampled_from([0.0, 0.0, 0.0, 1.0, -1.0, 3.0])),
    x=arrays(float, (2, 5, 3), elements=st.integers(-9, 9).map(float)),
)
def test_the_entries_of_a_matrix_act_as_the_matrix_does(M, x):
    assert np.array_equal(terms.act(M, x), np.einsum("ij,njl->nil", M, x))
