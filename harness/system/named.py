"""What a word of the command line names: an object in somebody's package or file, imported in this process.

package.module:Name      importable; Name may have dots
path/to/file.py:Name     a file, loaded with its folder on the path
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
from pathlib import Path

from noether.system.usage import UsageError, brief


def split(word: str, example: str = "torch.optim:AdamW", *, kind: str = "target") -> tuple[str, str]:
    """The module or file of a word, and the name in it. Raises UsageError."""
    place, _, name = str(word).rpartition(":")
    if not place or not name or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(
            f"{kind} is {brief(word)}, must be package.module:Name or path/to/file.py:Name, as {example}"
        )
    return place, name


def options_of(words: list[str]) -> dict:
    """The options that words NAME=VALUE mean; a value is a number, a flag, a tuple or text of Python.

    Raises UsageError.
    """
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--arg is {brief(word)}, must be NAME=VALUE, as lr=0.03")
        if name in found:
            raise UsageError(f"--arg {name} is given twice, must be given once")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found


def home(place: str):
    """The module of the first half of a word. Raises UsageError; and what the import raises."""
    return of_file(Path(place)) if place.endswith(".py") else of_package(place)


def inside(module, place: str, name: str):
    """What stands in a module under a name that may have dots. Raises UsageError."""
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = ", ".join(sorted(x for x in vars(found) if not x.startswith("_"))[:40])
            raise UsageError(f"{place} has no {name}, must be one of {public}")
        found = getattr(found, part)
    return found


def of_package(name: str):
    """An importable module. Raises UsageError where there is none."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"{name} cannot be imported: {error}; must be installed here") from None


def of_file(path: Path):
    """The module of a file, its folder first on the path. Raises UsageError."""
    if not path.is_file():
        raise UsageError(f"{path} is no file, must be a python file")
    name = f"named_{path.stem}" if path.stem.isidentifier() else "named_file"
    sys.path.insert(0, os.fspath(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
