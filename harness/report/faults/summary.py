"""The kill matrix as plain data: what `noether faults --json` prints."""

from __future__ import annotations

from noether.campaigns.kill_matrix.campaign import Campaign
from noether.campaigns.kill_matrix.findings import Row, of_kind, rows


def summary(result: Campaign) -> dict:
    """The result of a run over planted faults."""
    v = result.verdict
    counts = {"faults": v.faults, "killed": v.killed, "equivalent": v.equivalent, "by_bits_alone": v.by_bits}
    told = {"exit_code": result.exit_code, "reasons": list(v.reasons)}
    told |= {"run": str(result.folder) if result.folder else None, "seconds": round(result.seconds, 3)}
    told |= {"memory": result.memory}
    place = lambda r: {"case": r.case, "rule": r.rule, "precision": r.precision}
    of = lambda key: [{**place(r), **r.data[key]} for r in of_kind(result.records, key)]
    matrix = [row_summary(row) for row in rows(result.records)]
    found = {"matrix": matrix, "generated": of("generated"), "sensitivity": of("graded")}
    return {**told, **counts, **found, "errors": result.errors}


def row_summary(row: Row) -> dict:
    """One fault: where it was shown, and what killed it."""
    killed = {law: {"ratio": k.ratio, "steps": k.steps, "lanes": k.lanes} for law, k in row.kills.items()}
    told = {"fault": row.name, "kind": row.kind, "what": row.what}
    return {**told, "shown": sorted(row.shown), "points": sorted(row.points), "killed": killed}
