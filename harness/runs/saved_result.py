"""A run folder as a Result: what the run told at its end, made again from what it kept."""

from __future__ import annotations

from pathlib import Path

from noether.plan.choices import Request, narrowed
from noether.runs.completeness import outside, unjudged
from noether.runs.conclusion import place
from noether.runs.result import Result
from noether.runs.saved_run import Run, read_run
from noether.verdicts import exit_codes, known
from noether.verdicts.record import summarise


def saved_result(folder: Path) -> Result:
    """The Result of a run folder, of this version or an older one.

    A run that never came to its end is interrupted, exit code 130; one of `noether fuzz` has no rows. Raises
    UsageError where the folder holds no run, or one that was damaged.
    """
    run = read_run(folder)
    about, laws = run.about, tuple(run.about["laws"])
    code = about.get("exit_code")
    code = exit_codes.INTERRUPTED if code is None else code
    records = sorted(run.records, key=place)
    result = Result(records, [], code, laws)
    result.left_out, result.blind = tuple(about.get("left_out", ())), list(about.get("blind", ()))
    result.interrupted = code == exit_codes.INTERRUPTED
    result.shard, result.cells = about.get("shard", ""), about.get("cells", len(run.cells))
    result.seconds, result.notes = float(about.get("seconds", 0)), list(run.notes)
    result.memory = about.get("memory")
    result.folder, result.about, result.known = run.path, about, known.of_about(about)
    if about.get("command") == "fuzz":
        result.notes.append("fuzzing shows laws no planted fault: it has no row a law")
    else:
        result.rows = summarise(known.proving(records, result.known), list(laws))
    ended(result, run)
    return result


def ended(result: Result, run: Run) -> None:
    """Give a result what decided its exit code beside its records: cells without any, laws that judged
    nothing."""
    if run.about.get("command") == "watch":
        result.unjudged = outside(result.records, result.laws)
    where = result.errors if result.exit_code == exit_codes.INTERNAL else result.lost
    where.update(run.errors)
    arguments = {k: v for k, v in run.about["arguments"].items() if k in Request.__dataclass_fields__}
    asked = narrowed(Request(**{**arguments, "cases": tuple(arguments.get("cases") or ())}))
    if run.about.get("command", "verify") == "verify" and (asked - {"backend", "laws"} or run.errors):
        result.unjudged = unjudged(result.records, result.laws, result.known)
        result.unjudged += [] if "laws" in asked else outside(result.records, result.laws)
