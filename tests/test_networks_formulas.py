"""The formulas of N5 to N9 in exact arithmetic, and the bounds of what torch rounds."""

from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.laws.networks import equilibrium, growing_rate  # noqa: E402
from noether.laws.networks.digits import NO_EPS, Training, batches, stepped, steps, training  # noqa: E402
from noether.laws.networks.ensemble import correlation, window  # noqa: E402
from noether.laws.networks.known_gradient import Near, above, filter_gradient, parameters  # noqa: E402
from noether.laws.networks.recursions import first_order, second_order, shift  # noqa: E402
from noether.laws.networks.rounding import U, Update  # noqa: E402
from noether.laws.networks.scales import Compared, Scaled, compare  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

# ---- heavy ball in fractions

MATRIX = np.array([[Q(2), Q(1, 2), Q(0)], [Q(1, 2), Q(1), Q(1, 3)], [Q(0), Q(1, 3), Q(-1)]])
START = np.array([Q(3, 4), Q(1, 2), Q(-1)])


def rayleigh_gradient(w):
    """Of <w, M w>/|w|^2, which has no scale."""
    r = w @ w
    return 2 * (MATRIX @ w - (w @ MATRIX @ w) / r * w) / r


def heavy_ball(w, b, rates, beta, k, steps):
    out = [(w, b)]
    for n in range(steps):
        b = beta * b + rayleigh_gradient(w) + k * w
        w = w - rates(n) * b
        out.append((w, b))
    return out


BETA, A = Q(1, 2), Q(15, 16)
ETA, K = Q(1, 8), (1 + BETA - A - BETA / A) * 8
"""eta k so that the larger root is 15/16, and the smaller 8/15."""


@pytest.mark.parametrize("a", [A, BETA / A], ids=["larger root", "smaller root"])
def test_decay_is_a_growing_rate_in_fractions(a):
    assert a**2 - (1 + BETA - ETA * K) * a + BETA == 0
    decayed = heavy_ball(START, 0 * START, lambda n: ETA, BETA, K, 4)
    begin = -(1 - a) * START / (ETA * a)
    grown = heavy_ball(START, begin, lambda n: ETA * a ** (-2 * n - 1), BETA, Q(0), 4)
    for n, ((w, _), (theta, _)) in enumerate(zip(decayed, grown, strict=True)):
        assert list(w) == list(a**n * theta)


@pytest.mark.parametrize("wrong", ["buffer", "index"])
def test_a_buffer_of_zero_or_a_wrong_index_is_another_run(wrong):
    begin = 0 * START if wrong == "buffer" else -(1 - A) * START / (ETA * A)
    power = 0 if wrong == "index" else 1
    grown = heavy_ball(START, begin, lambda n: ETA * A ** (-2 * n - power), BETA, Q(0), 1)
    (w, _) = heavy_ball(START, 0 * START, lambda n: ETA, BETA, K, 1)[-1]
    assert list(w) != list(A * grown[-1][0])


def test_the_root_is_the_larger_one_and_none_is_real_beyond_critical_damping():
    a = growing_rate.root(2.0**-8, 0.9, 0.1)
    beta, k = np.longdouble(0.9), np.longdouble(0.1)
    assert abs(a**2 - (1 + beta - k / 256) * a + beta) < 2.0**-61 and a > 0.99
    with pytest.raises(ValueError, match=r"eta k is 0\.01, must be at most .* = 0\.0026"):
        growing_rate.root(0.1, 0.9, 0.1)


SIGNS = np.array([1, 1, -1, 1, -1])


@pytest.fixture
def exact():
    """Four steps along gradients that belong to no loss."""
    rng = np.random.default_rng(1)
    draw = lambda: np.array([[Q(int(x), 16) for x in row] for row in rng.integers(-16, 17, size=(2, 5))])
    w, b, out = draw(), 0 * draw(), []
    eta, beta, k = Q(1, 8), Q(3, 4), Q(1, 16)
    for _ in range(4):
        g = draw()
        after = beta * b + g + k * w
        out.append(Update(w, g, b, w - eta * after, after, eta, beta, k, u=0))
        w, b = w - eta * after, after
    return out


