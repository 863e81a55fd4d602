"""The stages of a trial: what it was doing is told where its time is over, or where it cannot be traced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from noether.kernels.programs.tape import TraceError
from noether.plan.casefiles.complaint import Origin, told
from noether.system.timelimit import TimeUp
from noether.system.usage import UsageError

Stages = Iterable[tuple[str, Callable[[], None]]]
"""What a trial does, one after the other: (in words, the call). Each call raises UsageError."""


def silent(stage: str) -> None:
    """What is told of a stage where nobody asks."""


def in_stages(stages: Stages, origin: Origin, doing: Callable[[str], None] = silent) -> None:
    """Do all of these; raises UsageError with what is wrong.

    doing(stage) is told what comes next, so that whoever kills a trial that hangs can say where.
    """
    stage = ""
    try:
        for stage, work in stages:
            doing(stage)
            work()
    except TimeUp as error:
        raise UsageError(f"{origin.label}: {stage} {told(error, origin)}") from None


@contextmanager
def tracing(origin: Origin, functions: str) -> Iterator[None]:
    """A context in which something is traced to a kernel: whatever goes wrong is told as a UsageError.

    functions  in words, what it may call
    """
    try:
        yield
    except Exception as error:
        tail = "" if isinstance(error, TraceError) else f"; use + - * /, whole powers and {functions}"
        raise UsageError(
            f"{origin.label} cannot be traced to a kernel: {told(error, origin)}{tail}"
        ) from None
