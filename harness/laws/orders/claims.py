"""The one shape in which orders are claimed: a run, the model that it is held against, and the order.

    Claim(note, run, model, order, fault)

is a line of a table of statements. What comes of it:

    order     |run - model| falls with this power of the size
    fault     the same comparison under a statement that is not true, which must be violated
    limit     of an order p: the error over size^(p-1) vanishes, and which coefficients it would see
    constant  the error over size^p goes to this, and does not to one that is 1/64 larger
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from noether.laws.law import WrongStatement
from noether.laws.orders import constants
from noether.laws.orders.records import judge
from noether.laws.orders.runs import Cell
from noether.verdicts.record import Record

NUDGE = 2.0**-8  # of a coefficient, for the response to it


@dataclass(frozen=True, eq=False)
class Run:
    """Where steps end, (..., starts, sizes), and the size of what they round, (starts, sizes)."""

    end: np.ndarray
    size: np.ndarray


def ended(end: np.ndarray) -> Run:
    """A run of q itself, (d, starts, sizes)."""
    return Run(end, np.linalg.norm(end, axis=0))


@dataclass(frozen=True, eq=False)
class Solution:
    """Where a model ends, in the shape of the run's end, and how far that may be off, (starts, sizes)."""

    end: np.ndarray
    error: np.ndarray


@dataclass(frozen=True, eq=False)
class Claim:
    """A run against a model.

    run, model  a Run and a Solution; until a family has solved its table in one batch, what describes them
    order       as it is stated, None where the fault alone is a record
    fault       judged as of the order `under`, which the comparison does not have
    right       the model of order 2 for this run, from which its family derives the constant;
                in a claim of order 2 the model itself
    constant    the limit of error/size^order, `twice` (constants.py)
    responses   {coefficient: d (run - model) / d ln coefficient}, for the limit
    asked       False where the constant cancels: the order is that of the next term, and neither is a record
    """

    note: str
    run: Any
    model: Any
    order: int | None
    fault: WrongStatement | None = None
    under: int = 2
    right: Any = None
    constant: tuple[np.ndarray, np.ndarray] | None = None
    responses: dict[str, np.ndarray] = field(default_factory=dict)
    asked: bool = True


SEQUENCE = "order fault limit constant"


def judged(cell: Cell, claims: list[Claim], at: str = "", *, sequence: str = SEQUENCE, **how) -> list[Record]:
    """The records of a table of solved claims, whose notes begin with `at`.

    sequence  the parts of each claim, in turn; what is behind a | comes after the others of the whole table.
              A record is replayed by its place in its cell, so each table keeps its own
    how       as of `parts_of`
    """
    found = [parts_of(cell, claim, at + claim.note, **how) for claim in claims]
    stages = [stage.split() for stage in sequence.split("|")]
    return [record for names in stages for parts in found for name in names for record in parts[name]]


def parts_of(
    cell: Cell, claim: Claim, note: str, *, graded=False, judge=judge, own: dict | None = None, **facts
) -> dict[str, list[Record]]:
    """The records of one claim, by the parts of SEQUENCE.

    graded  whether the order too, and not its limit alone, is judged under changed coefficients
    judge   what makes the record of an order;  own: what it alone has to know, as `small` and `rounded`
    facts   eta, steps, symmetry, about; `small` and `rounded` too, where a limit is to know them
    """
    run, model, order = claim.run, claim.model, claim.order
    error, own = (run.end - model.end, model.error, run.size), {**(own or {}), **facts}
    out = {part: [] for part in SEQUENCE.split()}
    if order is not None and claim.asked:
        felt = claim.responses if graded else None
        out["order"].append(judge(cell, *error, order, note, responses=felt, **own))
    if claim.fault:
        out["fault"].append(judge(cell, *error, claim.under, note, fault=claim.fault, **own))
    if claim.responses:
        out["limit"].append(constants.vanishing(cell, *error, order - 1, claim.responses, note, **facts))
    if claim.constant is not None and claim.asked:
        out["constant"] += constants.judged(cell, *error, order, claim.constant, note, **facts)
    return out