@pytest.mark.parametrize("law", [second_order, lambda x: second_order(x, SIGNS), shift])
def test_recursions_are_exact_for_any_gradient(exact, law):
    found = law(exact)
    assert np.all(found.measured == found.predicted())


def test_the_recursion_of_plain_steps_is_exact(exact):
    plain = [
        Update(x.w, x.g, x.b, x.w - x.eta * (x.g + x.k * x.w), x.g + x.k * x.w, x.eta, 0, x.k, 0)
        for x in exact
    ]
    found = first_order(plain)
    assert np.all(found.measured == found.predicted())


def test_the_law_of_a_window_is_exact(exact):
    """2 k (1 - beta) sum R/(eta sum |g|^2) = F + rest, as theory.md#N5 has it."""
    eta, beta, k = exact[0].eta, exact[0].beta, exact[0].k
    left, m, total = 1 - beta, 0 * exact[0].g, {}
    add = lambda name, x, y: total.__setitem__(name, total.get(name, 0) + np.sum(x * y))
    z = lambda w, b: w - eta * beta / left * b
    for x in exact:
        v = -eta * x.b
        add("R", x.w, x.w), add("G", x.g, x.g), add("gw", x.g, x.w), add("C", v, x.w)
        add("gm", x.g, beta * m), add("gK", x.g, v + eta * m)
        m = beta * m + x.g
    first, last = z(exact[0].w, exact[0].b), z(exact[-1].w_after, exact[-1].b_after)
    dz = np.sum(last**2) - np.sum(first**2)
    F = 1 + 2 * total["gm"] / total["G"]
    terms = k**2 * total["R"] + 2 * k * total["gw"] - 2 * left / eta * total["gw"]
    terms += -2 * k * beta / eta * total["C"] - 2 * beta / eta * total["gK"] - left**2 / eta**2 * dz
    assert 2 * k * left * total["R"] / (eta * total["G"]) == F + terms / total["G"]


def test_the_turn_of_a_window_is_exact(exact):
    """(1 + beta) sum |v'|^2 = 2 eta k sum R + (1 - beta) dR + 2 beta dC + 2 eta sum <g, w>."""
    eta, beta, k = exact[0].eta, exact[0].beta, exact[0].k
    first, last = exact[0], exact[-1]
    dR = np.sum(last.w_after**2) - np.sum(first.w**2)
    dC = np.sum(-eta * last.b_after * last.w_after) - np.sum(-eta * first.b * first.w)
    turned = sum(np.sum((eta * x.b_after) ** 2) for x in exact)
    R, gw = (sum(np.sum(x.w * getattr(x, name)) for x in exact) for name in ("w", "g"))
    assert (1 + beta) * turned == 2 * eta * k * R + (1 - beta) * dR + 2 * beta * dC + 2 * eta * gw


# ---- what torch rounds


@pytest.mark.parametrize(("beta", "k"), [(0.9, 0.1), (0.0, 0.1), (0.9, 0.0)])
def test_the_rounding_of_a_step_is_within_its_bound_and_comes_near_it(beta, k):
    how = Training(eta=0.1, beta=beta, k=k)
    worst = 0.0
    for s in steps(how, 1, 20):
        x = Update.of(s, "filters", how.eta, beta, k)
        b = np.longdouble(beta) * x.b + x.g + np.longdouble(k) * x.w
        if beta:
            assert np.all(np.abs(x.b_after - b) <= x.e_b)
        off = np.abs(x.w_after - (x.w - np.longdouble(how.eta) * x.b_after))
        assert np.all(off <= x.e_w)
        worst = max(worst, float(np.max(off / np.where(x.e_w > 0, x.e_w, 1))))
    assert worst > 0.5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("eps", [NO_EPS, 1e-5])
