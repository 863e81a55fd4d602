"""Whether every gradient that was looked at was clipped to one norm, and on which side of the loss scale.

torch.nn.utils.clip_grad_norm_ multiplies a gradient of norm N by c/(N + 1e-6) where that is below 1, so that
what is left has the norm c/(1 + 1e-6/N). N and the norm of what is left are each found by sums of squares in
pairs, over n numbers: log2(n) + 8 roundings of the gradient's type, counting the coefficient and the
product.                                                                                                  (1)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

EPS = 1e-6
"""What torch.nn.utils.clip_grad_norm_ adds to the norm (torch 2.13)."""
FEWEST = 3  # samples of one norm that are not there by chance
DIGITS = 3  # significant digits that people write a norm with


@dataclass
class Clipping:
    """The norms of the gradients that were some number times the network's own.

    points  (norm, x, what it may be off by as a share of it, scale of the loss) a sample
    """

    points: list[tuple[float, float, float, float | None]] = field(default_factory=list)

    def saw(self, given: Iterable[torch.Tensor], factor: float, scale: float | None) -> None:
        """One gradient, which is x times the network's own. scale: of the loss."""
        given = list(given)
        norm = math.sqrt(sum(float(g.to(torch.float64).square().sum()) for g in given))
        if not norm > 0 or not factor > 0:
            return
        count = sum(g.numel() for g in given)
        unit = max(torch.finfo(g.dtype).eps for g in given) / 2
        off = 2 * (math.log2(count) + 8) * unit + EPS * factor * (scale or 1.0) / norm  # (1)
        self.points.append((norm, factor, off, scale))

    @property
    def to(self) -> tuple[float, float] | None:
        """The one norm that all of them have, and what it may be off by; None where they have several."""
        if len(self.points) < FEWEST:
            return None
        norms, factors = [p[0] for p in self.points], [p[1] for p in self.points]
        off = max(p[2] for p in self.points) * max(norms)
        share = off / max(norms)
        if max(norms) - min(norms) > 2 * off or max(factors) - min(factors) <= 2 * share * max(factors):
            return None
        return max(norms), off

    @property
    def of_scaled(self) -> tuple[float, float] | None:
        """(the scale of the loss, a short number) where the norm times the scale is one, and the norm is not:
        then the gradient was clipped before it was divided by the scale."""
        scales = {p[3] for p in self.points}
        if self.to is None or len(scales) != 1 or None in scales:
            return None
        (scale,), (norm, off) = scales, self.to
        short = shortened(norm * scale)
        if scale == 1.0 or abs(short - norm * scale) > off * scale or abs(shortened(norm) - norm) <= off:
            return None
        return scale, short


def shortened(x: float) -> float:
    """The nearest number of DIGITS significant digits."""
    return float(f"{x:.{DIGITS - 1}e}")
