"""Stress by damage: run folders, case files and corpus files changed at random must be refused in one
line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from noether.labs.stress.trials import ROOT, called, mangled, told
from noether.system.seeds import derive
from noether.verdicts import exit_codes

FILES = ("run.json", "records.jsonl", "cells.jsonl")
TINY = tuple(
    "verify rayleigh --law D0 --rule heavy-ball --precision float64 --backend numpy --jobs 1 --lanes 5 "
    "--steps 3".split()
)
"""A run that takes next to no time."""


def verdicts(folder: Path) -> list[tuple]:
    """What a run has decided, as a reader of its records sees it."""
    lines = (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted((x["law"], x["case"], x["verdict"]) for x in map(json.loads, lines))


def damaged(place: Path, *, seed: int = 0, count: int = 300) -> list[str]:
    """A third of the damage each in a finished run, in one that was cut off, and in case and corpus files."""
    rng = np.random.default_rng(derive(seed, "damage"))
    problems = damaged_runs(place, rng, 2 * count // 3) + damaged_inputs(place, rng, count - 2 * count // 3)
    print(f"damaged: {count} files, {len(problems)} met badly")
    return problems


def damaged_runs(place: Path, rng, count: int) -> list[str]:
    """What is met badly when a file of a run, finished or cut off, is damaged."""
    code, _, err = called(place, [*TINY, "--out", "whole"])
    if not (place / "whole" / "records.jsonl").exists():
        raise RuntimeError(f"the undamaged run ends with {code}: {err}")
    want = verdicts(place / "whole")
    shutil.copytree(place / "whole", place / "cut")
    about = json.loads((place / "cut" / "run.json").read_text())
    unfinished = json.dumps({**about, "end": None, "records": None, "exit_code": None})
    (place / "cut" / "run.json").write_text(unfinished)
    problems = []
    for n in range(count):
        shutil.rmtree(place / "r", ignore_errors=True)
        shutil.copytree(place / ("whole", "cut")[n % 2], place / "r")
        name = FILES[n // 2 % 3]
        file = place / "r" / name
        file.write_bytes(mangled(file.read_bytes(), rng))
        shown, _, err = called(place, ["report", "r"])
        bad = told(shown, err, (exit_codes.HOLDS, exit_codes.WRONG))
        again, _, err = called(place, ["verify", "--resume", "r"])
        bad = bad or told(again, err, (code, 2))
        if not bad and again == code and verdicts(place / "r") != want:
            bad = "a resumed run has other verdicts than the undamaged one"
        if bad:
            kept = place / f"bad{n}"
            shutil.copytree(place / "r", kept, dirs_exist_ok=True)
            problems.append(f"{name} of {'a finished' if n % 2 == 0 else 'a cut'} run, damage {n}: {bad}")
    return problems


def damaged_inputs(place: Path, rng, count: int) -> list[str]:
    """Case files and corpus files. A case that is still one may hold; an honest kernel never violates it."""
    texts = [
        (
            f"{name}.py",
            (ROOT / "cases" / "losses" / f"{name}.py").read_bytes().replace(b'name="', b'name="own-'),
        )
        for name in ("rayleigh", "mexican_hat")
    ]
    texts += [(f.name, f.read_bytes()) for f in sorted((ROOT / "corpus").glob("*.json"))]
    problems = []
    for n in range(count):
        name, text = texts[n % len(texts)]
        (place / name).write_bytes(mangled(text, rng))
        shutil.rmtree(place / "own", ignore_errors=True)
        words = ["fuzz", "--replay", name]
        if name.endswith(".py"):
            words = ["verify", name, *TINY[2:], "--out", "own"]
        code, _, err = called(place, words)
        bad = told(code, err, (0, 2, 3))
        if bad:
            problems.append(f"{name}, damage {n}: {bad}")
            shutil.copy(place / name, place / f"bad-{n}-{name}")
    return problems
