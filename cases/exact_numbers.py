"""Exact arithmetic for learning rules: that two writings of a step agree, and what a step depends on.

A step is evaluated at random points of the whole numbers modulo a prime, where sums, products and quotients
are exact and stay small. Two different rational functions of degree n agree at a random point with a
probability of about n / 2^61 (Schwartz, 1980; Zippel, 1979). So one point decides, of those at which all
square roots of a step exist. Other functions that are not rational give a random number that depends on their
argument alone: equal arguments, equal values.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace

from noether.cases.declared import RuleError
from noether.cases.residues import PRIME, UNSIGNED, XP, NoRoot, Number, Roots
from noether.cases.rule_declared import COMMON

D = 4  # parameters of a probe: a matrix of two rows is one
SMALL = 2  # steps that the proof goes through: the first one may be another
SEEDS, TRIES = 8, 2**8  # of points for each of them: every root halves how many can decide


@dataclass(frozen=True)
class Point:
    """Where a step is evaluated: lists of D numbers, those of p by name."""

    q: tuple
    buffers: tuple
    g: tuple
    p: dict

    def parameters(self) -> SimpleNamespace:
        return SimpleNamespace(**self.p)

    @cached_property
    def state(self) -> tuple:
        return list(self.q), [list(b) for b in self.buffers]


def point(rule, seed: int, n: int = 2, drawn: tuple[int, ...] = ()) -> Point:
    """A random point of a rule, in step n.

    drawn  how often each component was drawn before, one after the other: 0 times where left out
    What the step knows of its number is random too: no writing may rest on what it is, for a momentum that is
    0 in the first steps would hide a buffer, and a switch that is 0 half of a rule.
    """
    rows = []
    for i, times in enumerate(drawn or (0,) * D):
        rng = random.Random(f"{rule.name} {seed} {n} {i} {times}")
        rows.append([Number(rng.randrange(2, PRIME)) for _ in range(3 + len(rule.buffers))])
    q, g, G, *buffers = zip(*rows, strict=True)
    rng = random.Random(f"{rule.name} {seed} {n}")
    names = ("eta", "beta", "k", "eps", "kappa", *(x.name for x in rule.extra))
    p = {name: Number(rng.randrange(2, PRIME)) for name in names}
    if rule.known:
        halves = SimpleNamespace(**dict.fromkeys(names, 0.5))
        p |= {name: Number(rng.randrange(2, PRIME)) for name in rule.known(n, halves)}
    return Point(q, tuple(buffers), g, {**p, "G": list(G)})


def updated(rule, at: Point, xp=XP) -> tuple[list, list]:
    """q' and the new buffers at a point."""
    q, buffers = at.state
    new_q, new = rule.update(q, buffers, list(at.g), at.parameters(), xp)
    return list(new_q), [list(b) for b in new]


def summed(rule, at: Point, new: list, xp=XP) -> tuple[list, list]:
    """q' and the new buffers as the sums of `terms`."""
    q, buffers = at.state
    of_q, of_buffers = rule.terms(q, buffers, new, list(at.g), at.parameters(), xp)
    add = lambda named: [sum(x[1:], x[0]) for x in zip(*named.values(), strict=True)]
    return add(of_q), [add(named) for named in of_buffers]


def prove(rule) -> None:
    """Raise RuleError unless `terms` adds up to `update` at random points, and the covector obeys its law."""
    for n in range(1, SMALL + 1):
        found = decided(rule, n)
        if found:
            raise found


def decided(rule, n: int):
    """What the first point at which all roots exist says against a rule in step n: a RuleError, or None.

    One component after the other is drawn again, and the draw is kept where no fewer roots exist before the
    first that does not: most roots depend on one component.
    """
    for seed in range(SEEDS):
        kept, most = [0] * D, 0
        for tried in range(TRIES):
            drawn, roots = list(kept), Roots()
            drawn[tried % D] = tried
            try:
                return refuted(rule, point(rule, seed, n, tuple(drawn)), n, roots.xp)
            except NoRoot:
                if roots.taken >= most:
                    kept, most = drawn, roots.taken
    return refuted(rule, point(rule, 0, n), n, XP)


