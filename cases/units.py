"""Under which changes of scale a learning rule goes its way again: read off its lines, by their units.

A rule is covariant under a change of scale where its lines are right as an equation between quantities with
units is: what is added, compared or stored in one place has one unit, and what is exponentiated has none
(Bridgman, 1922, chapter 4). So `update` is run on numbers that are nothing but the power of a in their unit,
a form in the unknown powers of q, of the gradient, of the buffers and of the parameters. Each sum gives an
equation between them, and what solves all of them is every change of scale that the rule has.

    f -> a f     the gradient times a, q as it is                                            (1)
    q -> a q     q times a, the gradient over a: the loss is f(q / a)                        (2)
    g_0 -> a g_0 the first component of the gradient alone times a                           (3)

What must be scaled along follows: eta, decay, stability, buffers. Under (1) eta stays as it is where a rule
reads no size of the gradient. Known numbers of a step have no unit, nor has a metric of the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from types import SimpleNamespace

from noether.cases.rule import Rule

LOSS, PLACE, ONE = "f -> a f", "q -> a q", "g_0 -> a g_0"
CHANGES = (LOSS, PLACE, ONE)
"""(1), (2), (3)."""
LAST = ("stability", "k", "eta")
"""Which powers are read off before those of further parameters, which stay as they are where they may."""


@dataclass(frozen=True)
class Scaling:
    """A change of scale that a rule has: everything times a to its power.

    powers   by name: q[0], g[0], v[0] of each buffer, and parameters; a power that is not there is 0
    fine     the least n for which every root of the lines is taken of an even power of a = 2^n: then no
             number of a step has other bits than before
    """

    change: str
    powers: dict[str, Fraction]
    fine: int

    def told(self) -> dict[str, Fraction]:
        """The powers by letters and names of parameters; of a buffer that of its first number."""
        return {x.partition("[")[0]: y for x, y in self.powers.items() if "[" not in x or x.endswith("[0]")}

    def power(self, name: str) -> int:
        """The power of 2 that a name is multiplied by where a = 2^fine."""
        return int(self.powers.get(name, 0) * self.fine)


class Zero(ArithmeticError):
    """A step divides by a parameter that is 0."""


class Sized:
    """A number of which nothing is known but its unit: {unknown: share} of the power of a.

    form  None for 0, which has every unit
    """

    __slots__ = ("form", "rules")

    def __init__(self, form: dict | None, rules: Rules):
        self.form, self.rules = form, rules

    def lift(self, other) -> Sized:
        if isinstance(other, Sized):
            return other
        return Sized(None if other == 0 else {}, self.rules)

    def sum(self, other) -> Sized:
        other = self.lift(other)
        if self.form is None:
            return other
        self.rules.same(self.form, other.form)
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = sum

    def __mul__(self, other) -> Sized:
        other = self.lift(other)
        if self.form is None or other.form is None:
            return Sized(None, self.rules)
        return Sized(combined(self.form, other.form, 1), self.rules)

    def __truediv__(self, other) -> Sized:
        other = self.lift(other)
        if other.form is None:
            raise Zero("a step divides by a parameter that is 0")
        return self if self.form is None else Sized(combined(self.form, other.form, -1), self.rules)

    def __rtruediv__(self, other) -> Sized:
        return self.lift(other) / self

    def __pow__(self, power: int) -> Sized:
        return self if self.form is None else Sized({x: power * c for x, c in self.form.items()}, self.rules)

    def __neg__(self) -> Sized:
        return self

    __rmul__, __pos__ = __mul__, __neg__


def combined(one: dict, other: dict, sign: int) -> dict:
    """one + sign other, of two forms."""
    out = dict(one)
    for name, share in other.items():
        out[name] = out.get(name, 0) + sign * share
    return {name: share for name, share in out.items() if share}


class Rules:
    """What the lines of a rule ask of the unknown powers: forms that must be 0, and those of every root."""

    def __init__(self):
        self.zero: set[tuple] = set()
        self.under_roots: set[tuple] = set()

    def same(self, one: dict, other: dict | None) -> None:
        """Two units are one; 0 has any."""
        apart = combined(one, other or {}, -1)
        if other is not None and apart:
            self.zero.add(tuple(sorted(apart.items())))

    def namespace(self) -> SimpleNamespace:
        """The xp of a rule whose numbers have units."""
        number = lambda x: x if isinstance(x, Sized) else Sized(None if x == 0 else {}, self)

        def sqrt(x):
            x = number(x)
            if x.form:
                self.under_roots.add(tuple(sorted(x.form.items())))
            return x if x.form is None else Sized({n: Fraction(c) / 2 for n, c in x.form.items()}, self)

        def plain(x):
            x = number(x)
            if x.form:
                self.same(x.form, {})
            return Sized({}, self)

        unitless = lambda x: number(x) if number(x).form is None else Sized({}, self)
        stored = dict(store=number, store_buffer=number, absolute=number)
        return SimpleNamespace(
            sqrt=sqrt, exp=plain, log=plain, step=unitless, sign=unitless,
            maximum=lambda x, y: number(x) + number(y), **stored,
        )  # fmt: skip


def names_of(rule: Rule, d: int) -> tuple[list[str], list[list[str]], list[str]]:
    """The names of q, of each buffer and of the gradient, a list of d each."""
    each = lambda letter: [f"{letter}[{i}]" for i in range(d)]
    return each("q"), [each(buffer) for buffer in rule.buffers], each("g")


@cache
def asked(rule: Rule, d: int, without: tuple[str, ...] = ()) -> Rules:
    """What the lines of a rule of d parameters ask of the powers; `without` names parameters that are 0."""
    rules = Rules()
    sized = lambda name: Sized({name: 1}, rules)
    q, buffers, g = ([sized(x) for x in names] if isinstance(names[0], str) else
                     [[sized(x) for x in one] for one in names] for names in names_of(rule, d))  # fmt: skip
    p = SimpleNamespace(**{name: Sized({}, rules) for name in rule.known_names}, G=[Sized({}, rules)] * d)
    for name in rule.parameters:
        setattr(p, name, Sized(None, rules) if name in without else sized(name))
    xp = rules.namespace()
    if rule.place:
        rule.place(q, xp)
    new_q, new = rule.update(q, buffers, g, p, xp)
    for old, now in zip((q, *buffers), (new_q, *new), strict=True):
        for x, y in zip(old, now, strict=True):
            y.sum(x)
    return rules


def solved(rules: Rules, given: dict[str, int], order: Sequence[str]) -> dict[str, Fraction] | None:
    """The powers that solve all equations with some of them given, None where there are none.

    order  the unknown ones: where the equations leave a choice, the later ones are 0
    """
    place = {name: i for i, name in enumerate(order)}
    pivots: dict[str, dict] = {}
    for equation in rules.zero:
        row = combined({}, dict(equation), 1)
        known = -sum(row.pop(x) * power for x, power in given.items() if x in row)
        row = {**row, "": known} if known else row  # sum of row = known
        for name in sorted((x for x in row if x), key=place.get):
            if name in pivots and name in row:
                row = combined(row, pivots[name], -row[name])
        first = min((x for x in row if x), key=place.get, default=None)
        if first is None:
            if row:
                return None
            continue
        row = {x: Fraction(c) / row[first] for x, c in row.items()}
        pivots = {x: combined(r, row, -r[first]) if first in r else r for x, r in pivots.items()}
        pivots[first] = row
    found = {name: pivots[name][""] for name in order if pivots.get(name, {}).get("")}
    return found | {name: Fraction(power) for name, power in given.items() if power}


@cache
def scaling(rule: Rule, d: int, change: str, without: tuple[str, ...] = ()) -> Scaling | None:
    """The change of scale of a rule of d parameters, None where its lines have none.

    without  names of parameters that are 0; a rule that divides by one of them has none either
    """
    q, buffers, g = names_of(rule, d)
    given = {name: 0 for name in (*q, *g)}
    if change == PLACE:
        given |= {name: 1 for name in q} | {name: -1 for name in g}
    elif change == LOSS:
        given |= {name: 1 for name in g}
    else:
        given |= {g[0]: 1, "eta": 0}
    rest = [x for x in rule.parameters if x not in LAST]
    order = [*(x for buffer in buffers for x in buffer), *LAST, *rest]
    order = [x for x in order if x not in given and x not in without]
    try:
        rules = asked(rule, d, without)
    except Zero:
        return None
    powers = solved(rules, given, order)
    if powers is None:
        return None
    roots = [sum(c * powers.get(x, 0) for x, c in form) / 2 for form in rules.under_roots]
    return Scaling(change, powers, lcm(1, *(Fraction(x).denominator for x in (*powers.values(), *roots))))
