"""Write docs/findings.md and its pictures again, from the facts that are kept beside them: `make pictures`
does."""

from __future__ import annotations

import json
from pathlib import Path

from noether.report.findings import FACTS, written
from noether.system.files import write_whole

DOCS = Path(__file__).resolve().parents[3] / "docs"

if __name__ == "__main__":
    for name, text in written(json.loads((DOCS / FACTS).read_text(encoding="utf-8"))).items():
        write_whole(DOCS / name, text)
        print(f"docs/{name}")
