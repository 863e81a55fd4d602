"""What the rounding of the equations of motion does to a charge and to the energy along a solution.

A solver evaluates rates that are off by delta, and sources that are off by sigma. Along what it returns,

    d/dt (j - S) = -(mu/m) (j - S) + e,    e = <dj/dx, delta> - sigma                                    (1)

and no distance between two methods shows e, for all of them evaluate the same operations: where a force is
a small difference of large terms, as that of a translation far from the origin, e is the largest error
there is. delta and sigma are measured at the output times, as the distance of the rates in float64 from
those of the same operations in 64 bits: a wrong term is in both and widens nothing.
"""

from __future__ import annotations

import numpy as np

from noether.mechanics.symbolic_mechanics import TOTAL
from noether.mechanics.wide import WIDE

# Between output times e is not seen. Of roundings spread evenly up to their bound, n of n samples stay below
# half of it with probability 2^-n, n >= 24; plain floats take the same operations in another order: 2 again.
UNSEEN = 4
NUDGE = (
    2.0**-20
)  # of each coordinate: a finite difference of this size is off by 2^-20, loses 2^-44 in 64 bits
NEAR_ZERO = 2.0**-40  # of the largest coordinate: one that is smaller may be nudged by NUDGE of this


def rounded(t) -> tuple[np.ndarray, np.ndarray]:
    """delta (2d, n, lanes) and the errors of all other rates, (sources + powers, n, lanes), longdouble."""
    x, values, d = np.moveaxis(t.x, 1, 0), t.parameters.values, 2 * t.mechanics.dim
    with np.errstate(all="ignore"):
        off = t.mechanics.field(*x, *values) - t.mechanics.field(*x.astype(WIDE), *values)
    return off[:d], off[d:]


def along(t, quantity, delta: np.ndarray) -> np.ndarray:
    """<d quantity/dx, delta>, (..., n, lanes): a difference in the direction of delta, so short that no
    coordinate comes to 0: a logarithm has no value beyond.

    quantity(x (2d, n, lanes)) -> (..., n, lanes)
    """
    x = np.moveaxis(t.x, 1, 0).astype(WIDE)
    room = NUDGE * np.maximum(np.abs(x), NEAR_ZERO * np.max(np.abs(x), axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0: a coordinate that stays 0
        scale = np.min(np.where(delta == 0, np.inf, room / np.abs(delta)), axis=0)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1)
    return (quantity(x + scale * delta) - quantity(x)) / scale


def strayed_charges(t) -> np.ndarray:
    """How far rounding may have driven j - S of each symmetry by each output time, (symmetries, n, lanes)."""
    delta, others = rounded(t)
    count = len(t.mechanics.parts)
    charges = along(t, lambda x: t.mechanics.charges(*x, *t.parameters.values)[:count], delta)
    sigma = [sum((others[w[n]] for n in TOTAL if n in w), 0 * t.times) for w in t.mechanics.parts]
    kept = t.parameters.m / t.parameters.mu
    return lasting(charges - np.array(sigma), np.minimum(t.times, kept))


def strayed_energy(t) -> np.ndarray:
    """How far rounding may have driven E and what friction took apart by each output time, (n, lanes)."""
    delta, others = rounded(t)
    energy = along(t, lambda x: sum(t.mechanics.energy(*x, *t.parameters.values)[:2]), delta)
    return lasting(energy + t.parameters.mu * others[-1], t.times)


def lasting(e: np.ndarray, time: np.ndarray) -> np.ndarray:
    """UNSEEN times the largest |e| seen, for as long as it adds up: min(t, m/mu) of what is damped."""
    return (UNSEEN * np.max(np.abs(e), axis=-2, keepdims=True) * time).astype(float)
