"""Trying out a case that is not in the catalogue: whatever is wrong with it is told in one line.

What is, what it must be, where: the loss and its companions are evaluated on arrays and on plain numbers,
traced, and the declared symmetries proven, before any work.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.cases.case import BREGMAN, Case, CaseError, brief
from noether.cases.declared import NAME_PATTERN
from noether.plan.casefiles.complaint import Origin, first_line, told
from noether.plan.casefiles.evaluation import Part, called, check_signature, evaluate, listed, parts, place
from noether.plan.casefiles.stages import Stages, in_stages, silent, tracing
from noether.system.timelimit import allowed, limited
from noether.system.usage import UsageError

LANES = 4
FEW = 16  # entries of a vector that is told


def check_types(case: Case, origin: Origin) -> None:
    """Refuse a case whose name is not written as those of the catalogue. Raises UsageError."""
    if not isinstance(case.name, str) or not NAME_PATTERN.fullmatch(case.name):
        raise UsageError(
            f"{origin.label}: name is {brief(case.name)}, must be lower-case words joined by hyphens"
        )


def try_object(case: Case) -> None:
    """Try out a case that was handed over as an object, here and within its time. Raises UsageError."""
    import noether.kernels.programs.trace  # noqa: F401

    origin = Origin.of_object(case)
    check_types(case, origin)
    with limited(allowed()):
        try_out(case, origin)


def try_out(case: Case, origin: Origin, doing: Callable[[str], None] = silent) -> None:
    """Evaluate, trace and prove a case before any work, as in_stages; raises UsageError with what is
    wrong."""
    in_stages(stages(case, origin), origin, doing)


def stages(case: Case, origin: Origin) -> Stages:
    """What the trial of a case does."""
    q = case.draw(np.random.default_rng(0), LANES)
    yield "evaluating loss", lambda: traceable(case, origin)
    for part in parts(case):
        yield f"evaluating {part.name}", lambda part=part: evaluate(part, q, origin)
    yield "comparing the loss with what is declared of it", lambda: check_declared(case, q, origin)
    yield "tracing the loss to a kernel", lambda: check_traced(case, origin)
    yield "proving its symmetries", lambda: check_proven(case, origin)


def check_traced(case: Case, origin: Origin) -> None:
    """Refuse a case that has been evaluated and cannot be traced to a kernel. Raises UsageError."""
    from noether.kernels.programs.trace import gradient

    with tracing(origin, "xp.exp, xp.log, xp.sqrt, xp.step"):
        gradient(case)


def check_proven(case: Case, origin: Origin) -> None:
    """Refuse a case whose declared symmetries are not proven. Raises UsageError."""
    from noether.mechanics.symbolic_mechanics import mechanics
    from noether.mechanics.symmetry_proof import prove

    try:
        prove(case)
        check_read(case, origin)
        if case.metric.kind == BREGMAN:
            mechanics(case)  # refuses a potential that is not separable
    except CaseError as error:
        said = first_line(error).removeprefix(f"case {case.name}: ")
        raise UsageError(f"{origin.label}: {said}") from None
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{origin.label}: its invariance cannot be decided: {told(error, origin)}") from None


def traceable(case: Case, origin: Origin) -> None:
    """Refuse a case that uses an operation which kernels do not have. Raises UsageError.

    Whatever else goes wrong while it is traced is told better by evaluating it.
    """
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
    """Refuse a case whose `samples`, `kinks` or `scale_free` do not go with its loss at q. Raises UsageError.

    Numbers that should be equal may differ by a millionth, which is far more than rounding.
    """
    value = called(Part("loss", case.loss, ("q", "xp")), list(q), origin)[0]
    size, first = np.max(np.abs(value)), lambda x: f"{float(np.ravel(x)[0]):.6g}"
    if case.samples is not None:
        samples = listed("samples", case.samples, q, origin)
        count = len(samples)
        mean = sum(samples) / max(count, 1)
        if count < 2 or np.max(np.abs(mean - value)) > 1e-6 * size:
            raise UsageError(
                f"{origin.label}: the mean of its {count} samples is {first(mean)} and the loss "
                f"{first(value)}, {place(list(q))}: it must be the loss, of two samples at least"
            )
    if case.kinks is not None:
        listed("kinks", case.kinks, q, origin)
    if case.scale_free:
        twice = called(Part("loss", case.loss, ("q", "xp")), list(2 * q), origin)[0]
        if np.max(np.abs(twice - value)) > 1e-6 * size:
            raise UsageError(
                f"{origin.label}: scale_free is True, but the loss is {first(value)} {place(list(q))} and "
                f"{first(twice)} at twice that: it must be the same"
            )


def check_read(case: Case, origin: Origin) -> None:
    """Refuse a loss that ignores a parameter which no declared symmetry moves alone. Raises UsageError."""
    ignored = unread(case)
    moved = [{i for i in range(case.dim) if np.any(s.matrix[i]) or s.shift[i]} for s in case.symmetries]
    for i in sorted(ignored - set().union(*(m for m in moved if m <= ignored))):
        vector = tuple(int(j == i) for j in range(case.dim)) if case.dim <= FEW else "..."
        raise UsageError(
            f"{origin.label}: loss does not depend on q[{i}], one of the {case.dim} parameters that box "
            f"declares: it must, or a symmetry must move it alone, as translation({vector})"
        )


def unread(case: Case) -> set[int]:
    """The parameters that the loss does not depend on: of a large one those whose derivative is 0 at random
    points."""
    from noether.kernels.programs.loop_program import LoopProgram
    from noether.kernels.programs.trace import gradient
    from noether.mechanics import wide
    from noether.mechanics.symbolic import formulas

    if isinstance(gradient(case), LoopProgram):
        g = wide.gradient(case.loss, case.draw(np.random.default_rng(0), 2))
        return {int(i) for i in np.flatnonzero((g == 0).all(axis=1))}
    return {i for i, g in enumerate(formulas(case).loss_gradient) if g == 0}
