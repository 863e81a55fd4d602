"""The charges of a network's symmetries in one step: where they must be after it, and where they went.

A generator is xi(q) = A q + a, and a family of them has one bilinear form B(x, y) = <x, A y> (families.py;
of a translation <x, a>, which reads no y). Three laws say what a step makes of a charge, whatever the
gradient was; F is the force and a, b, s are numbers of the step (coefficients.py):

    momentum     theory.md D2, of any rule that keeps a covector p' = a p + b F and moves q' = s q + y:
                     <p', xi(q')> = s a <p, xi(q)> + s b <F, xi(q)> + <p', A y>
                 and of a translation <p', a> = a <p, a> + b <F, a>
    norm         of any rule and a linear xi, with the displacement D = q' - q and Q = <q, A q>/2:
                     Q' = Q + (<D, A q> + <q, A D>)/2 + <D, A D>/2
                 Where D = (s - 1) q - eta F, as in plain gradient descent, the second term tells force and
                 decay apart; for a scale and <g, q> = 0 it is theory.md D11, |q'|^2 = s^2 |q|^2 + eta^2 |g|^2
    translation  of any rule, c = <q, a>:  c' = c + <D, a>, whose sum over two steps is theory.md D6

Force and displacement are those of the rule's definition, from what was observed before the step. What was
stored may differ from it by the bounds of q' and p': an error of the size e moves a form by reach(e, q) at
most. Forms are summed in longdouble, which adds a rounding of 2^-64 for each of their terms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import torch

from noether.networks.coefficients import AT_REST, Coefficients, coefficients
from noether.networks.families import TRANSLATION, Family
from noether.networks.moved import Moved
from noether.networks.step_rule import Unjudged
from noether.optimizers.running import WIDE, WIDE_UNIT, Running
from noether.optimizers.spent import spent_each

MOMENTUM, NORM, SHIFT = "momentum", "norm", "translation"
LAWS = {MOMENTUM: "D2", NORM: "D11", SHIFT: "D6"}
"""Name of a law -> its place in theory.md, or of its best-known case."""
MORE = 32
"""Roundings of one term of a form beside those of the sum: of its product, and of the factors, each of which
a few operations on longdouble numbers have made."""


@dataclass(frozen=True, eq=False)
class Balance:
    """The charges of a family over one step. Arrays are longdouble (n,), of GL (d, d).

    law        a name of LAWS
    before, after  the charges of what was stored
    parts      name -> its share of the prediction: what was `kept` of the charge, what `force` and `decay`
               have added, and the `kinetic` term; of a rule that is not linear in F, `first` stands for the
               two in the middle
    bound      on |after - predicted|
    generators  those that were judged, by their number in the family: all whose numbers were followed
    spent      |after - predicted| / bound; 0 where there is no bound
    """

    family: Family
    law: str
    before: np.ndarray
    after: np.ndarray
    parts: dict[str, np.ndarray]
    bound: np.ndarray
    spent: np.ndarray
    generators: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The sum of the parts."""
        return sum(self.parts.values())

    @property
    def worst(self) -> tuple[int, ...]:
        """The generator that spends most: its index, of GL two."""
        found = np.unravel_index(int(np.argmax(self.spent)), self.spent.shape)
        return tuple(int(self.generators[i]) for i in found)


def balance(family: Family, moved: Mapping[str, Moved]) -> Balance:
    """The balance of the charge that the rule keeps: `momentum` where each parameter has a covector.

    Raises Unjudged where a parameter of the family was not judged, or its rule is not known.
    """
    known = [x for x in of_family(family, moved) if x.gradient is not None]
    if known and all(x.definition.has_covector for x in known):
        return of_momentum(family, moved)
    return of_positions(family, moved)


def of_family(family: Family, moved: Mapping[str, Moved]) -> list[Moved]:
    """The parameters of a family. Raises Unjudged."""
    for name in family.parameters:
        if name not in moved:
            raise Unjudged(f"{name} was not judged")
        if moved[name].definition is None and moved[name].gradient is not None:
            raise Unjudged(f"{name}: {moved[name].why}")
    return [moved[name] for name in family.parameters]


def followed(family: Family, moved: Mapping[str, Moved]) -> tuple[Family, np.ndarray]:
    """The generators of which every number was followed, moving the numbers by their place among these; and
    which they are. Raises Unjudged where there is none."""
    kept, parts = np.ones(family.n, bool), []
    for part in family.parts:
        x, where = moved[part.parameter], part.where
        if x.at is not None:
            places = torch.full((prod(x.shape),), -1)
            places[x.at] = torch.arange(len(x.at))
            where = places[where]
            kept &= (where >= 0).all(dim=1).numpy()
        parts.append((part, where))
    if not kept.any():
        raise Unjudged("of no generator all numbers were followed")
    at = torch.from_numpy(np.flatnonzero(kept))
    return replace(family, parts=tuple(replace(part, where=where[at]) for part, where in parts)), at.numpy()


