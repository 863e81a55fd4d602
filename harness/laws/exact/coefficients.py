"""The coefficients of the exact laws, and the smallest relative change of each that a record would have
called violated.

Parameters of a launch (eta, beta, k, eps) are changed in the law alone: what was measured, and the bounds,
stay those of the launch. Terms are changed by the arguments with which a law takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

import numpy as np

from noether.laws.exact import ExactLaw, Residual
from noether.mechanics import accumulated
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.powers import STEP, smallest

TERMS = {
    "D1": {"mass": lambda t, x: {"mass": x * (1 + t.kept) / 2}, "friction": lambda t, x: {"friction": x}},
    "D2": {"kinetic term": lambda t, x: {"kinetic": x}},
    "D4": {"kinetic term": lambda t, x: {"kinetic": x}, "mass": lambda t, x: {"mass": x * (1 + t.kept) / 2}},
    "D5": {"kinetic term": lambda t, x: {"kinetic": x}, "old kinetic term": lambda t, x: {"old": x}},
    "D10": {"beta of (1-beta) k": lambda t, x: {"force": x}},
    "D11": {"squared step": lambda t, x: {"square": x}},
    "D15": {"longest step": lambda t, x: {"reach": x}},
}
"""{law: {term: (trajectory, factor) -> what the law's residual takes}}"""


def of_law(t: Trajectory, law: ExactLaw, symmetry, lanes: np.ndarray) -> dict[str, float]:
    """{coefficient: power} of a law on some of the judged lanes, as many as tell; what moves nothing there is
    left out."""
    some = tuple(int(i) for i in telling(t, lanes))
    with np.errstate(all="ignore"):
        r = law.residual(variants(t, some)[0], symmetry)
        off = r.measured - r.predicted
        # Of a largest value only a change that makes it smaller can be noticed.
        power = lambda t: smallest(off, r.bound, -np.abs(t) if r.at_most else t)
        found = {"prediction": power(r.predicted)}
        for name, s in changed(t, law, symmetry, some):
            change = (s.predicted - s.measured) + off
            found[name] = power(np.where(np.abs(change) > r.bound * ROUNDED, change / STEP, 0))
    return {name: x for name, x in found.items() if np.isfinite(x)}


def changed(t: Trajectory, law: ExactLaw, symmetry, some: tuple[int, ...]) -> Iterator[tuple[str, Residual]]:
    """Each coefficient of a law with the residual of some lanes where it is 1 + STEP times as large."""
    few, varied = variants(t, some)
    names = named(t) if law.key not in UNPARAMETRISED else ()
    if names:
        s = law.residual(varied, symmetry)
        cut = lambda x, i: x[..., i : i + len(some)] if np.shape(x)[-1:] == (varied.lanes,) else x
        for i, name in enumerate(names):
            yield (
                name,
                Residual(*(cut(x, i * len(some)) for x in (s.measured, s.predicted, s.bound, s.signal))),
            )
    for name, flaw in TERMS.get(law.key, {}).items():
        yield name, law.residual(few, symmetry, **flaw(few, 1 + STEP))


def variants(t: Trajectory, some: tuple[int, ...]) -> tuple[Trajectory, Trajectory]:
    """The trajectory of some lanes alone; and of these lanes over and over, one parameter changed each time,
    in the order of `named`.

    Both are kept with t, so that what one law derives from them is there for the next.
    """
    kept = t.__dict__.setdefault("variants", {})
    if some not in kept:
        few, names = part(t, np.array(some)), named(t)
        varied = part(t, np.tile(some, len(names)))
        for i, name in enumerate(names):
            here = np.zeros(varied.lanes, bool)
            here[i * len(some) : (i + 1) * len(some)] = True
            larger = lambda x, here=here: np.where(here, (1 + STEP) * x, x)
            if name in t.extra:
                varied.extra = varied.extra | {name: larger(varied.extra[name])}
            else:
                setattr(varied, name, larger(getattr(varied, name)))
        forget(varied, {*t.DERIVED, "g"})
        kept[some] = few, varied
    return kept[some]


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
    forget(few, {"summands", "variants", "generators", "pull_of_breaking", "pull_of_decay"})
    return few


def named(t: Trajectory) -> tuple[str, ...]:
    """The names of the parameters that a rule reads."""
    reads = {"eta": True, "beta": "beta" not in t.rule.unread, "k": "k" not in t.rule.unread, "eps": True}
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
    forget(other, {*t.DERIVED, "variants", *(("g",) if name == "eps" else ())} - {"v_apart" if same else ""})
    return other


def forget(t: Trajectory, names) -> None:
    """Let a trajectory derive these again."""
    for name in names:
        t.__dict__.pop(name, None)
