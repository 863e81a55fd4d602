"""The command `make stress`: runs that are killed, started twice, starved of disk or damaged, and launches of
extreme size.

    kills     kill -9 at seeded moments of `noether verify`, each resumed: the final records are those of an
              undisturbed run
    workers   kill -9 of workers while the run goes on: each costs one cell, which is tried again or named,
              and resumed
    doubles   two runs started into one folder at the same instant: one is refused, the other is whole
    starved   files that may not grow beyond a size (RLIMIT_FSIZE) and, where it can be mounted, a disk of 64
              kB: what was
              found is kept, and resumed
    damaged   random bytes, cuts and bit flips in every file of a run, in case files and in corpus files: one
              line and exit 2,
              never a traceback, never a verdict that was not reached
    mutations 3000 of each kind of file: damaged ones mean the same or are refused, forged ones are read
    without an exception
    lanes     1 to 10^6 lanes in one launch: no false alarm, peak memory below MEMORY
    horizons  10^7 steps in float32 and bfloat16: no false alarm; how many lanes froze, and when, is an effect
              and no fault

`python -m noether.labs.stress.campaign [PART ...]` prints what was done; exit code 0, or 1 where something
above is not so.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from noether.system import resources
from noether.system.machine import importable
from noether.system.seeds import derive

ROOT = Path(__file__).resolve().parents[3]
WORDS = (
    "verify",
    "mexican-hat",
    "rayleigh",
    "--law",
    "D0,D2",
    "--backend",
    "numpy",
    "--jobs",
    "1",
    "--out",
    "r",
)
MEMORY = 1.5 * 2**30
FATE = (
    "seconds",
    "start",
    "end",
    "check",
    "replay",
)  # a replay line names the folder in which the cell was run


def command(words, module: str = "noether") -> list[str]:
    return (
        [sys.executable, "-c", f"import {module}; {module}.main()", *words]
        if module == "fakes"
        else [sys.executable, "-m", module, *words]
    )


def environment(**more) -> dict:
    return {**importable(ROOT / "tests"), **more}


def start(place: Path, words, module="noether", **how) -> subprocess.Popen:
    return subprocess.Popen(
        command(words, module),
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"env": environment(), **how},
    )


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
        out.append(
            f"{folder}: {len(set(want) - set(got))} records are lost, {len(set(got) - set(want))} are other"
        )
    if json.loads((folder / "run.json").read_text())["records"] != len(want):
        out.append(f"{folder}/run.json counts other records than the undisturbed run")
    return out


def undisturbed(place: Path, words, module="noether", **how) -> tuple[list[str], float, int]:
    place.mkdir(parents=True)
    begin = time.perf_counter()
    code, err = outcome(place, words, module, **how)
    if code not in (0, 3) or not (place / "r" / "records.jsonl").exists():
        raise RuntimeError(f"the undisturbed run ends with {code}: {err}")
    return found(place / "r"), time.perf_counter() - begin, code


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
        told = next((e for e, c in ends if c == 2), "")
        if (
            codes != sorted([code, 2])
            or told.count("\n") != 1
            or not any(w in told for w in ("is being written by ", "already holds a run"))
        ):
            problems.append(
                f"two runs into {home}/r end with {codes}, must be one {code} and one 2 in one line: {told!r}"
            )
        problems += differences(home / "r", want)
    print(f"doubles: {count} pairs of runs into one folder, one of each refused")
    return problems


def starved(
    place: Path,
    *,
    sizes=(0, 700, 5000, 20000, 60000),
    disk: bool = True,
    words=WORDS,
    module="noether",
    **how,
) -> list[str]:
    """Run with a disk that is full after so many bytes of any one file, and again with room."""
    import resource  # POSIX alone has it, and every module must import without

    want, _, code = undisturbed(place / "whole", words, module, **how)
    problems = []
    for size in sizes:
        home = place / f"starved{size}"
        home.mkdir()
        first, err = outcome(
            home,
            words,
            module,
            preexec_fn=lambda size=size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
            **how,
        )
        problems += refused_well(home, first, err, code)
        problems += resumed(home, words, module, want, code, **how)
    small = place / "disk"
    small.mkdir()
    mounted = (
        disk
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], capture_output=True
        ).returncode
        == 0
    )
    if mounted:
        try:
            first, err = outcome(small, words, module, **how)
            problems += refused_well(small, first, err, code)
            shutil.copytree(small, place / "room")
        finally:
            subprocess.run(["umount", str(small)], check=True)
        problems += resumed(place / "room", words, module, want, code, **how)
    print(
        f"starved: file sizes {list(sizes)}; a disk of 64 kB "
        f"{'too' if mounted else 'not asked for' if not disk else 'cannot be mounted here'}"
    )
    return problems


def refused_well(home: Path, code: int, err: str, fine: int) -> list[str]:
    if "Traceback" in err or code not in (fine, 2, 70) or (code != fine and "cannot be" not in err):
        return [f"a full disk in {home} ends with {code}: {err}"]
    return []


def resumed(home: Path, words, module, want, code, **how) -> list[str]:
    again = (home / "r" / "run.json").exists()
    if not again and (home / "r").exists():
        shutil.rmtree(home / "r")
    last, err = outcome(home, [*words[:-2], "--resume", "r"] if again else words, module, **how)
    return (
        differences(home / "r", want)
        if last == code
        else [f"after the full disk {home} ends with {last}: {err}"]
    )


# ---- damage


def mangled(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one kind of damage; never the same bytes."""
    kind = rng.integers(6)
    at, end = sorted(int(x) for x in rng.integers(0, len(data) + 1, 2))
    noise = rng.bytes(int(rng.integers(1, 64)))
    out = [data[:at], data[:at] + noise + data[at:], data[:at] + data[end:], noise,
        data[:at] + data[at:end] * 2 + data[end:],
           flipped(data, int(rng.integers(max(1, 8 * len(data)))))][kind]  # fmt: skip
    return out if out != data else data + noise


