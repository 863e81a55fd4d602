"""The lock of a run folder: one process at a time writes it, and a folder put in its place is noticed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from noether.system.files import HANDLES, Place
from noether.system.strict_reading import loads
from noether.system.usage import UsageError

NAME = "lock"


class Replaced(OSError):
    """Raised when the folder is no longer the one that was locked; the message is for people."""


class Lock:
    """The lock of a folder, held until `release`; the system frees it when the process dies.

    Raises UsageError where another process holds it, or the folder cannot be written.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        try:
            self.place = Place(self.path)
        except OSError as error:
            raise UsageError(f"run folder {path} cannot be written: {error.strerror or error}") from None
        self.held = FileLock(self.path / NAME, timeout=0, thread_local=False)
        try:
            self.held.acquire()
            self.file, self.folder = self.place.identity(NAME), self.place.identity(".")
            self.check()
        except Timeout:
            self.place.close()
            told = f"run folder {path} is being written by {holder(self.path)}"
            raise UsageError(f"{told}: wait for it, or choose another --out") from None
        except OSError as error:
            self.held.release()
            self.place.close()
            raise UsageError(f"run folder {path} cannot be written: {error.strerror or error}") from None

    def check(self) -> None:
        """Raise Replaced when the path leads to another folder, or to one with another lock."""
        try:
            about = self.path.stat()
            same = (about.st_dev, about.st_ino) == self.folder and self.place.identity(NAME) == self.file
        except OSError:
            same = False
        if not same:
            told = f"{self.path} is not the folder any more that this run began"
            raise Replaced(f"{told}: it was removed, moved or made anew")

    def release(self) -> None:
        """Remove the file while it is locked: filelock sees that, and opens the next one."""
        if HANDLES:
            with suppress(OSError):
                if self.place.identity(NAME) == self.file:
                    self.place.unlink(NAME)
        self.held.release()
        self.place.close()


def holder(path: Path) -> str:
    """Who holds a lock, in the words of its run.json: a lock's own file cannot be read everywhere."""
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        number = loads((path / "run.json").read_text(encoding="utf-8")).get("pid")
        if isinstance(number, int) and not isinstance(number, bool):
            return f"process {number}"
    return "another process"
