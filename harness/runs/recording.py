"""Keeping what a run finds, cell by cell; where the disk refuses, what was written before stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from noether.runs.folder import Folder
from noether.system.lock import Replaced


class RecordingError(RuntimeError):
    """Raised when the disk refuses more records; those written before stay."""


@contextmanager
def recording(folder: Folder, remedy: str = "") -> Iterator[None]:
    """Within it a disk that refuses what is written raises RecordingError, with `remedy` as what to do
    then."""
    try:
        yield
    except Replaced as error:
        raise RecordingError(
            f"{error}; nothing more is written there, and {folder.count} records were before"
        ) from None
    except OSError as error:
        told = f"{error.filename or folder.path} cannot be written: {error.strerror or error}"
        raise RecordingError(
            f"{told}; {folder.count} records are kept{f': {remedy}' if remedy else ''}"
        ) from None


def keep(folder: Folder, done, remedy: str = "") -> None:
    """One finished cell, or why it came to no end. Raises RecordingError."""
    with recording(folder, remedy):
        if done.error is None and done.lost is None:
            folder.record(done.cell, done.records, done.seconds)
        else:
            folder.record_error(done.cell, done.error or done.lost)
