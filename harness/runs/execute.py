"""Running cells: in this process, in worker processes, or through any executor of concurrent.futures.

Cells are independent, carry their seeds and are picklable, so that neither order nor worker changes what they
find. A cell whose worker died is tried once more when nothing else runs, for two may have had too little
memory together; then it is named. A cell that does not end in its time is named at once. What a case file
does cannot reach cells of others: its cells run in processes in which no others run.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace

from noether.cases.rules import OWN
from noether.kernels import cache_folders
from noether.mechanics.wide import require_wide
from noether.plan.casefiles import load
from noether.plan.casefiles.blame import blamed
from noether.runs import worker
from noether.runs.costs import cost
from noether.runs.worker import Setting
from noether.runs.worker_pool import Crew, Died, Overdue, Raised, Unloadable
from noether.system import freed, memorylimit, processstate
from noether.system.machine import cpus
from noether.system.threads import one_thread
from noether.system.timelimit import TimeUp, limited
from noether.system.usage import UsageError
from noether.verdicts.record import Record

FEW = 16  # cells that go to one worker's interpreter; more are worth one each
SECONDS = 600.0  # a cell of the longest profile takes a minute on a slow machine


@dataclass
class Done:
    """One finished cell: its records, or why there are none.

    error  the traceback of what went wrong inside the harness
    lost   why the cell is undecided though nothing is wrong with the harness: it took too long, its worker
           died, its case raised
    notes  what its process had to do otherwise, once told as good as twice
    """

    cell: str
    records: list[Record]
    seconds: float
    error: str | None = None
    lost: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Group:
    """Cells that one worker runs one after the other, as they are sent."""

    cells: list
    setting: Setting
    raw: bytes
    seconds: float
    losses: int = 0

    @property
    def names(self) -> list[str]:
        """The names of the cells."""
        return [cell.name for cell in self.cells]


def run_cells(
    cells: list, seconds: float | None = None, foreign: bool = False, rules: tuple = ()
) -> list[Done]:
    """What came of each cell, one after the other, within `seconds` each.

    foreign  they are cells of a user's file, after each of which the process is put back as it was
    rules    those of the cells that were handed over as objects, which no catalogue and no file has
    """
    OWN.update({rule.name: rule for rule in rules})
    if not foreign:
        return [run_cell(cell, seconds) for cell in cells]
    out = []
    for cell in cells:
        known = len(load.refusals())
        with processstate.kept() as before:
            done = run_cell(cell, seconds)
            left = before.differences(harmless=done.error is not None)
        # A case may catch that a file of its was refused, and go on without it.
        lost = load.refusals()[known:][:1]
        lost += [f"its case changes the process that runs it: {'; '.join(left)}"] if left else []
        out.append(replace(done, records=[], error=None, lost=lost[-1]) if lost else done)
    return out


def untold(running: Callable[[], list[str]]) -> None:
    """Where nobody asks which cells run."""


def run_cell(cell, seconds: float | None = None) -> Done:
    """Run one cell; an exception becomes part of the result, so that a broken cell does not take the others
    with it."""
    begin = time.perf_counter()
    lasted = lambda: time.perf_counter() - begin
    try:
        require_wide()  # of the machine that runs it
        if not is_interpreted(cell):
            worker.close_interpreter()
        with limited(seconds or SECONDS, "--cell-seconds"):
            records = list(cell.run())
        for record in records:
            if not isinstance(record, Record):
                raise TypeError(f"cell {cell.name} gave {type(record).__name__}, must give Record")
            record.cell = cell.name
        return Done(cell.name, records, lasted(), notes=cache_folders.notes())
    except (Exception, SystemExit, TimeUp, KeyboardInterrupt) as error:
        told = blamed(error)
        if isinstance(error, KeyboardInterrupt) and not told:  # of whoever sits there
            raise
        internal = None if told else traceback.format_exc()
        return Done(cell.name, [], lasted(), internal, told or None, cache_folders.notes())
    finally:
        freed.give_back()


Tell = Callable[[Callable[[], list[str]]], None]


def execute(
    cells: list,
    *,
    jobs: int = 1,
    own: dict | None = None,
    seconds=None,
    executor=None,
    crew: Crew | None = None,
    tell: Tell = untold,
) -> Iterator[Done]:
    """Run each cell once and yield it as it finishes. Leaving the loop early stops the workers.

    own       ("case" or "rule", name) -> the file that has it (a casefiles.source.Source): its cells always
              run in processes of their own
    seconds   the limit of one cell, SECONDS when None
    executor  a noether.runs.engine.Engine, worker processes of ours when None
    crew      such processes that were started before; it is dismissed at the end
    tell      is given a function that says which cells run now, where that is known
    Raises CannotRun where no worker can be started or the executor is lost for good.
    """
    if worker.reading_main:
        must = "what runs must stand under if __name__ == '__main__':"
        raise UsageError(f"a script whose cases go to workers is read there once more: {must}")
    seconds, stays = seconds or SECONDS, executor is None and jobs <= 1 and not own
    groups, here = ([], cells) if stays else sent(cells, own or {}, jobs, seconds)
    if groups:
        here = list(here)
        for done in in_crew(groups, jobs, tell, crew) if executor is None else executor.through(groups):
            if isinstance(done, Done):
                yield done
            else:
                here += done.cells
    foreign = [c for c in here if sources_of(c, own)]
    yield from (
        Done(c.name, [], 0.0, lost="its case file cannot be loaded in a process of its own") for c in foreign
    )
    for cell in (c for c in here if c not in foreign):
        tell(lambda cell=cell: [cell.name])
        with one_thread():
            done = run_cell(cell, seconds)
        yield done


def sent(cells: list, own: dict, jobs: int, seconds: float) -> tuple[list[Group], list]:
    """What goes to workers, the longest first and cells of one case file together; and cells that cannot
    travel."""
    by_file: dict = {}
    for cell in sorted(cells, key=cost, reverse=True):
        by_file.setdefault(sources_of(cell, own), []).append(cell)
    groups, here = [], []
    for sources, some in by_file.items():
        for few in together(some):
            group = packed(few, sources, jobs, seconds)
            groups += [group] if group else []
            here += [] if group else few
    return groups, here


def sources_of(cell, own: dict | None) -> tuple:
    """The files that have the case and the rule of a cell; () of the catalogue's."""
    wanted = (("case", cell.case.name), ("rule", rule_of(cell))) if own else ()
    return tuple(own[key] for key in wanted if key in own)


