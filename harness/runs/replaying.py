"""Choosing a record of a run to replay, and running its worst lane or its whole cell again.

    a law of lanes (D0 to D11), nothing planted   the worst lane alone (harness/runs/replay_lane.py)
    any other record                              its own cell, planned again from the run's stored arguments

Either way the numbers must come back equal to the bit. Names of case files are those of the folder in which
the run was started, which run.json keeps: a replay works from anywhere.
"""

from __future__ import annotations

import os
import shlex
from functools import cached_property
from pathlib import Path

from noether.cases import CATALOG
from noether.mechanics.wide import require_wide
from noether.plan import chosen_rules
from noether.plan.casefiles import load, rule_words
from noether.plan.casefiles import trust as casetrust
from noether.runs.planning import plan
from noether.runs.records_file import plain
from noether.runs.saved_run import Run
from noether.system.usage import UsageError, unknown
from noether.verdicts.record import Record

NUMBERS = ("measured", "predicted", "bound", "spent")
CHOICES = ("law", "cell", "symmetry", "fault")


def fitting(records: list[Record], wanted: dict) -> list[Record]:
    """The records that agree with every choice made; those of planted faults only when asked for."""
    wanted = {**wanted, "fault": wanted.get("fault")}
    return [
        r
        for r in records
        if all(
            getattr(r, name) == word for name, word in wanted.items() if word is not None or name == "fault"
        )
    ]


def line(record: Record, beside: list[Record], path: Path) -> str:
    """The line that picks exactly this record of the run at `path`.

    beside  the records of its cell, in order
    """
    chosen = {name: getattr(record, name) for name in CHOICES}
    words = ["noether", "replay", str(Path(path).absolute())]
    words += [x for name in CHOICES if chosen[name] for x in (f"--{name}", chosen[name])]
    alike = fitting(beside, {name: word or None for name, word in chosen.items()})
    at = next(k for k, r in enumerate(alike, 1) if r is record)
    return shlex.join([*words, *(["--nth", str(at)] if len(alike) > 1 else [])])


def pick(run: Run, number: int | None, wanted: dict, nth: int | None = None) -> Record:
    """The record of that number; else the nth that fits `wanted` (a choice a name of CHOICES), or the worst
    one.

    Raises UsageError.
    """
    records = run.records
    if not records:
        raise UsageError(f"{run.path} has no record: there is nothing to replay")
    if number is not None:
        if not 1 <= number <= len(records):
            raise UsageError(f"--record is {number}, must be from 1 to {len(records)}")
        return records[number - 1]
    wanted = {
        name: word.upper() if name == "law" else word for name, word in wanted.items() if word is not None
    }
    fits = [r for r in records if bool(r.fault) == ("fault" in wanted)]
    for name, word in wanted.items():
        known = sorted({getattr(r, name) for r in fits if getattr(r, name)})
        if word not in known:
            raise unknown(name, word, known)
        fits = [r for r in fits if getattr(r, name) == word]
    if not fits:
        raise UsageError(f"{run.path} has only records on planted faults: choose one with --fault")
    if nth is not None:
        if not 1 <= nth <= len(fits):
            raise UsageError(f"--nth is {nth}, must be from 1 to {len(fits)}, the records that fit")
        return fits[nth - 1]
    rank = lambda x: -1.0 if x is None else x if x == x else float("inf")
    return max(fits, key=lambda r: (r.verdict == "violated", rank(r.spent)))


