"""What `make gpu` found: one JSON file, one table, and the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

from noether.labs.gpu_device import NONE
from noether.verdicts import exit_codes
from noether.verdicts.record import VIOLATED


def survivors(rows: list[dict]) -> list[str]:
    """Faults that no law killed."""
    shown = {r["fault"] for r in rows if r.get("fault")}
    return sorted(shown - {r["fault"] for r in rows if r.get("fault") and r["verdict"] == VIOLATED})


def save(result: dict) -> Path:
    """Write what was found so far as gpu.json."""
    name = "gpu-rehearsal.json" if result.get("rehearsal") else "gpu.json"
    path = Path(os.environ.get("OUT") or ".") / name
    path.write_text(json.dumps(result, indent=1))
    return path


def opening(result: dict) -> list[str]:
    """The first lines: that there was no GPU, where there was none, and the device."""
    device = f"{result['device']}, sm_{''.join(map(str, result['capability']))}, {result['versions']}"
    return [NONE, device] if result.get("rehearsal") else [device]


PARTS = ("facts", "noisy", "memory", "screens", "parity", "speed", "verification")


def report(result: dict) -> int:
    """Print the table; returns the exit code."""
    compared = result["parity"] + result["noisy"] + result["memory"] + result["screens"]
    done = [r for r in compared if "differ" in r]
    wrong = [r for r in done if r["differ"] or r["unwritten"]]
    judged = [r for r in result["verification"] if "verdict" in r]
    laws, alive = [r for r in judged if not r.get("fault")], survivors(judged)
    bad = [r for r in laws if r["verdict"] == VIOLATED]
    every = [r for part in PARTS for r in result[part]]
    skipped, failed = (sum(word in r for r in every) for word in ("skipped", "failed"))
    print(*opening(result), sep="\n")
    print(
        f"parity with numpy   {len(done)} launches, {sum(r['values'] for r in done)} values, "
        f"{sum(r['differ'] for r in done)} differ"
    )
    for r in wrong:
        print(
            f"  differs: {r['case']} {r['rule']} {r['precision']}: {r['differ']} of {r['values']}, "
            f"{r['unwritten']} lanes unwritten"
        )
    print(
        f"exact laws          {len(laws)} verdicts, worst spent "
        f"{max((r['spent'] for r in laws if r['spent'] is not None), default=float('nan')):.3f}, "
        f"{len(bad)} violated"
    )
    print(
        f"planted faults      {len({r['fault'] for r in judged if r.get('fault')})} shown, surviving: "
        f"{', '.join(alive) or 'none'}"
    )
    for r in (r for r in every if "failed" in r):
        name = " ".join(str(r[k]) for k in r if k not in ("failed", "trace"))
        print(f"FAILED              {name}: {r['failed']}")
    for r in (r for r in result["facts"] if "confirmed" in r):
        print(f"fact                {'confirmed' if r['confirmed'] else 'NOT confirmed'}: {r['fact']}")
    print(f"{'case':20}{'precision':12}{'trajectory-steps/s':>20}")
    for r in result["speed"]:
        if "trajectory_steps_per_s" in r:
            print(f"{r['case']:20}{r['precision']:12}{r['trajectory_steps_per_s']:20.3g}")
    print(f"skipped for time: {skipped}; failed: {failed}; written to {save(result)}")
    undecided = skipped or failed or alive or not done or not laws
    return exit_codes.of(violated=wrong or bad, undecided=undecided)