def packed(cells: list, sources: tuple, jobs: int, seconds: float) -> Group | None:
    """A group of cells pickled for a worker; None where they cannot travel, as a case made of lambdas
    cannot."""
    try:
        raw = pickle.dumps((run_cells, (cells, seconds, bool(sources), handed_over(cells, sources))))
    except Exception:
        return None
    main = getattr(sys.modules["__main__"], "__file__", None) if b"__main__" in raw else None
    # A driver maps more than it holds.
    on_gpu = any(getattr(cell, "backend", "") == "triton-gpu" for cell in cells)
    memory = memorylimit.allowed() if sources and not on_gpu else 0
    return Group(cells, setting_of(sources, jobs, main, memory), raw, seconds * len(cells))


def setting_of(sources: tuple, jobs: int, main: str | None = None, memory: int = 0) -> Setting:
    """The setting of a worker, one of `jobs` that run at once."""
    threads = max(1, cpus() // max(1, jobs))
    return Setting(sources, tuple(sys.path), os.path.abspath(main) if main else "", threads, memory)


def handed_over(cells: list, sources: tuple) -> tuple:
    """The rules of cells that are neither of the catalogue nor of a file."""
    of_files = {source.name for source in sources if source.kind == "rule"}
    names = dict.fromkeys(map(rule_of, cells))
    return tuple(OWN[name] for name in names if name in OWN and name not in of_files)


def rule_of(cell) -> str:
    """The name of the rule of a cell, '' where it has none."""
    return getattr(cell, "rule", "")


def together(cells: list) -> list[list]:
    """Cells one by one, those that Triton interprets first, and together where they are few: an interpreter
    takes longer to start than they take, and ends with the first cell that it has no part in."""
    interpreted = [c for c in cells if is_interpreted(c)]
    few = interpreted and len(interpreted) <= FEW
    first = [interpreted] if few else [[c] for c in interpreted]
    return first + [[c] for c in cells if not is_interpreted(c)]


def is_interpreted(cell) -> bool:
    """Whether Triton interprets the launches of a cell, in a process that is kept for the next ones."""
    return getattr(cell, "backend", "") == "triton-interpreted"


def in_crew(groups: list[Group], jobs: int, tell, crew: Crew | None = None) -> Iterator[Done | Group]:
    """Done for each cell; a group comes back whole when its cells cannot be made again elsewhere."""
    again: list[Group] = []
    with crew or Crew(min(max(1, jobs), len(groups))) as crew:
        pending = {crew.send(g.raw, g.setting, g.seconds): g for g in groups}
        run = lambda: [group for future, group in list(pending.items()) if future.running()]
        tell(lambda: [name for group in run() for name in group.names])
        while pending:
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                group = pending.pop(future)
                try:
                    yield from future.result()
                except Died:
                    again += alone(group)
                except Unloadable:
                    yield group
                except (Overdue, Raised) as error:
                    yield from failed(group, error)
        for group in again:
            yield from once_more(crew, group)


def alone(group: Group) -> list[Group]:
    """Each cell of a group as a group of its own."""
    share, sources = group.seconds / len(group.cells), group.setting.sources
    raw = lambda cell: pickle.dumps((run_cells, ([cell], share, bool(sources), handed_over([cell], sources))))
    return [Group([cell], group.setting, raw(cell), share, group.losses) for cell in group.cells]


def once_more(crew: Crew, group: Group) -> list[Done]:
    """Run a cell whose worker died again, while nothing else runs."""
    try:
        return crew.send(group.raw, group.setting, group.seconds).result()
    except Died as error:
        lost = f"{error} while the cell ran; so it did when the cell was tried again alone"
        return [Done(name, [], 0.0, lost=lost) for name in group.names]
    except (Overdue, Raised, Unloadable) as error:
        return failed(group, error)


def failed(group: Group, error: Exception) -> list[Done]:
    """The results for cells whose call did not end in time, or raised."""
    if isinstance(error, Overdue):
        return [Done(name, [], 0.0, lost=str(error)) for name in group.names]
    return [Done(name, [], 0.0, str(error)) for name in group.names]


def named(group: Group, why: str) -> list[Done]:
    """The results for cells that no worker brought to an end."""
    return [Done(name, [], 0.0, lost=f"no worker brought the cell to an end: {why}") for name in group.names]
