"""What a fuzzing run was asked to do, and what it has found so far."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from noether.campaigns.fuzz.batch import Finding
from noether.campaigns.fuzz.corpus import CORPUS, Replayed
from noether.campaigns.fuzz.next_batch import GridPoint, kernel_of
from noether.campaigns.fuzz.probe import Probe
from noether.cases.case import Case
from noether.runs import replaying
from noether.runs.folder import Folder
from noether.runs.records_file import plain
from noether.system.files import write_whole
from noether.verdicts import exit_codes
from noether.verdicts.record import HOLDS, Record


@dataclass(frozen=True)
class Campaign:
    """What a fuzzing run is to do. It ends after `seconds`, or after `batches`, whichever is given and comes
    first."""

    cases: tuple[Case, ...]
    rules: tuple[str, ...]
    precisions: tuple[str, ...]
    probe: Probe
    seed: int = 0
    seconds: float | None = 60.0
    batches: int | None = None
    jobs: int = 1
    files: tuple[str, ...] = ()
    corpus: Path | None = CORPUS
    out: Path | None = None
    record: bool = True
    trust: bool = False  # the case files that entries of the corpus name


@dataclass
class Row:
    """One law over the whole run."""

    checks: int = 0
    lanes: int = 0
    screen: float = 0.0
    screen_where: str = ""
    host: float | None = None
    host_where: str = ""
    replayed: int = 0


@dataclass
class Outcome:
    """What a run found.

    tried       checks of the screen; those that count are in the rows
    kernels, done_by  backend -> the (case, rule, precision) that it ran, and its checks
    violations  (Subject, Example, Record, Batch) as found;  minimal  (Subject, Example) made small;  saved
                corpus files written
    memory      bytes that all processes of the run held together, at most; None where the system does not say
    """

    campaign: Campaign
    cells: list[GridPoint]
    rows: dict[str, Row] = field(default_factory=dict)
    visits: dict[GridPoint, int] = field(default_factory=dict)
    kernels: dict[str, set] = field(default_factory=dict)
    done_by: dict[str, int] = field(default_factory=dict)
    replayed: list[Replayed] = field(default_factory=list)
    violations: list = field(default_factory=list)
    minimal: list = field(default_factory=list)
    saved: list[Path | None] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    # Batch -> why it is undecided though the harness is not at fault.
    lost: dict[str, str] = field(default_factory=dict)
    batches: int = 0
    tried: int = 0
    skipped: int = 0
    lanes: int = 0
    frozen: int = 0
    outside: int = 0
    unscreened: int = 0
    seconds: float = 0.0
    memory: int | None = None
    cpu: float = 0.0
    screened: float = 0.0
    interrupted: bool = False
    folder: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def checks(self) -> int:
        """How many steps were checked, of all laws together."""
        return sum(r.checks for r in self.rows.values())

    @property
    def unvisited(self) -> list[GridPoint]:
        """The points of the grid that no batch visited."""
        return [c for c in self.cells if not self.visits.get(c)]

    @property
    def exit_code(self) -> int:
        """The exit code of a fuzzing run."""
        return exit_codes.of(
            internal=self.errors,
            violated=self.violations or any(r.again for r in self.replayed),
            interrupted=self.interrupted,
            undecided=self.lost or self.false_alarms or not self.checks or self.campaign.probe.plant,
        )


class Lost(str):
    """Raised when a batch could not be finished; says why."""


ADDED = "skipped lanes tried frozen outside unscreened screened cpu false_alarms".split()
"""What a finding has of its own, and a run in sum."""


def keep(outcome: Outcome, folder: Folder, name: str, records: list[Record], seconds: float) -> None:
    """Into the run folder, each with the line that replays it."""
    for r in records:
        r.cell = name
        r.fault = batch_plant(outcome)
    for r in records:  # a planted step is none that a replay could run: the corpus keeps what it found
        r.replay = None if r.fault else replaying.line(r, records, folder.path)
    folder.record(name, records, seconds)


def absorb(outcome: Outcome, finding: Finding | str, folder: Folder | None) -> None:
    """Add one finding, in the order of the batches' numbers."""
    outcome.batches += 1
    if isinstance(finding, str):
        (outcome.lost if isinstance(finding, Lost) else outcome.errors)[f"batch {outcome.batches - 1}"] = (
            finding
        )
        return
    batch = finding.batch
    if finding.error is not None:
        (outcome.lost if finding.lost else outcome.errors)[batch.name] = finding.lost or finding.error
        outcome.violations += [
            (subject, worst, record, batch) for subject, worst, record in finding.violations
        ]
        save_crash(outcome, finding, folder)
        return
    for name in ADDED:
        setattr(outcome, name, getattr(outcome, name) + getattr(finding, name))
    if finding.checks:
        outcome.visits[batch.cell] = outcome.visits.get(batch.cell, 0) + 1
        backend = "numpy" if batch.plain else outcome.campaign.probe.backend
        outcome.kernels.setdefault(backend, set()).add(kernel_of(batch.cell))
        outcome.done_by[backend] = outcome.done_by.get(backend, 0) + finding.checks
    for (law, symmetry), count in finding.laws.items():
        row = outcome.rows.setdefault(law, Row())
        row.checks += count.checks
        row.lanes += count.lanes
        if count.spent > row.screen:
            row.screen, row.screen_where = (
                count.spent,
                f"{batch.cell.name}/{symmetry}" if symmetry else batch.cell.name,
            )
    improved = [r for r in finding.records if improves(outcome, r, batch.cell)]
    outcome.violations += [(subject, worst, record, batch) for subject, worst, record in finding.violations]
    if folder:
        kept = [*improved, *(r for _, _, r in finding.violations if r not in improved)]
        keep(outcome, folder, batch.name, kept, finding.seconds)


def batch_plant(outcome: Outcome) -> str | None:
    """The planted fault that is fuzzed, None for an honest kernel."""
    return outcome.campaign.probe.plant or None


def improves(outcome: Outcome, r: Record, cell: GridPoint) -> bool:
    """Whether the host never saw this law spend as much; counts the record."""
    row = outcome.rows.setdefault(r.law, Row())
    row.replayed += r.lanes
    if r.verdict != HOLDS or (row.host is not None and r.spent <= row.host):
        return False
    row.host, row.host_where = r.spent, f"{cell.name}/{r.symmetry}" if r.symmetry else cell.name
    return True


def save_crash(outcome: Outcome, finding: Finding, folder: Folder | None) -> None:
    """Save a batch that failed inside the harness: its number and the run's seed give its lanes again."""
    if folder is None:
        return
    batch = finding.batch
    folder.record_error(batch.name, finding.error)
    parents = None
    if batch.parents is not None:
        parents = [[float(x).hex() for x in row] for row in np.asarray(batch.parents)]
    value = {**asdict(replace(batch, parents=None)), "run seed": outcome.campaign.seed}
    value |= {"probe": asdict(outcome.campaign.probe), "parents": parents, "error": finding.error}
    write_whole(
        folder.path / f"crash-{batch.number}.json", json.dumps(plain(value), allow_nan=False, indent=1) + "\n"
    )
