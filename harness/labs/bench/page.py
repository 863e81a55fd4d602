"""The page of the benchmark under docs/measurements/: a Markdown text, and a figure beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from noether.labs.bench.campaign import Campaign
from noether.labs.bench.measurement import Timing
from noether.labs.bench.peers import OURS
from noether.labs.bench.results import fastest, head, ratio, row, sentences, share
from noether.labs.bench.static import DEVICES, Shape
from noether.report import figures
from noether.system import machine
from noether.system.files import write_whole

PACKAGES = {"numba": "numba", "torch.compile": "torch", "jax": "jax"}
STYLE = """<style>
svg { background:#fff; --c0:#0067a8; --c1:#c8500a; --c2:#00805c; --c3:#a8477f; --c4:#a07400 }
text { fill:#1d2430; font:12px system-ui, sans-serif } .name { fill:#5b6675 }
.grid { stroke:#dfe3e8; fill:none } .axis { stroke:#5b6675; fill:none }
.mr { fill:none; stroke-linecap:round } .ms { fill:none; stroke-linecap:square }</style>"""

# Heads of tables, a column between bars.
SHAPE = "case|precision|work|sm|registers|stack|spills|instructions|fp64|fp32|special|bound, steps/s|limit"
DETAILS = (
    "case|precision|work|tool|shape|compile|MiB before|MiB peak|state|ulps, median lane|ulps, worst|worst D2"
)

METHOD = (
    "One process and two threads a tool. Every tool runs the same printed operations: the heavy ball "
    "with coupled decay, and in `checked` also the residual of D2",
    "with its bound, in float64, for every symmetry. `/s` is lane-steps per second of ours; the other "
    "numbers are seconds over ours in the same round, median (lower .. upper quartile): above 1 "
    "ours is faster.",
    "Compilation is apart. A tool is compared only when its states and residuals agree with the numpy "
    "step (harness/labs/bench/agreement.py).",
)
LIMIT = (
    "`of the limit` is the least time that the machine needs for the operations of a step over our time, and "
    "which pipe sets it (harness/labs/bench/mix.py):",
    "the rates are measured in every round, between the tools, and what is done once a launch is lost. "
    "Above 1 beyond the spread would be a wrong limit.",
)
RATES = (
    "Operations a second of one processor, the most that any round found, on vectors that stay in registers; "
    "of the stream bytes, read and written, in memory.",
    "Measured by the compiler and with the flags of the kernels, on as many threads at once as a tool has "
    "(harness/labs/bench/ceilings.py).",
)
PROCESSOR = (
    "Processor time over ours, of all threads together, which other programs on the machine disturb less:"
)
AGREEMENT = (
    "Seconds to the first result; MiB resident with the tool imported, and at most; the final "
    "state's largest difference from the numpy step in units of its",
    "bound and in ulps of the largest component; the largest residual of D2 in the sample, in "
    "units of its bound.",
)


def markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    """The lines of a table, with an empty one at the end."""
    told = ["| " + " | ".join(r) + " |" for r in (header, *rows)]
    return [told[0], "|" + "---|" * len(header), *told[1:], ""]


def shape_row(s: Shape) -> list[str]:
    """The row of one compiled kernel under SHAPE."""
    counted = (s.arch, s.registers, s.stack, s.spills, s.instructions)
    pipes = (s.pipes.get(p, 0) for p in ("fp64", "fp32", "special"))
    return [s.case, s.precision, s.kind, *map(str, (*counted, *pipes)), f"{s.rate:.2g}", s.limit]


def shapes_tried(t: Timing) -> str:
    """The shape that was measured, and how many times longer the others took."""
    best = t.tried.get(t.variant)
    others = [
        f"{name}: {seconds / best:.1f} x" for name, seconds in t.tried.items() if best and name != t.variant
    ]
    return f"{t.variant} ({', '.join(others)})" if others else t.variant


def details(campaign: Campaign) -> list[list[str]]:
    """The rows under DETAILS, one for each tool that agreed on each work."""
    rows = []
    for m in campaign.measurements:
        for t in m.timings:
            if t.agreed is None:
                continue
            a = t.agreed
            spent = (f"{t.compile:.1f}", f"{t.before:.0f}", f"{t.peak:.0f}")
            agreed = (f"{a.spent:.2g}", f"{a.ulps:.2g}", f"{a.most:.2g}", f"{a.worst:.3f}")
            rows.append(
                [m.work.case, m.work.precision, m.work.kind, t.peer, shapes_tried(t), *spent, *agreed]
            )
    return rows


def document(campaign: Campaign, picture: str = "") -> str:
    """The text of the page; `picture` is the name of the figure's file, if there is one."""
    lines = [*opening(campaign)]
    for kind in campaign.kinds:
        lines += ratios(campaign, kind)
    if campaign.scaling:
        rows = [row(m, campaign.names) for m in campaign.scaling]
        lines += ["## Scaling", "", *markdown(head(campaign.names), rows)]
        lines += [f"![lane-steps per second against lanes]({picture})", ""] if picture else []
    lines += pipes(campaign)
    agreement = markdown(DETAILS.split("|"), details(campaign))
    lines += ["## Compilation, memory, agreement", "", *AGREEMENT, "", *agreement]
    if campaign.shapes:
        counted = markdown(SHAPE.split("|"), [shape_row(s) for s in campaign.shapes])
        lines += ["## The compiled kernel", "", *static_words(), *counted]
    return "\n".join(lines)


def opening(campaign: Campaign) -> Iterator[str]:
    """What was measured, on what, how, and what follows from it."""
    tools = (PACKAGES[n] for n in campaign.names if n in PACKAGES and n != "torch.compile")
    versions = ", ".join(f"{p} {machine.version_of(p)}" for p in ("numpy", "torch", "triton", *tools))
    cores = f"{machine.cpus()} cores of {machine.processor()}, no GPU"
    python = f"Python {machine.versions()['python']}, {versions}"
    start, end = campaign.load
    yield from (f"# The benchmark, {campaign.date}", "")
    yield f"`{campaign.command}`, {cores}: {python}; {campaign.compiler}."
    rounds = f"{campaign.rounds} interleaved rounds; load average {start:.1f} at the start"
    yield f"{rounds}, {end:.1f} at the end (2 is the bench itself)."
    yield from ("", *METHOD, *LIMIT, "")
    yield from (*(f"- {s}" for s in sentences(campaign)), "")


def ratios(campaign: Campaign, kind: str) -> list[str]:
    """The two tables of one kind of work: ratios of seconds, and of processor time."""
    works = [m for m in campaign.measurements if m.work.kind == kind]
    if not works:
        return []
    names, others = campaign.names, [n for n in campaign.names if n != OURS]
    rows = [[*row(m, names), str(m.work.operations)] for m in works]
    of = lambda m: [share(m, "cpu"), *[ratio(m, m.of(n), "cpu") for n in others]]
    spent = [[m.work.case, m.work.precision, *of(m)] for m in works]
    lines = [f"## {kind}", "", *markdown([*head(names), "operations a step"], rows)]
    return [*lines, PROCESSOR, "", *markdown(["case", "precision", "of the limit", *others], spent)]


def pipes(campaign: Campaign) -> list[str]:
    """The table of what the machine can do; nothing where it was not measured."""
    best = fastest(campaign)
    names = list(dict.fromkeys(pipe for of in best.values() for pipe in of))
    rows = [[kind, *(f"{of[pipe]['cpu']:.3g}" for pipe in names)] for kind, of in best.items()]
    return ["## What the machine can do", "", *RATES, "", *markdown(["type", *names], rows)] if best else []


def static_words() -> list[str]:
    """What was counted without a GPU, and of which devices the bounds speak."""
    devices = "; ".join(
        f"sm_{a}: {d.name}, {d.multiprocessors} multiprocessors at {d.gigahertz} GHz, {d.pipes['fp64']} "
        "double-precision results a cycle each"
        for a, d in DEVICES.items()
    )
    return [
        f"Counted in the machine code of ptxas, not measured: nothing ran on a GPU. {devices}.",
        "The bound is an upper one, from issue rate or pipe alone (CUDA C++ Programming Guide, "
        "throughput of arithmetic instructions; A100 and H100 whitepapers).",
        "",
    ]


def picture(campaign: Campaign) -> str:
    """The figure of lane-steps per second against lanes, SVG; '' where no work was scaled over lanes."""
    works = [m for m in campaign.scaling if m.work.case == campaign.scaled and m.work.steps == campaign.steps]
    x = sorted({m.work.lanes for m in works})
    if len(x) < 2:
        return ""
    at = {m.work.lanes: m for m in works}
    series = {
        n: [at[k].rate(t) if (t := at[k].of(n)) and t.seconds else math.nan for k in x]
        for n in campaign.names
    }
    series = {n: y for n, y in series.items() if any(math.isfinite(value) for value in y)}
    data = dict(plot="lines", x=x, series=series, xlabel="lanes", ylabel="lane-steps per second")
    svg, _ = figures.panel(data | dict(xscale="log", yscale="log"), "lane-steps per second against lanes")
    if not svg:
        return ""
    alone = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="720" ', 1)
    return alone.replace(">", ">" + STYLE, 1)


def write(campaign: Campaign, target: Path) -> list[Path]:
    """The document, and its picture beside it; returns what was written."""
    return written(target, picture(campaign), lambda name: document(campaign, name))


def written(target: Path, svg: str, document: Callable[[str], str]) -> list[Path]:
    """The paths of a page and its picture, once they are written.  document  from the name of the picture's
    file, "" where there is none, to the text"""
    target.parent.mkdir(parents=True, exist_ok=True)
    pictures = [target.with_suffix(".svg")] if svg else []
    for path in pictures:
        write_whole(path, svg)
    write_whole(target, document(pictures[0].name if svg else ""))
    return [target, *pictures]
