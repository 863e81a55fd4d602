"""Comparing a run with a baseline: marked rises of spent and lost entries fail, marked falls are taken over.

A rise is marked when neither another seed nor another order of the same roundings would show it: both redraw
spent alike (harness/runs/seed_scatter.py). Orders do not scatter with rounding: for one seed slope p* and
uncertainty B are functions of the truncation error, and two evaluations differ by the noise alone, at most
2/3 floor in each p_j with floor <= B (harness/verdicts/orders.py), so 4 floor in p* and 8/3 floor in B.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from noether.kernels.loops.launch import BACKENDS, missing
from noether.runs.baseline import FILE, Baseline, Entry, of_run, read, same_choice, write
from noether.runs.seed_scatter import SILENT, entry_factor, group, mean_factor
from noether.system import resources
from noether.system.files import check_writable
from noether.system.outside import plural
from noether.system.usage import UsageError
from noether.verdicts import exit_codes
from noether.verdicts.record import VIOLATED

SLOPE_MOVES, BOUND_GROWS = 4.0, 11 / 3
NAMED = 5  # entries in a note


@dataclass
class Comparison:
    """What differs between a run and its baseline. `rises` and `lost` fail; the others are told.

    rises       one line each: what is, what it was, what is allowed
    lost        entries that no longer hold anywhere, or in fewer verdicts
    undecided   entries that hold no more in another run: near the edge of evidence the draw decides
    absent      entries of backends that are not here
    falls       entries that fell by as much as a marked rise
    drifted     entries that changed inside the allowance though nothing else did
    unmeasured  groups of laws whose scatter is not known: compared for coverage alone
    """

    rises: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    falls: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    compared: int = 0

    @property
    def fails(self) -> bool:
        """Whether anything rose, or is lost."""
        return bool(self.rises or self.lost)


def compare(
    before: Baseline,
    now: Baseline,
    missing: Callable[[str], str] = lambda backend: "",
    *,
    strict: bool = False,
) -> Comparison:
    """The comparison of a run, `now`, with a baseline.

    missing  missing(backend) says why that backend is not here, or ''
    strict   where seed, backend and versions are the same, spent is the same to the bit: then any rise is
             marked
    """
    differs = [
        f"{k} was {before.run.get(k)!r}, is {now.run.get(k)!r}"
        for k in sorted({*before.run, *now.run})
        if before.run.get(k) != now.run.get(k)
    ]
    c = Comparison(differs=differs, added=sorted(set(now.entries) - set(before.entries)))
    one_seed = before.run.get("seed") == now.run.get("seed")
    common = sorted(set(before.entries) & set(now.entries))
    for name, was in sorted(before.entries.items()):
        if name not in now.entries or now.entries[name].holds < was.holds:
            place_lost(c, name, before, now, missing)
    for name in common:
        was, is_ = before.entries[name], now.entries[name]
        c.compared += 1
        told = order_moved(was, is_, one_seed) if was.slope is not None else rose(name, was, is_, len(common))
        if strict and not differs and not told and is_.spent > was.spent:
            told = (
                f"spent {is_.spent:.4g}, was {was.spent:.4g}: nothing else differs, and --strict allows no "
                "rise"
            )
        if told:
            c.rises[name] = told
        elif was.slope is None and is_.spent * entry_factor(name, len(common)) < was.spent:
            c.falls.append(name)
        elif is_ != was and not differs:
            c.drifted.append(name)
    together(c, before, now, common)
    return c


def place_lost(c: Comparison, name: str, before: Baseline, now: Baseline, missing: Callable) -> None:
    """A verdict that is violated now fails the run by itself, and is no lost one."""
    others = now.others.get(name, frozenset())
    why = missing(name.split(" ")[-1]) if name.startswith("B1 ") else ""
    held, holds = before.entries[name].holds, now.entries[name].holds if name in now.entries else 0
    if VIOLATED in others:
        return
    if why:
        c.absent.append(f"{name}: {why}")
    elif others and c.differs:
        c.undecided.append(name)
    else:
        c.lost[name] = f"{holds} of {held} verdicts hold" + (
            f", the others are {' and '.join(sorted(others))}" if others else ", the others are not there"
        )


def rose(name: str, was: Entry, is_: Entry, entries: int) -> str:
    """Whether an entry's spent rose by a marked amount; from 0, which has no scale, only a violation is
    marked."""
    factor = entry_factor(name, entries)
    if was.spent <= SILENT or is_.spent <= was.spent * factor:
        return ""
    return f"spent {is_.spent:.4g}, was {was.spent:.4g}, allowed {was.spent * factor:.4g} (x {factor:.2f})"


def order_moved(was: Entry, is_: Entry, one_seed: bool) -> str:
    """Between seeds the start differs and with it the truncation error: nothing to compare but coverage."""
    if not one_seed or is_.slope is None:
        return ""
    if is_.within > BOUND_GROWS * was.within:
        return (
            f"slope known within {is_.within:.4g}, was {was.within:.4g}, allowed "
            f"{BOUND_GROWS * was.within:.4g}"
        )
    if abs(is_.slope - was.slope) > SLOPE_MOVES * was.within:
        return f"slope {is_.slope:.6g}, was {was.slope:.6g}, may move by {SLOPE_MOVES * was.within:.3g}"
    return ""


def together(c: Comparison, before: Baseline, now: Baseline, common: list[str]) -> None:
    """A rise, or a fall, of all entries of a law that is too small to mark any one of them."""
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for name in common:
        was, is_ = before.entries[name], now.entries[name]
        if was.slope is None and min(was.spent, is_.spent) > SILENT:
            groups.setdefault(group(name), {})[name] = math.log(is_.spent / was.spent)
    for which, logs in sorted(groups.items()):
        mean, allowed = math.exp(sum(logs.values()) / len(logs)), mean_factor(which, len(logs), len(groups))
        if mean > allowed:
            c.rises[" ".join(which)] = (
                f"its {len(logs)} entries rose together, x {mean:.3f} in the geometric mean, allowed x "
                f"{allowed:.3f}"
            )
        elif mean < 1 / allowed:
            c.falls += [name for name in logs if name not in c.falls]
        if allowed == math.inf:
            c.unmeasured.append(" ".join(which))


ENTRY = ("entry", "entries")
SHIPPED = resources.path(FILE.name)


def gone(result, path: Path = SHIPPED) -> list[str]:
    """What held in the shipped baseline and does not hold here, of a run of the same choice that is compared
    with none.

    Another seed draws other cases and starts: there only what was asked and is undecided is named.
    """
    if result.interrupted or result.errors or not result.about or not path.exists():
        return []
    before, now = read(path), of_run(result.about, result.records)
    if before.choice != now.choice:
        return []
    found = Comparison(differs=[] if before.run.get("seed") == now.run.get("seed") else ["seed"])
    for name, was in sorted(before.entries.items()):
        if name not in now.entries or now.entries[name].holds < was.holds:
            place_lost(
                found, name, before, now, lambda backend: missing(backend) if backend in BACKENDS else ""
            )
    asked = {name for name in found.lost if name in now.others or not found.differs}
    named = sorted([*(f"{name}: {found.lost[name]}" for name in asked), *found.undecided])
    if not named:
        return []
    more = f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return [
        f"{plural(len(named), *ENTRY)} that held in the shipped {path.name}, undecided or missing here: "
        f"{'; '.join(named[:NAMED])}{more}"
    ]


def ratchet(before: Baseline, now: Baseline, c: Comparison) -> Baseline:
    """The baseline after a run that holds: marked falls are taken over, new entries added, nothing else
    moves.

    A change inside the allowance is chance: were the smaller of two values kept each time, the baseline would
    creep to the least of many draws, and the declared rate of false alarms with it.
    """
    kept = dict(before.entries)
    for name in (*c.falls, *c.added):
        kept[name] = now.entries[name]
    for name in set(before.entries) & set(now.entries):
        if now.entries[name].holds > kept[name].holds:
            kept[name] = replace(kept[name], holds=now.entries[name].holds)
    return Baseline(before.choice, before.run, dict(sorted(kept.items())))


class Guard:
    """A baseline around one run: opened before it, so that what cannot be compared is refused before any
    work."""

    def __init__(self, path: Path, choice: dict, *, update=False, accept=False, strict=False):
        """Read the baseline at `path`. Raises UsageError where the run's arguments, `choice`, are others.

        update  write it after the run;  accept  also what rose or is lost;  strict  any rise fails
        """
        self.path, self.update, self.accept, self.strict = path, update, accept, strict
        if update and not path.exists():
            check_writable("baseline", path)
        self.before = None if update and not path.exists() else read(path)
        if self.before:
            same_choice(path, self.before, choice)

    def conclude(self, result) -> None:
        """Compare, update where that was asked for, and give the result its last exit code and notes."""
        if result.interrupted or result.errors:
            result.notes.append(f"{self.path} was not compared: the run is not whole")
            return
        now = of_run(result.about, result.records)
        if self.before:
            why = lambda backend: missing(backend) if backend in BACKENDS else ""
            result.baseline = compare(self.before, now, why, strict=self.strict)
            result.notes += told(self.path, result.baseline)
        if self.update:
            try:
                self.write(now, result)
            except UsageError as error:  # after the run: what was found must still be told
                result.exit_code = exit_codes.WRONG
                result.notes.append(str(error))
        elif result.baseline.fails:
            violated = result.baseline.rises or result.exit_code == exit_codes.VIOLATED
            result.exit_code = exit_codes.of(violated=violated, undecided=True)

    def write(self, now: Baseline, result) -> None:
        """Write the baseline, or say why it is not written. Raises UsageError where the disk refuses."""
        c = result.baseline
        if result.exit_code != exit_codes.HOLDS:
            result.notes.append(f"{self.path} was not updated: only a run that holds is a baseline")
        elif self.before is None or self.accept:
            write(self.path, now)
            result.notes.append(f"{self.path} now holds the {plural(len(now.entries), *ENTRY)} of this run")
            result.baseline = None
        elif c.fails:
            result.exit_code = exit_codes.of(violated=c.rises, undecided=True)
            result.notes.append(f"{self.path} was not updated: --accept-rise takes this run as it is")
        elif c.differs:
            result.exit_code = exit_codes.WRONG
            must = "they must be the same, or --accept-rise takes this run as it is"
            result.notes.append(f"{self.path} was not updated: {'; '.join(c.differs)}: {must}")
        else:
            after = ratchet(self.before, now, c)
            write(self.path, after)
            lowered, count = plural(len(c.falls), *ENTRY), f"{len(after.entries)} in all"
            result.notes.append(f"{self.path}: {lowered} lowered, {len(c.added)} added, {count}")


def told(path: Path, c: Comparison) -> list[str]:
    """The notes on what does not fail but must not be silent."""
    count = lambda found, one, more: plural(len(found), f"entry of {path} {one}", f"entries of {path} {more}")
    changed = f"{count(c.drifted, 'has', 'have')} changed inside the allowance"
    absent = f"{count(c.absent, 'is', 'are')} of backends that are not here: {', '.join(c.absent[:1])}"
    added = plural(len(c.added), "entry is", "entries are")
    unmeasured = ", ".join(c.unmeasured)
    lines = [
        (c.differs, f"{path} is of another run, compared all the same: {'; '.join(c.differs)}"),
        (c.undecided, f"{count(c.undecided, 'is', 'are')} undecided here: {', '.join(c.undecided[:3])}"),
        (c.absent, absent),
        (c.drifted, f"{changed}, though seed, backend and versions did not"),
        (c.added, f"{added} not in {path} yet: --update-baseline adds what is new"),
        (c.unmeasured, f"the scatter of {unmeasured} was never measured: no rise of theirs is marked"),
    ]
    return [line for found, line in lines if found]
