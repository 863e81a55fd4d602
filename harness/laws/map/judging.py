"""From findings to records: a cell of the map that disagrees with the table of theory.md section 7 is
violated."""

from __future__ import annotations

import numpy as np

from noether.laws.map import counting, sources
from noether.laws.map.faults import TOO_MANY
from noether.laws.map.measuring import Finding
from noether.laws.map.scenes import Scene
from noether.laws.map.table import CHARGES, COLUMNS, EXACT, NO_CHARGE, PREDICTED, ROWS, Entry
from noether.verdicts import judgement, powers
from noether.verdicts.figures import Heatmap, Loglog
from noether.verdicts.judgement import Worst
from noether.verdicts.record import VIOLATED, Record

LAW = "M1"
CLEAR = 2.0**10
"""Bounds that a drift must be, or its constant is not told."""


def about(cell, **more) -> dict:
    return dict(law=LAW, backend="numpy", precision="float64", cell=cell.name, replay=cell.replay, **more)


def refuted(found: Finding, entry: Entry) -> str:
    """Why the entry of the table is wrong, or not shown; '' where it is shown."""
    if not found.moved >= found.needed:
        still = ": a rule that stands still keeps everything" if found.moved == 0 else ""
        return f"the trajectory moves by {found.moved:.2g} of |q_0|, must move by {found.needed:.2g}{still}"
    if found.spent is None or found.spent <= 1:
        return ""
    return f"predicted {entry.label}, measured {found.label}"


def judged(
    cell,
    scene: Scene,
    column: str,
    entry: Entry,
    found: Finding,
    *,
    fault=None,
    lanes: int = 0,
    steps: int = 0,
) -> Record:
    why = refuted(found, entry)
    charge = CHARGES.get((scene.row, entry.charge), entry.charge)
    kind = judgement.rounding if entry.order is None else judgement.order
    labels = {"charge": charge, "label": found.label, "predicted label": entry.label}
    return kind(
        Worst(found.spent, found.measured, found.predicted, found.bound),
        f"{charge}: {found.label}; {found.evidence}" + (f"; {why}" if why else ""),
        # What hardly moves shows nothing, for the entry or against it; what does not move at all is no rule.
        enough=found.moved >= found.needed,
        decided=found.moved >= found.needed or found.moved == 0,
        refuted=found.moved == 0,
        case=scene.case.name,
        rule=column,
        lanes=lanes,
        steps=steps,
        symmetry=scene.row,
        fault=fault,
        parameters={**labels, "moved": found.moved, "drift": found.value},
        figure=drawn(cell, scene, column, charge, found) if found.drifts else None,
        **about(cell),
    )


def drawn(cell, scene: Scene, column: str, charge: str, found: Finding) -> Loglog:
    return Loglog(
        x=scene.steps(len(found.drifts)),
        series={f"{scene.row}, {column}": found.drifts},
        xlabel="step size",
        ylabel="relative drift of the charge",
        caption=f"{charge} under {column}: {found.label}.",
    )


def sourced(
    cell, scene: Scene, column: str, entry: Entry, run, *, fault=None, of_charge=None, of_source=None
) -> Record:
    """The drift of a charge against its sources: the constant in front of the order, to rounding.

    of_charge, of_source   keywords of another charge and of other sources, or None
    """
    found = sources.pair(run, scene, entry.charge, of_charge=of_charge, of_source=of_source)
    worst = judgement.worst(found.measured, found.predicted, found.bound)
    step, lane = worst.at
    clear = float(np.median(abs(found.predicted).max(axis=0) / found.bound.max(axis=0)))
    charge = CHARGES.get((scene.row, entry.charge), entry.charge)
    return judgement.rounding(
        worst,
        f"{charge}: after {step + 1} steps it has moved by {worst.measured:.9g}, its sources by "
        f"{worst.predicted:.9g} within {worst.bound:.1g}; its drift is {clear:.1g} bounds",
        enough=clear > CLEAR,
        case=scene.case.name,
        rule=column,
        lanes=len(run.counts),
        steps=int(run.counts.max()),
        symmetry=f"{scene.row}, source",
        fault=fault,
        parameters={"charge": charge, "drift over bound": clear},
        place={"lane": lane, "step": step + 1, "component": None},
        powers=powers_of_sources(run, scene, entry.charge, found) if fault is None else {},
        **about(cell),
    )


def powers_of_sources(run, scene: Scene, charge: str, found) -> dict[str, float]:
    """At the end of each lane."""
    last, lanes = run.counts - 1 - (charge == "energy"), run.lanes
    at = lambda x: x[last, lanes]
    off, bound = at(found.measured) - at(found.predicted), at(found.bound)
    out = {"prediction": powers.smallest(off, bound, at(found.predicted))}
    for name, changed in sources.coefficients(run, charge).items():
        moved = sources.pair(run, scene, charge, **changed)
        response = at(moved.predicted) - at(moved.measured) - (at(found.predicted) - at(found.measured))
        out[name] = powers.smallest(off, bound, response / powers.STEP)
    return {name: x for name, x in out.items() if np.isfinite(x)}


def counted(cell, what: str, measured: int, predicted: int, *, fault: str | None = None) -> Record:
    """Integers: equal or not."""
    wanted = "" if measured == predicted else f", must be {predicted}"
    return judgement.bits(
        measured,
        f"{what}: {measured} independent charges{wanted}",
        enough=True,
        predicted=predicted,
        case="map",
        rule=what.split(":")[0],
        lanes=1,
        steps=0,
        symmetry=what,
        fault=fault,
        parameters={},
        **about(cell),
    )


def counts(cell, rng) -> list[Record]:
    """The number of independent charges, by the rank of the Lie algebra of the flow's fields."""
    out = []
    for n, r, m in ((2, 1, 2), (2, 2, 2), (2, 3, 2), (1, 3, 1)):
        fields, d = counting.linear_fields(n, r, m), (n + m) * r
        q, p = rng.normal(size=(2, d))
        flow, momentum = counting.laws(fields, q), counting.momentum_laws(fields, q, p)
        what, massive = (
            f"{rule}: U V^T, {n} x {r} and {m} x {r}" for rule in ("gradient flow", "fixed mass")
        )
        out.append(counted(cell, what, flow, counting.predicted(n, r, m)))
        out.append(counted(cell, massive, momentum, counting.momentum_predicted(n, r, m)))
        if n + m < r:
            out.append(counted(cell, what, flow, r * (r + 1) // 2, fault=TOO_MANY.name))
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
    by = {(r.symmetry, r.rule): r for r in records if r.fault is None}
    cells = [[shown(by[row, column]) for column in COLUMNS] for row in ROWS]
    total = len(ROWS) * len(COLUMNS)
    same = sum(
        cells[i][j]["label"] == PREDICTED[row][j].label
        for i, row in enumerate(ROWS)
        for j in range(len(COLUMNS))
    )
    exact, none = (sum(c["label"] == label for line in cells for c in line) for label in (EXACT, NO_CHARGE))
    wrong = any(r.verdict == VIOLATED for r in records if r.fault is None)
    return judgement.bits(
        same,
        f"{same} of {total} cells are as predicted: {exact} exact, {none} without a charge",
        predicted=total,
        enough=True,
        decided=same == total or wrong,
        case="map",
        rule="all",
        lanes=total,
        steps=0,
        symmetry="the map",
        parameters={"exact": exact, "no charge": none},
        figure=Heatmap(
            rows=ROWS,
            columns=COLUMNS,
            cells=cells,
            caption="Which learning rule keeps which charge: exactly, to an order in the step size, or not "
            "at all (order 0).",
        ),
        **about(cell),
    )
