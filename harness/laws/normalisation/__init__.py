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
        statement="m R'' + mu R' = -2k R + 2m |qdot|^2, R = |q|^2",
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
        statement=(
            "E r^4 = x* + (r_0^4 - x*) e^(-4kt/(1-beta)), x* = eta |ghat|^2 F/(2k(1-beta)), F = (1 + rho "
            "beta)/(1 - rho beta), rho 1 coherent, 0 white"
        ),
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
        statement=(
            "r^4 = eta |ghat|^2 (1+beta)^2/(k (1-beta)^2 (2(1+beta) - eta k)) coherent, "
            "(1-beta)/(1+beta) of it white (E r^2/E r^-2); E|v|^2 = 2 eta k/(1+beta) E r^2"
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
        statement=(
            "V' = rho V + (1-rho)|ghat|^2, 1-rho = 4 eta k/(1-beta), lr = sqrt(2 eta k/(1+beta)) "
            "coherent, sqrt(2 eta k/(1-beta)) white, to O(eta)"
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
