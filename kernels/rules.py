"""Learning rules: how a discrete step is taken.

    gradient-descent        v' = -eta (g + k q)              q' = q + v'                    (1)
    heavy-ball              v' = beta v - eta (g + k q)      q' = q + v'                    (2)
    heavy-ball-decoupled    v' = beta v - eta g              q' = (q - eta k q) + v'        (3)
    mirror-descent          v' = -eta g(exp z)               z' = z + v',  z = log q        (4)

v is the displacement of the momentum buffer (theory.md section 1), so PyTorch's first step is v_0 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One learning rule; `number` is its equation above and its code inside the kernel."""

    name: str
    number: int
    momentum: bool
    decay: str  # "coupled", "decoupled", "none"
    log_state: bool
    metric: str  # the metric whose kinetic energy this rule has

    @property
    def decoupled(self) -> bool:
        return self.decay == "decoupled"


GRADIENT_DESCENT = Rule("gradient-descent", 1, False, "coupled", False, "euclidean")
HEAVY_BALL = Rule("heavy-ball", 2, True, "coupled", False, "euclidean")
HEAVY_BALL_DECOUPLED = Rule("heavy-ball-decoupled", 3, True, "decoupled", False, "euclidean")
MIRROR_DESCENT = Rule("mirror-descent", 4, False, "none", True, "bregman")
RULES = {r.name: r for r in (GRADIENT_DESCENT, HEAVY_BALL, HEAVY_BALL_DECOUPLED, MIRROR_DESCENT)}
