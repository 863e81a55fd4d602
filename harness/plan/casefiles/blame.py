"""Whether an exception is the fault of a user's case file or of this project."""

from __future__ import annotations

import traceback
from pathlib import Path

from noether.plan.casefiles.reads import MARK
from noether.system import memorylimit
from noether.system.timelimit import TimeUp
from noether.system.usage import UsageError

MODULE = "noether_case_"  # how modules made of case files are named (harness/plan/casefiles/load.py)


def blamed(error: BaseException) -> str:
    """Why something could not be decided where a case file is at fault; '' where this project is."""
    frames = list(traceback.walk_tb(error.__traceback__))
    place = next((where(frame, line) for frame, line in reversed(frames) if of_case(frame)), "")
    if isinstance(error, TimeUp):
        return f"{error}" + (f"; it was at {place}" if place else "")
    if isinstance(error, UsageError) or type(error).__name__ in (
        "FalseSymmetry",
        "BackendMissing",
    ):  # not imported: heavy
        return str(error)
    if isinstance(error, MemoryError):
        return memorylimit.exceeded(error) + (f"; it was at {place}" if place else "")
    after_ours = [frame for frame, _ in frames]
    while any(is_ours(frame) for frame in after_ours):
        after_ours.pop(0)
    if any(of_case(frame) for frame in after_ours):
        return f"{place} raised {type(error).__name__}" + (f": {error}" if str(error) else "")
    return ""


def charged(error: BaseException) -> BaseException:
    """A UsageError that says so where the code of a case file raised the error; else the error itself."""
    within = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if of_case(frame)]
    if not within or not isinstance(error, Exception | SystemExit) or isinstance(error, UsageError):
        return error
    said = blamed(error)
    must = f"a function of a {kind_of(within[-1])} must give numbers, and raise nothing"
    return UsageError(f"{said}: {must}") if said else error


def at_fault(frame) -> tuple[str, str]:
    """The innermost line of a user's file that this frame or a caller of it runs, and what the file has, a
    case or a rule; two times '' where there is none."""
    while frame is not None and not of_case(frame):
        frame = frame.f_back
    return ("", "") if frame is None else (where(frame, frame.f_lineno), kind_of(frame))


def kind_of(frame) -> str:
    """Whether the user's file whose code a frame runs was named as that of a case or of a rule."""
    home = frame.f_globals.get(MARK)
    return "case" if home is None else home.label.partition(" ")[0]


def of_case(frame) -> bool:
    """Whether a frame runs code of a case file."""
    return str(frame.f_globals.get("__name__", "")).startswith(MODULE)


def is_ours(frame) -> bool:
    """Whether a frame runs code of this project."""
    return str(frame.f_globals.get("__name__", "")).split(".")[0] == "noether"


def where(frame, line: int) -> str:
    """The line of a frame, its file and its function, in words."""
    return f"line {line} of {Path(frame.f_code.co_filename).name}, in {frame.f_code.co_name}"
