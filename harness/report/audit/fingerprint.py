"""The symmetries that optimizers keep as rows: of text, of plain data, and as the cells of the page's map."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from noether.campaigns.audit.finding import Audit
from noether.campaigns.audit.symmetry_part import BROKEN, KEPT, REFUSED
from noether.report.audit.facts import names_of, row_of, told_row
from noether.report.terminal import listing

HEAD = {"translation": "trans-\nlation", "rotation": "rota-\ntion", "left rotation": "left\nrot.",
        "right rotation": "right\nrot.", "permutation": "permu-\ntation", "row permutation": "rows\nperm.",
        "column permutation": "cols\nperm.", "sign flip": "sign\nflip", "row sign flip": "rows\nsign",
        "column sign flip": "cols\nsign", "scale": "\nscale", "rescale": "re-\nscale",
        "row rescale": "rows\nresc.", "column rescale": "cols\nresc."}  # fmt: skip
"""What stands over a column of text."""
LEGEND = (
    "=: kept to rounding; a number: broken, the part of a step that is off, from 0 to 2; ?: not decided; -: "
    "refused; left, right, rows, cols: acting on the rows or columns of a matrix"
)
STYLE = {KEPT: "green", REFUSED: "dim"}


def mark(cell: dict | None) -> str:
    """One symmetry in at most seven characters."""
    if cell is None or cell["found"] == REFUSED:
        return "-"
    if cell["found"] == KEPT:
        return "="
    return sized(cell["size"]) if cell["found"] == BROKEN else "?"


def sized(size: float) -> str:
    """The size of a breaking, to two digits."""
    if not size >= 0.01:
        return f"{size:.0e}".replace("e-0", "e-")
    return f"{size:.2f}".removeprefix("0") if size < 0.995 else f"{size:.1f}"


def heat(size: float) -> int:
    """Per cent of colour of a breaking: from 15 at 1e-12 to 100 from 1 on, on a logarithm."""
    return round(15 + 85 * min(1.0, max(0.0, 1 + math.log10(max(size, 1e-300)) / 12)))


def table(audits: Sequence[Audit]) -> Table:
    """A row an optimizer, a column a symmetry."""
    columns = told_row(audits)
    found = listing("\noptimizer")
    for name in columns:
        found.add_column(HEAD[name], no_wrap=True)
    for name, audit in zip(names_of(audits), audits, strict=True):
        if row := row_of(audit):
            marks = [(mark(row.get(x)), row.get(x)) for x in columns]
            found.add_row(name, *(Text(m, style=STYLE.get((x or {}).get("found"), "")) for m, x in marks))
    return found


def line(row: dict[str, dict]) -> str:
    """One row as a line of text: "translation =, rotation .65, ..."."""
    return ", ".join(f"{name} {mark(cell)}" for name, cell in row.items())


def plain(audits: Sequence[Audit]) -> dict:
    """{target: {symmetry: {found, size, spent, reason}}}."""
    return {a.target: row_of(a) for a in audits}
