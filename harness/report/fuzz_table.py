"""The end of a fuzzing run as tables, and as plain data."""

from __future__ import annotations

from rich.text import Text

from noether.campaigns.fuzz.minimise import size
from noether.campaigns.fuzz.next_batch import unscreened
from noether.campaigns.fuzz.outcome import Outcome, Row
from noether.campaigns.fuzz.regimes import REGIMES
from noether.report.table import listing, number
from noether.system.memorypeak import told as told_peak
from noether.system.outside import plural
from noether.verdicts import exit_codes

SHOWN = 12  # cells never visited that are named on the terminal; all are in the summary
WORD = {
    exit_codes.HOLDS: "nothing false",
    exit_codes.VIOLATED: "a law is violated",
    exit_codes.UNDECIDED: "could not decide",
    exit_codes.INTERNAL: "internal error",
    exit_codes.INTERRUPTED: "interrupted",
}


def law_order(outcome: Outcome) -> list[tuple[str, Row]]:
    """Each law with its row, by letter and number."""
    return sorted(outcome.rows.items(), key=lambda item: (item[0][0], int(item[0][1:])))


def laws_table(outcome: Outcome):
    """The table of laws: checks, lanes, the worst of screen and host, and how often it was replayed."""
    table = listing("law", "checks", "lanes", "worst", "replayed", "worst in")
    for law, row in law_order(outcome):
        # The host's figure is in wide arithmetic; the screen's bound is a little wider, so its figure a
        # little smaller.
        worst, where = row.screen, row.screen_where
        if row.host is not None and row.host >= row.screen:
            worst, where = row.host, row.host_where
        table.add_row(law, f"{row.checks:.3g}", f"{row.lanes:.3g}", number(worst), str(row.replayed), where)
    return table


def coverage_table(outcome: Outcome):
    """One row a regime: how many of its cells were visited, by how many batches."""
    table = listing("regime", "cells", "batches", "what")
    for name, regime in REGIMES.items():
        mine = [c for c in outcome.cells if c.regime == name]
        if mine:
            visited = [outcome.visits[c] for c in mine if outcome.visits.get(c)]
            table.add_row(name, f"{len(visited)}/{len(mine)}", str(sum(visited)), regime.what)
    return table


def rate(outcome: Outcome) -> float:
    """Checks per second of the whole run, everything included."""
    return outcome.checks / outcome.seconds if outcome.seconds else 0.0


def volume(outcome: Outcome) -> list[str]:
    """How much was tried, how fast, and what could not be."""
    share = lambda backend, n: f"{n:.2g} on {backend} ({plural(len(outcome.kernels[backend]), 'kernel')})"
    shares = ", ".join(share(backend, n) for backend, n in sorted(outcome.done_by.items())) or "none"
    left_out = f"{outcome.frozen} frozen, {outcome.unscreened} judged by the host alone"
    outside = f"{plural(outcome.outside, 'lane')} outside, {left_out}: none counts as a check"
    each = f"{outcome.checks / max(outcome.cpu, 1e-9):.2g} checks in each of them"
    took = ", ".join(filter(None, [f"{outcome.seconds:.1f} s", told_peak(outcome.memory)]))
    speed = f"{outcome.checks:.3g} checks in {took}, {rate(outcome):.2g} a second"
    lines = [f"{plural(outcome.lanes, 'lane')} in {plural(outcome.batches, 'batch', 'batches')}; {outside}"]
    lines.append(f"{speed}: {shares}; {outcome.cpu:.0f} s of processors, {each}")
    left = unscreened(outcome.campaign.cases, outcome.campaign.rules)
    if left:
        why = f"{'its' if len(left) == 1 else 'their'} laws cannot be traced into a kernel"
        lines.append(f"{plural(len(left), 'rule is', 'rules are')} not fuzzed, {why}: {', '.join(left)}")
    return lines


def ending(outcome: Outcome) -> list:
    """All that is printed, from the replayed corpus to the verdict."""
    out: list = []
    for replayed in outcome.replayed:
        out.append(Text(replayed.line, style="bold red" if replayed.again else ""))
    if outcome.rows and not outcome.violations:
        out += [laws_table(outcome), Text(), coverage_table(outcome), Text()]
        out += never_visited(outcome)
    if not (outcome.campaign.probe.plant and outcome.violations):  # a planted run counts no check as one
        out += [Text(line) for line in volume(outcome)]
    for alarm in outcome.false_alarms[:SHOWN]:
        out.append(Text(f"false alarm: {alarm}", style="bold red"))
    for name, error in list(outcome.errors.items())[:SHOWN]:
        out.append(Text(f"internal error in {name}: {error.strip().splitlines()[-1]}", style="bold red"))
    for name, why in list(outcome.lost.items())[:SHOWN]:
        out.append(Text(f"undecided: {name}: {why}", style="yellow"))
    out += found(outcome)
    folder = f"; {outcome.folder}" if outcome.folder else ""
    style = "green" if outcome.exit_code == exit_codes.HOLDS else "bold red"
    return [*out, Text(verdict(outcome) + folder, style=style)]


