"""The exact discrete laws: each equation once, with its own bound (theory.md section 3 and 4).

Notation of every law: q = q_n, w = v_{n+1}, s = 1 - eta k for decoupled decay (else 1), xi = A q + a, f the
force that enters v (c (+-g + k q), k q when coupled, c of a dampened rule, - where it maximises), y the move
of q (w; for Nesterov beta w - eta f). delta, sigma bound the rounding of v and of q. A residual is judged in
units of its bound; its own rounding, in the trajectory's arithmetic, is in the bound.
"""

from noether.laws.exact import (
    balance,
    curved,
    moments,
    norm,
    planted,
    positions,
    quadratic,
    signs,
    sizes,
    step,
    translation,
)
from noether.laws.exact.balance import (
    broken_pull,
    broken_size,
    charge,
    charge_bound,
    charge_law,
    charge_own,
    charge_predicted,
    decay_law,
    decaying,
    undisturbed,
)
from noether.laws.exact.quadratic import massive
from noether.laws.exact.step import update
from noether.laws.exact.terms import MOTION, ExactLaw, Residual, act, along, depth, dot, formed, size, xi
from noether.laws.law import Law
from noether.verdicts.record import BITWISE, ROUNDING

EXACT: dict[str, ExactLaw] = {
    law.key: law
    for law in sorted(
        (
            law
            for module in (
                step,
                positions,
                balance,
                quadratic,
                norm,
                translation,
                curved,
                signs,
                moments,
                sizes,
            )
            for law in module.LAWS
        ),
        key=lambda law: int(law.key[1:]),
    )
}
"""The laws that judge each step of a launch, in the order in which they are printed."""

LAUNCHED = (
    Law(
        key="D13",
        title="scale covariance, to the bit",
        equation=(
            r"\text{run}(a q_0, a v_0; a^2 \eta, k/a^2) = a \, \text{run}(q_0, v_0; \eta, k), \quad a = "
            r"2^j"
        ),
        kind=BITWISE,
        applies="scale-invariant losses without eps, Euclidean rules",
        blind=("everything that scales as it should",),
        faults=(planted.NOT_SQUARED,),
    ),
    Law(
        key="E1",
        title="response to a breaking term",
        equation=(
            r"J_N - \beta^N J_0 - \sum_n \beta^{N-1-n} \langle A v_{n+1}, v_{n+1} \rangle = -\eta "
            r"\varepsilon \sum_n \beta^{N-1-n} \langle \nabla b, \xi \rangle"
        ),
        kind=ROUNDING,
        applies="heavy ball without decay, eps over 15 decades and 0",
        blind=("faults in g that keep the symmetry",),
        faults=(planted.UNBROKEN, planted.EPS_OFF),
    ),
    Law(
        key="B1",
        title="backends agree to the bit",
        equation=r"\text{bits}(\text{backend}) = \text{bits}(\text{numpy})",
        adds="and known ties are stored as IEEE 754 has them",
        kind=BITWISE,
        applies="every Triton backend, the noisy loop too",
        blind=("a fault in the traced program, which all of them run",),
        faults=(planted.STEP_OFF, planted.ONE_LANE, planted.OLD_BUFFER, planted.OTHER_NOISE),
    ),
)
"""The laws of a launch as a whole, and of one launch beside another."""
