"""A few steps of a learning rule on numbers, as a trial takes them: whatever no step may give is told in one
line."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from noether.cases.rule import Parameter, Rule, RuleError
from noether.cases.rule_shapes import check_terms, check_update
from noether.kernels.programs.plain_numbers import Lanes, namespace
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.trace_rule import split
from noether.mechanics.sweep import first, started
from noether.mechanics.trajectory import UNROUNDED
from noether.plan.casefiles.complaint import Origin, told
from noether.plan.casefiles.evaluation import describe
from noether.system.usage import UsageError

LANES, STEPS, KICK = 4, 3, 2.0
NEAR = 1e-6
"""Share of a number by which two ways to compute it may differ: rounding is far less, another step more."""
USUAL = {
    "eta": (2**-7, 2**-4),
    "beta": (0.25, 0.875),
    "k": (2**-7, 2**-4),
    "eps": (0.0, 0.0),
    "kappa": (0.5, 0.5),
}
"""Where the parameters that every rule has are drawn."""
XP, ROUNDED = namespace(Precision("float64"))
"""The namespace xp of a kernel in float64, and what rounds its numbers."""


class Walk:
    """A few steps of a rule on random gradients, in LANES lanes together and then lane by lane.

    kick  the size of the numbers, of either sign, from which the buffer of the covector starts, or the first
          one; the others start from 0, for what they may hold together only the rule itself knows
    """

    def __init__(self, rule: Rule, origin: Origin, dim: int, kick: float = 0.0):
        self.rule, self.dim, self.words = rule, dim, ("q", *rule.buffers)
        self.origin, self.label = origin, origin.label
        self.seen: list[tuple] = []  # (n, what terms is given, what update gave), of steps of one lane
        rng = np.random.default_rng(0)
        draw = lambda low, high, *shape: rng.uniform(low, high, (*shape, LANES))
        self.q, self.g, self.G = draw(0.5, 1.0, dim), draw(-1.0, 1.0, STEPS, dim), draw(1.0, 2.0, dim)
        signs = 1.0 - 2.0 * (np.add.outer(np.arange(dim), np.arange(LANES)) % 2)
        self.v = split(list(started(rule, kick * signs)), dim)
        self.start, self.bears = "from rest", ""
        if kick:
            one = rule.buffers[first(rule)]
            self.start = f"from a kick of {one}, of either sign"
            self.bears = f"; where {one} cannot start so, another buffer must stand first in buffers"
        own = {x.name: ends(x, i) for i, x in enumerate(rule.extra)}
        self.params = {n: own[n] if n in own else draw(*USUAL[n]) for n in rule.parameters}

    def check(self) -> None:
        """Refuse a rule that gives what no step may give. Raises UsageError."""
        together = self.states(slice(None))
        for lane in range(LANES):
            alone, again = (self.states(slice(lane, lane + 1)) for _ in range(2))
            for n, (whole, one, same) in enumerate(zip(together, alone, again, strict=True), 1):
                self.compare(n, whole[..., lane], one[..., 0], same[..., 0])
        for n, given, found in self.seen:
            terms = self.called("terms", lambda given=given: self.rule.terms(*given, UNROUNDED))
            self.shaped(check_terms, terms)
            self.check_sums(terms, found, n)

    def states(self, lanes: slice) -> list[np.ndarray]:
        """The states after each step, (1 + buffers, d, lanes) each. Raises UsageError."""
        at, out = lambda x: [x[i][lanes] for i in range(self.dim)], []
        q = at(self.q)
        buffers = [[x[lanes] for x in buffer] for buffer in self.v]
        for n in range(1, STEPS + 1):
            g, numbers = at(self.g[n - 1]), self.given(n, lanes)
            update = lambda *given: self.rule.update(*given, XP)
            state = (rounding(q), [*map(rounding, buffers)], rounding(g), named(numbers, rounding))
            found = self.numbers(self.called("update", lambda state=state: update(*state)), q, n)
            self.seen.append((n, (q, buffers, found[1:], g, named(numbers, list)), found))
            q, buffers = found[0], found[1:]
            out.append(np.array(found))
        return out

    def given(self, n: int, lanes: slice) -> dict[str, list]:
        """The parameters of some lanes and what step n knows of its number, a list of one each, and under G
        the entries of a metric."""
        known = {name: np.broadcast_to(np.asarray(x, float), LANES) for name, x in self.known(n).items()}
        each = {name: [x[lanes]] for name, x in {**self.params, **known}.items()}
        return {**each, "G": [x[lanes] for x in self.G]}

    def known(self, n: int) -> dict:
        """What step n knows of its number, in LANES lanes. Raises UsageError."""
        if self.rule.known is None:
            return {}
        arrays = "where each parameter is an array with an entry a lane"
        found = self.called("known", lambda: self.rule.known(n, SimpleNamespace(**self.params)), arrays)
        names = ", ".join(map(str, found)) if isinstance(found, dict) else describe(found)
        if not isinstance(found, dict) or tuple(found) != self.rule.known_names:
            must = f"must give {', '.join(self.rule.known_names)}, as in step 1"
            raise UsageError(f"{self.label}: known gives {names} in step {n}: {must}")
        for name, x in found.items():
            if np.shape(x) not in ((), (LANES,)) or not np.isfinite(np.asarray(x, float)).all():
                raise UsageError(
                    f"{self.label}: known gives {name} = {describe(x)} in step {n}, {arrays}: must be a "
                    "finite number, or an array of them with an entry a lane"
                )
        return found

    def called(self, name: str, work: Callable, where: str = ""):
        """What a function of the rule gives; what it raises becomes a UsageError."""
        try:
            with np.errstate(all="ignore"):
                return work()
        except Exception as error:
            at = where or f"at d = {self.dim}"
            raise UsageError(f"{self.label}: {name} {told(error, self.origin)}, {at}") from None

    def shaped(self, check: Callable, found):
        """What a check of cases/rule_shapes.py makes of what a function has given. Raises UsageError."""
        try:
            return check(self.label, self.rule, found, self.dim)
        except RuleError as error:
            raise UsageError(str(error)) from None

    def numbers(self, found, like: list, n: int) -> list[list]:
        """q' and the new buffers of a step, each d finite numbers of the shape of `like`. Raises
        UsageError."""
        shape, out = np.shape(like[0]), []
        new_q, new = self.shaped(check_update, found)
        for word, values in zip(self.words, (new_q, *new), strict=True):
            values = [getattr(x, "x", x) for x in values]
            for i, x in enumerate(values):
                said = f"{self.label}: update gives {word}'[{i}] ="
                at = f"in step {n} {self.start}, at d = {self.dim}"
                if x is None or np.iscomplexobj(x) or np.shape(x) not in ((), shape):
                    raise UsageError(f"{said} {describe(x)} {at}: must be a number of each lane")
                bad = np.flatnonzero(~np.isfinite(np.broadcast_to(np.asarray(x, float), shape)))
                if bad.size:
                    value = float(np.broadcast_to(x, shape)[bad[0]])
                    raise UsageError(f"{said} {value} {at}{self.extra(bad[0])}: must be finite{self.bears}")
            out.append([np.broadcast_to(np.asarray(x, float), shape) for x in values])
        return out

    def extra(self, n: int) -> str:
        """The parameters that the rule alone has, in the n-th lane, in words."""
        return "".join(f", {x.name} = {self.params[x.name][n]:g}" for x in self.rule.extra)

    def check_sums(self, found, update: list[list], n: int) -> None:
        """Refuse terms that do not add up to what update gives. Raises UsageError.

        They were proven equal at one number of parameters; a millionth of them is far more than rounding.
        """
        for word, named, values in zip(self.words, (found[0], *found[1]), update, strict=True):
            terms = [[np.asarray(x, float) for x in term] for term in named.values()]
            for i, x in enumerate(values):
                parts = [term[i] for term in terms if i < len(term)]
                if np.max(np.abs(sum(parts) - x)) > NEAR * np.max(sum(map(np.abs, parts))):
                    raise UsageError(
                        f"{self.label}: the terms of {word}'[{i}] add up to {lane(sum(parts)):.6g} and "
                        f"update gives {lane(x):.6g}, in step {n} at d = {self.dim}: must be the same step"
                    )

    def compare(self, n: int, together: np.ndarray, alone: np.ndarray, again: np.ndarray) -> None:
        """Refuse a step that depends on other lanes, or on more than it is given. Raises UsageError."""
        for word, a, b, c in zip(self.words, together, alone, again, strict=True):
            for i in range(self.dim):
                said = f"{self.label}: update gives {word}'[{i}] ="
                if b[i] != c[i]:
                    raise UsageError(
                        f"{said} {b[i]:.6g} and then {c[i]:.6g} in step {n}: it must depend on what it is "
                        "given alone"
                    )
                if abs(a[i] - b[i]) > NEAR * max(np.max(np.abs(alone)), np.max(np.abs(self.q))):
                    raise UsageError(
                        f"{said} {a[i]:.6g} in an array of {LANES} lanes and {b[i]:.6g} alone, in step {n}: "
                        "a number may be an array with an entry a lane, and must be combined entry by entry"
                    )


def ends(parameter: Parameter, turn: int) -> np.ndarray:
    """The choices of a parameter, or both ends of its domain, in LANES lanes; each parameter begins at
    another turn."""
    return np.roll(np.resize(parameter.choices or (parameter.low, parameter.high), LANES), turn).astype(float)


def rounding(numbers: list) -> list[Lanes]:
    """Arrays as a rule is given them in numpy."""
    return [Lanes(x, ROUNDED) for x in numbers]


def named(numbers: dict[str, list], made: Callable) -> SimpleNamespace:
    """What a rule is given as p, of lists that `made` makes of arrays."""
    one = {name: made(x)[0] for name, x in numbers.items() if name != "G"}
    return SimpleNamespace(**one, G=made(numbers["G"]))


def lane(x) -> float:
    """The number of the first lane."""
    return float(np.ravel(x)[0])
