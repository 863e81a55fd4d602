"""What rules claim of the size of a step (cases/step_sizes.py), in numbers; and the norms that they need."""

import re
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_steps import of_files, parameters, walk

from noether.cases.declared import RuleError
from noether.cases.matrices import flat, matrix, norm, shape
from noether.cases.rules import muon as muon_file
from noether.cases.rules.adam import ADAM, largest_average
from noether.cases.rules.lion import LION
from noether.cases.rules.muon import BAND, ROOM, A, B, C, past_band
from noether.cases.step_sizes import Bounded, Length
from noether.laws.exact.norms import spectral

BOUNDED = [rule for rule in of_files() if rule.bounded]
FEW = 64 * 2.0**-53
"""Seven steps of sums whose terms have one sign: four roundings a step of each moment, and a few of a root,
of what it is divided by, and of the closed form that it is compared with."""


def norm_of(step: np.ndarray, rule) -> float:
    if rule.bounded.norm == "max":
        return np.abs(step).max()
    return np.linalg.svd(step.reshape(shape(len(step))), compute_uv=False)[0]


# ---- the claims of the rules


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(BOUNDED),
    st.lists(st.floats(-6, 6), min_size=1, max_size=12),
    st.sampled_from((0.5, 0.9, 0.99)),
    st.integers(0, 2**32 - 1),
)
def test_no_step_goes_further_than_its_rule_claims_under_gradients_of_any_size(rule, sizes, beta, seed):
    """Gradients over twelve decades, in float64, from buffers of 0 on."""
    d, eta, rng = 4, 0.25, np.random.default_rng(seed)
    extra = {x.name: float(x.draw(rng, 1)[0]) for x in rule.extra}
    given_to = dict(eta=eta, beta=beta, **extra)
    gradients = [list(rng.standard_normal(d) * 10.0**size) for size in sizes]
    q = [0.0] * d
    for n, (new, _) in enumerate(walk(rule, q, gradients, **given_to), 1):
        c = rule.bounded.by(np.float64(n), parameters(rule, n, **given_to))
        # Roundings of float64 in a moment over twelve decades are below 1e-9 of the step.
        assert norm_of(np.array(new) - np.array(q), rule) <= eta * float(c) * (1 + 1e-9)
        q = new


@pytest.mark.parametrize("beta, beta2", [(0.9, 0.99), (0.5, 0.75), (0.99, 0.9)])
def test_the_bound_of_adam_is_attained(beta, beta2):
    """By forces (beta / beta2)^j, j steps ago: the inequality of Cauchy and Schwarz is an equality."""
    n, rule = 7, ADAM
    gradients = [[(beta / beta2) ** (n - i)] for i in range(1, n + 1)]
    *_, (before, _), (after, _) = walk(rule, [0.0], gradients, eta=1.0, beta=beta, beta2=beta2, stability=0.0)
    p = parameters(rule, n, eta=1.0, beta=beta, beta2=beta2, stability=0.0)
    bound = rule.bounded.by(np.float64(n), p)
    assert abs(after[0] - before[0]) == pytest.approx(float(bound), rel=FEW, abs=0)


def test_the_bound_of_adam_is_that_of_one_step_at_first_and_stays_finite_where_it_can():
    p = parameters(ADAM, 1, beta=0.9, beta2=0.99, stability=0.0)
    assert float(ADAM.bounded.by(np.float64(1), p)) == pytest.approx(1, rel=FEW, abs=0)
    late = [float(largest_average(np.float64(n), p)) for n in (1e3, 1e4)]
    assert late[0] == pytest.approx(late[1], rel=FEW, abs=0)  # beta^2 < beta2
    p = parameters(ADAM, 1, beta=0.99, beta2=0.9, stability=0.0)
    early, late = (float(largest_average(np.float64(n), p)) for n in (100, 200))
    r = 0.99**2 / 0.9  # beta^2 > beta2: without end, as the root of (r^n - 1)/(r - 1)
    assert late / early == pytest.approx(r**50, rel=r**-100, abs=0)


