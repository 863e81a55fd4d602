"""Published statements, each with what holds instead."""

from noether.laws.book.info import LawInfo
from noether.verdicts.record import ORDER, ROUNDING, STATISTICAL

CLAIMS = (
    LawInfo("P1", "published: Eq. 17 under minibatch noise", "source of r^4, in units of a plain step's: "
                                                             "1/(1-beta)^2 white, (1+beta)/(1-beta)^3 "
                                                             "coherent", STATISTICAL,
            ("everything but the size and the correlation of the gradient",),
            ("Eq. 17 for white minibatch noise", "the noise law off by 2^-10", "Eq. 17 off by 2^-10"),
            "unit noise orthogonal to q, beta .9"),
    LawInfo("P2", "published: closed forms from velocity 0", "c(t) of m cddot + mu cdot + k c = 0 from "
                                                             "cdot(0) = -k c/(1+beta): order 2; from 0: "
                                                             "order 1", ORDER,
            ("the loss: the charge of a translation does not see it",), ("the closed form from velocity 0",
            "leading constant off by 1/64"), "translation charge of softmax, heavy "
                                                                                                                                             "ball with decay"),
    LawInfo("P3", "published: the norm under dampening", "growth of |q|^2 = filtered integral of "
                                                         "|buffer|^2/(1-tau)^2", ORDER,
            ("a dampening of 0",), ("the squared buffer for the squared velocity",
            "1/(1-beta)^2 for 1/(1-tau)^2"), "scale-invariant loss, dampened heavy "
                                                                                                                    "ball without decay"),
    LawInfo("P4", "published: the check of SGD at zero decay", "|q_N|^2 = |q_0|^2 + eta^2 sum |g|^2 for "
                                                               "every g orthogonal to q", ROUNDING,
            ("where a gradient comes from",), ("passing tells a gradient from random vectors",
            "a radial part of 2^-10"), "random vectors orthogonal to q, plain "
                                                                                                                          "steps"),
    LawInfo("P5", "published: friction as the decay of a charge", "rate -ln beta per step; 2 "
                                                                  "(1-beta)/(1+beta) is its Pade approximant",
                                                                      ROUNDING,
            ("everything along the rotation",), ("the rate 2 (1 - beta)/(1 + beta)",),
            "angular momentum of the Mexican hat, "
                                                                                       "heavy ball"),
    LawInfo("P6", "published: Euler-Lagrange with a curved metric", "natural gradient against (eta/2) qddot "
                                                                    "+ qdot + G^-1 g: order 2; against "
                                                                    "Euler-Lagrange: 1", ORDER,
            ("a constant metric",), ("Euler-Lagrange as the second-order model",
            "leading constant off by 1/64"), "natural gradient of the entropy's "
                                                                                                                  "metric"),
)  # fmt: skip
