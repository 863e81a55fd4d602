"""The pictures of the page of findings, each an SVG file of its own."""

from __future__ import annotations

from noether.report.figures.panel import panel
from noether.report.figures.standalone import alone

FOLDER = "images/findings"


def path(statement: dict) -> str:
    """Where the picture of a statement lies, from the folder of the page."""
    return f"{FOLDER}/{statement['law']}.svg"


def pictures(found: dict) -> dict[str, str]:
    """Path -> text of each statement that has a figure."""
    shown = [s for s in found["statements"] if s["figure"]]
    return {path(s): alone(panel(s["figure"], s["title"])[0], s["title"]) for s in shown}
