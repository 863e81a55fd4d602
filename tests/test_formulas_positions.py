"""D1, D5, D10 and D11 once more by hand, as tests/test_formulas.py does it for the others; D1's two other
forms by algebra."""

from itertools import product

import pytest
import sympy
from scalar_laws import BY_NAME, LABELS, WIDE, agree, both, dot, everywhere, sample, size

from noether.cases.case import scale
from noether.cases.rules import RULES
from noether.laws.exact import EXACT

HAT, QUOTIENT = BY_NAME["mexican-hat"], BY_NAME["deformed-rayleigh"]
each_label = pytest.mark.parametrize("label", LABELS)


def position_terms(t, n, lane):
    """q_n, what pushes it, what pulls it, and the bound of their sum."""
    s, _ = both(t, None, n, lane)
    a = s.s
    if n:
        before, _ = both(t, None, n - 1, lane)
        displaced = [x - y for x, y in zip(s.q, before.q, strict=True)]
        push = [a * s.beta * w for w in displaced]
        late = [s.beta * x for x in before.sigma]
    else:
        push = [s.beta * (v - (1 - a) * q) for v, q in zip(s.v, s.q, strict=True)]
        late = [0] * s.d
    pull = [s.eta * f for f in s.f]
    if s.decoupled:
        pull = [x + (1 - s.beta) * (1 - a) * q for x, q in zip(pull, s.q, strict=True)]
    own = [
        8 * WIDE * (abs(q) + abs(x) + abs(y) + abs(s.beta * q) + abs(s.eta * f))
        for q, x, y, f in zip(s.q, push, pull, s.f, strict=True)
    ]
    bound = [sum(x) for x in zip(s.delta, s.sigma, late, own, strict=True)]
    return s, push, pull, bound


@each_label
@pytest.mark.parametrize(
    "name",
    ["gradient-descent", "heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize", "heavy-ball-decoupled"],
)
def test_D1_and_D10_are_recurrences_of_positions_and_their_bound(name, label):
    t = sample(HAT, RULES[name], label)
    r = EXACT["D10" if name.endswith("decoupled") else "D1"].residual(t)
    for n, lane in everywhere(t):
        s, push, pull, bound = position_terms(t, n, lane)
        moved = [abs(x - y) for x, y in zip(s.q1, s.q, strict=True)]
        agree(r, n, lane, s.q1, [q + x - y for q, x, y in zip(s.q, push, pull, strict=True)], bound, moved)


def test_D1_is_the_central_difference_scheme_and_the_discrete_euler_lagrange_equation():
    """(1) of harness/laws/exact/positions.py, by algebra: m, mu and L_d of theory.md#D1."""
    before, q, after, eta, beta, k, n = sympy.symbols("before q after eta beta k n", positive=True)
    f = sympy.Function("f")
    g = f(q).diff(q)
    recurrence = after - q - beta * (q - before) + eta * (g + k * q)
    m, mu = eta * (1 + beta) / 2, 1 - beta
    scheme = m * (after - 2 * q + before) / eta**2 + mu * (after - before) / (2 * eta) + g + k * q
    assert sympy.simplify(eta * scheme - recurrence) == 0
    L = lambda a, b, n: beta**-n * ((b - a) ** 2 / (2 * eta) - f(a) - k * a**2 / 2)
    stationary = sympy.diff(L(before, q, n - 1), q) + sympy.diff(L(q, after, n), q)
    assert sympy.simplify(-eta * beta**n * stationary - recurrence) == 0


def test_the_scheme_with_another_mass_is_that_scheme():
    """The wrong model of the fault is (m - mu/2)/(m + mu/2) and 1/(m + mu/2), not just some other
    numbers."""
    t = sample(HAT, RULES["heavy-ball"], "float64")
    wrong = EXACT["D1"].residual(t, mass=0.5, friction=1.25)
    for n, lane in product(range(1, t.steps), range(t.lanes)):
        s, _, _, _ = position_terms(t, n, lane)
        before, _ = both(t, None, n - 1, lane)
        mu = 1.25 * (1 - s.beta)
        for i in range(s.d):
            old, q, new = before.q[i], s.q[i], wrong.predicted[n, i, lane]
            left = 0.5 * (new - 2 * q + old) + mu / 2 * (new - old) + s.eta * s.f[i]
            assert abs(left) <= 2.0**-50


