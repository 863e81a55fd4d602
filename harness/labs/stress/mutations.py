"""Stress by mutation: each kind of file, changed thousands of times, is refused in one line or means what it
meant.

    damaged   bytes flipped, cut, doubled, put in: what is accepted must mean the same, for a check stands in
              each file
    forged    a value of another type, a huge or missing one, lines doubled and swapped, sealed again: what is
              accepted must be
              read to the end, its page written, without an exception of ours

A baseline and a corpus are edited by hand, so there a value that another one replaces is accepted.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from noether.labs.stress import forging
from noether.labs.stress.damage import TINY
from noether.labs.stress.trials import called, mangled
from noether.system import resources, seal
from noether.system.seeds import derive
from noether.system.usage import UsageError

NUMBERS = (None, True, -1, 0, 5, 2**80, 10**400, 1e300)
WORDS = ("", "x", "\x1b[31m", "::stop-commands::x", "a\nb", "\ud800", "../../x", "nan", "inf")
NESTED = ([], {}, [[]], {"a": {"b": [1, "c"]}}, ["x"] * 50, "x" * 5000)
STRANGE = (*NUMBERS, *WORDS, *NESTED)
"""Values that no field is made for."""


def places(value, path=()) -> Iterator[tuple]:
    """Every path to a value within a value."""
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in within:
        yield (*path, key)
        yield from places(inner, (*path, key))


def forged(value, rng: np.random.Generator):
    """A copy with one value replaced, taken away, or moved; never the same."""
    while True:
        out = copy.deepcopy(value)
        every = list(places(out))
        *outer, key = every[rng.integers(len(every))]
        inside = out
        for step in outer:
            inside = inside[step]
        kind = rng.integers(4)
        if kind == 0:
            del inside[key]
        elif kind == 1 and isinstance(inside, list):
            inside.insert(int(rng.integers(len(inside) + 1)), copy.deepcopy(inside[key]))
        elif kind == 2 and isinstance(inside, dict):
            inside[str(rng.integers(100))] = inside.pop(key)
        else:
            inside[key] = copy.deepcopy(STRANGE[rng.integers(len(STRANGE))])
        if out != value:
            return out


def outcome(read: Callable, want, told: str) -> str:
    """What is wrong with how something was read, or ''.

    want  what it must mean when it is accepted; None where anything will do
    """
    try:
        found = read()
    except UsageError as error:
        is_line = str(error) and "\n" not in str(error) and str(error).isprintable()
        return "" if is_line else f"{told}: refused in {str(error)!r}"
    except Exception as error:
        return f"{told}: {type(error).__name__}: {error}"
    return f"{told}: accepted, and it means something else" if want is not None and found != want else ""


def mutations(place: Path, *, seed: int = 0, count: int = 3000) -> list[str]:
    """`count` mutations of each kind of file."""
    code, _, err = called(place, [*TINY, "--out", "whole"])
    if not (place / "whole" / "records.jsonl").exists():
        raise RuntimeError(f"the undamaged run ends with {code}: {err}")
    problems: list[str] = []
    for kind, one in kinds(place).items():
        rng = np.random.default_rng(derive(seed, f"mutations/{kind}"))
        wrong = [w for n in range(count) if (w := one(rng, f"{kind} {n}"))]
        problems += wrong
        print(f"mutations: {count} of {kind}, {len(wrong)} met badly", flush=True)
    return problems


def kinds(place: Path) -> dict[str, Callable]:
    """Name of a kind -> f(rng, told) -> what is wrong, or ''."""
    from noether.campaigns.fuzz import corpus
    from noether.runs import baseline

    whole, out = place / "whole", {}
    for name in ("run.json", "records.jsonl", "cells.jsonl"):
        out[f"damaged {name}"] = damaged(whole, place / "d", name)
        out[f"forged {name}"] = run_forged(whole, place / "f", name)
    kept = resources.path("baseline.json")
    for name, file, read in (("baseline", kept, baseline.read), ("corpus", examples(place), corpus.read)):
        out[f"damaged {name}"] = of_file(file, place / f"{name}.json", read, mangled)
        out[f"forged {name}"] = of_file(file, place / f"{name}.json", read, json_forged)
    called(place, ["history", "add", "whole", "--to", "points"])
    point = next(iter((place / "points").glob("*.json")))
    for how, change in (("damaged", mangled), ("forged", history_forged)):
        out[f"{how} history file"] = of_file(point, place / f"{how}.json", shown_beside(point), change)
    return out


def shown_beside(point: Path) -> Callable:
    """A reader of a history file that compares it with `point` and draws both."""
    from noether.report.history_page import render
    from noether.report.history_table import ending
    from noether.runs import history, history_file, trend_marks

    def read(file: Path) -> str:
        found = history.chosen([history_file.read(point), history_file.read(file)], [])
        steps = trend_marks.steps(found.points)
        ending(found, steps, "page")
        return render(found, steps)

    return read


def history_forged(data: bytes, rng) -> bytes:
    """The text of a history file that says something else, sealed again."""
    value = {name: x for name, x in json.loads(data).items() if name != "check"}
    try:
        return seal.sealed(json.dumps(forged(value, rng)), indent="").encode()
    except ValueError:  # a whole number of thousands of digits, half of a surrogate pair
        return data


def examples(place: Path) -> Path:
    """A corpus file, as a fuzzing run on a planted fault writes it."""
    words = ["fuzz", "mexican-hat", "--batches", "4", "--plant", "gradient x 2"]
    called(place, [*words, *"--corpus kept --out fuzzed --jobs 1 --backend numpy".split()])
    return next(iter(sorted((place / "kept").glob("*.json"))))


def meaning(folder: Path):
    """What a reader sees in a run folder."""
    from noether.runs.saved_run import read_run

    run = read_run(folder)
    return run.about, [r.as_dict() for r in run.records], run.cells, run.errors


def damaged(whole: Path, to: Path, name: str) -> Callable:
    """A trial of a run folder, copied to `to`, of which one file is damaged."""
    want, data = meaning(whole), (whole / name).read_bytes()

    def one(rng, told: str) -> str:
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(whole, to)
        (to / name).write_bytes(mangled(data, rng))
        return outcome(lambda: meaning(to), want, told)

    return one


def run_forged(whole: Path, to: Path, name: str) -> Callable:
    """A trial of a run folder, copied to `to`, of which one file says something else."""
    kind = name.partition(".")[0]
    value = json.loads((whole / name).read_text()) if kind == "run" else forging.read_lines(whole / name)

    def read():
        from noether.report.publish import page

        about, *_ = meaning(to)
        from noether.runs.saved_run import read_run

        run = read_run(to)
        return page(run.records, about["laws"], about)

    def one(rng, told: str) -> str:
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(whole, to)
        changed = forged(value, rng)
        try:
            if kind == "run":
                (to / name).write_text(sealed_about(changed), encoding="utf-8")
            else:
                forging.rewrite(to, lines={kind: changed})
        except (AttributeError, TypeError, KeyError, ValueError, UnicodeError):
            # A line that is no object, and cannot be sealed.
            (to / name).write_text(json.dumps(changed), encoding="utf-8")
        return outcome(read, None, told)

    return one


def sealed_about(value: dict) -> str:
    """The text of run.json with its check made anew."""
    from noether.runs import run_json as about

    return about.text({name: x for name, x in value.items() if name != "check"})


def json_forged(data: bytes, rng) -> bytes:
    """The text of a JSON file that says something else, without a check."""
    value = {name: x for name, x in json.loads(data).items() if name != "check"}
    return json.dumps(forged(value, rng), indent=1).encode()


def of_file(file: Path, to: Path, read: Callable, change: Callable) -> Callable:
    """A trial of one file, copied to `to` and changed."""
    data = Path(file).read_bytes()

    def one(rng, told: str) -> str:
        to.write_bytes(change(data, rng))
        return outcome(lambda: read(to), None, told)

    return one
