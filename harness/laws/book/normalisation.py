"""Normalisation: implicit adaptive optimisation (NLD section 4)."""

from noether.laws.book.info import LawInfo
from noether.verdicts.record import ROUNDING, STATISTICAL

NORMALISATION = (
    LawInfo("S1", "the squared norm of a scale-invariant flow, and NLD Eq. 16",
    "m R'' + mu R' = -2k R + 2m |qdot|^2, "
                                                                                "R = |q|^2", ROUNDING,
            ("the loss, beyond its being scale invariant",),
            ("kinetic term dropped", "kinetic term x (1 + 2^-10)", "mass x (1 + 2^-10)",
            "friction x (1 + 2^-10)", "k off by 1 %", "a loss that is not scale invariant",
             "Eq. 16 with mu for mu^2", "Eq. 16 where the decay is of order one"),
            "flows of scale-invariant losses, Euclidean"),
    LawInfo("S2", "the fourth power of the norm: NLD Eq. 17 and the noise law",
            "E r^4 = x* + (r_0^4 - x*) e^(-4kt/(1-beta)), x* = eta |ghat|^2 F/(2k(1-beta)), F = (1 + rho "
            "beta)/(1 - rho beta), rho 1 coherent, 0 white",
            STATISTICAL, ("the direction of the gradient, beyond its being tangential",),
            ("Eq. 17 under white noise", "noise law under coherent gradients", "mass eta/2 in Eq. 17",
            "Eq. 17 where m |ghat| = mu^2 r^2",
             "relaxation rate x 1.025", "relaxation at 2 k/(1-beta)", "noise that remembers one step only",
             "correlation rho^2 for rho", "white noise at every correlation", "Eq. 17 at every correlation"),
            "heavy ball with coupled decay under a tangential force, coherent, white and between"),
    LawInfo("S3", "where the norm settles, and the angle per step there",
            "r^4 = eta |ghat|^2 (1+beta)^2/(k (1-beta)^2 (2(1+beta) - eta k)) coherent, (1-beta)/(1+beta) "
            "of it white (E r^2/E r^-2); E|v|^2 = 2 eta k/(1+beta) E r^2",
            ROUNDING, ("how the norm came there",),
            ("equilibrium without its eta k", "k off by 1 %", "white formula under coherent gradients",
            "coherent formula under white noise", "angle per step sqrt(2 eta k)"),
            "gradient descent and heavy ball with coupled decay under a tangential force"),
    LawInfo("S4", "the norm of a filter is the memory of an RMSProp",
            "V' = rho V + (1-rho)|ghat|^2, 1-rho = 4 eta k/(1-beta), lr = sqrt(2 eta k/(1+beta)) coherent, "
            "sqrt(2 eta k/(1-beta)) white, to O(eta)",
            STATISTICAL, ("a filter of one parameter, which has no direction",),
            ("1 - rho = 2 eta k/(1-beta)", "memory 2.5 % too short", "learning rate x 1.01",
            "RMSProp per coordinate", "learning rate sqrt(2 eta k)", "white learning rate under coherent "
                                                                                                                                                      "gradients",
             "coherent learning rate under white noise"),
            "heavy ball with coupled decay under a tangential force, step by step"),
)  # fmt: skip
