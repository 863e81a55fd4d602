"""One audit on a terminal: the verdict in a sentence, then part by part what was looked at, and what next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from noether.campaigns.audit.finding import (
    DEVIATES,
    HOLDS,
    INCONCLUSIVE,
    OBEYS,
    OUTSIDE,
    PARTS,
    VIOLATED,
    Audit,
    Finding,
)
from noether.report.audit.facts import AS_FINDING, SYMBOL, by_part, name_of, sentence
from noether.report.page.book import SYMBOL as OF_FINDING
from noether.report.terminal import COLOUR, listing, number
from noether.system.outside import plural

FEW = 4  # findings of a part that stand each on a line of its own
NAMED = 12  # names in a line that stands for many
QUIET = {HOLDS: "hold", OUTSIDE: "are refused"}


def ending(audit: Audit, *, whole: bool = False) -> list:
    """All that is printed of an audit.

    whole  a line of its own for every finding
    """
    parts = [heading(audit), Text()]
    if audit.findings:
        parts += [findings_table(audit, whole), Text()]
    for x in audit.deviations:
        if x.script:
            parts += [Text(f"{x.part}, {x.name}: this shows it", style="bold"), Text()]
            parts += [*x.script.rstrip("\n").splitlines(), Text()]
    closing = Text(next_step(audit))
    return [*parts, closing, Text(footing(audit), style="dim")]


def heading(audit: Audit) -> Text:
    """The target, the verdict, and why."""
    style = COLOUR[AS_FINDING[audit.verdict]]
    found = Text(f"{SYMBOL[audit.verdict]} {audit.target} {verb(audit)}", style=f"bold {style}")
    return found.append(f": {sentence(audit)}", style="not bold default")


def verb(audit: Audit) -> str:
    """The verdict as a verb of its target."""
    return audit.verdict if audit.verdict in (OBEYS, DEVIATES) else "is not decided"


def findings_table(audit: Audit, whole: bool) -> Table:
    """Part by part: what is wrong or open each on its line, what holds folded where there is much of it."""
    found = listing("part", "looked at", "", "spent", "what was found")
    found.columns[0].no_wrap = True
    found.columns[3].justify = "right"
    for part, some in by_part(audit).items():
        shown = part
        for x in some if whole or len(some) <= FEW else folded(some):
            style = COLOUR[x.verdict]
            spent = "" if x.spent is None else number(x.spent)
            sign = Text(OF_FINDING[x.verdict], style=style)
            name = Text(x.name, style=style if x.verdict == VIOLATED else "")
            found.add_row(shown, name, sign, spent, words(audit, x))
            shown = ""
            for line in x.data.get("remarks") or []:
                found.add_row("", "", "", "", Text(line, style="yellow"))
    return found


def words(audit: Audit, x: Finding) -> str:
    """What was found; of the rule that the heading has told, what it is made of."""
    made = x.data.get("described") or ()
    return "; ".join(made) if x is audit.rule and x.verdict == HOLDS and made else x.reason


def folded(some: list[Finding]) -> Iterator[Finding]:
    """What is violated or not decided as it is; of the others a line for those that hold, and one for those
    that are refused."""
    yield from (x for x in some if x.verdict in (VIOLATED, INCONCLUSIVE))
    for verdict, word in QUIET.items():
        mine = [x for x in some if x.verdict == verdict]
        if len(mine) == 1:
            yield mine[0]
        elif mine:
            names = ", ".join(x.name for x in mine[:NAMED])
            more = f" and {len(mine) - NAMED} more" if len(mine) > NAMED else ""
            spent = [x.spent for x in mine if x.spent is not None]
            yield Finding(
                mine[0].part, f"{len(mine)} {word}", verdict, names + more, max(spent, default=None)
            )


def next_step(audit: Audit) -> str:
    """One line: what to do with what was found."""
    name = name_of(audit).rpartition(".")[2]
    if any(x.script for x in audit.deviations):
        return "next, run a script above with the target's package and torch alone, and read its source"
    if audit.verdict == DEVIATES:
        return "next, compare the source with the line that is violated; noether audit --json has all numbers"
    if audit.verdict == OBEYS:
        return f'next, guard it in a test: def test_{name.lower()}(noether): noether.audit("{audit.target}")'
    if audit.trouble:
        return "next, give it the options that it needs: --arg NAME=VALUE; noether audit --help has all"
    return "next, name the rule that it should obey: --like NAME, and where it differs is told"


def footing(audit: Audit) -> str:
    """How much was looked at, and how long it took."""
    looked = [part for part in PARTS if any(x.part == part for x in audit.findings)]
    return f"{plural(len(audit.findings), 'finding')} of {plural(len(looked), 'part')}, {audit.seconds:.1f} s"
