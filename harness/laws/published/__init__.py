"""Published statements, P1 to P6: each with what holds instead (theory.md section 9)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.orders.faults import CONSTANT
from noether.laws.published import faults
from noether.verdicts.record import ORDER, ROUNDING, STATISTICAL

LAWS = (
    Law(
        key="P1",
        title="published: Eq. 17 under minibatch noise",
        equation=(
            r"\frac{d r^4}{dt} + \frac{4 k}{1 - \beta} r^4 = \frac{2 \eta}{(1 - \beta)^2} E |\hat g|^2 "
            r"\text{ (white)}, \quad \frac{2 \eta (1 + \beta)}{(1 - \beta)^3} |\hat g|^2 \text{ "
            r"(coherent)}"
        ),
        kind=STATISTICAL,
        applies="unit noise orthogonal to q, beta .9",
        blind=("everything but the size and the correlation of the gradient",),
        faults=(faults.WHITE_AS_COHERENT, faults.NOISE_LAW, faults.COHERENT),
    ),
    Law(
        key="P2",
        title="published: closed forms from velocity 0",
        equation=r"m \ddot c + \mu \dot c + k c = 0, \quad \dot c(0) = -\frac{k c}{1 + \beta}",
        adds="of order 2; from velocity 0, as published, of order 1",
        kind=ORDER,
        applies="translation charge of softmax, heavy ball with decay",
        blind=("the loss: the charge of a translation does not see it",),
        faults=(faults.START_ZERO, CONSTANT),
    ),
    Law(
        key="P3",
        title="published: norm under dampening",
        equation=(
            r"|q|^2 - |q_0|^2 = \int_0^t \frac{1 - e^{-2 \gamma (t - s)}}{\gamma} |\dot q(s)|^2 \, ds, "
            r"\quad \dot q = \frac{\text{buffer}}{1 - \tau}"
        ),
        kind=ORDER,
        applies="scale-invariant loss, dampened heavy ball without decay",
        blind=("a dampening of 0",),
        faults=(faults.BUFFER, faults.OTHER_FACTOR),
    ),
    Law(
        key="P4",
        title="published: check of SGD at zero decay",
        equation=r"|q_N|^2 = |q_0|^2 + \eta^2 \sum |g|^2 \quad \text{for every } g \perp q",
        kind=ROUNDING,
        applies="random vectors orthogonal to q, plain steps",
        blind=("where a gradient comes from",),
        faults=(faults.TELLS_A_GRADIENT, faults.RADIAL),
    ),
    Law(
        key="P5",
        title="published: friction as the decay of a charge",
        equation=r"\text{rate of decay} = -\ln \beta \quad \text{per step}",
        adds=r"$\frac{2 (1 - \beta)}{1 + \beta}$ is its Padé approximant",
        kind=ROUNDING,
        applies="angular momentum of the Mexican hat, heavy ball",
        blind=("everything along the rotation",),
        faults=(faults.FRICTION_OVER_MASS,),
    ),
    Law(
        key="P6",
        title="published: Euler-Lagrange, curved metric",
        equation=r"\frac{\eta}{2} \ddot q + \dot q + G^{-1} g = 0",
        adds="is a model of order 2; the Euler-Lagrange equation is one of order 1",
        kind=ORDER,
        applies="natural gradient of the entropy's metric",
        blind=("a constant metric",),
        faults=(faults.EULER_LAGRANGE, CONSTANT),
    ),
)


def measured() -> ModuleType:
    from noether.laws.published import cells

    return cells


FAMILY = Family(LAWS, measured)
