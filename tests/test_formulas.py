"""Each law and each bound once more, by hand: one lane, one step, one component at a time, from theory.md
alone.

States are random numbers and obey nothing, so that no term can hide behind another. Gradients and their error
are taken as they are (tests/test_trace.py has them). Agreement is to the rounding of longdouble: 2^-50, with
a few dozen operations each.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.case import Case, Symmetry, linear, rotation, translation
from noether.cases.rules import RULES
from noether.kernels.programs import trace
from noether.kernels.programs.precision import SUBNORMAL, UNIT, parse
from noether.laws.exact import EXACT, decaying, massive, undisturbed
from noether.laws.exact.cell import rules_of
from noether.mechanics import bounds
from noether.mechanics.trajectory import Trajectory

SAME = 2.0**-50
WIDE = 2.0**-64
LABELS = (
    "float64",
    "float32",
    "float16/eager",
    "bfloat16",
    "bfloat16/mixed",
)  # float16/eager: underflow shows
BY_NAME = {c.name: c for c in CATALOG}
AFFINE = Case("affine", "an affine generator", "none", lambda q, xp: q[0] * q[0] * q[1] / 2, lambda q,
    xp: q[0] + q[1] * q[1], ((0.5, 1.0), (-1.0, -0.5)),
              (Symmetry("affine", ((0.5, 1), (-3, 0.25)), (1, -0.5)),))  # fmt: skip
TRIAL = [AFFINE, *(BY_NAME[n] for n in ("mexican-hat", "softmax", "linear-network", "entropy-mirror"))]
POINTS = [(c, RULES[r], label) for c in TRIAL for r in rules_of(c) for label in LABELS]
POINTS += [
    (BY_NAME["deformed-rayleigh"], RULES[r], label)
    for r in ("natural-gradient", "heavy-ball-metric")
    for label in LABELS
]
each_point = pytest.mark.parametrize(("case", "rule", "label"), POINTS, ids=lambda x: getattr(x, "name", x))


def sample(case, rule, label, seed=5, steps=3, lanes=4):
    rng = np.random.default_rng(seed)
    z = np.stack([case.draw(rng, lanes) for _ in range(steps + 1)])
    z = np.log(z) if rule.log_state else z
    v = rng.uniform(-1, 1, z.shape)
    params = np.array(
        [
            rng.uniform(0.1, 0.5, lanes),
            rng.uniform(0.2, 0.9, lanes),
            rng.uniform(0.1, 0.7, lanes),
            rng.uniform(0.1, 0.9, lanes),
        ]
    )
    params[0, -1], params[2, -1] = 0.5, 6.0  # 1 - eta k = -2
    params = np.concatenate([params, [rng.uniform(0.1, 0.9, lanes)]])[: len(rule.parameters)]
    return Trajectory(case, rule, parse(label), z, v, params)


class Step:
    """Step n of lane l of a trajectory, as lists of numbers with the letters of theory.md."""

    def __init__(self, t, n, lane):
        p, rule = t.precision, t.rule
        self.t, self.n, self.lane, self.rule, self.d = t, n, lane, rule, t.q.shape[1]
        self.u, self.uq, self.uv = UNIT[p.rounded], UNIT[p.q_store], UNIT[p.v_store]
        self.tiny, self.tq, self.tv = SUBNORMAL[p.rounded], SUBNORMAL[p.q_store], SUBNORMAL[p.v_store]
        number = np.longdouble
        self.eta, self.beta, self.k, self.eps = (number(x) for x in t.params[:4, lane])
        self.beta = self.beta if rule.momentum else number(0)
        self.coupled, self.decoupled = rule.decay == "coupled", rule.decay == "decoupled"
        self.c = number(1) if n == 0 else number(1 - rule.dampening)
        self.s = 1 - self.eta * self.k if self.decoupled else number(1)
        pick = lambda x, at: [x[at, i, lane] for i in range(self.d)]  # noqa: E731
        self.z, self.z1, self.q, self.q1, self.v, self.w = (
            pick(t.z, n),
            pick(t.z, n + 1),
            pick(t.q, n),
            pick(t.q, n + 1),
            pick(t.v, n),
            pick(t.v, n + 1),
        )
        self.b = pick(t.g_broken, n)
        self.g = [x + self.eps * y for x, y in zip(pick(t.g_kept, n), self.b, strict=True)]
        self.ge = pick(t.g_error, n)
        sign = -1 if rule.maximize else 1
        self.sign = sign
        self.f = [
            self.c * (sign * g + (self.k * q if self.coupled else 0))
            for g, q in zip(self.g, self.q, strict=True)
        ]
        nesterov = rule.nesterov
        self.rate = (
            number(min(n + 1, 8)) / 8 if rule.scheduled else number(1)
        )  # warm-up; no launch here is longer
        self.G = case_metric(t, self.q, lane)
        self.Ge = pick(t.G_error, n) if rule.on_metric else [number(0)] * self.d
        self.y = [
            self.beta * w - self.eta * f if nesterov else self.rate * w / G
            for w, f, G in zip(self.w, self.f, self.G, strict=True)
        ]
        self.reach = [
            abs(self.beta * w) + abs(self.eta * f) if nesterov else abs(y)
            for w, f, y in zip(self.w, self.f, self.y, strict=True)
        ]
        self.pull = [self.pull_error(i) for i in range(self.d)]
        self.delta, self.sigma = ([f(i) for i in range(self.d)] for f in (self.delta_of, self.sigma_of))

    def pull_error(self, i):
        times = 3 if self.rule.dampening else 2
        kq = self.c * abs(self.k * self.q[i]) if self.coupled else 0
        return self.eta * (self.u * (times * abs(self.f[i]) + kq) + self.c * self.ge[i]) + (
            1.5 * self.tiny if self.rule.dampening else 0
        )

    def delta_of(self, i):
        """R0: store, arithmetic, gradient, underflow."""
        narrow = self.t.precision.v_store != self.t.precision.rounded
        store = self.uv * abs(self.w[i]) if narrow else 0
        whole = store + self.u * (abs(self.beta * self.v[i]) + abs(self.w[i])) + self.pull[i]
        return whole * (1 + 8 * self.u) + 1.5 * (self.tiny * (2 + self.eta) + self.tv)

    def sigma_of(self, i):
        narrow = self.t.precision.q_store != self.t.precision.rounded
        whole = (self.uq + (self.u if narrow else 0)) * abs(self.z1[i])
        tiny = 1.5 * (self.tq + self.tiny)
        if self.decoupled:
            whole += self.u * (3 * abs(self.eta * self.k) + abs(self.s)) * abs(self.z[i])
        if self.rule.nesterov:
            whole += self.u * (abs(self.beta * self.w[i]) + abs(self.y[i])) + self.pull[i]
            tiny += 1.5 * self.tiny * (2 + self.eta)
        if self.rule.scheduled:
            whole += self.u * abs(self.y[i])
            tiny += 1.5 * self.tiny
        if self.rule.on_metric:
            whole += abs(self.y[i]) * (self.u + self.Ge[i] / (self.G[i] - self.Ge[i]))
            tiny += 1.5 * self.tiny
        return whole * (1 + 8 * self.u) + tiny


def case_metric(t, q, lane):
    """1 + kappa w q^2, as cases/losses/deformed_rayleigh.py states it; 1 where the rule has none."""
    weights = (1, 0.5, 0.25, 0.125) if t.rule.on_metric else (0,) * len(q)
    kappa = np.longdouble(t.params[-1, lane])
    return [1 + kappa * w * x * x for w, x in zip(weights, q, strict=True)]


def dot(x, y):
    return sum((a * b for a, b in zip(x, y, strict=True)), np.longdouble(0))


def size(x):
    return [abs(a) for a in x]


def times(A, x):
    return [
        sum((np.longdouble(A[i][j]) * x[j] for j in range(len(x))), np.longdouble(0)) for i in range(len(A))
    ]


class Charge:
    """The numbers of a symmetry at a step."""

    def __init__(self, step, symmetry):
        self.A, self.a = np.array(symmetry.A, float), [np.longdouble(x) for x in symmetry.a]
        self.M = np.abs(self.A)
        s = step
        self.xi, self.xi1 = (
            [x + y for x, y in zip(times(self.A, q), self.a, strict=True)] for q in (s.q, s.q1)
        )
        self.room, self.room1 = (
            [x + abs(y) for x, y in zip(times(self.M, size(q)), self.a, strict=True)] for q in (s.q, s.q1)
        )
        self.deep = len(self.a) + max(int((row != 0).sum()) for row in self.A) + 12
        self.J, self.J1 = dot(s.v, self.xi), dot(s.w, self.xi1)
        self.force = s.c * (
            s.sign * s.eps * dot(s.b, self.xi) + (s.k * dot(s.q, self.xi) if s.coupled else 0)
        )
        self.force_size = s.eps * dot(size(s.b), self.room) + s.k_own * dot(size(s.q), self.room)


def both(t, symmetry, n, lane):
    step = Step(t, n, lane)
    step.k_own = step.k if t.rule.decay != "none" else np.longdouble(0)
    return step, Charge(step, symmetry) if symmetry else None


def agree(residual, n, lane, measured, predicted, bound, signal=None):
    for name, want in (
        ("measured", measured),
        ("predicted", predicted),
        ("bound", bound),
        ("signal", signal),
    ):
        if want is None:
            continue
        got = getattr(residual, name)[n, ..., lane]
        assert np.allclose(
            np.asarray(got, np.longdouble),
            np.asarray(want, np.longdouble),
            rtol=SAME,
            atol=2.0**-60 * (name != "bound"),
        ), (name, n, lane, got, want)


def everywhere(t):
    return product(range(t.steps), range(t.lanes))


@each_point
def test_the_bounds_of_a_step_are_those_of_R0(case, rule, label):
    t = sample(case, rule, label)
    for n, lane in everywhere(t):
        step, _ = both(t, None, n, lane)
        for got, want in (
            (t.delta, step.delta),
            (t.sigma, step.sigma),
            (t.force, step.f),
            (t.move, step.y),
            (t.reach, step.reach),
        ):
            assert np.allclose(got[n, :, lane], want, rtol=SAME, atol=0)


@each_point
def test_D0_is_the_update_and_its_bound(case, rule, label):
    t = sample(case, rule, label)
    r = EXACT["D0"].residual(t)
    for n, lane in everywhere(t):
        s, _ = both(t, None, n, lane)
        push, pull, old = ([a * x for x in y] for a, y in ((s.beta, s.v), (s.eta, s.f), (s.s, s.z)))
        own_v = [
            4 * WIDE * (abs(x) + abs(y) + abs(s.k_own * s.eta * q))
            for x, y, q in zip(push, pull, s.q, strict=True)
        ]
        many, moved = (
            (6, s.reach)
            if rule.nesterov or rule.on_metric or rule.scheduled
            else (3 if s.decoupled else 1, s.w)
        )
        own_q = [many * WIDE * (abs(x) + abs(y)) for x, y in zip(old, moved, strict=True)]
        agree(r, n, lane, [*s.w, *s.z1], [*(x - y for x, y in zip(push, pull, strict=True)), *(x + y for x,
            y in zip(old, s.y, strict=True))],
              [*(x + y for x, y in zip(s.delta, own_v, strict=True)), *(x + y for x, y in zip(s.sigma, own_q,
              strict=True))], t.path[lane])  # fmt: skip


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
            terms = (dot(size(s.q1), at1) + dot(size(s.q), at) + s.beta / one * (dot(size(s.w),
                at1) + dot(size(s.v), at))
                     + s.eta / one * (s.eps * dot(size(s.b), at) + s.k_own * dot(size(s.q),
                         at)) + dot(size(s.w), times(M, size(s.w))) / one)  # fmt: skip
            kinetic = dot(Aw, s.w) / one
            agree(
                r,
                n,
                lane,
                measured,
                source + (1 + s.beta) / 2 * kinetic,
                bound + c.deep * WIDE * terms,
                dot(size(s.w), size(times(A, s.q))),
            )
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
            lead = s.beta if rule.nesterov else 0
            first, second, third = dot(s.q, c.a), dot(s1.q, c.a), dot(s1.q1, c.a)
            b, pace = s.beta * s1.rate / s.rate, s1.rate
            predicted = (
                (s.s + b) * second
                - s.s * b * first
                - (1 + lead) * pace * s.eta * c1.force
                + lead * s.eta * c.force
            )
            local = [
                (s.beta if rule.nesterov else 1) * pace * x + y + b * z
                for x, y, z in zip(s1.delta, s1.sigma, s.sigma, strict=True)
            ]
            mass, mass1, mass2 = (dot(size(q), a) for q in (s.q, s1.q, s1.q1))
            pull = lambda at, m, a=a: at.eta * (at.eps * dot(size(at.b), a) + at.k_own * m)  # noqa: E731
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


TURN, SHIFT, GROW = rotation(2, 0, 1), translation((1, 2)), Symmetry("scale", ((1, 0), (0, 1)), (0, 0))
PAIR, ALONG = linear([[1, 0], [0, -1]], "rescale"), translation((1, -1))
OWN_WAY = ("sign-descent", "exponentiated-gradient")
BASE = dict(steps=3, lanes=4)
COVERED = {  # theory.md sections 3 and 5, corrections: which rule and which generator a law speaks of
    "D0": lambda rule, s: True,
    "D2": lambda rule, s: rule.name not in (*OWN_WAY, "mirror-descent"),
    "D3": lambda rule, s: (
        rule.momentum
        and (s in (SHIFT, ALONG) or (s is TURN and rule.name not in ("nesterov", "heavy-ball-metric")))
    ),
    "D4": lambda rule, s: (
        s in (GROW, PAIR)
        and rule.name in ("gradient-descent", "heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize")
    ),
    "D6": lambda rule, s: (
        s in (SHIFT, ALONG)
        and rule.name not in (*OWN_WAY, "mirror-descent", "natural-gradient", "heavy-ball-metric")
    ),
    "D8": lambda rule, s: rule.name == "sign-descent" and s is PAIR,
    "D7": lambda rule, s: (
        rule.name in ("mirror-descent", "natural-gradient")
        or rule.name == "exponentiated-gradient"
        and s is ALONG
    ),
    "D1": lambda rule, s: (
        rule.name in ("gradient-descent", "heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize")
    ),
    "D5": lambda rule, s: (
        s is GROW and rule.name in ("heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize")
    ),
    "D10": lambda rule, s: rule.name == "heavy-ball-decoupled",
    "D11": lambda rule, s: s is GROW and rule.name == "gradient-descent",
}


@pytest.mark.parametrize("law", COVERED)
def test_a_law_speaks_of_just_these_rules_and_generators(law):
    for rule, symmetry in product(RULES.values(), (TURN, SHIFT, GROW, PAIR, ALONG)):
        assert bool(EXACT[law].suits(rule, symmetry)) == COVERED[law](rule, symmetry), (
            rule.name,
            symmetry.name,
        )
    assert EXACT["D3"].suits is decaying and EXACT["D4"].suits is massive
    assert EXACT[law].about_symmetry == (law not in ("D0", "D1", "D10"))


@pytest.mark.parametrize("symmetry", [TURN, SHIFT], ids=lambda s: s.name)
@pytest.mark.parametrize("rule", ["heavy-ball", "heavy-ball-decoupled"])
def test_D3_covers_unbroken_lanes_and_translations_without_coupled_decay(rule, symmetry):
    t = sample(AFFINE, RULES[rule], "float64")
    t.eps, t.k = np.array([0, 0, 1, 1.0]), np.array([0, 1, 0, 1.0])
    free = symmetry is TURN or rule == "heavy-ball-decoupled"
    assert list(undisturbed(t, symmetry)) == [True, free, False, False]
    assert list(EXACT["D3"].covers(t, symmetry)) == [True, free, False, False]
    assert not EXACT["D3"].covers(t, GROW).any() and EXACT["D0"].covers(t, None).all()


def test_D6_needs_two_steps():
    for steps, covered in ((1, False), (2, True)):
        t = sample(AFFINE, RULES["heavy-ball"], "float64", steps=steps)
        assert list(EXACT["D6"].covers(t, SHIFT)) == [covered] * t.lanes


def test_a_law_concerns_a_case_by_any_of_its_symmetries():
    hat, mirror = BY_NAME["mexican-hat"], BY_NAME["entropy-mirror"]
    assert EXACT["D3"].concerns(hat, RULES["heavy-ball"]) and not EXACT["D6"].concerns(
        hat, RULES["heavy-ball"]
    )
    assert EXACT["D6"].concerns(
        replace(hat, symmetries=(*hat.symmetries, translation((1, 0, 0)))), RULES["heavy-ball"]
    )
    assert EXACT["D0"].concerns(mirror, RULES["mirror-descent"]) and not EXACT["D2"].concerns(
        mirror, RULES["mirror-descent"]
    )
