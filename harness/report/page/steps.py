"""The figures of the page that follow a run step by step, from what exact laws keep of their trajectories."""

from __future__ import annotations

import math

from noether.report.figures import steps
from noether.report.law_table import titled
from noether.report.table import number
from noether.verdicts.record import Record

CHARGES, PATHS, TOGETHER = 48, 3, 4  # drawings and cases at most, and rules on one drawing
NARROW = ("bfloat16", "float16", "float32", "float64")
"""Where a charge is looked at: the bound of a narrow type can be seen."""


def growth(law: str, records: list[Record]) -> dict | None:
    """What a law spends as the steps go by, the worst of each precision; None where no record says it."""
    found: dict[str, list[float]] = {}
    for r in records:
        mine = r.data.get("growth")
        if isinstance(mine, list) and all(isinstance(x, int | float) for x in mine):
            worst = found.setdefault(r.precision, [])
            worst += [0.0] * (len(mine) - len(worst))
            worst[: len(mine)] = [max(a, b) for a, b in zip(worst, mine, strict=False)]
    svg = steps.growth(found, f"{law}: spent against the step")
    if not svg:
        return None
    caption = "Spent against the step, the largest of all records of each precision: it must stay below the "
    return {"svg": svg, "caption": f"{caption}line however far a run goes."}


def charges(real: list[Record]) -> list[dict]:
    """A small drawing of J for each rule and kind of symmetry, where the bound is best to be seen."""
    best: dict[tuple[str, str], Record] = {}
    for r in real:
        if seen(r) and (key := (r.rule, kind(r))) and (key not in best or rank(r) > rank(best[key])):
            best[key] = r
    out = []
    for (rule, symmetry), r in sorted(best.items()):
        trace = r.data["charge"]
        values = (trace[name] for name in ("steps", "measured", "predicted", "bound"))
        svg = steps.charge(*values, r.precision, f"{r.law}: J of {symmetry} under {rule} on {r.case}")
        if svg:
            about = f"{r.case}, {r.precision}; {r.law} {titled(r.law)}, spent {number(r.spent)}"
            out.append({"svg": svg, "rule": rule, "symmetry": symmetry, "about": about})
    return out[:CHARGES]


def kind(r: Record) -> str:
    """The kind of a symmetry: rotation-01 and rotation-12 are one."""
    return str(r.symmetry or "").split("-")[0]


def seen(r: Record) -> bool:
    """Whether a record holds a charge over steps, whole."""
    trace = r.data.get("charge")
    if not isinstance(trace, dict) or r.law == "D3":  # D3 says of some of these charges what D2 says of all
        return False
    lists = [trace.get(name) for name in ("steps", "measured", "predicted", "bound")]
    return all(isinstance(x, list) and len(x) == len(lists[0] or ()) for x in lists)


def rank(r: Record) -> tuple:
    """How good a record is to look at: a narrow type, few steps of rest, a charge that moves."""
    base = r.precision.partition("/")[0]
    narrow = -NARROW.index(base) if base in NARROW else -len(NARROW)
    ys = [y for y in r.data["charge"]["measured"] if isinstance(y, int | float) and math.isfinite(y)]
    size = max(map(abs, ys), default=0.0)
    moves = (max(ys) - min(ys)) / size if size else 0.0
    return round(min(moves, 1.0), 1), narrow, "/" not in r.precision, len(ys), r.case


def paths(real: list[Record]) -> list[dict]:
    """Cases with two parameters: where each rule goes in their plane, and each parameter beside its
    displacement."""
    found: dict[str, dict[str, Record]] = {}
    for r in sorted(real, key=lambda r: (r.case, r.rule, r.precision != "float64", r.precision)):
        if is_path(r.data.get("path")):
            found.setdefault(r.case, {}).setdefault(r.rule, r)
    out = []
    for case, by_rule in list(found.items())[:PATHS]:
        chosen = dict(list(by_rule.items())[:TOGETHER])
        types = ", ".join(sorted({r.precision for r in chosen.values()}))
        plane = {rule: tuple(r.data["path"][:2]) for rule, r in chosen.items()}
        told = f"{case}: where the two parameters go, each curve from its ring ({types})."
        phase = {f"{rule}, q{i + 1}": r.data["path"][i::2] for rule, r in chosen.items() for i in (0, 1)}
        beside = f"{case}, its phase portrait: each parameter and its displacement in one step."
        for curves, axes, caption in ((plane, ("q1", "q2"), told), (phase, ("q", "v"), beside)):
            svg = steps.paths(curves, f"{axes[1]} against {axes[0]} on {case}", axes)
            out += [{"svg": svg, "caption": caption}] if svg else []
    return out


def is_path(found) -> bool:
    """Whether something is four lists of as many numbers: q1, q2, v1, v2."""
    is_four = isinstance(found, list) and len(found) == 4 and all(isinstance(x, list) for x in found)
    return is_four and len({len(x) for x in found}) == 1
