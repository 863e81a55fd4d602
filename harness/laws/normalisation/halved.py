"""Lanes of halved eta under a coherent force, followed step by step for S2 and S4: nothing is random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.laws.normalisation.cell import G, K
from noether.laws.normalisation.relaxation import Regime


def ladder(beta: float, many: int) -> np.ndarray:
    """eta k, halved from one to the next, (many,): a relaxation time (1-beta)/(4 eta k) is a multiple of four
    steps.

    From about (1-beta)^2/20 on, where the terms of relative order eta k are a tenth.
    """
    return (1 - beta) / (16 * round(1.2 / (1 - beta)) * 2.0 ** np.arange(many))


class Halved:
    """Lanes from rest, r^4 from a quarter of its end.

    e, eta   eta k and eta of each lane;  r  their regime
    ends     (4 spans, lanes) the steps after each quarter of a relaxation time;  steps  the last of them
    """

    def __init__(self, beta: float, many: int, spans: int):
        self.beta, self.e = beta, ladder(beta, many)
        self.eta = self.e / K
        r = Regime(self.eta, beta, K, G, 1.0, 1.0)
        self.r = replace(r, x0=r.settled() / 4)
        self.ends = np.rint(np.outer(np.arange(1, 4 * spans + 1) / 4, self.r.steps)).astype(int)
        self.steps = int(self.ends.max())

    def at(self, y: np.ndarray) -> np.ndarray:
        """Of y (steps, lanes) what it is at `ends`."""
        return np.take_along_axis(y, self.ends - 1, axis=0)
