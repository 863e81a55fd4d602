"""Learning rules: how a discrete step is taken.

    gradient-descent        v' = -eta (g + k q)                   q' = q + v'                           (1)
    heavy-ball              v' = beta v - eta (g + k q)           q' = q + v'                           (2)
    heavy-ball-decoupled    v' = beta v - eta g                   q' = (q - eta k q) + v'               (3)
    mirror-descent          v' = -eta g(exp z)                    z' = z + v',  z = log q               (4)
    nesterov                v' = beta v - eta (g + k q)           q' = q + (beta v' - eta (g + k q))    (5)
    heavy-ball-dampened     v' = beta v - c eta (g + k q)         q' = q + v',  c = 1, then 1 - tau     (6)
    heavy-ball-maximize     v' = beta v - eta (-g + k q)          q' = q + v'                           (7)
    natural-gradient        v' = -eta (g + k q)                   q' = q + v' / G(q)                    (8)
    heavy-ball-metric       v' = beta v - eta (g + k q)           q' = q + v' / G(q)                    (9)
    sign-descent            v' = -eta sign(g)                     q' = q + v'                           (10)
    heavy-ball-scheduled    v' = beta v - eta (g + k q)           q' = q + c v',  c = rate of the step  (11)
    exponentiated-gradient  v' = -eta g(exp z)                    z' = y - log sum exp y,  y = z + v'   (12)

v is the displacement of the momentum buffer (theory.md section 1), v = -eta buffer, so PyTorch's first step
is v_0 = 0. On a diagonal metric, (8) and (9), v is the momentum p = G qdot, a covector as the force is, and k
q is a force as the gradient is: decay of the loss, not of the metric.
(5)-(7) are torch.optim.SGD with nesterov, dampening and maximize. Its first buffer is the force itself,
undamped: c = 1 in the step from q_0, also where a kick v_0 stands in for a buffer from before. (11) is its
SGD under a schedule: the buffer has the base learning rate and c is the ratio of the step's to it, a linear
warm-up over 8 steps, halved after 32 and after 64. (12) is (4) on the simplex, where q sums to 1; sign 0 is
0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

WARMUP, MILESTONES = 8, (32, 64)


@dataclass(frozen=True)
class Rule:
    """One learning rule; `number` is its equation above and its code inside the kernel."""

    name: str
    number: int
    momentum: bool
    decay: str  # "coupled", "decoupled", "none"
    log_state: bool
    metric: str  # the metric whose kinetic energy this rule has: euclidean, diagonal, bregman, maximum
    nesterov: bool = False
    dampening: float = 0.0  # tau
    maximize: bool = False
    scheduled: bool = False
    rate: float = 1.0  # c of the step
    simplex: bool = False
    begun: int = 0  # how many steps are behind: a step from the middle of a run, in numpy only

    def __post_init__(self):
        if self.nesterov and (self.dampening or not self.momentum):
            raise ValueError(f"rule {self.name}: nesterov needs momentum and no dampening, as in PyTorch")

    @property
    def decoupled(self) -> bool:
        return self.decay == "decoupled"

    @property
    def on_metric(self) -> bool:
        """Whether a metric G(q) of its own stands between v and what moves q."""
        return self.metric == "diagonal"

    @property
    def signed(self) -> bool:
        """Whether the force is the sign of the gradient: steepest descent in the largest component."""
        return self.metric == "maximum"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The rows of a launch's parameters."""
        return ("eta", "beta", "k", "eps", "kappa") if self.on_metric else ("eta", "beta", "k", "eps")

    @property
    def moves_by_buffer(self) -> bool:
        """Whether q' - q is v' itself, but for decoupled decay."""
        return self.moves_along_buffer and not (self.scheduled or self.simplex)

    @property
    def moves_along_buffer(self) -> bool:
        """Whether q' - q is parallel to v', but for decoupled decay."""
        return not (self.nesterov or self.on_metric)

    @property
    def screened(self) -> bool:
        """Whether the laws of a step can be traced into a kernel beside it
        (harness/laws/exact/residuals.py)."""
        return not (self.on_metric or self.signed or self.scheduled or self.simplex)

    def at(self, n: int) -> Rule:
        """The rule of step n, from 1: without its dampening in the first, with its rate under a schedule."""
        if self.scheduled:
            return replace(self, rate=rate(n + self.begun))
        return replace(self, dampening=0.0) if n + self.begun == 1 and self.dampening else self


def rate(n: int) -> float:
    """c of (11) in step n, from 1: torch's learning rate over its base. Exact in every binary type."""
    return min(n, WARMUP) / WARMUP * 0.5 ** sum(n > m for m in MILESTONES)


GRADIENT_DESCENT = Rule(
    "gradient-descent", 1, momentum=False, decay="coupled", log_state=False, metric="euclidean"
)
# What most rules with momentum have.
USUAL = dict(momentum=True, decay="coupled", log_state=False, metric="euclidean")
HEAVY_BALL = Rule("heavy-ball", 2, **USUAL)
HEAVY_BALL_DECOUPLED = Rule(
    "heavy-ball-decoupled", 3, momentum=True, decay="decoupled", log_state=False, metric="euclidean"
)
MIRROR_DESCENT = Rule("mirror-descent", 4, momentum=False, decay="none", log_state=True, metric="bregman")
NESTEROV = Rule("nesterov", 5, **USUAL, nesterov=True)
HEAVY_BALL_DAMPENED = Rule("heavy-ball-dampened", 6, **USUAL, dampening=0.25)
HEAVY_BALL_MAXIMIZE = Rule("heavy-ball-maximize", 7, **USUAL, maximize=True)
NATURAL_GRADIENT = Rule(
    "natural-gradient", 8, momentum=False, decay="coupled", log_state=False, metric="diagonal"
)
HEAVY_BALL_METRIC = Rule(
    "heavy-ball-metric", 9, momentum=True, decay="coupled", log_state=False, metric="diagonal"
)
SIGN_DESCENT = Rule("sign-descent", 10, momentum=False, decay="none", log_state=False, metric="maximum")
HEAVY_BALL_SCHEDULED = Rule("heavy-ball-scheduled", 11, **USUAL, scheduled=True)
EXPONENTIATED_GRADIENT = Rule(
    "exponentiated-gradient", 12, momentum=False, decay="none", log_state=True, metric="bregman", simplex=True
)
RULES = {
    r.name: r
    for r in (
        GRADIENT_DESCENT,
        HEAVY_BALL,
        HEAVY_BALL_DECOUPLED,
        MIRROR_DESCENT,
        NESTEROV,
        HEAVY_BALL_DAMPENED,
        HEAVY_BALL_MAXIMIZE,
        NATURAL_GRADIENT,
        HEAVY_BALL_METRIC,
        SIGN_DESCENT,
        HEAVY_BALL_SCHEDULED,
        EXPONENTIATED_GRADIENT,
    )
}
