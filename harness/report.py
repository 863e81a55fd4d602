"""report.html: one file, no network. What was claimed, what was found, and with what it was found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness import figures
from harness.table import WORD, killers, number, where
from harness.verdicts import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record, exit_code, summarise

TEMPLATES = Path(__file__).resolve().parent / "templates"
PANELS = 4  # of one law: the worst of each case and symmetry, worst first
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
    worst = max(judged, key=lambda r: r.spent if r.spent == r.spent else float("inf"))
    over = sum(not r.spent <= 1 for r in judged)
    claim += "Every dot must lie at or left of 1. " if len(judged) > 1 else "The dot must lie at or left of 1. "
    return claim + (f"{over} of {len(judged)} lie beyond it" if over else f"All {len(judged)} do") + f"; the worst is {number(worst.spent)}, {where(worst)}."


PLOT_CLAIM = {
    "loglog": "Error against step size; the slope of each line is the order that is claimed.",
    "response": "The charge's response to a broken symmetry. Measured must lie on predicted wherever it stands above the bound.",
    "lines": "Measured and predicted must coincide to within the bound.",
}


def panels(records: list[Record]) -> tuple[list[dict], int]:
    """Drawings of Record.data, and how many more there were."""
    worst: dict[tuple, Record] = {}
    for r in records:
        if r.data.get("plot") in PLOT_CLAIM:
            key = (r.case, r.symmetry)
            if key not in worst or (r.spent or 0) > (worst[key].spent or 0):
                worst[key] = r
    chosen = sorted(worst.values(), key=lambda r: -(r.spent or 0))
    drawn = []
    for r in chosen:
        picture, lost = figures.panel(r.data, f"{r.law} on {r.case}")
        if picture:
            zero = f" {lost} points are zero or not finite and cannot be drawn." if lost else ""
            claim = r.data.get("caption") or PLOT_CLAIM[r.data["plot"]]
            drawn.append({"svg": picture, "caption": f"{where(r)}, spent {number(r.spent)}. {claim}{zero}"})
    return drawn[:PANELS], max(0, len(drawn) - PANELS)


def section(law: str, info, records: list[Record], row) -> dict:
    spent = spent_by_case(records)
    drawn, more = panels(records)
    return {
        "key": law, "info": info, "row": row, "panels": drawn, "more": more, "caption": caption(law, info, records),
        "strip": figures.strip(spent, f"spent of {law} by case and precision") if spent else "",
    }  # fmt: skip


def known_laws() -> dict:
    from harness.plan import LAWS

    return LAWS


def render(records: list[Record], laws: list[str], about: dict) -> str:
    """The text of report.html."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    infos = known_laws()
    rows = summarise(records, laws)
    real = [r for r in records if not r.control]
    sections = [section(row.law, infos.get(row.law), [r for r in real if r.law == row.law], row) for row in rows]
    code = about.get("exit_code")
    unfinished = about.get("end") is None
    if code is None:
        code = exit_code(records, laws)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=number, where=where)
    groups = [(v, [r for r in real if r.verdict == v]) for v in (VIOLATED, INCONCLUSIVE, OUTSIDE)]
    return environment.get_template("report.html").render(
        about=about, rows=rows, sections=sections, killers=killers(records), counts={"real": len(real), "controls": len(records) - len(real)},
        groups=[(v, mine[:LISTED], len(mine)) for v, mine in groups if mine], holds=HOLDS, infos=infos, unfinished=unfinished,
        verdict=WORD.get(code, f"exit code {code}"), tone="good" if code == 0 and not unfinished else "bad" if code == 1 else "unsure",
    )  # fmt: skip
