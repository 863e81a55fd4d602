"""Least squares for one magnitude, its standard deviation, and whether error bars are honest.

y_n = eps x_n + r_n,    eps^ = sum x y / sum x^2,    sd = sqrt(Var sum x r) / sum x^2  (1)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import bdtr, bdtrc, ndtr  # scipy.stats takes half a second to import (1.17)

from noether.laws.response.scatter import Scatter
from noether.verdicts.figures import Lines

ALARM = 1e-9
"""Rate of false alarms of one cell (architecture: rules of evidence, 4)."""
ONE_SIGMA = float(2 * ndtr(1) - 1)
SIGMAS = (1, 2, 3)
MODEL = 1.125
"""What a predicted standard deviation may be off by, either way: rounding.py takes different roundings as
independent and the digits of what is rounded as uniform. Measured on every case of the catalogue and a dozen
others, 24 steps in float64: the residuals of single steps scatter by .91 to 1.04 of it (docs/measurements,
coverage).
"""
SURE = 1.01
"""The same where it was measured on 10^5 steps: .996 to 1.007 on the core cases, of E4's hat in the wide
types too."""


@dataclass(frozen=True)
class Estimate:
    """value, sd (lanes,) of (1);  weight (lanes,) is sum x^2: what pooling lanes weighs them by.

    shift   (lanes,) by which roundings that are no chance move the value, rounding.py (7)
    steps   x and y of (1), (steps, lanes), and what roundings do to r
    factor  what sd was multiplied by: a fault's error bars
    """

    value: np.ndarray
    sd: np.ndarray
    weight: np.ndarray
    shift: np.ndarray | float = 0.0
    steps: tuple[np.ndarray, np.ndarray, Scatter] | None = None
    factor: float = 1.0

    @classmethod
    def fitted(cls, x: np.ndarray, y: np.ndarray, scatter: Scatter) -> Estimate:
        """(1) of x, y (steps, lanes); its standard deviation is what roundings scatter it by."""
        value, weight = least_squares(x, y)
        with np.errstate(all="ignore"):
            variance, known = scatter.of_sum(x)
            return cls(value, np.sqrt(variance) / weight, weight, known / weight, (x, y, scatter))

    def apart(self, truth) -> np.ndarray:
        """(lanes,) distance from where the truth is expected, in sd; infinite where nothing finite came
        out."""
        with np.errstate(all="ignore"):
            off = self.value - truth - self.shift
            z = np.where((off == 0) & ~np.isnan(self.sd), 0, off / self.sd).astype(float)
        return np.where(np.isfinite(z), z, np.inf)

    @classmethod
    def joined(cls, parts: list[Estimate]) -> Estimate:
        """Lanes side by side, of estimates with error bars of one kind."""
        value, sd, weight, shift = (
            np.concatenate([getattr(p, n) for p in parts]) for n in ("value", "sd", "weight", "shift")
        )
        x, y = (np.concatenate([p.steps[i] for p in parts], axis=1) for i in (0, 1))
        return cls(
            value, sd, weight, shift, (x, y, Scatter.joined([p.steps[2] for p in parts])), parts[0].factor
        )

    def part(self, lanes: np.ndarray) -> Estimate:
        """Of some lanes, (lanes,) bool."""
        x, y, scatter = self.steps
        shift = np.broadcast_to(self.shift, self.value.shape)[lanes]
        steps = (x[:, lanes], y[:, lanes], scatter.part(lanes))
        return replace(
            self,
            value=self.value[lanes],
            sd=self.sd[lanes],
            weight=self.weight[lanes],
            shift=shift,
            steps=steps,
        )

    def times(self, factor: float) -> Estimate:
        """The same with error bars so many times as wide."""
        return replace(self, sd=self.sd * factor, factor=self.factor * factor)

    def pulls(self, truth) -> np.ndarray:
        """(steps, lanes) residuals about what is known of them in their own sd; NaN where nothing is
        rounded."""
        x, y, scatter = self.steps
        with np.errstate(all="ignore"):
            off = (y - truth * x).astype(float) - scatter.known
            return off / (np.sqrt(scatter.of_step) * self.factor)

    def tight(self) -> tuple[np.ndarray, np.ndarray]:
        """(lanes,), (steps, lanes): of the variances that part which is expected and not only bounded."""
        x, _, scatter = self.steps
        less = replace(scatter, variance=scatter.variance - scatter.loose)
        with np.errstate(all="ignore"):
            whole, part = scatter.of_sum(x)[0], less.of_sum(x)[0]
            return np.where(whole > 0, part / whole, 1.0), np.where(
                scatter.of_step > 0, less.of_step / scatter.of_step, 1.0
            )


def least_squares(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(eps^, sum x^2) over axis 0."""
    weight = (x * x).sum(axis=0)
    with np.errstate(all="ignore"):
        return (x * y).sum(axis=0) / weight, weight


