"""Published statements, each with what holds instead."""

from noether.laws.book.info import LawInfo
from noether.verdicts.record import ORDER, ROUNDING, STATISTICAL

CLAIMS = (
    LawInfo(
        key="P1",
        title="published: Eq. 17 under minibatch noise",
        equation=(
            "source of r^4, in units of a plain step's: 1/(1-beta)^2 white, (1+beta)/(1-beta)^3 coherent"
        ),
        kind=STATISTICAL,
        blind=("everything but the size and the correlation of the gradient",),
        controls=("Eq. 17 for white minibatch noise", "the noise law off by 2^-10", "Eq. 17 off by 2^-10"),
        applies="unit noise orthogonal to q, beta .9",
    ),
    LawInfo(
        key="P2",
        title="published: closed forms from velocity 0",
        equation="c(t) of m cddot + mu cdot + k c = 0 from cdot(0) = -k c/(1+beta): order 2; from 0: order 1",
        kind=ORDER,
        blind=("the loss: the charge of a translation does not see it",),
        controls=("the closed form from velocity 0", "leading constant off by 1/64"),
        applies="translation charge of softmax, heavy ball with decay",
    ),
    LawInfo(
        key="P3",
        title="published: the norm under dampening",
        equation="growth of |q|^2 = filtered integral of |buffer|^2/(1-tau)^2",
        kind=ORDER,
        blind=("a dampening of 0",),
        controls=("the squared buffer for the squared velocity", "1/(1-beta)^2 for 1/(1-tau)^2"),
        applies="scale-invariant loss, dampened heavy ball without decay",
    ),
    LawInfo(
        key="P4",
        title="published: the check of SGD at zero decay",
        equation="|q_N|^2 = |q_0|^2 + eta^2 sum |g|^2 for every g orthogonal to q",
        kind=ROUNDING,
        blind=("where a gradient comes from",),
        controls=("passing tells a gradient from random vectors", "a radial part of 2^-10"),
        applies="random vectors orthogonal to q, plain steps",
    ),
    LawInfo(
        key="P5",
        title="published: friction as the decay of a charge",
        equation="rate -ln beta per step; 2 (1-beta)/(1+beta) is its Pade approximant",
        kind=ROUNDING,
        blind=("everything along the rotation",),
        controls=("the rate 2 (1 - beta)/(1 + beta)",),
        applies="angular momentum of the Mexican hat, heavy ball",
    ),
    LawInfo(
        key="P6",
        title="published: Euler-Lagrange with a curved metric",
        equation="natural gradient against (eta/2) qddot + qdot + G^-1 g: order 2; against Euler-Lagrange: 1",
        kind=ORDER,
        blind=("a constant metric",),
        controls=("Euler-Lagrange as the second-order model", "leading constant off by 1/64"),
        applies="natural gradient of the entropy's metric",
    ),
)
