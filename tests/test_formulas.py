"""Each law and each bound once more, by hand: one lane, one step, one component at a time, from theory.md
alone.

States are random numbers and obey nothing, so that no term can hide behind another. Gradients and their error
are taken as they are (tests/test_trace.py has them). Agreement is to the rounding of longdouble: 2^-50, with
a few dozen operations each.
"""

from itertools import product

import numpy as np
import pytest
from scalar_laws import BY_NAME, LABELS, POINTS, SAME, WIDE, agree, both, dot, everywhere, sample, size, times

from noether.cases.case import Symmetry, linear
from noether.cases.rules import RULES
from noether.kernels.programs import trace
from noether.kernels.programs.precision import SUBNORMAL, UNIT
from noether.laws.exact import EXACT
from noether.laws.exact.cell import rules_of
from noether.mechanics import bounds

LEAST = 0.5
"""Of the bound by hand, which counts some roundings that a rule has not, and each of the others once."""
each_point = pytest.mark.parametrize(("case", "rule", "label"), POINTS, ids=lambda x: getattr(x, "name", x))


@each_point
def test_the_bounds_of_a_step_are_those_of_R0(case, rule, label):
    t = sample(case, rule, label)
    for n, lane in everywhere(t):
        step, _ = both(t, None, n, lane)
        pull = [step.eta * f for f in step.f]
        for got, want in [(t.pull, pull), (t.move, step.y), (t.reach, step.reach)]:
            assert np.allclose(got[n, :, lane], want, rtol=SAME, atol=0)
        for got, most in zip((step.delta, step.sigma), step.by_hand, strict=True):
            share = np.array(got) / np.array(most)
            # The running error has second order too: a store rounds what the errors before it add.
            assert (share <= 1 + 2 * step.uq + 2.0**-20).all() and (share >= LEAST).all(), share


@each_point
def test_D0_is_the_update_and_its_bound(case, rule, label):
    t = sample(case, rule, label)
    r = EXACT["D0"].residual(t)
    for n, lane in everywhere(t):
        s, _ = both(t, None, n, lane)
        push, pull, old = ([a * x for x in y] for a, y in ((s.beta, s.v), (s.eta, s.f), (s.s, s.z)))
        eta = s.c * s.eta
        own_v = [
            4 * WIDE * (abs(x) + abs(eta * g) + abs(s.k_in * eta * q))
            for x, g, q in zip(push, s.g, s.q, strict=True)
        ]
        many, moved = (6, s.reach) if not rule.moves_by_buffer else (3 if s.decoupled else 1, s.w)
        own_q = [many * WIDE * (abs(x) + abs(y)) for x, y in zip(old, moved, strict=True)]
        update = [x - y for x, y in zip(push, pull, strict=True)]
        update += [x + y for x, y in zip(old, s.y, strict=True)]
        bound = [x + y for x, y in zip([*s.delta, *s.sigma], [*own_v, *own_q], strict=True)]
        agree(r, n, lane, [*s.w, *s.z1], update, bound, t.path[lane])


def charge_bound(s, c):
    return abs(s.s) * dot(size(c.xi), s.delta) + dot(size(times(c.A.T, s.w)), s.sigma)


def charge_own(s, c):
    terms = (
        dot(size(s.w), c.room1)
        + s.beta * dot(size(s.v), c.room)
        + s.eta * c.force_size
        + dot(times(c.M, s.reach), size(s.w))
    )
    return c.deep * WIDE * terms


@each_point
def test_D2_is_the_charge_and_its_bound(case, rule, label):
    t = sample(case, rule, label)
    for symmetry in case.symmetries:
        r, plain = (
            EXACT["D2"].residual(t, symmetry),
            EXACT["D2"].residual(t, symmetry, plain=True, kinetic=0.25),
        )
        for n, lane in everywhere(t):
            s, c = both(t, symmetry, n, lane)
            rest = s.s * (s.beta * c.J - s.eta * c.force) + (1 - s.s) * dot(s.w, c.a)
            bound = charge_bound(s, c) + charge_own(s, c)
            agree(r, n, lane, c.J1, rest + dot(times(c.A, s.y), s.w), bound, dot(size(s.w), size(c.xi1)))
            agree(plain, n, lane, c.J1, rest + dot(times(c.A, s.w), s.w) / 4, bound)


