"""The numbers of one step that a charge balance reads: how much of q and p it keeps, and what it adds of g.

    F  = sign g + k q         the force, with coupled decay
    p' = a p + b F            the covector, where the rule keeps one
    q' = s q + y              s the factor of decoupled decay, y the move

They are read off motion.py, which has the rule: each line is linear in what it is given, so that it is
carried out on a 1 in the place of one number and zeros in the place of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

from noether.networks.step_rule import Definition
from noether.optimizers import families, motion
from noether.optimizers.functions import PLAIN
from noether.optimizers.running import WIDE

ONE, NONE = WIDE(1), WIDE(0)


@dataclass(frozen=True)
class Coefficients:
    """Of one parameter in one step, longdouble. `b` is None where the rule keeps no covector; `eta` is None
    where q' is not s q - eta F."""

    sign: WIDE
    k: WIDE
    s: WIDE
    a: WIDE = NONE
    b: WIDE | None = None
    eta: WIDE | None = None


AT_REST = Coefficients(ONE, NONE, ONE, a=ONE, b=NONE, eta=NONE)
"""Of a parameter without a gradient, which stands still."""


def coefficients(rule: Definition) -> Coefficients:
    """What a rule's step keeps and adds."""
    F, x = rule.anatomy.features, SimpleNamespace(**{name: y.value for name, y in rule.numbers().items()})
    count = rule.n + {"1": 0, "0": -1, "2": 1}[F["count"]]
    elementwise = F["family"] == "elementwise"
    sign = motion.force(F, x, NONE, ONE)
    k = motion.force(F, x, ONE, NONE) if elementwise else NONE
    if F["form"] == "resilient":
        return Coefficients(sign, k, ONE)
    eta = motion.rate(F, x, count, PLAIN)
    s = motion.shrunk(F, x, eta, ONE, NONE, PLAIN) if elementwise else ONE
    if rule.has_covector:
        a, b = (kept(F, x, m, f, rule.n, count) for m, f in ((ONE, NONE), (NONE, ONE)))
        return Coefficients(sign, k, s, a, b)
    plain = elementwise and F["momentum"] == F["second"] == "none" and F["form"] == "plain"
    return Coefficients(sign, k, s, eta=-motion.shrunk(F, x, eta, NONE, ONE, PLAIN) if plain else None)


def kept(F: dict, x, m: WIDE, f: WIDE, n: int, count: int) -> WIDE:
    """The covector after a step from m under a force f."""
    state = {"m": m}
    if F["family"] == "muon":
        return families.averaged(x, state, f, PLAIN)
    motion.momentum(F, x, state, f, n, count, PLAIN)
    return state["m"]
