"""Rules of signs and of sizes: what Lion and Signum enter, what does not count for them, and what a step of a
normalised or trusting rule is long."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rule_steps import FRACTIONS, step, walk

from noether.cases import MEXICAN_HAT_2
from noether.cases.rules import RULES
from noether.cases.rules.lamb import FLOOR, LAMB
from noether.cases.rules.lars import LARS
from noether.cases.rules.lion import LION
from noether.cases.rules.normalised_gradient import NORMALISED_GRADIENT
from noether.cases.rules.sign_descent import SIGN_DESCENT
from noether.cases.rules.signum import SIGNUM
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision
from noether.laws.exact import sizes
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

U = 2.0**-53
ENTERING = [(LION, {"beta2": Fraction(3, 4)}), (SIGNUM, {})]
entering = pytest.mark.parametrize(("rule", "extra"), ENTERING, ids=["lion", "signum"])
fractions = st.fractions(-50, 50, max_denominator=64)
rows = lambda length: st.lists(fractions, min_size=length, max_size=length)
largest = lambda q: max(abs(x) for x in q)


# ---- Lion is the published one


def published_lion(w, m, gradients, lr, beta1, beta2, decay):
    """The pseudocode of Chen et al. (2023), program 1 and algorithm 2, on arrays."""
    for g in gradients:
        update = np.sign(beta1 * m + (1 - beta1) * g)
        w, m = w - lr * (update + decay * w), beta2 * m + (1 - beta2) * g
        yield w, m


def test_lion_is_its_pseudocode_to_the_bit_on_dyadic_numbers():
    rng = np.random.default_rng(1)
    w, m = (rng.integers(-8, 9, 5) / 4 for _ in range(2))
    gradients = rng.integers(-8, 9, (8, 5)) / 8
    lr, decay, beta1, beta2 = 2**-3, 2**-2, 0.5, 0.75
    theirs = list(published_lion(w, m, gradients, lr, beta1, beta2, decay))
    mine = list(walk(LION, w, gradients, [m], eta=lr, beta=beta1, k=decay, beta2=beta2))
    assert all(Fraction(float(x)).denominator <= 2**48 for pair in theirs for y in pair for x in y), "rounded"
    for (q, (v,)), (other_q, other_m) in zip(mine, theirs, strict=True):
        assert np.array_equal(q, other_q) and np.array_equal(v, other_m)
    assert (
        len({tuple(np.sign(np.subtract(a, b))) for (a, _), (b, _) in zip(mine, mine[1:], strict=False)}) > 2
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 100])
def test_lion_is_its_pseudocode_within_the_roundings_of_both(steps):
    """Each of both rounds q less than six times a step, of numbers below |q| + eta: the sizes of q stay below
    those at the start plus eta a step, and no sign is in doubt, for |c| exceeds its own error."""
    rng = np.random.default_rng(2)
    w, m, gradients = rng.normal(size=5), rng.normal(size=5), rng.normal(size=(steps, 5))
    lr, decay, beta1, beta2 = 0.01, 0.1, 0.9, 0.99
    theirs = list(published_lion(w, m, gradients, lr, beta1, beta2, decay))
    before = [m, *(pair[1] for pair in theirs[:-1])]
    ahead = [beta1 * x + (1 - beta1) * g for x, g in zip(before, gradients, strict=True)]
    assert np.min(np.abs(ahead)) > 8 * (steps + 1) * U * np.abs(gradients).max()
    *_, (q, _) = walk(LION, w, gradients, [m], eta=lr, beta=beta1, k=decay, beta2=beta2)
    assert np.all(np.abs(np.array(q) - theirs[-1][0]) <= 12 * steps * U * (np.abs(w) + lr * steps))


# ---- they enter a box, and never leave it


@entering
@settings(max_examples=30)
@given(data=st.data())
def test_the_box_is_entered_at_its_rate_and_never_left_whatever_the_gradients(rule, extra, data):
    """In exact arithmetic |q'|_inf - 1/k <= (1 - eta k) (|q|_inf - 1/k), above the box and inside it."""
    q = data.draw(rows(3))
    eta, k = data.draw(st.tuples(*[st.fractions(Fraction(1, 64), 1, max_denominator=64)] * 2))
    assume(eta * k < 1)
    excess = largest(q) - 1 / k
    m, gradients = [data.draw(rows(3))], data.draw(st.lists(rows(3), min_size=1, max_size=6))
    for now, _ in walk(rule, q, gradients, m, FRACTIONS, eta=eta, beta=Fraction(1, 2), k=k, **extra):
        excess = (1 - eta * k) * excess
        assert largest(now) - 1 / k <= excess


