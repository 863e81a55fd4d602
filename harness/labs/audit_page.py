"""A page of docs/audits/ from what `noether audit --all PACKAGE --json` printed.

Run as `python -m noether.labs.audit_page FILE.json`: Markdown on stdout, a row an optimizer, then what
deviates, each with its script. What was checked by hand is written beside it by whoever did.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from noether.campaigns.audit.finding import INCONCLUSIVE, OUTSIDE, VIOLATED, Audit

TYPES = ("float64", "float32", "bfloat16", "float16")
WAYS = ("", "foreach", "fused")
"""The implementations of a row: the one by default, and the two that PyTorch offers beside it."""


def page(audits: list[Audit]) -> list[str]:
    """The lines of the page."""
    lines = [
        "| optimizer | verdict | rule | " + " | ".join(TYPES) + " | seconds |",
        "|---|---|---|" + "---:|" * (len(TYPES) + 1),
    ]
    for a in sorted(audits, key=lambda a: a.target):
        rule = "-" if a.rule is None else a.rule.name
        cells = [" / ".join(spent(a, way, kind) for way in ways(a)) for kind in TYPES]
        lines.append(f"| {a.target} | {a.verdict} | {rule} | {' | '.join(cells)} | {a.seconds:.1f} |")
    for a in audits:
        if a.deviations:
            lines += ["", f"## {a.target}", ""]
        for x in a.deviations:
            lines.append(f"- **{x.part}, {x.name}**: {x.reason}")
            if x.script:
                lines += ["", "  ```python", *(f"  {line}" for line in shortened(x.script)), "  ```", ""]
    undecided = [f"- {a.target}: {why(a)}" for a in audits if why(a)]
    return [*lines, "", "## Not decided", "", *undecided] if undecided else lines


def ways(a: Audit) -> list[str]:
    """The implementations that were looked at."""
    names = {x.name.split()[0] for x in a.findings if x.part == "implementations"}
    return [way for way in WAYS if not way or way in names]


def spent(a: Audit, way: str, kind: str) -> str:
    """The worst spent of an implementation in a type: - where it is refused, ? where it is not decided."""
    part, name = ("implementations", f"{way} {kind}") if way else ("arithmetic", kind)
    found = next((x for x in a.findings if (x.part, x.name) == (part, name)), None)
    if found is None or found.verdict == OUTSIDE:
        return "-"
    if found.verdict == INCONCLUSIVE or found.spent is None:
        return "?"
    return f"**{found.spent:.3g}**" if found.verdict == VIOLATED else f"{found.spent:.2f}"


def why(a: Audit) -> str:
    """Why an audit, or parts of it, decided nothing."""
    if a.trouble:
        return a.trouble
    return "; ".join(f"{x.part} {x.name}: {x.reason}" for x in a.findings if x.verdict == INCONCLUSIVE)


def shortened(script: str) -> list[str]:
    """The lines of a script, the longest cut where they list many numbers."""
    return [
        x if len(x) <= 132 else f"{x[:120]} ...  # {len(x)} letters" for x in script.rstrip("\n").splitlines()
    ]


def main(words: list[str]) -> int:
    """Print the page of a file."""
    told = json.loads(Path(words[0]).read_text(encoding="utf-8"))
    names = ("target", "findings", "trouble", "seconds")
    audits = [Audit.of({name: x[name] for name in names}) for x in told["audits"]]
    print("\n".join(page(audits)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
