"""A case of the user's own: path/to/case.py or path/to/case.py:NAME.

The file is executed, so it is trusted as any Python file that is run; casechild.py tries it out first, in a process
that may hang or crash. Its module gets a name made of its path, under which worker processes load it again:
functions are pickled by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
from pathlib import Path

from noether.cases import CATALOG, Case
from noether.casetrial import check_types
from noether.complaint import Origin, told
from noether.timelimit import allowed, limited
from noether.usage import UsageError, unknown

LOADED: dict[str, Case] = {}
"""Cases from files, by name: what `choices.case_named` finds beside the catalogue."""


def is_file_word(word: str) -> bool:
    """Whether a word of the command line means a file and not a name of the catalogue."""
    return "/" in word or "\\" in word or word.endswith(".py") or ".py:" in word


def split(word: str) -> tuple[Path, str]:
    path, mark, name = word.rpartition(":")
    return (Path(path), name) if mark and path.endswith(".py") else (Path(word), "")


def digest(word: str) -> str:
    """sha256 of the file: a resumed or replayed run must be of the same text."""
    return hashlib.sha256(split(word)[0].read_bytes()).hexdigest()


def helpers(word: str) -> list[str]:
    """The modules beside a loaded case file that it imported, as paths beside the word's own."""
    folder = split(word)[0].parent
    home = str(folder.resolve())
    files = [Path(sys.modules[name].__file__) for name, there in SIBLINGS.items() if there == home and name in sys.modules]
    return sorted(str(folder / file.resolve().relative_to(home)) for file in files if file.is_relative_to(home))


def check_path(path: Path) -> None:
    """Raises UsageError where there is no file to execute."""
    if not path.exists():
        raise UsageError(f"case file {path} does not exist")
    if path.is_dir():
        raise UsageError(f"case file {path} is a folder, must be a python file")
    if path.suffix != ".py":
        raise UsageError(f"case file {path} ends in {path.suffix or 'nothing'!r}, must be a .py file")


def load_module(path: Path):
    """Execute a case file, within its time. Raises UsageError, whatever the file does.

    What it prints goes to stderr: stdout is for tables and --json.
    """
    check_path(path)
    name = "noether_case_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with limited(allowed()), contextlib.redirect_stdout(sys.stderr), beside(path):
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit: the file may do anything
        sys.modules.pop(name, None)
        origin = Origin.of_file(path)
        raise UsageError(f"{origin.label} {told(error, origin)}") from None
    return module


@contextlib.contextmanager
def beside(path: Path):
    """Modules of the file's own folder can be imported while it is loaded, as under `python case.py`.

    They stay in sys.modules, but for those of one name in another folder: what was imported beside another file is forgotten.
    """
    folder = str(path.resolve().parent)
    for name, home in list(SIBLINGS.items()):
        if home != folder:
            sys.modules.pop(name, None)
            del SIBLINGS[name]
    known = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder + os.sep):
                SIBLINGS[name] = folder


SIBLINGS: dict[str, str] = {}
"""Modules that case files imported from their own folders: name -> folder."""


def load(word: str) -> Case:
    """The one case that `word` means, not yet tried out."""
    path, wanted = split(word)
    module = load_module(path)
    every = {key: value for key, value in vars(module).items() if isinstance(value, Case)}
    catalogued = {id(c) for c in CATALOG}
    own = {key: value for key, value in every.items() if id(value) not in catalogued} or every
    if not own:
        raise UsageError(f"case file {path} declares no Case: it must have NAME = Case(...) at top level")
    if wanted:
        by_name = {**{c.name: c for c in own.values()}, **own}
        if wanted not in by_name:
            raise unknown(f"case file {path}: name", wanted, own)
        case = by_name[wanted]
    elif len({id(c) for c in own.values()}) > 1:
        raise UsageError(f"case file {path} declares {len(own)} cases: say which one, as {path}:{next(iter(own))}; it has {', '.join(own)}")
    else:
        case = next(iter(own.values()))
    check_types(case, Origin.of_file(path))
    LOADED[case.name] = case
    return case
