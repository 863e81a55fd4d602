"""`watch`: the laws of learning during anybody's training, from hooks alone."""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Iterable
from pathlib import Path

from noether.api.extras import needed
from noether.campaigns.watch.budget import SHARE, Schedule
from noether.runs.result import Result
from noether.system.usage import UsageError, brief
from noether.verdicts import exit_codes

MEMORY = 2**30


class Violated(Exception):
    """A watched training that violates a law, where it was watched with strict=True."""


class Watch:
    """A training under watch; `watch` makes it.

    report()   what was found so far, as text
    remarks    what is odd, and what else was seen, each with its first step and in words
    result     the same as a noether.runs.result.Result: records, rows, exit_code
    verdict    in a sentence;  exit_code  0 holds, 1 violated, 3 undecided, 70 the watch itself failed
    close()    end it, and write the run folder; the `with` block and the end of the process do it too
    """

    def __init__(self, watcher, keeper, *, strict: bool):
        self._watcher, self._keeper, self._strict = watcher, keeper, strict
        self._result: Result | None = None
        atexit.register(self.close)

    @property
    def result(self) -> Result:
        """What was found so far; after the end, all of it."""
        return self._result or self._keeper.result()

    @property
    def exit_code(self) -> int:
        """As noether ends with it."""
        return self.result.exit_code

    @property
    def verdict(self) -> str:
        """In a sentence."""
        from noether.report import watch as told

        return told.heading(self._watcher, self.result)

    def report(self) -> str:
        """What was found so far, as text."""
        from noether.report import watch as told

        return told.text(self._watcher, self.result)

    @property
    def remarks(self) -> list:
        """What is odd about the training, and what else was seen: each with its first step, and in words."""
        from noether.campaigns.watch.sentences import remarks

        return remarks(self._watcher)

    def close(self) -> None:
        """End the watch and write the run folder; a disk that refuses is a warning. Again it does nothing."""
        if self._result is not None:
            return
        from noether.report import publish

        atexit.unregister(self.close)
        self._watcher.leave()
        try:
            self._result = self._keeper.finish()
        except OSError as error:
            warnings.warn(f"noether.watch could not write its run: {error}", stacklevel=2)
            self._result = self._keeper.result()
            return
        publish.publish(self._result)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.close()
        if self._strict and error is None and self.exit_code == exit_codes.VIOLATED:
            raise Violated(self.verdict)

    def __repr__(self) -> str:
        return f"<noether.watch: {self.verdict}>"


def watch(
    model,
    optimizer,
    *,
    budget: float = SHARE,
    every: int | None = None,
    steps: Iterable[int] | None = None,
    memory: int = MEMORY,
    out: str | Path | None = None,
    strict: bool = False,
    live: bool = True,
    tensorboard=None,
) -> Watch:
    """Watch a training run: what its optimizer and its gradients do, against the laws. Nothing else changes.

        with noether.watch(model, optimizer) as w:
            ...  # the training loop as it is
        print(w.report())

    model      a torch.nn.Module, or a list or dict of several; None watches the optimizer alone
    optimizer  a torch.optim.Optimizer, or a list of several
    budget     the share of the training's own time that the watch may take; the first samples come on top
    every      look at each step whose number it divides, whatever that takes
    steps      look at these steps, counted from 1
    memory     bytes that a sample may take at most
    out        a run folder that does not exist yet, for noether report; nothing is written without one
    strict     raise Violated at the end of the `with` block where a law is violated
    live       tell how it stands on a terminal, a line every few seconds
    tensorboard  a torch.utils.tensorboard.SummaryWriter, or anything with its add_scalar

    The training computes the same bits with and without. What the watch itself raises is a warning, and the
    training goes on without it. Raises noether.system.usage.UsageError for wrong arguments, ExtraMissing
    where PyTorch is not installed.
    """
    schedule = Schedule.of(budget, every, steps)
    if not isinstance(memory, int) or isinstance(memory, bool) or memory < 2**20:
        raise UsageError(f"memory is {brief(memory)}, must be a number of bytes from {2**20}")
    for name, x in (("strict", strict), ("live", live)):
        if not isinstance(x, bool):
            raise UsageError(f"{name} is {brief(x)}, must be True or False")
    if out is not None and (not isinstance(out, str | Path) or out == ""):
        raise UsageError(f"out is {brief(out)}, must be a folder")
    if tensorboard is not None and not callable(getattr(tensorboard, "add_scalar", None)):
        raise UsageError(f"tensorboard is {brief(tensorboard)}, must have add_scalar, as a SummaryWriter has")
    needed("torch", "watch")
    return begun(model, optimizer, schedule, memory, out, strict=strict, live=live, writer=tensorboard)


def begun(
    model, optimizer, schedule: Schedule, memory: int, out, *, strict: bool, live: bool, writer
) -> Watch:
    """A watch that has begun. Raises UsageError, and then nothing is left of it."""
    from noether.campaigns.watch.keeping import Keeper, arguments
    from noether.campaigns.watch.live import Line, Scalars, both
    from noether.campaigns.watch.symmetries import found
    from noether.campaigns.watch.watcher import Watcher

    watcher = Watcher(model, optimizer, schedule, memory, find=found)
    try:
        keeper = Keeper(watcher, out, arguments(watcher, schedule, memory))
    except BaseException:
        watcher.leave()
        raise
    shown = Line(watcher) if live else None
    written = Scalars(watcher, writer) if writer is not None else None
    watcher.tell = both(lambda seat: keeper.violations(), shown, written)
    return Watch(watcher, keeper, strict=strict)
