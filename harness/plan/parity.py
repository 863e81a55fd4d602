"""The launches whose bits are compared between backends (law B1): a covering array of cases, rules and
precisions."""

from __future__ import annotations

from dataclasses import replace

from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.laws.exact.cell import LaunchCell
from noether.mechanics.sweep import WIDE_LANES
from noether.plan.coverage import Point, mode_of, operations

SHORT = 16  # steps of a comparison in a quick run
INTERPRETED = {"lanes": 33, "steps": 3}


def not_here() -> str:
    """Why nothing can be compared here, or ''. Where Triton is and cannot run, B1 is not excused: it is
    blind."""
    return "" if launch.installed("triton") else launch.missing("triton-ptx")


def cells(plan, backends: list[str]) -> list[LaunchCell]:
    """B1 of a plan of launches on each backend: a few steps of what a quick run judges by exact laws."""
    judged = [*plan.briefly, *plan.own]
    shown, few, out = plan.of("parity", judged), plan.of("interpreted", judged), []
    for b in backends:
        interpreted = b == "triton-interpreted"
        for p in few if interpreted else shown:
            size = INTERPRETED if interpreted else size_of(p, plan.full)
            out.append(plan.cell(p, "parity", ("B1",), backend=b, **size))
        if b not in ("triton-interpreted", "triton-ptx"):
            # The plain step beyond its first block of lanes, which the launches above do not fill; the
            # evaluator of PTX is slow.
            about = {"backend": b, "lanes": WIDE_LANES, "steps": 2, "tag": "wide"}
            out += [plan.cell(p, "parity", ("B1",), **about) for p in plan.wide]
    moving = [p for p in shown if RULES[p[1]].momentum] or shown  # a buffer that remembers
    smallest = min((p for p in moving if mode_of(p) == "stored"), key=operations, default=None)
    return [singled_out(c) if (c.case, c.rule, c.precision) == smallest else c for c in out]


def size_of(point: Point, full: bool) -> dict:
    """Lanes and steps of a comparison: some rules need their own horizon, the others take that of the exact
    laws when full."""
    rule = RULES[point[1]]
    own = full or rule.scheduled or rule.maximize  # what maximises soon overflows, and two NaN are the same
    return {"lanes": 13 if rule.scheduled and not full else 251, "steps": 0 if own else SHORT}


def singled_out(cell: LaunchCell) -> LaunchCell:
    """The cell that is shown wrong PTX too, where this machine executes PTX, and a launch that keeps its last
    states alone."""
    if cell.backend == "triton-interpreted" or cell.tag:
        return cell
    return replace(cell, extra={"untraced": True, "sabotaged": cell.backend in launch.ON_CPU})
