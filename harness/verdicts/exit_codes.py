"""The exit codes of `noether`: their names, and how what was found becomes one.

    0  everything holds (a time box that ends cleanly too)    70   an internal error
    1  a law is violated                                      130  interrupted
    2  wrong usage or input                                   143  terminated
    3  could not decide, or blind

No other module writes one of these numbers or puts two findings in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from noether.verdicts import record
from noether.verdicts.known import GONE, Standing, excuse, proving
from noether.verdicts.record import Record

HOLDS, VIOLATED, WRONG, UNDECIDED = 0, 1, 2, 3
INTERNAL, INTERRUPTED, TERMINATED = 70, 130, 143


def of(*, internal=False, violated=False, interrupted=False, wrong=False, undecided=False) -> int:
    """The exit code of a command that found these things; each is taken by its truth, and the first of them
    decides."""
    if internal:
        return INTERNAL
    if violated:
        return VIOLATED
    if interrupted:
        return INTERRUPTED
    if wrong:
        return WRONG
    return UNDECIDED if undecided else HOLDS


def of_records(
    records: list[Record],
    laws: list[str],
    *,
    strict: bool = False,
    unjudged: Sequence[str] = (),
    known: Sequence[Standing] = (),
) -> int:
    """The exit code of the records of a run, by the laws that it was asked to decide.

    Undecided where the run was blind: no records, a law without a `holds` cell, a form of a law that is
    undecided wherever it was asked, a law none of whose faults was killed, or a fault that no law killed.
    unjudged  laws to which no fault applies in a narrowed choice, or that are outside there: they decide
              nothing
    known     known violations: those that are seen do not count, and a law that is violated in nothing else
              counts as decided where its planted faults are killed; one that is gone counts as a violation.
              A fault that was planted where its law is violated anyway is not killed by that
    """
    records = proving(records, known)
    real = [r for r in records if r.fault is None]
    laws = [law for law in laws if law not in unjudged]
    rows = record.summarise(records, laws)
    is_blind = not laws or not real or any(not decided(row) or row.survivors for row in rows)
    return of(
        violated=counted(real, known),
        undecided=is_blind
        or record.undecided_forms(records, laws)
        or (strict and any(r.verdict == record.INCONCLUSIVE for r in real)),
    )


def decided(row: record.LawSummary) -> bool:
    """Whether a law is decided: it holds, or it is violated and its planted faults show that it need not
    be."""
    return row.verdict == record.HOLDS or bool(row.counts[record.VIOLATED] and row.killed)


def counted(records: list[Record], known: Sequence[Standing]) -> bool:
    """Whether there is a violation that is not known, or a known one that is gone."""
    found = (r for r in records if r.fault is None and r.verdict == record.VIOLATED)
    return any(excuse(r, known) is None for r in found) or any(s.status == GONE for s in known)


def of_part(records: list[Record], *, strict: bool, known: Sequence[Standing] = ()) -> int:
    """The exit code of one part of a run: whether the whole was shown what it must be, no part can say."""
    found = {r.verdict for r in records if r.fault is None}
    return of(violated=counted(records, known), undecided=strict and record.INCONCLUSIVE in found)


def of_run(code: int, *, undecided=False, internal=False, interrupted=False) -> int:
    """The exit code of a run: what its records say, `code`, unless it did not come to its end.

    Who interrupts a run is told just that, whatever it had found: violations are in its folder and on stderr.
    """
    if interrupted:
        return INTERRUPTED
    if internal:
        return INTERNAL
    return UNDECIDED if undecided and code == HOLDS else code
