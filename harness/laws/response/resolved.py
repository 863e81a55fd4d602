"""How a recovered magnitude is told: over how many decades it is told from 0, and the plot of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.verdicts.figures import Response

RESOLVED = 4.0
"""Standard deviations, or bounds, at which an estimate is told from 0."""
SHOWN = 60


@dataclass(frozen=True)
class Resolved:
    """Lanes by what was put in and what came out.

    truth, size, bound   (lanes,) put in, |recovered| and error bar;  seen  (lanes,) told from 0
    """

    truth: np.ndarray
    size: np.ndarray
    bound: np.ndarray
    seen: np.ndarray

    @classmethod
    def of(cls, truth, value, bound, unit, inside=True) -> Resolved:
        """unit (lanes,): RESOLVED of it are needed, of the truth and of what came out, in lanes `inside`."""
        with np.errstate(over="ignore"):  # of a lane that says nothing
            size, bound, unit = (np.abs(x).astype(float) for x in (value, bound, unit))
        seen = inside & (truth > RESOLVED * unit) & (size > RESOLVED * unit)
        return cls(truth, size, bound, seen)

    @property
    def decades(self) -> float:
        truth = self.truth[self.seen]
        return float(np.log10(truth.max() / truth.min())) if truth.size else 0.0

    @property
    def smallest(self) -> float:
        return float(self.truth[self.seen].min()) if self.seen.any() else np.inf

    def drawn(self, symbol: str, caption: str) -> Response:
        """Some SHOWN of the lanes."""
        shown = np.flatnonzero(self.truth > 0)[:: max(1, len(self.truth) // SHOWN)]
        truth = self.truth[shown]
        return Response(
            x=truth,
            series={"recovered": self.size[shown], "put in": truth, "error bar": self.bound[shown]},
            xlabel=f"{symbol} put in",
            ylabel=f"{symbol} recovered",
            xscale="log",
            yscale="log",
            window=(self.smallest, self.truth.max()) if self.seen.any() else None,
            caption=caption,
        )
