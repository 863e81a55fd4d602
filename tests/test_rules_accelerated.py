"""Nesterov's rule with an increasing momentum is the paper's, with the paper's rate, and quasi-hyperbolic
momentum has its two ends."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cases.rules.gradient_descent import GRADIENT_DESCENT
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.nesterov_increasing import NESTEROV_INCREASING
from noether.cases.rules.qhm import QHM

EXACT = SimpleNamespace(store=lambda x: x, store_buffer=lambda x: x)
STIFFNESS = (Fraction(1), Fraction(1, 50))
"""Of the loss sum h q^2 / 2, convex and badly conditioned."""
THIRDS = st.fractions(min_value=-4, max_value=4, max_denominator=16)


def path(rule, q, steps, v=(0, 0), **p):
    """q after every step on that loss, in fractions, and the last v."""
    q, v = list(q), list(v)
    found = [q]
    for n in range(1, steps + 1):
        known = {
            name: Fraction(x).limit_denominator(10**6) for name, x in (rule.known or no)(n, None).items()
        }
        g = [h * x for h, x in zip(STIFFNESS, q, strict=True)]
        q, (v,) = rule.update(q, [v], g, SimpleNamespace(**p, **known), EXACT)
        found.append(q)
    return found, v


def no(n, p):
    return {}


@given(q=st.tuples(THIRDS, THIRDS), eta=st.fractions(0, 1, max_denominator=8))
def test_the_rule_is_the_two_sequences_of_the_paper(q, eta):
    """x_n = y_(n-1) - s g(y_(n-1)), y_n = x_n + (n - 1)/(n + 2) (x_n - x_(n-1)) (Su, Boyd, Candes, 2014)."""
    x, y = list(q), list(q)
    theirs = [y]
    for n in range(1, 13):
        new = [yi - eta * h * yi for h, yi in zip(STIFFNESS, y, strict=True)]
        y = [a + Fraction(n - 1, n + 2) * (a - b) for a, b in zip(new, x, strict=True)]
        last, x = [a - b for a, b in zip(new, x, strict=True)], new
        theirs.append(y)
    found, v = path(NESTEROV_INCREASING, q, 12, eta=eta, k=0)
    assert found == theirs and v == last


def losses(rule, h, steps):
    """(steps, ...) h x_n^2 / 2 with x_n = y_(n-1) - h y_(n-1) from y_0 = 1, for curvatures h and eta = 1."""
    q, v, found = np.ones_like(h), np.zeros_like(h), []
    for n in range(1, steps + 1):
        p = SimpleNamespace(eta=1.0, k=0.0, **(rule.known or no)(n, None))
        found.append(h * (q - h * q) ** 2 / 2)
        (q,), ((v,),) = rule.update([q], [[v]], [h * q], p, EXACT)
    return np.array(found)


def test_its_rate_is_that_of_the_theorem_and_gradient_descent_has_a_slower_one():
    """f(x_n) <= 2 |x_0|^2 / (s (n + 1)^2) for s <= 1/L (Su, Boyd, Candes, 2014, equation (2)).

    The worst curvatures of n steps are near (z/n)^2 with z = 1.84, the maximum of the Bessel function J_1: by
    their equation (11) the loss is 2 J_1(z)^2 / n^2, .34 of the bound. Gradient descent's is .37/(4 n) at
    h = 1/(2 n), above the bound from n = 20 on.
    """
    for steps in (40, 160, 640):
        h = (np.linspace(0.25, 6.0, 185) / steps) ** 2
        bound = 2.0 / np.arange(2, steps + 2)[:, None] ** 2
        ratio = losses(NESTEROV_INCREASING, h, steps) / bound
        assert ratio.max() <= 1 and 0.3 < ratio[-1].max()
        assert losses(GRADIENT_DESCENT, np.array([1 / (2 * steps)]), steps)[-1, 0] > bound[-1, 0]


@pytest.mark.parametrize("nu", [0, 1])
@given(q=st.tuples(THIRDS, THIRDS), v=st.tuples(THIRDS, THIRDS), k=st.fractions(0, 1, max_denominator=4))
def test_quasi_hyperbolic_momentum_is_gradient_descent_and_heavy_ball_at_its_ends(nu, q, v, k):
    eta, beta = Fraction(1, 4), Fraction(3, 4)
    rule, step = (HEAVY_BALL, eta * (1 - beta)) if nu else (GRADIENT_DESCENT, eta)
    mine, _ = path(QHM, q, 6, v, eta=eta, beta=beta, nu=nu, k=k)
    theirs, _ = path(rule, q, 6, v, eta=step, beta=beta, k=k)
    assert mine == theirs
