"""The small runs in which faults of the harness itself must be noticed, and the record of whether they
were."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from noether.campaigns.kill_matrix.findings import GUARD
from noether.campaigns.kill_matrix.harness_faults import FAULTS, OWN, OwnFault
from noether.campaigns.kill_matrix.harness_guards import REMOVED
from noether.campaigns.kill_matrix.points import case_of, scale_free, turned
from noether.laws.cell import Subject
from noether.laws.exact.cell import LaunchCell
from noether.laws.registry import LAWS
from noether.plan.choices import Request
from noether.runs import completeness, conclusion, run
from noether.runs.execute import execute
from noether.verdicts import exit_codes, judgement
from noether.verdicts.record import VIOLATED, Record

BALL = "heavy-ball"
TURNED, SCALE_FREE = case_of(turned, BALL), case_of(scale_free, BALL)
EXACT = ("D0", "D2", "D3")
BOTH = ("exact", "faults")  # kinds of cells: with nothing planted, and with faults


def launched(
    kind: str, laws: tuple[str, ...], lanes: int, steps: int, *, rule=BALL, precision="float64", tag=""
):
    """A small launch in numpy, of a case with rotations, under seed 0."""
    return LaunchCell(TURNED, rule, precision, "numpy", kind, laws, lanes, 0, steps, (), tag)


SEVERAL = [launched(kind, EXACT[:2], 21, 8) for kind in BOTH]
CELLS = {
    "update": [launched(kind, EXACT, 21, 8) for kind in BOTH],
    "placed": [
        *(launched(kind, ("D0",), 21, 8, tag="placed") for kind in BOTH),
        *(launched(kind, ("D0",), 10_007, 2, precision="float32", tag="wide") for kind in BOTH),
    ],
    "options": [*SEVERAL, *(launched(kind, EXACT[:2], 21, 8, rule="nesterov") for kind in BOTH)],
    "symmetries": SEVERAL,
    "parity": [launched("parity", ("B1",), 9, 4)],
    "covariance": [
        replace(launched("covariance", ("D13",), 9, 4), case=SCALE_FREE, overrides=(("eps", 0.0),))
    ],
    "response": [launched("response", ("E1",), 31, 24)],
}
"""Name of a probe -> the cells of its run."""


def records_of(cells: list) -> tuple[list[Record], list[str]]:
    """The records of some cells, and the last line of each error."""
    records, errors = [], []
    for done in execute(cells):
        records += done.records
        errors += [done.error.strip().splitlines()[-1]] if done.error else []
    return records, errors


@cache
def honest_book(probe: str) -> dict:
    """What the book of laws promises, as far as these few cells can keep it with nothing planted."""
    if probe not in CELLS:
        return {}
    records, errors = records_of(CELLS[probe])
    if errors:
        raise RuntimeError(f"the probe {probe} fails with nothing planted: {errors[0]}")
    killed = {
        (r.law, r.fault, p) for r in records if r.fault and r.verdict == VIOLATED for p in ("", r.precision)
    }
    book = {}
    for law in {r.law for r in records}:
        info = LAWS[law]
        faults = tuple(c for c in info.faults if (law, c.name, "") in killed)
        promised = tuple((c, p) for c, p in info.promised if (law, c, p) in killed)
        book[law] = replace(info, faults=faults, promised=promised)
    return book


def small(probe: str):
    """A whole run over the cells of a probe, as a function that returns its exit code and why."""

    def go() -> tuple[int, list[str]]:
        cells = CELLS[probe]
        records, errors = records_of(cells)
        if errors:
            return exit_codes.INTERNAL, errors
        planned, laws = (
            [completeness.planned(c) for c in cells],
            sorted({law for c in cells for law in c.laws}),
        )
        code, blind = conclusion.decide(records, planned, laws, honest_book(probe), whole=True)
        violated = [r.reason for r in records if r.fault is None and r.verdict == VIOLATED]
        return code, blind or violated or ["a fault survives, or nothing holds"]

    return go


def resumed() -> tuple[int, list[str]]:
    """A finished run of two cells, opened again."""
    request = Request(
        (SCALE_FREE.name,), law="D13", rule=BALL, precision="float64", backend="numpy", lanes=5, steps=3
    )
    with tempfile.TemporaryDirectory() as place:
        run.run(request, out=Path(place) / "r")
        again = run.run(request, resume=Path(place) / "r")
    return again.exit_code, again.blind


PROBES = {**{name: small(name) for name in CELLS}, "resume": resumed}


def noticed(fault: OwnFault, *, without: tuple[str, ...] = ()) -> str:
    """How the harness noticed a fault of its own: 'exit code 3: ...' or 'raised ...'; '' when it did not.

    without  the guards that are taken out
    """
    honest_book(fault.probe)
    if {"exit code", "survivors"} & {*without}:
        without = (*without, "instruments")  # which watch these two as well
    with ExitStack() as stack:
        stack.enter_context(fault.plant())
        for guard in without:
            stack.enter_context(REMOVED[guard]())
        try:
            code, why = PROBES[fault.probe]()
        except Exception as error:
            return f"raised {type(error).__name__}: {error}"
    return f"exit code {code}: {'; '.join(why[:2])}" if code else ""


@dataclass(frozen=True)
class OwnCell:
    """Every `parts`-th fault of the harness itself from number `part` on, one record each: noticed, or
    not."""

    part: int
    parts: int
    names: tuple[str, ...] = ()
    case = Subject("the harness itself")
    rule, precision, backend, laws = "", "", "numpy", (GUARD,)
    usual_seconds = 10.0

    @property
    def name(self) -> str:
        """The cell in a line."""
        return f"own/{self.part}"

    def run(self) -> list[Record]:
        """The records of the cell."""
        return [record(f) for f in FAULTS[self.part :: self.parts] if not self.names or f.name in self.names]


def record(fault: OwnFault) -> Record:
    """The record of one fault: violated where the harness noticed it."""
    begin = time.perf_counter()
    told = noticed(fault)
    place = dict(case=fault.probe, rule="", backend="numpy", precision="", lanes=0, steps=0, parameters={})
    data = {"kind": OWN, "what": fault.what, "guards": list(fault.guards)}
    took = time.perf_counter() - begin
    named = dict(law=GUARD, fault=fault.name, seconds=took, data=data)
    return judgement.noticed(bool(told), told or "not noticed", **place, **named)
