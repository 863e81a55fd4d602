"""The cells that are one launch each: exact laws, faults, scale covariance, response, parity of backends.

What is shown is what `coverage.TABLE` asks for, at the cheapest points. A quick run looks closely at the core
cases and glances at the others; a full one takes every case under every rule.
"""

from __future__ import annotations

from functools import cached_property, partial
from itertools import product

from noether.cases import CORE
from noether.cases.case import Case
from noether.cases.rules import OWN, RULES
from noether.kernels.loops import launch
from noether.kernels.programs.trace import gradient
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.mechanics.sweep import WIDE_LANES
from noether.plan import faulty, parity
from noether.plan.cover import cover
from noether.plan.coverage import (
    TABLE,
    Point,
    heavy_ball,
    laws_at,
    mode_of,
    moves,
    operations,
    own,
    plain,
    shared,
)

LANES = {"quick": 61, "full": 251, "stress": 1021}
LESS = {"quick": "glance", "full": "quick", "stress": "full"}
"""One depth less: how the cases beside the core are looked at."""
GLANCE = 16  # steps of a launch that is glanced at
FEW, SHORT = 41, 32  # lanes and steps of a rule of its own kind in a quick run
SMALLEST = 4  # cases on which rules of their own kind are shown in reduced modes
ALL = 16  # points: of so few a quick run takes all


def depths(selection) -> list[tuple[tuple[Case, ...], str]]:
    """The core cases with the profile, the others with one less. A case that is asked for by name is core."""
    if "cases" in selection.asked:
        return [(tuple(selection.cases), selection.profile)]
    core = tuple(c for c in selection.cases if c in CORE)
    rest = tuple(c for c in selection.cases if c not in CORE)
    both = ((core, selection.profile), (rest, LESS[selection.profile]))
    return [(cases, depth) for cases, depth in both if cases]


def glanced(points: list[Point]) -> list[Point]:
    """One stored point a case; rules without an option and types take turns from case to case."""
    out, names = [], list(dict.fromkeys(p[0].name for p in points))
    for turn, name in enumerate(names):
        mine = [p for p in points if p[0].name == name and mode_of(p) == "stored" and plain(p)]
        if mine:
            rules, types = (list(dict.fromkeys(p[i] for p in mine)) for i in (1, 2))
            out.append(next(p for p in mine if p[1:] == (rules[turn % len(rules)], types[turn % len(types)])))
    return out


def smallest(cases) -> list[Case]:
    """A few cases with the shortest gradients, those of them that have a charge under a symmetry."""
    return sorted((c for c in cases if c.symmetries), key=lambda c: gradient(c).length)[:SMALLEST]


