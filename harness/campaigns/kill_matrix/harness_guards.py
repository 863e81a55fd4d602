"""The checks of production that notice a fault of the harness itself, and how each is taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from noether.campaigns.kill_matrix.harness_plantings import replaced
from noether.laws.exact import witness
from noether.runs import completeness, known_answers, run
from noether.verdicts import exit_codes, record
from noether.verdicts.record import HOLDS


def forgiving(right):
    """A summary in which no fault survives, made of the right one."""
    return lambda records, names: [
        replace(row, survivors=(), verdict=HOLDS if row.counts[HOLDS] else row.verdict)
        for row in right(records, names)
    ]


def blank(*_, **__) -> list:
    """A check that finds nothing, whatever it is given."""
    return []


REMOVED: dict[str, Callable] = {
    "instruments": lambda: replaced(known_answers, "faulty", blank),
    "promises": lambda: replaced(completeness, "unkept", blank),
    "idle": lambda: replaced(completeness, "idle", blank),
    "silent": lambda: replaced(completeness, "silent", blank),
    "spared": lambda: replaced(completeness, "spared", blank),
    "foreign": lambda: replaced(completeness, "foreign", blank),
    "survivors": lambda: replaced(record, "summarise", forgiving(record.summarise)),
    "exit code": lambda: replaced(exit_codes, "of_records", lambda records, names, **how: 0),
    "witness": lambda: replaced(witness, "witness", lambda t, lane, step: 0.0),
    "resumed": lambda: replaced(run, "nothing_lost", lambda records, cells: None),
}
"""How each guard is taken out, for the test that it does the work."""
