"""Normalisation as implicit adaptive optimisation, S1 to S4 (theory.md section 6; NLD section 4)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.normalisation import faults
from noether.verdicts.record import ROUNDING, STATISTICAL

LAWS = (
    Law(
        key="S1",
        title="equation of the squared norm",
        equation=r"m \ddot R + \mu \dot R = -2 k R + 2 m |\dot q|^2, \quad R = |q|^2",
        kind=ROUNDING,
        applies="flows of scale-invariant losses, Euclidean",
        blind=("the loss, beyond its being scale invariant",),
        faults=faults.S1,
    ),
    Law(
        key="S2",
        title="fourth power of the norm",
        equation=(
            r"E\, r^4 = x_* + (r_0^4 - x_*)\, e^{-4 k t/(1 - \beta)}, \quad x_* = \frac{\eta |\hat "
            r"g|^2}{2 k (1 - \beta)} \cdot \frac{1 + \rho \beta}{1 - \rho \beta}"
        ),
        adds=r"$\rho$ is 1 for coherent gradients and 0 for white noise",
        kind=STATISTICAL,
        applies="heavy ball with coupled decay under a tangential force, coherent, white and between",
        blind=("the direction of the gradient, beyond its being tangential",),
        faults=faults.S2,
    ),
    Law(
        key="S3",
        title="where the norm settles",
        equation=(
            r"r^4 = \frac{\eta |\hat g|^2 (1 + \beta)^2}{k (1 - \beta)^2 (2 (1 + \beta) - \eta k)}, \quad "
            r"\frac{E |v|^2}{E r^2} = \frac{2 \eta k}{1 + \beta}"
        ),
        adds=(
            r"of coherent gradients; white noise has $\frac{1 - \beta}{1 + \beta}$ of it, as $E r^2 / E "
            r"r^{-2}$"
        ),
        kind=ROUNDING,
        applies="gradient descent and heavy ball with coupled decay under a tangential force",
        blind=("how the norm came there",),
        faults=faults.S3,
    ),
    Law(
        key="S4",
        title="norm as the memory of RMSProp",
        equation=r"V' = \rho V + (1 - \rho) |\hat g|^2, \quad 1 - \rho = \frac{4 \eta k}{1 - \beta}",
        adds=(
            r"with the learning rate $\sqrt{2 \eta k/(1 + \beta)}$ of coherent gradients, $\sqrt{2 \eta "
            r"k/(1 - \beta)}$ of white noise, to $O(\eta)$"
        ),
        kind=STATISTICAL,
        applies="heavy ball with coupled decay under a tangential force, step by step",
        blind=("a filter of one parameter, which has no direction",),
        faults=faults.S4,
    ),
)


def measured() -> ModuleType:
    from noether.laws.normalisation import cells

    return cells


FAMILY = Family(LAWS, measured)
