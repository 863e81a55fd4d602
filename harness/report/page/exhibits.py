"""The figures of the physics, which stand above the laws they come from."""

from __future__ import annotations

import math

from noether.report.figures.motion import motion
from noether.report.law_table import titled
from noether.report.page.plots import figure, place, plot_of
from noether.report.page.steps import charges, paths
from noether.verdicts.record import Record

RESPONSES, REGIMES = 6, 6
WORDS = ("title", "statement", "published", "measured", "verdict", "source")
TONES = (("exact", "exact"), ("order 2", "second"), ("order 1", "first"), ("order 0", "zeroth"))


def exhibits(records: list[Record], drawn: set[int]) -> dict:
    """Everything above the laws; ids of records whose picture stands here are added to `drawn`."""
    real = [r for r in records if not r.fault]
    return {
        "motion": moved(real, drawn),
        "response": responses(real, drawn),
        "maps": maps(real, drawn),
        "regimes": regimes(real, drawn),
        "claims": claims(real, drawn),
        "charges": charges(real),
        "paths": paths(real),
    }


KEPT = (
    "Kinetic energy that keeps the symmetry: with a symmetric loss the charge must follow e^(−μt/m) and "
    "nothing else."
)
UNLIKE = "Kinetic energy without the symmetry of the loss"
TWICE = (
    "once under a kinetic energy that has the symmetry too, once under the Euclidean one that breaks it. "
    "Same loss, same axes."
)


def moved(real: list[Record], drawn: set[int]) -> dict | None:
    """The figure of one charge under a kinetic energy that keeps its symmetry (T5), and under one that does
    not (T1)."""
    layer = [r for r in real if r.law == "T1" and timed(r) and r.parameters.get("window") == "layer"]
    kept = [r for r in real if r.law == "T5" and timed(r)]
    kept += [r for r in layer if r.parameters.get("kinetic_share") == 0 and r.parameters.get("eps") == 0]
    broken = [r for r in layer if (r.parameters.get("kinetic_share") or 0) >= 0.5]
    pairs = [(a, b) for a in kept for b in broken if a.parameters["m"] == b.parameters["m"]]
    if not pairs:
        return None
    a, b = min(pairs, key=unlike)
    same = (a.case, a.symmetry) == (b.case, b.symmetry)
    traces = [normal(r) for r in (a, b)]
    label = lambda r, word: f"charge of {r.symmetry} on {r.case} over time, {word} kinetic breaking"
    labels = [label(a, "without"), label(b, "with")]
    pictures = motion(traces, labels, "time, in units of m/μ", "J(t) / J(0)")
    if not pictures:
        return None
    drawn |= {id(a), id(b)}
    alike = "Same loss, same symmetry, Euclidean kinetic energy" if same else UNLIKE
    far = max(zip(*traces[1][:2], strict=False), key=lambda p: abs(p[1] - math.exp(-p[0])))
    ends = f"at time {far[0]:.2g} it is {far[1]:.2g} times its start, where friction alone would leave "
    ends += f"{math.exp(-far[0]):.2g} of it"
    moves = f"{alike}: kinetic breaking moves the charge as predicted: {ends}.{room(b)}"
    captions = (f"{KEPT}{room(a)} {named(a.law)}: {place(a)}.", f"{moves} {named(b.law)}: {place(b)}.")
    other = f"that of {b.symmetry} on {b.case}"
    beside = f"which its kinetic energy keeps, beside {other}, which it breaks. Same axes."
    return {
        "figures": [{"svg": s, "caption": c} for s, c in zip(pictures, captions, strict=True)],
        "told": f"The charge of {a.symmetry} on {a.case}, {TWICE if same else beside}",
    }


def room(r: Record) -> str:
    """How far a charge may be from its prediction, in units of its start, where no figure could show it."""
    y = r.data["y"][0]
    share = abs(r.bound / y) if isinstance(r.bound, int | float) and y else math.inf
    return f" The bound, {share:.1g} of that start, is thinner than the line." if share < 0.005 else ""


FLAT = 8.0  # a charge that grows so far flattens the one beside it
SEEN = 0.15  # of the height of the figure: less between two charges is not seen


def unlike(pair: tuple[Record, Record]) -> tuple:
    """How badly two traces go together on one figure; the best pair is drawn."""
    a, b = pair
    size = max(abs(y) for r in pair for y in normal(r)[1])
    times, charges, _ = normal(b)
    apart = max(abs(y - math.exp(-t)) for t, y in zip(times, charges, strict=False)) / max(1.0, size)
    others = (a.case != b.case, a.symmetry != b.symmetry)
    return size > FLAT or apart < SEEN, *others, -a.parameters["m"], b.parameters.get("eps") != 0, -size


