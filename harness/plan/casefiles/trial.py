"""Trying out a case that is not in the catalogue: whatever is wrong with it is told in one line.

What is, what it must be, where: the loss and its companions are evaluated on arrays and on plain numbers,
traced, and the declared symmetries proven, before any work.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case, CaseError, brief
from noether.kernels.programs.namespaces import NUMPY
from noether.plan.casefiles.complaint import Origin, UndeclaredParameter, first_line, told
from noether.system.timelimit import TimeUp, allowed, limited
from noether.system.usage import UsageError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LANES = 4


class Parameters(Sequence):
    """q as a case may see it: d entries to read, none to write, and a plain word to whoever reads beyond
    them."""

    def __init__(self, entries: Sequence):
        self.entries = tuple(entries)

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return self.entries[i]
        if not -len(self) <= operator.index(i) < len(self):
            raise UndeclaredParameter(
                f"reads q[{i}], but box declares {len(self)}: q[0] to q[{len(self) - 1}]"
            )
        return self.entries[i]

    def __setitem__(self, i, value):
        raise UndeclaredParameter(f"writes q[{i}]: parameters must only be read")


def check_types(case: Case, origin: Origin) -> None:
    """Refuse a case whose fields have other types than those of the catalogue. Raises UsageError."""
    if not isinstance(case.name, str) or not NAME.fullmatch(case.name):
        raise UsageError(
            f"{origin.label}: name is {brief(case.name)}, must be lower-case words joined by hyphens"
        )


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
    out = [Part("loss", case.loss, ("q", "xp")), Part("breaking", case.breaking, ("q", "xp"))]
    if case.metric.kind == DIAGONAL:
        out.append(Part("metric", case.metric.entries, ("q", "kappa", "xp"), (0.5, NUMPY), case.dim))
    if case.metric.kind == BREGMAN:
        out.append(Part("metric potential", case.metric.potential, ("q", "xp")))
    return out


def try_object(case: Case) -> None:
    """A case that was handed over as an object: the same trial, within its time. Raises UsageError."""
    import noether.kernels.programs.trace  # noqa: F401

    origin = Origin.of_object(case)
    check_types(case, origin)
    with limited(allowed()):
        try_out(case, origin)


def try_out(case: Case, origin: Origin, doing: Callable[[str], None] = lambda stage: None) -> None:
    """Evaluate, trace and prove a case before any work; raises UsageError with what is wrong.

    doing(stage) is told what comes next, so that whoever kills a trial that hangs can say where.
    """
    from noether.kernels.programs.trace import TraceError, gradient
    from noether.mechanics.symbolic import prove
    from noether.mechanics.symbolic_mechanics import mechanics

    stage = ""

    def enter(text: str):
        nonlocal stage
        stage = text
        doing(text)

    try:
        q = case.draw(np.random.default_rng(0), LANES)
        enter("evaluating loss")
        traceable(case, origin)
        for part in parts(case):
            enter(f"evaluating {part.name}")
            evaluate(part, q, origin)
        enter("comparing the loss with what is declared of it")
        check_declared(case, q, origin)
        enter("tracing the loss to a kernel")
        try:
            gradient(case)
        except Exception as error:
            tail = (
                ""
                if isinstance(error, TraceError)
                else "; use + - * /, whole powers and xp.exp, xp.log, xp.sqrt, xp.step"
            )
            raise UsageError(
                f"{origin.label} cannot be traced to a kernel: {told(error, origin)}{tail}"
            ) from None
        enter("proving its symmetries")
        try:
            prove(case)
            check_read(case, origin)
            if case.metric.kind == BREGMAN:
                mechanics(case)  # refuses a potential that is not separable
        except CaseError as error:
            raise UsageError(
                f"{origin.label}: {first_line(error).removeprefix(f'case {case.name}: ')}"
            ) from None
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(
                f"{origin.label}: its invariance cannot be decided: {told(error, origin)}"
            ) from None
    except TimeUp as error:
        raise UsageError(f"{origin.label}: {stage} {told(error, origin)}") from None


def traceable(case: Case, origin: Origin) -> None:
    """Refuse a case that cannot be traced to a kernel. Raises UsageError; whatever else goes wrong is told by
    evaluating."""
    from noether.kernels.programs.trace import NoOperation, gradient

    for part in parts(case)[:2]:
        check_signature(part, origin)
    try:
        gradient(case)
    except NoOperation as error:
        raise UsageError(f"{origin.label} cannot be traced to a kernel: {told(error, origin)}") from None
    except Exception:
        return


def check_declared(case: Case, q: np.ndarray, origin: Origin) -> None:
    """The mean of `samples` is the loss, and a loss that is `scale_free` is the same at 2 q: to far more than
    rounding."""
    value = called(Part("loss", case.loss, ("q", "xp")), list(q), origin)[0]
    size = np.max(np.abs(value))
    if case.samples is not None:
        part = Part("samples", case.samples, ("q", "xp"))
        check_signature(part, origin)
        try:
            count = len(case.samples(Parameters(list(q)), NUMPY))
        except Exception as error:
            raise UsageError(f"{origin.label}: samples {told(error, origin)}, {place(list(q))}") from None
        mean = sum(called(replace(part, length=count), list(q), origin)) / max(count, 1)
        if count < 2 or np.max(np.abs(mean - value)) > 1e-6 * size:
            raise UsageError(
                f"{origin.label}: the mean of its {count} samples is {float(np.ravel(mean)[0]):.6g} and "
                f"the loss {float(np.ravel(value)[0]):.6g}, {place(list(q))}: it must be the loss, of two "
                "samples at least"
            )
    if case.scale_free:
        twice = called(Part("loss", case.loss, ("q", "xp")), list(2 * q), origin)[0]
        if np.max(np.abs(twice - value)) > 1e-6 * size:
            raise UsageError(
                f"{origin.label}: scale_free is True, but the loss is {float(np.ravel(value)[0]):.6g} "
                f"{place(list(q))} and {float(np.ravel(twice)[0]):.6g} at twice that: it must be the "
                "same"
            )


def check_read(case: Case, origin: Origin) -> None:
    """A parameter that the loss does not read is one that a declared symmetry moves alone, or a mistake."""
    from noether.mechanics.symbolic import formulas

    ignored = {i for i, g in enumerate(formulas(case).loss_gradient) if g == 0}
    moved = [{i for i in range(case.dim) if np.any(s.matrix[i]) or s.shift[i]} for s in case.symmetries]
    for i in sorted(ignored - set().union(*(m for m in moved if m <= ignored))):
        vector = tuple(int(j == i) for j in range(case.dim))
        raise UsageError(
            f"{origin.label}: loss does not depend on q[{i}], one of the {case.dim} parameters that box "
            "declares: "
            f"it must, or a symmetry must move it alone, as translation({vector})"
        )


def evaluate(part: Part, q: np.ndarray, origin: Origin) -> None:
    """Run one function of a case on arrays (lanes) and on plain numbers; finite, of one shape, and equal lane
    by lane."""
    check_signature(part, origin)
    together = called(part, list(q), origin)
    points = [
        [np.float64(x) for x in column] for column in q.T
    ]  # a float that numpy's narrow numbers do not pull down
    alone, again = ([called(part, point, origin) for point in points] for _ in range(2))
    for lane, (one, same) in enumerate(zip(alone, again, strict=True)):
        for i, whole in enumerate(together):
            here, value = float(np.broadcast_to(whole, q.shape[1:])[lane]), float(one[i])
            if value != float(same[i]):
                raise UsageError(
                    f"{origin.label}: {part.name} gives {value:.6g} and then {float(same[i]):.6g}, "
                    f"{place(points[lane])}: it must depend on q alone"
                )
            # Arrays and numbers round a sum and an exp differently; numbers of another point are off by much
            # more.
            if abs(here - value) > 1e-6 * max(abs(float(x[i])) for x in alone):
                raise UsageError(
                    f"{origin.label}: {part.name} gives {here:.6g} in an array of {len(points)} points and "
                    f"{value:.6g} alone, {place(points[lane])}: "
                    "an entry of q may be an array with a number a point, and must be combined number by "
                    "number"
                )


def check_signature(part: Part, origin: Origin) -> None:
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
    """The values of one call, each finite and of the shape of an entry of q."""
    at, shape = place(point), np.shape(point[0])
    try:
        with np.errstate(all="ignore"):
            value = part(Parameters(point))
    except Exception as error:
        count = (
            f"; q has {len(point)} entries"
            if isinstance(error, ValueError) and "unpack" in str(error)
            else ""
        )
        raise UsageError(f"{origin.label}: {part.name} {told(error, origin)}{count}, {at}") from None
    if part.length is not None and (not isinstance(value, list | tuple) or len(value) != part.length):
        raise UsageError(
            f"{origin.label}: {part.name} gives {describe(value)}, must be a list of {part.length} entries"
        )
    out = []
    for x in value if part.length is not None else [value]:
        if np.iscomplexobj(x) or x is None:
            raise UsageError(f"{origin.label}: {part.name} gives {describe(x)}, must be a number, {at}")
        try:
            numbers = np.asarray(x, dtype=float)
        except (TypeError, ValueError):
            raise UsageError(f"{origin.label}: {part.name} gives {describe(x)}, must be a number") from None
        if numbers.shape not in ((), shape):
            raise UsageError(
                f"{origin.label}: {part.name} gives shape {numbers.shape}, must be {shape}, {at}"
            )
        if not np.isfinite(numbers).all():
            bad = float(numbers[~np.isfinite(numbers)][0])
            raise UsageError(f"{origin.label}: {part.name} is {bad} {at}: the box must lie inside its domain")
        out.append(numbers)
    return out


def place(point: Sequence) -> str:
    return f"at q = [{', '.join(f'{float(np.ravel(x)[0]):.4g}' for x in point)}]"


def describe(value) -> str:
    return (
        f"{type(value).__name__} of length {len(value)}"
        if isinstance(value, list | tuple)
        else f"{type(value).__name__} {value!r}"[:60]
    )
