"""What somebody else's code may leave behind in a process, so that it can be seen and taken back.

    before = capture()
    ...                       a case file is loaded, a cell runs
    before.differences()      one sentence for each thing that is not as it was
    before.restore()          as it was

A case that sets numpy's error state, the rounding mode, mpmath's precision or the working directory, or that
puts functions of its own in place of numpy's, must not change what is found of another. What cannot be taken
back, a thread that goes on, is among the differences alone.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from noether.processaspects import ASPECTS, changed

PATCHED = (
    "builtins",
    "math",
    "cmath",
    "operator",
    "numpy",
    "numpy.linalg",
    "numpy.random",
    "mpmath",
    "mpmath.libmp",
)
"""Modules whose names a case might bind anew."""
DEEP = (
    "numpy",
    "scipy",
    "mpmath",
    "noether",
    "os",
    "time",
    "json",
    "pickle",
    "functools",
    "itertools",
    "collections",
)
"""At a load also the functions and classes of these and of what is in them."""


@dataclass
class State:
    """A process as it was."""

    values: dict[str, Any]
    names: dict[str, dict]
    loaded: dict[str, Any]
    threads: frozenset[int]

    def differences(self) -> list[str]:
        """A sentence for each thing that is not as it was."""
        said = []
        for aspect in ASPECTS:
            was, now = self.values[aspect.name], aspect.read()
            if not aspect.same(was, now):
                text = aspect.shown(now)
                said.append(
                    f"{aspect.name} is {text}"
                    + (f", was {aspect.shown(was)}" if aspect.shown is not changed else "")
                )
        said += [f"{module}.{name} is another" for module, name, _ in self.patched()]
        said += [f"module {name} is another" for name in self.replaced()]
        new = [t.name for t in threading.enumerate() if t.ident not in self.threads and not t.daemon]
        return [*said, *(f"thread {name} still runs" for name in new)]

    def restore(self) -> None:
        """As it was. What was not changed is not touched."""
        for module, name, was in self.patched():
            setattr(sys.modules[module], name, was)
        for name in self.replaced():
            sys.modules[name] = self.loaded[name]
        for aspect in ASPECTS:
            if not aspect.same(self.values[aspect.name], aspect.read()):
                with contextlib.suppress(OSError, ValueError):  # told by differences: a folder that is gone
                    aspect.write(self.values[aspect.name])

    def patched(self) -> list[tuple[str, str, Any]]:
        """(module, name, what it was) of every name that was bound anew or taken away."""
        gone = object()
        out = []
        for module, kept in self.names.items():
            now = vars(self.loaded[module])
            out += [(module, k, was) for k, was in kept.items() if now.get(k, gone) is not was and k != "_"]
        return out

    def replaced(self) -> list[str]:
        """Modules that were loaded, and of which another stands in sys.modules now, or none."""
        return [name for name in self.names if sys.modules.get(name) is not self.loaded[name]]


def capture(*, deep: bool = False) -> State:
    """The process as it is. deep: also the functions and classes of every loaded module of DEEP."""
    loaded = {name: sys.modules[name] for name in PATCHED if name in sys.modules}
    names = {name: dict(vars(module)) for name, module in loaded.items()}
    if deep:
        for name, module in list(sys.modules.items()):
            if name not in loaded and name.partition(".")[0] in DEEP and hasattr(module, "__dict__"):
                loaded[name] = module
                names[name] = {k: v for k, v in list(vars(module).items()) if callable(v)}
    threads = frozenset(t.ident for t in threading.enumerate())
    return State({a.name: a.read() for a in ASPECTS}, names, loaded, threads)


@contextlib.contextmanager
def kept(*, deep: bool = False) -> Iterator[State]:
    """The process is afterwards as it was before, whatever is done inside."""
    before = capture(deep=deep)
    try:
        yield before
    finally:
        before.restore()
