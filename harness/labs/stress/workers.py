"""Stress of workers: killed during a run, they lose and double nothing, and what was not decided is named."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from noether.labs.stress.trials import WORDS, differences, outcome, start, undisturbed
from noether.system.seeds import derive
from noether.verdicts import exit_codes

MANY = tuple("2" if before == "--jobs" else word for before, word in zip(("", *WORDS), WORDS, strict=False))


def children(process: int) -> list[int]:
    """The child processes of a process that are still there."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.append(int(folder.name))
    return found


def workers(place: Path, *, seed: int = 0, count: int = 10, words=MANY, module="noether", **how) -> list[str]:
    """`count` kill -9 of workers at seeded moments, then a resume of what is undecided."""
    want, length, code = undisturbed(place / "whole", words, module, **how)
    rng = np.random.default_rng(derive(seed, "workers"))
    problems, killed, runs = [], 0, 0
    while killed < count:
        home = place / f"killed{runs}"
        home.mkdir()
        process = start(home, words, module, **how)
        while process.poll() is None and killed < count:
            time.sleep(float(rng.uniform(0.1, 0.4)) * length)
            there = children(process.pid)
            if there and process.poll() is None:
                with suppress(ProcessLookupError):
                    os.kill(int(rng.choice(there)), signal.SIGKILL)
                    killed += 1
        _, err = process.communicate()
        if process.returncode not in (code, exit_codes.UNDECIDED):
            problems.append(f"a run whose workers were killed ends with {process.returncode}: {err}")
        elif process.returncode == exit_codes.UNDECIDED != code:
            if "--resume r" not in err:
                problems.append(f"a run with undecided cells does not say how to go on: {err!r}")
            last, err = outcome(home, [*words[:-2], "--resume", "r"], module, **how)
            problems += [] if last == code else [f"the resume ends with {last}: {err}"]
        problems += differences(home / "r", want)
        runs += 1
    print(f"workers: {killed} kill -9 in {runs} runs, {len(want)} records each")
    return problems
