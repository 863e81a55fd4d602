"""The parameters of the trajectories of continuous time: masses, frictions, magnitudes, in general position.

At mu = 1 friction over mass, its square over mass and one over mass are one number, and the (1 - mu) Delta/m
of Bregman's equation is none. So no two of mu, 1 - mu, m, eps, kappa, k and 1 are equal or simply related,
nor are their squares, mu m and mu/m; a test holds that. Two frictions a statement: a law that is right at one
of them by accident is not at the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.mechanics import flow


@dataclass(frozen=True)
class Setting:
    """What the lanes of each mass have."""

    mu: float
    eps: float = 0.0
    kappa: float = 0.0
    k: float = 0.0


HEAVY = 0.9
MASSES = {"glance": (HEAVY,), "quick": (HEAVY, 1.51e-4), "full": (HEAVY, 0.135, 1.35e-2, 1.87e-3, 1.51e-4)}
FRICTION, OTHER_FRICTION = 0.83, 1.32
SETTINGS = (Setting(FRICTION, eps=0.199, kappa=0.61, k=0.065), Setting(OTHER_FRICTION))
FREE = (Setting(OTHER_FRICTION),)  # of T5, whose statement has no source: neither breaking nor decay
GLANCE = {"points": 4, "final": 1.0}  # a part of the layer, where every term of the law is at work


def spread(masses, settings: tuple[Setting, ...]) -> flow.Parameters:
    """Every mass with every setting, mass by mass."""
    m = np.repeat(np.array(masses, dtype=float), len(settings))
    columns = ([getattr(s, name) for s in settings] for name in ("mu", "eps", "kappa", "k"))
    return flow.Parameters(m, *(np.tile(np.array(c, dtype=float), len(masses)) for c in columns))
