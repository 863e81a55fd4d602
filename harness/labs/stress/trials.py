"""What the parts of the campaign share: runs that are started and compared, and bytes that are damaged."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from noether.cli.main import call
from noether.system.machine import importable
from noether.verdicts import exit_codes

ROOT = Path(__file__).resolve().parents[3]
WORDS = tuple("verify mexican-hat rayleigh --law D0,D2 --backend numpy --jobs 1 --out r".split())
# A replay line names the folder in which the cell was run.
FATE = ("seconds", "start", "end", "check", "replay")
"""Fields of a record that differ between two runs that found the same."""


def command(words, module: str = "noether") -> list[str]:
    """The command line of a run, by a module that is run or by the fakes of the tests."""
    if module == "fakes":
        return [sys.executable, "-c", f"import {module}; {module}.main()", *words]
    return [sys.executable, "-m", module, *words]


def environment(**more) -> dict:
    """The environment in which a run finds this project and its tests."""
    return {**importable(ROOT / "tests"), **more}


def start(place: Path, words, module="noether", **how) -> subprocess.Popen:
    """A run in the folder `place`, as a process; `how` goes to Popen."""
    how = {"env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    return subprocess.Popen(command(words, module), cwd=place, text=True, **how)


def outcome(place: Path, words, module="noether", **how) -> tuple[int, str]:
    """The exit code and stderr of a command."""
    process = start(place, words, module, **how)
    _, err = process.communicate()
    return process.returncode, err


def found(folder: Path) -> list[str]:
    """The records of a run, sorted, without what differs between two runs that found the same."""
    lines = (folder / "records.jsonl").read_text().splitlines()
    return sorted(
        json.dumps({k: v for k, v in json.loads(x).items() if k not in FATE}, sort_keys=True) for x in lines
    )


def differences(folder: Path, want: list[str]) -> list[str]:
    """What is lost, doubled or other in a finished run."""
    got = found(folder)
    out = []
    if len(set(got)) < len(got):
        out.append(f"{folder}: {len(got) - len(set(got))} records are doubled")
    if set(got) != set(want):
        lost, other = set(want) - set(got), set(got) - set(want)
        out.append(f"{folder}: {len(lost)} records are lost, {len(other)} are other")
    if json.loads((folder / "run.json").read_text())["records"] != len(want):
        out.append(f"{folder}/run.json counts other records than the undisturbed run")
    return out


def undisturbed(place: Path, words, module="noether", **how) -> tuple[list[str], float, int]:
    """A run that nothing disturbs: its records, how many seconds it took, its exit code."""
    place.mkdir(parents=True)
    begin = time.perf_counter()
    code, err = outcome(place, words, module, **how)
    if code not in (exit_codes.HOLDS, exit_codes.UNDECIDED) or not (place / "r" / "records.jsonl").exists():
        raise RuntimeError(f"the undisturbed run ends with {code}: {err}")
    return found(place / "r"), time.perf_counter() - begin, code


def mangled(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one kind of damage; never the same bytes."""
    kind = rng.integers(6)
    at, end = sorted(int(x) for x in rng.integers(0, len(data) + 1, 2))
    noise = rng.bytes(int(rng.integers(1, 64)))
    out = [
        data[:at],
        data[:at] + noise + data[at:],
        data[:at] + data[end:],
        noise,
        data[:at] + data[at:end] * 2 + data[end:],
        flipped(data, int(rng.integers(max(1, 8 * len(data))))),
    ][kind]
    return out if out != data else data + noise


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with one bit changed; one byte where there were none."""
    if not data:
        return b"\0"
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def called(place: Path, words) -> tuple[int, str, str]:
    """The command line in this process: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(place), redirect_stdout(out), redirect_stderr(err):
        code = call([str(w) for w in words])
    return code, out.getvalue(), err.getvalue()


def told(code: int, err: str, allowed) -> str:
    """What is wrong with how a command reported damage, or ''."""
    if "Traceback" in err or code not in allowed:
        return f"exit code {code}, {err.strip().splitlines()[-1] if err.strip() else 'nothing said'}"
    if code == exit_codes.WRONG and err.count("\n") != 1:
        return f"exit code 2 in {err.count(chr(10))} lines: {err!r}"
    return ""
