"""The formulas of the theorem and the proof of a symmetry: right, and able to say no."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CORE, CaseError, Metric, Symmetry
from noether.cases.case import DIAGONAL, rotation, scale, translation
from noether.mechanics import symbolic, theorem
from noether.mechanics.symbolic import formulas, gradient
from noether.mechanics.symbolic_exact import compiled
from noether.mechanics.symbolic_mechanics import mechanics
from noether.mechanics.symmetry_proof import FalseSymmetry, prove

NAMES = [c.name for c in CORE]
BY_NAME = {c.name: c for c in CORE}
DEFORMED, MIRROR = BY_NAME["deformed-rayleigh"], BY_NAME["entropy-mirror"]
numbers = st.floats(0.1, 1.0).map(lambda x: round(x, 6))


@pytest.mark.parametrize("case", CORE, ids=NAMES)
def test_every_declared_symmetry_is_proven_and_broken(case):
    proofs = prove(case)
    assert [p.symmetry for p in proofs] == [s.name for s in case.symmetries]
    assert all(p.exact and p.relative == 0 or p.relative < 1e-40 for p in proofs)
    assert max(p.broken for p in proofs) > 1e-3


@pytest.mark.parametrize("case", CORE, ids=NAMES)
def test_a_false_symmetry_is_refused_naming_the_point_and_the_size(case):
    false = replace(case, symmetries=(*case.symmetries, translation((1, *(0,) * (case.dim - 1)), "false")))
    with pytest.raises(
        FalseSymmetry,
        match=rf"case {case.name}: symmetry false is false: <grad f, xi> is -?[\d.e-]+ .*at q = \(",
    ) as caught:
        prove(false)
    assert str(caught.value).count("/1009") + str(caught.value).count(", ") >= case.dim - 1


def test_a_symmetry_false_by_one_part_in_a_thousand_million_is_refused():
    case = BY_NAME["mexican-hat"]
    bent = replace(case, loss=lambda q, xp: case.loss(q, xp) + 2.0**-30 * q[0])
    with pytest.raises(FalseSymmetry):
        prove(bent)


def test_a_breaking_that_breaks_nothing_is_refused():
    with pytest.raises(CaseError, match="breaking keeps every declared symmetry"):
        prove(replace(BY_NAME["rayleigh"], breaking=BY_NAME["rayleigh"].loss))


def test_a_metric_that_is_not_positive_on_the_box_is_refused_with_the_point():
    bad = replace(
        DEFORMED, metric=Metric(DIAGONAL, entries=lambda q, kappa, xp: [1 - kappa * x * x for x in q])
    )
    with pytest.raises(CaseError, match="metric entry 0 is -.*must be positive on the box, at q ="):
        prove(bad)


@pytest.mark.parametrize("case", CORE, ids=NAMES)
def test_the_symbolic_gradient_is_the_numerical_derivative_of_the_loss(case):
    q = case.draw(np.random.default_rng(0), 1)[:, 0]
    g = gradient(case)(q[:, None], 0.5)[:, 0]
    with mpmath.workdps(40):
        for i in range(case.dim):
            expected = mpmath.diff(
                lambda x, i=i: case.total(
                    [*map(mpmath.mpf, q[:i]), x, *map(mpmath.mpf, q[i + 1 :])], 0.5, mpmath
                ),
                q[i],
            )
            # The gradient is a sum of at most 64 products, each of size O(1): 64 roundings.
            assert abs(g[i] - float(expected)) <= 64 * 2.0**-53 * (1 + abs(float(expected)))


@settings(max_examples=15, deadline=None)
@given(
    q=st.lists(numbers, min_size=4, max_size=4), v=st.lists(numbers, min_size=4, max_size=4), kappa=numbers
)
def test_kinetic_breaking_of_the_deformed_metric_is_the_derivative_of_t_along_the_symmetry(q, v, kappa):
    """d/ds T(Q(s), (DQ) v) at s = 0 by mpmath's differences, with Q(s) = e^s q: no formula shared with
    (4)."""
    m, f = 0.75, formulas(DEFORMED)
    G, xi = symbolic.metric_entries(DEFORMED, f.q), f.generator(DEFORMED.symmetries[0], f.q)
    terms = [
        theorem.generator_breaking(G, f.w, m, f.jacobian(DEFORMED.symmetries[0])),
        theorem.metric_breaking(G, f.q, f.w, m, xi),
    ]
    generator, metric = compiled((*f.q, *f.w, symbolic.KAPPA), terms, "mpmath")(*q, *v, kappa)

    def T(s):
        a = mpmath.exp(s)
        entries = DEFORMED.metric.entries([a * mpmath.mpf(x) for x in q], kappa, mpmath)
        return m / 2 * sum(g * (a * y) ** 2 for g, y in zip(entries, v, strict=True))

    with mpmath.workdps(40):
        expected = mpmath.diff(T, 0)
        total = mpmath.mpf(generator) + mpmath.mpf(metric)
        assert abs(total - expected) <= 1e-14 * abs(expected)  # the formulas were evaluated at 15 digits
        assert abs(mpmath.mpf(generator) - expected) > 1e-6 * abs(expected)  # without (4b) it is wrong


@settings(max_examples=10, deadline=None)
@given(
    q=st.lists(numbers, min_size=4, max_size=4),
    v=st.lists(numbers, min_size=4, max_size=4),
    kappa=numbers,
    eps=numbers,
)
@pytest.mark.parametrize("case", [DEFORMED, MIRROR], ids=["T1", "T2"])
def test_the_charge_moves_along_the_equations_of_motion_as_the_theorem_states(case, q, v, kappa, eps):
    """dj/dt by the chain rule through the charge (complex step) against (5) or (8); mu = 0.7, so no term of
    it hides."""
    m, mu, k, mech = 0.5, 0.7, 0.13, mechanics(case)
    x = np.array([*q, *(v if mech.bregman else [0.5 * y for y in v])])[:, None]
    parameters = (m, mu, eps, kappa, k)
    out = mech.field(*x, *parameters)
    rates, sources = out[:8], out[8:]
    moved = x + 1e-30j * rates
    j = mech.charges(*x, *parameters)[0]
    change = mech.charges(*moved, *parameters)[0].imag / 1e-30
    where = mech.parts[0]
    total = sum(sources[where[n]] for n in ("generator", "metric", "potential"))
    scale_of = sum(abs(sources[where[n]]) for n in ("generator", "metric", "potential")) + abs(mu / m * j)
    assert abs(change + mu / m * j - total) <= 100 * 2.0**-53 * scale_of / m
    assert abs(change + mu / m * j - (total - sources[where["metric"]])) > 1e3 * 2.0**-53 * scale_of


def test_a_killing_field_has_no_kinetic_breaking_and_a_scale_has():
    assert mechanics(BY_NAME["mexican-hat"]).parts[0].keys() == {"potential", "breaking"}
    assert "generator" in mechanics(BY_NAME["rayleigh"]).parts[0]


@settings(max_examples=25, deadline=None)
@given(shift=st.lists(st.sampled_from([0.0, 0.1, -0.3]), min_size=3, max_size=3))
def test_floats_of_a_case_are_read_as_exact_fractions(shift):
    xi = formulas(BY_NAME["mexican-hat"]).generator(
        Symmetry("s", rotation(3, 0, 1).A, tuple(shift)), (0, 0, 0)
    )
    assert [Fraction(int(sympy.sympify(x).p), int(sympy.sympify(x).q)) for x in xi] == [
        Fraction(x) for x in shift
    ]


def test_translation_of_a_scale_invariant_loss_is_no_symmetry_but_scale_is():
    case = BY_NAME["rayleigh"]
    prove(replace(case, symmetries=(scale(case.dim),)))
    with pytest.raises(FalseSymmetry, match="symmetry shift is false"):
        prove(replace(case, symmetries=(translation((1,) * case.dim, "shift"),)))