class Terms:
    """Numbers by parameter, and the forms of a family in them.

    roundings  what their sums may have lost so far
    """

    def __init__(self, family: Family, moved: Mapping[str, Moved]):
        self.moved = of_family(family, moved)
        self.whole = family
        self.family, self.generators = followed(family, moved)
        self.numbers = [AT_REST if x.gradient is None else coefficients(x.definition) for x in self.moved]
        self.unit = (family.terms() + MORE) * WIDE_UNIT
        self.roundings = 0.0

    def of(self, make: Callable[[Moved, Coefficients], np.ndarray]) -> dict[str, np.ndarray]:
        """make(...) of every parameter, as the forms take it."""
        pairs = zip(self.moved, self.numbers, strict=True)
        return {x.name: np.asarray(make(x, c), WIDE) for x, c in pairs}

    def form(self, x: dict, y: dict) -> np.ndarray:
        """B(x, y), whose rounding is counted."""
        self.roundings = self.roundings + self.unit * self.reach(x, y)
        return self.family.form(x, y)

    def reach(self, x: dict, y: dict) -> np.ndarray:
        """How far numbers of the size of x move the form."""
        return self.family.reach(x, y)


def of_momentum(family: Family, moved: Mapping[str, Moved]) -> Balance:
    """The law `momentum`. Raises Unjudged."""
    t = Terms(family, moved)
    linear = family.kind != TRANSLATION
    share = (lambda c: c.s) if linear else (lambda c: WIDE(1))
    q, q_new, dq = t.of(lambda x, c: x.q.before), t.of(lambda x, c: x.q.after), t.of(error_of_q)
    p, p_new, dp = t.of(lambda x, c: covector(x)[0]), t.of(lambda x, c: covector(x)[1]), t.of(error_of_p)
    before, after = t.form(p, q), t.form(p_new, q_new)
    p_meant, q_meant = t.of(lambda x, c: covector(x)[2].value), t.of(lambda x, c: x.q.predicted.value)
    parts = {
        "kept": t.form(t.of(lambda x, c: share(c) * c.a * covector(x)[0]), q),
        "force": t.form(t.of(lambda x, c: share(c) * c.b * c.sign * gradient(x)), q),
        "decay": t.form(t.of(lambda x, c: share(c) * c.b * c.k * x.q.before), q),
    }
    if linear:
        move = t.of(lambda x, c: x.q.predicted.value - c.s * x.q.before)
        parts["kinetic"] = t.form(p_meant, move)
        t.roundings = t.roundings + t.unit * (t.reach(p_meant, q_meant) + t.reach(p_meant, q))
    bound = t.roundings + t.reach(dp, q_meant)
    if linear:
        bound = bound + t.reach(p_meant, dq) + t.reach(dp, dq)
    return judged(t, MOMENTUM, before, after, parts, bound)


def of_positions(family: Family, moved: Mapping[str, Moved]) -> Balance:
    """The laws `norm` and `translation`. Raises Unjudged."""
    t = Terms(family, moved)
    q, q_new, dq = t.of(lambda x, c: x.q.before), t.of(lambda x, c: x.q.after), t.of(error_of_q)
    q_meant = t.of(lambda x, c: x.q.predicted.value)
    apart = t.of(lambda x, c: x.q.predicted.value - x.q.before)
    if family.kind == TRANSLATION:
        both, before, after = (lambda y: t.form(y, q)), t.form(q, q), t.form(q_new, q)
        bound, rest = t.reach(dq, q), {}
    else:
        both = lambda y: (t.form(y, q) + t.form(q, y)) / 2
        before, after = t.form(q, q) / 2, t.form(q_new, q_new) / 2
        rest = {"kinetic": t.form(apart, apart) / 2}
        bound = (t.reach(dq, q_meant) + t.reach(q_meant, dq) + t.reach(dq, dq)) / 2
    if all(c.eta is not None for c in t.numbers):
        added = {
            "force": both(t.of(lambda x, c: -c.eta * c.sign * gradient(x))),
            "decay": both(t.of(lambda x, c: (c.s - 1 - c.eta * c.k) * x.q.before)),
        }
    else:
        added = {"first": both(apart)}
    t.roundings = t.roundings + t.unit * (t.reach(q_meant, q) + t.reach(q_meant, q_meant) + t.reach(q, q))
    law = SHIFT if family.kind == TRANSLATION else NORM
    return judged(t, law, before, after, {"kept": before, **added, **rest}, bound + t.roundings)


def judged(t: Terms, law: str, before, after, parts: dict, bound) -> Balance:
    """What is spent of the bound."""
    spent = spent_each(after, Running(sum(parts.values()), bound))
    return Balance(t.whole, law, before, after, parts, bound, spent, t.generators)


def gradient(x: Moved) -> np.ndarray:
    """The gradient, 0 where there is none."""
    return np.zeros_like(x.q.before) if x.gradient is None else x.gradient.astype(WIDE)


def covector(x: Moved) -> tuple[np.ndarray, np.ndarray, Running]:
    """p before and after, and as predicted; 0 where nothing is kept yet."""
    if x.p is None:
        nothing = np.zeros_like(x.q.before)
        return nothing, nothing, Running(nothing, nothing)
    before = np.zeros_like(x.p.after) if x.p.before is None else x.p.before
    return before, x.p.after, x.p.predicted


def error_of_q(x: Moved, c: Coefficients) -> np.ndarray:
    """How far the stored q' may be from the predicted one."""
    return x.q.predicted.error


def error_of_p(x: Moved, c: Coefficients) -> np.ndarray:
    """How far the stored p' may be."""
    return covector(x)[2].error
