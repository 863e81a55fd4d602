"""Which function each name in a module refers to, to notice when a user's code has replaced one.

A case that binds numpy.exp anew, takes a law out of a table or gives a class of ours another method changes
what is found of every other case. Names that are new are left: a module may load what it needs when asked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PATCHED = ("builtins", "math", "cmath", "operator", "numpy", "numpy.linalg", "numpy.random")
PATCHED += ("mpmath", "mpmath.libmp")
"""Modules whose names a case might bind anew."""
DEEP = ("numpy", "scipy", "mpmath", "noether", "os", "time", "json", "pickle")
DEEP += ("functools", "itertools", "collections")
"""At a load also the functions and classes of these and of what is in them."""
LIVING = {"LOADED", "READ", "HOMES", "OUTLETS"}
"""Tables of ours that change when a case file is loaded."""
GONE = object()


@dataclass
class Names:
    """What is remembered of a process: modules by name, what they called what, and what was in our classes
    and tables."""

    loaded: dict[str, Any]
    kept: dict[str, dict]
    classes: list[tuple[type, dict]]
    tables: list[tuple[str, Any, Any]]

    def changed(self) -> Iterator[tuple[str, Any]]:
        """(sentence, how to take it back) for each that is not as it was."""
        for module, kept in self.kept.items():
            there = self.loaded[module]
            now = vars(there)
            for name, was in kept.items():
                if now.get(name, GONE) is not was and name != "_":
                    yield f"{module}.{name} is another", lambda x=there, n=name, w=was: setattr(x, n, w)
            if sys.modules.get(module) is not there:
                yield f"module {module} is another", lambda m=module, x=there: sys.modules.update({m: x})
        for kind, kept in self.classes:
            now = dict(vars(kind))
            for name in kept.keys() | now.keys():
                if now.get(name, GONE) is not kept.get(name, GONE) and name not in PLAIN:
                    where, was = f"{kind.__module__}.{kind.__name__}.{name}", kept.get(name, GONE)
                    yield f"{where} is another", lambda k=kind, n=name, w=was: given_back(k, n, w)
        for label, table, was in self.tables:
            if not alike(table, was):
                yield f"{label} is another", lambda t=table, w=was: refilled(t, w)


PLAIN = {"__dict__", "__weakref__", "__doc__", "__annotations__", "__abstractmethods__", "_abc_impl"}


def alike(table, was) -> bool:
    """Whether a dict (in its order) or a list still holds the same objects."""
    a, b = ([*x.items()] if isinstance(x, dict) else [(None, y) for y in x] for x in (table, was))
    return len(a) == len(b) and all(k == m and v is w for (k, v), (m, w) in zip(a, b, strict=True))


def given_back(kind: type, name: str, was) -> None:
    delattr(kind, name) if was is GONE else setattr(kind, name, was)


def refilled(table, was) -> None:
    table.clear()
    table.update(was) if isinstance(table, dict) else table.extend(was)


def capture(*, deep: bool) -> Names:
    """What modules, classes and tables hold now; deep also the functions and classes of DEEP, and what is in
    them."""
    loaded = {name: sys.modules[name] for name in PATCHED if name in sys.modules}
    kept = {name: dict(vars(module)) for name, module in loaded.items()}
    classes, tables = [], []
    for name, module in list(sys.modules.items()) if deep else ():
        if name in loaded or name.partition(".")[0] not in DEEP or not hasattr(module, "__dict__"):
            continue
        values = list(vars(module).items())
        loaded[name], kept[name] = module, {k: v for k, v in values if callable(v)}
        if name.partition(".")[0] == "noether":
            classes += [(v, dict(vars(v))) for _, v in values if isinstance(v, type) and v.__module__ == name]
            found = [
                (k, v) for k, v in values if k.isupper() and isinstance(v, dict | list) and k not in LIVING
            ]
            tables += [(f"{name}.{k}", v, v.copy()) for k, v in found]
    return Names(loaded, kept, classes, tables)