def tail(lanes: int, alarm: float = ALARM) -> float:
    """How many standard deviations all lanes stay within, but for `alarm`: sub-Gaussian, rounding.py (4)."""
    return float(np.sqrt(2 * np.log(2 * lanes / alarm)))


def robust(deviations: np.ndarray) -> float:
    """The deviation that 68.3 % stay within: the standard deviation of a normal variable, deaf to a few wild
    lanes."""
    return float(np.quantile(np.abs(deviations), ONE_SIGMA))


def mixed(sd: np.ndarray, shift: np.ndarray | float = 0.0, share: float = ONE_SIGMA) -> float:
    """What robust() of lanes with these normal variables should be: P(|x| <= s) averaged over the lanes is
    `share`."""
    low, high = 0.0, 8 * float(np.max(sd) + np.max(np.abs(shift))) + 1e-300
    for _ in range(80):
        middle = (low + high) / 2
        inside = ndtr((middle - shift) / sd) - ndtr((-middle - shift) / sd)
        low, high = (middle, high) if np.mean(inside) < share else (low, middle)
    return high


def binomial_limits(n: int, p: float, alarm: float) -> tuple[int, int]:
    """Fewest and most of n that occur, each but for alarm/2."""
    every = np.arange(n + 1)
    return int(np.argmax(bdtr(every, n, p) >= alarm / 2)), int(np.argmax(bdtrc(every, n, p) <= alarm / 2))


def covered(
    z: np.ndarray, *, two_sided: bool, model: float = MODEL, alarm: float = ALARM
) -> tuple[float, list[float], int, float]:
    """How honest error bars are: the fractions of |z| within 1, 2 and 3 against the normal ones, by binomial
    tails.

    Bars `model` times as wide must cover enough and, two-sided, bars 1/model as wide must not cover too much.
    Returns spent (at most 1 but for `alarm`), the fractions, the sigmas that spend most and what they are
    expected to cover.
    """
    n, worst = len(z), (0.0, SIGMAS[0], 0.0)
    count = lambda k: int((np.abs(z) <= k).sum())
    for k in SIGMAS:
        p = float(2 * ndtr(k) - 1)
        mean, (low, high) = n * p, binomial_limits(n, p, alarm / len(SIGMAS))
        # A half: a count on the limit is still inside.
        few = (mean - count(k * model)) / (mean - low + 0.5)
        many = (count(k / model) - mean) / (high + 0.5 - mean) if two_sided else 0.0
        worst = max(worst, (float(max(few, many)), k, mean))
    return worst[0], [count(k) / max(n, 1) for k in SIGMAS], worst[1], worst[2]


def histogram(
    value: np.ndarray, sd: np.ndarray, shift: np.ndarray, least: float = 1.0, most: float = 1.0
) -> Lines:
    """Sorted |eps^| against the share of lanes below it, measured and, from the lanes that are followed,
    predicted.

    least, most  factors by which the sizes may differ from the predicted ones: two curves more
    """
    size = np.sort(np.abs(value))
    at = np.linspace(0, len(size) - 1, 40).astype(int)
    below = lambda x: float(np.mean(ndtr((x - shift) / sd) - ndtr((-x - shift) / sd)))
    shares = lambda factor: [below(size[i] / factor) for i in at]
    room = {"at least": shares(most), "at most": shares(least)} if least < most else {}
    return Lines(
        x=size[at],
        series={"measured": [(i + 1) / len(size) for i in at], "predicted": shares(1.0), **room},
        xlabel="|eps^| at eps = 0",
        ylabel="share of trajectories below",
        xscale="log",
        yscale="linear",
        caption="How far rounding alone scatters the recovered breaking: the distribution follows from the "
        "roundings of the stores.",
    )