def refuted(rule, at: Point, n: int, xp):
    """What a point says against a rule, in step n: a RuleError, or None."""
    q, new = updated(rule, at, xp)
    if len(new) != len(rule.buffers) or any(len(x) != D for x in (q, *new)):
        return RuleError(
            f"rule {rule.name}: update gives {len(q)} parameters and buffers of "
            f"{[len(x) for x in new]}, must give d, and {len(rule.buffers)} buffers of d numbers"
        )
    other_q, other = summed(rule, at, new, xp)
    for word, mine, theirs in zip(("q", *rule.buffers), (q, *new), (other_q, *other), strict=True):
        wrong = [i for i, (x, y) in enumerate(zip(mine, theirs, strict=True)) if not x == y]
        if wrong:
            return RuleError(
                f"rule {rule.name}: the terms of {word}' do not add up to what update gives, in "
                f"component {wrong[0]} of {D} in step {n}: must be the same step"
            )
    return claimed(rule, at, new, xp)


def claimed(rule, at: Point, new: list, xp):
    """The RuleError of a rule whose covector p is not a p - b f at a point, or None."""
    c = rule.covector
    if c is None:
        return None
    if c.buffer not in rule.buffers:
        return RuleError(
            f"rule {rule.name}: its covector is {c.buffer!r}, must be one of its buffers {rule.buffers}"
        )
    i, p = rule.buffers.index(c.buffer), at.parameters()
    pull = c.pulled(list(at.q), list(at.g), p, xp)
    law = [c.kept(p) * old - x for old, x in zip(at.buffers[i], pull, strict=True)]
    if all(x == y for x, y in zip(law, new[i], strict=True)):
        return None
    return RuleError(f"rule {rule.name}: {c.buffer}' is not a {c.buffer} - b f with its a, b and f")


def always_drawn_back(rule) -> bool:
    """Whether the force of the covector has a part that is q itself, also where k is 0."""
    at = point(rule, 0)
    p = SimpleNamespace(**at.p | dict.fromkeys({"k", *known_by(rule, "k")}, Number(0)))
    return any(x != Number(0) for x in rule.covector.force(list(at.q), [Number(0)] * D, p, XP))


def usual_force(rule) -> bool:
    """Whether b f of the covector is eta (g + k q), or eta (k q - g) of a rule that maximises."""
    at = point(rule, 0)
    p, g = at.parameters(), [-x if ascending(rule, at) else x for x in at.g]
    usual = [p.eta * (gi + p.k * qi) for qi, gi in zip(at.q, g, strict=True)]
    return same((rule.covector.pulled(list(at.q), list(at.g), p, XP), []), (usual, []))


def keeps_beta(rule) -> bool:
    """Whether the number that the covector is multiplied by in a step is beta."""
    p = point(rule, 0).parameters()
    return bool(p.beta == rule.covector.kept(p))


@dataclass(frozen=True)
class Reading:
    """What a step was found to depend on.

    momentum  a buffer is carried over
    decay     where k enters: coupled, decoupled, both or none
    shrinks   the term "q" of q' is not q itself, whatever it is multiplied by
    signed    the gradient enters by its signs alone;  maximize  with the other sign
    mixes     q'_i depends on another component than i, at the same gradient
    moves     how q' - s q depends on the new buffer w and the force: "by" w itself, "along" w, "ahead" where
              it is r w - m b f, "" for anything else
    """

    momentum: bool
    decay: str
    shrinks: bool
    signed: bool
    maximize: bool
    mixes: bool
    moves: str


def reads_metric(rule) -> bool:
    """Whether a step depends on G."""
    at = point(rule, 0)
    other = replace(at, p=at.p | {"G": [x + 1 for x in at.p["G"]]})
    return not same(updated(rule, at), updated(rule, other))


def reads_number(rule, name: str) -> bool:
    """Whether a step, or what it knows of its number, depends on a parameter."""
    at = point(rule, 0)
    return bool(known_by(rule, name)) or not same(updated(rule, at), updated(rule, another(rule, at, name)))