@each_point
def test_D3_is_a_decay_without_source_and_its_bound_decays_too(case, rule, label):
    t = sample(case, rule, label)
    for symmetry in case.symmetries:
        r = EXACT["D3"].residual(t, symmetry)
        turns = symmetry.is_rotation
        for lane in range(t.lanes):
            J0 = predicted = both(t, symmetry, 0, lane)[1].J
            B = np.longdouble(0)
            for n in range(t.steps):
                s, c = both(t, symmetry, n, lane)
                factor = s.beta * (s.s if turns else 1)
                local = (charge_bound(s, c) if turns else dot(size(c.xi), s.delta)) + charge_own(s, c)
                B, predicted = abs(factor) * B + local, factor * predicted
                agree(r, n, lane, c.J1, predicted, B + (2 * t.steps + 16) * WIDE * abs(predicted), abs(J0))


@each_point
def test_D4_is_the_mass_law_and_its_bound(case, rule, label):
    t = sample(case, rule, label)
    for symmetry in case.symmetries:
        if not symmetry.is_symmetric:
            continue
        r, other = (
            EXACT["D4"].residual(t, symmetry),
            EXACT["D4"].residual(t, symmetry, kinetic=0.5, mass=0.75),
        )
        for n, lane in everywhere(t):
            s, c = both(t, symmetry, n, lane)
            one, A, M = 1 - s.beta, c.A, c.M
            Aw, at, at1 = times(A, s.w), times(M, size(s.q)), times(M, size(s.q1))
            measured = (dot(s.q1, times(A, s.q1)) - dot(s.q, times(A, s.q))) / 2 + s.beta / one * (c.J1 - c.J)
            source = -s.eta / one * c.force
            slope = [abs(x + y + s.beta / one * y) for x, y in zip(times(A, s.q), Aw, strict=True)]
            bound = (
                dot(size(times(A, s.q)), s.delta) / one
                + dot(slope, s.sigma)
                + dot(times(M, s.sigma), s.sigma) / 2
            )
            pulled = s.c * (s.eps * dot(size(s.b), at) + s.k_in * dot(size(s.q), at))
            terms = dot(size(s.q1), at1) + dot(size(s.q), at)
            terms += s.beta / one * (dot(size(s.w), at1) + dot(size(s.v), at))
            terms += s.eta / one * pulled + dot(size(s.w), times(M, size(s.w))) / one
            kinetic = dot(Aw, s.w) / one
            predicted, own = source + (1 + s.beta) / 2 * kinetic, c.deep * WIDE * terms
            signal = dot(size(s.w), size(times(A, s.q)))
            agree(r, n, lane, measured, predicted, bound + own, signal)
            agree(other, n, lane, measured, source + 0.5 * 0.75 * kinetic, None)


@each_point
def test_D6_is_a_recurrence_of_three_terms_and_its_bound(case, rule, label):
    t = sample(case, rule, label)
    for symmetry in case.symmetries:
        if not symmetry.is_translation:
            continue
        r = EXACT["D6"].residual(t, symmetry)
        for n, lane in product(range(t.steps - 1), range(t.lanes)):
            (s, c), (s1, c1) = both(t, symmetry, n, lane), both(t, symmetry, n + 1, lane)
            a = size(c.a)
            lead = s.beta if rule.looks_ahead else 0
            first, second, third = dot(s.q, c.a), dot(s1.q, c.a), dot(s1.q1, c.a)
            b, pace = s.beta * s1.rate / s.rate, s1.rate
            predicted = (
                (s.s + b) * second
                - s.s * b * first
                - (1 + lead) * pace * s.eta * c1.force
                + lead * s.eta * c.force
            )
            local = [
                (s.beta if rule.looks_ahead else 1) * pace * x + y + b * z
                for x, y, z in zip(s1.delta, s1.sigma, s.sigma, strict=True)
            ]
            mass, mass1, mass2 = (dot(size(q), a) for q in (s.q, s1.q, s1.q1))
            pull = lambda at, m, a=a: at.c * at.eta * (at.eps * dot(size(at.b), a) + at.k_in * m)
            terms = (
                mass2
                + (abs(s.s) + b) * mass1
                + abs(s.s) * b * mass
                + (1 + lead) * pace * pull(s1, mass1)
                + lead * pull(s, mass)
            )
            agree(r, n, lane, third, predicted, dot(a, local) + c.deep * WIDE * terms, mass2)


