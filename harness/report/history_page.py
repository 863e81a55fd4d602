"""history.html: the laws over many runs on one page, with the marked steps; one file that needs no
network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from noether.report.figures.trend import Strip, trend
from noether.report.history_rows import Row, by_run, line, remarks, rows
from noether.report.html import environment
from noether.report.terminal import number
from noether.runs.history import History, told
from noether.runs.seed_scatter import ALARM
from noether.runs.trend_marks import WHOLE, Step
from noether.system.files import write_whole
from noether.system.outside import plural
from noether.system.usage import UsageError
from noether.verdicts.power import percent

FILE = "history.html"
SHOWN = 10  # steps of a run, beyond which they are folded
RUNS = 40  # runs in the table at the end


def render(h: History, steps: Sequence[Step]) -> str:
    """The text of the page."""
    found, names = rows(h, steps), [p.name for p in h.points]
    figures = [figure(r, names) for r in found]
    whole = Strip("seconds of the whole run", *told_of([p.seconds for p in h.points], number), from_zero=True)
    at = sorted({s.at for s in steps if s.law == WHOLE})
    runs = [(n, p) for n, p in enumerate(h.points, 1)][::-1]
    return (
        environment()
        .get_template("history.html")
        .render(
            series=told(h.about),
            names=names,
            steps=steps,
            worse=sum(s.worse for s in steps),
            by_run=by_run(h, steps),
            shown=SHOWN,
            line=line,
            figures=figures,
            whole=trend([whole], names, at, "seconds of the whole run"),
            runs=runs[:RUNS],
            more=len(runs) - len(runs[:RUNS]),
            remarks=remarks(h, steps),
            alarm=percent(ALARM),
        )
    )


def told_of(values: Sequence[float | None], say) -> tuple[list[float | None], list[str]]:
    """Values and the words for them."""
    return list(values), ["" if x is None else say(x) for x in values]


def figure(r: Row, names: list[str]) -> dict:
    """The picture of one law and its caption."""
    share = lambda x: "none" if x == float("inf") else percent(x)
    strips = [
        Strip("spent, the worst in units of the bound", *told_of(r.spent, number), from_zero=True, limit=1.0)
    ]
    if any(x is not None for x in r.orders):
        strips.append(Strip("order, the measured one that moved most", *told_of(r.orders, number)))
    if any(x is not None for x in r.power):
        strips.append(Strip("power, the smallest change that is seen", *told_of(r.power, share), log=True))
    if any(x is not None for x in r.seconds):
        strips.append(Strip("seconds", *told_of(r.seconds, number), from_zero=True))
    at = sorted({s.at for s in r.steps})
    svg = trend(
        strips, names, at, f"{r.law} over {plural(len(names), 'run')}, {plural(len(r.steps), 'marked step')}"
    )
    return {"law": r.law, "title": r.title, "verdict": r.verdict, "svg": svg, "steps": r.steps}


def publish(h: History, steps: Sequence[Step], page: Path) -> Path:
    """Write the page. Raises UsageError where the disk refuses."""
    try:
        write_whole(page, render(h, steps))
    except OSError as error:
        raise UsageError(f"{page} cannot be written: {error.strerror or error}") from None
    return page
