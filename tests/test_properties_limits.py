"""What is switched off is not there: breaking, decay, momentum, step size."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_properties import fails, wide, with_params

from noether.campaigns.fuzz.strategies import cases, launches, precisions
from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.programs.trace import gradient_program

BY_NAME = {c.name: c for c in CORE}


HAT = BY_NAME["mexican-hat"]


EUCLIDEAN = [c for c in CORE if c.metric.kind != "bregman"]


HEAVY, DECOUPLED, DESCENT = RULES["heavy-ball"], RULES["heavy-ball-decoupled"], RULES["gradient-descent"]


FINITE = st.sampled_from(
    ["ordinary", "plain", "few-bits", "heavy-memory", "from-rest"]
)  # where no operation overflows


def same_while_finite(a, b) -> bool:
    """Equal lane by lane in every row before the first that is not finite, the same row in both: 0 * inf may
    be formed in one only."""
    alive = [
        np.logical_and.accumulate(np.isfinite(z).all(axis=1) & np.isfinite(v).all(axis=1), axis=0)
        for z, v in (a, b)
    ]
    return np.array_equal(*alive) and all(
        ((x == y) | ~alive[0][:, None, :]).all() for x, y in zip(a, b, strict=True)
    )


@st.composite
def breakings(draw, dim):
    """A polynomial of degree at most 4 in at most three terms."""
    terms = draw(
        st.lists(
            st.tuples(
                st.integers(-4, 4).map(float), st.lists(st.integers(0, dim - 1), min_size=1, max_size=4)
            ),
            min_size=1,
            max_size=3,
        )
    )

    def breaking(q, xp):
        total = 0
        for c, factors in terms:
            term = 1
            for i in factors:
                term = q[i] * term
            total = term * (c or 1.0) + total
        return total

    return breaking


def unbroken_at(drawn, magnitude):
    (case, job), breaking = drawn
    broken = gradient_program(case.dim, replace(case, breaking=breaking).total)
    plain = gradient_program(case.dim, lambda q, eps, xp: case.loss(q, xp))
    job = with_params(job, eps=magnitude)
    assert same_while_finite(wide(replace(job, program=broken)), wide(replace(job, program=plain))), (
        f"{job}: breaking of magnitude {magnitude} is there"
    )


WITH_BREAKING = cases().flatmap(lambda c: st.tuples(launches(case=c, regime=FINITE), breakings(c.dim)))


@given(WITH_BREAKING)
@settings(max_examples=50)
def test_any_breaking_of_magnitude_0_is_none(drawn):
    unbroken_at(drawn, 0.0)


def test_a_breaking_of_some_magnitude_is_there():
    assert "is there" in fails(WITH_BREAKING, lambda drawn: unbroken_at(drawn, 2.0**-8))


def decay_is_one(drawn, k):
    _, job = drawn
    coupled, decoupled = (wide(with_params(replace(job, rule=rule), k=k)) for rule in (HEAVY, DECOUPLED))
    assert same_while_finite(coupled, decoupled), f"{job}: coupled and decoupled decay of {k} differ"


OF_EUCLIDEAN = launches(case=st.sampled_from(EUCLIDEAN), rule=HEAVY)


@given(OF_EUCLIDEAN)
@settings(max_examples=40)
def test_without_decay_coupled_is_decoupled(drawn):
    decay_is_one(drawn, 0.0)


def test_with_decay_they_differ():
    assert "differ" in fails(
        launches(case=HAT, rule=HEAVY, regime="ordinary", steps=6), lambda drawn: decay_is_one(drawn, 0.25)
    )


def momentum_is_none(drawn, beta):
    _, job = drawn
    heavy, plain = (wide(with_params(replace(job, rule=rule), beta=beta)) for rule in (HEAVY, DESCENT))
    plain[1][0] = heavy[1][0]  # the kick, of which gradient descent keeps no account
    assert same_while_finite(heavy, plain), f"{job}: heavy ball at beta = {beta} is no gradient descent"


@given(OF_EUCLIDEAN)
@settings(max_examples=40)
def test_heavy_ball_without_momentum_is_gradient_descent(drawn):
    momentum_is_none(drawn, 0.0)


def test_heavy_ball_with_momentum_is_not():
    assert "is no gradient descent" in fails(
        launches(case=HAT, rule=HEAVY, regime="ordinary", steps=6), lambda drawn: momentum_is_none(drawn, 0.5)
    )


def frozen(drawn, eta):
    _, job = drawn
    z, v = wide(with_params(replace(job, v0=np.zeros_like(job.v0)), eta=eta))
    assert (z == z[0]).all() and not v.any(), f"{job}: moved from rest with steps of size {eta}"


@given(launches(regime=FINITE))
@settings(max_examples=50)
def test_from_rest_steps_of_size_0_go_nowhere(drawn):
    frozen(drawn, 0.0)


def test_other_steps_go_somewhere():
    assert "moved from rest" in fails(
        launches(regime=FINITE, precision=precisions()), lambda drawn: frozen(drawn, 2.0**-3)
    )