def timed(r: Record) -> bool:
    """Whether a record holds a charge over time that does not begin at 0."""
    y, is_trace = r.data.get("y"), str(r.data.get("label", "")).endswith("against t")
    has_start = isinstance(y, list) and bool(y) and bool(y[0])
    return is_trace and has_start and isinstance(r.parameters.get("m"), float)


def normal(r: Record) -> tuple[list, list, list]:
    """Times in units of m/mu, and the measured and predicted charge in units of its start."""
    rate, size = r.parameters.get("mu", 1.0) / r.parameters["m"], r.data["y"][0]
    charge = lambda ys: [y / size for y in ys]
    return [t * rate for t in r.data["x"]], charge(r.data["y"]), charge(r.data.get("predicted", []))


def first_of_each(found: list[Record], key, most: int) -> list[Record]:
    """The worst of each key, in the order of the laws."""
    chosen: dict = {}
    worst_first = sorted(found, key=lambda r: r.severity, reverse=True)
    for r in worst_first:
        chosen.setdefault(key(r), r)
    kept = list(chosen.values())
    if len(kept) == 1:  # one of another case beside it, for half of the row would be empty
        kept += [r for r in worst_first if r.case != kept[0].case][:1]
    return sorted(kept, key=lambda r: (r.law, r.precision))[:most]


def named(law: str) -> str:
    """A law by its code and its title."""
    title = titled(law)
    return f"{law} ({title})" if title else law


def pictures(chosen: list[Record], drawn: set[int]) -> list[dict]:
    """The figures of some records, whose ids are added to `drawn`."""
    out = []
    for r in chosen:
        made = figure(r, plot_of(r), law=named(r.law))
        if made:
            drawn.add(id(r))
            out.append(made)
    return out


def responses(real: list[Record], drawn: set[int]) -> list[dict]:
    """E1 and what is recovered from trajectories (E2, E3, E4): the worst of each law and precision."""
    found = [r for r in real if r.law.startswith("E") and plot_of(r)]
    return pictures(first_of_each(found, lambda r: (r.law, r.precision), RESPONSES), drawn)


def regimes(real: list[Record], drawn: set[int]) -> list[dict]:
    """NLD Eq. 17 where it holds and where not (S2), and what surrounds it."""
    found = [r for r in real if r.law == "S2" and plot_of(r)]
    about = lambda r: (r.case, r.data.get("ylabel"), r.parameters.get("statement"))
    return pictures(first_of_each(found, about, REGIMES), drawn)


def maps(real: list[Record], drawn: set[int]) -> list[dict]:
    """Heat maps as tables: a label and a colour in each cell, the evidence in words."""
    out = []
    for r in real:
        if r.data.get("plot") == "heatmap":
            drawn.add(id(r))
            out.append(heatmap(r))
    return out


def heatmap(r: Record) -> dict:
    """One map as a table."""
    data = r.data
    columns = [str(c) for c in data.get("columns") or []]
    rows = []
    for name, cells in zip(data.get("rows") or [], data.get("cells") or [], strict=False):
        padded = [*cells, *[None] * (len(columns) - len(cells))]
        rows.append((str(name), [cell_of(c) for c in padded[: len(columns)]]))
    caption = str(data.get("caption") or "Each cell is what was measured.")
    tones = sorted({c["tone"] for _, cs in rows for c in cs if c})
    return {"r": r, "law": named(r.law), "columns": columns, "rows": rows, "caption": caption, "tones": tones}


def cell_of(c) -> dict | None:
    """One cell of a map, None where nothing is said there."""
    if not isinstance(c, dict) or not (c.get("label") or c.get("value") is not None):
        return None
    label, value = str(c.get("label") or ""), c.get("value")
    told = f"{value:.2g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    tone = next((tone for word, tone in TONES if label.lower().startswith(word)), "other")
    words = {"label": label or told, "value": told if label else ""}
    return {**words, "evidence": str(c.get("evidence") or ""), "tone": tone}


def claims(real: list[Record], drawn: set[int]) -> list[dict]:
    """A statement from the literature, the published figure and ours, with its picture where there is one."""
    out = []
    for r in sorted(real, key=lambda r: r.law):
        claim = r.data.get("claim")
        if isinstance(claim, dict):
            made = figure(r, plot_of(r)) if plot_of(r) and id(r) not in drawn else None
            drawn.add(id(r))
            words = {k: str(claim[k]) for k in WORDS if claim.get(k) is not None}
            out.append({"r": r, "law": named(r.law), "words": words, "figure": made})
    return out
