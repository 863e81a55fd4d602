"""Planted faults: wrong steps and wrong laws that the harness must be able to see.

Laws that are almost right stand beside the laws (harness/laws/exact/law_faults.py).

    fault.py      what a fault is, and how a wrong step is made of the right one
    terms.py      sign and factor of every term, no-op
    timing.py     stale, early, first step, stale reads, wrong points
    options.py    decay, ignored and unasked options
    types.py      dtypes, stores, double rounding, flush to zero
    places.py     indices, lanes, rows, non-finite values
    placed.py     one step, lane or value, anywhere in a launch
    gradients.py  nearby losses, eps at the wrong time, wrong metrics
    curved.py     the metric of a rule
    moments.py    what a rule keeps beside its covector
    rules.py      schedules, signs, the simplex
    adaptive.py   moments, their corrections, their memories, stability
    momenta.py    momenta that look ahead
    whole_steps.py  signs, norms, matrices and mixtures of a whole step
    lines.py      a line of a rule written wrongly
    reading.py    what a fault must know of a rule
    harmless.py   changes that are no fault, with their proofs

A new fault is one more record in one of these files; `noether faults` shows it to every law.
"""

from __future__ import annotations

from noether.faults import (
    adaptive,
    curved,
    gradients,
    harmless,
    momenta,
    moments,
    options,
    placed,
    places,
    rules,
    terms,
    timing,
    types,
    whole_steps,
)
from noether.faults.fault import Fault
from noether.faults.harmless import EQUIVALENT  # noqa: F401

FAMILIES = (
    terms,
    timing,
    options,
    types,
    places,
    placed,
    gradients,
    curved,
    moments,
    rules,
    adaptive,
    momenta,
    whole_steps,
    harmless,
)
KERNEL: tuple[Fault, ...] = tuple(fault for family in FAMILIES for fault in family.FAULTS)
LINES: tuple[Fault, ...] = (*moments.FAULTS, *adaptive.FAULTS, *momenta.FAULTS, *whole_steps.FAULTS)
"""What rules with several buffers or lines of their own alone can have wrong."""
BY_NAME: dict[str, Fault] = {f.name: f for f in KERNEL}


def named(*names: str) -> tuple[Fault, ...]:
    """Kernel faults by name. Raises KeyError."""
    return tuple(BY_NAME[name] for name in names)
