"""Faults of laws: laws that are almost right (kinetic factor, mass, charge, generator), shown a right
trajectory.

They show that the law's every term is looked at: a law that passes with one of them changed does not test
that term.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from noether.cases.case import Symmetry, scale
from noether.faults.fault import NEAR, LawFault
from noether.laws.exact import EXACT, Residual, act, dot, xi

KINETIC, CHARGE, WRONG_LAW = "wrong kinetic factor", "wrong charge", "wrong law"


def turning(symmetry: Symmetry) -> bool:
    """Whether A is antisymmetric, about the origin or about another centre: then <A w, w> is zero."""
    return np.array_equal(symmetry.matrix, -symmetry.matrix.T)


def curved(rule, symmetry: Symmetry) -> bool:
    """Whether <A y, w> is not identically zero."""
    return not turning(symmetry) or bool(symmetry.matrix.any() and not rule.moves_along_buffer)


def linear(rule, symmetry: Symmetry) -> bool:
    """Whether the generator has a matrix, and is no translation."""
    return bool(symmetry.matrix.any())


def heavy(rule, symmetry: Symmetry) -> bool:
    """Whether the rule has momentum."""
    return rule.momentum


def under(law: str, **flaw):
    """The residual of a law with some of its terms scaled, by name."""
    return partial(EXACT[law].residual, **flaw)


def shifted(law: str, change):
    """The law's residual with `change(t, symmetry)` added to what is measured."""

    def residual(t, symmetry) -> Residual:
        r = EXACT[law].residual(t, symmetry)
        return replace(r, measured=r.measured + change(t, symmetry))

    return residual


def next_charge(t, symmetry):
    """What the charge changes by where xi is taken a step early: <v_{n+1}, xi(q_n) - xi(q_{n+1})>."""
    return dot(t.v[1:], xi(symmetry, t.q[:-1]) - xi(symmetry, t.q[1:]))


def tilted(symmetry: Symmetry, by: float = NEAR - 1) -> Symmetry:
    """The generator turned a little: the loss does not keep it."""
    A = np.array(symmetry.A, float)
    A[0, 0] += by
    return replace(symmetry, A=tuple(map(tuple, A)))


def another(symmetry: Symmetry) -> Symmetry:
    """A generator that is no symmetry of any loss here: only the first component is scaled, or moved."""
    if symmetry.is_translation:
        return replace(symmetry, a=(1, *(0,) * (len(symmetry.a) - 1)))
    A = np.zeros((len(symmetry.a),) * 2)
    A[0, 0] = 1
    return replace(symmetry, A=tuple(map(tuple, A)))


def along(law: str, change):
    return lambda t, symmetry: EXACT[law].residual(t, change(symmetry))


def without(law: str, **zero):
    """The law under parameters of which some are left out of the law, though the launch has them."""

    def residual(t, symmetry) -> Residual:
        from copy import copy

        other = copy(t)
        for name, factor in zero.items():
            setattr(other, name, factor * getattr(t, name))
        for cached in ("shrink", "force", "move"):
            other.__dict__.pop(cached, None)
        return EXACT[law].residual(other, symmetry)

    return residual


def centred_source(t, symmetry):
    """<A w, w> measured at the old buffer: <A v_n, v_n>."""
    A, v, w = symmetry.matrix, t.v[:-1], t.v[1:]
    return dot(act(A, w), w) - dot(act(A, v), v)


def decays(rule, symmetry) -> bool:
    """Whether a rule has weight decay."""
    return rule.decay != "none"


