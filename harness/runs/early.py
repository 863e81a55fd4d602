"""Workers that start while a run is planned: half of what a worker does at first is to import."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from noether.plan.choices import Selection
from noether.runs import worker
from noether.runs.execute import setting_of
from noether.runs.result import How
from noether.runs.worker_pool import Crew
from noether.system.jobs import jobs as how_many


@contextmanager
def early(selection: Selection, how: How) -> Iterator[Crew | None]:
    """A crew that is getting ready for the cells of a selection; None where few cells are to be expected, or
    where others than workers of ours run them."""
    workers = how_many(how.jobs)
    narrowed = selection.asked - {"backend"} or selection.files or selection.rule_files
    if narrowed or how.executor is not None or workers < 2 or worker.reading_main:
        yield None
        return
    with Crew(workers, setting_of((), workers)) as crew:
        for _ in range(workers):
            crew.send(pickle.dumps((ready, ())))
        yield crew


def ready() -> None:
    """Import what the cells of a catalogue need. What cannot be imported is told by the cell that needs
    it."""
    from noether.laws.registry import FAMILIES

    for family in FAMILIES:
        with suppress(Exception):
            family.measured()
    with suppress(Exception):
        from noether.kernels.loops import compiled  # noqa: F401
        from noether.kernels.ptx.native import execute  # noqa: F401
        from noether.laws.exact import cell  # noqa: F401
    gc.collect()
    gc.freeze()  # modules stay: the collector looked at all of them ten times a run, a fortieth of its time