def verdict(outcome: Outcome) -> str:
    """The last line: what the exit code says, and why."""
    plant = outcome.campaign.probe.plant
    if outcome.exit_code == exit_codes.UNDECIDED:
        if outcome.lost:
            return f"could not decide: {plural(len(outcome.lost), 'batch', 'batches')} came to no end"
        if outcome.false_alarms:
            alarms = f"{len(outcome.false_alarms)} alarms of the screen that the host does not confirm"
            return f"{alarms}: its bound is wrong"
        if plant and outcome.checks:
            return f"planted fault not found: {plant}"
        return "no check was made: the time box proves nothing"
    if plant and outcome.violations:
        law, when = outcome.violations[0][0].law, f"in {outcome.seconds:.1f} s, batch {outcome.batches}"
        return f"planted fault found: {plant}, by {law}, {when}, after {outcome.tried:.3g} checks"
    return WORD[outcome.exit_code]


def never_visited(outcome: Outcome) -> list[Text]:
    """The cells of the grid that no batch visited, at most SHOWN by name."""
    missing = outcome.unvisited
    if not outcome.cells:
        return []
    if not missing:
        return [Text(f"every cell of the grid was visited, {len(outcome.cells)} in all")]
    names = ", ".join(c.name for c in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more, all in the summary (--json)" if len(missing) > SHOWN else ""
    return [Text(f"never visited: {len(missing)} of {len(outcome.cells)} cells: {names}{more}")]


def found(outcome: Outcome) -> list:
    """Each violation, made small, with the line that replays it."""
    out: list = []
    for at, (subject, minimal) in enumerate(outcome.minimal):
        out.append(Text(f"violated: {subject.place}: {minimal.found.get('reason', '')}", style="bold red"))
        out.append(Text(f"  smallest: {size(subject, minimal)}, {number(minimal.found.get('spent'))} bounds"))
        if at < len(outcome.saved) and outcome.saved[at]:
            out.append(f"  noether fuzz --replay {outcome.saved[at]}")
    if outcome.violations and not outcome.minimal:  # something ended the run before they were made small
        for subject, _, record, _ in outcome.violations[:SHOWN]:
            out.append(Text(f"violated: {subject.place}: {record.reason}", style="bold red"))
            out += [f"  {record.replay}"] if record.replay else []
        return out
    others = sorted({v[0].law for v in outcome.violations} - {subject.law for subject, _ in outcome.minimal})
    if others:
        out.append(Text(f"violated in the same batch: {' '.join(others)}"))
    return out


def summary(outcome: Outcome) -> dict:
    """The fuzzing run as plain data for --json."""
    campaign = outcome.campaign
    return {
        "exit_code": outcome.exit_code,
        "verdict": verdict(outcome),
        "backend": campaign.probe.backend,
        "plant": campaign.probe.plant,
        "seed": campaign.seed,
        "batches": outcome.batches,
        "lanes": outcome.lanes,
        "outside": outcome.outside,
        "unscreened": outcome.unscreened,
        "frozen": outcome.frozen,
        "skipped": outcome.skipped,
        "unscreened_rules": unscreened(outcome.campaign.cases, outcome.campaign.rules),
        "checks_by_backend": outcome.done_by,
        "seconds": outcome.seconds,
        "memory": outcome.memory,
        "screened_seconds": outcome.screened,
        "cpu_seconds": outcome.cpu,
        "checks": outcome.checks,
        "rate": rate(outcome),
        "laws": {law: row.__dict__ for law, row in law_order(outcome)},
        "cells": len(outcome.cells),
        "visited": len(outcome.visits),
        "never_visited": [c.name for c in outcome.unvisited],
        "batches_per_cell": dict(sorted((c.name, n) for c, n in outcome.visits.items())),
        "corpus": [r.line for r in outcome.replayed],
        "false_alarms": outcome.false_alarms,
        "errors": outcome.errors,
        "lost": outcome.lost,
        "violations": [
            {"where": subject.place, "size": size(subject, minimal), "minimal": minimal.as_dict()}
            for subject, minimal in outcome.minimal
        ],
        "violated": sorted({v[0].law for v in outcome.violations}),
        "saved": [str(p) for p in outcome.saved if p],
        "folder": str(outcome.folder) if outcome.folder else None,
    }
