"""Least squares for one magnitude, its standard deviation, and whether error bars are honest.

    y_n = eps x_n + r_n,    eps^ = sum x y / sum x^2,    sd = sqrt(Var sum x r) / sum x^2                       (1)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, bdtrc, ndtr  # scipy.stats takes half a second to import (1.17)

ALARM = 1e-9
"""Rate of false alarms of one cell (architecture: rules of evidence, 4)."""
ONE_SIGMA = float(2 * ndtr(1) - 1)
SIGMAS = (1, 2, 3)
MODEL = 1.25
"""What a standard deviation may be off by: roundings of successive steps are taken as independent and are so within this
factor while a trajectory moves (measured: 1.00 to 1.03 on the hat, softmax, linear network; 1.19 on the Rayleigh quotient).
"""


@dataclass(frozen=True)
class Estimate:
    """value, sd (lanes,) of (1);  weight (lanes,) is sum x^2: what pooling lanes weighs them by."""

    value: np.ndarray
    sd: np.ndarray
    weight: np.ndarray

    def apart(self, truth) -> np.ndarray:
        """(lanes,) distance from the truth in standard deviations; infinite where nothing finite came out."""
        with np.errstate(all="ignore"):
            z = ((self.value - truth) / self.sd).astype(float)
        return np.where(np.isfinite(z), z, np.inf)


def least_squares(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(eps^, sum x^2) over axis 0."""
    weight = (x * x).sum(axis=0)
    with np.errstate(all="ignore"):
        return (x * y).sum(axis=0) / weight, weight


def tail(lanes: int, alarm: float = ALARM) -> float:
    """How many standard deviations all lanes stay within, but for `alarm`: sub-Gaussian, rounding.py (4)."""
    return float(np.sqrt(2 * np.log(2 * lanes / alarm)))


def robust(deviations: np.ndarray) -> float:
    """The deviation that 68.3 % stay within: the standard deviation of a normal variable, deaf to a few wild lanes."""
    return float(np.quantile(np.abs(deviations), ONE_SIGMA))


def mixed(sd: np.ndarray) -> float:
    """What robust() of lanes with these standard deviations should be: P(|x| <= s) averaged over the lanes is 68.3 %."""
    low, high = 0.0, float(np.max(sd)) + 1e-300
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(2 * ndtr(middle / sd) - 1) < ONE_SIGMA else (low, middle)
    return high


def covered(z: np.ndarray, *, two_sided: bool, alarm: float = ALARM) -> tuple[float, list[float], int, float]:
    """How honest error bars are: the fractions of |z| within 1, 2 and 3 against the normal ones, by binomial tails.

    Bars MODEL times as wide must cover enough and, two-sided, bars 1/MODEL as wide must not cover too much. Returns spent
    (at most 1 but for `alarm`), the fractions, the sigmas that spend most and what they are expected to cover.
    """
    n, worst = len(z), (0.0, SIGMAS[0], 0.0)
    count = lambda k: int((np.abs(z) <= k).sum())  # noqa: E731
    for k in SIGMAS:
        p = float(2 * ndtr(k) - 1)
        share = alarm / len(SIGMAS) / (2 if two_sided else 1)
        every, mean = np.arange(n + 1), n * p
        low, high = np.argmax(bdtr(every, n, p) >= share), np.argmax(bdtrc(every, n, p) <= share)
        # A half: a count on the limit is still inside.
        few = (mean - count(k * MODEL)) / (mean - low + 0.5)
        many = (count(k / MODEL) - mean) / (high + 0.5 - mean) if two_sided else 0.0
        worst = max(worst, (float(max(few, many)), k, mean))
    return worst[0], [count(k) / n for k in SIGMAS], worst[1], worst[2]
