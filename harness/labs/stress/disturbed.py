"""Runs that are killed, that are started twice into one folder, or for which the disk is too small."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np

from noether.labs.stress.trials import WORDS, differences, environment, outcome, start, undisturbed
from noether.system.seeds import derive
from noether.verdicts import exit_codes


def kills(place: Path, *, seed: int = 0, count: int = 10, words=WORDS, module="noether", **how) -> list[str]:
    """`count` kills, each of a run of its own or of one resumed, at seeded moments of its length."""
    want, length, code = undisturbed(place / "whole", words, module, **how)
    rng = np.random.default_rng(derive(seed, "kills"))
    home, problems, done, runs = place / "killed", [], 0, 0
    home.mkdir()
    while done < count:
        again = (home / "r" / "run.json").exists()
        process = start(home, [*words[:-2], "--resume", "r"] if again else words, module, **how)
        try:
            process.wait(timeout=float(rng.uniform(0.2, 1.0)) * length)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            done += 1
        process.communicate()
        if process.returncode == code:  # it came through: begin another
            problems += differences(home / "r", want)
            shutil.rmtree(home / "r")
            runs += 1
        elif process.returncode != -signal.SIGKILL:
            return [*problems, f"a run that was to be killed ended with {process.returncode}"]
        elif (home / "r").exists() and not (home / "r" / "run.json").exists():
            shutil.rmtree(home / "r")  # killed before it had a name: nothing was found
    last, err = outcome(
        home, [*words[:-2], "--resume", "r"] if (home / "r").exists() else words, module, **how
    )
    problems += (
        differences(home / "r", want) if last == code else [f"the last resume ends with {last}: {err}"]
    )
    print(f"kills: {done} kill -9, {runs + 1} runs came through, {len(want)} records each")
    return problems


def doubles(place: Path, *, count: int = 5, words=WORDS, module="noether", **how) -> list[str]:
    """Start two runs at the same instant, and one into a folder that is being written."""
    want, _, code = undisturbed(place / "whole", words, module, **how)
    problems = []
    for n in range(count):
        home = place / f"double{n}"
        home.mkdir()
        both = [start(home, words, module, **how) for _ in range(2)]
        ends = [(p.communicate()[1], p.returncode) for p in both]
        codes = sorted(c for _, c in ends)
        told = next((e for e, c in ends if c == exit_codes.WRONG), "")
        if (
            codes != sorted([code, exit_codes.WRONG])
            or told.count("\n") != 1
            or not any(w in told for w in ("is being written by ", "already holds a run"))
        ):
            problems.append(
                f"two runs into {home}/r end with {codes}, must be one {code} and one 2 in one line: {told!r}"
            )
        problems += differences(home / "r", want)
    print(f"doubles: {count} pairs of runs into one folder, one of each refused")
    return problems


SIZES = (0, 700, 5000, 20000, 60000)
"""Bytes beyond which no file may grow."""


def starved(place: Path, *, sizes=SIZES, disk=True, words=WORDS, module="noether", **how) -> list[str]:
    """Run with a disk that is full after so many bytes of any one file, and again with room."""
    import resource  # POSIX alone has it, and every module must import without

    want, _, code = undisturbed(place / "whole", words, module, **how)
    # Python would keep what it compiles cut short at the limit, and every later import would fail.
    uncompiled = {**how.get("env", environment()), "PYTHONDONTWRITEBYTECODE": "1"}
    problems = []
    for size in sizes:
        home = place / f"starved{size}"
        home.mkdir()
        limit = lambda size=size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        first, err = outcome(home, words, module, **{**how, "env": uncompiled, "preexec_fn": limit})
        problems += refused_well(home, first, err, code)
        problems += resumed(home, words, module, want, code, **how)
    small = disk and small_disk(place, want, code, words, module, **how)
    told = "not asked for" if not disk else "cannot be mounted here" if small is None else "too"
    print(f"starved: file sizes {list(sizes)}; a disk of 64 kB {told}")
    return problems + (small or [])


def small_disk(place: Path, want: list[str], code: int, words, module: str, **how) -> list[str] | None:
    """The same on a disk of 64 kB; None where no disk can be mounted."""
    small, problems = place / "disk", []
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        return None
    try:
        first, err = outcome(small, words, module, **how)
        problems += refused_well(small, first, err, code)
        shutil.copytree(small, place / "room")
    finally:
        subprocess.run(["umount", str(small)], check=True)
    return problems + resumed(place / "room", words, module, want, code, **how)


def refused_well(home: Path, code: int, err: str, fine: int) -> list[str]:
    """What is wrong with how a command met a full disk; `fine` is its exit code where there is room."""
    is_told = code == fine or "cannot be" in err
    if "Traceback" in err or code not in (fine, exit_codes.WRONG, exit_codes.INTERNAL) or not is_told:
        return [f"a full disk in {home} ends with {code}: {err}"]
    return []


def resumed(home: Path, words, module, want, code, **how) -> list[str]:
    """What is wrong with a run that is gone on with where there is room again."""
    again = (home / "r" / "run.json").exists()
    if not again and (home / "r").exists():
        shutil.rmtree(home / "r")
    last, err = outcome(home, [*words[:-2], "--resume", "r"] if again else words, module, **how)
    if last != code:
        return [f"after the full disk {home} ends with {last}: {err}"]
    return differences(home / "r", want)
