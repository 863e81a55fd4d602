"""A step and its charges a second time, component by component, in wide numbers."""

from itertools import product

import numpy as np

from noether.cases import CATALOG
from noether.cases.case import Case, Symmetry
from noether.cases.rules import RULES
from noether.kernels.programs.precision import SUBNORMAL, UNIT, parse
from noether.laws.exact.cell import rules_of
from noether.mechanics.operation_rounding import SLACK
from noether.mechanics.trajectory import Trajectory

SAME = 2.0**-50


WIDE = 2.0**-64


LABELS = "float64 float32 float16/eager bfloat16 bfloat16/mixed".split()  # float16/eager: underflow shows


BY_NAME = {c.name: c for c in CATALOG}


AFFINE = Case(
    "affine",
    "an affine generator",
    "none",
    loss=lambda q, xp: q[0] * q[0] * q[1] / 2,
    breaking=lambda q, xp: q[0] + q[1] * q[1],
    box=((0.5, 1.0), (-1.0, -0.5)),
    symmetries=(Symmetry("affine", ((0.5, 1), (-3, 0.25)), (1, -0.5)),),
)


TRIAL = [AFFINE, *(BY_NAME[n] for n in ("mexican-hat", "softmax", "linear-network", "entropy-mirror"))]


BY_HAND = ("gradient-descent", "heavy-ball", "heavy-ball-decoupled", "nesterov", "heavy-ball-dampened")
BY_HAND += ("heavy-ball-maximize", "heavy-ball-scheduled", "mirror-descent")
"""Rules whose step and bound are derived once more by hand below."""
POINTS = [(c, RULES[r], label) for c in TRIAL for r in rules_of(c) if r in BY_HAND for label in LABELS]


POINTS += [
    (BY_NAME["deformed-rayleigh"], RULES[r], label)
    for r in ("natural-gradient", "heavy-ball-metric")
    for label in LABELS
]


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
        self.c = number(0.75) if rule.name == "heavy-ball-dampened" and n else number(1)
        self.s = 1 - self.eta * self.k if self.decoupled else number(1)
        pick = lambda x, at: [x[at, i, lane] for i in range(self.d)]
        self.z, self.q, self.v = (pick(x, n) for x in (t.z, t.q, t.v))
        self.z1, self.q1, self.w = (pick(x, n + 1) for x in (t.z, t.q, t.v))
        self.b = pick(t.g_broken, n)
        self.g = [x + self.eps * y for x, y in zip(pick(t.g_kept, n), self.b, strict=True)]
        self.ge = pick(t.g_error, n)
        self.sign = sign = -1 if rule.maximize else 1
        self.f = [
            self.c * (sign * g + (self.k * q if self.coupled else 0))
            for g, q in zip(self.g, self.q, strict=True)
        ]
        nesterov = rule.looks_ahead
        # Warm-up; no launch here is longer.
        self.rate = number(min(n + 1, 8)) / 8 if rule.paced else number(1)
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
        # Derived by hand, in first order and rounded upwards: what the running error must stay below.
        self.by_hand = [[f(i) for i in range(self.d)] for f in (self.delta_of, self.sigma_of)]
        self.delta, self.sigma = pick(t.delta, n), pick(t.sigma, n)

    def pull_error(self, i):
        times = 3 if self.rule.timed else 2
        kq = self.c * abs(self.k * self.q[i]) if self.coupled else 0
        return self.eta * (self.u * (times * abs(self.f[i]) + kq) + self.c * self.ge[i]) + (
            1.5 * self.tiny if self.rule.timed else 0
        )

    def delta_of(self, i):
        """R0: store, arithmetic, gradient, underflow."""
        narrow = self.t.precision.v_store != self.t.precision.rounded
        w = self.beta * self.v[i] - self.eta * self.f[i]
        store = self.uv * abs(w) if narrow else 0
        whole = store + self.u * (abs(self.beta * self.v[i]) + abs(w)) + self.pull[i]
        return whole * (1 + 8 * self.u) + 1.5 * (self.tiny * (2 + self.eta) + self.tv)

    def sigma_of(self, i):
        narrow = self.t.precision.q_store != self.t.precision.rounded
        whole = (self.uq + (self.u if narrow else 0)) * abs(self.s * self.z[i] + self.y[i])
        tiny = 1.5 * (self.tq + self.tiny)
        if self.decoupled:
            whole += self.u * (3 * abs(self.eta * self.k) + abs(self.s)) * abs(self.z[i])
        if self.rule.looks_ahead:
            whole += self.u * (abs(self.beta * self.w[i]) + abs(self.y[i])) + self.pull[i]
            tiny += 1.5 * self.tiny * (2 + self.eta)
        if self.rule.paced:
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
        self.force_size = s.c * (s.eps * dot(size(s.b), self.room) + s.k_in * dot(size(s.q), self.room))


def both(t, symmetry, n, lane):
    step = Step(t, n, lane)
    step.k_in = step.k if step.coupled else np.longdouble(0)
    return step, Charge(step, symmetry) if symmetry else None


OWN = SLACK - 1


def agree(residual, n, lane, measured, predicted, bound, signal=None):
    for name, want in (
        ("measured", measured),
        ("predicted", predicted),
        ("bound", bound),
        ("signal", signal),
    ):
        if want is None:
            continue
        got = np.asarray(getattr(residual, name)[n, ..., lane], np.longdouble)
        want = np.asarray(want, np.longdouble)
        told = (name, n, lane, got, want)
        if name in ("bound", "signal"):  # sizes may be formed in float64: no smaller, with its own roundings
            assert (got >= want * (1 - SAME)).all() and (got <= want * (1 + 2 * OWN)).all(), told
        else:
            assert np.allclose(got, want, rtol=SAME, atol=2.0**-60), told


def everywhere(t):
    return product(range(t.steps), range(t.lanes))
