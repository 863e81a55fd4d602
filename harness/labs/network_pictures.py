"""The pictures of docs/networks/paper.md, drawn from the records of a full run of `noether verify networks`.

python -m noether.labs.network_pictures RUN
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from noether.report.figures.panel import panel
from noether.report.figures.standalone import alone
from noether.report.findings.figures import kept

FOLDER = Path("docs/images/networks")
SHOWN = {
    "N5": (
        "N5",
        {"statement": "equilibrium", "beta": 0.9, "batch": 32},
        "where the norm of a filter settles",
    ),
    "N5-rates": ("N5", {"statement": "angle", "beta": 0.9, "batch": 32}, "free and fixed norms"),
    "N6": ("N6", {"statement": "step", "a": 10.0}, "filters ten times as large"),
    "N7": ("N7", {"statement": "step"}, "weight decay as a rate that grows"),
    "N8": ("N8", {"charge": "scale", "beta": 0.9}, "charges of scale under momentum"),
    "N8-printed": ("N8", {"charge": "rescale", "k": 0.125, "t": 4.0}, "error of the printed curve"),
    "N9": ("N9", {"statement": "step"}, "the memory of a filter"),
}
"""Picture: the law, the parameters of the record that has it, and its title."""


def pictures(records: list[dict]) -> dict[str, str]:
    """Name -> text of an SVG file. Raises LookupError where no record has one of them."""
    out = {}
    for name, (law, wanted, title) in SHOWN.items():
        fits = lambda r, law=law, wanted=wanted: (
            r["law"] == law
            and not r["fault"]
            and r["data"].get("series")
            and all(r["parameters"].get(key) == value for key, value in wanted.items())
        )
        found = next(filter(fits, records), None)
        if found is None:
            raise LookupError(f"no record of {law} with {wanted} has a figure: the run must be a full one")
        out[name] = alone(panel(kept(found["data"], title), title)[0], title)
    return out


def main() -> None:
    """Write the pictures of the run that is named."""
    (run,) = sys.argv[1:]
    lines = (Path(run) / "records.jsonl").read_text(encoding="utf-8").splitlines()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pictures([json.loads(line) for line in lines if '"law"' in line]).items():
        (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
