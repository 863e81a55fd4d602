"""From a choice of cases, laws and rules to the cells of a run, in order, and what must be told of them."""

from __future__ import annotations

from noether.kernels.loops.launch import BackendMissing
from noether.mechanics.wide import require_wide
from noether.plan import large, unread
from noether.plan.choices import Selection
from noether.plan.refusals import why
from noether.runs import launchsize
from noether.runs.result import Plan
from noether.system import compilers
from noether.system.usage import UsageError


def plan(selection: Selection) -> Plan:
    """The plan of a selection. Raises BackendMissing, and UsageError when it is empty or leaves out a law
    asked for."""
    from noether.plan import design as planning

    require_wide()
    backend = planning.backend_of(selection.backend)
    cells = planning.cells(selection)
    launchsize.check(cells, selection.overrides)
    names = [c.name for c in cells]
    if len(set(names)) < len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise RuntimeError(f"two cells are named {twice[0]}: names must differ, or a resumed run loses one")
    covered = {law for c in cells for law in c.laws}
    absent = {x: reason for x in selection.laws if x not in covered and (reason := planning.not_here(x))}
    # With nothing narrowed every law must have cells: a law that lost them is blind, not left out.
    laws = tuple(x for x in selection.laws if x in covered or not (selection.asked or x in absent))
    missing = tuple(x for x in selection.laws if x not in laws)
    if missing and ("laws" in selection.asked or not laws):
        if missing[0] in absent:
            raise BackendMissing(f"law {missing[0]} is not here: {absent[missing[0]]}")
        raise UsageError(
            f"law {', '.join(missing)} covers nothing of this choice: {why(missing[0], selection)}"
        )
    notes = large.told(selection.laws, large.parted(selection)[1])
    notes += units_and_steps(selection, stepped=any(c.laws[0][0] in "DEB" for c in cells))
    notes += [
        f"law {', '.join(law for law in absent if absent[law] == reason)} is not here: {reason}"
        for reason in dict.fromkeys(absent.values())
    ]
    notes += [line for line in (planning.slower(selection.backend),) if line]
    notes += compilers.told(cells)
    return Plan(selection, cells, laws, missing, backend, [*notes, *unread.check(selection, cells, laws)])


def units_and_steps(selection: Selection, *, stepped: bool) -> list[str]:
    """The notes on units for cases that are not in the catalogue, and on step sizes where any are taken."""
    from noether.cases import CATALOG
    from noether.mechanics import own_units, sweep

    own = [case for case in selection.cases if case not in CATALOG]
    said = lambda case: (own_units.told(case), sweep.told(case) if stepped else "")
    return [line for case in own for line in said(case) if line]
