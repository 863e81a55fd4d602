"""Writing files safely: a reader, a killed process, a full disk or a link in the way can do no harm.

A file is named relative to a handle of its folder, so that a folder put in its place is not written; by its
path where the system has no such handles (Windows). No link is followed.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from noether.system.strict_reading import kind
from noether.system.usage import UsageError

HANDLES = {os.open, os.stat, os.unlink} <= os.supports_dir_fd and os.rename in os.supports_dir_fd
CAREFUL = sum(getattr(os, x, 0) for x in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
CREATED = os.O_WRONLY | os.O_CREAT | CAREFUL
UNFINISHED = ".noether-"  # how a file begins that is not whole yet


class Place:
    """A folder to write in, kept open by its handle where there are such."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self.handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if HANDLES else None

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *about) -> None:
        self.close()

    def close(self) -> None:
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def open(self, name: str, flags: int) -> int:
        return os.open(name if HANDLES else self.path / name, flags, 0o666, dir_fd=self.handle)

    def identity(self, name: str) -> tuple[int, int]:
        """What tells a file from every other, and a link from what it leads to. Raises OSError."""
        about = os.stat(name if HANDLES else self.path / name, dir_fd=self.handle, follow_symlinks=False)
        return about.st_dev, about.st_ino

    def names(self) -> list[str]:
        return os.listdir(self.path if self.handle is None else self.handle)

    def unlink(self, name: str) -> None:
        os.unlink(name if HANDLES else self.path / name, dir_fd=self.handle)

    def replace(self, new: str, name: str) -> None:
        if HANDLES:
            os.replace(new, name, src_dir_fd=self.handle, dst_dir_fd=self.handle)
        else:
            os.replace(self.path / new, self.path / name)

    def synced(self) -> None:
        """Let new names reach the disk, where a folder can be synced."""
        if self.handle is not None:
            with suppress(OSError):
                os.fsync(self.handle)

    def write(self, texts: dict[str, str | bytes]) -> None:
        """Replace files at once, each whole or not at all, and none before all have room. Raises OSError."""
        ready: dict[str, str] = {}
        try:
            for name, text in texts.items():
                ready[name] = f"{UNFINISHED}{os.getpid()}-{secrets.token_hex(6)}.new"
                with open(self.open(ready[name], CREATED | os.O_EXCL), "wb") as file:
                    file.write(text if isinstance(text, bytes) else text.encode("utf-8"))
                    file.flush()
                    os.fsync(file.fileno())
            while ready:
                name = next(iter(ready))
                self.replace(ready[name], name)
                del ready[name]
        except BaseException:
            for new in ready.values():
                with suppress(OSError):
                    self.unlink(new)
            raise
        self.synced()


def in_the_way(path: Path) -> str:
    """What lies at a path and is no regular file, in words; '' where a file can be put there. Raises OSError
    where nobody can tell.

    A file is written by a rename, which would put it in place of a device, a pipe or a socket and lose that.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return "a link that leads nowhere"
    return "" if stat.S_ISREG(mode) else kind(mode)


PLAIN = "must be a regular file, or a name that is free"


def check_plain(option: str, path: Path) -> None:
    """Refuse, before any work, a path at which a device, a pipe, a folder or a link that leads nowhere lies.
    Raises UsageError that begins with `option`."""
    try:
        there = in_the_way(path)
    except (OSError, ValueError) as error:  # ValueError: a null byte
        raise UsageError(f"{option} {path} cannot be written: {error}") from None
    if there:
        raise UsageError(f"{option} {path} is {there}, {PLAIN}")


def check_writable(option: str, path: Path) -> None:
    """Refuse the same, and a file of a folder that is not there. Raises UsageError."""
    check_plain(option, path)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{option} is {path}, must be a file of a folder that is there")


def write_whole(path: Path, text: str | bytes) -> None:
    """Replace a file at once: a reader sees the old content or the new one, never half.

    Raises OSError, also where something lies at the path that is no regular file, nor a link to one.
    """
    path = Path(path)
    there = in_the_way(path)
    if there:
        raise OSError(errno.EEXIST, f"it is {there}, {PLAIN}", str(path))
    with Place(path.parent) as place:
        place.write({path.name: text})


class Appender:
    """A file to which whole lines are appended; each append is on disk when it returns.

    A write that fails (disk full) is taken back, so that the file ends in a whole line, and raises OSError.
    """

    def __init__(self, place: Place, name: str):
        self.fd = place.open(name, CREATED | os.O_APPEND)
        if not stat.S_ISREG(os.fstat(self.fd).st_mode):
            os.close(self.fd)
            raise OSError(0, "is no plain file", str(place.path / name))

    def append(self, text: str) -> None:
        if not text:
            return
        before, data = os.fstat(self.fd).st_size, memoryview(text.encode("utf-8"))
        try:
            while data:
                data = data[os.write(self.fd, data) :]
            os.fsync(self.fd)
        except OSError:
            with suppress(OSError):  # what is told is why the write failed
                os.ftruncate(self.fd, before)
            raise

    def close(self) -> None:
        os.close(self.fd)
