"""Replaying one lane of a record alone: its worst lane's start and parameters, the same backend, the same
law.

A lane does not depend on its neighbours, so its residual must come back equal, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.cases import CATALOG, Case
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, ExactLaw
from noether.laws.exact.diagnosis import safely
from noether.laws.exact.judge import spent_of
from noether.laws.exact.witness import witness
from noether.mechanics.trajectory import Trajectory


class ReplayError(ValueError):
    """Raised when a record cannot be replayed; says why, and what to do."""


@dataclass(frozen=True)
class Replay:
    """What a replay gave: the record, whether it is the same to the bit, and a text to print."""

    record: dict
    equal: bool
    text: str


def replay(record: dict, cases: tuple[Case, ...] = CATALOG) -> Replay:
    """Run the worst lane of a record of an exact law alone. Raises ReplayError, launch.BackendMissing."""
    try:
        return again(record, cases)
    except (ReplayError, launch.BackendMissing):
        raise
    except (KeyError, IndexError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ReplayError(
            f"the record is damaged, its lane cannot be run ({what}): it must be as `noether verify` wrote it"
        ) from error


def again(record: dict, cases: tuple[Case, ...]) -> Replay:
    """The replay of a record that is believed to be whole. Raises ReplayError, BackendMissing and what a
    damaged record does."""
    law, case, worst = stated(record, cases)
    symmetry = next((s for s in case.symmetries if s.name == record.get("symmetry")), None)
    if law.about_symmetry and symmetry is None:
        raise ReplayError(
            f"symmetry is {record.get('symmetry')!r}, {case.name} has "
            f"{', '.join(s.name for s in case.symmetries)}"
        )
    job = launched(record, case)
    outcome = launch.run(job, record["backend"])
    t = Trajectory.launched(case, job, *outcome.wide())
    with np.errstate(all="ignore"):
        residual = law.residual(t, symmetry) if law.about_symmetry else law.residual(t)
        spent = spent_of(residual)[..., 0]
    place = (worst["step"], worst["component"]) if spent.ndim == 2 else (worst["step"],)
    found = float(spent[place])
    if law.key == "D0" and spent.max() <= 1 < float(record["spent"]):
        found = witness(t, 0, min(worst["step"], t.steps - 1))  # what accused was the gradient's witness
    text = [
        f"{record['law']} on {case.name}, {job.rule.name}, {job.precision.label}, {outcome.backend}; lane "
        f"{worst['lane']} of its launch, alone",
        "; ".join(job.rule.step) if law.key == "D0" else law.statement,
        *compared(worst, residual, (*place, 0), found, float(record["spent"])),
        f"the lane's own worst is {float(spent.max())!r}",
        *([] if spent.max() <= 1 else [safely(t, job)["line"].replace("lane 0", "this lane")]),
    ]
    return Replay(record, found == float(record["spent"]), "\n".join(text))


def stated(record: dict, cases: tuple[Case, ...]) -> tuple[ExactLaw, Case, dict]:
    """The law, the case and the worst lane of a record. Raises ReplayError where there is no lane to run."""
    law, worst, planted = EXACT.get(record["law"]), record.get("worst"), record.get("fault")
    if law is None or not worst or planted:
        raise ReplayError(
            f"record is of law {record['law']}{f' for fault {planted!r}' if planted else ''}: "
            f"a lane can be replayed for {', '.join(EXACT)} without a fault; "
            f"run `noether verify {record['case']} --law {record['law']}`"
        )
    case = next((c for c in cases if c.name == record["case"]), None)
    if case is None:
        known = ", ".join(c.name for c in cases)
        raise ReplayError(f"case {record['case']} is not in the catalogue: must be one of {known}")
    return law, case, worst


def launched(record: dict, case: Case) -> launch.Job:
    """The launch of the worst lane alone.

    Twice the same lane: numpy adds the components of a single lane, which lie side by side, in another order
    (2.4).
    """
    rule, worst = RULES[record["rule"]], record["worst"]
    column = lambda name: np.array([[float.fromhex(x)] * 2 for x in worst[name]])
    params = np.array([[float.fromhex(worst[n])] * 2 for n in rule.parameters])
    state = (column("start"), column("kick"), params, record["steps"])
    program, own = trace.gradient(case), trace.metric(case, rule)
    return launch.Job(program, rule, parse(record["precision"]), *state, metric=own)


def compared(worst: dict, residual, index: tuple, found: float, recorded: float) -> list[str]:
    """The worst place, and what it spends now and in the record."""
    component = "" if worst["component"] is None else f", component {worst['component']}"
    measured, predicted = float(residual.measured[index]), float(residual.predicted[index])
    return [
        f"worst at step {worst['step']}{component}: measured {measured:.17g}, predicted {predicted:.17g}, "
        f"bound {float(residual.bound[index]):.3g}",
        f"spent {found!r}; the record says {recorded!r}: "
        f"{'equal to the bit' if found == recorded else 'NOT EQUAL'}",
    ]
