"""The order of an error in eta, decided or not (theory.md, end of section 5).

With errors e_j at eta = 2^-j, each known to within noise_j (reference error + rounding floor),

    p_j = log2(e_j / e_{j+1})                                           (1)  the sign is kept
    p*  = 2 p_J - p_{J-1}                                               (2)  the next term, extrapolated
    B   = max_i 2^-i |p_{J-i} - p_{J-i-1}| + 3 noise_J / (e_J ln 2)     (3)  i = 0, 1, 2;  the first at least
        SETTLED

(3) takes the last difference and what the two before it forecast by halving: in the asymptotic regime all
three agree, and where the differences pass through zero the last alone is too small by accident (measured:
p* = .9976 after 1.033, 1.007, 1.000, .999, where |p_J - p_{J-1}| = .001).

Step sizes from the first whose noise term in (3) reaches 1/8 on are left out: they are on the rounding
plateau. Where the last difference of p_j exceeds both before it (one alone may be small because the
differences pass through zero) two terms are at their turning point. From there on the differences halve at
last: TURNING of the last are allowed for all that is still to come, instead of the first part of (3), where
they come to CERTAIN at most. Not decided when fewer than FEWEST are left, when the errors change sign, or
when B >= 1/2: then B cannot tell neighbouring integers apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DISTINGUISHES = 0.5
FEWEST = 5
PLATEAU = 1 / 8
# Differences that pass through zero are all small by accident where two of their terms cancel.
SETTLED = 2.0**-10
TURNING = 8.0
# most that TURNING differences may come to: no other whole number is near, and no half is called one
CERTAIN = 0.25


@dataclass(frozen=True)
class Order:
    """An observed order: the p_j of (1), its value (2) and bound (3), which are None where it is not decided,
    and the reason."""

    orders: tuple[float, ...]
    value: float | None
    bound: float | None
    reason: str

    @property
    def is_decided(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


def decide(errors: Sequence[float], noise: Sequence[float]) -> Order:
    """errors (J,) signed or norms, eta halved from one to the next; noise (J,) >= 0, in the same unit."""
    e, noise = np.asarray(errors, dtype=float), np.asarray(noise, dtype=float)
    if e.shape != noise.shape or e.ndim != 1:
        raise ValueError(
            f"errors is {e.shape} but noise is {noise.shape}: they must be one vector each, of one length"
        )
    if not np.all(np.isfinite(e)):
        first = int(np.argmin(np.isfinite(e)))
        return Order((), None, None, f"the error at step size {first} is {e[first]}")
    with np.errstate(divide="ignore", invalid="ignore"):
        floors = np.where(e == 0, np.inf, 3 * noise / (np.abs(e) * np.log(2)))
    above = len(e) if np.all(floors < PLATEAU) else int(np.argmin(floors < PLATEAU))
    if above < FEWEST:
        few = f"{above} of {len(e)} step sizes are above the rounding plateau"
        return Order((), None, None, f"{few}: at least {FEWEST} are needed")
    e, floor = e[:above], floors[above - 1]
    if np.any(np.sign(e) != np.sign(e[0])):
        return Order((), None, None, "the errors change sign")
    p = np.log2(e[:-1] / e[1:])  # (1)
    orders = tuple(float(x) for x in p)
    *_, earlier, before, last = np.abs(np.diff(p))
    grows = last > max(earlier, before, floor, SETTLED)
    drift = TURNING * last if grows else max(last, before / 2, earlier / 4, SETTLED)
    value, bound = float(2 * p[-1] - p[-2]), float(drift + floor)  # (2), (3)
    if grows and bound > CERTAIN:
        return Order(
            orders, None, None, f"the differences of p_j grow: {earlier:.3g}, {before:.3g}, then {last:.3g}"
        )
    if bound >= DISTINGUISHES:
        return Order(orders, None, None, f"p* = {value:.3g} within {bound:.3g}: the bound must be below 1/2")
    return Order(orders, value, bound, f"p* = {value:.4g} within {bound:.2g}")
