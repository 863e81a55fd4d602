"""`noether replay`: run one record of a run again and compare to the bit."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from noether.cli.commands import AsJson, RunFolder, Trust, complain, option, printed
from noether.verdicts import exit_codes

Number = option(int | None, "Number of the record: its line in records.jsonl, from 1.")
Law = option(str | None, "Of this law.")
Cell = option(str | None, "Of this cell.")
Symmetry = option(str | None, "Of this symmetry.")
Fault = option(str | None, "On this planted fault; without it, of what was run honestly.")
Nth = option(int | None, "Where several fit, the nth of them and not the worst.")


def replay(
    run: RunFolder = None,
    record: Number = None,
    law: Law = None,
    cell: Cell = None,
    symmetry: Symmetry = None,
    fault: Fault = None,
    nth: Nth = None,
    trust: Trust = False,
    as_json: AsJson = False,
):
    """Run one record of a run again, and compare to the bit.

    Its worst lane alone or its whole cell; without a choice, the worst record of the run.

    Exit code: 0 the numbers come back equal, 1 so does a violation, 3 they do not come back equal.
    """
    from noether.cli.progress import busy
    from noether.report.table import say
    from noether.runs.decision import decide
    from noether.runs.replaying import Replays, pick
    from noether.runs.saved_run import newest, read_run

    found = read_run(run if run is not None else newest())
    chosen = pick(found, record, dict(law=law, cell=cell, symmetry=symmetry, fault=fault), nth)
    with busy("running it again"):
        replays = Replays(found, trust=trust)
        # A case file may read data that is named from where it was started; no other reason to go there.
        start = Path(found.about.get("cwd") or ".") if replays.files else Path(".")
        with chdir(start if start.is_dir() else Path(".")):
            equal, text = replays.again(chosen)
    is_violated = chosen.verdict == "violated" and not chosen.fault
    code = decide(exit_codes.of(violated=equal and is_violated, undecided=not equal), text.splitlines()[-1])
    if as_json:
        told = {"run": str(found.path), "equal": equal, "exit_code": code, "text": text}
        printed({**told, "record": chosen.as_dict()})
    else:
        say(text)
    for note in found.notes:
        complain(f"note: {note}")
