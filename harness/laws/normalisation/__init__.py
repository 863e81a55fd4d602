"""Normalisation as implicit adaptive optimisation, S1 to S4 (theory.md section 6; NLD section 4)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law, wrong
from noether.verdicts.record import ROUNDING, STATISTICAL

LAWS = (
    Law(
        key="S1",
        title="the squared norm of a scale-invariant flow, and NLD Eq. 16",
        statement="m R'' + mu R' = -2k R + 2m |qdot|^2, R = |q|^2",
        kind=ROUNDING,
        applies="flows of scale-invariant losses, Euclidean",
        blind=("the loss, beyond its being scale invariant",),
        faults=wrong(
            "kinetic term dropped",
            "kinetic term x (1 + 2^-10)",
            "mass x (1 + 2^-10)",
            "friction x (1 + 2^-10)",
            "k off by 1 %",
            "a loss that is not scale invariant",
            "Eq. 16 with mu for mu^2",
            "Eq. 16 where the decay is of order one",
        ),
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
        faults=wrong(
            "Eq. 17 under white noise",
            "noise law under coherent gradients",
            "mass eta/2 in Eq. 17",
            "Eq. 17 where m |ghat| = mu^2 r^2",
            "relaxation rate x 1.025",
            "relaxation at 2 k/(1-beta)",
            "noise that remembers one step only",
            "correlation rho^2 for rho",
            "white noise at every correlation",
            "Eq. 17 at every correlation",
        ),
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
        faults=wrong(
            "equilibrium without its eta k",
            "k off by 1 %",
            "white formula under coherent gradients",
            "coherent formula under white noise",
            "angle per step sqrt(2 eta k)",
        ),
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
        faults=wrong(
            "1 - rho = 2 eta k/(1-beta)",
            "memory 2.5 % too short",
            "learning rate x 1.01",
            "RMSProp per coordinate",
            "learning rate sqrt(2 eta k)",
            "white learning rate under coherent gradients",
            "coherent learning rate under white noise",
        ),
    ),
)


def measured() -> ModuleType:
    from noether.laws.normalisation import cells

    return cells


FAMILY = Family(LAWS, measured)
