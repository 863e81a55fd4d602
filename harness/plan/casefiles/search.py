"""Finding the file of a module that a case file imports."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES


def locate(name: str, folders: list[str]) -> tuple[str, str] | None:
    """("module" | "package" | "folder" | "compiled", absolute path), of the first folder that has it."""
    for folder in folders:
        at = os.path.join(os.path.realpath(folder), name)
        if os.path.isfile(os.path.join(at, "__init__.py")):
            return "package", os.path.join(at, "__init__.py")
        if os.path.isfile(at + ".py"):
            return "module", at + ".py"
        for suffix in (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES):
            if os.path.isfile(at + suffix):
                return "compiled", at + suffix
    for folder in folders:
        at = os.path.join(os.path.realpath(folder), name)
        if os.path.isdir(at) and not elsewhere(name):
            return "folder", at
    return None


def elsewhere(name: str) -> bool:
    """Whether a module of this name is installed: it goes before a folder without an __init__.py."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return name in sys.modules
    return spec is not None and spec.loader is not None and spec.origin is not None