class Launches:
    """The plan of a selection on one backend, each kind of evidence a property or a method."""

    def __init__(self, selection, backend: str):
        self.selection, self.backend = selection, backend
        self.full = selection.profile != "quick"
        self.exact_laws = tuple(k for k in selection.laws if k in EXACT)
        overrides = tuple(sorted(selection.overrides.items()))
        self.size = {k: v for k, v in overrides if k in ("lanes", "steps")}
        self.values = tuple((k, v) for k, v in overrides if k not in self.size)

    def may(self, p: Point) -> bool:
        """Whether a point may be shown: one that stands still only where its precision is asked for."""
        return "precisions" in self.selection.asked or moves(*p)

    def cover(self, points, requirements, cost=operations) -> list[Point]:
        """The cheapest of these points that show what is required, of those that may be shown."""
        return cover(points, requirements, cost, self.may)

    def points(self, cases, depth: str) -> list[Point]:
        """The points of some cases, whether they may be shown or not: that is asked of those alone that would
        be, for it takes a launch.

        Rules of their own kind are shown in stored types, but for the user's own, and in a full run on the
        smallest cases. A glance sees stored types alone.
        """
        s = self.selection
        kinds = [p for p in s.precisions if depth != "glance" or "/" not in p]
        found = [
            (case, rule, precision)
            for case, precision in product(cases, kinds)
            for rule in rules_of(case, s.rules)
        ]
        if "precisions" in s.asked:
            return found
        taken = lambda rule: smallest([c for c in cases if rule in rules_of(c, (rule,))]) if self.full else ()
        few = {rule: taken(rule) for rule in s.rules}
        every = lambda p: shared(p) or p[0] in few[p[1]] or p[1] in OWN
        return [p for p in found if every(p) or mode_of(p) == "stored"]

    @cached_property
    def every(self) -> tuple[list[Point], list[Point]]:
        """All points of the core cases, and of the others."""
        found = {depth: self.points(cases, depth) for cases, depth in depths(self.selection)}
        return tuple(found.get(d, []) for d in (self.selection.profile, LESS[self.selection.profile]))

    @cached_property
    def core(self) -> list[Point]:
        """The points of the core cases."""
        return [p for p in self.every[0] if shared(p)]

    @cached_property
    def own(self) -> list[Point]:
        """The points of rules of their own kind: of stored types, where any is chosen; of cases that are not
        core those that show what no core case does."""
        has_stored = any("/" not in name for name in self.selection.precisions)
        kept = lambda p: own(p) and (mode_of(p) == "stored" or self.full or not has_stored and self.may(p))
        core, others = ([p for p in points if kept(p)] for points in self.every)
        if not self.full:
            shown = {(p[1], law) for p in core for law in laws_at(*p)}
            others = [p for p in others if not {(p[1], law) for law in laws_at(*p)} <= shown]
        return core + others

    @cached_property
    def others(self) -> list[Point]:
        """The points of the other cases."""
        return [p for p in self.every[1] if shared(p)]

    def of(self, kind: str, points, cost=operations, always: bool = False) -> list[Point]:
        """What the table asks of a kind of evidence, chosen among these points."""
        return self.cover(points, TABLE.get((kind, "full" if self.full or always else "quick"), ()), cost)

    # ---- which points

    @cached_property
    def scaled(self) -> list[Point]:
        """The points where D13 is judged."""
        euclidean = [p for p in self.core if RULES[p[1]].metric == "euclidean"]
        return self.of("covariance", [p for p in euclidean if p[0].scale_free and mode_of(p) == "stored"])

    @cached_property
    def broken(self) -> list[Point]:
        """The points where E1 is judged; in a quick run in float64, on the three shortest gradients."""
        mine = self.of("response", self.core, always=True)
        return mine if self.full else sorted((p for p in mine if p[2] == "float64"), key=operations)[:3]

    @cached_property
    def briefly(self) -> list[Point]:
        """Where the exact laws of a quick run are judged on the core cases."""
        return self.cover(self.core, TABLE["exact", "quick"])

    @cached_property
    def judged(self) -> list[Point]:
        """Where the exact laws are judged on the core cases."""
        if self.full:
            return self.of("exact", self.core)
        return [p for p in self.core if self.may(p)] if len(self.core) <= ALL else self.briefly

    @cached_property
    def special(self) -> list[Point]:
        """Where rules of their own kind are shown: core or not, where their laws are; those of the user's own
        in every precision."""
        theirs = [p for points in self.every for p in points if p[1] in OWN]
        return list(dict.fromkeys([*self.of("exact", self.own), *self.of("theirs", theirs)]))

    @cached_property
    def compiled(self) -> list[Point]:
        """Those of `special` that are compiled and compared, the others run in numpy."""
        return self.of("native", self.special)

    @cached_property
    def wide(self) -> list[Point]:
        """Where a launch has many blocks of lanes, which no case changes: once, if none is asked for."""
        mine = [p for p in self.core if heavy_ball(p) and p[2] == "float32"]
        return sorted(mine, key=operations)[:1] if "cases" not in self.selection.asked else []

    # ---- cells

    def cell(self, p: Point, kind: str, laws, **about) -> LaunchCell:
        """The cell of a point.  about  fields of it that are not those of the selection"""
        case, rule, precision = p
        if kind in ("exact", "faults"):
            laws = tuple(k for k in laws if EXACT[k].concerns(case, RULES[rule], precision))
            if kind == "faults" and laws and "D0" not in laws:
                # Some faults only the update itself can see: a narrowed choice must not call them survivors.
                laws = ("D0", *laws)
        size = {"lanes": LANES[self.selection.profile], "steps": 0} | self.size
        usual = {"backend": self.backend, "seed": self.selection.seed, **size}
        usual["overrides"] = self.values if kind == "exact" else ()
        return LaunchCell(case, rule, precision, kind=kind, laws=tuple(laws), **{**usual, **about})

    def exact(self) -> list[LaunchCell]:
        """The cells of the exact laws."""
        cell = partial(self.cell, kind="exact", laws=self.exact_laws)
        out = [cell(p) for p in self.judged] + self.beside(cell)
        if "lanes" not in self.size:
            out += [cell(p, lanes=WIDE_LANES, steps=2, tag="wide") for p in self.wide]
        for p in self.special:
            small = {"lanes": FEW, "steps": 0 if RULES[p[1]].scheduled else SHORT}
            where = self.backend if p in self.compiled else "numpy"
            out.append(cell(p, backend=where, **({} if self.full or self.size else small)))
        # Of a size that was asked for, a glance at a rule of its own kind is a launch that is there already.
        return [c for i, c in enumerate(out) if c not in out[:i]]

    def beside(self, cell) -> list[LaunchCell]:
        """The cases beside the core: quick a glance in numpy; full a cover, of which some are compiled."""
        if not self.full:
            steps = self.size.get("steps") or GLANCE
            return [cell(p, backend="numpy", steps=steps) for p in glanced(self.others)]
        shown = self.of("others", self.others)
        native, few = self.of("native", shown), self.size.get("lanes", LANES["quick"])
        return [cell(p, lanes=few, backend=self.backend if p in native else "numpy") for p in shown]

    def faults(self) -> list[LaunchCell]:
        """The cells that show planted faults, in numpy; also those of a wide launch, of any step, and late
        ones."""
        cell = partial(self.cell, kind="faults", backend="numpy")
        out, points = [], [*self.core, *self.own]
        for where in (points, faulty.resolving(points)):
            laws = faulty.speaking(self.exact_laws, points)
            near = faulty.near_faults(where, laws, self.full, self.cover)
            out += [cell(p, laws=laws, lanes=61 if shared(p) else FEW, steps=12) for p in near]
        if self.full:
            out += [cell(p, laws=self.exact_laws, lanes=61, steps=12) for p in glanced(self.others)[::2]]
        out += [cell(p, laws=("D0",), lanes=WIDE_LANES, steps=2, tag="wide") for p in self.wide]
        placed = faulty.placed(self.core, self.cover)
        out += [cell(p, laws=("D0",), lanes=61, steps=0, tag="placed") for p in placed]
        still = (("eps", 0.0),)
        return out + [
            cell(p, laws=self.exact_laws, lanes=faulty.LATE_LANES, steps=0, tag="late", overrides=still)
            for p in faulty.late([*self.core, *self.special], self.cover)
        ]

    def parity(self) -> list[LaunchCell]:
        """The cells of B1."""
        if self.selection.backend == "numpy":
            return []  # nothing to compare; where it was merely the best that is here, there is
        return parity.cells(self, [b for b in launch.BACKENDS[1:] if not launch.missing(b)])

    def cells(self) -> list[LaunchCell]:
        """Every cell of the laws that are asked for."""
        out = self.exact() + self.faults() if self.exact_laws else []
        if "D13" in self.selection.laws:
            out += [self.cell(p, "covariance", ("D13",), overrides=(("eps", 0.0),)) for p in self.scaled]
        if "E1" in self.selection.laws:
            out += [self.cell(p, "response", ("E1",)) for p in self.broken]
        return out + (self.parity() if "B1" in self.selection.laws else [])


def discrete(selection, backend: str) -> list[LaunchCell]:
    """The plan of a selection on a backend."""
    return Launches(selection, backend).cells()
