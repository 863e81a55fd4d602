"""report.html: one file, no network. What was claimed, what was found, and with what it was found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness import figures
from harness.table import WORD, killers, number, where
from harness.verdicts import HOLDS, INCONCLUSIVE, ORDER, OUTSIDE, VIOLATED, Record, exit_code, summarise

TEMPLATES = Path(__file__).resolve().parent / "templates"
PANELS = 3  # of one law, beside its strip
LISTED = 200


def spent_by_case(records: Iterable[Record]) -> dict:
    found: dict[str, dict[str, list[float]]] = {}
    for r in records:
        if r.spent is not None:
            value = r.spent if r.spent == r.spent else float("inf")
            found.setdefault(r.case, {}).setdefault(r.precision, []).append(value)
    return found


def caption(law: str, info, records: list[Record]) -> str:
    """The claim, and what the points say about it."""
    judged = [r for r in records if r.spent is not None]
    claim = f"{law}: {info.title}. " if info else f"{law}. "
    if not judged:
        return claim + "No point could be judged."
    worst = max(judged, key=badness)
    over = sum(not r.spent <= 1 for r in judged)
    claim += "Every dot must lie at or left of 1. " if len(judged) > 1 else "The dot must lie at or left of 1. "
    return claim + (f"{over} of {len(judged)} lie beyond it" if over else f"All {len(judged)} do") + f"; the worst is {number(worst.spent)}, {where(worst)}."


PLOT_CLAIM = {
    "loglog": "Each slope, taken between the two smallest values, is the order.",
    "response": "Measured must lie on predicted wherever it stands above the bound.",
    "lines": "Measured and predicted must coincide to within the bound.",
}


def plot_of(r: Record) -> dict:
    """Record.data as figures.panel takes it; {} when it holds no plot. Laws of flows and orders store x, y, label."""
    data = r.data
    if data.get("plot") in PLOT_CLAIM or "y" not in data:
        return data if data.get("plot") in PLOT_CLAIM else {}
    label = data.get("label", r.law)
    if r.kind == ORDER:
        small, size = ("m", "size") if r.law.startswith("T") else ("step size eta", "error")
        return {"plot": "loglog", "x": data["x"], "series": {label: data["y"]}, "xlabel": small, "ylabel": size}
    series = {"measured": data["y"], **{k: data[k] for k in ("predicted", "bound") if k in data}}
    if label.endswith("against t"):
        return {"plot": "lines", "x": data["x"], "series": series, "xlabel": "time", "ylabel": label.removesuffix(" against t")}
    sizes = {name: [abs(y) for y in values] for name, values in series.items()}
    return {"plot": "response", "x": data["x"], "series": sizes, "xlabel": label.rpartition(" to ")[2] if " to " in label else "m", "ylabel": label}


def merged(law: str, records: list[Record]) -> list[tuple[Record, dict]]:
    """One plot a case and symmetry: order plots share their axes, of the others the worst of each label is taken."""
    found: dict[tuple, tuple[Record, dict]] = {}
    for r in sorted(records, key=badness, reverse=True):
        plot = plot_of(r)
        if not plot:
            continue
        key = (r.case, r.symmetry, "" if plot["plot"] == "loglog" else plot["ylabel"])
        if key not in found:
            found[key] = (r, {**plot, "series": dict(plot["series"])})
        elif plot["plot"] == "loglog" and plot["x"] == found[key][1]["x"]:
            found[key][1]["series"].update(plot["series"])
    return list(found.values())


def badness(r: Record) -> float:
    return -1.0 if r.spent is None else r.spent if r.spent == r.spent else float("inf")


def panels(law: str, records: list[Record]) -> tuple[list[dict], int]:
    """Drawings of Record.data, the worst of each kind first, and how many more there are."""
    chosen, kinds = [], set()
    plots = merged(law, records)
    for r, plot in plots:
        fresh = (plot["plot"], plot.get("ylabel")) not in kinds
        kinds.add((plot["plot"], plot.get("ylabel")))
        chosen.append((not fresh, r, plot))
    drawn = []
    for _, r, plot in sorted(chosen, key=lambda c: c[0])[:PANELS]:
        picture, lost = figures.panel(plot, f"{r.law} on {r.case}")
        if picture:
            zero = f" {lost} values are zero or not finite and have no place on a logarithm." if lost else ""
            drawn.append({"svg": picture, "caption": f"{place(r)}. {plot.get('caption') or PLOT_CLAIM[plot['plot']]}{zero}"})
    return drawn, max(0, len(plots) - PANELS)


def place(r: Record) -> str:
    parameters = ", ".join(f"{k} {v:.4g}" for k, v in r.parameters.items() if isinstance(v, float) and k in ("m", "mu", "eps", "kappa", "beta"))
    return f"{where(r)}{', ' + parameters if parameters else ''}, spent {number(r.spent)}"


def section(law: str, info, records: list[Record], row, order: list[str]) -> dict:
    spent = spent_by_case(records)
    drawn, more = panels(law, records)
    return {
        "key": law, "info": info, "row": row, "panels": drawn, "more": more, "caption": caption(law, info, records),
        "strip": figures.strip(spent, order, f"spent of {law} by case and precision") if spent else "",
    }  # fmt: skip


def render(records: list[Record], laws: list[str], about: dict) -> str:
    """The text of report.html."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from harness.plan import LAWS as infos
    from harness.plan import PRECISIONS

    rows = summarise(records, laws)
    real = [r for r in records if not r.control]
    sections = [section(row.law, infos.get(row.law), [r for r in real if r.law == row.law], row, list(PRECISIONS)) for row in rows]
    code = about.get("exit_code")
    unfinished = about.get("end") is None
    if code is None:
        code = exit_code(records, laws)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=number, where=where)
    groups = [(v, [r for r in real if r.verdict == v]) for v in (VIOLATED, INCONCLUSIVE, OUTSIDE)]
    return environment.get_template("report.html").render(
        about=about, rows=rows, sections=sections, killers=killers(records, laws), counts={"real": len(real), "controls": len(records) - len(real)},
        groups=[(v, mine[:LISTED], len(mine)) for v, mine in groups if mine], holds=HOLDS, infos=infos, unfinished=unfinished,
        verdict=WORD.get(code, f"exit code {code}"), tone="good" if code == 0 and not unfinished else "bad" if code == 1 else "unsure",
    )  # fmt: skip
