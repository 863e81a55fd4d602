"""What stands between the tables of a run and its verdict: what does not hold, is thin, or was left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from noether.report import known_violations
from noether.report.causes import Cause, causes
from noether.report.law_table import titled
from noether.report.terminal import COLOUR
from noether.runs.result import Result
from noether.system.outside import plural
from noether.verdicts.known import excuse
from noether.verdicts.power import weak
from noether.verdicts.record import INCONCLUSIVE, OUTSIDE, VIOLATED, Record, where

SHOWN = 8
"""Violations, reasons, errors: the rest is in the run folder."""


def remainder(result: Result, most: int = SHOWN) -> list[Text | str]:
    """Violations, what was not decided, what was left out: at most so many of each are named, the rest
    counted."""
    real = [r for r in result.records if not r.fault]
    out = [
        line for verdict in (VIOLATED, INCONCLUSIVE, OUTSIDE) for line in unheld(result, real, verdict, most)
    ]
    out += known_violations.told(result)
    out += named([f"blind: {told}" for told in result.blind], most, "more", "yellow")
    thin = [f"thin: {told}" for told in weak(real, result.laws)]
    out += named(thin, most, "more thin ones: noether laws RUN has them", "yellow")
    out += left_out(result)
    lines = [
        f"internal error in {cell}: {text.strip().splitlines()[-1]}" for cell, text in result.errors.items()
    ]
    return out + named(lines, most, "more internal errors", "bold red")


def named(lines: Sequence[str], most: int, rest: str, style: str) -> list[Text]:
    """At most so many lines, and how many there are more."""
    more = [Text(f"and {len(lines) - most} {rest}")] if len(lines) > most else []
    return [Text(line, style=style) for line in lines[:most]] + more


def unheld(result: Result, real: list[Record], verdict: str, most: int) -> list[Text | str]:
    """The verdicts of one kind by their causes, each below the title of its law."""
    mine = [r for r in real if r.verdict == verdict and excuse(r, result.known) is None]
    if not mine:
        return []
    order = {law: at for at, law in enumerate(result.laws)}
    place = lambda cause: order.get(cause.worst.law, len(order))
    out: list[Text | str] = [Text(f"{verdict}: {len(mine)} of {len(real)}", style=COLOUR[verdict])]
    # A few are told one by one, each with its replay line; of many, those of one cause are told once.
    alike = causes(mine) if len(mine) > most else [Cause((r,)) for r in mine]
    for law, some in groupby(sorted(alike[:most], key=place), key=lambda cause: cause.worst.law):
        out.append(Text(f"  {law} {titled(law)}".rstrip()))
        out += [line for cause in some for line in told(cause)]
    if len(alike) > most:
        rest = sum(len(cause.records) for cause in alike[most:])
        others = plural(len(alike) - most, "other cause")
        out.append(Text(f"  and {rest} more of {others}, all in records.jsonl"))
    return out


def told(cause: Cause) -> list[Text | str]:
    """One cause below the title of its law: where it is worst and why, of a violation the diagnosis and the
    replay line, and where else it is."""
    r, others = cause.worst, len(cause.records) - 1
    is_wrong = r.verdict == VIOLATED
    lines: list[Text | str] = [Text(f"    {where(r).removeprefix(r.law + ' ')}: {r.reason}")]
    lines += [Text(f"      {unsaid(r)}")] if is_wrong and unsaid(r) else []
    lines += [f"      {r.replay}"] if is_wrong and r.replay else []
    return lines + ([Text(f"      and {others} more of this cause: {cause.told}")] if others else [])


def left_out(result: Result) -> list[Text]:
    """Laws of which the run says nothing, and why."""
    beyond = {row.law for row in result.rows if row.verdict == OUTSIDE}
    reasons = {
        "no planted fault applies to this choice": [law for law in result.unjudged if law not in beyond],
        "this choice is outside what they state": [law for law in result.unjudged if law in beyond],
    }
    out = [
        Text(f"left out of judgement, {reason}: {' '.join(laws)}", style="yellow")
        for reason, laws in reasons.items()
        if laws
    ]
    if result.left_out:
        out.append(Text(f"not covered by this choice: {' '.join(result.left_out)}", style="dim"))
    return out


def explained(r: Record) -> str:
    """What the diagnosis of a violation says, or ''."""
    found = r.data.get("diagnosis")
    return str(found.get("line", "")) if isinstance(found, dict) else ""


def unsaid(r: Record) -> str:
    """The diagnosis, where the reason does not say it already."""
    return "" if explained(r) in r.reason else explained(r)
