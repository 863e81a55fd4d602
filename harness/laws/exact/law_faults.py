"""Faults of laws: laws that are almost right (kinetic factor, mass, charge, generator), shown a right
trajectory.

They show that the law's every term is looked at: a law that passes with one of them changed does not test
that term.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from noether.cases.case import Symmetry, scale
from noether.faults.fault import NEAR, LawFault
from noether.laws.exact import EXACT, Residual, act, dot, xi
from noether.laws.exact.coefficients import parameter

KINETIC, CHARGE, WRONG = "wrong kinetic factor", "wrong charge", "wrong law"


def turning(symmetry: Symmetry) -> bool:
    """Whether A is antisymmetric, about the origin or about another centre: then <A w, w> is zero."""
    return np.array_equal(symmetry.matrix, -symmetry.matrix.T)


def curved(rule, symmetry: Symmetry) -> bool:
    """Whether <A y, w> is not identically zero."""
    return not turning(symmetry) or bool(symmetry.matrix.any() and not rule.moves_along_buffer)


def linear(rule, symmetry: Symmetry) -> bool:
    """Whether the generator has a matrix, and is no translation."""
    return bool(symmetry.matrix.any())


always = lambda rule, s: True
heavy = lambda rule, s: rule.momentum
decays = lambda rule, s: rule.decay != "none"
fading = lambda rule, s: rule.decay != "none" and not s.is_rotation
carried = lambda rule, s: rule.momentum and curved(rule, s) and not turning(s)
ahead = lambda rule, s: rule.looks_ahead and linear(rule, s)
on_metric = lambda rule, s: rule.on_metric
bent = lambda rule, s: rule.on_metric and linear(rule, s)
scheduled = lambda rule, s: rule.timed and rule.reads.moves == "along"
warmed = lambda rule, s: scheduled(rule, s) and curved(rule, s)
simplex = lambda rule, s: rule.simplex
shrinks = lambda rule, s: rule.shrinks
keeps = lambda rule, s: len(rule.buffers) > 1
remembers = lambda rule, s: keeps(rule, s) and "beta2" in rule.parameters
pulled = lambda rule, s: keeps(rule, s) and rule.decay in ("coupled", "both")
"""Where the changed term of a law is not identically zero, by the rule and the symmetry."""


def under(**flaw) -> Callable:
    """wrong(law): the residual of a law with some of its terms scaled, by name."""
    return lambda law: partial(EXACT[law].residual, **flaw)


def shifted(change: Callable) -> Callable:
    """wrong(law): its residual with change(t, symmetry) added to what is measured."""

    def residual(t, symmetry, law: str) -> Residual:
        r = EXACT[law].residual(t, symmetry)
        return replace(r, measured=r.measured + change(t, symmetry))

    return lambda law: partial(residual, law=law)


def next_charge(t, symmetry):
    """What the charge changes by where xi is taken a step early: <v_{n+1}, xi(q_n) - xi(q_{n+1})>."""
    return dot(t.p[1:], xi(symmetry, t.q[:-1]) - xi(symmetry, t.q[1:]))


def tilted(symmetry: Symmetry) -> Symmetry:
    """The generator turned a little: the loss does not keep it."""
    A = np.array(symmetry.A, float)
    A[0, 0] += NEAR - 1
    return replace(symmetry, A=tuple(map(tuple, A)))


def another(symmetry: Symmetry) -> Symmetry:
    """A generator that is no symmetry of any loss here: only the first component is scaled, or moved."""
    if symmetry.is_translation:
        return replace(symmetry, a=(1, *(0,) * (len(symmetry.a) - 1)))
    A = np.zeros((len(symmetry.a),) * 2)
    A[0, 0] = 1
    return replace(symmetry, A=tuple(map(tuple, A)))


def along(change: Callable) -> Callable:
    """wrong(law): its residual along change(symmetry), another generator."""
    return lambda law: lambda t, symmetry: EXACT[law].residual(t, change(symmetry))


def without(**zero) -> Callable:
    """wrong(law): its residual with parameters times a factor, by name, which the launch has as they are."""

    def residual(t, symmetry, law: str) -> Residual:
        for name, factor in zero.items():
            t = parameter(t, name, factor)
        return EXACT[law].residual(t, symmetry)

    return lambda law: partial(residual, law=law)


def centred_source(t, symmetry):
    """<A w, w> measured at the old buffer: <A v_n, v_n>."""
    A, v, w = symmetry.matrix, t.p[:-1], t.p[1:]
    return dot(act(A, w), w) - dot(act(A, v), v)


TABLE = (
    ("D2", "dropped kinetic term", KINETIC, "J' = beta J - eta <f, xi>", under(kinetic=0.0), curved),
    ("D2", "doubled kinetic term", KINETIC, "2 <A w, w>", under(kinetic=2.0), curved),
    ("D2", "kinetic term x (1 + 2^-10)", KINETIC, "(1 + 2^-10) <A w, w>", under(kinetic=NEAR), curved),
    ("D2", "kinetic term with the other sign", KINETIC, "-<A w, w>", under(kinetic=-1.0), curved),
    (
        "D2",
        "kinetic term of the old buffer",
        KINETIC,
        "<A v, v> for <A v', v'>",
        shifted(centred_source),
        carried,
    ),
    (
        "D2",
        "kinetic term of heavy ball for Nesterov's",
        KINETIC,
        "<A w, w> for <A y, w>",
        under(plain=True),
        ahead,
    ),
    ("D2", "kinetic term without its metric", KINETIC, "<A w, w> for <A w/G, w>", under(plain=True), bent),
    (
        "D4",
        "dropped kinetic term",
        KINETIC,
        "D[Q + beta/(1-beta) J] without <A w, w>",
        under(kinetic=0.0),
        curved,
    ),
    ("D4", "mass eta/2 for eta(1+beta)/2", KINETIC, "the mass of gradient descent", under(mass=0.5), heavy),
    (
        "D1",
        "mass eta/2 for eta(1+beta)/2",
        KINETIC,
        "the scheme with the mass of gradient descent",
        under(mass=0.5),
        heavy,
    ),
    ("D1", "friction off by 2^-10", WRONG, "mu = (1 + 2^-10) (1 - beta)", under(friction=NEAR), heavy),
    (
        "D10",
        "force g + k q for g + (1-beta) k q",
        WRONG,
        "the force of coupled decay",
        under(force=0.0),
        always,
    ),
    ("D5", "dropped kinetic term", KINETIC, "R'' without |v''|^2 + beta |v'|^2", under(kinetic=0.0), always),
    ("D5", "old kinetic term dropped", KINETIC, "R'' without beta |v'|^2", under(old=0.0), heavy),
    ("D11", "dropped kinetic term", KINETIC, "|q'|^2 without eta^2 |g|^2", under(square=0.0), always),
    ("D11", "squared step off by 2^-10", KINETIC, "(1 + 2^-10) eta^2 |g|^2", under(square=NEAR), always),
    ("D2", "charge at the old position", CHARGE, "<v_{n+1}, xi(q_n)>", shifted(next_charge), curved),
    ("D2", "charge of a tilted generator", CHARGE, "A + 2^-10 e e^T", along(tilted), linear),
    ("D2", "charge of no symmetry", CHARGE, "only the first component", along(another), always),
    ("D3", "charge of a tilted rotation", CHARGE, "A + 2^-10 e e^T", along(tilted), linear),
    ("D6", "translation of one component", CHARGE, "a = e_1", along(another), always),
    ("D4", "charge of one component", CHARGE, "A = e e^T", along(another), always),
    ("D7", "mirror charge of one component", CHARGE, "A = e e^T", along(another), always),
    (
        "D2",
        "kinetic term without its schedule",
        KINETIC,
        "<A w, w> for c <A w, w>",
        under(plain=True),
        warmed,
    ),
    (
        "D6",
        "translation law at a constant rate",
        WRONG,
        "beta for beta c/c_(n-1)",
        under(constant=True),
        scheduled,
    ),
    ("D8", "squares for sizes", CHARGE, "u^2 - v^2 for |u| - |v|", under(squares=True), always),
    (
        "D7",
        "charge across the simplex",
        CHARGE,
        "xi = q, <1, xi> = 1",
        along(lambda s: scale(len(s.a))),
        simplex,
    ),
    (
        "D7",
        "natural charge without its metric",
        CHARGE,
        "<q' - q, xi> for <G (q' - q), xi>",
        under(flat=True),
        on_metric,
    ),
    ("D2", "charge law without momentum", WRONG, "beta J left out", without(beta=0), heavy),
    ("D2", "charge law without decay", WRONG, "k left out", without(k=0), fading),
    ("D2", "charge law without its breaking", WRONG, "eps left out", without(eps=0), always),
    ("D3", "decay law with beta off by 2^-10", WRONG, "((1 + 2^-10) beta)^n J_0", without(beta=NEAR), always),
    ("D4", "mass law with beta off by 2^-10", WRONG, "beta off everywhere in it", without(beta=NEAR), heavy),
    ("D6", "translation law without decay", WRONG, "eta k left out", without(k=0), decays),
    ("D7", "mirror law without its breaking", WRONG, "eps left out", without(eps=0), always),
    ("D7", "mirror law with eta off by 2^-10", WRONG, "(1 + 2^-10) eta", without(eta=NEAR), always),
    ("D14", "second moments without their memory", WRONG, "beta2 = 0", without(beta2=0), remembers),
    (
        "D14",
        "second moments with beta2 off by 2^-10",
        WRONG,
        "(1 + 2^-10) beta2",
        without(beta2=NEAR),
        remembers,
    ),
    ("D14", "second moments without decay", WRONG, "g for g + k q", without(k=0), pulled),
    ("D15", "ball of half the size", WRONG, "c/2 for c", under(reach=0.5), always),
    ("D15", "decay counted twice", WRONG, "1 - 2 eta k for 1 - eta k", under(decay=2.0), shrinks),
    ("D16", "length off by 2^-10", WRONG, "(1 + 2^-10) eta |q|", under(share=NEAR), always),
    ("D0", "update law with k off by 2^-10", WRONG, "(1 + 2^-10) k", without(k=NEAR), decays),
)
"""Law, name, kind, what is wrong in words, wrong(law), and where it applies."""

FAULTS = tuple(LawFault(name, kind, what, law, wrong(law), at) for law, name, kind, what, wrong, at in TABLE)
