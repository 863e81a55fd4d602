"""At the ends of the numbers a bound still bounds, silence is told, and what is no number is refused."""

import math
from fractions import Fraction

import numpy as np
import pytest

import noether
from noether.api.simulate import narrowed
from noether.mechanics.wide import WIDE
from noether.plan.choices import real, whole
from noether.system.usage import UsageError

NUMPY = dict(backend="numpy")
TINY = 2.0**-1074


def within(s) -> bool:
    """Whether every charge lies within its bound, wherever there is one."""
    said = np.isfinite(s.bound)
    return bool((np.abs(s.J[said] - s.predicted[said]) <= s.bound[said]).all())


# ---- a bound stays one in float64


def test_a_bound_in_float64_bounds_what_wide_numbers_differ_by_down_to_the_smallest():
    rng = np.random.default_rng(3)
    exponents, n = (-1090, -1060, -1022, -500, 0, 900), 4000
    J = np.ldexp(rng.uniform(1, 2, n).astype(WIDE), rng.choice(exponents, n)) * rng.choice([-1, 1], n)
    P = J * (1 + np.ldexp(rng.uniform(-1, 1, n).astype(WIDE), rng.integers(-70, -20, n)))
    bound = np.abs(J - P)
    J64, P64, B64 = narrowed(J, P, bound)
    off = [abs(Fraction(float(x)) - Fraction(float(y))) for x, y in zip(J64, P64, strict=True)]
    assert all(x <= Fraction(float(b)) for x, b in zip(off, B64, strict=True)) and sum(map(bool, off)) > n / 3
    assert (B64 >= bound).all()
    assert (B64 <= bound * 1.001 + 2.0**-51 * np.abs(J) + 4 * TINY).all(), "and no looser than it must be"


def test_a_bound_below_the_numbers_of_float64_is_rounded_up_and_of_nothing_is_nothing():
    J = np.array([1.0, 0.0, 1.0], WIDE)
    found = narrowed(J, J, np.array([0.0, 0.0, np.ldexp(WIDE(1), -1100)], WIDE))[2]
    assert list(found[:2]) == [0, 0] and found[2] > 2.0**-53


def test_charges_below_the_normal_numbers_stay_within_their_bounds():
    start = dict(q0=[1.1e-155, 2.3e-155, 0], v0=[1.7e-155, 0, 3e-156])
    s = noether.simulate("mexican-hat", **start, eta=0.1, beta=0.53, steps=30, **NUMPY)
    assert within(s) and s.spent.max() <= 1 and (s.bound[1:] > 0).all() and not s.notes
    assert (0 < np.abs(s.J)).all() and (np.abs(s.J) < 2.0**-1022).any()


# ---- where the law says nothing


def test_where_rounding_has_no_bound_the_law_says_nothing_from_a_step_on_and_this_is_told():
    words = dict(precision="bfloat16/eager", steps=40, lanes=8, seed=5, eps=None, decay=None)
    s = noether.simulate("batch-norm", "heavy-ball", **words, **NUMPY)
    silent = np.isinf(s.bound)
    assert not np.isnan(s.bound).any() and np.isfinite(s.J).all() and np.isfinite(s.predicted).all()
    assert np.all(np.abs(s.J - s.predicted) <= s.bound) and np.array_equal(np.isnan(s.spent), silent)
    lanes = np.flatnonzero(silent.any(axis=(0, 1)))
    assert len(s.notes) == len(lanes) == 2 and np.nanmax(s.spent) <= 1
    for lane, note in zip(lanes, s.notes, strict=True):
        first = int(silent[:, 0, lane].argmax())
        assert silent[first:, :, lane].all() and first > 0
        told = f"lane {lane}: law D2 says nothing of the charge of scale and translation from step {first} on"
        assert note.startswith(told + ": the rounding of a step"), note
    assert "and says nothing of some steps of 2 of 8 lanes" in repr(s)


def test_a_charge_beyond_float64_is_told_although_parameters_and_velocities_are_finite():
    """An angular momentum overflows where v and q do not; later, a number again, it is judged again."""
    words = dict(q0=[1e160, 0, 0], v0=[0, 1e160, 0], eta=1e-3, beta=0.5, steps=60)
    s = noether.simulate("free-particle", **words, lanes=1, **NUMPY)
    i = s.symmetries.index("rotation-01")
    gone = np.isinf(s.J[:, i, 0])
    assert gone[0] and not gone[-1] and np.isfinite(s.q).all() and np.isfinite(s.v).all()
    assert np.isinf(s.bound[gone, i, 0]).all() and np.isnan(s.spent[gone, i, 0]).all() and within(s)
    (note,) = s.notes
    assert (
        f"charge of rotation-01 at {gone.sum()} steps, the first of which is step 0: the charge is beyond"
        in note
    )


