"""The coefficients of the exact laws, and the smallest relative change of each that a record would have
called violated.

Parameters of a launch (eta, beta, k, eps) are changed in the law alone: what was measured, and the bounds,
stay those of the launch. Terms are changed by the arguments with which a law takes them.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from noether.laws.exact import ExactLaw
from noether.mechanics import accumulated
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.powers import STEP, smallest

TERMS = {
    "D1": {"mass": lambda t, x: {"mass": x * (1 + t.beta) / 2}, "friction": lambda t, x: {"friction": x}},
    "D2": {"kinetic term": lambda t, x: {"kinetic": x}},
    "D4": {"kinetic term": lambda t, x: {"kinetic": x}, "mass": lambda t, x: {"mass": x * (1 + t.beta) / 2}},
    "D5": {"kinetic term": lambda t, x: {"kinetic": x}, "old kinetic term": lambda t, x: {"old": x}},
    "D10": {"beta of (1-beta) k": lambda t, x: {"force": x}},
    "D11": {"squared step": lambda t, x: {"square": x}},
    "D15": {"longest step": lambda t, x: {"reach": x}},
}
"""{law: {term: (trajectory, factor) -> what the law's residual takes}}"""


def of_law(t: Trajectory, law: ExactLaw, symmetry, lanes: np.ndarray) -> dict[str, float]:
    """{coefficient: power} of a law on some of the judged lanes, as many as tell; what moves nothing there is
    left out."""
    few = part(t, telling(t, lanes))
    with np.errstate(all="ignore"):
        r = law.residual(few, symmetry)
        off = r.measured - r.predicted
        # Of a largest value only a change that makes it smaller can be noticed.
        power = lambda t: smallest(off, r.bound, -np.abs(t) if r.at_most else t)
        found = {"prediction": power(r.predicted)}
        changes = (
            {name: (parameter(few, name), {}) for name in named(t)} if law.key not in UNPARAMETRISED else {}
        )
        changes |= {name: (few, flaw(few, 1 + STEP)) for name, flaw in TERMS.get(law.key, {}).items()}
        for name, (changed, flaws) in changes.items():
            s = law.residual(changed, symmetry, **flaws)
            change = (s.predicted - s.measured) + off
            found[name] = power(np.where(np.abs(change) > r.bound * ROUNDED, change / STEP, 0))
    return {name: x for name, x in found.items() if np.isfinite(x)}


FEW = 6  # lanes beside those in which breaking and decay are largest: a power on some lanes is one on all
UNPARAMETRISED = ("D8",)  # |u| - |v| is kept whatever the parameters are
ROUNDED = 2.0**-8  # of a bound: a smaller change of a residual may be the rounding of forming it twice


def telling(t: Trajectory, lanes: np.ndarray) -> np.ndarray:
    """A few of these lanes, chosen by their parameters: evenly, and those of the largest eta eps and eta
    k."""
    evenly = lanes[:: max(1, len(lanes) // FEW)][:FEW]
    most = [lanes[int(np.argmax((t.eta * x)[lanes]))] for x in (t.eps, t.k)]
    return np.unique([*evenly, *most])


def part(t: Trajectory, lanes: np.ndarray) -> Trajectory:
    """The trajectory of these lanes alone, with everything that is known of it already."""
    few = copy(t)
    for name, value in t.__dict__.items():
        if isinstance(value, np.ndarray) and value.shape[-1:] == (t.lanes,):
            few.__dict__[name] = value[..., lanes]
    few.kappa = [x[lanes] for x in t.kappa]
    few.extra = {name: x[lanes] for name, x in t.extra.items()}
    few.__dict__.pop("summands", None)
    return few


def named(t: Trajectory) -> tuple[str, ...]:
    """The names of the parameters that a rule reads."""
    reads = {"eta": True, "beta": t.rule.momentum, "k": t.rule.decay != "none", "eps": True}
    return (*(name for name, read in reads.items() if read), *t.extra)


def parameter(t: Trajectory, name: str, factor: float = 1 + STEP) -> Trajectory:
    """The trajectory with one parameter `factor` times as large wherever a law reads it.

    What was measured, what steps know of their number, and the bounds that are known already stay.
    """
    other = copy(t)
    if name in t.extra:
        other.extra = t.extra | {name: factor * t.extra[name]}
    else:
        setattr(other, name, factor * getattr(t, name))
    same = name != "eps" and not accumulated.reads(t, t.taken, t.rule.index(name))
    for derived in {*t.DERIVED, *(("g",) if name == "eps" else ())} - {"v_apart" if same else ""}:
        other.__dict__.pop(derived, None)
    return other
