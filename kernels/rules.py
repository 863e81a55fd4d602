"""Learning rules: how a discrete step is taken.

    gradient-descent        v' = -eta (g + k q)                       q' = q + v'                              (1)
    heavy-ball              v' = beta v - eta (g + k q)               q' = q + v'                              (2)
    heavy-ball-decoupled    v' = beta v - eta g                       q' = (q - eta k q) + v'                  (3)
    mirror-descent          v' = -eta g(exp z)                        z' = z + v',  z = log q                  (4)
    nesterov                v' = beta v - eta (g + k q)               q' = q + (beta v' - eta (g + k q))       (5)
    heavy-ball-dampened     v' = beta v - c eta (g + k q)             q' = q + v',  c = 1, then 1 - tau        (6)
    heavy-ball-maximize     v' = beta v - eta (-g + k q)              q' = q + v'                              (7)

v is the displacement of the momentum buffer (theory.md section 1), v = -eta buffer, so PyTorch's first step is v_0 = 0.
(5)-(7) are torch.optim.SGD with nesterov, dampening and maximize. Its first buffer is the force itself, undamped: c = 1 in
the step from q_0, also where a kick v_0 stands in for a buffer from before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rule:
    """One learning rule; `number` is its equation above and its code inside the kernel."""

    name: str
    number: int
    momentum: bool
    decay: str  # "coupled", "decoupled", "none"
    log_state: bool
    metric: str  # the metric whose kinetic energy this rule has
    nesterov: bool = False
    dampening: float = 0.0  # tau
    maximize: bool = False
    begun: bool = False  # whether the first step is behind: a step from the middle of a run, in numpy only

    def __post_init__(self):
        if self.nesterov and (self.dampening or not self.momentum):
            raise ValueError(f"rule {self.name}: nesterov needs momentum and no dampening, as in PyTorch")

    @property
    def decoupled(self) -> bool:
        return self.decay == "decoupled"

    def at(self, n: int) -> Rule:
        """The rule of step n, from 1: without its dampening in the first."""
        return replace(self, dampening=0.0) if n == 1 and self.dampening and not self.begun else self

    @property
    def optional(self) -> bool:
        """Whether an option of heavy ball is set."""
        return self.nesterov or self.dampening != 0 or self.maximize


GRADIENT_DESCENT = Rule("gradient-descent", 1, False, "coupled", False, "euclidean")
HEAVY_BALL = Rule("heavy-ball", 2, True, "coupled", False, "euclidean")
HEAVY_BALL_DECOUPLED = Rule("heavy-ball-decoupled", 3, True, "decoupled", False, "euclidean")
MIRROR_DESCENT = Rule("mirror-descent", 4, False, "none", True, "bregman")
NESTEROV = Rule("nesterov", 5, True, "coupled", False, "euclidean", nesterov=True)
HEAVY_BALL_DAMPENED = Rule("heavy-ball-dampened", 6, True, "coupled", False, "euclidean", dampening=0.25)
HEAVY_BALL_MAXIMIZE = Rule("heavy-ball-maximize", 7, True, "coupled", False, "euclidean", maximize=True)
RULES = {
    r.name: r
    for r in (
        GRADIENT_DESCENT, HEAVY_BALL, HEAVY_BALL_DECOUPLED, MIRROR_DESCENT, NESTEROV, HEAVY_BALL_DAMPENED, HEAVY_BALL_MAXIMIZE,
    )
}  # fmt: skip