@each_label
def test_D5_is_the_recurrence_of_the_norm_and_its_bound(label):
    t = sample(QUOTIENT, RULES["heavy-ball"], label)
    symmetry = scale(4)
    r, other = EXACT["D5"].residual(t, symmetry), EXACT["D5"].residual(t, symmetry, kinetic=0.5, old=0.25)
    for n, lane in product(range(t.steps - 1), range(t.lanes)):
        (s, _), (s1, c1) = both(t, symmetry, n, lane), both(t, symmetry, n + 1, lane)
        first, second, third = (dot(q, q) for q in (s.q, s1.q, s1.q1))
        rest = (1 + s.beta) * second - s.beta * first - 2 * s.eta * c1.force
        new, old = dot(s1.w, s1.w), s.beta * dot(s.w, s.w)
        bound = (
            2 * dot(size(s1.q), s1.delta)
            + 2 * dot(size([x + y for x, y in zip(s1.q, s1.w, strict=True)]), s1.sigma)
            + dot(s1.sigma, s1.sigma)
        )
        bound += s.beta * (
            2 * dot(size([x - y for x, y in zip(s1.q, s.w, strict=True)]), s.sigma) + dot(s.sigma, s.sigma)
        )
        terms = (
            third
            + (1 + s.beta) * second
            + s.beta * first
            + 2 * s.eta * (s.eps * dot(size(s1.b), size(s1.q)) + s.k * second)
            + new
            + old
        )
        agree(r, n, lane, third, rest + new + old, bound + 16 * WIDE * terms, dot(size(s1.w), size(s1.q)))
        agree(other, n, lane, third, rest + (new + old / 4) / 2, None)


@pytest.mark.parametrize("label", ["float64", "float32"])
def test_D11_is_the_norm_and_the_angle_after_a_step_and_their_bounds(label):
    t = sample(QUOTIENT, RULES["gradient-descent"], label)
    symmetry = scale(4)
    r = EXACT["D11"].residual(t, symmetry)
    for n, lane in everywhere(t):
        s, _ = both(t, symmetry, n, lane)
        shrink, R, after = 1 - s.eta * s.k, dot(s.q, s.q), dot(s.q1, s.q1)
        broken = s.eta * s.eps * dot(s.b, s.q)
        gain = s.eta**2 * dot(s.g, s.g)
        error = [x + y for x, y in zip(s.delta, s.sigma, strict=True)]
        sizes = s.eta * s.eps * dot(size(s.b), size(s.q))
        own = (
            16
            * WIDE
            * (
                R
                + shrink**2 * R
                + gain
                + abs(shrink) * R
                + sizes
                + 2 * abs(shrink) * sizes
                + after
                + dot(size(s.q), size(s.q1))
            )
        )
        bounds = [2 * dot(size(s.q1), error) + dot(error, error) + own, dot(size(s.q), error) + own]
        predicted = [shrink**2 * R + gain - 2 * shrink * broken, shrink * R - broken]
        agree(r, n, lane, [after, dot(s.q, s.q1)], predicted, bounds, [gain, gain])


def test_what_the_norm_says_is_not_asked_of_narrow_stores():
    rule = RULES["gradient-descent"]
    assert EXACT["D11"].concerns(QUOTIENT, rule, "float32") and not EXACT["D11"].concerns(
        QUOTIENT, rule, "bfloat16"
    )
    assert EXACT["D0"].concerns(QUOTIENT, rule, "bfloat16") and not EXACT["D5"].concerns(
        QUOTIENT, RULES["heavy-ball"], "bfloat16"
    )


def test_heavy_ball_contracts_the_two_form_of_phase_space_by_beta_each_step():
    """dq' ^ dv' = beta dq ^ dv: conformally symplectic, because H is symmetric (theory.md#D1)."""
    beta, eta, k = sympy.symbols("beta eta k", positive=True)
    q, v = sympy.Matrix(sympy.symbols("q:3")), sympy.Matrix(sympy.symbols("v:3"))
    g = sympy.Matrix([sympy.diff(HAT.total(list(q), sympy.Rational(1, 3), sympy), x) for x in q])

    def turned(force):
        w = beta * v - eta * (force + k * q)
        M = sympy.Matrix([*(q + w), *w]).jacobian([*q, *v])
        omega = sympy.Matrix(
            sympy.BlockMatrix([[sympy.zeros(3), sympy.eye(3)], [-sympy.eye(3), sympy.zeros(3)]])
        )
        return (M.T * omega * M - beta * omega).applyfunc(sympy.expand)

    assert turned(g) == sympy.zeros(6)
    curl = sympy.Matrix([g[0] + q[1], g[1], g[2]])  # no gradient
    assert turned(curl) != sympy.zeros(6)