def test_a_charge_that_is_no_number_though_its_bound_is_one_spends_infinitely_much():
    """Silence is for what the law cannot say: a NaN where it speaks is none."""
    from dataclasses import replace

    s = noether.simulate("product", steps=3, lanes=2, **NUMPY)
    J = s.J.copy()
    J[2, 0, 1] = math.nan
    assert replace(s, J=J).spent[2, 0, 1] == math.inf and "spends inf" in repr(replace(s, J=J))


def test_of_a_lane_that_overflows_at_once_nothing_is_said():
    s = noether.simulate("mexican-hat-2", "gradient-descent", q0=[1e200, 1e200], steps=2, lanes=1, **NUMPY)
    assert "D2 says nothing of it" in repr(s) and s.notes and np.isinf(s.bound[1:]).all()


# ---- what is asked for


@pytest.mark.parametrize(
    "words, said",
    [
        (dict(eta=True), "eta is True, must be a finite number above 0"),
        (dict(eta=["0.1"]), "eta is .*must be a finite number above 0"),
        (dict(eta=np.array([0.1 + 1j])), "eta is array"),
        (dict(eta=[10**400]), "eta is .*must be a finite number above 0"),
        (dict(eta=[True, Fraction(1, 2)]), "eta is"),
        (dict(q0=[True, False]), "q0 is .*, must be an array of numbers"),
        (dict(q0=["1", "2"]), "q0 is .*, must be an array of numbers"),
        (dict(q0=np.array([1j, 2])), "q0 is .*, must be an array of numbers"),
        (dict(q0=[1e6, 1], precision="float16"), "q0 has a number that float16 does not hold"),
        (dict(v0=[1e300, 1], precision="bfloat16"), "v0 has a number that bfloat16 does not hold"),
        (
            dict(eta=1e-60, precision="bfloat16"),
            "eta is 1e-60, which bfloat16 rounds to 0.0 in float32: it must be a finite number above 0",
        ),
        (dict(beta=1 - 1e-12, precision="float32"), "beta is .* rounds to 1.0 in float32"),
        (dict(eps=1e50, precision="float32"), "eps is 1e.50, which float32 rounds to inf"),
        (
            dict(case="entropy-simplex", rule="exponentiated-gradient", q0=[-1] * 5),
            "q0 has a number that is not above 0",
        ),
        (
            dict(case="entropy-simplex", rule="exponentiated-gradient", q0=[1e308] * 5),
            "q0 has a number that is nothing beside the others",
        ),
        (dict(rule="lagrangian", time=True), "time is True, must be a finite number above 0"),
        (dict(rule="lagrangian", mass=1e-320), "time 4 needs inf intervals"),
        (dict(rule="lagrangian", mass=1e-300), r"time 4 needs 2.4e\+301 intervals"),
        (dict(rule="lagrangian", lanes=2**20), "1048576 lanes x 48 steps of product.* must stay within"),
    ],
)
def test_what_is_no_number_of_the_precision_is_refused(words, said):
    words = {"case": "product", **words}
    with np.errstate(all="raise"), pytest.raises(UsageError, match=said) as error:
        noether.simulate(words.pop("case"), words.pop("rule", "heavy-ball"), **words)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_whole_numbers_of_numpy_and_fractions_are_numbers():
    s = noether.simulate("product", eta=Fraction(1, 8), steps=np.int64(3), lanes=np.int32(2), **NUMPY)
    assert s.q.shape == (4, 2, 2) and (s.parameters["eta"] == 0.125).all()
    assert type(whole("steps", np.int64(3), 1, 4)) is int
    for wrong in (True, 10**400):
        with pytest.raises(UsageError, match="eta is .* must be a finite number above 0"):
            real("eta", wrong, "above 0", lambda x: x > 0)


@pytest.mark.parametrize(
    "lanes", ["a", 1.7, True, [True, False], [[0]], [[0], [0, 1]], [], 4, -1, {0}, math.nan]
)
def test_lanes_of_a_plot_are_indices(lanes):
    pytest.importorskip("matplotlib", reason="matplotlib is in the extra data")
    s = noether.simulate("product", lanes=4, steps=1, **NUMPY)
    with pytest.raises(
        UsageError, match="^lanes is .*, must be whole numbers from 0 to 3, the indices of lanes$"
    ):
        s.plot(lanes=lanes)


def test_axes_of_a_plot_are_axes():
    pytest.importorskip("matplotlib", reason="matplotlib is in the extra data")
    s = noether.simulate("product", lanes=1, steps=1, **NUMPY)
    with pytest.raises(UsageError, match="ax is 3, must be Axes of matplotlib, or left out for new ones"):
        s.plot(ax=3)