class Replays:
    """The records of one run that can be replayed. words, rule_words: its files, once its cells are planned.

    trust  run the case files that it names whoever named them; else those alone that this user has run from
           there
    Raises UsageError where a case file is gone or has changed, or may not be run.
    """

    words: tuple[str, ...] = ()
    rule_words: tuple[str, ...] = ()

    def __init__(self, run: Run, *, trust: bool = False):
        self.run, self.arguments = run, run.about["arguments"]
        self.files = same_files(run, trust)

    @property
    def is_fuzzing(self) -> bool:
        """Whether the run is one of noether fuzz."""
        return self.arguments.get("command") == "fuzz"

    @cached_property
    def cases(self) -> tuple:
        """The catalogue and the run's own case files, whose names win."""
        from noether.plan.choices import as_judged, chosen_cases, overridden

        words = [resolved(self.run, w) for w in self.arguments.get("cases", []) if load.is_file_word(w)]
        with load.expecting(self.files):
            own = chosen_cases(words)[0] if words else ()
            if not self.is_fuzzing:
                own = as_judged(own, overridden(self.request(words=())))
            chosen_rules.chosen(self.rule)  # found by their names from then on
        return tuple({c.name: c for c in (*CATALOG, *own)}.values())

    @property
    def rule(self) -> tuple[str, ...] | None:
        """The words of its rules, with files as they are meant from here; None for the whole catalogue."""
        given = self.arguments.get("rule")
        words = rule_words.parts(given)
        return (
            None
            if given is None
            else tuple(resolved(self.run, w) if load.is_file_word(w) else w for w in words)
        )

    def request(self, words: tuple[str, ...]):
        """What the run was asked for, of the cases that these words mean."""
        from noether.plan.choices import Request

        kept = {k: v for k, v in self.arguments.items() if k in Request.__dataclass_fields__}
        return Request(**{**kept, "cases": words, "rule": self.rule})

    @cached_property
    def cells(self) -> dict:
        """The cells of the run by name, planned again from what the run was asked for."""
        from noether.plan.choices import select

        asked = self.arguments.get("cases", ())
        words = tuple(resolved(self.run, w) if load.is_file_word(w) else w for w in asked)
        with load.expecting(self.files):
            selection = select(self.request(words))
            self.words, self.rule_words = selection.files, selection.rule_files
            return {cell.name: cell for cell in plan(selection).cells}

    def cell(self, record: Record):
        """The cell that made a record, or None where its worst lane runs alone. Raises UsageError without
        either."""
        from noether.laws.exact import EXACT

        if record.law in EXACT and record.worst and not record.fault:
            return None
        where = f"{record.law} in cell {record.cell}" + (f", fault {record.fault!r}" if record.fault else "")
        if self.is_fuzzing:
            raise UsageError(
                f"{where}: the corpus keeps what a planted fault does: noether fuzz --replay FILE"
            )
        if record.cell not in self.cells:
            backend = f"the run's backend was {self.run.about.get('backend')}"
            raise UsageError(
                f"{where}: {self.run.path} has that cell, its plan here and now has not ({backend}): "
                f"it must be made again with noether verify"
            )
        return self.cells[record.cell]

    def again(self, record: Record) -> tuple[bool, str]:
        """Run a record again: whether every number comes back equal to the bit, and a text.

        Raises UsageError, BackendMissing.
        """
        require_wide()
        cell = self.cell(record)
        if cell is not None:
            beside = [r for r in self.run.records if r.cell == record.cell]
            return whole(cell, record, beside, load.own(self.words, self.rule_words))
        from noether.runs.replay_lane import ReplayError, replay

        try:
            back = replay(record.as_dict(), self.cases)
        except ReplayError as error:
            raise UsageError(str(error)) from None
        return back.equal, back.text


def whole(cell, record: Record, beside: list[Record], own: dict | None = None) -> tuple[bool, str]:
    """A record's cell run again; the record is told from the others of the cell by its place among them.

    own: the files whose cells run in a process of their own, as load.own has them. Raises UsageError where
    the cell comes to no end.
    """
    from noether.runs.execute import execute

    (done,) = execute([cell], own=own)
    if done.lost is not None:
        raise UsageError(f"cell {cell.name}: {done.lost}")
    if done.error is not None:
        raise RuntimeError(f"cell {cell.name} fails inside the harness:\n{done.error}")
    at = next(k for k, r in enumerate(beside) if r is record)
    found = done.records[at] if at < len(done.records) else None
    what = [
        f"{record.law} on {record.case}, {record.rule}, {record.precision}, {record.backend}; "
        f"its cell {cell.name} again"
    ]
    what += [f"with a planted fault: {record.fault}"] if record.fault else []
    if found is None or any(getattr(found, name) != getattr(record, name) for name in CHOICES):
        return False, "\n".join(
            [*what, f"the cell gives another record in place {at + 1} of {len(done.records)}: NOT EQUAL"]
        )
    differ = [
        f"{n} {getattr(found, n)!r}, the record says {getattr(record, n)!r}"
        for n in NUMBERS
        if plain(getattr(found, n)) != plain(getattr(record, n))
    ]
    if found.verdict != record.verdict:
        differ.append(f"verdict {found.verdict}, the record says {record.verdict}")
    shown = [f"{n} {getattr(found, n):.17g}" for n in NUMBERS[:3] if getattr(found, n) is not None]
    what += [", ".join([*shown, f"spent {found.spent!r}"]), f"{found.verdict}: {found.reason}"]
    return not differ, "\n".join(
        [*what, f"NOT EQUAL: {'; '.join(differ)}" if differ else "the record says the same: equal to the bit"]
    )


def resolved(run: Run, word: str) -> str:
    """The name of a case file made absolute: a relative one belongs to the folder in which the run was
    started."""
    path, name = load.split(word)
    start = run.about.get("cwd")
    there = Path(start, path) if start else path
    here = not os.path.exists(there) and os.path.exists(path)
    chosen = Path(os.path.abspath(path if here else there))
    return f"{chosen}:{name}" if name else str(chosen)


def same_files(run: Run, trust: bool) -> dict[str, str]:
    """Absolute path -> sha256 of the case files of a run and of what they read.

    Raises UsageError where one is gone or has changed, or was not run from there by this user, unless
    trusted.
    """
    what, start = f"run {run.path}", run.about.get("cwd")
    words, named = casetrust.recorded(run.about, what)
    files = casetrust.located(named, words, lambda word: resolved(run, word))
    casetrust.allow(what, files, start=start if isinstance(start, str) else "", trust=trust)
    casetrust.check_unchanged(what, files)
    return files
