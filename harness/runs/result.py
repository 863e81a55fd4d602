"""The plan of a run, the means by which it is executed, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from noether.plan.choices import Selection
from noether.system.jobs import AUTO
from noether.system.usage import UsageError
from noether.verdicts.known import Standing
from noether.verdicts.record import LawSummary, Record


@dataclass
class Plan:
    """What a selection comes to: its cells, the laws that they cover, and those that it leaves out."""

    selection: Selection
    cells: list
    laws: tuple[str, ...]
    left_out: tuple[str, ...]
    backend: str
    notes: list[str] = field(default_factory=list)
    whole: list = field(default_factory=list)  # of a part: the cells of all parts


@dataclass
class Result:
    """What a run found.

    records      every verdict, those on planted faults included (`fault` names the fault)
    rows         one summary a law: verdict, worst spent, cells, how many planted faults it killed
    exit_code    0 everything holds, 1 a law is violated, 3 could not decide or blind, 70 a cell failed, 130
                 interrupted
    laws         those that were judged;  left_out  those that cover nothing of the choice, or that are not
                                                    here
    errors       cell -> traceback: what went wrong inside the harness
    lost         cell -> why it is undecided though the harness is not at fault
    shard        as 2/3: the second of three parts of a run
    memory       bytes that all its processes held together, at most; None where the system does not say
    folder       the run folder, None where nothing was recorded
    notes        what should be known beside the verdicts, a sentence each
    blind        promises that the run did not keep
    unjudged     laws of a narrowed choice that none of their faults can test, or that are outside
    baseline     a noether.runs.regression.Comparison, where one was asked for
    known        what became of each known violation that the run was judged with
    """

    records: list[Record]
    rows: list[LawSummary]
    exit_code: int
    laws: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    shard: str = ""
    folder: Path | None = None
    seconds: float = 0.0
    memory: int | None = None
    cells: int = 0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    about: dict = field(default_factory=dict)
    blind: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    baseline: object = None
    known: list[Standing] = field(default_factory=list)


@dataclass(frozen=True)
class How:
    """By what a run is executed; no verdict depends on it.

    jobs      worker processes of this machine, a number or "auto"
    seconds   the limit of one cell; None for the default of harness/runs/execute.py
    executor  a noether.runs.engine.Engine instead of worker processes of this machine
    shard     (i, n): the i-th of n parts, from 1
    """

    jobs: int | str = AUTO
    seconds: float | None = None
    executor: object = None
    shard: tuple[int, int] | None = None

    def __post_init__(self):
        if self.seconds is None:
            return
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not number or not 0 < self.seconds <= 1e7:
            raise UsageError(f"--cell-seconds is {self.seconds}, must be above 0 and at most 1e7")

    @property
    def part(self) -> str:
        """Which part of a run this is, as 2/3; '' of a whole one."""
        return "{}/{}".format(*self.shard) if self.shard else ""


USUAL = How()
