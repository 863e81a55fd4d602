"""Whether a launch of the size asked for fits into memory, told before it runs with an estimate."""

from __future__ import annotations

import os

from noether.cases.case import Case
from noether.laws.exact.cell import LaunchCell
from noether.system import memorylimit
from noether.system.usage import UsageError

BYTES = 800
"""Of a launch and all that is judged of it, for each lane, step and component.

Measured at the peak in numpy (2026-11-27): 612 (product, Nesterov, bfloat16, 131 072 lanes x 2), 622 and 749
(mexican-hat-8, its exact laws and its response), 664 (deformed-rayleigh on a metric); 937 of softmax at 32
768 x 2, where what every process holds counts most.
"""
PROMISED = int(1.25 * 2**30)
"""Bytes of one launch: with what a worker holds beside it, 1.5 GB."""


def allowed() -> int:
    """What was promised, or what the user has set for a case."""
    return memorylimit.allowed() if os.environ.get(memorylimit.VARIABLE, "").strip() else PROMISED


def check(cells, asked: dict) -> None:
    """Refuse lanes or steps that were asked for and do not fit into memory. Raises UsageError."""
    if not {"lanes", "steps"} & set(asked):
        return
    launches = [c for c in cells if isinstance(c, LaunchCell)]
    size = lambda c: BYTES * c.lanes * c.horizon * c.case.dim
    largest = max(launches, key=size, default=None)
    if largest is not None:
        check_launch(largest.case, largest.lanes, largest.horizon)


def check_launch(case: Case, lanes: int, steps: int) -> None:
    """Refuse a launch that does not fit into memory. Raises UsageError."""
    size = BYTES * lanes * steps * case.dim
    if size <= allowed():
        return
    raise UsageError(
        f"a launch of {lanes} lanes x {steps} steps of {case.name}, which has {case.dim} parameters, needs "
        f"about {size / 2**30:.1f} GiB, must stay within {allowed() / 2**30:g} GiB: lanes x steps must "
        f"be at most {allowed() // (BYTES * case.dim)}; {memorylimit.VARIABLE}=N allows N GiB"
    )
