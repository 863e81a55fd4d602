"""Packages that are no part of the core, imported when something asks for them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from noether.system.machine import EXTRAS, remedy
from noether.system.usage import UsageError


class ExtraMissing(UsageError, ImportError):
    """Raised where a package is needed that is not installed; the message says how to install it."""


def needed(package: str, by: str) -> ModuleType:
    """A package, or a module of one, imported.

    package  its name, as "pandas" or "matplotlib.pyplot";  by  what asks for it, for the message

    Raises ExtraMissing.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        top = package.partition(".")[0]
        if error.name != top:
            raise  # it is there and lacks something of its own
        how = remedy(top) if top in EXTRAS else f"pip install {top}"
        raise ExtraMissing(f"{by} needs {top}, which is not installed: {how}") from None
