"""The figures of the physics, which stand above the laws they come from."""

from __future__ import annotations

import math

from noether.report.figures.motion import motion
from noether.report.page.plots import figure, place, plot_of
from noether.verdicts.record import Record

RESPONSES, REGIMES = 6, 6
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
    kept = [r for r in real if r.law == "T5" and timed(r)] + [
        r for r in layer if r.parameters.get("kinetic_share") == 0 and r.parameters.get("eps") == 0
    ]
    broken = [r for r in layer if (r.parameters.get("kinetic_share") or 0) >= 0.5]
    pairs = [(a, b) for a in kept for b in broken if a.parameters["m"] == b.parameters["m"]]
    if not pairs:
        return None
    a, b = min(pairs, key=unlike)
    same = (a.case, a.symmetry) == (b.case, b.symmetry)
    traces = [normal(r) for r in (a, b)]
    labels = [
        f"charge of {r.symmetry} on {r.case} over time, {word} kinetic breaking"
        for r, word in ((a, "without"), (b, "with"))
    ]
    pictures = motion(traces, labels, "time, in units of m/μ", "J(t) / J(0)")
    if not pictures:
        return None
    drawn |= {id(a), id(b)}
    alike = "Same loss, same symmetry, Euclidean kinetic energy" if same else UNLIKE
    captions = (
        f"{KEPT} {place(a)}.",
        f"{alike}: kinetic breaking moves the charge as predicted, here to {traces[1][1][-1]:.2g} of its "
        f"start instead of {math.exp(-traces[1][0][-1]):.2g}. {place(b)}.",
    )
    other = f"that of {b.symmetry} on {b.case}"
    beside = f"which its kinetic energy keeps, beside {other}, which it breaks. Same axes."
    return {
        "figures": [{"svg": s, "caption": c} for s, c in zip(pictures, captions, strict=True)],
        "told": f"The charge of {a.symmetry} on {a.case}, {TWICE if same else beside}",
    }


FLAT = 8.0  # a charge that grows so far flattens the one beside it


def unlike(pair: tuple[Record, Record]) -> tuple:
    """How badly two traces go together on one figure; the best pair is drawn."""
    a, b = pair
    size = max(abs(y) for r in pair for y in normal(r)[1])
    return (
        size > FLAT,
        (a.case, a.symmetry) != (b.case, b.symmetry),
        -a.parameters["m"],
        b.parameters.get("eps") != 0,
        -size,
    )


def timed(r: Record) -> bool:
    y = r.data.get("y")
    return (
        str(r.data.get("label", "")).endswith("against t")
        and isinstance(y, list)
        and bool(y)
        and bool(y[0])
        and isinstance(r.parameters.get("m"), float)
    )


def normal(r: Record) -> tuple[list, list, list]:
    rate, size = r.parameters.get("mu", 1.0) / r.parameters["m"], r.data["y"][0]
    return (
        [t * rate for t in r.data["x"]],
        [y / size for y in r.data["y"]],
        [y / size for y in r.data.get("predicted", [])],
    )


def first_of_each(found: list[Record], key, most: int) -> list[Record]:
    """The worst of each key, in the order of the laws."""
    chosen: dict = {}
    for r in sorted(found, key=lambda r: r.severity, reverse=True):
        chosen.setdefault(key(r), r)
    alone = [
        r
        for r in sorted(found, key=lambda r: r.severity, reverse=True)
        if not any(r is c for c in chosen.values())
    ]
    more = next(
        (r for r in alone if len(chosen) == 1 and all(r.case != c.case for c in chosen.values())), None
    )  # one picture beside an empty place
    return sorted([*chosen.values(), *([more] if more else [])], key=lambda r: (r.law, r.precision))[:most]


def pictures(chosen: list[Record], drawn: set[int]) -> list[dict]:
    out = []
    for r in chosen:
        made = figure(r, plot_of(r))
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
    return pictures(
        first_of_each(
            found, lambda r: (r.case, r.data.get("ylabel"), r.parameters.get("statement")), REGIMES
        ),
        drawn,
    )


def maps(real: list[Record], drawn: set[int]) -> list[dict]:
    """Heat maps as tables: a label and a colour in each cell, the evidence in words."""
    out = []
    for r in real:
        if r.data.get("plot") == "heatmap":
            drawn.add(id(r))
            out.append(heatmap(r))
    return out


def heatmap(r: Record) -> dict:
    data = r.data
    columns = [str(c) for c in data.get("columns") or []]
    rows = []
    for name, cells in zip(data.get("rows") or [], data.get("cells") or [], strict=False):
        padded = [*cells, *[None] * (len(columns) - len(cells))]
        rows.append((str(name), [cell_of(c) for c in padded[: len(columns)]]))
    return {
        "r": r,
        "columns": columns,
        "rows": rows,
        "caption": str(data.get("caption") or "Each cell is what was measured."),
        "tones": sorted({c["tone"] for _, cs in rows for c in cs if c}),
    }


def cell_of(c) -> dict | None:
    if not isinstance(c, dict) or not (c.get("label") or c.get("value") is not None):
        return None
    label, value = str(c.get("label") or ""), c.get("value")
    told = f"{value:.2g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    tone = next((tone for word, tone in TONES if label.lower().startswith(word)), "other")
    return {
        "label": label or told,
        "value": told if label else "",
        "evidence": str(c.get("evidence") or ""),
        "tone": tone,
    }


def claims(real: list[Record], drawn: set[int]) -> list[dict]:
    """A statement from the literature, the published figure and ours, with its picture where there is one."""
    out = []
    for r in sorted(real, key=lambda r: r.law):
        claim = r.data.get("claim")
        if isinstance(claim, dict):
            made = figure(r, plot_of(r)) if plot_of(r) and id(r) not in drawn else None
            drawn.add(id(r))
            words = {
                k: str(claim[k])
                for k in ("title", "statement", "published", "measured", "verdict", "source")
                if claim.get(k) is not None
            }
            out.append({"r": r, "words": words, "figure": made})
    return out
