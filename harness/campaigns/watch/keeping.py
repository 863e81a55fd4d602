"""The run folder of a watch: what it found, as noether report reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from noether.campaigns.watch.records import BACKEND, case, exit_code, laws, record, records, unjudged
from noether.campaigns.watch.tally import LAWS
from noether.campaigns.watch.watcher import Watcher
from noether.runs.folder import Folder
from noether.runs.result import Result
from noether.verdicts import exit_codes
from noether.verdicts.record import Record, summarise

CELL = "watch"


class Keeper:
    """A run folder that is written while a training goes on. out None: nothing is written.

    A violation is on disk when it was found; everything else at the end. Raises UsageError before any work.
    """

    def __init__(self, watcher: Watcher, out: str | Path | None, arguments: dict):
        self.watcher, self.folder, self.told = watcher, None, set()
        if out is None:
            return
        said = {"command": "watch", "arguments": arguments, "laws": list(LAWS), "backend": BACKEND}
        self.folder = Folder.create(Path(out), said)

    def violations(self) -> list[Record]:
        """What was violated since this was last asked, which goes on disk."""
        new = []
        for seat, tally in self.watcher.tallies:
            if tally.first is not None and (tally.law, seat.word, tally.group) not in self.told:
                self.told.add((tally.law, seat.word, tally.group))
                new.append(replace(record(self.watcher, seat, tally), cell=f"{CELL}/{len(self.told)}"))
        if self.folder is not None:
            for r in new:
                self.folder.record(r.cell, [r], 0.0)
        return new

    def result(self) -> Result:
        """What was found so far."""
        found = records(self.watcher)
        asked = laws(found)
        code = exit_codes.INTERNAL if self.watcher.fault else exit_code(found)
        result = Result(found, summarise(found, asked), code, tuple(asked))
        result.left_out = tuple(law for law in LAWS if law not in asked)
        result.unjudged = unjudged(found, asked)
        result.errors = {CELL: self.watcher.fault} if self.watcher.fault else {}
        result.folder, result.seconds = self.folder and self.folder.path, self.watcher.clock.training
        result.cells = 1
        return result

    def finish(self) -> Result:
        """Write what is left, and close the folder."""
        self.violations()
        result, folder = self.result(), self.folder
        if folder is None:
            return result
        written = lambda r: r.fault is None and (r.law, r.rule, r.parameters["group"]) in self.told
        rest = [r for r in result.records if not written(r)]
        for r in rest:
            r.cell = CELL
        folder.record(CELL, rest, self.watcher.clock.own)
        if self.watcher.fault:
            folder.record_error(CELL + "/fault", self.watcher.fault)
        folder.about.update(laws=list(result.laws), left_out=list(result.left_out), seconds=result.seconds)
        folder.finish(result.exit_code)
        folder.close()
        result.about = folder.about
        return result


def arguments(watcher: Watcher, schedule, memory: int) -> dict:
    """What run.json keeps of what was asked for."""
    steps = sorted(schedule.steps) if schedule.steps is not None else None
    told = {"model": case(watcher), "optimizers": [seat.word for seat in watcher.seats], "memory": memory}
    return {**told, "budget": schedule.share, "every": schedule.every, "sampled": steps}
