"""Run folders changed on purpose, with right checksums: what a reader must refuse for what it says.

Tests and harness/labs/stress/damage.py use it; nothing else does.
"""

from __future__ import annotations

import json
from pathlib import Path

from noether.runs import run_json
from noether.runs.records_file import chained_line, sealed_lines
from noether.runs.saved_run import cell_done
from noether.system import seal


def read_lines(file: Path) -> list[dict]:
    """The objects of a file of lines, without their checks."""
    values = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    return [{name: x for name, x in value.items() if name != "check"} for value in values]


def rewrite(folder: Path, *, lines: dict[str, list[dict]] | None = None, **changes) -> None:
    """Write run.json with other fields (`...` takes one away), and other lines of "records" and "cells", all
    sealed again."""
    lines = lines or {}
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    if "records" in lines:
        (folder / "records.jsonl").write_text(sealed_lines(lines["records"])[0], encoding="utf-8")
        said |= {"records": len(lines["records"])} if said.get("end") else {}
    if lines:
        mine = lines.get("records", read_lines(folder / "records.jsonl"))
        last, out = "", []
        for value in lines.get("cells", read_lines(folder / "cells.jsonl")):
            of_cell = [r for r in mine if r.get("cell") == value.get("cell")]
            done = cell_done(said["id"], value.get("cell"), sealed_lines(of_cell)[1])
            out.append(chained_line(value if "cells" in lines else {**value, **done}, said["id"], last))
            last = seal.check_of(out[-1])
        (folder / "cells.jsonl").write_text("".join(out), encoding="utf-8")
        said |= {"last": last} if "last" in said else {}
    said = {name: value for name, value in {**said, **changes}.items() if value is not ...}
    (folder / "run.json").write_text(run_json.text(said), encoding="utf-8")
