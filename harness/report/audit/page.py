"""audit.html: one or many audits on one page that needs no network: tables, maps, and every finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from noether.campaigns.audit.finding import (
    DEVIATES,
    HOLDS,
    INCONCLUSIVE,
    OUTSIDE,
    UNDECIDED,
    VIOLATED,
    Audit,
    Finding,
)
from noether.campaigns.audit.symmetry_part import BROKEN, KEPT, REFUSED
from noether.report.audit import fingerprint
from noether.report.audit.facts import (
    AS_FINDING,
    SYMBOL,
    TYPES,
    by_part,
    counted,
    names_of,
    remark,
    rows_of,
    rule_of,
    sentence,
    spent_of,
    told_row,
)
from noether.report.audit.terminal import verb
from noether.report.html import environment
from noether.report.page.book import SYMBOL as OF_FINDING
from noether.report.terminal import number
from noether.system.outside import plural

TONE = {HOLDS: "good", VIOLATED: "bad", INCONCLUSIVE: "unsure"}
PLACES = 3  # modules that are named
UNIT_HEAT = 60  # per cent of colour where all of a bound is spent


@dataclass(frozen=True)
class Cell:
    """One place of a map: what stands there, its class, per cent of colour, and what a pointer is told."""

    text: str
    style: str = ""
    heat: int = 0
    title: str = ""


@dataclass(frozen=True)
class Shown:
    """One audit as the page shows it.

    key      where the page has it
    worst    a cell of each of TYPES
    turns    {tensor: a cell of each symmetry}, the first that of a matrix
    """

    audit: Audit
    key: str
    name: str
    symbol: str
    verdict: str
    rule: str
    sentence: str
    remark: str
    worst: list[Cell]
    turns: dict[str, list[Cell]]
    parts: dict[str, list[Finding]]


def page(audits: Sequence[Audit], about: Sequence[tuple[str, str]] = ()) -> str:
    """The text of the page.

    about  (name, value): what was audited with what, for the table at its end
    """
    columns, keys = told_row(audits), keys_of(audits)
    names = names_of(audits)
    each = [shown(a, key, name, columns) for a, key, name in zip(audits, keys, names, strict=True)]
    n = counted(audits)
    tone = "bad" if n[DEVIATES] else "unsure" if n[UNDECIDED] or not audits else "good"
    wrong = [(s, [x for x in s.audit.findings if x.verdict == VIOLATED]) for s in each]
    told = dict(title=title(audits), tone=tone, tally=n, symbol=SYMBOL, words=words(audits))
    told |= dict(each=each, wrong=[(s, some) for s, some in wrong if some], columns=columns, types=TYPES)
    told |= dict(
        about=list(about), sign=OF_FINDING, seconds=sum(a.seconds for a in audits), single=len(each) == 1
    )
    told |= dict(rows=turn_rows(each))
    made = environment().overlay()
    made.filters = {**made.filters, "plusminus": plusminus, "started": started}
    return made.get_template("audit.html").render(**told)


def turn_rows(each: Sequence[Shown]) -> list[tuple[str, str, list[Cell]]]:
    """The map of symmetries, (name, key, cells): of one audit a row a tensor, of many a row an optimizer."""
    if len(each) == 1:
        return [(tensor, each[0].key, cells) for tensor, cells in each[0].turns.items()]
    return [(s.name, s.key, next(iter(s.turns.values()))) for s in each if s.turns]


def title(audits: Sequence[Audit]) -> str:
    """What the page says first."""
    if len(audits) == 1:
        return f"{audits[0].target} {verb(audits[0])}"
    n, all_of = counted(audits), plural(len(audits), "optimizer")
    for verdict, verb_of in ((DEVIATES, "deviates deviate"), (UNDECIDED, "is are")):
        if n[verdict]:
            said = verb_of.split()[n[verdict] != 1]
            return f"{n[verdict]} of {all_of} {said}{' not decided' if verdict == UNDECIDED else ''}"
    return f"{all_of} obey" if audits else "No optimizer was audited"


def words(audits: Sequence[Audit]) -> str:
    """What stands under the title: of one audit its sentence, of many where they come from."""
    if len(audits) == 1:
        return started(sentence(audits[0])) + "."
    places = dict.fromkeys(a.target.partition(":")[0] for a in audits)
    if len(places) > PLACES:
        places = dict.fromkeys(x.split(".")[0] for x in places)
    return f"Every optimizer of {', '.join(places)}." if places else ""


def started(text: str) -> str:
    """A sentence with a capital at its start."""
    return text[:1].upper() + text[1:]


def keys_of(audits: Sequence[Audit]) -> list[str]:
    """A word for each audit that a link can name, no two the same."""
    found: list[str] = []
    for a in audits:
        key = "of-" + (re.sub(r"[^a-z0-9]+", "-", a.target.lower()).strip("-") or "target")
        found.append(key if key not in found else f"{key}-{len(found)}")
    return found


def shown(audit: Audit, key: str, name: str, columns: Sequence[str]) -> Shown:
    """One audit as the page shows it."""
    worst = spent_of(audit)
    turns = {of: [turn_cell(x, row.get(x)) for x in columns] for of, row in rows_of(audit).items()}
    return Shown(
        audit, key, name, SYMBOL[audit.verdict], AS_FINDING[audit.verdict], rule_of(audit), sentence(audit),
        remark(audit), [spent_cell(kind, worst.get(kind)) for kind in TYPES],
        turns, by_part(audit),
    )  # fmt: skip


def turn_cell(name: str, found: dict | None) -> Cell:
    """One symmetry of one optimizer."""
    if found is None or found["found"] == REFUSED:
        return Cell("–", "outside", title=f"{name}: {found['reason']}" if found else f"{name}: not asked for")
    told = f"{name} is {found['found']}" + (f": {found['reason']}" if found["reason"] else "")
    if found["found"] == KEPT:
        return Cell("=", "kept", title=told)
    if found["found"] == BROKEN:
        title = f"{name} is broken: {found['size']:.3g} of a step is off"
        return Cell(fingerprint.sized(found["size"]), "hot", fingerprint.heat(found["size"]), title)
    return Cell("?", "inconclusive", title=told)


def spent_cell(kind: str, found: Finding | None) -> Cell:
    """What one type spends."""
    if found is None or found.verdict == OUTSIDE or found.spent is None:
        return Cell("–", "outside", title=f"{kind}: {found.reason if found else 'not looked at'}")
    style = "hot" if found.verdict != VIOLATED else "violated" if found.spent > 1 else "marred"
    heat = round(UNIT_HEAT * min(1.0, found.spent)) + 10 if style == "hot" else 0
    return Cell(number(found.spent), style, heat, f"{found.name}: {found.reason}")


def plusminus(pair: Sequence[float]) -> str:
    """A number with its error."""
    value, plus = pair
    return f"{value:.6g} ± {plus:.1g}"
