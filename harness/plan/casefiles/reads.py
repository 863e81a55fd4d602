"""Which files the code of a case file reads, noticed by an audit hook when they are opened.

A hook cannot be taken away again, so it is added when the first case file is loaded, and looks at nothing but
files that are opened while a function of a case stands on the stack. What is installed is left alone.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from noether import cases, kernels
from noether.plan.casefiles.source import canonical
from noether.system import resources

MARK = "__noether_case__"
"""In the globals of every module of a case: the Home that it belongs to."""
CODE = (".py", ".pyc", ".so", ".pyd", ".dylib")
_own = threading.local()
_watching = False


def watch() -> None:
    """Begin to watch which files are opened; to call it once is enough."""
    global _watching
    if not _watching:
        _watching = True
        sys.addaudithook(hook)


def busy() -> bool:
    """Whether this thread opens files on behalf of a case just now."""
    return getattr(_own, "busy", False)


@contextmanager
def unwatched():
    """A context for files that this project opens on behalf of a case."""
    before, _own.busy = busy(), True
    try:
        yield
    finally:
        _own.busy = before


EVENTS = {"open": 0, "ctypes.dlopen": 0, "sqlite3.connect": 0, "import": 1}
"""Event -> which of its arguments is a file; an import has one where compiled code is loaded."""


def hook(event: str, arguments: tuple) -> None:
    """The audit hook: tell the Home of a case which file its code opens."""
    if event not in EVENTS or busy():
        return
    path = arguments[EVENTS[event]]
    flags = arguments[2] if event == "open" else os.O_RDONLY
    if not isinstance(path, str | bytes | os.PathLike):
        return  # a number
    if event == "ctypes.dlopen" and os.sep not in os.fsdecode(path):
        return  # a library of the system
    home, importing = asker()
    if home is not None:
        with unwatched():
            seen(home, os.fsdecode(path), flags or 0, importing)


def asker() -> tuple[object, bool]:
    """The Home of the innermost function of a case on the stack, and whether an import stands between."""
    frame, importing, archive = sys._getframe(2), False, False
    while frame is not None:
        if MARK in frame.f_globals:
            return frame.f_globals[MARK], importing and not archive
        name = frame.f_code.co_filename
        importing = importing or name.startswith("<frozen importlib")
        # All modules of an archive are in one file, of any name.
        archive = archive or name.startswith("<frozen zipimport")
        frame = frame.f_back
    return None, False


def importer() -> object | None:
    """The Home of the code whose import is being served; None for other code."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith("<frozen importlib") and frame.f_globals.get("__name__") not in INNER:
            return frame.f_globals.get(MARK)
        frame = frame.f_back
    return None


INNER = ("importlib", "importlib.util", "noether.plan.casefiles.package", __name__)


def seen(home, path: str, flags: int, importing: bool) -> None:
    """Record a file that a case reads. Raises Refused where it is not the file that it must be.

    A planted .pyc is not found: python then goes on to the text beside it.
    """
    where = canonical(path)
    if installed(os.path.realpath(path)) and not home.holds(path):
        return
    if importing and not where.endswith(CODE):
        return  # a library that reads what it needs while it is imported
    if importing and where.endswith(".pyc"):
        raise FileNotFoundError(f"{where} is compiled, and a case file runs from text alone")
    writes = flags & os.O_ACCMODE == os.O_WRONLY or flags & os.O_TRUNC
    if writes or not os.path.isfile(where):
        home.written.add(where)
    elif where not in home.written:
        home.reads(where, path)


SHARED = "/dev/shm" + os.sep
"""Files in memory, of users: all else in /dev is of the system."""


@cache
def roots() -> tuple[str, ...]:
    """The folders of what is installed: python, its packages, this package, the system's own."""
    paths = [sysconfig.get_paths().get(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [*getattr(site, "getsitepackages", list)(), getattr(site, "getusersitepackages", str)()]
    paths += [os.path.join(p, "share") for p in (sys.prefix, sys.base_prefix)]
    paths += [str(resources.HERE), *(str(Path(m.__file__).resolve().parent) for m in (cases, kernels))]
    paths += ["/proc", "/sys", "/dev", "/etc", "/usr/lib", "/usr/share"]
    return tuple({os.path.realpath(p) + os.sep for p in paths if p})


def installed(where: str) -> bool:
    """Whether a path without links lies where something is installed: no folder that anybody may write to."""
    return where.startswith(roots()) and not where.startswith(SHARED)
