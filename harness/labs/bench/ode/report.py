"""The results on trajectories: tables on the terminal, plain data, and the page with its picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from noether.labs.bench.ode.comparison import TARGETS, Campaign, Comparison
from noether.labs.bench.ode.solver_noether import CERTIFIED
from noether.labs.bench.ode.tools import OURS
from noether.labs.bench.page import markdown, written
from noether.report import figures
from noether.report.figures.standalone import side_by_side
from noether.report.table import listing
from noether.system import machine

METHOD = (
    "Every tool solves the same equations, to t = 4: the coordinates, and beside them the integrals of the "
    "charges that the harness carries. Every lane has a start and parameters of its own.",
    "noether is what the harness solves such a batch with (harness/mechanics/flow.py): SciPy's DOP853 on all "
    "lanes as one system, and collocation, both in numpy.",
    "Each tool has one process on one processor. An error is the largest difference over lanes and "
    "components from the reference at the end, over the largest component of any lane.",
    "Of each tool the fastest setting that reaches an accuracy is compared: seconds for all lanes, and in "
    "brackets seconds over ours in the same round, median (lower .. upper quartile): below 1 the other is "
    "faster. Compilation is apart.",
    "SciPy solves one lane at a time; 8 lanes were solved, their time multiplied up to all, and its error is "
    "that of these.",
)
KNOWN = (
    "The reference is made of extrapolated midpoint steps in the 64 bits of longdouble, a method that no "
    "timed tool uses (harness/labs/bench/ode/reference.py).",
    "Its own error is told by half as many steps, and in 4 lanes by heyoka's Taylor method in 64 bits; both "
    "are shares of the largest component.",
)
PANELS = 2  # of the picture: more would be too small to read beside each other
LADDER = "case|lanes|tool|setting|error|seconds|first run, s"


def told(c: Comparison, tool: str, target: float, which: str = "seconds") -> str:
    """One place of a table: seconds, the ratio to ours with its quartiles, and the setting; or why none."""
    if why := c.refused(tool):
        return why
    setting = c.chosen(tool, target)
    if setting is None:
        least = min((s.error for s in c.of(tool)), default=math.inf)
        return f"never: {least:.1g} at best" if math.isfinite(least) else "it could not run"
    values = getattr(setting, which) or [setting.once]
    ratio = c.ratio(tool, target, which) if tool != OURS else None
    spread = " [{1:.3g} ({0:.3g} .. {2:.3g})]".format(*ratio) if ratio else ""
    return f"{np.median(values):.3g}{spread} {setting.name}"


def rows(campaign: Campaign, which: str = "seconds") -> list[list[str]]:
    """A row for each problem and accuracy, under `head`."""
    return [
        [c.problem.case, str(c.problem.lanes), f"{target:g}", *(told(c, t, target, which) for t in c.tools)]
        for c in campaign.comparisons
        for target in TARGETS
    ]


def head(campaign: Campaign) -> list[str]:
    """The head of the tables."""
    return ["case", "lanes", "accuracy", *campaign.tools]


def sentences(campaign: Campaign) -> Iterator[str]:
    """What is missing, and what follows."""
    yield from (f"missing: {name}: {why}" for name, why in campaign.missing.items())
    for target in TARGETS:
        for tool in campaign.tools:
            both = [(c.ratio(tool, target), c.ratio(tool, target, "cpu")) for c in campaign.comparisons]
            found = [(wall[1], cpu[1]) for wall, cpu in both if wall and cpu]
            if tool != OURS and found:
                wall, cpu = np.exp(np.mean(np.log(found), axis=0))
                yield (
                    f"accuracy {target:g}, {tool}: {wall:.3g} of our time in the geometric mean of "
                    f"{len(found)} works, {cpu:.3g} by processor time"
                )


def tables(campaign: Campaign):
    """What the terminal shows."""
    table = listing(*head(campaign))
    for row in rows(campaign):
        table.add_row(*row)
    yield table
    yield "\n".join(sentences(campaign))


def plain(campaign: Campaign) -> dict:
    """The results as plain data for --json: the keys of the other works of the bench that apply here."""
    works = []
    for c in campaign.comparisons:
        p = c.problem
        tools = {
            t: {"problem": c.refused(t), "settings": [vars(s) for s in c.settings if s.tool == t]}
            for t in c.tools
        }
        chosen = {
            f"{target:g}": {t: s.name if (s := c.chosen(t, target)) else None for t in c.tools}
            for target in TARGETS
        }
        ratios = {
            which: {f"{x:g}": {t: c.ratio(t, x, which) for t in c.tools} for x in TARGETS}
            for which in ("seconds", "cpu")
        }
        size = {"case": p.case, "kind": "ode", "lanes": p.lanes, "time": p.time, "equations": p.size}
        known = {"halved": c.halved, "second": c.second}
        works.append({**size, "reference": known, "tools": tools, "chosen": chosen, "ratio": ratios})
    facts = {k: v for k, v in machine.machine().items() if k != "platform"}
    about = {"date": campaign.date, "versions": machine.versions(), "machine": facts, "load": campaign.load}
    return {**about, "missing": campaign.missing, "works": works}


def document(campaign: Campaign, picture: str = "") -> str:
    """The text of the page; `picture` is the name of the figure's file, if there is one."""
    names = ("numpy", "scipy", "heyoka", "diffrax", "jax")
    versions = ", ".join(f"{p} {v}" for p in names if (v := machine.version_of(p)))
    start, end = campaign.load
    lines = [f"# Trajectories in continuous time, {campaign.date}", ""]
    lines += [
        f"`noether bench {campaign.words}`, {machine.cpus()} cores of {machine.processor()}, no GPU: Python "
        f"{machine.versions()['python']}, {versions}.",
        f"{campaign.rounds} interleaved rounds, one thread a tool; load average {start:.1f} at the start, "
        f"{end:.1f} at the end (1 is the bench itself).",
        *("", *METHOD, *KNOWN, ""),
        *(f"- {s}" for s in sentences(campaign)),
        *("", "## By the clock", "", *markdown(head(campaign), rows(campaign))),
        *("## By processor time", "", *markdown(head(campaign), rows(campaign, "cpu"))),
    ]
    lines += [f"![seconds against error]({picture})", ""] if picture else []
    return "\n".join([*lines, *certified(campaign), *references(campaign), *ladders(campaign)])


