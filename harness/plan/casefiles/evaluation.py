"""Running a function of a case on arrays and on plain numbers, and refusing what is wrong with its values."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case
from noether.kernels.programs.namespaces import NUMPY
from noether.plan.casefiles.complaint import Origin, UndeclaredParameter, told
from noether.system.usage import UsageError


class Parameters(Sequence):
    """The parameters q as a case may see them: d entries that can be read and not written.

    Reading beyond them and writing raise UndeclaredParameter, whose text says so.
    """

    def __init__(self, entries: Sequence):
        self.entries = tuple(entries)

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return self.entries[i]
        if not -len(self) <= operator.index(i) < len(self):
            declared = f"box declares {len(self)}: q[0] to q[{len(self) - 1}]"
            raise UndeclaredParameter(f"reads q[{i}], but {declared}")
        return self.entries[i]

    def __setitem__(self, i, value):
        raise UndeclaredParameter(f"writes q[{i}]: parameters must only be read")


@dataclass(frozen=True)
class Part:
    """One function of a case, called with q and `more`, which gives one value, or `length` of them."""

    name: str
    function: Callable
    takes: tuple[str, ...]
    more: tuple = (NUMPY,)
    length: int | None = None

    def __call__(self, q):
        return self.function(q, *self.more)


def parts(case: Case) -> list[Part]:
    """The functions of a case that every trial evaluates, the loss first."""
    out = [Part("loss", case.loss, ("q", "xp")), Part("breaking", case.breaking, ("q", "xp"))]
    if case.metric.kind == DIAGONAL:
        out.append(Part("metric", case.metric.entries, ("q", "kappa", "xp"), (0.5, NUMPY), case.dim))
    if case.metric.kind == BREGMAN:
        out.append(Part("metric potential", case.metric.potential, ("q", "xp")))
    return out


def evaluate(part: Part, q: np.ndarray, origin: Origin) -> None:
    """Run one function of a case at q (d, lanes), on arrays and twice on plain numbers.

    Its values must be finite, of one shape, and equal lane by lane; else raises UsageError.
    """
    check_signature(part, origin)
    together = called(part, list(q), origin)
    # np.float64 and not float: numpy's narrow numbers do not pull it down.
    points = [[np.float64(x) for x in column] for column in q.T]
    alone, again = ([called(part, point, origin) for point in points] for _ in range(2))
    for lane, (one, same) in enumerate(zip(alone, again, strict=True)):
        said, at = f"{origin.label}: {part.name} gives", place(points[lane])
        for i, whole in enumerate(together):
            here, value = float(np.broadcast_to(whole, q.shape[1:])[lane]), float(one[i])
            if value != float(same[i]):
                then = f"{value:.6g} and then {float(same[i]):.6g}"
                raise UsageError(f"{said} {then}, {at}: it must depend on q alone")
            # Arrays and numbers round a sum and an exp differently; another point's are off by much more.
            if abs(here - value) > 1e-6 * max(abs(float(x[i])) for x in alone):
                raise UsageError(
                    f"{said} {here:.6g} in an array of {len(points)} points and {value:.6g} alone, {at}: an "
                    "entry of q may be an array with a number a point, and must be combined number by number"
                )
    if part.name == "loss" and together[0].ndim < q[0].ndim:
        raise UsageError(
            f"{origin.label}: loss gives {float(together[0]):.6g} without reading q: it must be computed "
            "from q, if only as 0 * q[0] + 1"
        )


def check_signature(part: Part, origin: Origin) -> None:
    """Refuse a function that takes other arguments than it must. Raises UsageError."""
    try:
        signature = inspect.signature(part.function)
    except (TypeError, ValueError):
        return  # a builtin tells nothing: calling it will
    try:
        signature.bind(*part.takes)
    except TypeError:
        raise UsageError(
            f"{origin.label}: {part.name} takes {signature}, must take ({', '.join(part.takes)})"
        ) from None


def called(part: Part, point: list, origin: Origin) -> list[np.ndarray]:
    """The values of one call, each finite and of the shape of an entry of q. Raises UsageError."""
    at, shape, said = place(point), np.shape(point[0]), f"{origin.label}: {part.name}"
    try:
        with np.errstate(all="ignore"):
            value = part(Parameters(point))
    except Exception as error:
        unpacks = isinstance(error, ValueError) and "unpack" in str(error)
        count = f"; q has {len(point)} entries" if unpacks else ""
        raise UsageError(f"{said} {told(error, origin)}{count}, {at}") from None
    if part.length is not None and (not isinstance(value, list | tuple) or len(value) != part.length):
        raise UsageError(f"{said} gives {describe(value)}, must be a list of {part.length} entries")
    out = []
    for x in value if part.length is not None else [value]:
        if np.iscomplexobj(x) or x is None:
            raise UsageError(f"{said} gives {describe(x)}, must be a number, {at}")
        try:
            numbers = np.asarray(x, dtype=float)
        except (TypeError, ValueError):
            raise UsageError(f"{said} gives {describe(x)}, must be a number") from None
        if numbers.shape not in ((), shape):
            raise UsageError(f"{said} gives shape {numbers.shape}, must be {shape}, {at}")
        if not np.isfinite(numbers).all():
            bad = float(numbers[~np.isfinite(numbers)][0])
            raise UsageError(f"{said} is {bad} {at}: the box must lie inside its domain")
        out.append(numbers)
    return out


def place(point: Sequence) -> str:
    """Where a value was found, in words; of arrays their first lane."""
    return f"at q = [{', '.join(f'{float(np.ravel(x)[0]):.4g}' for x in point)}]"


def describe(value) -> str:
    """A value that is no number, in words: its type, and its length or what it prints."""
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} of length {len(value)}"
    return f"{type(value).__name__} {value!r}"[:60]


def listed(name: str, function: Callable, q: np.ndarray, origin: Origin) -> list[np.ndarray]:
    """What a function that gives a list, of any length, gives at q (d, lanes). Raises UsageError."""
    part = Part(name, function, ("q", "xp"))
    check_signature(part, origin)
    try:
        found = part(Parameters(list(q)))
    except Exception as error:
        raise UsageError(f"{origin.label}: {name} {told(error, origin)}, {place(list(q))}") from None
    if not isinstance(found, list | tuple):
        raise UsageError(f"{origin.label}: {name} gives {describe(found)}, must be a list")
    return called(replace(part, length=len(found)), list(q), origin)
