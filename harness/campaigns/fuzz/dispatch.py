"""Sending batches to worker processes, or running them here, and taking back their results."""

from __future__ import annotations

import pickle
import sys
import traceback
from concurrent.futures import Future
from contextlib import contextmanager

from noether.campaigns.fuzz.batch import Finding, run_batch
from noether.campaigns.fuzz.outcome import Campaign, Lost
from noether.plan.casefiles import load
from noether.runs.execute import SECONDS
from noether.runs.worker import Setting
from noether.runs.worker_pool import Crew, Died, Overdue, Raised
from noether.system import memorylimit, processstate
from noether.system.machine import cpus
from noether.system.usage import CannotRun


def submitted(submit, *arguments) -> Future:
    """A batch on its way; where no worker can take it any more, a future that says so."""
    try:
        return submit(run_batch, *arguments)
    except (OSError, RuntimeError) as error:
        future: Future = Future()
        future.set_exception(error)
        return future


@contextmanager
def workers(campaign: Campaign):
    """Where batches run: submit(function, *arguments) -> Future, in worker processes or here."""
    if campaign.jobs == 1 and not campaign.files:
        yield here
        return
    sources = load.sources(campaign.files)
    with Crew(
        campaign.jobs,
        Setting(sources, tuple(sys.path), "", max(1, cpus() // campaign.jobs), memorylimit.allowed()),
    ) as crew:
        yield lambda function, *arguments: crew.send(
            pickle.dumps((steady, (function, *arguments))), seconds=SECONDS
        )


def steady(function, *arguments):
    """A call in a worker that several case files share: what one of them changes does not reach the next."""
    with processstate.kept():
        return function(*arguments)


def here(function, *arguments) -> Future:
    """A call in this process, as a future that is done."""
    future: Future = Future()
    future.set_result(function(*arguments))
    return future


def received(future: Future) -> Finding | str:
    """The finding of a batch, or why there is none. Raises CannotRun."""
    try:
        return future.result()
    except (Died, Overdue) as error:
        return Lost(error)
    except Raised as error:
        return str(error)
    except CannotRun:
        raise
    except Exception:
        return traceback.format_exc()
