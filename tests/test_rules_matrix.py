"""Rules that read their parameters as a matrix: singular values, what bounds q, and transforms from the left
and from the right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_steps import (
    HIGH,
    INNER,
    LOW,
    STEEPEST,
    TINY,
    TOP,
    U,
    conditioned,
    iteration_error,
    moved,
    polar_error,
    quintic,
    two_rows,
)
from rule_steps import step, walk

from noether.cases import exact_numbers
from noether.cases.matrices import shape
from noether.cases.rules.accelerated_mirror_descent import ACCELERATED_MIRROR_DESCENT
from noether.cases.rules.lamb import LAMB
from noether.cases.rules.lars import LARS
from noether.cases.rules.lion import LION
from noether.cases.rules.muon import MUON, STEPS
from noether.cases.rules.normalised_gradient import NORMALISED_GRADIENT
from noether.cases.rules.orthogonal_descent import ORTHOGONAL_DESCENT
from noether.cases.rules.shampoo import SHAMPOO
from noether.cases.rules.signum import SIGNUM

HERE = (
    *(LION, SIGNUM, NORMALISED_GRADIENT, LARS, LAMB, MUON),
    *(ORTHOGONAL_DESCENT, SHAMPOO, ACCELERATED_MIRROR_DESCENT),
)
many_rows = pytest.mark.parametrize("d", [2, 4, 6, 9, 8, 16], ids=lambda d: "{}x{}".format(*shape(d)))
seeds = st.integers(0, 2**32 - 1)


def test_the_shape_is_the_nearest_to_a_square_with_no_more_rows_than_columns():
    assert [shape(d) for d in (1, 2, 3, 4, 6, 8, 9, 12, 16)] == [
        *((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (2, 4), (3, 3), (3, 4), (4, 4))
    ]


@pytest.mark.parametrize("rule", HERE, ids=lambda r: r.name)
def test_terms_are_the_update_for_every_number_of_parameters(rule, monkeypatch):
    """A rule is proven with four of them when it is made, and may be another with a row or three."""
    tried = [d for d in (1, 2, 3, 4, 5, 6, 8, 9) if rule.fits(d)]
    for d in tried:
        monkeypatch.setattr(exact_numbers, "D", d)
        exact_numbers.prove(rule)
    assert 4 in tried


def test_rules_of_matrices_fit_what_has_rows_and_a_closed_form():
    fit = lambda rule: [d for d in range(1, 17) if rule.fits(d)]
    assert fit(MUON) == [4, 6, 8, 9, 10, 12, 14, 15, 16]
    assert fit(ORTHOGONAL_DESCENT) == [4, 6, 8, 10, 14] and fit(SHAMPOO) == [4]
    assert fit(LION) == list(range(1, 17))


# ---- singular values


@two_rows
@settings(max_examples=30)
@given(seed=seeds)
def test_orthogonalised_steps_are_the_polar_factor_and_have_singular_values_1(d, seed):
    g, left, values, right = conditioned(np.random.default_rng(seed), d)
    got, error = moved(ORTHOGONAL_DESCENT, 3.0 * g, **TINY), polar_error(d, values[-1] / np.linalg.norm(g))
    assert np.linalg.norm(got - left @ right) <= error
    assert np.abs(np.linalg.svd(got, compute_uv=False) - 1).max() <= error


@two_rows
@pytest.mark.parametrize("stability", [2.0**-6, 2.0**-4, 2.0**-1])
def test_a_stability_takes_a_singular_value_x_to_x_over_the_root_of_its_square_and_its_own(d, stability):
    g, left, values, right = conditioned(np.random.default_rng(6), d)
    x = values / np.linalg.norm(g)
    got = moved(ORTHOGONAL_DESCENT, 64 * g, stability=stability)
    want = left * (x / np.sqrt(x**2 + stability**2)) @ right
    assert np.linalg.norm(got - want) <= polar_error(d, x[-1])
    assert np.linalg.norm(got - left @ right) > 2**20 * polar_error(d, x[-1]), "the stability does nothing"


@pytest.mark.parametrize("rule", [ORTHOGONAL_DESCENT, MUON, SHAMPOO], ids=lambda r: r.name)
def test_a_gradient_of_rank_one_or_zero_moves_what_it_can_and_nothing_else(rule):
    given = dict(stability=2.0**-6, beta=0.0)
    line = np.outer([0.6, -0.8], [2.0, 1.0]).ravel()
    got = np.linalg.svd(moved(rule, line, **given), compute_uv=False)
    assert got[0] > 0.6 and got[1] <= 2.0**-40
    assert (moved(rule, np.zeros(4), **given) == 0).all()


def test_the_quintic_takes_an_interval_into_itself_and_a_band_too():
    """[0, TOP] -> [0, TOP], and [LOW, TOP] -> [LOW, HIGH], with the figures that are quoted for it."""
    x = np.linspace(0, TOP, 100_001)
    assert quintic(x).min() >= -4 * U and quintic(x).max() <= TOP + 4 * U
    inside = quintic(x[x >= LOW])
    assert inside.min() >= LOW - 16 * U and inside.max() <= HIGH + 16 * U
    assert (round(LOW, 4), round(HIGH, 4), round(TOP, 4)) == (0.6818, 1.1344, 1.2024)


def least_in_band(steps):
    """The smallest x that so many steps take to LOW, by halving: the quintic grows from 0 to INNER."""
    x = LOW
    for _ in range(steps):
        low, high = 0.0, INNER
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if quintic(middle) < x else (low, middle)
        x = high
    return x


@many_rows
@settings(max_examples=30)
@given(seed=seeds)
def test_five_steps_put_singular_values_into_the_band_of_the_quintic(d, seed):
    g, left, values, right = conditioned(np.random.default_rng(seed), d)
    got = moved(MUON, g, beta=0.5, **TINY)
    x = values / np.linalg.norm(g)
    assert x[-1] > least_in_band(STEPS - 1)
    for _ in range(STEPS):
        x = quintic(x)
    error = iteration_error(d)
    assert np.linalg.norm(got - left * x @ right) <= error
    found = np.linalg.svd(got, compute_uv=False)
    assert LOW - error <= found.min() and found.max() <= HIGH + error


def test_a_singular_value_below_the_band_is_not_yet_there():
    """The near miss: five steps lift what is above .0015 of |M|, and not what is below."""
    edge = least_in_band(STEPS)
    values = lambda x: np.linalg.svd(moved(MUON, np.diag([1.0, x]).ravel(), **TINY), compute_uv=False)
    assert values(1.01 * edge)[1] >= LOW > values(0.99 * edge)[1] and 0.0014 < edge < 0.0016


@pytest.mark.parametrize("d", [2, 4, 6])
@pytest.mark.parametrize("start", [40.0, 0.01])
def test_muon_enters_a_ball_of_the_spectral_norm_at_its_rate_and_never_leaves_it(d, start):
    """|q'|_2 <= (1 - eta k) |q|_2 + eta TOP, whatever the gradients, to what a step rounds."""
    rng, eta, k = np.random.default_rng(7), 2.0**-3, 0.5
    spectral = lambda q: np.linalg.norm(np.array(q).reshape(shape(d)), 2)
    q = start * rng.normal(size=d)
    rough = rng.normal(size=(100, d)) * 10.0 ** rng.integers(-6, 6, (100, 1))
    outward = [lambda q: [-x for x in q]] * 100
    excess = spectral(q) - TOP / k
    given = dict(eta=eta, beta=0.9, k=k, stability=2.0**-20)
    for now, _ in walk(MUON, q, [*rough, *outward], **given):
        excess = (1 - eta * k) * excess + eta * iteration_error(d) + 8 * U * spectral(now)
        assert spectral(now) - TOP / k <= excess
    assert spectral(now) > 0.9 * LOW / k, "the bound is never neared"


