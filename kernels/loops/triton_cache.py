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
    knobs.cache.__dict__["manager_class"] = (
        manager()
    )  # set as an attribute, it would be exported to the environment
    try:
        yield
    finally:
        if before is checked:
            knobs.cache.__dict__.pop("manager_class", None)
        else:
            knobs.cache.__dict__["manager_class"] = before


@cache
def manager() -> type:
    from triton.runtime.cache import FileCacheManager

    class Checked(FileCacheManager):
        """The files of one key."""

        def __init__(self, key, override=False, dump=False):
            self.plain = override or dump  # files for people, in folders that a user asks for
            if self.plain:
                super().__init__(key, override, dump)
            self.key = key

        def get_file(self, filename):
            if self.plain:
                return super().get_file(filename)
            for place in places():
                path = place / self.key / filename
                if sound(path, self.key):
                    return str(path)
            return None

        def put(self, data, filename, binary=True):
            if self.plain:
                return super().put(data, filename, binary)
            content, trouble = data if isinstance(data, bytes) else str(data).encode(), None
            for place in places():
                path = place / self.key / filename
                try:
                    path.parent.mkdir(0o700, exist_ok=True)
                    keep(path, self.key, content)
                    return str(path)
                except OSError as error:
                    trouble = error
                    cache_folders.note(
                        f"{place} cannot be written, a temporary folder is: {error.strerror or error}"
                    )
            raise cache_folders.NoFolder(
                f"Triton's {filename} can be kept nowhere: {trouble or 'no folder is safe'}"
            )

        def get_group(self, filename):
            if self.plain:
                return super().get_group(filename)
            listed = self.get_file(f"__grp__{filename}")
            if listed is None:
                return None
            found = {name: self.get_file(name) for name in json.loads(Path(listed).read_bytes())}
            return None if None in found.values() else found

        def put_group(self, filename, group):
            if self.plain:
                return super().put_group(filename, group)
            return self.put(json.dumps(sorted(group)), f"__grp__{filename}")

    return Checked


def places():
    """The folder that a user gave to Triton, where it is safe, before ours."""
    word = os.environ.get("TRITON_CACHE_DIR")
    if word:
        place = _asked(word)
        if place is not None:
            yield place
    yield from cache_folders.places("triton")


@cache
def _asked(word: str) -> Path | None:
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
    return hashlib.sha256(f"{key}/{name}\n".encode() + content).hexdigest().encode()


def sound(path: Path, key: str) -> bool:
    content, said = cache_folders.read(path), cache_folders.read(path.with_name(path.name + ".sha256"))
    return content is not None and digest(path.name, key, content) == said


def keep(path: Path, key: str, content: bytes) -> None:
    """The sum first: a file without its own is damage, a sum without a file is nothing."""
    cache_folders.write(path.with_name(path.name + ".sha256"), digest(path.name, key, content))
    cache_folders.write(path, content)