@entering
@pytest.mark.parametrize("start", [Fraction(40), Fraction(1, 8)], ids=["outside", "inside"])
def test_the_rate_is_attained_so_that_none_is_faster(rule, extra, start):
    """Where the gradient pulls outwards, q' - 1/k = (1 - eta k) (q - 1/k), equal to the last bit."""
    eta, k = Fraction(1, 8), Fraction(1, 4)
    q, outward = [start, -start], [Fraction(-1), Fraction(1)]
    path = [q for q, _ in walk(rule, q, [outward] * 9, None, FRACTIONS, eta=eta, beta=0, k=k, **extra)]
    for n, q in enumerate(path, 1):
        assert q[0] - 1 / k == (1 - eta * k) ** n * (start - 1 / k) and q[1] == -q[0]


@entering
def test_decay_that_is_coupled_bounds_nothing(rule, extra):
    """The near miss: k q in the gradient changes a sign at most, and q walks on past 1/k."""
    eta, k = Fraction(1, 8), Fraction(4)
    gradients = [lambda q: [k * x - 100 for x in q]] * 40
    *_, (q, _) = walk(rule, [Fraction(0)], gradients, None, FRACTIONS, eta=eta, beta=0, k=0, **extra)
    assert largest(q) == 40 * eta > 1 / k


@entering
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rounding_lets_q_out_by_its_own_size_alone(rule, extra, dtype):
    """A step rounds q four times, each time by u of at most 1/k + eta: what is above 1/k shrinks by 1 - eta k
    in each step, so that 4 u (1/k + eta) / (eta k) is the most that can gather."""
    u, eta, k = np.finfo(dtype).eps / 2, 2.0**-4, 0.75
    rng = np.random.default_rng(3)
    q = [rng.uniform(-1 / k, 1 / k, 500).astype(dtype) for _ in range(2)]
    outward = lambda q: [-x for x in q]
    extra = {name: float(x) for name, x in extra.items()}
    far = [largest_of(q) for q, _ in walk(rule, q, [outward] * 300, None, eta=eta, beta=0.5, k=k, **extra)]
    assert max(far) <= 1 / k + 4 * u * (1 / k + eta) / (eta * k) and far[-1] > 0.999 / k


def largest_of(q):
    return float(np.abs(np.stack(q).astype(float)).max())


# ---- what does not count


RESCALED = [(LION, {"beta2": 0.99, "k": 0.125}), (SIGNUM, {"k": 0.125}), (SIGN_DESCENT, {})]