def certified(campaign: Campaign) -> list[str]:
    """What a solution with its error bars takes, as a verdict asks for it."""
    rows = [
        [c.problem.case, str(c.problem.lanes), f"{np.median(s.seconds or [s.once]):.3g}", f"{s.error:.1g}"]
        for c in campaign.comparisons
        for s in c.of(OURS)
        if s.method == CERTIFIED
    ]
    words = (
        "A verdict asks for four solutions, two methods at two accuracies each, at 49 times "
        "(`flow.certified`). No other tool gives a bound on its error."
    )
    table = markdown(["case", "lanes", "seconds", "error of the judged one"], rows)
    return ["## With error bars", "", words, "", *table] if rows else []


def references(campaign: Campaign) -> list[str]:
    """What is known of the reference's own error."""
    rows = [
        [c.problem.case, str(c.problem.lanes), str(c.problem.size), f"{c.halved:.1g}"]
        + ["heyoka is not installed" if c.second is None else f"{c.second:.1g}"]
        for c in campaign.comparisons
    ]
    table = markdown(["case", "lanes", "equations a lane", "half as many steps", "heyoka, 64 bits"], rows)
    return ["## The reference", "", *table]


def ladders(campaign: Campaign) -> list[str]:
    """Every setting that was tried."""
    rows = [
        [c.problem.case, str(c.problem.lanes), s.tool, s.name]
        + ([s.problem, "", ""] if s.problem else [f"{s.error:.2g}", f"{s.once:.3g}", f"{s.compile:.2g}"])
        for c in campaign.comparisons
        for s in c.settings
    ]
    return ["## Every setting", "", *markdown(LADDER.split("|"), rows)]


def front(c: Comparison, tool: str) -> list[tuple[float, float]]:
    """(error, seconds) of the settings of a tool that no other of it beats in both, by error."""
    points = sorted((s.error, s.once) for s in c.of(tool) if s.method != CERTIFIED and s.error > 0)
    return [p for i, p in enumerate(points) if all(p[1] < before[1] for before in points[:i])]


def drawing(c: Comparison) -> str:
    """Seconds against error of one problem, a line a tool; '' where nothing can be drawn."""
    curves = {tool: front(c, tool) for tool in c.tools if not c.refused(tool)}
    x = [error for curve in curves.values() for error, _ in curve]
    series, before = {}, 0
    for tool, curve in curves.items():
        y = [math.nan] * len(x)
        y[before : before + len(curve)] = [seconds for _, seconds in curve]
        series[tool], before = y, before + len(curve)
    data = dict(plot="lines", x=x, series=series, xscale="log", yscale="log")
    labels = dict(xlabel="error, of the largest component", ylabel="seconds for all lanes")
    return figures.panel(data | labels, f"seconds against error, {c.problem.label}")[0]


def picture(campaign: Campaign) -> str:
    """The work-precision figure, a panel for each of the first PANELS cases, at the most lanes; '' where
    nothing was found."""
    most = max((c.problem.lanes for c in campaign.comparisons), default=0)
    shown = [(c, d) for c in campaign.comparisons if c.problem.lanes == most and (d := drawing(c))]
    if not shown:
        return ""
    shown = shown[:PANELS]
    titles = [f"{c.problem.case}, {most} lanes" for c, _ in shown]
    return side_by_side([d for _, d in shown], titles, "seconds against error, a line a tool")


def write(campaign: Campaign, target: Path) -> list[Path]:
    """The document, and its picture beside it; returns what was written."""
    return written(target, picture(campaign), lambda name: document(campaign, name))