def flipped(data: bytes, bit: int) -> bytes:
    if not data:
        return b"\0"
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def called(place: Path, words) -> tuple[int, str, str]:
    """The command line in this process: exit code, stdout, stderr."""
    from noether.cli.main import call

    out, err = io.StringIO(), io.StringIO()
    with chdir(place), redirect_stdout(out), redirect_stderr(err):
        code = call([str(w) for w in words])
    return code, out.getvalue(), err.getvalue()


def told(code: int, err: str, allowed) -> str:
    """What is wrong with how a command reported damage, or ''."""
    if "Traceback" in err or code not in allowed:
        return f"exit code {code}, {err.strip().splitlines()[-1] if err.strip() else 'nothing said'}"
    if code == 2 and err.count("\n") != 1:
        return f"exit code 2 in {err.count(chr(10))} lines: {err!r}"
    return ""


def main(words: list[str] | None = None) -> int:
    from noether.labs.stress.damage import damaged
    from noether.labs.stress.mutations import mutations
    from noether.labs.stress.sizes import horizons, lanes
    from noether.labs.stress.workers import workers

    parts = {
        "kills": kills,
        "workers": workers,
        "doubles": doubles,
        "starved": starved,
        "damaged": damaged,
        "mutations": mutations,
        "lanes": lanes,
        "horizons": horizons,
    }
    parser = argparse.ArgumentParser(prog="python -m noether.labs.stress.campaign")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all when none is given"
    )
    asked = parser.parse_args(words).parts or list(parts)
    if set(asked) - set(parts):
        parser.error(f"part is {sorted(set(asked) - set(parts))[0]!r}, must be one of {', '.join(parts)}")
    if resources.tree() is None:
        parser.error(
            "needs the working tree of the project (its tests and corpus): noether is installed as a "
            "package here"
        )
    problems = []
    with tempfile.TemporaryDirectory(prefix="noether-stress-") as name:
        for part in asked:
            begin = time.perf_counter()
            (Path(name) / part).mkdir()
            problems += [f"{part}: {x}" for x in parts[part](Path(name) / part)]
            print(f"{part} took {time.perf_counter() - begin:.1f} s", flush=True)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} problems" if problems else "nothing lost, nothing doubled, no false alarm")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
