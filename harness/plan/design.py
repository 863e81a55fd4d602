"""The design of a run: the laws, and the cells that show a selection, in order.

The cells of one launch each are planned by coverage (launches.py), those of other laws by their families; the
cases beside the core with one depth less.
"""

from __future__ import annotations

from dataclasses import replace

from noether.cases.rules import OWN
from noether.cases.rules import RULES as RULE_TABLE
from noether.kernels.loops import launch
from noether.kernels.programs.precision import MODES
from noether.kernels.programs.precision import PRECISIONS as TYPES
from noether.laws.law import Family
from noether.laws.registry import FAMILIES, GROUPS, LAWS  # noqa: F401  (LAWS: choices and reports ask)
from noether.plan import large
from noether.plan.groups import of_law
from noether.plan.launches import depths, discrete
from noether.plan.parity import not_here as parity_not_here

RULES: tuple[str, ...] = tuple(RULE_TABLE)
PRECISIONS: tuple[str, ...] = tuple(
    t if m == "stored" else f"{t}/{m}" for m in MODES for t in TYPES if m == "stored" or t in TYPES[2:]
)


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


def not_here(law: str) -> str:
    """Why a law that needs installed packages can say nothing here, or ''."""
    if law == "B1":
        return parity_not_here()
    group = of_law(law)
    return GROUPS[group].measured().not_here() if group else ""


def looked_at(family: Family, selection) -> list[tuple[tuple, str]]:
    """The cases that a family is asked about, and how closely; a group of no case once, with none."""
    if not family.group:
        return [] if selection.groups else depths(selection)
    asked = family.group in selection.groups or "cases" not in selection.asked
    return [((), selection.profile)] if asked else []


def cells(selection) -> list:
    """Every cell of a selection, cheapest kinds first. Raises launch.BackendMissing."""
    backend = backend_of(selection.backend)
    whole, (selection, big) = selection, large.parted(selection)
    out: list = [] if selection.groups else [c for c in discrete(selection, backend) if c.laws]
    out += large.cells(whole, backend, big)
    if big and not selection.cases:
        return out
    # Of numpy alone B1 has nothing to compare.
    wanted = [k for k in selection.laws if k != "B1" or selection.backend != "numpy"]
    for family in FAMILIES:
        if not {law.key for law in family.laws} & {*wanted}:
            continue  # what measures a family is seconds of imports, as of sympy
        module = family.measured()
        for cases, depth in looked_at(family, selection):
            found = module.cells(cases, depth, selection.seed, backend)
            asked = [(c, tuple(x for x in c.laws if x in wanted)) for c in found if chosen(c, selection)]
            mine = [replace(c, wanted=laws, work=module.run_cell) for c, laws in asked if laws]
            reason = module.missing() if mine and hasattr(module, "missing") else ""
            if reason:
                raise launch.BackendMissing(f"backend {mine[0].backend} is not here: {reason}")
            out += mine
    return out


def chosen(cell, selection) -> bool:
    """Whether a cell of a family belongs to a selection: one under another rule or in another precision does
    not, but laws of flows take any rule."""
    rules = selection.rules if "rules" in selection.asked else RULES
    precisions = selection.precisions if "precisions" in selection.asked else PRECISIONS
    other_rule = (cell.rule in RULES or cell.rule in OWN) and cell.rule not in rules
    return not other_rule and (cell.precision in precisions or cell.precision not in PRECISIONS)
