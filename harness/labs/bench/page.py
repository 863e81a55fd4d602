"""The results of the benchmark: tables on the terminal, and a page with a figure under docs/measurements/."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

from noether.labs.bench.campaign import Campaign
from noether.labs.bench.measurement import Measurement, Timing
from noether.labs.bench.peers import MODULES, OURS
from noether.labs.bench.static import DEVICES, Shape
from noether.report import figures
from noether.report.table import listing
from noether.system import machine
from noether.system.files import write_whole

PACKAGES = {"numba": "numba", "torch.compile": "torch", "jax": "jax"}
MANY = 4096  # lanes from which the claim is made
STYLE = """<style>
svg { background:#fff; --c0:#0067a8; --c1:#c8500a; --c2:#00805c; --c3:#a8477f; --c4:#a07400 }
text { fill:#1d2430; font:12px system-ui, sans-serif } .name { fill:#5b6675 }
.grid { stroke:#dfe3e8; fill:none } .axis { stroke:#5b6675; fill:none }
.mr { fill:none; stroke-linecap:round } .ms { fill:none; stroke-linecap:square }</style>"""


def ratio(m: Measurement, t: Timing | None, which: str = "seconds") -> str:
    if t is None:
        return ""
    if not t.seconds:
        return t.problem
    if m.of(OURS) is None or not m.of(OURS).seconds:
        return f"{m.rate(t):.3g} lane-steps/s"
    low, middle, high = m.ratio(t, which)
    return f"{middle:.2f} ({low:.2f} .. {high:.2f})"


def mean(values: list[float]) -> float | None:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def means(campaign: Campaign, which: str = "seconds") -> dict[str, float | None]:
    """Geometric mean of the median ratios with at least MANY lanes: against each tool, and against the best
    of each work."""
    works = [m for m in campaign.measurements if m.work.lanes >= MANY and m.best]
    out = {
        peer: mean([m.ratio(m.of(peer), which)[1] for m in works if m.of(peer) and m.of(peer).seconds])
        for peer in MODULES
        if peer != OURS
    }
    return {
        **{k: v for k, v in out.items() if v},
        "the best of each": mean([m.ratio(m.best, which)[1] for m in works]),
    }


def head(names: list[str]) -> list[str]:
    return ["case", "precision", "size", f"{OURS}, /s", *[n for n in names if n != OURS]]


def row(m: Measurement, names: list[str]) -> list[str]:
    ours = m.of(OURS)
    mine = (f"{m.rate(ours):.3g}" if ours.seconds else ours.problem) if ours else ""
    return [
        m.work.case,
        m.work.precision,
        f"{m.work.lanes} x {m.work.steps}",
        mine,
        *[ratio(m, m.of(n)) for n in names if n != OURS],
    ]


def tables(campaign: Campaign):
    """The tables for the terminal."""
    for kind in campaign.kinds:
        table = listing(kind, *head(campaign.names)[1:])
        for m in campaign.measurements + campaign.scaling:
            if m.work.kind == kind:
                table.add_row(*row(m, campaign.names))
        yield table
    if campaign.shapes:
        table = listing("case", "precision", "work", "sm", "regs", "spills", "instr", "bound/s", "limit")
        for s in campaign.shapes:
            table.add_row(
                s.case,
                s.precision,
                s.kind,
                *map(str, (s.arch, s.registers, s.spills, s.instructions)),
                f"{s.rate:.2g}",
                s.limit,
            )
        yield table
    yield "\n".join(sentences(campaign))


def sentences(campaign: Campaign) -> list[str]:
    """What follows from the ratios, for works of at least MANY lanes."""
    said = [f"missing: {name}: {why}" for name, why in campaign.missing.items()]
    works = [m for m in campaign.measurements if m.work.lanes >= MANY and m.best]
    if not works:
        return [*said, f"no work of at least {MANY} lanes has ours and another to compare"]
    slower = [m for m in works if m.is_slower]
    for words, which in (("seconds", "seconds"), ("processor time", "cpu")):
        told = ", ".join(f"{k} {v:.2f}" for k, v in means(campaign, which).items() if v)
        said.append(
            f"geometric mean of {words} over ours, {len(works)} works of at least {MANY} lanes: {told}"
        )
    said += [f"ours is slower than the best other beyond the spread in {len(slower)} of {len(works)}"
             + "".join(f"; {m.work.label}: {m.best.peer} {ratio(m, m.best)}" for m in slower)]  # fmt: skip
    return said


SHAPE = (
    "case",
    "precision",
    "work",
    "sm",
    "registers",
    "stack",
    "spills",
    "instructions",
    "fp64",
    "fp32",
    "special",
    "bound, steps/s",
    "limit",
)


def shape_row(s: Shape) -> list[str]:
    pipes = [str(s.pipes.get(p, 0)) for p in ("fp64", "fp32", "special")]
    return [
        s.case,
        s.precision,
        s.kind,
        str(s.arch),
        str(s.registers),
        str(s.stack),
        str(s.spills),
        str(s.instructions),
        *pipes,
        f"{s.rate:.2g}",
        s.limit,
    ]


def markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
        *("| " + " | ".join(r) + " |" for r in rows),
        "",
    ]


def shapes_tried(t: Timing) -> str:
    """The shape that was measured, and how many times longer the others took."""
    best = t.tried.get(t.variant)
    others = [
        f"{name}: {seconds / best:.1f} x" for name, seconds in t.tried.items() if best and name != t.variant
    ]
    return f"{t.variant} ({', '.join(others)})" if others else t.variant


def details(campaign: Campaign) -> list[list[str]]:
    rows = []
    for m in campaign.measurements:
        for t in m.timings:
            if t.agreed is None:
                continue
            a = t.agreed
            rows.append([m.work.case, m.work.precision, m.work.kind, t.peer, shapes_tried(t),
                f"{t.compile:.1f}", f"{t.before:.0f}", f"{t.peak:.0f}",
                         f"{a.spent:.2g}", f"{a.ulps:.2g}", f"{a.most:.2g}", f"{a.worst:.3f}"])  # fmt: skip
    return rows


def document(campaign: Campaign, picture: str = "") -> str:
    """The text of the page under docs/measurements/."""
    v = machine.versions()
    versions = ", ".join(
        f"{p} {machine.version_of(p)}"
        for p in (
            "numpy",
            "torch",
            "triton",
            *[PACKAGES[n] for n in campaign.names if n in PACKAGES and n != "torch.compile"],
        )
    )
    lines = [
        f"# The benchmark, {campaign.date}", "",
        f"`{campaign.command}`" + f", {machine.cpus()} cores of {machine.processor()}, no GPU: Python "
                                  f"{v['python']}, {versions}; {campaign.compiler}.",
        f"{campaign.rounds} interleaved rounds; load average {campaign.load[0]:.1f} at the start, "
        f"{campaign.load[1]:.1f} at the end (2 is the bench itself).", "",
        "One process and two threads a tool. Every tool runs the same printed operations: the heavy ball "
        "with coupled decay, and in `checked` also the residual of D2",
        "with its bound, in float64, for every symmetry. `/s` is lane-steps per second of ours; the other "
        "numbers are seconds over ours in the same round, median (lower .. upper quartile): above 1 "
        "ours is faster.",
        "Compilation is apart. A tool is compared only when its states and residuals agree with the numpy "
        "step (harness/labs/bench/agreement.py).", "",
        *[f"- {s}" for s in sentences(campaign)], "",
    ]  # fmt: skip
    for kind in campaign.kinds:
        rows = [
            [*row(m, campaign.names), str(m.work.operations)]
            for m in campaign.measurements
            if m.work.kind == kind
        ]
        if rows:
            lines += [f"## {kind}", "", *markdown([*head(campaign.names), "operations a step"], rows)]
            spent = [
                [
                    m.work.case,
                    m.work.precision,
                    *[ratio(m, m.of(n), "cpu") for n in campaign.names if n != OURS],
                ]
                for m in campaign.measurements
                if m.work.kind == kind
            ]
            lines += ["Processor time over ours, of all threads together, which other programs on the "
                      "machine disturb less:", "",
                      *markdown(["case", "precision", *[n for n in campaign.names if n != OURS]],
                      spent)]  # fmt: skip
    if campaign.scaling:
        lines += [
            "## Scaling",
            "",
            *markdown(head(campaign.names), [row(m, campaign.names) for m in campaign.scaling]),
            *([f"![lane-steps per second against lanes]({picture})", ""] if picture else []),
        ]
    lines += ["## Compilation, memory, agreement", "",
              "Seconds to the first result; MiB resident with the tool imported, and at most; the final "
              "state's largest difference from the numpy step in units of its",
              "bound and in ulps of the largest component; the largest residual of D2 in the sample, in "
              "units of its bound.", "",
              *markdown(["case", "precision", "work", "tool", "shape", "compile", "MiB before", "MiB peak",
              "state", "ulps, median lane", "ulps, worst", "worst D2"], details(campaign))]  # fmt: skip
    if campaign.shapes:
        lines += [
            "## The compiled kernel",
            "",
            *static_words(),
            *markdown(list(SHAPE), [shape_row(s) for s in campaign.shapes]),
        ]
    return "\n".join(lines)


def static_words() -> list[str]:
    devices = "; ".join(
        f"sm_{a}: {d.name}, {d.multiprocessors} multiprocessors at {d.gigahertz} GHz, {d.pipes['fp64']} "
        "double-precision results a cycle each"
        for a, d in DEVICES.items()
    )
    return [f"Counted in the machine code of ptxas, not measured: nothing ran on a GPU. {devices}.",
            "The bound is an upper one, from issue rate or pipe alone (CUDA C++ Programming Guide, "
            "throughput of arithmetic instructions; A100 and H100 whitepapers).", ""]  # fmt: skip


def picture(campaign: Campaign) -> str:
    """lane-steps per second against lanes, SVG; '' where no work was scaled over lanes."""
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
    data = dict(
        plot="lines",
        x=x,
        series=series,
        xlabel="lanes",
        ylabel="lane-steps per second",
        xscale="log",
        yscale="log",
    )
    svg, _ = figures.panel(data, "lane-steps per second against lanes")
    return (
        svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="720" ', 1).replace(
            ">", ">" + STYLE, 1
        )
        if svg
        else ""
    )


def write(campaign: Campaign, target: Path) -> list[Path]:
    """The document, and its picture beside it; returns what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    svg, written = picture(campaign), []
    if svg:
        written.append(target.with_suffix(".svg"))
        write_whole(written[0], svg)
    write_whole(target, document(campaign, written[0].name if written else ""))
    return [target, *written]


def plain(campaign: Campaign) -> dict:
    """The results as plain data for --json."""
    works = []
    for m in campaign.measurements + campaign.scaling:
        told = {}
        for t in m.timings:
            low, middle, high = (
                m.ratio(t) if t.seconds and m.of(OURS) and m.of(OURS).seconds else (None, None, None)
            )
            told[t.peer] = {"variant": t.variant, "seconds": t.seconds, "cpu": t.cpu, "compile": t.compile,
                "peak_mib": t.peak, "problem": t.problem,
                            "agreement": asdict(t.agreed) if t.agreed else None, "ratio": [low, middle,
                            high]}  # fmt: skip
        works.append({**asdict(m.work), "operations": m.work.operations, "tools": told})
    return {"date": campaign.date, "versions": machine.versions(), "machine": {k: v for k,
        v in machine.machine().items() if k != "platform"},
            "missing": campaign.missing, "works": works, "geometric_means": means(campaign),
            "static": [asdict(s) for s in campaign.shapes]}  # fmt: skip
