"""The kill matrix as plain data: what `noether faults --json` prints."""

from __future__ import annotations

from noether.campaigns.kill_matrix.campaign import Campaign
from noether.campaigns.kill_matrix.findings import of_kind, rows


def summary(result: Campaign) -> dict:
    v = result.verdict
    return {
        "exit_code": result.exit_code, "reasons": list(v.reasons),
        "run": str(result.folder) if result.folder else None,
        "seconds": round(result.seconds, 3), "faults": v.faults, "killed": v.killed,
        "equivalent": v.equivalent, "by_bits_alone": v.by_bits,
        "matrix": [
            {"fault": row.name, "kind": row.kind, "what": row.what, "shown": sorted(row.shown),
            "points": sorted(row.points),
             "killed": {law: {"ratio": k.ratio, "steps": k.steps, "lanes": k.lanes} for law,
             k in row.kills.items()}}
            for row in rows(result.records)
        ],
        "generated": [{"case": r.case, "rule": r.rule, "precision": r.precision,
        **r.data["generated"]} for r in of_kind(result.records, "generated")],
        "sensitivity": [{"case": r.case, "rule": r.rule, "precision": r.precision,
        **r.data["graded"]} for r in of_kind(result.records, "graded")],
        "errors": result.errors,
    }  # fmt: skip