@pytest.mark.parametrize("label", LABELS)
def test_D7_is_the_mirror_law_and_its_bound(label):
    case, rule = BY_NAME["entropy-mirror"], RULES["mirror-descent"]
    t = sample(case, rule, label)
    symmetry = linear(np.diag([1, -2, 0.5, -1]), "of both signs")
    r = EXACT["D7"].residual(t, symmetry)
    for n, lane in everywhere(t):
        s, c = both(t, symmetry, n, lane)
        moved = [x - y for x, y in zip(s.z1, s.z, strict=True)]
        terms = (
            dot(size(s.z1), size(c.xi))
            + dot(size(s.z), size(c.xi))
            + s.eta * s.eps * dot(size(s.b), size(c.xi))
        )
        bound = (
            dot(size(c.xi), [x + y for x, y in zip(s.delta, s.sigma, strict=True)]) + c.deep * WIDE * terms
        )
        agree(
            r, n, lane, dot(moved, c.xi), -s.eta * s.eps * dot(s.b, c.xi), bound, dot(size(moved), size(c.xi))
        )


@pytest.mark.parametrize("label", LABELS)
def test_D7_of_natural_gradient_is_the_law_of_its_metric_and_its_bound(label):
    case, rule = BY_NAME["deformed-rayleigh"], RULES["natural-gradient"]
    t = sample(case, rule, label)
    symmetry = Symmetry(
        "affine", tuple(map(tuple, np.diag([1, -2, 0.5, -1]) + np.eye(4, k=1))), (1, 0, -0.5, 0)
    )
    r, flat = EXACT["D7"].residual(t, symmetry), EXACT["D7"].residual(t, symmetry, flat=True)
    for n, lane in everywhere(t):
        s, c = both(t, symmetry, n, lane)
        moved = [G * (x - y) for G, x, y in zip(s.G, s.q1, s.q, strict=True)]
        sizes = [dot([G * abs(x) for G, x in zip(s.G, q, strict=True)], size(c.xi)) for q in (s.q1, s.q)]
        terms = sum(sizes) + s.eta * (s.eps * dot(size(s.b), size(c.xi)) + s.k * dot(size(s.q), size(c.xi)))
        bound = (
            dot(size(c.xi), s.delta)
            + dot([G * abs(x) for G, x in zip(s.G, c.xi, strict=True)], s.sigma)
            + c.deep * WIDE * terms
        )
        agree(r, n, lane, dot(moved, c.xi), -s.eta * c.force, bound, dot(size(moved), size(c.xi)))
        agree(
            flat, n, lane, dot([x - y for x, y in zip(s.q1, s.q, strict=True)], c.xi), -s.eta * c.force, None
        )


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", ["entropy-mirror", "mexican-hat"])
def test_the_gradients_bound_is_the_programs_at_the_kernels_own_point(name, label):
    """Mirror descent rounds exp z first, by EXP_UNITS of the arithmetic, and once more when every operation
    is rounded."""
    case = BY_NAME[name]
    t = sample(case, RULES[rules_of(case)[0]], label)
    p, n, lane = t.precision, 1, 2
    q = t.q[n, :, lane].astype(float)[:, None]
    arithmetic = UNIT["float64"] if p.name == "float64" else UNIT["float32"]
    unit = 3 * arithmetic + (UNIT[p.name] if p.eager else 0)
    shift = np.abs(q) * unit + 4 * SUBNORMAL[p.rounded] if t.rule.log_state else 0 * q
    _, want = bounds.program_error(trace.gradient(case), q, shift, t.params[3, lane : lane + 1], p)
    assert np.allclose(
        t.g_error[n, :, lane].astype(float),
        want[:, 0] * (1 + 4 * WIDE / UNIT[p.rounded]),
        rtol=2.0**-45,
        atol=0,
    )


def test_motion_is_the_path_in_units_of_its_bounds():
    t = sample(BY_NAME["mexican-hat"], RULES["heavy-ball"], "float32")
    for lane in range(t.lanes):
        length = bound = 0
        for n in range(t.steps):
            s, _ = both(t, None, n, lane)
            length += sum(abs(x - y) for x, y in zip(s.z1, s.z, strict=True))
            bound += sum(s.delta) + sum(s.sigma)
        assert np.isclose(t.path[lane], float(length / bound), rtol=2.0**-45)
