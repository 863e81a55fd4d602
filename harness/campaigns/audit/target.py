"""What a word of the command line means: an optimizer's class, a step function, or an adapter of a kernel.

    package.module:Name      importable; Name may have dots
    path/to/file.py:Name     a file, loaded with its folder on the path

A class or function is called with the parameters and the options, and must give something that has step(). A
function whose arguments begin with q, g, state is a step function (step_function.py). A Triton kernel is
found by its own name or by that of its adapter (triton_adapter.py), and options are its numbers.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from noether.campaigns.audit import step_function, triton_adapter
from noether.campaigns.audit.subject import Subject
from noether.campaigns.audit.triton_adapter import TritonAdapter
from noether.kernels.fused.torch_optimizer import Fused
from noether.system.usage import UsageError, brief


def split(word: str) -> tuple[str, str]:
    """The module or file of a target, and the name in it. Raises UsageError."""
    place, _, name = str(word).rpartition(":")
    if not place or not name or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(
            f"target is {brief(word)}, must be package.module:Name or path/to/file.py:Name, as "
            "torch.optim:AdamW"
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


def loaded(word: str, options: dict):
    """The subject that a word means, imported here: a Subject, or a TritonSubject for a kernel.

    Raises UsageError; and what the import raises.
    """
    place, name = split(word)
    module = of_file(Path(place)) if place.endswith(".py") else of_package(place)
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = ", ".join(sorted(x for x in vars(found) if not x.startswith("_"))[:40])
            raise UsageError(f"{place} has no {name}, must be one of {public}")
        found = getattr(found, part)
    if isinstance(found, TritonAdapter) or hasattr(found, "arg_names"):
        from noether.campaigns.audit.triton_motion import TritonSubject

        adapter = triton_adapter.found(vars(module), name)
        return TritonSubject(adapter.having(**options), word)
    if inspect.isclass(found) and issubclass(found, Fused):
        from noether.campaigns.audit.fused_subject import FusedSubject

        return FusedSubject.of(found, options, word)
    return Subject(word, maker(found, word), options)


def maker(found, word: str) -> Callable:
    """make(parameters, **options) of what was named. Raises UsageError."""
    if not callable(found):
        raise UsageError(f"{word} is {brief(found)}, must be a class or a function")
    if step_function.is_one(found):
        return step_function.made(found)
    if inspect.isclass(found) and not callable(getattr(found, "step", None)):
        raise UsageError(f"{word} is a class without step(), must be an optimizer")
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
    name = f"audited_{path.stem}" if path.stem.isidentifier() else "audited_file"
    sys.path.insert(0, os.fspath(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
