"""The gradient of a loss of many parameters: one sweep back through its operations, in any arithmetic.

The loss is traced once into operations. Each is evaluated in order; then, from the last to the first, each
hands its operands their shares of its adjoint (kernels/programs/operations.py, `adjoint`). That takes a few
times the operations of the loss, whatever d is, where dual numbers carry d partial derivatives through each.

That the sweep gives the gradient of the loss is not taken for granted: along a random direction v, <g, v>
must be the derivative that a dual number of one partial derivative gives (mechanics/dual.py), which shares
no rule of differentiation with the sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np

from noether.campaigns.discovery.generator import DIGITS, POINTS, ROUNDED
from noether.campaigns.discovery.loss import Loss, differentiate
from noether.kernels.programs.operations import NUMPY, OPERATIONS, step
from noether.kernels.programs.program import SOURCES, Program
from noether.kernels.programs.tape import Tape, TraceError, pruned
from noether.kernels.programs.trace import TRACED, Node
from noether.mechanics.dual import WIDE, Dual, Functions
from noether.plan.casefiles.complaint import told
from noether.plan.casefiles.evaluation import Parameters
from noether.system.timelimit import TimeUp, allowed, limited
from noether.system.usage import UsageError

HELD = 2**27
"""Bytes of the values of a sweep."""
FEWEST, MOST = 16, 1024
"""Points of one sweep, which is under one limit of time."""

ON_ARRAYS = {**NUMPY, "exp": np.exp, "log": np.log}  # those of kernels/ are made of the bits of float64
ON_DIGITS = {
    **{name: NUMPY[name] for name in ("add", "sub", "mul", "div")},
    "neg": lambda x: -x,
    "step": step,
    "sqrt": mpmath.sqrt,
    "exp": mpmath.exp,
    "log": mpmath.log,
}


@dataclass(frozen=True)
class Exact:
    """A point and the gradient there, in DIGITS digits; apart: how far the witness is from it, relative."""

    q: list
    g: list
    apart: float


@dataclass(frozen=True)
class Traced:
    """A loss with its operations."""

    loss: Loss
    program: Program

    @property
    def chunk(self) -> int:
        """How many points one sweep has."""
        return int(np.clip(HELD // (16 * len(self.program.ops)), FEWEST, MOST))

    def at(self, points: np.ndarray, dtype=WIDE) -> np.ndarray:
        """The gradient at points (d, n), as (d, n) float64, of arithmetic in `dtype`. Raises UsageError."""
        sweep = lambda _, q: self.swept(q, dtype)
        starts = range(0, points.shape[1], self.chunk)
        parts = [differentiate(self.loss, points[:, at : at + self.chunk], sweep) for at in starts]
        return np.concatenate(parts, axis=1)

    def swept(self, points: np.ndarray, dtype) -> np.ndarray:
        """The same, all points at once."""
        with np.errstate(all="ignore"):
            found = gradient(self.program, points.astype(dtype), ON_ARRAYS, lambda x: np.full((), x, dtype))
            return np.array([np.broadcast_to(g, points.shape[1:]) for g in found], float)

    def exact(self, seed: int) -> list[Exact]:
        """The gradient at POINTS points that nothing else has seen. Raises UsageError."""
        rng = np.random.default_rng([seed, 1])
        with mpmath.workdps(DIGITS):
            return [self.witnessed(rng) for _ in range(POINTS)]

    def witnessed(self, rng: np.random.Generator) -> Exact:
        """The gradient at a random point, with its witness. Raises UsageError, and ArithmeticError where the
        two differ by more than rounding."""
        q = [
            mpmath.mpf(float(low)) + mpmath.mpf(float(high - low)) * int(rng.integers(1, 1009)) / 1009
            for low, high in self.loss.box
        ]
        v = [mpmath.mpf(int(x)) for x in rng.integers(-64, 65, len(q))]
        try:
            g = [mpmath.mpf(x) for x in gradient(self.program, q, ON_DIGITS, mpmath.mpf)]
            duals = [Dual(x, [y]) for x, y in zip(q, v, strict=True)]
            slope = self.loss.guarded(duals, Functions(mpmath)).partials[0]
        except Exception as error:
            origin = self.loss.origin
            raise UsageError(
                f"{origin.label}: {self.loss.name} {told(error, origin)} in {DIGITS}-digit arithmetic"
            ) from None
        return Exact(q, g, agreement(q, g, v, slope))


def agreement(q: list, g: list, v: list, slope) -> float:
    """|<g, v> - slope| over |g| |v|. Raises ArithmeticError where it is more than rounded constants make."""
    size = mpmath.sqrt(sum(a * a for a in g) * sum(b * b for b in v))
    apart = abs(sum(a * b for a, b in zip(g, v, strict=True)) - slope)
    apart = float(apart / size if size else apart)
    if apart > ROUNDED:
        raise ArithmeticError(
            f"two ways to differentiate the loss disagree by {apart:.1g} at a point that begins with "
            f"{float(q[0]):.6g}"
        )
    return apart


def traced(loss: Loss) -> Traced:
    """The loss with its operations. Raises UsageError."""
    tape = Tape()
    inputs = [Node.input(tape, i) for i in range(loss.dim + 1)]
    try:
        with limited(allowed()):
            value = loss.function(Parameters(inputs[: loss.dim]), TRACED)
            if not isinstance(value, Node):
                raise TraceError(f"gives {type(value).__name__} {value!r:.40}, which depends on no parameter")
    except (Exception, TimeUp) as error:
        raise UsageError(f"{loss.origin.label}: {loss.name} {told(error, loss.origin)}") from None
    return Traced(loss, pruned(loss.dim, tape, [value.at]))


def gradient(program: Program, q, functions: dict, number: Callable) -> list:
    """The derivatives of the one output by q, by the sweep back; over any numbers that `functions` take."""
    values, ops = [], program.ops
    for op in ops:
        if op.name in SOURCES:
            values.append(q[op.value] if op.name == "input" else number(op.value))
        else:
            values.append(functions[op.name](*(values[a] for a in op.args)))
    adjoints: list = [None] * len(ops)
    adjoints[program.outputs[0]] = number(1)
    out = [number(0)] * program.dim
    for at in range(len(ops) - 1, -1, -1):
        op, g = ops[at], adjoints[at]
        adjoints[at] = None
        if g is None or op.name == "const":
            continue
        if op.name == "input":
            out[op.value] = g
            continue
        operands = [values[a] for a in op.args]
        for a, share in zip(op.args, OPERATIONS[op.name].adjoint, strict=False):
            if ops[a].name != "const":
                given = share(g, values[at], *operands)
                adjoints[a] = given if adjoints[a] is None else adjoints[a] + given
        values[at] = None  # nothing before it reads it
    return out
