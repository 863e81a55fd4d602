"""What a rule may claim of its steps: how far one can go, and how long it is.

Both are statements about exact arithmetic, proven where they stand; the laws D15 and D16 judge them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounded:
    """How far a step can go, whatever the gradient: |y| <= eta c, with y what moves q beside decoupled decay.

    by    by(n, p) -> c, from the number n of the step, from 1, and p, what update reads of it; arrays
    norm  "max", the largest component, or "spectral", of the matrix of q by rows (cases/matrices.py)
    cold  whether this needs buffers that start at 0, for it is true of averages of the gradients alone
    past  past(d, u) -> by how much a step of d parameters, computed with the unit roundoff u and stored in
          no buffer, may pass c, whatever it was computed from; where it is left out, that is the running
          error of the lines
    """

    by: Callable
    norm: str = "max"
    cold: bool = False
    past: Callable | None = None


BY_SIGNS = Bounded(by=lambda n, p: 1, past=lambda d, u: 0.0)
"""A sign is 1, 0 or -1, also a computed one."""


@dataclass(frozen=True)
class Length:
    """How long a step is, whatever the direction of the gradient, in the Euclidean norm of all components.

    by  by(q, new, g, p, xp) -> the length; new are the new buffers
    of  "move", of what moves q beside decoupled decay, or "pull", of what enters the covector, p' - a p
    """

    by: Callable
    of: str = "move"