def test_shampoo_divides_by_the_fourth_roots_that_an_eigenbasis_gives():
    """Eigenvalues lie in [1/2, 3]. A determinant rounds less than 3 u of 18 and is 1/4 at least, so that each
    number of a root is off by less than 256 u of 2; a product of three such matrices by 8 * 4 times that."""
    rng = np.random.default_rng(12)

    def power(N, exponent):
        values, basis = np.linalg.eigh(N)
        return basis * values**exponent @ basis.T

    for _ in range(50):
        g = rng.normal(size=(2, 2)) / 2
        L, R = (conditioned(rng, 4)[0].reshape(2, 2) for _ in range(2))
        L, R, stability = L @ L.T + np.eye(2) / 4, R @ R.T + np.eye(2) / 4, 0.25
        q, (w, new_L, new_R) = step(
            *(SHAMPOO, np.zeros(4), [np.zeros(4), L.ravel(), R.ravel()], g.ravel()),
            **dict(eta=1.0, stability=stability),
        )
        one = stability * np.eye(2)
        want = -power(L + g @ g.T + one, -1 / 4) @ g @ power(R + g.T @ g + one, -1 / 4)
        assert np.abs(np.reshape(q, (2, 2)) - want).max() <= 8 * 4 * 256 * 2 * U
        assert np.abs(np.reshape(new_L, (2, 2)) - L - g @ g.T).max() <= 16 * U
        assert np.abs(np.reshape(new_R, (2, 2)) - R - g.T @ g).max() <= 16 * U
        assert np.array_equal(w, -g.ravel())


