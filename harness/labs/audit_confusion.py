"""What an audit says of planted faults: a table of planted against named.

Run as `python -m noether.labs.audit_confusion`: Markdown on stdout; the exit code is 1 where a fault is not
seen, or not named.
"""

from __future__ import annotations

import sys
import time
import warnings

from noether.campaigns.audit.arithmetic_part import arithmetic
from noether.campaigns.audit.finding import VIOLATED, Finding
from noether.campaigns.audit.plants import PLANTS, Plant
from noether.campaigns.audit.rule_part import rule


def told(plant: Plant, seed: int = 0) -> list[Finding]:
    """What an audit finds violated of a plant."""
    subject = plant.subject
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ruled = rule(subject, plant.like, seed)
        found = [ruled.finding, *arithmetic(subject, ruled.anatomy, ruled.script)]
    return [x for x in found if x.verdict == VIOLATED]


def named(plant: Plant, found: list[Finding]) -> bool:
    """Whether what is told names the fault."""
    return any(plant.names in x.reason for x in found)


def main() -> int:
    """Print the table."""
    seen = right = 0
    print("| planted | in | seen | named | what the audit says | seconds |\n|---|---|---|---|---|---:|")
    for plant in PLANTS:
        begun = time.monotonic()
        found = told(plant)
        is_named = named(plant, found)
        seen, right = seen + bool(found), right + is_named
        says = found[0].reason if found else "obeys"
        row = (plant.name, plant.like, "yes" if found else "**no**", "yes" if is_named else "**no**", says)
        print(f"| {' | '.join(row)} | {time.monotonic() - begun:.1f} |", flush=True)
    print(f"\n{len(PLANTS)} planted: {seen} seen, {right} named")
    return int(right < len(PLANTS))


if __name__ == "__main__":
    sys.exit(main())
