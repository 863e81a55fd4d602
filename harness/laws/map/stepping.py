"""The learning rules of the map, stepped side by side in float64: those of kernels/programs/numpy_step.py,
and plain ones.

    natural gradient   q' = q - eta g / G(q),  the metric of the entropy, G = diag(1/q)         (1)
    rmsprop            s' = a s + (1 - a) g^2,   q' = q - eta g / (sqrt(s') + eps)              (2)
    adam               p' = b p + (1 - b) g,  s' = a s + (1 - a) g^2,
                       q' = q - (eta / (1 - b^n)) p' / (sqrt(s' / (1 - a^n)) + eps),  n from 1  (3)

(2), (3) are torch.optim.RMSprop and Adam, eps as there by default; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from noether.cases.rules import RULES, Rule
from noether.kernels.programs import numpy_step, trace
from noether.kernels.programs.namespaces import NUMPY
from noether.kernels.programs.operations import FUNCTIONS, IN_A_LOSS, OPERATIONS
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op
from noether.laws.map.table import BETA, DECAY, EPSILON, FIRST, FRICTION, RMS, SECOND

FLOAT64 = Precision("float64")
IN_TEXT = {name: getattr(NUMPY, name) if name in FUNCTIONS else OPERATIONS[name].plain for name in IN_A_LOSS}
"""What each operation is called in the text of a gradient, but for those that have a sign."""


@cache
def gradient_of(case) -> Callable:
    """g(q) -> (d, ...) of the symmetric loss: the traced program, operation by operation, so that its error
    bound holds.

    Printed as one Python function; numpy's exp and log for the kernels', which are as near, so that complex
    numbers pass.
    """
    program = trace.gradient(case)
    lines = [f"    t{at} = {printed(op, program.dim)}\n" for at, op in enumerate(program.ops)]
    outputs = ", ".join(f"t{i}" for i in program.outputs)
    space = {"np": np, **IN_TEXT}
    exec(f"def g(q):\n{''.join(lines)}    return np.array(np.broadcast_arrays({outputs}))\n", space)
    return space["g"]


def printed(op: Op, dim: int) -> str:
    """The right side of an operation's line. The last input is eps, which is 0."""
    if op.name == "input":
        return f"q[{op.value}]" if op.value < dim else "0.0 * q[0]"
    if op.name == "const":
        return repr(float(op.value))
    sign, operands = OPERATIONS[op.name].infix, [f"t{i}" for i in op.args]
    return f" {sign} ".join(operands) if sign else f"{op.name}({', '.join(operands)})"


def natural(q, g, eta, n=0, memory=None):
    """(1), the rule of kernels/programs/numpy_step.py with the entries of G beside its parameters."""
    nothing = np.zeros_like(eta)
    params, rule = [eta, nothing, nothing, nothing, nothing, 1 / q], RULES["natural-gradient"]
    (after,), _ = numpy_step.step([q], [np.zeros_like(q)], params, lambda *_: [g], rule, FLOAT64)
    return after


def rmsprop(q, g, eta, n, memory):
    memory["s"] = RMS * memory.get("s", 0.0) + (1 - RMS) * g * g
    return q - eta * g / (np.sqrt(memory["s"]) + EPSILON)  # (2)


def adam(q, g, eta, n, memory):
    memory["p"] = FIRST * memory.get("p", 0.0) + (1 - FIRST) * g
    memory["s"] = SECOND * memory.get("s", 0.0) + (1 - SECOND) * g * g
    size = np.sqrt(memory["s"]) / np.sqrt(1 - SECOND**n) + EPSILON
    return q - (eta / (1 - FIRST**n)) * memory["p"] / size  # (3)


def still(q, g, eta, n, memory):
    """The rule that does nothing: a fault."""
    return q


@dataclass(frozen=True)
class Column:
    """How a column of the map steps: a kernel rule or a plain update, and whether the mass is fixed."""

    name: str
    rule: Rule | None = None
    plain: Callable | None = None
    beta: float = 0.0
    k: float = 0.0
    fixed_mass: bool = False

    @property
    def log_state(self) -> bool:
        """Whether log q is stored."""
        return self.rule is not None and self.rule.log_state

    @property
    def decoupled(self) -> bool:
        return self.rule is not None and self.rule.decoupled

    def params(self, h: np.ndarray) -> np.ndarray:
        """eta, beta, k, eps (4, lanes) at step size h of time."""
        eta = h * h if self.fixed_mass else h
        beta = 1 - FRICTION * h if self.fixed_mass else np.full_like(h, self.beta)
        return np.stack([eta, beta, np.full_like(h, self.k), np.zeros_like(h)])


