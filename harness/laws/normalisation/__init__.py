"""Normalisation as implicit adaptive optimisation, S1 to S4 (theory.md section 6; NLD section 4)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.normalisation import faults
from noether.verdicts.record import ROUNDING, STATISTICAL

LAWS = (
    Law(
        key="S1",
        title="the squared norm of a scale-invariant flow, and NLD Eq. 16",
        statement="m R'' + mu R' = -2k R + 2m |qdot|^2, R = |q|^2",
        kind=ROUNDING,
        applies="flows of scale-invariant losses, Euclidean",
        blind=("the loss, beyond its being scale invariant",),
        faults=faults.S1,
    ),
    Law(
        key="S2",
        title="the fourth power of the norm: NLD Eq. 17 and the noise law",
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
        title="where the norm settles, and the angle per step there",
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
        title="the norm of a filter is the memory of an RMSProp",
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
