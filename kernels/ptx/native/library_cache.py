"""Compiled libraries kept on disk: one file each, checked before it is loaded.

A file is the library, what the compiler said (UTF-8), the length of that in 8 bytes, and the SHA-256 of its
name and all before it. A loader ignores what follows the library. The name is the hash of the C text, the
compiler and the processor's features; nothing is ever changed in place, so that concurrent runs agree. At
most LIMIT files stay, the oldest go. Folders are those of kernels/cache_folders.py.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from itertools import count
from pathlib import Path

from noether.kernels import cache_folders
from noether.kernels.ptx.native.compiler import CompileFailed

LIMIT = 1000  # files, about 40 kB each
COPIES = count()


class CacheFailed(RuntimeError):
    """Raised when a library was built and could not be loaded from any folder."""


def load(compiler, text: str, tried=lambda path: "") -> tuple[ctypes.CDLL, str]:
    """The library of a C text and what its compiler said; it is built where it is not there or damaged.

    tried   why a library that was just built must not be loaded, by its file; '' when it may
    Raises CacheFailed, and what the compiler raises.
    """
    name = hashlib.sha256(f"{compiler.key}\n\n{text}".encode()).hexdigest() + ".so"
    troubles: dict[Path, Exception] = {}
    for folder in cache_folders.places("native"):
        path = folder / name
        try:
            found, new = intact(path), False
            if found is None:
                found, new = build(compiler, text, path), True
            # A folder on a noexec mount can be written, but nothing in it loaded.
            library = opened(path, found[0], tried if new else lambda copy: "")
            if new:  # not before it was tried: what ends a process must not be found and trusted
                cache_folders.write(path, found[0])
                cache_folders.shrink(folder, LIMIT)
        except CompileFailed as error:
            if cache_folders.has_room(folder):
                raise
            troubles[folder] = error
        except OSError as error:
            troubles[folder] = error
        else:
            for bad, error in troubles.items():
                cache_folders.note(
                    f"no compiled library can be kept in {bad}, {folder} is used: {line(error)}"
                )
            return library, found[1]
    told = "; ".join(f"{folder}: {line(error)}" for folder, error in troubles.items())
    raise CacheFailed(f"no compiled library can be kept anywhere: {told or 'no folder is safe'}")


def line(error: Exception) -> str:
    """The last line of an error text, in which a compiler says what is wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def opened(path: Path, raw: bytes, tried) -> ctypes.CDLL:
    """The library whose file was read and checked, loaded from a copy of exactly these bytes.

    Mapped from the file itself, a process dies with SIGBUS when somebody cuts that file short later, at the
    latest when it ends. Each copy has a name of its own: dlopen takes a name that it knows for the library
    that it has.
    """
    handle, copy = tempfile.mkstemp(dir=path.parent, prefix=f"{os.getpid()}-{next(COPIES)}-", suffix=".copy")
    try:
        with open(handle, "wb") as file:
            file.write(raw)
        trouble = tried(copy)
        if trouble:
            raise OSError(trouble)
        return ctypes.CDLL(copy)
    finally:
        os.unlink(copy)


def intact(path: Path) -> tuple[bytes, str] | None:
    """The file of a library and what the compiler said of it; None where it is not there, not ours or
    changed."""
    raw = cache_folders.read(path)
    if raw is None:
        return None
    body, digest = raw[:-32], raw[-32:]
    if len(body) < 8 or summed(path, body) != digest:
        return None
    length = int.from_bytes(body[-8:], "little")
    return raw, body[len(body) - 8 - length : -8].decode()


def summed(path: Path, body: bytes) -> bytes:
    """The checksum of a library together with its name, so that another text's library is damage too."""
    return hashlib.sha256(path.name.encode() + b"\n" + body).digest()


def build(compiler, text: str, path: Path) -> tuple[bytes, str]:
    """Compile a text; all files of the compiler are in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=path.parent, suffix=".draft", ignore_cleanup_errors=True) as room:
        target = Path(room, "library.so")
        notes = compiler.build(text, target).encode()
        body = target.read_bytes() + notes + len(notes).to_bytes(8, "little")
    return body + summed(path, body), notes.decode()
