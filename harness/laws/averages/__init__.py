"""Laws about averages: D9, the noise of minibatches, and D12, long runs of scale-invariant losses."""

from __future__ import annotations

from types import ModuleType

from noether.laws.averages import faults
from noether.laws.law import Family, Law
from noether.verdicts.record import ROUNDING

MINIBATCHES = Law(
    key="D9",
    title="minibatch noise keeps symmetries",
    equation=r"\langle \nabla f_B, \xi \rangle = 0",
    adds="so J obeys the balance of the whole loss",
    kind=ROUNDING,
    applies="cases that name their samples",
    blind=("what D2 is blind to",),
    faults=faults.MINIBATCHES,
)
STATIONARY = Law(
    key="D12",
    title="stationary averages of the norm",
    equation=(
        r"\sum |v'|^2 = \rho \sum |q|^2 + \text{ends of the window}, \quad \frac{\langle q, q' "
        r"\rangle}{\langle |q|^2 \rangle} = 1 - \frac{\eta k}{1 + \beta}, \quad \rho = \frac{2 \eta k}{1 "
        r"+ \beta}"
    ),
    adds=(
        r"under decoupled decay $\langle |v|^2 \rangle / \langle |q|^2 \rangle = \frac{(1 - a^2)(1 - a "
        r"\beta)}{1 + a \beta}$, $a = 1 - \eta k$"
    ),
    kind=ROUNDING,
    applies="heavy ball with decay on scale-invariant losses, long runs",
    blind=("everything that keeps D5",),
    faults=faults.LONG_RUNS,
)


def minibatches() -> ModuleType:
    from noether.laws.averages import minibatch

    return minibatch


def long_runs() -> ModuleType:
    from noether.laws.averages import stationary

    return stationary


FAMILIES = (Family((MINIBATCHES,), minibatches), Family((STATIONARY,), long_runs))
