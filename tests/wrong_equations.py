"""Faults of the equations in continuous time, each on a case that shows it: what is integrated and what is
predicted are wrong alike."""

from types import SimpleNamespace

import numpy as np
import sympy

from noether.cases import CATALOG
from noether.mechanics import flow, symbolic_mechanics, theorem
from noether.mechanics.flow_trajectory import Trajectory
from noether.mechanics.symbolic import EPS, KAPPA, Formulas, M

BY_NAME = {c.name: c for c in CATALOG}
HAT, PRODUCT, DEFORMED, CURVED, MIRROR = (
    BY_NAME[n] for n in ("mexican-hat-2", "product", "deformed-hat", "deformed-rayleigh", "power-mirror")
)

RIGHT = SimpleNamespace(**vars(theorem))  # its functions as they are, while one of them is replaced
_entries, _damping = symbolic_mechanics.metric_entries, flow.damping
MU = sympy.Symbol("mu")
FRICTIONS = {
    "mu dropped": lambda m, mu: (m, 0 * mu),
    "mu^2 for mu": lambda m, mu: (m, mu * mu),
    "1/mu for mu": lambda m, mu: (m, 1 / mu),
    "1 for mu": lambda m, mu: (m, 1),
    "m for mu": lambda m, mu: (m, m),
    "mu for m": lambda m, mu: (mu, mu),
    "m^2 for m": lambda m, mu: (m * m, mu),
    "1 for m": lambda m, mu: (sympy.Integer(1), mu),
    "1 - mu for mu": lambda m, mu: (m, 1 - mu),
    "m mu for mu": lambda m, mu: (m, m * mu),
    "mu off by 1 %": lambda m, mu: (m, sympy.Rational(101, 100) * mu),
}
DECAYS = {
    "dropped": lambda k: 0 * k,
    "k^2": lambda k: k * k,
    "ascent": lambda k: -k,
    "twice": lambda k: 2 * k,
    "k mu": lambda k: k * MU,
}


def doubled(function):
    return lambda *a: [2 * x for x in function(*a)] if isinstance(function(*a), list) else 2 * function(*a)


def rubbed(rate, friction):
    """A rate with another m and mu, which are its last two arguments."""
    return lambda *a: rate(*a[:-2], *friction(*a[-2:]))


def decaying(k):
    return lambda g, q, right: RIGHT.decayed(g, q, k(right))


def pulling(of_loss, of_breaking):
    """The total gradient with other factors of its two parts, which are 1 and eps."""
    parts = lambda F: zip(F.loss_gradient, F.breaking_gradient, strict=True)
    return property(lambda F: [of_loss * a + of_breaking * b for a, b in parts(F)])


PULLS = {
    "eps^2": pulling(1, EPS**2),
    "doubled": pulling(2, 2 * EPS),
    "loss off by 2^-60": pulling(1 + sympy.Rational(1, 2**60), EPS),
}


def remembering(rate):
    return lambda self, i: self.j[0, i] * np.exp(-rate(self.parameters) * self.times)


def dissipating(rate):
    return property(lambda self: rate(self.parameters) * self.z[:, -1])


def forced(G, q, v, g, m, mu):
    return RIGHT.momentum_rate(G, q, v, [2 * x for x in g], m, mu)


def heavy(G, v, m):
    return RIGHT.kinetic_energy(G, v, m * m)


def ahead(h, q, Q):
    return RIGHT.bregman_momentum(h, q, [x + M * (X - x) for x, X in zip(q, Q, strict=True)])


def light(D, h, q, v, m, xi):
    return RIGHT.bregman_curvature_breaking(D, h, q, v, m, xi) * m


def bent(case, q):
    return [sympy.sympify(g).xreplace({KAPPA: KAPPA**2}) for g in _entries(case, q)]