# ---- transforms from the left and from the right


def signed_permutation(rng, n):
    return np.eye(n)[rng.permutation(n)] * rng.choice([-1.0, 1.0], n)


BOTH = [(MUON, dict(beta=0.5, **TINY)), (ORTHOGONAL_DESCENT, TINY)]
both = pytest.mark.parametrize(("rule", "extra"), BOTH, ids=["muon", "orthogonal-descent"])


@pytest.mark.parametrize(
    ("rule", "extra"), [*BOTH, (SHAMPOO, {"stability": 0.5})], ids=lambda r: getattr(r, "name", "")
)
@settings(max_examples=30)
@given(seed=seeds)
def test_signed_permutations_of_a_square_commute_with_a_step_to_the_bit(rule, extra, seed):
    """Sums of two do not feel an exchange, and |M| is exact: four squares of numbers of few digits."""
    rng = np.random.default_rng(seed)
    g = rng.integers(-64, 65, 4).astype(float)
    left, right = (signed_permutation(rng, 2) for _ in range(2))
    turned = left @ moved(rule, g, **extra) @ right
    assert np.array_equal(turned, moved(rule, (left @ g.reshape(2, 2) @ right).ravel(), **extra))


@both
@pytest.mark.parametrize("d", [6, 8], ids=lambda d: "{}x{}".format(*shape(d)))
@settings(max_examples=30)
@given(seed=seeds)
def test_signs_of_rows_and_columns_commute_with_a_step_to_the_bit(rule, extra, d, seed):
    rng = np.random.default_rng(seed)
    left, right = (rng.choice([-1.0, 1.0], n) for n in shape(d))
    g = rng.normal(size=shape(d))
    turned = left[:, None] * moved(rule, g.ravel(), **extra) * right
    other = left[:, None] * g * right
    assert np.array_equal(turned, moved(rule, other.ravel(), **extra))


@both
@two_rows
@settings(max_examples=30)
@given(seed=seeds)
def test_orthogonal_transforms_commute_with_a_step_within_both_roundings(rule, extra, d, seed):
    """To turn the gradient and to turn the step rounds r + c times each: a matrix off by e moves a polar
    factor by 2 e / least, and five steps of the iteration by STEEPEST^5 e."""
    rng = np.random.default_rng(seed)
    g, _, values, _ = conditioned(rng, d)
    (r, c), least = shape(d), values[-1] / np.linalg.norm(g)
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (r, c))
    turned = left @ moved(rule, g, **extra) @ right
    other = moved(rule, (left @ g.reshape(r, c) @ right).ravel(), **extra)
    stretched = STEEPEST**STEPS if rule is MUON else 2 / least
    error = iteration_error(d) if rule is MUON else polar_error(d, least)
    assert np.linalg.norm(turned - other) <= 2 * error + 2 * r * (r + c) * U * (stretched + 2)


def test_a_rule_of_components_does_not_commute_with_a_rotation():
    """The near miss, at the same size of step: Signum turns a right angle of a circle by nothing."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    g = np.array([[1.0, 0.25], [-0.5, 2.0]])
    apart = turn @ moved(SIGNUM, g.ravel()) - moved(SIGNUM, (turn @ g).ravel())
    assert np.linalg.norm(apart) > 0.5
