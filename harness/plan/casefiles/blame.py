"""Whether an exception is the fault of a user's case file or of this project."""

from __future__ import annotations

import traceback
from pathlib import Path

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
    within = any(of_case(frame) for frame, _ in traceback.walk_tb(error.__traceback__))
    if not within or not isinstance(error, Exception | SystemExit) or isinstance(error, UsageError):
        return error
    said = blamed(error)
    return UsageError(f"{said}: a function of a case must give numbers, and raise nothing") if said else error


def at_fault(frame) -> str:
    """The innermost line of a case file that this frame or a caller of it runs; '' where there is none."""
    while frame is not None and not of_case(frame):
        frame = frame.f_back
    return "" if frame is None else where(frame, frame.f_lineno)


def of_case(frame) -> bool:
    """Whether a frame runs code of a case file."""
    return str(frame.f_globals.get("__name__", "")).startswith(MODULE)


def is_ours(frame) -> bool:
    """Whether a frame runs code of this project."""
    return str(frame.f_globals.get("__name__", "")).split(".")[0] == "noether"


def where(frame, line: int) -> str:
    """The line of a frame, its file and its function, in words."""
    return f"line {line} of {Path(frame.f_code.co_filename).name}, in {frame.f_code.co_name}"
