"""The comparison of two runs as tables on a terminal, and as plain data."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from noether.report.remainder import SHOWN
from noether.report.table import COLOUR, WORD, listing, number
from noether.runs.comparison import Difference, LawChange
from noether.runs.saved_run import Run
from noether.system.outside import plural
from noether.verdicts import exit_codes
from noether.verdicts.record import INCONCLUSIVE, VIOLATED

ARROW = " → "


def two(a: str, b: str) -> str:
    """Both values of a field; one where nothing changed."""
    return a if a == b else f"{a}{ARROW}{b}"


def laws(d: Difference) -> Table:
    """The table of laws, was and now."""
    table = listing("law", "verdict", "worst spent", "verdicts", "faults", "seconds")
    for c in d.laws:
        a, b = c.verdicts
        style = COLOUR[VIOLATED] if c.worse else COLOUR[INCONCLUSIVE] if a != b else ""
        counts = (two(*cells(c, "cells")), two(*killed(c)), two(*(f"{s:.1f}" for s in c.seconds)))
        table.add_row(c.law, Text(verdicts(c), style=style), spent(c), *counts)
    return table


def verdicts(c: LawChange) -> str:
    """One line: a law of one run alone is new or gone."""
    return f"{c.now.verdict} (new)" if c.was is None else "gone" if c.now is None else two(*c.verdicts)


def spent(c: LawChange) -> str:
    """The worst spent, was and now."""
    return two(*(number(r.worst_spent) if r else "-" for r in (c.was, c.now)))


def cells(c: LawChange, name: str) -> tuple[str, str]:
    """A number of a law's summary in each run."""
    return tuple(str(getattr(r, name)) if r else "-" for r in (c.was, c.now))


def killed(c: LawChange) -> tuple[str, str]:
    """How many planted faults were killed, of how many, in each run."""
    return tuple(f"{r.killed}/{r.faults}" if r else "-" for r in (c.was, c.now))


def head(name: str, run: Run) -> Text:
    """One run in a line."""
    about, given = run.about, run.about["arguments"]
    code = about.get("exit_code")
    took = about.get("seconds")
    facts = [
        f"profile {given.get('profile', '?')}",
        f"seed {about.get('seed', '?')}",
        str(about.get("backend", "?")),
        plural(len(run.records), "record"),
        f"{took:.1f} s" if isinstance(took, int | float) else "",
        "unfinished" if code is None else WORD.get(code, f"exit code {code}"),
    ]
    return Text(f"{name}  {run.path}: {', '.join(f for f in facts if f)}")


def lines(d: Difference) -> list[tuple[str, list[str], str]]:
    """Every list of the comparison, empty ones too, as (title, lines, style)."""

    def entries(names):
        return [f"{n}: spent {number(d.spent(n)[0])}{ARROW}{number(d.spent(n)[1])}" for n in names]

    lost = "lost" if d.same else "not here (another choice was asked for, so it counts for nothing)"
    bad = COLOUR[VIOLATED]
    return [
        ("now violated", d.violated, bad),
        ("marked rises", [f"{n}: {line}" for n, line in d.marked.rises.items()], bad),
        (lost, [f"{n}: {line}" for n, line in d.marked.lost.items()], bad if d.same else ""),
        ("planted faults that no law sees any more", d.surviving, bad),
        ("planted faults that are not planted any more", d.planted_no_more, bad if d.same else ""),
        ("violated no more", d.mended, "green"),
        ("marked falls", entries([n for n in d.marked.falls if n in d.entries[1].entries]), "green"),
        ("planted faults that are seen again", d.seen_again, "green"),
        ("new places", d.marked.added, ""),
        ("new planted faults", d.planted_now, ""),
        ("undecided here", d.marked.undecided, ""),
        ("moved most, told and not judged", entries([n for n, _, _ in d.moved]), ""),
    ]


def told(d: Difference, page: Path | None = None) -> list:
    """All that is printed of a comparison, from the two runs to what is worse."""
    out: list = [head("A", d.a), head("B", d.b)]
    if d.marked.differs:
        out.append(Text(f"they differ in {plural(len(d.marked.differs), 'way')}:"))
        out += [Text(f"  {x}") for x in d.marked.differs[:SHOWN]]
        out += [Text(f"  and {len(d.marked.differs) - SHOWN} more")] if len(d.marked.differs) > SHOWN else []
    out += [Text(), laws(d), Text()]
    for title, found, style in lines(d):
        if found:
            out += [Text(f"{title}: {len(found)}", style=style), *(Text(f"  {x}") for x in found[:SHOWN])]
            more = f"  and {len(found) - SHOWN} more{', all in the page' if page else ''}"
            out += [Text(more)] if len(found) > SHOWN else []
    if d.marked.unmeasured:
        names = ", ".join(d.marked.unmeasured)
        words = f"compared for coverage alone, their scatter is not measured: {names}"
        out.append(Text(words, style="dim"))
    out += [Text()] if str(out[-1]) else []
    worse = [Text(f"worse: {x}", style=COLOUR[VIOLATED]) for x in d.worse]
    out += worse or [Text("nothing is worse", style="bold green")]
    places = f"{plural(d.marked.compared, 'place')} in both{f'; {page}' if page else ''}"
    return [*out, Text(places, style="dim", overflow="fold")]


def summary(d: Difference, page: Path | None = None) -> dict:
    """The comparison as plain data for --json; every list whole."""
    spents = lambda names: {n: dict(zip(("was", "now"), d.spent(n), strict=True)) for n in names}
    return {
        "a": str(d.a.path),
        "b": str(d.b.path),
        "worse": d.worse,
        "exit_code": exit_codes.of(violated=d.worse),
        "asked_the_same": d.same,
        "differs": d.marked.differs,
        "laws": [law_summary(c) for c in d.laws],
        "violated": d.violated,
        "mended": d.mended,
        "rises": d.marked.rises,
        "lost": d.marked.lost,
        "falls": spents([n for n in d.marked.falls if n in d.entries[1].entries]),
        "moved": {n: {"was": a, "now": b} for n, a, b in d.moved},
        "added": list(d.marked.added),
        "undecided": list(d.marked.undecided),
        "unmeasured": list(d.marked.unmeasured),
        "surviving": d.surviving,
        "seen_again": d.seen_again,
        "planted_no_more": d.planted_no_more,
        "planted_now": d.planted_now,
        "compared": d.marked.compared,
        "page": str(page) if page else None,
    }


def law_summary(c: LawChange) -> dict:
    """One law, was and now: verdict, worst spent, cells, faults killed, seconds; null where a run has it
    not."""
    names = ("verdict", "worst_spent", "cells", "faults", "killed")
    sides = zip(("was", "now"), (c.was, c.now), c.seconds, strict=True)
    told = {
        side: None if row is None else {n: getattr(row, n) for n in names} | {"seconds": s}
        for side, row, s in sides
    }
    return {"law": c.law, "worse": c.worse, **told}
