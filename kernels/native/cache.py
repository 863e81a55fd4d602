"""Compiled libraries on disk: one file each, renamed into place, checked before it is loaded.

A file is the library, what the compiler said (UTF-8), the length of that in 8 bytes, and the SHA-256 of all before
it. A loader ignores what follows the library. The name is the hash of the C text, the compiler and the processor's
features; nothing is ever changed in place, so that concurrent runs agree. At most LIMIT files stay, the oldest go.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

LIMIT = 1000  # files, about 40 kB each
COPIES = count()


class CacheFailed(RuntimeError):
    """A library was built and could not be loaded from any folder."""


def folders() -> Iterator[Path]:
    """Where libraries may lie, the user's cache first; never a folder that somebody else can write."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for place in (base / "noether" / "native", Path(tempfile.gettempdir()) / f"noether-native-{os.getuid()}"):
        if _own(place):
            yield place
    yield _private()


@cache
def _own(place: Path) -> bool:
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = place.lstat()
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o022


@cache
def _private() -> Path:
    """A folder of this process alone, gone with it."""
    place = Path(tempfile.mkdtemp(prefix="noether-native-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def load(compiler, text: str) -> tuple[ctypes.CDLL, str]:
    """The library of a C text and what its compiler said; built where it is not there or damaged. Raises CacheFailed."""
    name = hashlib.sha256(f"{compiler.key}\n\n{text}".encode()).hexdigest() + ".so"
    trouble = ""
    for folder in folders():
        path = folder / name
        found = intact(path)
        if found is None:
            with suppress(OSError):
                build(compiler, text, path)
                found = intact(path)
        if found is None:
            continue
        try:  # a folder on a noexec mount can be written, but nothing in it loaded
            return opened(path, found[0]), found[1]
        except OSError as error:
            trouble = str(error)
    raise CacheFailed(f"no compiled library could be loaded: {trouble or 'no folder can be written'}")


def opened(path: Path, raw: bytes) -> ctypes.CDLL:
    """The library whose file was read and checked: exactly these bytes, from a copy that nobody else knows.

    Mapped from the file itself, a process dies with SIGBUS when somebody cuts that file short later, at the latest when
    it ends. Each copy has a name of its own: dlopen takes a name that it knows for the library that it has.
    """
    handle, copy = tempfile.mkstemp(dir=path.parent, prefix=f"{os.getpid()}-{next(COPIES)}-", suffix=".copy")
    try:
        with open(handle, "wb") as file:
            file.write(raw)
        return ctypes.CDLL(copy)
    finally:
        os.unlink(copy)


def intact(path: Path) -> tuple[bytes, str] | None:
    """The file of a library and what the compiler said of it; None when it is not there, cut short or changed."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    body, digest = raw[:-32], raw[-32:]
    if len(body) < 8 or hashlib.sha256(body).digest() != digest:
        return None
    length = int.from_bytes(body[-8:], "little")
    return raw, body[len(body) - 8 - length : -8].decode()


def build(compiler, text: str, path: Path) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
    os.close(handle)
    try:
        said = compiler.build(text, Path(draft))
        notes = said.encode()
        body = Path(draft).read_bytes() + notes + len(notes).to_bytes(8, "little")
        Path(draft).write_bytes(body + hashlib.sha256(body).digest())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise
    shrink(path.parent)


def shrink(folder: Path, limit: int = LIMIT) -> None:
    """Remove the oldest files beyond the limit, and drafts that a killed run left; another run may do the same."""
    with suppress(OSError):
        files = []
        for entry in os.scandir(folder):
            with suppress(OSError):
                files.append((entry.stat().st_mtime, entry.path))
        for _, path in sorted(files)[: max(0, len(files) - limit)]:
            with suppress(OSError):
                os.unlink(path)