FAULTS = (
    LawFault("dropped kinetic term", KINETIC, "J' = beta J - eta <f, xi>", "D2", under("D2", kinetic=0.0),
    curved),
    LawFault("doubled kinetic term", KINETIC, "2 <A w, w>", "D2", under("D2", kinetic=2.0), curved),
    LawFault("kinetic term x (1 + 2^-10)", KINETIC, "(1 + 2^-10) <A w, w>", "D2", under("D2", kinetic=NEAR),
    curved),
    LawFault("kinetic term with the other sign", KINETIC, "-<A w, w>", "D2", under("D2", kinetic=-1.0),
    curved),
    LawFault("kinetic term of the old buffer", KINETIC, "<A v, v> for <A v', v'>", "D2", shifted("D2",
    centred_source), lambda rule, s: rule.momentum and curved(rule, s) and not turning(s)),
    LawFault("kinetic term of heavy ball for Nesterov's", KINETIC, "<A w, w> for <A y, w>", "D2", under("D2",
    plain=True),
             lambda rule, s: rule.nesterov and linear(rule, s)),
    LawFault("kinetic term without its metric", KINETIC, "<A w, w> for <A w/G, w>", "D2", under("D2",
    plain=True), lambda rule, s: rule.on_metric and linear(rule, s)),
    LawFault("dropped kinetic term", KINETIC, "D[Q + beta/(1-beta) J] without <A w, w>", "D4", under("D4",
    kinetic=0.0), curved),
    LawFault("mass eta/2 for eta(1+beta)/2", KINETIC, "the mass of gradient descent", "D4", under("D4",
    mass=0.5), heavy),
    LawFault("mass eta/2 for eta(1+beta)/2", KINETIC, "the scheme with the mass of gradient descent", "D1",
    under("D1", mass=0.5), heavy),
    LawFault("friction off by 2^-10", WRONG_LAW, "mu = (1 + 2^-10) (1 - beta)", "D1", under("D1",
    friction=NEAR), heavy),
    LawFault("force g + k q for g + (1-beta) k q", WRONG_LAW, "the force of coupled decay", "D10",
    under("D10", force=0.0)),
    LawFault("dropped kinetic term", KINETIC, "R'' without |v''|^2 + beta |v'|^2", "D5", under("D5",
    kinetic=0.0)),
    LawFault("old kinetic term dropped", KINETIC, "R'' without beta |v'|^2", "D5", under("D5", old=0.0),
    heavy),
    LawFault("dropped kinetic term", KINETIC, "|q'|^2 without eta^2 |g|^2", "D11", under("D11", square=0.0)),
    LawFault("squared step off by 2^-10", KINETIC, "(1 + 2^-10) eta^2 |g|^2", "D11", under("D11",
    square=NEAR)),
    LawFault("charge at the old position", CHARGE, "<v_{n+1}, xi(q_n)>", "D2", shifted("D2", next_charge),
    curved),
    LawFault("charge of a tilted generator", CHARGE, "A + 2^-10 e e^T", "D2", along("D2", tilted), linear),
    LawFault("charge of no symmetry", CHARGE, "only the first component", "D2", along("D2", another)),
    LawFault("charge of a tilted rotation", CHARGE, "A + 2^-10 e e^T", "D3", along("D3", tilted), linear),
    LawFault("translation of one component", CHARGE, "a = e_1", "D6", along("D6", another)),
    LawFault("charge of one component", CHARGE, "A = e e^T", "D4", along("D4", another)),
    LawFault("mirror charge of one component", CHARGE, "A = e e^T", "D7", along("D7", another)),
    LawFault("kinetic term without its schedule", KINETIC, "<A w, w> for c <A w, w>", "D2", under("D2",
    plain=True), lambda rule, s: rule.scheduled and curved(rule, s)),
    LawFault("translation law at a constant rate", WRONG_LAW, "beta for beta c/c_(n-1)", "D6", under("D6",
    constant=True), lambda rule, s: rule.scheduled),
    LawFault("squares for sizes", CHARGE, "u^2 - v^2 for |u| - |v|", "D8", under("D8", squares=True)),
    LawFault("charge across the simplex", CHARGE, "xi = q, <1, xi> = 1", "D7", along("D7",
    lambda s: scale(len(s.a))), lambda rule, s: rule.simplex),
    LawFault("natural charge without its metric", CHARGE, "<q' - q, xi> for <G (q' - q), xi>", "D7",
    under("D7", flat=True), lambda rule, s: rule.on_metric),
    LawFault("charge law without momentum", WRONG_LAW, "beta J left out", "D2", without("D2", beta=0), heavy),
    LawFault("charge law without decay", WRONG_LAW, "k left out", "D2", without("D2", k=0), lambda rule,
    s: rule.decay != "none" and not s.is_rotation),
    LawFault("charge law without its breaking", WRONG_LAW, "eps left out", "D2", without("D2", eps=0)),
    LawFault("decay law with beta off by 2^-10", WRONG_LAW, "((1 + 2^-10) beta)^n J_0", "D3", without("D3",
    beta=NEAR)),
    LawFault("mass law with beta off by 2^-10", WRONG_LAW, "beta off everywhere in it", "D4", without("D4",
    beta=NEAR), heavy),
    LawFault("translation law without decay", WRONG_LAW, "eta k left out", "D6", without("D6", k=0), decays),
    LawFault("mirror law without its breaking", WRONG_LAW, "eps left out", "D7", without("D7", eps=0)),
    LawFault("mirror law with eta off by 2^-10", WRONG_LAW, "(1 + 2^-10) eta", "D7", without("D7", eta=NEAR)),
    LawFault("update law with k off by 2^-10", WRONG_LAW, "(1 + 2^-10) k", "D0", without("D0", k=NEAR),
    decays),
)  # fmt: skip