def known_by(rule, name: str) -> set[str]:
    """The names of what a step knows of its number that depend on a parameter."""
    halves = dict.fromkeys((*COMMON, "kappa", *(x.name for x in rule.extra)), 0.5)
    knows = lambda **other: rule.known(2, SimpleNamespace(**{**halves, **other})) if rule.known else {}
    here, there = knows(), knows(**{name: 0.25})
    return {x for x in here if here[x] != there[x]}


def another(rule, at: Point, name: str) -> Point:
    """The point with another value of a parameter, and of what a step knows by it."""
    return replace(at, p=at.p | {x: at.p[x] + 1 for x in (name, *known_by(rule, name))})


def same(a, b) -> bool:
    """Whether two (q', buffers') are equal."""
    flat = lambda x: [y for part in (x[0], *x[1]) for y in part]
    return all(x == y for x, y in zip(flat(a), flat(b), strict=True))


def read(rule) -> Reading:
    """The reading of a rule, off its lines."""
    at = point(rule, 0)
    changed = lambda **what: replace(at, **what)
    more = lambda xs: tuple(x + 1 for x in xs)
    k = another(rule, at, "k")
    _, new = updated(rule, at)
    left = lambda at: rule.terms(*at.state, new, list(at.g), at.parameters(), XP)[0]["q"]
    in_buffer = not same(([], new), ([], updated(rule, k)[1]))
    in_q = not same((summed(rule, at, new)[0], []), (summed(rule, k, new)[0], []))
    unsigned = same(updated(rule, at, UNSIGNED), updated(rule, changed(g=more(at.g)), UNSIGNED))
    first = 0 if rule.covector is None else rule.buffers.index(rule.covector.buffer)
    older = changed(buffers=tuple(more(b) if i == first else b for i, b in enumerate(at.buffers)))
    carried = not all(x == y for x, y in zip(new[first], updated(rule, older)[1][first], strict=True))
    other = changed(q=(at.q[0], *more(at.q[1:])))
    mixes = not summed(rule, at, new)[0][0] == summed(rule, other, new)[0][0]
    return Reading(
        momentum=carried,
        decay=decaying(in_buffer, in_q, not same((left(at), []), (left(k), []))),
        shrinks=not same((left(at), []), (at.q, [])),
        signed=unsigned,
        maximize=ascending(rule, at),
        mixes=mixes,
        moves=moving(rule, at, new),
    )


def decaying(in_buffer: bool, in_q: bool, in_shrinking: bool) -> str:
    """Where k enters. Of a step that looks ahead coupled decay is in q' too, but not in its term "q"."""
    if in_buffer:
        return "both" if in_shrinking else "coupled"
    return "decoupled" if in_q else "none"


def ascending(rule, at: Point) -> bool:
    """Whether the gradient enters the covector with the sign of an ascent: its force has -g."""
    if rule.covector is None:
        return False
    p, zero = at.parameters(), [Number(0)] * D
    f = lambda g: rule.covector.force(list(at.q), g, p, XP)
    return all(x - y == -z for x, y, z in zip(f(list(at.g)), f(zero), at.g, strict=True))


def moving(rule, at: Point, new: list) -> str:
    """How q moves beside its decay: Reading.moves."""
    c = rule.covector
    if c is None or len(rule.buffers) != 1:
        return ""
    w, p = new[0], at.parameters()
    of_q = rule.terms(*at.state, new, list(at.g), p, XP)[0]
    y = [sum(x, Number(0)) for x in zip(*(v for name, v in of_q.items() if name != "q"), strict=True)]
    shrunk = [x / q for x, q in zip(of_q["q"], at.q, strict=True)]
    if not all(x == shrunk[0] for x in shrunk):
        return ""
    if all(a == b for a, b in zip(y, w, strict=True)):
        return "by"
    ratio = [a / b for a, b in zip(y, w, strict=True)]
    if all(x == ratio[0] for x in ratio):
        return "along"
    pull = c.pulled(list(at.q), list(at.g), p, XP)
    # Of two components r and m are known; the others must have the same.
    det = w[0] * pull[1] - w[1] * pull[0]
    if det == 0:
        return ""
    r, m = (y[0] * pull[1] - y[1] * pull[0]) / det, (w[1] * y[0] - w[0] * y[1]) / det
    ahead = all(r * a - m * b == z for a, b, z in zip(w, pull, y, strict=True))
    return "ahead" if ahead else ""
