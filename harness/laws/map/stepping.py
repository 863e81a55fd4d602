"""The learning rules of the map, stepped side by side in float64: the lines of the catalogue's own rules.

A step is the traced program of the rule, printed as one Python function: on arrays (d, lanes) where each
component goes its own way, else on d arrays of lanes. What a step knows of its number comes from the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from noether.cases.rule import Rule
from noether.cases.rules import RULES
from noether.cases.turns import by_components
from noether.kernels.programs import trace
from noether.kernels.programs.namespaces import NUMPY
from noether.kernels.programs.operations import FUNCTIONS, OPERATIONS
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.trace_rule import update_program
from noether.laws.map.table import BETA, DECAY, FIRST, FRICTION, NU, RMS, SECOND, STABILITY, TRUST

FLOAT64 = Precision("float64")
IN_TEXT = {name: getattr(NUMPY, name) if name in FUNCTIONS else row.numpy for name, row in OPERATIONS.items()}
"""What each operation is called in a text, but for those that have a sign. exp and log are numpy's, as near
as the kernels', so that complex numbers pass; a store of float64 changes nothing."""


@cache
def gradient_of(case) -> Callable:
    """g(q) -> (d, ...) of the symmetric loss: the traced program, operation by operation, so that its error
    bound holds. The last input is eps, which is 0."""
    program = trace.gradient(case)
    inputs = [*(f"q[{i}]" for i in range(program.dim)), "0.0 * q[0]"]
    run = function(program, inputs, "q")
    return lambda q: np.array(np.broadcast_arrays(*run(q)))


def function(program: Program, inputs: list[str], arguments: str) -> Callable:
    """A program as a Python function of these arguments, which gives a tuple.  inputs  how each is written"""
    lines = [f"    t{at} = {printed(op, inputs)}\n" for at, op in enumerate(program.ops)]
    outputs = ", ".join(f"t{i}" for i in program.outputs)
    space = dict(IN_TEXT)
    exec(f"def made({arguments}):\n{''.join(lines)}    return {outputs},\n", space)
    return space["made"]


def printed(op: Op, inputs: list[str]) -> str:
    """The right side of an operation's line."""
    if op.name == "input":
        return inputs[op.value]
    if op.name == "const":
        return repr(float(op.value))
    sign, operands = OPERATIONS[op.name].infix, [f"t{i}" for i in op.args]
    if op.name in ("store", "store_buffer"):
        return operands[0]
    return f" {sign} ".join(operands) if sign else f"{op.name}({', '.join(operands)})"


@cache
def step_of(rule: Rule, d: int) -> Callable:
    """A step of d parameters, q' and the new buffers one after the other from q, v, g and p, tuples."""
    program = update_program(rule, d)
    return function(program, list(program.names), "q, v, g, p")


def natural(q, g, eta):
    """A step of natural gradient descent on the metric of the entropy, G = diag(1/q); (d, lanes)."""
    rule = RULES["natural-gradient"]
    given = {"eta": eta, "k": 0.0, "beta": 0.0, "eps": 0.0, "kappa": 0.0}
    return step_of(rule, 1)((q,), (0 * q,), (g,), (*(given[x] for x in rule.parameters), 1 / q))[0]


@dataclass(frozen=True)
class Column:
    """How a column of the map steps: its rule and its parameters beside eta; None stands still, a fault.

    pace  eta of a step of time h: h itself, "fixed mass" for h^2 with beta = 1 - mu h, or "root" for sqrt(h)
    """

    name: str
    rule: Rule | None = None
    given: tuple[tuple[str, float], ...] = ()
    pace: str = ""

    @property
    def log_state(self) -> bool:
        """Whether log q is stored."""
        return self.rule is not None and self.rule.log_state

    @property
    def decoupled(self) -> bool:
        return self.rule is not None and self.rule.decoupled

    @property
    def kicked(self) -> bool:
        """Whether its first buffer is a displacement that is carried over: then it starts with one."""
        return self.rule is not None and self.rule.momentum and self.rule.buffers[0] == "v"

    def params(self, h: np.ndarray) -> np.ndarray:
        """The rows of Rule.parameters (rows, lanes) at step size h of time."""
        if self.rule is None:
            return h[None]
        eta = {"": h, "fixed mass": h * h, "root": np.sqrt(h)}[self.pace]
        found = {"eta": eta, **dict(self.given)}
        if self.pace == "fixed mass":
            found["beta"] = 1 - FRICTION * h
        return np.stack([np.broadcast_to(found.get(x, 0.0), h.shape) for x in self.rule.parameters])


def column(name: str, rule: str, pace: str = "", **given: float) -> Column:
    return Column(name, RULES[rule], tuple(given.items()), pace)


