"""What git says of a folder: the versions of one file over the commits, and the commit of a day.

Only plumbing is called that runs no filter, hook or pager of the repository.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from noether.system.strict_reading import shortened
from noether.system.usage import UsageError

PATIENCE = 60  # seconds for one call
LARGEST = 2**24  # bytes of one version of a file
SAFELY = ("--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True)
class Version:
    """One version of a file.

    commit  the whole hash;  time  when it was committed, ISO 8601 in UTC
    """

    commit: str
    time: str
    text: str


def ask(folder: Path, *words: str) -> bytes:
    """What a call of git prints. Raises UsageError with what git says where it fails."""
    try:
        done = subprocess.run(
            ["git", *SAFELY, "-C", str(folder), *words], capture_output=True, timeout=PATIENCE
        )
    except FileNotFoundError:
        raise UsageError("git is not installed: the versions of a file cannot be read") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"git could not be asked: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"]
        raise UsageError(f"git in {folder}: {shortened(said[-1], 200)}")
    return done.stdout


def versions_of(path: Path) -> list[Version]:
    """The versions of a file, the oldest first; a commit that removes it has none. Raises UsageError."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"{path} is in no folder: it must be a file of a git repository")
    inside = ask(folder, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").strip()
    listed = ask(folder, "log", "--reverse", "--format=%H %ct", "--", path.name).decode().split("\n")
    out = []
    for line in filter(None, listed):
        commit, seconds = line.split(" ")
        blob = f"{commit}:{inside}{path.name}"
        try:
            size = int(ask(folder, "cat-file", "-s", blob))
        except UsageError:
            continue  # removed in this commit
        if size > LARGEST:
            raise UsageError(f"{blob} has {size} bytes, must have at most {LARGEST}")
        text = ask(folder, "cat-file", "blob", blob).decode("utf-8", "replace")
        out.append(Version(commit, datetime.fromtimestamp(int(seconds), UTC).isoformat(), text))
    return out


def commit_before(folder: Path, time: str) -> str | None:
    """The last commit of a folder's repository that was made before a time; None where there is none to be
    had."""
    try:
        return ask(folder, "rev-list", "-1", f"--before={time}", "HEAD").decode().strip() or None
    except UsageError:
        return None