RATE, MIRROR_RATE = ("T1", PRODUCT, theorem, "momentum_rate"), ("T2", MIRROR, theorem, "bregman_rate")
GENERATOR, METRIC = ("T1", PRODUCT, theorem, "generator_breaking"), ("T1", CURVED, theorem, "metric_breaking")
TWIST = ("T2", MIRROR, theorem, "bregman_generator_breaking")
CURVATURE = ("T2", MIRROR, theorem, "bregman_curvature_breaking")
DAMPING, DISSIPATED = ("T1", PRODUCT, flow, "damping"), ("T1", PRODUCT, Trajectory, "dissipated")
PLANTED = {
    **{f"momentum: {n}": (*RATE, rubbed(RIGHT.momentum_rate, f)) for n, f in FRICTIONS.items()},
    **{f"bregman: {n}": (*MIRROR_RATE, rubbed(RIGHT.bregman_rate, f)) for n, f in FRICTIONS.items()},
    "momentum: force doubled": (*RATE, forced),
    "bregman: (1 - mu) Delta/m dropped": (*MIRROR_RATE, rubbed(RIGHT.bregman_rate, lambda m, mu: (m, 1))),
    "bregman: (1 + mu) Delta/m": (*MIRROR_RATE, rubbed(RIGHT.bregman_rate, lambda m, mu: (m, -mu))),
    "generator: no m": (*GENERATOR, lambda G, v, m, A: RIGHT.generator_breaking(G, v, 1, A)),
    "generator: m^2": (*GENERATOR, lambda G, v, m, A: RIGHT.generator_breaking(G, v, m * m, A)),
    "generator: m mu": (*GENERATOR, lambda G, v, m, A: RIGHT.generator_breaking(G, v, m * MU, A)),
    "metric: twice": (*METRIC, doubled(RIGHT.metric_breaking)),
    "metric: no m": (*METRIC, lambda G, q, v, m, xi: RIGHT.metric_breaking(G, q, v, 1, xi)),
    "kinetic energy: twice": ("T1", DEFORMED, theorem, "kinetic_energy", doubled(RIGHT.kinetic_energy)),
    "kinetic energy: m^2": ("T1", PRODUCT, theorem, "kinetic_energy", heavy),
    "delta: m^2 in Q": ("T2", MIRROR, theorem, "bregman_momentum", ahead),
    "twist of Delta: twice": (*TWIST, doubled(RIGHT.bregman_generator_breaking)),
    "curvature of h: mu": (*CURVATURE, lambda *a: RIGHT.bregman_curvature_breaking(*a) * MU),
    "curvature of h: 1/m dropped": (*CURVATURE, light),
    **{
        f"decay: {n} ({law})": (law, case, theorem, "decayed", decaying(k))
        for law, case in (("T1", PRODUCT), ("T2", MIRROR))
        for n, k in DECAYS.items()
    },
    **{
        f"potential: {n} ({law})": (law, case, Formulas, "total_gradient", pull)
        for law, case in (("T1", HAT), ("T2", MIRROR))
        for n, pull in PULLS.items()
    },
    "metric entries: kappa^2": ("T1", DEFORMED, symbolic_mechanics, "metric_entries", bent),
    "damping: mu^2/m": (*DAMPING, lambda mech, p, lanes: _damping(mech, p, lanes) * p.mu),
    "damping: 1/m": (*DAMPING, lambda mech, p, lanes: _damping(mech, p, lanes) / p.mu),
    "memory: mu^2/m": ("T1", HAT, Trajectory, "memory", remembering(lambda p: p.mu**2 / p.m)),
    "memory: 1/m": ("T2", MIRROR, Trajectory, "memory", remembering(lambda p: 1 / p.m)),
    "dissipation: no mu": (*DISSIPATED, dissipating(lambda p: 1)),
    "dissipation: mu^2": (*DISSIPATED, dissipating(lambda p: p.mu**2)),
    "dissipation: m": (*DISSIPATED, dissipating(lambda p: p.m)),
}