def test_the_polynomial_of_muon_keeps_its_band():
    """At its ends and where its derivative vanishes, to 40 digits: nothing between is larger or smaller."""
    with mpmath.workdps(40):
        a, b, c = (mpmath.mpf(str(x)) for x in (A, B, C))
        p = lambda x: a * x + b * x**3 + c * x**5
        root = mpmath.sqrt(9 * b * b - 20 * a * c)
        flat_at = [mpmath.sqrt((-3 * b + sign * root) / (10 * c)) for sign in (-1, 1)]
        end = mpmath.mpf(BAND) + ROOM
        values = [p(x) for x in (*flat_at, end)]
        assert all(x < end for x in flat_at)
        assert all(0 < x <= BAND for x in values)
        assert BAND - max(values) < 1e-4  # and it is no more than rounded up


@pytest.mark.parametrize("d", [2, 4, 6, 24])
def test_a_computed_step_of_muon_passes_its_band_by_less_than_is_claimed(d):
    rng, past = np.random.default_rng(d), past_band(d, 2.0**-24)
    assert 0 < past < ROOM
    for _ in range(200):
        x = list((rng.standard_normal(d) * 10.0 ** rng.uniform(-6, 6, d)).astype(np.float32))
        size = norm(x, np)
        X = matrix([y / size for y in x])
        for _ in range(muon_file.STEPS):
            X = muon_file.newton_schulz(X)
        assert np.asarray(flat(X)).dtype == np.float32
        largest = np.linalg.svd(np.array(X, np.float64), compute_uv=False)[0]
        assert largest <= BAND + past + 1e-12  # 1e-12: of a singular value that numpy finds in float64


def test_nothing_is_claimed_where_a_computed_step_of_muon_may_leave_its_band():
    assert past_band(4, 2.0**-8) == np.inf


WRONG = {
    "norm is 'size', must be one of max, spectral": dict(bounded=Bounded(by=lambda n, p: 1, norm="size")),
    "bounded: by takes (n), must take (n, p)": dict(bounded=Bounded(by=lambda n: 1)),
    "bounded: past is 0, must be a function(d, u)": dict(bounded=Bounded(by=lambda n, p: 1, past=0)),
    "length: of is 'way', must be one of move, pull": dict(
        length=Length(lambda q, new, g, p, xp: 1, of="way")
    ),
    "length: by takes (q, g, p, xp), must take": dict(length=Length(lambda q, g, p, xp: 1)),
}


@pytest.mark.parametrize("told", WRONG)
def test_a_claim_that_says_nothing_is_refused(told):
    with pytest.raises(RuleError, match=re.escape(f"rule lion: {told}" if ":" in told else told)):
        replace(LION, **WRONG[told])


# ---- the norm of matrices


@pytest.mark.parametrize("d", [3, 4, 6, 9, 24])
def test_the_spectral_norm_is_within_its_own_error_of_that_at_fifty_digits(d):
    q = np.random.default_rng(d).standard_normal((3, d, 2)).astype(np.longdouble)
    q[0, :, 0] = 1  # of rank one
    q[1, :, 1] = 0
    size, error = spectral(q)
    for n, lane in np.ndindex(3, 2):
        with mpmath.workdps(50):
            M = mpmath.matrix(np.array(q[n, :, lane], float).reshape(shape(d)).tolist())
            true = max(mpmath.svd_r(M, compute_uv=False))
            high = np.float64(size[n, lane])
            mine = mpmath.mpf(float(high)) + mpmath.mpf(float(size[n, lane] - high))
            assert abs(true - mine) <= float(error[n, lane]) * (1 + 1e-15)
        assert error[n, lane] <= 2.0**-40 * size[n, lane]


def test_a_spectral_norm_of_what_is_not_finite_is_none():
    q = np.ones((1, 4, 2), np.longdouble)
    q[0, 1, 0] = np.inf
    size, _ = spectral(q)
    assert np.isnan(size[0, 0]) and abs(size[0, 1] - 2) < 2.0**-50
