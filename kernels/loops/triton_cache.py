"""Triton's cache in a folder of this project, with every file checked before Triton reads it.

Triton trusts what it finds: kernels cut short or changed are run, and the list of a kernel's files may name
any path. Here each file stands beside its SHA-256, taken together with Triton's key and the file's name, so
that a file of another kernel is damage too. What is damaged or missing is compiled again. Triton offers the
place for this class (knobs.cache.manager_class, looked at in 3.7.1).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from noether.kernels import cache_folders

LIMIT = 4000  # kernels, about 100 kB each


@contextmanager
def checked():
    """A context in which what Triton keeps goes through `Checked`; kernels of others keep their cache."""
    from triton import knobs

    before = knobs.cache.__dict__.get("manager_class", checked)
    # Set as an attribute, it would be exported to the environment.
    knobs.cache.__dict__["manager_class"] = manager()
    try:
        yield
    finally:
        if before is checked:
            knobs.cache.__dict__.pop("manager_class", None)
        else:
            knobs.cache.__dict__["manager_class"] = before


@cache
def manager() -> type:
    """The class of which Triton makes an object for each key of its cache. It imports triton when called."""
    from triton.runtime.cache import FileCacheManager

    class Checked(FileCacheManager):
        """The files of one key; those for people (override, dump) stay with Triton, where a user asks."""

        def __init__(self, key, override=False, dump=False):
            self.plain = override or dump
            if self.plain:
                super().__init__(key, override, dump)
            self.key = key

        def get_file(self, filename):
            return super().get_file(filename) if self.plain else found(self.key, filename)

        def put(self, data, filename, binary=True):
            return super().put(data, filename, binary) if self.plain else put(self.key, filename, data)

        def get_group(self, filename):
            if self.plain:
                return super().get_group(filename)
            listed = self.get_file(f"__grp__{filename}")
            if listed is None:
                return None
            files = {name: self.get_file(name) for name in json.loads(Path(listed).read_bytes())}
            return None if None in files.values() else files

        def put_group(self, filename, group):
            if self.plain:
                return super().put_group(filename, group)
            return self.put(json.dumps(sorted(group)), f"__grp__{filename}")

    return Checked


def found(key: str, name: str) -> str | None:
    """The path of a file of this key, in the first folder where it is undamaged; None where it is in none."""
    paths = (place / key / name for place in places())
    return next((str(path) for path in paths if sound(path, key)), None)


def put(key: str, name: str, data: bytes | str) -> str:
    """Write a file of this key into the first folder that takes it, and give its path. Raises NoFolder."""
    content, trouble = data if isinstance(data, bytes) else str(data).encode(), None
    for place in places():
        path = place / key / name
        try:
            path.parent.mkdir(0o700, exist_ok=True)
            keep(path, key, content)
            return str(path)
        except OSError as error:
            trouble = error
            why = error.strerror or error
            cache_folders.note(f"{place} cannot be written, a temporary folder is: {why}")
    why = trouble or "no folder is safe"
    raise cache_folders.NoFolder(f"Triton's {name} can be kept nowhere: {why}")


def places():
    """The folders in which to look, in this order: the user's own for Triton, where it is safe, then ours."""
    word = os.environ.get("TRITON_CACHE_DIR")
    if word:
        place = _asked(word)
        if place is not None:
            yield place
    yield from cache_folders.places("triton")


@cache
def _asked(word: str) -> Path | None:
    """The folder that TRITON_CACHE_DIR names, made if need be; None, and a note, where it is not used."""
    place = Path(os.path.abspath(word))
    try:
        trouble = cache_folders.unsafe(place)
        if not trouble:
            place.mkdir(0o700, parents=True, exist_ok=True)
            trouble = cache_folders.unsafe(place)
        if not trouble:
            with tempfile.TemporaryFile(dir=place):
                return place.resolve()
    except (OSError, ValueError) as error:
        trouble = str(error)
    cache_folders.note(f"TRITON_CACHE_DIR is not used: {trouble}")
    return None


def digest(name: str, key: str, content: bytes) -> bytes:
    """The SHA-256, in hexadecimal, of a file's content with its name and the key that it belongs to."""
    return hashlib.sha256(f"{key}/{name}\n".encode() + content).hexdigest().encode()


def sound(path: Path, key: str) -> bool:
    """Whether a file is there and has the digest that stands beside it."""
    content, said = cache_folders.read(path), cache_folders.read(path.with_name(path.name + ".sha256"))
    return content is not None and digest(path.name, key, content) == said


def keep(path: Path, key: str, content: bytes) -> None:
    """Write a file and its digest beside it. Raises OSError.

    The digest first: a file without one counts as damaged, a digest without a file as nothing.
    """
    cache_folders.write(path.with_name(path.name + ".sha256"), digest(path.name, key, content))
    cache_folders.write(path, content)
