"""The parts of a process that a user's code may change (random state, precision ...): how each is read and
restored."""

from __future__ import annotations

import contextlib
import decimal
import gc
import locale
import math
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from noether.system import floating

SIGNALS = "INT TERM ALRM FPE SEGV CHLD PIPE HUP USR1 USR2 XCPU"
"""The signals whose handlers are looked at; a system may lack some."""
NUMBERS = [getattr(signal, f"SIG{name}") for name in SIGNALS.split() if hasattr(signal, f"SIG{name}")]


@dataclass(frozen=True)
class Aspect:
    """One thing of a process: how it is read, put back and shown."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    shown: Callable[[Any], str] = repr
    same: Callable[[Any, Any], bool] = lambda a, b: a == b


def folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # removed
        return None


def umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def environment(kept: dict) -> None:
    for name in set(os.environ) - set(kept):
        del os.environ[name]
    for name, value in kept.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def filters(kept: tuple) -> None:
    warnings.filters[:] = kept[0]
    warnings.showwarning = kept[1]
    getattr(warnings, "_filters_mutated", lambda: None)()


def handlers(kept: dict) -> None:
    for number, handler in kept.items():
        if handler is not None and signal.getsignal(number) != handler:
            with contextlib.suppress(
                ValueError, OSError
            ):  # not the main thread, where nothing can have been set
                signal.signal(number, handler)


def mask(kept: set) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def precision() -> tuple | None:
    """The working precision of mpmath, where it is loaded."""
    mpmath = sys.modules.get("mpmath")
    return None if mpmath is None else (mpmath.mp.prec, mpmath.iv.prec, mpmath.mp.trap_complex)


def set_precision(kept: tuple | None) -> None:
    mpmath = sys.modules.get("mpmath")
    if mpmath is not None:
        mpmath.mp.prec, mpmath.iv.prec, mpmath.mp.trap_complex = kept or (53, 53, False)


def errors(kept: tuple) -> None:
    np.seterr(**kept[0])
    np.seterrcall(kept[1])
    np.setbufsize(kept[2])


def printing(kept: dict) -> None:
    np.set_printoptions(**{k: v for k, v in kept.items() if k != "override_repr" or v is not None})


def decimals(kept: decimal.Context) -> None:
    decimal.setcontext(kept.copy())


def recursion(kept: int) -> None:
    with contextlib.suppress(RecursionError):  # deeper than that just now
        sys.setrecursionlimit(kept)


def collecting(kept: tuple) -> None:
    (gc.enable if kept[0] else gc.disable)()
    gc.set_threshold(*kept[1])


def streams(kept: tuple) -> None:
    sys.stdin, sys.stdout, sys.stderr, sys.displayhook, sys.excepthook = kept


def paths(kept: tuple) -> None:
    for now, then in zip((sys.path, sys.meta_path, sys.path_hooks), kept, strict=True):
        now[:] = then


def hooks(kept: tuple) -> None:
    sys.settrace(kept[0])
    sys.setprofile(kept[1])


def legacy_random() -> tuple:
    """The state of Python's generator, and of numpy's where that is loaded."""
    there = "numpy.random" in sys.modules
    return random.getstate(), np.random.get_state() if there else None


def set_legacy_random(kept: tuple) -> None:
    random.setstate(kept[0])
    if kept[1] is not None:
        np.random.set_state(kept[1])


def alike(a: tuple, b: tuple) -> bool:
    """Whether two states of a random generator are equal; numpy's has an array in it."""
    return a[0] == b[0] and (
        a[1] is None
        or b[1] is None
        or (a[1][0] == b[1][0] and a[1][2:] == b[1][2:] and (a[1][1] == b[1][1]).all())
    )


def brief(value) -> str:
    """A value in few words."""
    return repr(value) if len(repr(value)) <= 60 else f"{type(value).__name__} {repr(value)[:50]}..."


def changed(value) -> str:
    """The words for a value that is too long to show."""
    return "another"


ASPECTS = (
    Aspect(
        "the floating point environment", floating.capture, floating.restore, floating.told, floating.same
    ),
    Aspect("the working directory", folder, lambda x: x is not None and os.chdir(x)),
    Aspect("the umask", umask, lambda x: os.umask(x) and None, oct),
    Aspect("numpy's error state", lambda: (np.geterr(), np.geterrcall(), np.getbufsize()), errors),
    Aspect("numpy's print options", np.get_printoptions, printing, brief),
    Aspect(
        "mpmath's precision",
        precision,
        set_precision,
        same=lambda a, b: (a or (53, 53, False)) == (b or (53, 53, False)),
    ),
    Aspect(
        "the decimal context",
        lambda: decimal.getcontext().copy(),
        decimals,
        brief,
        lambda a, b: repr(a) == repr(b),
    ),
    Aspect("the recursion limit", sys.getrecursionlimit, recursion),
    Aspect("the longest whole number of text", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    Aspect("the thread switch interval", sys.getswitchinterval, sys.setswitchinterval, same=math.isclose),
    Aspect("the environment", lambda: dict(os.environ), environment, changed),
    Aspect(
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda x: locale.setlocale(locale.LC_ALL, x) and None,
    ),
    Aspect("the warnings filters", lambda: (list(warnings.filters), warnings.showwarning), filters, changed),
    Aspect("the signal handlers", lambda: {n: signal.getsignal(n) for n in NUMBERS}, handlers, changed),
    Aspect(
        "the search path of modules",
        lambda: (list(sys.path), list(sys.meta_path), list(sys.path_hooks)),
        paths,
        changed,
    ),
    Aspect(
        "the standard streams",
        lambda: (sys.stdin, sys.stdout, sys.stderr, sys.displayhook, sys.excepthook),
        streams,
        changed,
    ),
    Aspect("the arguments of the process", lambda: list(sys.argv), lambda x: setattr(sys, "argv", list(x))),
    Aspect("the trace and profile functions", lambda: (sys.gettrace(), sys.getprofile()), hooks, changed),
    Aspect("the garbage collection", lambda: (gc.isenabled(), gc.get_threshold()), collecting),
    Aspect("the state of the random numbers", legacy_random, set_legacy_random, changed, alike),
)
if hasattr(signal, "pthread_sigmask"):
    ASPECTS += (Aspect("the blocked signals", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()), mask),)
