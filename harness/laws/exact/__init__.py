"""The exact discrete laws: each equation once, with its own bound (theory.md section 3 and 4).

Notation of every law: q = q_n, w = v_{n+1}, s = 1 - eta k for decoupled decay (else 1), xi = A q + a, f the
force that enters v (c (+-g + k q), k q when coupled, c of a dampened rule, - where it maximises), y the move
of q (w; for Nesterov beta w - eta f). delta, sigma bound the rounding of v and of q. A residual is judged in
units of its bound; its own rounding, in the trajectory's arithmetic, is in the bound.
"""

from noether.laws.exact import balance, curved, norm, positions, quadratic, signs, step, translation
from noether.laws.exact.balance import (
    broken_force,  # noqa: F401
    charge,  # noqa: F401
    charge_bound,  # noqa: F401
    charge_law,  # noqa: F401
    charge_own,  # noqa: F401
    charge_predicted,  # noqa: F401
    decay_law,  # noqa: F401
    decaying,  # noqa: F401
    undisturbed,  # noqa: F401
)
from noether.laws.exact.quadratic import massive  # noqa: F401
from noether.laws.exact.step import update  # noqa: F401
from noether.laws.exact.terms import MOTION, ExactLaw, Residual, act, depth, dot, formed, size, xi  # noqa: F401

EXACT: dict[str, ExactLaw] = {
    law.key: law
    for law in sorted(
        (
            law
            for module in (step, positions, balance, quadratic, norm, translation, curved, signs)
            for law in module.LAWS
        ),
        key=lambda law: int(law.key[1:]),
    )
}
"""In the order in which they are printed."""
