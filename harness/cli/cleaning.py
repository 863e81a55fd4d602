"""What `noether clean` removes: caches of this project, and run folders that were named.

A cache is a whole folder (kernels/cache_folders.py knows which are safe). Of a run folder only the files that
a run writes go, for --out may have been a folder with other things in it; the folder itself goes when nothing
else is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from noether.kernels import cache_folders
from noether.report.terminal import listing
from noether.runs.saved_run import read_about
from noether.system.lock import Lock
from noether.system.outside import plural
from noether.system.usage import UsageError

OURS = (
    *("run.json", "records.jsonl", "cells.jsonl", "lock", "junit.xml", "report.html", "compare.html"),
    *("errors.txt", "unprinted.txt", "faults.md", "crash-*.json"),
)
"""Names of the files that runs write, run.json first."""
UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass
class Item:
    """One thing to remove.

    kind   cache or run
    files  of a run what goes; of a cache nothing, for it goes whole
    kept   why it stays, or ''
    """

    path: Path
    kind: str
    bytes: int = 0
    files: list[Path] = field(default_factory=list)
    kept: str = ""
    removed: bool = False


def cached() -> list[Item]:
    """The folders of compiled kernels, with their sizes."""
    return [Item(place, "cache", size(place)) for place in cache_folders.folders()]


def size(place: Path) -> int:
    """How many bytes the plain files take; links are not followed."""
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:  # gone meanwhile
                continue
    return total


def runs(places: Iterable[Path]) -> list[Item]:
    """The run folders that places name: each is one, or has some in it. Raises UsageError where there is
    none."""
    found: dict[Path, Item] = {}
    for place in places:
        try:
            is_run = (place / "run.json").is_file()
            inner = [place] if is_run else sorted(p.parent for p in place.glob("*/run.json"))
        except (OSError, ValueError) as error:
            raise UsageError(f"--runs {str(place)!r} cannot be read: {error}") from None
        if not inner:
            raise UsageError(f"--runs {place} is no run folder and has none in it: there must be a run.json")
        found.update((path, run(path)) for path in inner)
    return list(found.values())


def run(path: Path) -> Item:
    """A run folder with the files that would go; kept where it is not certainly one, or a process writes
    it."""
    names = [n for pattern in OURS for n in sorted(os.listdir(path)) if fnmatch(n, pattern)]
    files = [path / n for n in names if not (path / n).is_symlink() and (path / n).is_file()]
    item = Item(path, "run", sum(f.lstat().st_size for f in files), files)
    if path.is_symlink():
        item.kept = "a link"
        return item
    try:
        read_about(path)
        Lock(path).release()
    except UsageError as error:
        item.kept = str(error)
    return item


def remove(item: Item) -> None:
    """Remove an item, unless it is to be kept; what cannot be removed says so in `kept`."""
    if item.kept:
        return
    try:
        if item.kind == "cache":
            shutil.rmtree(item.path)
        else:
            remove_run(item)
        item.removed = True
    except (OSError, UsageError) as error:
        item.kept = f"cannot be removed: {getattr(error, 'strerror', None) or error}"


def remove_run(item: Item) -> None:
    """Under the lock, run.json last: a removal that is cut off leaves a run that is known as one."""
    lock = Lock(item.path)
    try:
        for file in reversed(item.files):
            if file.name != "lock":
                file.unlink(missing_ok=True)
    finally:
        lock.release()
    if not os.listdir(item.path):
        item.path.rmdir()


def readable(number: float) -> str:
    """A number of bytes in its unit, to three digits."""
    for unit in UNITS:
        if number < 1000 or unit == UNITS[-1]:
            return f"{number:.3g} {unit}"
        number /= 1000
    return ""


def state(item: Item, dry: bool) -> str:
    """What became of an item, or would."""
    return f"kept: {item.kept}" if item.kept else "would be removed" if dry else "removed"


def items_table(items: list[Item], dry: bool):
    """A line each; what killed runs left among temporary files is one line a folder."""
    lines: dict[tuple, list[Item]] = {}
    for item in items:
        left = item.kind == "cache" and item.path.name.startswith(cache_folders.PREFIX)
        place = str(item.path.parent / f"{cache_folders.PREFIX}*") if left else str(item.path)
        lines.setdefault((item.kind, place, state(item, dry)), []).append(item)
    table = listing("what", "where", "folders", "size", "")
    for (kind, place, word), some in lines.items():
        table.add_row(kind, place, str(len(some)), readable(sum(i.bytes for i in some)), word)
    return table


def total(items: list[Item], dry: bool) -> str:
    """What was removed altogether, or would be, as a line."""
    gone = [item for item in items if not item.kept]
    kept = f"; {len(items) - len(gone)} kept" if len(gone) < len(items) else ""
    word = "would be removed" if dry else "removed"
    return f"{plural(len(gone), 'folder')} {word}, {readable(sum(i.bytes for i in gone))}{kept}"


def told(items: list[Item], dry: bool) -> dict:
    """The items as plain data."""
    rows = []
    for item in items:
        plain = {"path": str(item.path), "files": [str(f) for f in item.files], "state": state(item, dry)}
        rows.append({**asdict(item), **plain})
    return {"dry_run": dry, "bytes": sum(i.bytes for i in items if not i.kept), "items": rows}
