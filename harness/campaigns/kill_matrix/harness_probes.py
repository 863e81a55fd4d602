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
from noether.cases import CATALOG
from noether.laws.cell import Subject
from noether.laws.exact.cell import LaunchCell
from noether.laws.registry import LAWS
from noether.plan.choices import Request
from noether.runs import completeness, conclusion, run
from noether.runs.execute import execute
from noether.verdicts import exit_codes, judgement
from noether.verdicts.record import VIOLATED, Record

HAT = next(c for c in CATALOG if c.name == "mexican-hat")
RAYLEIGH = next(c for c in CATALOG if c.name == "rayleigh")
EXACT = ("D0", "D2", "D3")
CELLS = {
    "update": [
        LaunchCell(HAT, "heavy-ball", "float64", "numpy", kind, EXACT, 21, 0, 8)
        for kind in ("exact", "faults")
    ],
    "placed": [
        LaunchCell(HAT, "heavy-ball", p, "numpy", kind, ("D0",), n, 0, steps, (), tag)
        for p, n, steps, tag in (("float64", 21, 8, "placed"), ("float32", 10_007, 2, "wide"))
        for kind in ("exact", "faults")
    ],
    "options": [
        LaunchCell(HAT, rule, "float64", "numpy", kind, EXACT[:2], 21, 0, 8)
        for rule in ("heavy-ball", "nesterov")
        for kind in ("exact", "faults")
    ],
    "symmetries": [
        LaunchCell(HAT, "heavy-ball", "float64", "numpy", kind, EXACT[:2], 21, 0, 8)
        for kind in ("exact", "faults")
    ],
    "parity": [LaunchCell(HAT, "heavy-ball", "float64", "numpy", "parity", ("B1",), 9, 0, 4)],
    "covariance": [
        LaunchCell(
            RAYLEIGH, "heavy-ball", "float64", "numpy", "covariance", ("D13",), 9, 0, 4, (("eps", 0.0),)
        )
    ],
    "response": [LaunchCell(HAT, "heavy-ball", "float64", "numpy", "response", ("E1",), 31, 0, 24)],
}


def records_of(cells: list) -> tuple[list[Record], list[str]]:
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
        kept = tuple(c for c in info.faults if (law, c.name, "") in killed)
        book[law] = replace(
            info, faults=kept, promised=tuple((c, p) for c, p in info.promised if (law, c, p) in killed)
        )
    return book


def small(probe: str):
    """A whole run over the cells of a probe: exit code, and why."""

    def go() -> tuple[int, list[str]]:
        cells = CELLS[probe]
        records, errors = records_of(cells)
        if errors:
            return exit_codes.INTERNAL, errors
        code, blind = conclusion.decide(
            records,
            [completeness.planned(c) for c in cells],
            sorted({law for c in cells for law in c.laws}),
            honest_book(probe),
            whole=True,
        )
        return code, blind or [r.reason for r in records if r.fault is None and r.verdict == VIOLATED] or [
            "a fault survives, or nothing holds"
        ]

    return go


def resumed() -> tuple[int, list[str]]:
    """A finished run of two cells, opened again."""
    request = Request(
        ("rayleigh",), law="D13", rule="heavy-ball", precision="float64", backend="numpy", lanes=5, steps=3
    )
    with tempfile.TemporaryDirectory() as place:
        run.run(request, out=Path(place) / "r")
        again = run.run(request, resume=Path(place) / "r")
    return again.exit_code, again.blind


PROBES = {**{name: small(name) for name in CELLS}, "resume": resumed}


def noticed(fault: OwnFault, *, without: tuple[str, ...] = ()) -> str:
    """How the harness noticed: 'exit code 3: ...' or 'raised ...'; '' when it did not. `without` names guards
    to take out."""
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
    """Some of the faults of the harness itself, one record each: noticed (violated), or not."""

    part: int
    parts: int
    names: tuple[str, ...] = ()
    case = Subject("the harness itself")
    rule, precision, backend, laws = "", "", "numpy", (GUARD,)

    @property
    def name(self) -> str:
        return f"own/{self.part}"

    def run(self) -> list[Record]:
        return [record(f) for f in FAULTS[self.part :: self.parts] if not self.names or f.name in self.names]


def record(fault) -> Record:
    begin = time.perf_counter()
    told = noticed(fault)
    return judgement.noticed(
        bool(told),
        told or "not noticed",
        law=GUARD,
        case=fault.probe,
        rule="",
        backend="numpy",
        precision="",
        lanes=0,
        steps=0,
        parameters={},
        fault=fault.name,
        seconds=time.perf_counter() - begin,
        data={"kind": OWN, "what": fault.what, "guards": list(fault.guards)},
    )
