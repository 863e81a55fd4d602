"""What a watch found, as records of a run: a verdict for each law and group, and for each planted fault."""

from __future__ import annotations

from collections.abc import Iterator

from noether.campaigns.watch.seat import Seat
from noether.campaigns.watch.tally import BALANCE, LAWS, SLOPE, TITLES, Tally
from noether.campaigns.watch.watcher import Watcher
from noether.verdicts import exit_codes, judgement
from noether.verdicts.figures import Lines
from noether.verdicts.judgement import Worst
from noether.verdicts.record import OUTSIDE, VIOLATED, Record, summarise

BACKEND = "torch"
POWER = {BALANCE: "charge", SLOPE: "gradient"}
"""Law -> what the power of its records is of; of the update where nothing is said."""


def about(watcher: Watcher, seat: Seat, tally: Tally) -> dict:
    """The fields of a record that say what it is about."""
    told = {"group": tally.group, "samples": tally.samples, "step": tally.at or None}
    told |= {name: x for name, x in tally.data.items() if isinstance(x, str | float | int)}
    if tally.outside:
        told["outside"] = sum(tally.outside.values())
    found = dict(law=tally.law, case=case(watcher), rule=seat.word, backend=BACKEND, parameters=told)
    found |= dict(precision=tally.precision, lanes=tally.numbers, steps=seat.number - 1)
    return {**found, "symmetry": tally.symmetry and tally.group}


def case(watcher: Watcher) -> str:
    """The networks by the names of their classes."""
    return " ".join(type(net.inner).__name__ for net in watcher.nets) or "parameters"


def record(watcher: Watcher, seat: Seat, tally: Tally) -> Record:
    """The verdict on one law and group."""
    told = about(watcher, seat, tally)
    if tally.verdict == OUTSIDE:
        return judgement.outside(f"{tally.group}: {tally.why}", **told)
    if not tally.samples:
        return judgement.undecided(f"{tally.group}: {tally.why}", **told)
    step, worst, why = tally.first or (tally.at, tally.worst, tally.why)
    told["parameters"]["step"] = step
    powers = {} if tally.power is None else {POWER.get(tally.law, "update"): tally.power}
    reason = f"{tally.group}: {'first in ' if tally.first else ''}step {step}: {why}"
    place = {"step": step, "component": worst.at[0] if worst.at else None}
    more = dict(enough=bool(tally.moving), powers=powers, figure=figure(tally), place=place)
    return judgement.rounding(worst, reason, **more, **told)


def figure(tally: Tally) -> Lines | None:
    """What was spent, sample by sample."""
    points = [(n, x) for n, x in tally.course if x < float("inf")]
    if len(points) < 3:
        return None
    x, y = zip(*points, strict=True)
    caption = f"What {TITLES[tally.law]} spent of its bound in the steps that were looked at, {tally.group}."
    axes = dict(xlabel="step", ylabel="spent", xscale="linear", yscale="linear")
    return Lines(x=x, series={"measured": y, "bound": [1.0] * len(x)}, caption=caption, **axes)


def planted(watcher: Watcher) -> Iterator[Record]:
    """For each fault that was shown, the record of the group that sees it best."""
    best: dict[str, tuple[Seat, Tally, Worst]] = {}
    for seat, tally in watcher.tallies:
        for fault, worst in tally.planted.items():
            if tally.verdict == VIOLATED:
                continue  # what is violated anyway shows nothing
            if fault not in best or (worst.spent or 0) > (best[fault][2].spent or 0):
                best[fault] = seat, tally, worst
    for fault, (seat, tally, worst) in best.items():
        told = about(watcher, seat, tally)
        reason = f"{tally.group}: {fault} in place of what was measured"
        yield judgement.rounding(worst, reason, enough=False, fault=fault, **told)


def records(watcher: Watcher) -> list[Record]:
    """All of them: violations first, then by law."""
    found = [record(watcher, seat, tally) for seat, tally in watcher.tallies]
    order = sorted(found, key=lambda r: (LAWS.index(r.law), r.verdict != VIOLATED))
    return [*order, *planted(watcher)]


def laws(found: list[Record]) -> list[str]:
    """The laws of which there is something to decide."""
    mine = {r.law for r in found if r.fault is None}
    return [law for law in LAWS if law in mine]


def unjudged(found: list[Record], asked: list[str]) -> list[str]:
    """The laws that no group of this training is within: they decide nothing."""
    return [row.law for row in summarise(found, asked) if row.counts[OUTSIDE] == row.cells]


def exit_code(found: list[Record]) -> int:
    """0 everything that could be judged holds, 1 a law is violated, 3 nothing could be decided."""
    asked = laws(found)
    left = [law for law in asked if law not in unjudged(found, asked)]
    rows = {row.law: row for row in summarise(found, left)}
    violated = any(r.verdict == VIOLATED for r in found if r.fault is None)
    holds = any(row.counts["holds"] and row.killed for row in rows.values())
    return exit_codes.of(violated=violated, undecided=not holds)