ADAM = {"beta": FIRST, "beta2": SECOND, "stability": STABILITY}
STEPPED = {
    c.name: c
    for c in (
        column("gradient descent", "gradient-descent"),
        column("heavy ball", "heavy-ball", beta=BETA),
        column("fixed mass", "heavy-ball", pace="fixed mass"),
        column("Nesterov", "nesterov", beta=BETA),
        column("QHM", "qhm", beta=BETA, nu=NU),
        column("decoupled decay", "heavy-ball-decoupled", beta=BETA, k=DECAY),
        column("normalised", "normalised-gradient", stability=STABILITY),
        column("LARS", "lars", beta=BETA, trust=TRUST, stability=STABILITY),
        column("entropy mirror", "mirror-descent"),
        column("natural gradient", "natural-gradient"),
        column("Adagrad", "adagrad", pace="root", stability=STABILITY),
        column("RMSProp", "rmsprop", beta2=RMS, stability=STABILITY),
        column("Adam", "adam", **ADAM),
        column("LAMB", "lamb", **ADAM),
        column("sign", "sign-descent"),
        column("Signum", "signum", beta=BETA),
        column("Lion", "lion", beta=BETA, beta2=SECOND),
        column("orthogonal", "orthogonal-descent", stability=STABILITY),
        column("Muon", "muon", beta=BETA, stability=STABILITY),
    )
}


@dataclass(eq=False)
class Run:
    """What one column did: z the stored state (log q under mirror descent), q (n + 1, d, lanes); g (n, d,
    lanes); v its first buffer, or the displacement of a column without rule, (n + 1, d, lanes)."""

    case: object
    column: Column
    z: np.ndarray
    v: np.ndarray
    q: np.ndarray
    g: np.ndarray
    params: np.ndarray
    counts: np.ndarray
    derived: dict = field(default_factory=dict, init=False)  # of this one: `replace` begins anew

    def once(self, name, make: Callable):
        """What make() gives, made once for this run under a name."""
        if name not in self.derived:
            self.derived[name] = make()
        return self.derived[name]

    def parameter(self, name: str) -> np.ndarray:
        """A parameter of every lane, 0 where the rule has none of this name or does not read it."""
        rule = self.column.rule
        if rule is None or name not in rule.parameters:
            return 0 * self.params[0]
        return self.params[rule.parameters.index(name)]

    @property
    def eta(self) -> np.ndarray:
        return self.parameter("eta")

    @property
    def beta(self) -> np.ndarray:
        return self.parameter("beta")

    @property
    def k(self) -> np.ndarray:
        return self.parameter("k")

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
        """These lanes alone, as far as the longest of them goes."""
        counts = self.counts[lanes]
        last = int(counts.max())
        z, v, q = (x[: last + 1, ..., lanes] for x in (self.z, self.v, self.q))
        return Run(self.case, self.column, z, v, q, self.g[:last, ..., lanes], self.params[:, lanes], counts)

    @property
    def path(self) -> np.ndarray:
        """The largest |q_n - q_0| / |q_0|, (lanes,): a run that is back at its start has moved."""
        away = np.linalg.norm(self.q - self.q[0], axis=1) / np.linalg.norm(self.q[0], axis=0)
        return self.largest(away)


class Walk:
    """What a column has done so far: lists of z, its first buffer and g, and its other buffers now."""

    def __init__(self, column: Column, q0: np.ndarray, w: np.ndarray, h: np.ndarray):
        self.column, self.params, self.rule = column, column.params(h), column.rule
        self.z = [np.log(q0) if column.log_state else q0.copy()]
        self.v = [h * w if column.kicked else np.zeros_like(q0)]
        self.others = [np.zeros_like(q0) for _ in self.rule.buffers[1:]] if self.rule else []
        self.g, self.whole = [], bool(self.rule) and by_components(self.rule, len(q0))

    def positions(self, z: np.ndarray) -> np.ndarray:
        return np.exp(z) if self.column.log_state else z

    def step(self, n: int, g: np.ndarray) -> None:
        """The n-th, along a gradient (d, lanes)."""
        z, v = self.z[-1], self.v[-1]
        if self.rule:
            z, v, *self.others = self.advanced(n, z, [v, *self.others], g)
        for kept, new in ((self.z, z), (self.v, v), (self.g, g)):
            kept.append(new)

    def advanced(self, n: int, z: np.ndarray, buffers: list[np.ndarray], g: np.ndarray) -> list[np.ndarray]:
        """q' and the new buffers, (d, lanes) each."""
        # Whatever a step knows of its number is alike in all lanes: only eta differs from lane to lane.
        p = [*self.params, *self.rule.known_numbers(self.params[:, :1], 1, n - 1)[0]]
        if self.whole:
            G = [1 / z] if self.rule.on_metric else []
            return list(step_of(self.rule, 1)((z,), buffers, (g,), (*p, *G)))
        flat = [x for b in buffers for x in b]
        found = step_of(self.rule, len(z))(tuple(z), flat, tuple(g), p)
        return list(np.array(found).reshape(1 + len(buffers), *z.shape))

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
