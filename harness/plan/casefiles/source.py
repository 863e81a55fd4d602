"""The text of a case file, read once: what is digested is what is compiled, here and in workers.

A Source is plain data and can be pickled. It travels to worker processes and to other machines, which run its
texts and look at no file for them; the data that a case reads stay where they are, and must have the digests
that they had.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from noether.system.usage import UsageError

LARGEST = 2**24  # bytes of one text


class Refused(UsageError):
    """Raised when a file is not the one that it must be, before any of it is run."""


@dataclass(frozen=True)
class Text:
    """The text of one python file.

    module      the name by which the case file imports it, '' for the case file itself
    path        absolute
    is_package  whether it has modules of its own; a folder without __init__.py is one, and has no text
    """

    module: str
    path: str
    text: bytes
    is_package: bool = False
    is_folder: bool = False

    @property
    def digest(self) -> str:
        """Its sha256."""
        return sha256(self.text)


@dataclass(frozen=True)
class Source:
    """Everything that a file of the user's own is made of.

    word    as the user gave it
    module  the name in sys.modules under which its functions are pickled, the same on every machine
    path    absolute, where it was read
    texts   the case file first, then the modules beside it that it imports
    data    (absolute path, sha256) of every other file that it reads
    kind    what is taken of it: a case or a rule
    name    what that is called, where it is known
    """

    word: str
    module: str
    path: str
    texts: tuple[Text, ...]
    data: tuple[tuple[str, str], ...] = ()
    kind: str = "case"
    name: str = ""

    @property
    def digest(self) -> str:
        """The sha256 of the case file itself."""
        return self.texts[0].digest

    @property
    def files(self) -> dict[str, str]:
        """Everything that it is made of: absolute path -> sha256."""
        return {**dict(self.data), **{t.path: t.digest for t in self.texts if not t.is_folder}}

    @property
    def named(self) -> dict[str, str]:
        """The same as `files`, as run.json has it: the word itself, and what lies below its folder named as
        it is."""
        folder, home = split(self.word)[0].parent, Path(self.path).parent
        is_link = canonical(split(self.word)[0]) != self.path
        out = {self.word: self.digest}
        for path, digest in sorted(self.files.items()):
            if path != self.path:
                inside = Path(path).is_relative_to(home) and not is_link
                out[str(folder / Path(path).relative_to(home)) if inside else path] = digest
        return out


def split(word: str) -> tuple[Path, str]:
    """The file and the name after the colon of a word; '' without a name."""
    path, mark, name = word.rpartition(":")
    return (Path(path), name) if mark and path.endswith(".py") else (Path(word), "")


def canonical(path: str | Path) -> str:
    """An absolute path without links but for its last part: a file is known by the name that is read."""
    where = os.path.abspath(path)
    return os.path.join(os.path.realpath(os.path.dirname(where)), os.path.basename(where))


def sha256(text: bytes) -> str:
    """The sha256 of a text, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()


def file_digest(path: str | Path) -> str:
    """The sha256 of a file that need not fit into memory. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: str | Path) -> bytes:
    """The bytes of a regular file of at most LARGEST. Raises OSError, whose text says what it is else."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(f"{path} is no regular file")
        if about.st_size > LARGEST:
            raise OSError(f"{path} has {about.st_size} bytes, must have at most {LARGEST}")
        return file.read(LARGEST)
