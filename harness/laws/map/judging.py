"""From findings to records: a cell of the map that disagrees with the table of theory.md section 7 is
violated."""

from __future__ import annotations

import numpy as np

from noether.laws.map import counting, sources
from noether.laws.map.measuring import MOVED, Finding
from noether.laws.map.scenes import Scene
from noether.laws.map.table import CHARGES, COLUMNS, EXACT, NO_CHARGE, PREDICTED, ROWS, Entry
from noether.verdicts import powers
from noether.verdicts.record import BITWISE, HOLDS, INCONCLUSIVE, ORDER, ROUNDING, VIOLATED, Record

LAW = "M1"
CLEAR = 2.0**10
"""Bounds that a drift must be, or its constant is not told."""


def about(cell, **more) -> dict:
    return dict(law=LAW, backend="numpy", precision="float64", cell=cell.name, replay=cell.replay, **more)


def verdict_of(found: Finding, entry: Entry) -> tuple[str, str]:
    """The verdict and, where it is not `holds`, why."""
    if found.moved < MOVED:
        return (
            VIOLATED,
            f"the trajectory moves by {found.moved:.2g} of |q_0|, must move by {MOVED:.2g}: a rule that "
            "stands still keeps everything",
        )
    if found.spent is None:
        return INCONCLUSIVE, ""
    return (HOLDS, "") if found.spent <= 1 else (VIOLATED, f"predicted {entry.label}, measured {found.label}")


def judged(
    cell,
    scene: Scene,
    column: str,
    entry: Entry,
    found: Finding,
    *,
    control: str | None = None,
    lanes: int = 0,
    steps: int = 0,
) -> Record:
    verdict, why = verdict_of(found, entry)
    charge = CHARGES.get((scene.row, entry.charge), entry.charge)
    return Record(
        case=scene.case.name,
        rule=column,
        lanes=lanes,
        steps=steps,
        symmetry=scene.row,
        control=control,
        parameters={
            "charge": charge,
            "label": found.label,
            "predicted label": entry.label,
            "moved": found.moved,
            "drift": found.value,
        },
        predicted=found.predicted,
        measured=found.measured,
        bound=found.bound,
        spent=found.spent,
        verdict=verdict,
        kind=ORDER if entry.order is not None else ROUNDING,
        reason=f"{charge}: {found.label}; {found.evidence}" + (f"; {why}" if why else ""),
        data={}
        if control or not found.drifts
        else {
            "plot": "loglog",
            "x": [float(x) for x in scene.steps(cell.profile)],
            "series": {f"{scene.row}, {column}": list(found.drifts)},
            "xlabel": "step size",
            "ylabel": "relative drift of the charge",
            "caption": f"{charge} under {column}: {found.label}.",
        },
        **about(cell),
    )


def sourced(
    cell,
    scene: Scene,
    column: str,
    entry: Entry,
    run,
    *,
    control: str | None = None,
    of_charge: dict | None = None,
    of_source: dict | None = None,
) -> Record:
    """The drift of a charge against its sources: the constant in front of the order, to rounding."""
    found = sources.pair(run, scene, entry.charge, of_charge=of_charge, of_source=of_source)
    off, size = found.measured - found.predicted, abs(found.predicted).max(axis=0)
    with np.errstate(all="ignore"):
        spent = np.where(off == 0, 0, abs(off) / found.bound).astype(float)
    step, lane = np.unravel_index(int(np.argmax(np.where(np.isnan(spent), np.inf, spent))), spent.shape)
    clear = float(np.median(size / found.bound.max(axis=0)))
    verdict = VIOLATED if not spent[step, lane] <= 1 else HOLDS if clear > CLEAR else INCONCLUSIVE
    at = lambda x: float(x[step, lane])  # noqa: E731
    charge = CHARGES.get((scene.row, entry.charge), entry.charge)
    out = Record(
        case=scene.case.name, rule=column, lanes=len(run.counts), steps=int(run.counts.max()),
        symmetry=f"{scene.row}, source", control=control,
        parameters={"charge": charge, "drift over bound": clear}, predicted=at(found.predicted),
        measured=at(found.measured),
        bound=at(found.bound), spent=at(spent), verdict=verdict, kind=ROUNDING, worst={"lane": int(lane),
        "step": int(step + 1), "component": None},
        reason=f"{charge}: after {step + 1} steps it has moved by {at(found.measured):.9g}, its sources by "
               f"{at(found.predicted):.9g} within {at(found.bound):.1g}; "
        f"its drift is {clear:.1g} bounds",
        **about(cell),
    )  # fmt: skip
    if control is None:
        out.powers = powers_of_sources(run, scene, entry.charge, found)
    return out


