"""What `simulate` is asked for: numbers for every lane, starts, and how many lanes and steps there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noether.cases.case import Case
from noether.plan.choices import LARGEST, PARAMETERS, chosen_cases, whole
from noether.system import processstate
from noether.system.usage import UsageError, brief

LANES = 16


@dataclass(frozen=True)
class Asked:
    """The words of a simulation, checked.

    values  parameter of a launch or of a flow -> float64 (lanes,), only what was given
    q0, v0  (d, lanes) float64, or None
    """

    case: Case
    values: dict[str, np.ndarray]
    q0: np.ndarray | None
    v0: np.ndarray | None
    lanes: int
    steps: int | None
    seed: int


def case_of(word) -> Case:
    """The case that a word, a path or an object means, tried out. Raises UsageError."""
    if not isinstance(word, str | Path | Case):
        raise UsageError(f"case is {type(word).__name__} {brief(word)}, must be a name, a file or a Case")
    with processstate.kept(harmless=False):  # a file is executed
        (case,) = chosen_cases([str(word) if isinstance(word, Path) else word])[0]
    return case


def asked(case, words: dict, *, q0, v0, lanes, steps, seed, usual: int = LANES) -> Asked:
    """What was asked for. Raises UsageError.

    words  name -> what was given, None where nothing was;  usual  how many lanes there are when nothing says
    """
    case, given = case_of(case), {n: numbers(n, x) for n, x in words.items() if x is not None}
    starts = {n: start(n, x, case.dim) for n, x in (("q0", q0), ("v0", v0)) if x is not None}
    sizes = {n: x.shape[-1] for n, x in (*given.items(), *starts.items()) if x.shape[-1:] not in ((), (1,))}
    if lanes is not None:
        sizes = {"lanes": whole("lanes", lanes, 1, LARGEST), **sizes}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise UsageError(f"numbers of lanes differ: {told}: arrays must have one entry for each lane")
    count = next(iter(sizes.values()), usual)
    if count > LARGEST:
        raise UsageError(f"there are {count} lanes, must be at most {LARGEST}")
    steps = steps if steps is None else whole("steps", steps, 1, LARGEST // count)
    every = {RANGES[n][0]: np.array(np.broadcast_to(x, count)) for n, x in given.items()}
    starts = {n: np.array(np.broadcast_to(x, (case.dim, count))) for n, x in starts.items()}
    seed = whole("seed", seed, 0, 2**63 - 1)
    return Asked(case, every, starts.get("q0"), starts.get("v0"), count, steps, seed)


RANGES = {
    **PARAMETERS,
    "kappa": ("kappa", "at least 0", lambda x: x >= 0),
    "mass": ("mass", "above 0", lambda x: x > 0),
    "friction": ("friction", "above 0", lambda x: x > 0),
}
"""PARAMETERS, and the numbers that only a simulation takes."""


def real(given) -> np.ndarray:
    """Real numbers as float64, in the shape in which they are given: no truths, texts, dates or complex
    numbers. Raises TypeError, ValueError, OverflowError."""
    found = np.asarray(given)
    if found.dtype.kind not in "iufO" or any(isinstance(x, bool | str | bytes) for x in of_objects(found)):
        raise TypeError(f"{found.dtype} is no type of real numbers")
    with np.errstate(over="ignore"):  # becomes infinite, which the caller refuses
        return found.astype(np.float64)


def of_objects(found: np.ndarray) -> Iterable:
    """The entries of an array of Python objects, as of fractions; nothing of an array of numbers."""
    return found.reshape(-1) if found.dtype.kind == "O" else ()


def numbers(name: str, given) -> np.ndarray:
    """A number, or one for each lane, as float64 () or (lanes,). Raises UsageError."""
    must, fits = RANGES[name][1:]
    told = f"{name} is {brief(given)}, must be a finite number {must}, or an array of one for each lane"
    try:
        found = real(given)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(told) from None
    if found.ndim > 1 or not found.size:
        raise UsageError(told)
    if not all(np.isfinite(x) and fits(x) for x in found.reshape(-1)):
        raise UsageError(told)
    return found


def start(name: str, given, dim: int) -> np.ndarray:
    """A start as float64 (d, 1) or (d, lanes). Raises UsageError."""
    try:
        found = real(given)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} is {brief(given)}, must be an array of numbers") from None
    shape, found = found.shape, found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or len(found) != dim or not found.shape[1]:
        raise UsageError(
            f"{name} has shape {shape}, must be ({dim},), or ({dim}, lanes) for a start of each lane"
        )
    if not np.isfinite(found).all():
        raise UsageError(f"{name} has a number that is not finite, must have none")
    return found