STEPPED = {
    c.name: c
    for c in (
        Column("gradient descent", RULES["gradient-descent"]),
        Column("heavy ball", RULES["heavy-ball"], beta=BETA),
        Column("fixed mass", RULES["heavy-ball"], fixed_mass=True),
        Column("Nesterov", RULES["nesterov"], beta=BETA),
        Column("decoupled decay", RULES["heavy-ball-decoupled"], beta=BETA, k=DECAY),
        Column("entropy mirror", RULES["mirror-descent"]),
        Column("natural gradient", plain=natural),
        Column("RMSProp", plain=rmsprop),
        Column("Adam", plain=adam),
        Column("sign", RULES["sign-descent"]),
    )
}


@dataclass(eq=False)
class Run:
    """What one column did: z the stored state (log q under mirror descent), v, q (n + 1, d, lanes); g (n, d,
    lanes)."""

    case: object
    column: Column
    z: np.ndarray
    v: np.ndarray
    q: np.ndarray
    g: np.ndarray
    params: np.ndarray
    counts: np.ndarray

    @property
    def lanes(self) -> np.ndarray:
        return np.arange(len(self.counts))

    def at_end(self, values: np.ndarray) -> np.ndarray:
        """values (n + 1, lanes) at each lane's own last step."""
        return values[self.counts, self.lanes]

    def largest(self, values: np.ndarray) -> np.ndarray:
        """The largest |value| up to each lane's last step."""
        inside = np.arange(len(values))[:, None] <= self.counts
        return np.where(inside, np.abs(values), 0).max(axis=0)

    def part(self, lanes: np.ndarray) -> Run:
        """These lanes alone."""
        z, v, q, g, params = (x[..., lanes] for x in (self.z, self.v, self.q, self.g, self.params))
        return Run(self.case, self.column, z, v, q, g, params, self.counts[lanes])

    @property
    def path(self) -> np.ndarray:
        """|q_N - q_0| / |q_0|, (lanes,)"""
        ends = self.q[self.counts, :, self.lanes].T
        return np.linalg.norm(ends - self.q[0], axis=0) / np.linalg.norm(self.q[0], axis=0)


class Walk:
    """What a column has done so far: z, v and g, a list of steps each."""

    def __init__(self, column: Column, q0: np.ndarray, w: np.ndarray, h: np.ndarray):
        self.column, self.params = column, column.params(h)
        self.z = [np.log(q0) if column.log_state else q0.copy()]
        self.v = [h * w if column.rule and column.rule.momentum else np.zeros_like(q0)]
        self.g, self.memory = [], {}

    def positions(self, z: np.ndarray) -> np.ndarray:
        return np.exp(z) if self.column.log_state else z

    def step(self, n: int, g: np.ndarray) -> None:
        """The n-th, along a gradient (d, lanes)."""
        z, v, rule = self.z[-1], self.v[-1], self.column.rule
        if rule:
            # One "component" of shape (d, lanes): everything but the gradient is elementwise.
            (after,), (v,) = numpy_step.step([z], [v], self.params, lambda *_: [g], rule, FLOAT64)
        else:
            after = self.column.plain(z, g, self.params[0], n, self.memory)
            v = after - z
        for kept, new in ((self.z, after), (self.v, v), (self.g, g)):
            kept.append(new)

    def run(self, case, counts: np.ndarray) -> Run:
        z, v, g = (np.array(x) for x in (self.z, self.v, self.g))
        return Run(case, self.column, z, v, self.positions(z), g, self.params, counts)


def run(case, columns, q0: np.ndarray, w: np.ndarray, h: np.ndarray, counts: np.ndarray) -> dict[str, Run]:
    """Every column from q0 (d, lanes) with start displacement h w, all in one batch of gradients, for counts
    (lanes,) steps."""
    walks, g = [Walk(c, q0, w, h) for c in columns], gradient_of(case)
    for n in range(1, int(counts.max()) + 1):
        force = g(np.concatenate([walk.positions(walk.z[-1]) for walk in walks], axis=1))
        for walk, mine in zip(walks, np.split(force, len(walks), axis=1), strict=True):
            walk.step(n, mine)
    return {walk.column.name: walk.run(case, counts) for walk in walks}
