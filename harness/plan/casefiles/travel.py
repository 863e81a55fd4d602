"""Whether a case of a file can be sent to the worker processes in which its cells run.

A worker makes the functions of a case again by executing the text of its file, and finds each by the name
under which it stands there (pickle). A lambda has no name, and a function within another cannot be reached by
its own.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from pathlib import Path

from noether.cases.case import Case, brief
from noether.plan.casefiles.complaint import Origin, first_line
from noether.system.usage import UsageError


def functions(case: Case) -> dict[str, Callable]:
    """The functions that a case has, by the names that complaints give them."""
    found = {name: getattr(case, name) for name in ("loss", "breaking", "kinks", "samples")}
    found |= {"metric entries": case.metric.entries, "metric potential": case.metric.potential}
    return {name: function for name, function in found.items() if function is not None}


def check_travels(case: Case, path: Path) -> None:
    """Refuse a case of which a worker process could not find a function. Raises UsageError."""
    label = Origin.of_file(path).label
    for name, function in functions(case).items():
        try:
            pickle.dumps(function)
        except Exception as error:
            arguments = "q, kappa, xp" if name == "metric entries" else "q, xp"
            raise UsageError(
                f"{label}: {name} is {described(function, error)}, must be a function with a name of its own "
                f"at the top of the file, as def {name.split()[-1]}({arguments}): its cells run in other "
                "processes, which find it by this name"
            ) from None


def described(function: Callable, error: Exception) -> str:
    """What a function that cannot be sent is, with its line."""
    if not inspect.isfunction(function):
        return f"{brief(function)} ({first_line(error)})"
    line = f"line {function.__code__.co_firstlineno}"
    if function.__name__ == "<lambda>":
        return f"the lambda of {line}"
    if "<locals>" in function.__qualname__:
        return f"{function.__name__}, which {function.__qualname__.split('.')[0]} makes at {line}"
    return f"{function.__name__} of {line}, which another value of that name hides"