@pytest.mark.parametrize(("rule", "extra"), RESCALED, ids=["lion", "signum", "sign-descent"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_signs_do_not_see_a_power_of_two_in_each_component_of_the_gradient(rule, extra, dtype):
    rng = np.random.default_rng(4)
    q, m, gradients = (rng.normal(size=(*n, 6)).astype(dtype) for n in ((), (), (50,)))
    scale = (2.0 ** rng.integers(-40, 41, 6)).astype(dtype)
    given = dict(eta=2.0**-5, beta=0.9, **extra)
    plain = list(walk(rule, q, gradients, [m], **given))
    other = list(walk(rule, q, gradients * scale, [m * scale], **given))
    for (mine, (v,)), (theirs, (w,)) in zip(plain, other, strict=True):
        assert np.array_equal(mine, theirs)
        if rule is not SIGN_DESCENT:
            assert np.array_equal(np.array(v) * scale, w)
    assert (np.array(plain[-1][0]) != q).all()


@pytest.mark.parametrize(("rule", "extra"), RESCALED, ids=["lion", "signum", "sign-descent"])
@given(scale=st.lists(st.floats(1e-9, 1e9), min_size=4, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_signs_see_no_positive_factor_where_they_are_certain(rule, extra, scale, seed):
    """A sign is certain where |c| exceeds the roundings of c, 4 u of the sizes of what it is added from."""
    rng = np.random.default_rng(seed)
    q, m, g = rng.normal(size=(3, 4))
    c = 0.9 * m + (1 - 0.9) * g
    assume((np.abs(c) > 8 * U * (np.abs(m) + np.abs(g))).all())
    given, scale = dict(eta=2.0**-5, beta=0.9, **extra), np.array(scale)
    mine, theirs = (step(rule, q, [m * x], g * x, **given)[0] for x in (1.0, scale))
    assert np.array_equal(mine, theirs)
    ascent = step(rule, q, [-m * scale], -g * scale, **given)[0]
    assert not np.array_equal(mine, ascent)


@pytest.mark.parametrize("stability", [2.0**-20, 2.0**-13, 2.0**-7, 2.0**-3])
@pytest.mark.parametrize("scale", [2.0**-6, 2.0**9, 3.0])
def test_a_stability_breaks_it_for_normalised_steps_by_its_share(stability, scale):
    """The step along g over the step along a g is (|g| + s / a) / (|g| + s), to less than 16 roundings."""
    g = np.random.default_rng(5).normal(size=6)
    lengths = []
    for x in (g, scale * g):
        _, (w,) = step(NORMALISED_GRADIENT, np.zeros(6), [np.zeros(6)], x, eta=1.0, stability=stability)
        lengths.append(np.linalg.norm(w))
    size = np.linalg.norm(g)
    share = (size + stability / scale) / (size + stability)
    assert abs(lengths[0] / lengths[1] - share) <= 16 * U * share
    assert abs(share - 1) > 64 * U, "nothing was broken"


def test_a_normalised_step_at_no_gradient_does_not_move():
    q, (w,) = step(NORMALISED_GRADIENT, [1.0, 2.0], [[0, 0]], [0.0, 0.0], eta=1.0, stability=2.0**-20)
    assert q == [1.0, 2.0] and w == [0.0, 0.0]


def test_a_normalised_step_near_a_minimum_is_as_long_as_its_law_says():
    """Where |g| is far below a stability, 1 less its share is all rounding: D16 called it violated."""
    case = replace(MEXICAN_HAT_2, name="bowl", loss=lambda q, xp: (q[0] * q[0] + q[1] * q[1]) / 2)
    given = {"eta": 2.0**-8, "stability": 2.0**-7, "k": 0.0, "eps": 0.0}
    rule = RULES["normalised-gradient"]
    job = sweep.draw(case, rule, Precision("float64"), lanes=16, steps=96, seed=0, overrides=given)
    job = replace(job, q0=1e-3 * job.q0)
    t = Trajectory.launched(case, job, *launch.run(job, "numpy").wide())
    found = sizes.length_law(t)
    assert np.abs(t.q[-1]).max() < 1e-18, "the runs come to the minimum"
    assert (np.abs(found.measured - found.predicted) <= found.bound).all()


# ---- the share of |q| that a step is


def moved(rule, q, buffers, g, **given):
    """|q' - q|, and how far rounding may take it: q' by u |q'|, and the move by less than d + 16 of its u."""
    new, _ = step(rule, q, buffers, g, **given)
    size = np.linalg.norm(np.array(new) - q)
    return size, U * (np.linalg.norm(new) + (len(q) + 16) * size)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 9), k=st.sampled_from([0.0, 0.1, 2.0]))
def test_lamb_moves_by_the_share_eta_of_the_size_whatever_it_sees(seed, d, k):
    rng = np.random.default_rng(seed)
    q, m, g = rng.normal(size=(3, d)) * 10.0 ** rng.integers(-3, 4, (3, 1))
    s, eta = rng.uniform(0.01, 1, d), 2.0**-6
    given = dict(eta=eta, beta=0.9, beta2=0.99, k=k, stability=2.0**-13, n=3)
    m_hat, s_hat = 0.9 * m + 0.1 * g, 0.99 * s + 0.01 * g * g
    u = m_hat / (1 - 0.9**3) / (np.sqrt(s_hat / (1 - 0.99**3)) + 2.0**-13) + k * q
    assume(np.linalg.norm(u) > 2 * FLOOR)
    # What cancels in u, but not |u| itself, may be off: the length is that of the u which was computed.
    size, error = moved(LAMB, q, [m, s], g, **given)
    assert abs(size - eta * np.linalg.norm(q)) <= error


def test_lamb_does_not_move_where_there_is_nothing_to_follow():
    q, _ = step(LAMB, [1.0, 2.0], [[0.0] * 2] * 2, [0.0] * 2, eta=1.0, beta=0.5, beta2=0.5, stability=2.0**-7)
    assert q == [1.0, 2.0]


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 9), s=st.sampled_from([2.0**-20, 2.0**-7]))
def test_lars_without_momentum_moves_by_a_share_that_decay_can_only_shrink(seed, d, s):
    rng = np.random.default_rng(seed)
    q, g = rng.normal(size=(2, d)) * 10.0 ** rng.integers(-2, 3, (2, 1))
    given = dict(eta=2.0**-4, stability=s, trust=0.5)
    share = 2.0**-5 * np.linalg.norm(g) / (np.linalg.norm(g) + s)
    size, error = moved(LARS, q, [np.zeros(d)], g, **given)
    assert abs(size - share * np.linalg.norm(q)) <= error
    size, error = moved(LARS, q, [np.zeros(d)], g, k=0.3, **given)
    assert size <= 2.0**-5 * np.linalg.norm(q) + error


def test_lars_grows_a_scale_invariant_layer_by_one_factor_in_every_step():
    """Where <g, q> = 0, |q'|^2 = (1 + share^2) |q|^2: n steps are within n d u of the power, for each rounds
    |q|^2 by less than (d + 16) u."""
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    gradients = [lambda q: list(3.0 * (turn @ np.array(q)) / np.linalg.norm(q) ** 2)] * 50
    q = np.array([0.6, 0.8])
    given = dict(eta=0.25, stability=0.0, trust=0.5)
    *_, (q, _) = walk(LARS, q, gradients, None, **given)
    want = (1 + 0.125**2) ** 50
    assert abs(np.dot(q, q) / want - 1) <= 50 * 2 * 18 * U
