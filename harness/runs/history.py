"""Many runs as one history: read from a folder or from the commits of a file, put into series of runs that
may be compared, and added to.

Two runs may be compared where they were asked for the same and have seed and backend in common. A history
shows one such series, the one with the most runs unless it is told which; what it leaves out is counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from noether.runs import baseline
from noether.runs.history_file import Point, is_one, of_baseline, of_run, of_text, read, text
from noether.runs.run_json import command
from noether.runs.saved_run import RUNS, read_about, read_run
from noether.system.files import write_whole
from noether.system.git import versions_of
from noether.system.outside import plural, printable
from noether.system.strict_reading import first_line, kind_of, loads, reason, shortened
from noether.system.usage import UsageError

FOLDER = Path("history")
WORDS = ("profile", "seed", "backend")
"""By which a series is chosen."""
NUMBERED = 1000  # files of one day and commit
LISTED, DIGITS = 4, 8  # names of a choice in words; digits of the digest of a file


@dataclass
class History:
    """A series of runs that may be compared, the oldest first.

    about     the words that all of them have: profile, seed, backend, and what else the choice was
    left_out  (why, how many) of what was found beside them
    """

    points: list[Point]
    about: dict
    left_out: list[tuple[str, int]] = field(default_factory=list)


# ---- reading


def of_folder(folder: Path) -> tuple[list[Point], list[tuple[str, int]]]:
    """The points of the history files and run folders in a folder; why others were left out. Raises
    UsageError for a file that is damaged."""
    there = kind_of(folder, str(folder))
    if there != "a folder":
        raise UsageError(
            f"{folder} is {there or 'not there'}: it must be a folder of history files or of run folders "
            "(noether history add RUN makes a file)"
        )
    found, counts = [], {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name.removesuffix(".json")):
        if path.suffix == ".json" and path.is_file():
            found.append(read(path))
        elif (path / "run.json").is_file():
            why = unfit(path)
            if why:
                counts[why] = counts.get(why, 0) + 1
            else:
                found.append(of_run(read_run(path)))
    if not found:
        raise UsageError(f"{folder} has no history file and no run of noether verify: nothing can be shown")
    return once(found), list(counts.items())


def unfit(path: Path) -> str:
    """Why a run folder is no point of a history, '' where it is one. Raises UsageError."""
    about = read_about(path)
    if command(about) != "verify":
        return f"runs of noether {command(about)}"
    if about.get("shard"):
        return "parts of a run (--shard)"
    return "" if about.get("end") else "runs without an end"


def once(points: list[Point]) -> list[Point]:
    """The points without those that are there twice, as a file and as a run folder; the oldest first."""
    kept: dict[str, Point] = {}
    for n, p in enumerate(points):
        kept.setdefault(p.id or str(n), p)
    return sorted(kept.values(), key=lambda p: p.when)


def of_git(path: Path) -> tuple[list[Point], list[tuple[str, int]]]:
    """The points of the versions of one file, a baseline or a history file, over the commits of its
    repository; versions that this noether cannot read are counted. Raises UsageError where it reads none."""
    versions = versions_of(path)
    found, unread = [], []
    for v in versions:
        try:
            found.append(of_version(v.text, v.commit, v.time, f"{path} of {v.commit[:12]}"))
        except UsageError as error:
            unread.append(str(error))
    if not versions:
        raise UsageError(
            f"no commit of this history, that leads to HEAD, has {path}: there is no version of it"
        )
    if not found:
        raise UsageError(f"none of {plural(len(versions), 'version')} of {path} can be read: {unread[-1]}")
    words = f"versions that this noether cannot read, as {shortened(unread[-1], 160)}" if unread else ""
    return found, [(words, len(unread))] if unread else []


def of_version(raw: str, commit: str, time: str, where: str) -> Point:
    """The point of one version of a file. Raises UsageError."""
    try:
        value = loads(raw)
    except ValueError as error:
        raise UsageError(f"{where} is corrupt: {first_line(error)}") from None
    if is_one(value):
        return of_text(raw, where)
    return of_baseline(baseline.parsed(value, raw, where), commit, time)


# ---- series


def series(p: Point) -> dict:
    """What runs must have in common to be compared: all that was asked for, seed and backend."""
    return {**p.choice, "seed": p.run.get("seed"), "backend": p.run.get("backend")}


def told(words: dict) -> str:
    """A series in words: profile, seed, backend, and whatever else was narrowed. A case of a file is its name
    with the first digits of the digest of its text."""
    named = [f"{k} {words.get(k)}" for k in WORDS]
    narrowed = {k: v for k, v in words.items() if k not in (*WORDS, "files") and v not in (None, [], {}, "")}
    files = words.get("files") if isinstance(words.get("files"), dict) else {}
    cases = narrowed.pop("cases", [])
    cases = [str(x) for x in (cases if isinstance(cases, list) else [cases])]
    known = [f"{x} (digest {str(files[x])[:DIGITS]})" if x in files else x for x in cases]
    known += [f"{x} (digest {str(files[x])[:DIGITS]})" for x in files if x not in cases]
    more = [f"case{'s' if len(known) > 1 else ''} {listed(known)}"] if known else []
    more += [f"{k} {listed(v) if isinstance(v, list) else v}" for k, v in narrowed.items()]
    return printable(", ".join(named + more))


def listed(names: list) -> str:
    """Names in a row, of many the first and how many there are more."""
    more = [f"{len(names) - LISTED} more"] if len(names) > LISTED else []
    return " and ".join([", ".join(map(str, names[:LISTED])), *more])


def key_of(p: Point) -> str:
    """What tells the series of a run from every other, whatever `told` leaves out."""
    return json.dumps(series(p), sort_keys=True)


def chosen(points: list[Point], left_out: list[tuple[str, int]], **wanted) -> History:
    """The series with the most runs among those that have the wanted profile, seed and backend; of several
    the one with the newest run. Raises UsageError where no run has them."""
    wanted = {k: v for k, v in wanted.items() if v is not None}
    found: dict[str, list[Point]] = {}
    for p in points:
        found.setdefault(key_of(p), []).append(p)
    fits = {k: ps for k, ps in found.items() if all(series(ps[0]).get(n) == v for n, v in wanted.items())}
    if not fits:
        asked = ", ".join(f"{k} {v}" for k, v in wanted.items())
        there = "; ".join(told(series(ps[0])) for ps in found.values())
        raise UsageError(f"no run has {asked}: there are {there}")
    best = max(fits, key=lambda k: (len(fits[k]), fits[k][-1].when))
    others = [(f"runs of {told(series(ps[0]))}", len(ps)) for key, ps in found.items() if key != best]
    return History(found[best], series(found[best][0]), [*left_out, *others])


# ---- adding


def add(run: Path, folder: Path = FOLDER) -> tuple[Path, bool]:
    """Write the history file of a run into a folder, which is made where it is not there; where it is, and
    whether it is new. Raises UsageError."""
    why = unfit(run)
    if why:
        raise UsageError(f"{run} cannot be added: a history has no {why}")
    point = of_run(read_run(run))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"folder {folder} cannot be made: {reason(error)}") from None
    stem = f"{point.start[:10]}-{(point.commit or 'no-commit')[:9].rstrip('-')}"
    for n in range(1, NUMBERED):
        path = folder / (f"{stem}.json" if n == 1 else f"{stem}-{n}.json")
        if not path.exists():
            break
        if read(path).id == point.id:
            return path, False
    try:
        write_whole(path, text(point))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {reason(error)}") from None
    return path, True


def place(given: Path | None) -> Path:
    """The folder of a history: the one that is given, else history/, else runs/."""
    return given or (FOLDER if FOLDER.is_dir() else RUNS)
