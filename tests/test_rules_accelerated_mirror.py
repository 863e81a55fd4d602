"""Accelerated mirror descent in dual variables is the published one, stays positive, and accelerates."""

import numpy as np
import pytest
from rule_steps import step, walk

from noether.cases.rules.accelerated_mirror_descent import ACCELERATED_MIRROR_DESCENT as RULE
from noether.cases.rules.accelerated_mirror_descent import R
from noether.cases.rules.mirror_descent import MIRROR_DESCENT

U = 2.0**-53
CENTRE = np.array([0.5, 2.0, 1.0, 0.25])
CURVED = np.array([1.0, 0.25, 0.0625, 0.5])


def gradient(x):
    """That of sum CURVED (x - CENTRE)^2 / 2, a convex loss with its smallest value at CENTRE."""
    return CURVED * (x - CENTRE)


def published(x, eta, steps):
    """Algorithm 1 of Krichene, Bayen, Bartlett (2015) in primal variables, both steps under the entropy.

    Yields x and z~ after each step; k counts from 1, as in the code that they published.
    """
    z = x
    for k in range(1, steps + 1):
        g = gradient(x)
        z = z * np.exp(-(k * eta / R) * g)
        plain = x * np.exp(-eta * g)
        share = R / (R + k)
        x = share * z + (1 - share) * plain
        yield x, z


def by_rule(x, eta, steps):
    taken = lambda z: list(gradient(np.exp(np.array(z))))
    yield from walk(RULE, np.log(x), [taken] * steps, eta=eta)


@pytest.mark.parametrize("steps", [1, 2, 3, 100])
def test_it_is_the_published_one_within_the_roundings_of_both(steps):
    """A step rounds log x and log z~ by less than 32 u of numbers below 8 in size. What step j left behind
    acts on all that follow as the gradient does, at most by its slope, n eta / 3 of at most 1: less than
    e^(eta n^2 / 6) = e^(100 / 6 / 16) < 3 times at the end."""
    x, eta = np.array([1.0, 0.5, 2.0, 1.5]), 2.0**-4 / 100
    ours, theirs = list(by_rule(x, eta, steps)), list(published(x, eta, steps))
    error = 2 * 32 * 8 * steps * U * 3
    for (z, (v,)), (other, ahead) in zip(ours, theirs, strict=True):
        assert np.abs(np.array(z) - np.log(other)).max() <= error
        assert np.abs(np.add(z, v) - np.log(ahead)).max() <= error
    assert np.abs(theirs[-1][0] - x).max() > 2**10 * error


def test_the_dual_variable_moves_by_the_gradient_alone():
    """z' + v' = z + v - (n / 3) eta g: both stores and five operations round, of the sizes that they add."""
    rng = np.random.default_rng(1)
    z, v, g = rng.normal(size=(3, 6))
    for n in (1, 2, 3, 100):
        new, (w,) = step(RULE, z, [v], g, n, eta=0.125)
        pull = n / 3 * 0.125 * g
        sizes = np.abs(new) + np.abs(w) + np.abs(z) + np.abs(v) + 2 * np.abs(pull)
        assert np.all(np.abs(np.add(new, w) - (z + v - pull)) <= 4 * U * sizes)


def test_the_mixture_is_finite_where_its_exponentials_are_not():
    new, (w,) = step(RULE, [0.0, 0.0], [[2000.0, -2000.0]], [0.0, 0.0], 1, eta=0.5)
    assert new[0] == pytest.approx(2000 + np.log(3 / 4), rel=4 * U, abs=0)
    assert new[1] == pytest.approx(np.log(1 / 4), rel=4 * U, abs=0) and np.isfinite(w).all()


def test_it_is_at_its_rate_and_ahead_of_mirror_descent_where_the_loss_is_flat():
    """The loss is below r^2 D / (eta k^2) with D the entropy's distance of the start, which is the published
    rate, and far below that of mirror descent at the same step size."""
    loss = lambda x: np.sum(CURVED * (x - CENTRE) ** 2) / 2
    x, eta, steps = np.full(4, 4.0), 2.0**-3, 400
    taken = lambda z: list(gradient(np.exp(np.array(z))))
    paths = [walk(rule, np.log(x), [taken] * steps, eta=eta) for rule in (RULE, MIRROR_DESCENT)]
    ours, plain = ([loss(np.exp(np.array(z))) for z, _ in path] for path in paths)
    distance = np.sum(CENTRE * np.log(CENTRE / x) - CENTRE + x)
    assert all(f < R**2 * distance / (eta * k**2) for k, f in enumerate(ours, 1))
    assert ours[-1] < plain[-1] / 1000
