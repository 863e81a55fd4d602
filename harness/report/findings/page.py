"""The text of docs/findings.md, from the facts of a run."""

from __future__ import annotations

from noether.laws.map.printed import markdown
from noether.laws.published.book import OPEN
from noether.laws.published.undecided import UNDECIDED, Undecided
from noether.report.findings.pictures import path

HEAD = """# Findings

Papers state what training does. Here is what became of such statements when they were measured: a verdict,
a sentence in plain words, and below a picture of each. Where something else holds than what is stated, both
were tried, and the published statement must fail where the other holds. The number of a law leads to its
equation, and `noether verify --law NUMBER` measures it again. Symbols are those of the
[theory](theory.md), words are in the [glossary](glossary.md).

<!-- Written by `make findings` from the records of a run: change that. -->
"""
MEANINGS = """## What the verdicts mean

| verdict | meaning |
|---|---|
| confirmed | what is stated holds wherever it was tried, to a bound derived beforehand |
| qualified | it holds under a condition that the source does not name, and fails without it |
| refuted | it fails where it is stated |
| not of second order | it is of first order in the step size, where second order is stated |
| an identity | it is true of anything, so that no experiment can fail it, and passing it shows nothing |
| not decided | it was not measured, or the measurement could not tell |
"""
ELSEWHERE = """## A compiler that reorders sums

A sum of floating-point numbers depends on the order of its additions. A compiler that was not told that it
may change this order must keep it. Triton 3.8.0, which comes with torch 2.14, does not keep it: where a
kernel adds four or more products from left to right, it may add the last one first, and of 1000 random sums
367 differ in their last bits. Nothing fails and nothing is said. It was found without a GPU: the same
learning step ran in numpy and in the text that Triton had compiled, and law [B1](theory.md#B1) asks for
equal bits. Versions before and after it keep the order. This project leaves 3.8 out. [The kernel, the cause
in LLVM, and what is known of it](findings/triton-3.8.md).

## What a GPU showed

On an NVIDIA H100 the kernels store the bits that numpy stores: of 111 789 348 values none differs, in
float64, float32, float16 and bfloat16. The full profile ran there with everything decided holding, and
three verdicts inconclusive in 16 bits. Five statements about hardware that only hardware can confirm are
confirmed, as that bfloat16 is rounded to nearest. [What was compared, and how fast it
was](measurements/2026-11-27-gpu.md).

## How small a breaking can be measured

A symmetry that is broken weakly moves its charge a little. From one trajectory of 1000 steps the magnitude
of the breaking is measured back down to 7e-18 in float64. In bfloat16 it is 1.1e-3 where every operation is
rounded to it, and 5.4e-4 where only what is stored is ([figures](measurements/2026-11-25-detection.md)).
"""
MAP_TEXT = """## Which rule keeps which charge

A row is a symmetry, or the energy ("time"); a column is a learning rule. `exact`: the charge keeps its law
to rounding at every step size. A number p: over a fixed time it leaves its law by an error in proportion to
the p-th power of the step size, so that with 0 it is broken however small the step. `-`: there is no
charge. [M1](theory.md#M1) has the charges; `noether map` measures it again.
"""
LEFT = """## Not decided yet

Published statements that were not measured as they are stated. Where a law measures a part of one, its
number stands beside it. What networks in training say of some of them is in
[networks/paper.md](networks/paper.md).
"""
RANK = ("refuted", "not of second order", "qualified", "an identity", "confirmed", OPEN)


def anchor(s: dict) -> str:
    """Where the section of a statement is, as GitHub and the site make it of its heading."""
    words = f"{s['law']}: {s['title']}".lower()
    return "".join(c for c in words if c.isalnum() or c in " -").replace(" ", "-")


def row(s: dict) -> str:
    """The line of a statement in the table at the top."""
    law = f"[{s['law']}](theory.md#{s['law']})"
    return f"| **{s['verdict']}** | [{s['title']}](#{anchor(s)}) | {s['plain']} | {law} |"


def overview(found: dict) -> list[str]:
    """The table at the top, by verdict."""
    place = lambda s: RANK.index(s["verdict"]) if s["verdict"] in RANK else len(RANK)
    lines = ["| verdict | statement | in plain words | law |", "|---|---|---|---|"]
    lines += [row(s) for s in sorted(found["statements"], key=place)]
    more = (
        f"| {OPEN} | [{len(UNDECIDED)} more](#not-decided-yet) | they are measured in part or not at all | |"
    )
    return [*lines, more, ""]


def section(s: dict) -> list[str]:
    """What is known of one statement."""
    lines = [f"## {s['law']}: {s['title']}", "", f"> {s['statement']}", "", f"{s['source']}.", ""]
    if s["published"]:
        heads, cells = "| published | measured | verdict |", f"| {s['published']} | {s['measured']} |"
        lines += [heads, "|---|---|---|", f"{cells} **{s['verdict']}** |", ""]
    else:
        lines += ["| measured | verdict |", "|---|---|", f"| {s['measured']} | **{s['verdict']}** |", ""]
    lines += [s["plain"], ""]
    lines += [s["corrected"], ""] if s["corrected"] else []
    lines += [f"Set-up: {s['setup']}.", ""] if s["setup"] else []
    if s["figure"]:
        lines += [f"![{s['title']}]({path(s)})", "", s["figure"]["caption"], ""]
    return [*lines, f"    noether verify --law {s['law']}", ""]


def counted(counts: list[dict]) -> list[str]:
    """The table of the numbers of independent charges."""
    rows = [f"| {c['of']} | {c['counted']} | {c['formula']} |" for c in counts]
    return ["| independent charges of | counted | formula |", "|---|---|---|", *rows, ""] if rows else []


def undecided(s: Undecided) -> str:
    """A line of the list at the end."""
    laws = ", ".join(f"[{law}](theory.md#{law})" for law in s.partly)
    partly = f" Measured in part by {laws}." if laws else ""
    unread = "" if s.read else " The formula is still to be compared with the source."
    return f"- {s.statement} {s.source}.{partly}{unread}"


def page(found: dict) -> str:
    """The whole text."""
    run, atlas = found["run"], found["map"]
    versions = ", ".join(f"{name} {v}" for name, v in run["versions"].items())
    lines = [HEAD, *overview(found)]
    lines += [
        f"Run of {run['date']}, profile {run['profile']}, seed {run['seed']}: {versions}.",
        "",
        MEANINGS,
    ]
    for s in found["statements"]:
        lines += section(s)
    lines += [ELSEWHERE, MAP_TEXT, *markdown(atlas["rows"], atlas["columns"], atlas["labels"])]
    lines += ["", f"{atlas['told']}.", "", *counted(found["counts"])]
    lines += [LEFT, *(undecided(s) for s in UNDECIDED)]
    return "\n".join(lines).rstrip("\n") + "\n"