def powers_of_sources(run, scene: Scene, charge: str, found) -> dict[str, float]:
    """At the end of each lane."""
    last, lanes = run.counts - 1 - (charge == "energy"), run.lanes
    at = lambda x: x[last, lanes]  # noqa: E731
    off, bound = at(found.measured) - at(found.predicted), at(found.bound)
    out = {"prediction": powers.smallest(off, bound, at(found.predicted))}
    for name, changed in sources.coefficients(run, charge).items():
        moved = sources.pair(run, scene, charge, **changed)
        response = at(moved.predicted) - at(moved.measured) - (at(found.predicted) - at(found.measured))
        out[name] = powers.smallest(off, bound, response / powers.STEP)
    return {name: x for name, x in out.items() if np.isfinite(x)}


def counted(cell, what: str, measured: int, predicted: int, *, control: str | None = None) -> Record:
    """Integers: equal or not."""
    equal = measured == predicted
    return Record(
        case="map", rule=what.split(":")[0], lanes=1, steps=0, symmetry=what, control=control, parameters={},
        kind=BITWISE,
        predicted=float(predicted), measured=float(measured), bound=0.0, spent=0.0 if equal else float("inf"),
        verdict=HOLDS if equal else VIOLATED,
        reason=f"{what}: {measured} independent charges" + ("" if equal else f", must be {predicted}"),
        **about(cell),
    )  # fmt: skip


def counts(cell, rng) -> list[Record]:
    """The number of independent charges, by the rank of the Lie algebra of the flow's fields."""
    out = []
    for n, r, m in ((2, 1, 2), (2, 2, 2), (2, 3, 2), (1, 3, 1)):
        fields, d = counting.linear_fields(n, r, m), (n + m) * r
        q, p = rng.normal(size=(2, d))
        flow, momentum = counting.laws(fields, q), counting.momentum_laws(fields, q, p)
        out.append(
            counted(cell, f"gradient flow: U V^T, {n} x {r} and {m} x {r}", flow, counting.predicted(n, r, m))
        )
        out.append(
            counted(
                cell,
                f"fixed mass: U V^T, {n} x {r} and {m} x {r}",
                momentum,
                counting.momentum_predicted(n, r, m),
            )
        )
        if (n, r, m) == (1, 3, 1):
            claim = "r(r+1)/2 charges of U V^T where n + l < r"
            out.append(
                counted(
                    cell,
                    f"gradient flow: U V^T, {n} x {r} and {m} x {r}",
                    flow,
                    r * (r + 1) // 2,
                    control=claim,
                )
            )
    hidden, fields = 2, counting.relu_fields(2, 2, 1)
    q, p = rng.normal(size=(2, len(fields[0])))
    out.append(counted(cell, "gradient flow: two hidden ReLU units", counting.laws(fields, q), hidden))
    out.append(counted(cell, "fixed mass: two hidden ReLU units", counting.momentum_laws(fields, q, p), 0))
    return out


def shown(r: Record) -> dict:
    """A cell of the heat map; where there is no charge there is no drift."""
    label = r.parameters["label"]
    return {
        "value": None if label == NO_CHARGE else r.parameters["drift"],
        "label": label,
        "evidence": r.reason,
    }


def summary(cell, records: list[Record]) -> Record:
    """The whole map: how many cells are as predicted, and the heat map."""
    by = {(r.symmetry, r.rule): r for r in records if r.control is None}
    cells = [[shown(by[row, column]) for column in COLUMNS] for row in ROWS]
    total = len(ROWS) * len(COLUMNS)
    same = sum(
        cells[i][j]["label"] == PREDICTED[row][j].label
        for i, row in enumerate(ROWS)
        for j in range(len(COLUMNS))
    )
    exact, none = (sum(c["label"] == label for line in cells for c in line) for label in (EXACT, NO_CHARGE))
    return Record(
        case="map",
        rule="all",
        lanes=total,
        steps=0,
        symmetry="the map",
        parameters={"exact": exact, "no charge": none},
        kind=BITWISE,
        predicted=float(total),
        measured=float(same),
        bound=0.0,
        spent=0.0 if same == total else float("inf"),
        verdict=HOLDS
        if same == total
        else INCONCLUSIVE
        if all(r.verdict != VIOLATED for r in records if r.control is None)
        else VIOLATED,
        reason=f"{same} of {total} cells are as predicted: {exact} exact, {none} without a charge",
        data={
            "plot": "heatmap",
            "rows": list(ROWS),
            "columns": list(COLUMNS),
            "cells": cells,
            "caption": (
                "Which learning rule keeps which charge: exactly, to an order in the step size, or not at "
                "all (order 0)."
            ),
        },
        **about(cell),
    )