def test_autograd_is_within_the_bound_of_the_known_gradient(dtype, eps):
    how = Training(eta=2.0**-6, beta=0.9, eps=eps, dtype=dtype)
    net, optimizer, drawn = training(how, 2)
    u, judged = U[str(dtype).removeprefix("torch.")], 0
    for n in range(24):
        x, digits = next(drawn)
        try:
            found = filter_gradient(parameters(net), x[0].numpy(), digits[0].numpy(), eps, u)
        except FloatingPointError:  # a unit is at its kink
            found = None
        s = stepped(net, optimizer, {"filters": net.filters}, n, x, digits)
        if found:
            off = np.abs(s.gradient["filters"][0] - found.x)
            assert np.all(off <= found.e) and np.any(off > 0)
            assert found.e.max() < 1e7 * u * np.abs(found.x).max()
            judged += 1
    assert judged > 12


def test_a_gradient_that_is_off_is_beyond_the_bound_of_the_known_one():
    how = Training(eta=2.0**-6)
    net, _, drawn = training(how, 2)
    x, digits = next(drawn)
    net.loss(x, digits).backward()
    found = filter_gradient(parameters(net), x[0].numpy(), digits[0].numpy(), 2e-5, U["float64"])
    assert np.any(np.abs(net.filters.grad.numpy()[0] - found.x) > found.e)  # another eps


def test_an_activation_within_its_rounding_of_zero_is_not_judged():
    with pytest.raises(FloatingPointError, match="within its rounding of 0"):
        above(Near(np.array([1.0, 1e-16]), np.array([1e-15, 1e-15])))


# ---- networks and batches


def test_lanes_do_not_see_each_other():
    how = Training(eta=0.1, lanes=2)
    net, _, drawn = training(how, 1)
    x, digits = next(drawn)
    net.loss(x, digits).backward()
    first = net.filters.grad[0].clone()
    with torch.no_grad():
        net.filters[1].mul_(3)
    net.zero_grad()
    net.loss(x, digits).backward()
    assert torch.equal(first, net.filters.grad[0])


def test_an_epoch_has_each_picture_once_and_pictures_drawn_from_all_have_not():
    of = lambda replaced: Training(eta=0.1, batch=128, replaced=replaced)
    for replaced in (False, True):
        drawn = batches(of(replaced), torch.Generator().manual_seed(1))
        rows = torch.cat([next(drawn)[0][0] for _ in range(14)])
        many = len(torch.unique(rows, dim=0))
        assert (many < 0.75 * len(rows)) == replaced


def test_the_correlation_of_a_telegraph_is_known():
    rng = np.random.default_rng(0)
    signs = np.cumprod(np.where(rng.random((4000, 8, 1)) < 0.75, 1, -1), axis=0).astype(float)
    found = correlation(signs, 3)
    assert found[0] == pytest.approx(1) and np.allclose(found.mean(axis=1)[1:], [0.5, 0.25, 0.125], atol=0.03)
    assert equilibrium.gain(0.9, 0.0) == 1 and equilibrium.gain(0.9, 1.0) == pytest.approx(19)


def test_the_correlation_of_gradients_gives_the_same_factor_as_their_momentum():
    how = replace(equilibrium.setting(0.5, 32, False, 2), hidden=1)
    found = window(how, 1, 200, 400)
    alone = 1 + 2 * sum(0.5**j * found.rho[j] for j in range(1, 40))
    assert np.allclose(found.F, alone, atol=0.05)  # the one of g, the other of |w| g


# ---- bits


def test_a_bit_that_differs_is_counted_and_nothing_after_a_subnormal_number():
    w, b, rest = np.ones((1, 2, 2)), np.ones((1, 2, 2)), np.ones(3)
    found = Compared(Scaled(4))
    compare(found, 0, [w, b, rest], [w, b, rest])
    assert (found.off, found.seen, found.first) == (0, 11, -1)
    compare(found, 1, [w, b, rest], [w, np.nextafter(b, 2), rest])
    assert (found.off, found.first) == (4, 1)
    compare(found, 2, [w, b * 1e-305, rest], [w, 0 * b, rest])
    assert found.ended == 2 and found.off == 4
