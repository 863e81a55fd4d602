"""Normalisation: implicit adaptive optimisation (NLD section 4)."""

from harness.lawbook.info import LawInfo
from harness.verdicts import STATISTICAL

NORMALISATION = (
    LawInfo("S2", "the fourth power of the norm: NLD Eq. 17 and the noise law",
            "E r^4 = x* + (r_0^4 - x*) e^(-4kt/(1-beta)), x* = eta |ghat|^2 F/(2k(1-beta)), F = (1 + rho beta)/(1 - rho beta), rho 1 coherent, 0 white",
            STATISTICAL, ("the direction of the gradient, beyond its being tangential",),
            ("Eq. 17 under white noise", "noise law under coherent gradients", "mass eta/2 in Eq. 17", "Eq. 17 where m |ghat| = mu^2 r^2",
             "relaxation at 8 k/(1-beta)", "relaxation at 2 k/(1-beta)", "correlation rho^2 for rho", "white noise at every correlation", "Eq. 17 at every correlation"),
            "heavy ball with coupled decay under a tangential force, coherent, white and between"),
)  # fmt: skip
