"""Scripted gradients: what an optimizer is given, so that nothing but the optimizer shows in the result.

The parameters of one tensor are as many experiments side by side. Some have gradients of size 1, some ever
smaller ones, down to where eps outweighs them; one has none at all, so that decay is alone; one has a single
impulse; one has gradients that die away, so that a second moment falls again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 12
"""Enough for RAdam, which changes its mind in step 6 with beta2 = .999."""
SIZES = (1, 1, 1, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1, 1, 1, 1)
ALONE, IMPULSE, LATE, FADING = 12, 13, 14, 15


@dataclass(frozen=True)
class Script:
    """Parameters and gradients of one tensor in float64.

    q0         of the shape of the tensor
    gradients  (steps, *shape)
    """

    q0: np.ndarray
    gradients: np.ndarray

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.gradients)


def script(seed: int = 0, steps: int = STEPS, shape: tuple[int, ...] | None = None) -> Script:
    """The script of a seed: of 16 experiments side by side, or of gradients of size 1 in another shape."""
    rng = np.random.default_rng([seed, steps, *(shape or ())])
    if shape is not None:
        return Script(rng.standard_normal(shape), rng.standard_normal((steps, *shape)))
    sizes = np.array(SIZES)
    gradients = rng.standard_normal((steps, sizes.size)) * sizes
    gradients[:, ALONE] = 0
    gradients[1:, IMPULSE] = 0
    gradients[:4, LATE], gradients[5:, LATE] = 0, 0
    gradients[:, FADING] *= 0.5 ** np.arange(steps)
    q0 = rng.standard_normal(sizes.size)
    return Script(np.where(sizes < 1e-2, q0 * sizes, q0), gradients)
