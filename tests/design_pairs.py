"""Which pairs of things a plan shows together, and at what cost, so that two planners can be compared.

    python tests/design_pairs.py quick > before.json      with the one version on PYTHONPATH
    python tests/design_pairs.py quick > after.json       with the other
    python tests/design_pairs.py before.json after.json   what the second lacks; exits with 1 if it does

A pair counts for each kind of evidence by itself (exact laws, faults, parity), and for all of them together.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path


def pairs_of(cell) -> set[tuple[str, str, str]]:
    """(what with what, one, other) of a cell that is one launch."""
    out = {
        ("case, rule", cell.case.name, cell.rule),
        ("case, precision", cell.case.name, cell.precision),
        ("rule, precision", cell.rule, cell.precision),
        ("rule, backend", cell.rule, cell.backend),
        ("case, backend", cell.case.name, cell.backend),
        ("precision, backend", cell.precision, cell.backend),
    }
    for law in cell.laws:
        out |= {("law, precision", law, cell.precision), ("law, rule", law, cell.rule)}
    return out | (faults_of(cell) if cell.kind == "faults" else set())


def faults_of(cell) -> set[tuple[str, str, str]]:
    """("fault, law", fault, law) of what the cell shows to its laws."""
    from noether.laws.exact import shown_faults

    job = cell.job()
    shown = {c.name for c in shown_faults.KERNEL_FAULTS if shown_faults.shown(c, job, cell.tag)}
    wrong = {
        (f.name, f.law)
        for f in (() if cell.tag else shown_faults.LAW_FAULTS)
        if f.law in cell.laws and any(f.applies(job.rule, s) for s in cell.case.symmetries)
    }
    return {("fault, law", *x) for x in wrong | {(f, law) for f in shown for law in cell.laws}}


def planned(profile: str) -> dict:
    """What a run of the whole catalogue is planned to show, its cells and their cost by kind."""
    from noether.laws.exact.cell import LaunchCell
    from noether.plan import design
    from noether.plan.choices import Request, select
    from noether.runs.costs import cost

    cells, found = design.cells(select(Request(profile=profile))), defaultdict(set)
    many, seconds = defaultdict(int), defaultdict(float)
    for cell in cells:
        kind = cell.name.split("/")[0]
        many[kind], seconds[kind] = many[kind] + 1, seconds[kind] + cost(cell)
        if isinstance(cell, LaunchCell):
            for what, *pair in pairs_of(cell):
                found[f"{kind}: {what}"].add(tuple(pair))
                found[f"all: {what}"].add(tuple(pair))
    names, pairs = sorted(c.name for c in cells), {k: sorted(x) for k, x in sorted(found.items())}
    costs = {k: round(x, 2) for k, x in seconds.items()}
    return {"profile": profile, "cells": dict(many), "cost": costs, "names": names, "pairs": pairs}


def compare(before: dict, after: dict) -> int:
    """Prints the table; 1 where a pair of the first is not in the second."""
    lost = 0
    for of in ("cells", "cost"):
        a, b = before[of], after[of]
        changed = [f"{k} {a.get(k, 0)} -> {b.get(k, 0)}" for k in (a | b) if a.get(k) != b.get(k)]
        print(f"{of}: {sum(a.values()):.6g} -> {sum(b.values()):.6g}; {', '.join(changed) or 'equal'}")
    for what in before["pairs"] | after["pairs"]:
        a, b = ({tuple(x) for x in p["pairs"].get(what, ())} for p in (before, after))
        print(f"{what:34} {len(a):5} -> {len(b):5}   lost {len(a - b)}")
        lost += len(a - b)
        for pair in sorted(a - b):
            print("   lost:", *pair)
    gone, new = (sorted({*p["names"]} - {*q["names"]}) for p, q in ((before, after), (after, before)))
    print(f"names: {len(gone)} gone, {len(new)} new")
    if "--names" in sys.argv:
        print(*(f"- {x}" for x in gone), *(f"+ {x}" for x in new), sep="\n")
    return int(lost > 0)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(compare(*(json.loads(Path(x).read_text()) for x in sys.argv[1:3])))
    json.dump(planned(sys.argv[1]), sys.stdout, indent=0)
