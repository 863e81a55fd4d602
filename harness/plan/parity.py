"""The launches whose bits are compared between backends (law B1): a covering array of cases, rules and
precisions."""

from __future__ import annotations

from dataclasses import replace

from noether.cases.case import Case
from noether.cases.rules import RULES
from noether.faults.covering import cover
from noether.kernels.loops import launch
from noether.kernels.programs.trace import gradient
from noether.laws.exact.cell import DiscreteCell
from noether.mechanics.sweep import WIDE_LANES

Point = tuple[Case, str, str]
GLANCE = 16  # steps of a launch that is glanced at


def not_here() -> str:
    """Why nothing can be compared here, or ''. Where Triton is and cannot run, B1 is not excused: it is
    blind."""
    return "" if launch.installed("triton") else launch.missing("triton-ptx")


def full_or_first(case: Case, rule: str, precision: str) -> bool:
    return case.name == "mexican-hat" and rule == "heavy-ball" and precision == "float32"


def parity(points, exact, rare, asked: str, full: bool, cell) -> list[DiscreteCell]:
    """B1 on every Triton backend that is here, few steps; a case, a rule and a precision at least once each,
    each mode once.

    exact are the points of the exact laws in a quick run, rare those of rare rules, cell makes a cell of a
    point.
    Where numpy alone was asked for there is nothing to compare; where it was merely the best that is here,
    there is.
    """
    backends = [b for b in launch.BACKENDS[1:] if not launch.missing(b)] if asked != "numpy" else []
    first = [
        p for p in exact if "/" not in p[2]
    ]  # these are compiled anyway: of equals, cover takes the first
    rest = [p for p in points if "/" not in p[2] and p not in first]
    chosen = exact if full else cover([*first, *rest], lambda c, r, p: {c.name, r, p})
    modes = [p for p in exact if "/" in p[2] and p not in chosen]
    more = [*(cover(modes, lambda c, r, p: {p}) if modes else []), *rare]
    # The interpreter takes 50 us an operation, and runs on no GPU: few points, few steps.
    few = cover([*chosen, *(more if full else ())], lambda c, r, p: {c.name, r, p}) if chosen or more else []
    cells = []
    for b in backends:
        shown = few if b == "triton-interpreted" else [*chosen, *more]
        size = lambda p, b=b: dict(n=33, horizon=3) if b == "triton-interpreted" else parity_size(p, full)  # noqa: E731
        cells += [cell(*p, "parity", ("B1",), where=b, values=(), **size(p)) for p in shown]
        # The plain step beyond its first block of lanes, which the launches above do not fill; the evaluator
        # of PTX is slow.
        cells += [cell(*p, "parity", ("B1",), where=b, values=(), n=WIDE_LANES, horizon=2, tag="wide")
                  for p in points if full_or_first(*p) and b not in ("triton-interpreted",
                      "triton-ptx")]  # fmt: skip
    moving = [p for p in (*chosen, *more) if RULES[p[1]].momentum] or [
        *chosen,
        *more,
    ]  # a buffer that remembers
    smallest = min(moving, key=lambda p: len(gradient(p[0]).ops), default=None)  # few more kernels to compile
    return [singled_out(c) if (c.subject, c.rule, c.precision) == smallest else c for c in cells]


def parity_size(point: Point, full: bool) -> dict:
    """Lanes and steps of a comparison: some rules need their own horizon, the others take that of the exact
    laws when full."""
    rule = RULES[point[1]]
    own = full or rule.scheduled or rule.maximize  # what maximises soon overflows, and two NaN are the same
    return dict(n=13 if rule.scheduled and not full else 251, horizon=0 if own else GLANCE)


def singled_out(cell: DiscreteCell) -> DiscreteCell:
    """The cell that is shown wrong PTX too, where this machine executes PTX, and a launch that keeps its last
    states alone."""
    if cell.backend == "triton-interpreted" or cell.tag:
        return cell
    return replace(cell, extra={"untraced": True, "sabotaged": cell.backend in launch.ON_CPU})
