"""What a run found of each learning rule: a table of rules and laws, with what each spent and would notice.

python -m noether.labs.rule_table RUN        prints Markdown; RUN is the folder of a full run

A cell is the most of its bound that a law spent under a rule, in any case, by precision, and behind a slash
the smallest relative change of the law's best known coefficient that the run would have noticed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from noether.cases.rules import RULES
from noether.kernels.programs.precision import PRECISIONS
from noether.laws.exact import EXACT
from noether.verdicts.record import HOLDS, VIOLATED


def records(run: Path) -> list[dict]:
    """The records of exact laws under the rules of the catalogue, of a run's folder."""
    lines = (run / "records.jsonl").read_text(encoding="utf-8").splitlines()
    every = [json.loads(line) for line in lines]
    return [r for r in every if r["law"] in EXACT and r["rule"] in RULES and r["fault"] is None]


def spent(found: list[dict]) -> str:
    """The worst spent of some records and the smallest power, 0.71 / 3e-15; - where nothing was judged."""
    judged = [r for r in found if r["verdict"] in (HOLDS, VIOLATED)]
    if not judged:
        return "-"
    powers = [x for r in judged for x in (r.get("powers") or {}).values()]
    worst = max(float(r["spent"]) for r in judged)
    return f"{worst:.2f}" + (f" / {min(powers):.0e}" if powers else "")


def table(found: list[dict], mode: str = "") -> list[str]:
    """The rows of a table in Markdown: of each rule and law the worst in each type, in a mode of rounding."""
    types = [f"{kind}{mode}" for kind in PRECISIONS]
    out = ["| rule | law | " + " | ".join(types) + " |", "|---|---|" + "---|" * len(types)]
    for rule in RULES:
        for law in EXACT:
            mine = [r for r in found if r["rule"] == rule and r["law"] == law]
            cells = [spent([r for r in mine if r["precision"] == kind]) for kind in types]
            if set(cells) != {"-"}:
                out.append(f"| {rule} | {law} | " + " | ".join(cells) + " |")
    return out


def main() -> None:
    """Print the tables of the run that is named."""
    found = records(Path(sys.argv[1]))
    for words, mode in (("stored", ""), ("eager", "/eager"), ("mixed", "/mixed")):
        print(f"\n**{words}**\n\n" + "\n".join(table(found, mode)))


if __name__ == "__main__":
    main()
