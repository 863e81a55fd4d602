"""Whether error bars are honest: neither too narrow nor too wide (theory.md#E2).

    counts    of the lanes within 1, 2 and 3 standard deviations of the truth, by binomial tails     (1)
    lanes     mean square of (estimate - truth)/sd over the lanes, between the limits of chi-square  (2)
    steps     the same of the residual of every single step in its own standard deviation            (3)

(3) sees the finest change, since a lane has many steps: the limits of a mean of n squares are some 1 +- 6
sqrt(2/n). What steps of a lane have in common makes fewer of them: n/(1 + (steps - 1) rho^2) for a
correlation rho. The errors are sums of bounded ones, whose squares scatter less than those of normal
variables: the limits are on the safe side. Limits are widened by MODEL, what the prediction itself may be off
by, and each stands for a third of ALARM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, gammaincinv

from noether.cases import CATALOG
from noether.laws.response.estimate import ALARM, MODEL, SURE, Estimate, covered
from noether.laws.response.faults import BARS
from noether.verdicts import judgement
from noether.verdicts.judgement import Worst
from noether.verdicts.record import Record

MEASURED = ("rayleigh", "mexican-hat", "deformed-rayleigh", "deformed-hat", "linear-network", "softmax")
"""Cases whose single steps were seen to scatter as predicted, to SURE."""
FEWEST = 30  # lanes: of fewer a third of the width may be chance


@dataclass(frozen=True)
class Spread:
    """Mean squares against `low` and `high`: the one with all of the variance must not be too large, that
    with what is expected of it not too small; they differ where a part of the variance is only a bound."""

    square: float
    tight: float
    low: float
    high: float

    @property
    def spent(self) -> float:
        """At most 1 between the limits, on a logarithm."""
        above = math.inf if self.square > 0 else 0.0
        if 0 < self.square < math.inf:
            above = math.log(self.square) / math.log(self.high)
        below = math.inf if self.tight <= 0 else 0.0  # not a number where none of the variance is expected
        if 0 < self.tight < math.inf:
            below = math.log(self.tight) / math.log(self.low)
        return max(above, below, 0.0)

    @property
    def power(self) -> float:
        """The smallest x for which bars 1 + x times as wide, and as narrow, are refused."""
        if not (0 < self.square < math.inf and 0 < self.tight < math.inf):
            return math.inf
        return max(math.sqrt(self.tight / self.low), math.sqrt(self.high / self.square), 1.0) - 1


def model_of(case) -> float:
    """What the prediction may be off by on a case."""
    return SURE if case.name in MEASURED and case in CATALOG else MODEL


def limits(n: float, model: float = MODEL, alarm: float = ALARM / 3) -> tuple[float, float]:
    """Between which a mean of n squares of normal variables lies but for `alarm`, their deviation known to
    `model`."""
    return float(2 * gammaincinv(n / 2, alarm / 2) / n) / model**2, float(chdtri(n, alarm / 2) / n) * model**2


def of_lanes(z: np.ndarray, share: np.ndarray, model: float = MODEL) -> Spread:
    """(2);  share  (lanes,) of the variance is expected, the rest bounded."""
    with np.errstate(all="ignore"):
        return Spread(float(np.mean(z * z)), float(np.mean(z * z / share)), *limits(len(z), model))


def of_steps(pulls: np.ndarray, share: np.ndarray, shared: float, model: float = MODEL) -> Spread | None:
    """(3);  pulls (steps, lanes), NaN where nothing is rounded."""
    some = ~np.isnan(pulls)
    if not some.any():
        return None
    z, share = pulls[some], share[some]
    n = len(z) / (1 + (len(pulls) - 1) * shared)
    with np.errstate(all="ignore"):
        return Spread(float(np.mean(z * z)), float(np.mean(z * z / share)), *limits(n, model))


def calibrated(
    about: dict, found: Estimate, truth, inside, what: str, fault=None, *, single=True, model=MODEL
) -> Record:
    """(1), (2) and (3) of an estimate; `single` False leaves (3) out."""
    found, truth = found.part(inside), np.broadcast_to(truth, inside.shape)[inside]
    z, (lanes, steps) = found.apart(truth), found.tight()
    expected = bool((steps == 1).all())
    spent, fractions, sigma, mean = covered(z, two_sided=expected, model=model)
    spreads = {"of lanes": of_lanes(z, lanes, model)} if len(z) else {}
    if single and len(z):
        pulls, shared = found.pulls(truth), found.steps[2].shared
        spreads["of single steps"] = of_steps(pulls, steps, shared, model)
    spreads = {name: spread for name, spread in spreads.items() if spread}
    told = ", ".join(f"{f:.3f}" for f in fractions)
    scatter = ", ".join(f"{math.sqrt(s.square):.3f} {name}" for name, s in spreads.items())
    return judgement.mean(
        Worst(max(spent, *(s.spent for s in spreads.values()), 0.0), float((np.abs(z) <= sigma).sum()), mean),
        f"within 1, 2, 3 standard deviations of {what} lie {told} of {len(z)} lanes (normal: .683, .954, "
        f".997); scatter in units of the error bars: {scatter}",
        enough=len(z) >= FEWEST,
        **about,
        fault=fault,
        data={} if fault else {"fractions": fractions},
        powers={"error bars": min((s.power for s in spreads.values()), default=math.inf)},
    )


def of_wrong_bars(about: dict, found: Estimate, truth, inside, what: str, **how) -> list[Record]:
    """The same of error bars that are too wide, and too narrow."""
    return [
        calibrated(about, found.times(fault.changed["bars"]), truth, inside, what, fault.name, **how)
        for fault in BARS
    ]
