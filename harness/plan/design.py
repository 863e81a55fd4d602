"""The design of a run: the laws, and the cells that show a selection, in order.

Quick is a covering array over the core cases: each of them under each rule and in each stored type, each rule
in each
other mode, each precision. Full is their whole product in the stored mode, each eager and mixed precision on
every case
and under every rule, longer sweeps. The other cases of the catalogue are shown one depth less: in quick a
glance, one
rule and precision each in numpy, in full a covering array. A case that is asked for by name is core.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

from noether.cases import CORE
from noether.cases.case import Case
from noether.cases.rules import RULES as RULE_TABLE
from noether.faults.covering import cover
from noether.kernels.loops import launch
from noether.kernels.programs.precision import MODES
from noether.kernels.programs.precision import PRECISIONS as TYPES
from noether.kernels.programs.trace import gradient
from noether.laws.exact import EXACT, controls
from noether.laws.exact.cell import DiscreteCell, rules_of
from noether.laws.registry import FAMILIES, LAWS  # noqa: F401  (LAWS: choices and reports ask the plan)
from noether.plan import rarities
from noether.plan.parity import GLANCE, WIDE_LANES, full_or_first, parity
from noether.plan.parity import not_here as parity_not_here

RULES: tuple[str, ...] = tuple(RULE_TABLE)
PRECISIONS: tuple[str, ...] = tuple(
    t if m == "stored" else f"{t}/{m}" for m in MODES for t in TYPES if m == "stored" or t in TYPES[2:]
)
LATE_LANES = 13  # in which each law is shown late faults
LANES = {"quick": 61, "full": 251, "stress": 1021}


def backend_of(name: str) -> str:
    """'auto' resolved. Raises launch.BackendMissing where the backend asked for is not here."""
    if name == "auto":
        return launch.automatic()
    reason = launch.missing(name)
    if reason:
        raise launch.BackendMissing(f"backend {name} is not here: {reason}")
    return name


def slower(name: str) -> str:
    """The note where 'auto' had to choose numpy, with the reason; else ''."""
    return launch.slower() if name == "auto" else ""


LESS = {"quick": "glance", "full": "quick", "stress": "full"}
"""One depth less: how the cases beside the core are looked at."""


def depths(selection) -> list[tuple[tuple[Case, ...], str]]:
    """The core cases with the profile, the others with one less."""
    if "cases" in selection.asked:
        return [(tuple(selection.cases), selection.profile)]
    core = tuple(c for c in selection.cases if c in CORE)
    rest = tuple(c for c in selection.cases if c not in CORE)
    return [
        (cases, depth)
        for cases, depth in ((core, selection.profile), (rest, LESS[selection.profile]))
        if cases
    ]


Point = tuple[Case, str, str]


def covering(points: list[Point], full: bool) -> list[Point]:
    """Greedily: each (case, rule), (case, stored type), (law, stored type), (rule, other mode) and precision
    at least once.

    Full: every point in the stored mode, and of the other modes each with every case and with every rule.
    """
    if full:
        modes = [p for p in points if "/" in p[2]]
        return [p for p in points if "/" not in p[2]] + (
            cover(modes, lambda c, r, p: {(c.name, p), (r, p)}) if modes else []
        )
    if len(points) <= 16:
        return points
    points = sorted(
        points, key=lambda p: len(gradient(p[0]).ops)
    )  # of equals the smallest program: it compiles soonest
    ready = [*scaled(points, full), *broken(points, full)]  # compiled for D13 and E1 anyway
    return cover(points, pairs_of, ready)


def glanced(points: list[Point]) -> list[Point]:
    """One stored point a case; rules and types take turns from case to case."""
    out, names = [], list(dict.fromkeys(p[0].name for p in points))
    for turn, name in enumerate(names):
        mine = [p for p in points if p[0].name == name and "/" not in p[2] and not RULE_TABLE[p[1]].optional]
        if mine:
            rules, types = (list(dict.fromkeys(p[i] for p in mine)) for i in (1, 2))
            out.append(next(p for p in mine if p[1:] == (rules[turn % len(rules)], types[turn % len(types)])))
    return out


def scaled(points: list[Point], full: bool) -> list[Point]:
    """Where D13 is judged: all that it covers; quick: each case and each stored type at least once."""
    mine = [
        (c, r, p)
        for c, r, p in points
        if c.scale_free
        and "/" not in p
        and RULE_TABLE[r].metric == "euclidean"
        and (full or r == "heavy-ball")
    ]
    return mine if full else cover(mine, lambda c, r, p: {c.name, p}) if mine else []


def broken(points: list[Point], full: bool) -> list[Point]:
    """Where E1 is judged; quick: on the three shortest gradients."""
    mine = [
        (c, r, p) for c, r, p in points if r == "heavy-ball" and (p == "float64" or (full and p == "float32"))
    ]
    return mine if full else sorted(mine, key=lambda p: len(gradient(p[0]).ops))[:3]


@cache
def pairs_of(case: Case, rule: str, precision: str) -> set[tuple[str, str]]:
    """What a point covers. A rule with an option: its laws and a narrow store, on any case; the others on
    every case."""
    if RULE_TABLE[rule].optional:
        about = {(rule, key) for key, law in EXACT.items() if law.concerns(case, RULE_TABLE[rule], precision)}
        return set() if "/" in precision else about | {(rule, width(precision))}
    if "/" in precision:
        kind = "mirror" if RULE_TABLE[rule].log_state else "euclidean"
        return {(case.name, rule), (rule, precision.partition("/")[2]), (kind, precision)}
    laws = {(key, precision) for key, law in EXACT.items() if law.concerns(case, RULE_TABLE[rule], precision)}
    return laws | {(case.name, rule), (case.name, precision)}


def width(precision: str) -> str:
    return "wide" if precision in ("float64", "float32") else "narrow"


def discrete(selection, backend: str) -> list[DiscreteCell]:
    full = selection.profile != "quick"
    lanes, seed = LANES[selection.profile], selection.seed
    exact = tuple(k for k in selection.laws if k in EXACT)
    overrides = tuple(sorted(selection.overrides.items()))
    size = {k: v for k, v in dict(overrides).items() if k in ("lanes", "steps")}
    lanes, steps = size.get("lanes", lanes), size.get("steps", 0)
    values = tuple((k, v) for k, v in overrides if k not in size)
    by_depth = {
        depth: [
            (case, rule, precision)
            for case, precision in product(cases, selection.precisions)
            for rule in rules_of(case)
            if rule in selection.rules
            and ("precisions" in selection.asked or worthwhile(case, rule, precision))
        ]
        for cases, depth in depths(selection)
    }
    every = [by_depth.get(depth, []) for depth in (selection.profile, LESS[selection.profile])]
    points, others = map(rarities.common, every)
    rare = rarities.rare([*every[0], *every[1]], full)
    compiled = cover(rare, lambda c, r, p: {r, p}) if rare else []

    def cell(case, rule, precision, kind, laws, n=lanes, where=backend, horizon=steps, tag="", values=values):
        if kind in ("exact", "controls"):
            laws = tuple(k for k in laws if EXACT[k].concerns(case, RULE_TABLE[rule], precision))
            if kind == "controls" and laws and "D0" not in laws:
                # Some faults only the update itself can see: a narrowed choice must not call them survivors.
                laws = ("D0", *laws)
        return DiscreteCell(case, rule, precision, where, kind, laws, n, seed, horizon, values, tag)

    cells = [cell(*p, "exact", exact) for p in covering(points, full)] if exact else []
    if exact:
        cells += [
            cell(*p, "exact", exact, where="numpy", horizon=steps or GLANCE)
            for p in (() if full else glanced(others))
        ]
        # Beside the core: each stored type on each case, each rule in each precision; of those each case
        # compiled once.
        shown = (
            cover(others, lambda c, r, p: {(r, p), (c.name, p if "/" not in p else "")})
            if full and others
            else []
        )
        native = cover(shown, lambda c, r, p: {c.name, r, p}) if shown else []
        few = size.get("lanes", LANES["quick"])
        cells += [cell(*p, "exact", exact, n=few, where=backend if p in native else "numpy") for p in shown]
        cells += [
            cell(*p, "controls", exact, n=61, where="numpy", horizon=12, values=())
            for p in (glanced(others)[::2] if full else ())
        ]
    if exact and "lanes" not in size:
        cells += [
            cell(c, r, p, "exact", exact, n=WIDE_LANES, horizon=2, tag="wide")
            for c, r, p in points
            if full_or_first(c, r, p)
        ]
    if exact:
        cells += [
            cell(
                *p,
                "exact",
                exact,
                where=backend if p in compiled else "numpy",
                **rarities.size(p, full, size),
            )
            for p in rare
        ]
        homes = rarities.homes(rare)
        cells += [
            cell(*p, "controls", exact, n=rarities.FEW, where="numpy", horizon=12, values=()) for p in homes
        ]
        cells += [
            cell(*p, "controls", exact, n=61, where="numpy", horizon=12, values=())
            for p in near_misses(points, rare, homes, exact, full)
        ]
        cells += [cell(c, r, p, "controls", ("D0",), n=WIDE_LANES, where="numpy", horizon=2, tag="wide",
            values=())
                  for c, r, p in points if full_or_first(c, r, p)]  # fmt: skip
        # At any step of the whole horizon: every kind of fault to D0 once, and what each law must see of it
        # to that law.
        cells += [
            cell(*p, "controls", ("D0",), n=61, where="numpy", horizon=0, tag="placed", values=())
            for p in placed_points(points)
        ]
        cells += [
            cell(
                *p,
                "controls",
                exact,
                n=LATE_LANES,
                where="numpy",
                horizon=0,
                tag="late",
                values=(("eps", 0.0),),
            )
            for p in late_points([*points, *rare])
        ]
    if "D13" in selection.laws:
        cells += [cell(*p, "covariance", ("D13",), values=(("eps", 0.0),)) for p in scaled(points, full)]
    if "E1" in selection.laws:
        cells += [cell(*p, "response", ("E1",), values=()) for p in broken(points, full)]
    if "B1" in selection.laws:
        cells += parity(points, covering(points, False), compiled, selection.backend, full, cell)
    return cells


def not_here(law: str) -> str:
    """Why a law that compares installed packages has nothing to compare, or ''."""
    return parity_not_here() if law == "B1" else ""


def worthwhile(case: Case, rule: str, precision: str) -> bool:
    """bfloat16, every operation rounded: the a-priori gradient bound exceeds a gradient step, a launch would
    prove nothing."""
    return precision != "bfloat16/eager" or (
        case.name in ("mexican-hat", "linear-network") and rule == "heavy-ball-decoupled"
    )


def near_misses(
    points: list[Point], rare: list[Point], homes: list[Point], laws: tuple[str, ...], full: bool
) -> list[Point]:
    """Where controls run beside the homes of the rare rules; in full, in float64, everywhere."""
    points = sorted(points, key=lambda p: len(gradient(p[0]).ops))  # of equals the cheapest
    common = [*(p for p in points if full and p[2] == "float64"), *controls.points(points, laws)]
    common = list(dict.fromkeys(common))
    return common + controls.points([p for p in rare if p not in homes], laws, (*homes, *common))


def placed_points(points) -> list[Point]:
    """Where faults at one place are shown: the smallest program under a rule with momentum and decay, in a
    wide type."""
    wide = [p for p in points if p[2] in ("float64", "float32")] or points
    most = [p for p in wide if p[1] == "heavy-ball"] or wide
    return sorted(most, key=lambda p: (p[2] != "float64", len(gradient(p[0]).ops)))[:1]


def late_points(points) -> list[Point]:
    """Where a law is shown what goes wrong late: each once, under a symmetry that reads the position, on the
    smallest programs."""
    wide = [p for p in points if p[2] == "float64"]

    def reading(case, rule, precision) -> set[str]:
        def reads(law):
            return not law.about_symmetry or any(
                law.suits(RULE_TABLE[rule], s) and (law.key == "D6" or s.matrix.any())
                for s in case.symmetries
            )

        return {
            key
            for key, law in EXACT.items()
            if law.concerns(case, RULE_TABLE[rule], precision) and reads(law)
        }

    return cover(sorted(wide, key=lambda p: len(gradient(p[0]).ops)), reading) if wide else []


def cells(selection) -> list:
    """Every cell of a selection, cheapest kinds first. Raises launch.BackendMissing."""
    backend = backend_of(selection.backend)
    out: list = [c for c in discrete(selection, backend) if c.laws]
    # Of numpy alone B1 has nothing to compare.
    wanted = [k for k in selection.laws if k != "B1" or selection.backend != "numpy"]
    for family in FAMILIES:
        module = family.measured()
        for cases, depth in depths(selection):
            found = module.cells(cases, depth, selection.seed, backend)
            asked = [(c, tuple(law for law in c.laws if law in wanted)) for c in found]
            mine = [replace(c, wanted=laws, work=module.run_cell) for c, laws in asked if laws]
            reason = module.missing() if mine and hasattr(module, "missing") else ""
            if reason:
                raise launch.BackendMissing(f"backend {mine[0].backend} is not here: {reason}")
            out += mine
    return out
