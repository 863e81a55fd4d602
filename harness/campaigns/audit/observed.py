"""What was observed of an optimizer under scripted gradients: where its parameters were, and what is known of
the error of that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from noether.optimizers.running import WIDE, Running


@dataclass(frozen=True)
class Observed:
    """A motion: the parameters of one tensor, flat, before and after each step.

    q0         (d,) longdouble
    gradients  (steps, d) longdouble, as the target was given them
    value      (steps, d) longdouble, what the target's operations mean without rounding
    error      (steps, d) longdouble, how far that meaning may be off
    shape      of the tensor whose entries these are, (d,) where it is None
    """

    q0: np.ndarray
    gradients: np.ndarray
    value: np.ndarray
    error: np.ndarray
    shape: tuple[int, ...] | None = None

    @cached_property
    def size(self) -> np.ndarray:
        """How far each parameter moves in a step, (d,): the root of the mean square, never 0."""
        before = np.concatenate([self.q0[None], self.value[:-1]])
        typical = np.sqrt(((self.value - before) ** 2).mean(axis=0))
        return np.where(typical > 0, typical, 1)

    def spent(self, model: Running) -> np.ndarray:
        """|observed - model| in units of both errors, (steps, d).

        A model that is no number where the observed one is counts as infinite. Where the bound is infinite
        nothing can be said, and 0 is spent: `sharp` tells how much is left.
        """
        apart, reach = abs(self.value - model.value), self.error + model.error
        same = (self.value == model.value) | (np.isnan(self.value) & np.isnan(model.value))
        with np.errstate(all="ignore"):
            found = np.where(np.isinf(reach) | same, WIDE(0), apart / reach)
        return np.where(np.isnan(found), np.inf, found)

    def sharp(self, model: Running) -> float:
        """The share of the comparisons whose bound is less than 2^-10 of a step: the others prove little."""
        reach = self.error + model.error
        return float((reach <= 2.0**-10 * self.size).mean())
