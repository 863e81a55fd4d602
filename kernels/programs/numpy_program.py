"""Running a program on numpy arrays: each operation is one call into memory that stays in the cache.

`Program.run` allocates every value; this is for programs that run at every step of a loop. Operations on
constant inputs alone run once, in `prepare`; a buffer goes to the next operation after its last use.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.kernels.programs.operations import NUMPY
from noether.kernels.programs.program import Program


class Registers:
    """A program made ready to run on `lanes` lanes in `dtype`, in buffers that are used again.

    inputs   (number of inputs, lanes), to be filled by the caller
    outputs  one array each; valid until the next `run`
    """

    def __init__(
        self, program: Program, lanes: int, constant: frozenset[str] = frozenset(), dtype=np.float64
    ):
        self.dtype, self.lanes = np.dtype(dtype), lanes
        self.inputs = np.zeros((len(program.inputs), lanes), dtype)
        self.free: list[np.ndarray] = []
        self.first: list[tuple] = []
        self.every: list[tuple] = []
        values, fixed = [], []
        last = {i: at for at, op in enumerate(program.ops) for i in op.args}
        for at, op in enumerate(program.ops):
            a = [values[i] for i in op.args]
            once = (
                program.inputs[op.value] in constant if op.name == "input" else all(fixed[i] for i in op.args)
            )
            if op.name == "input":
                value = self.inputs[op.value]
            elif op.name == "const":
                value = np.array(op.value, self.dtype)
            else:
                shape = np.broadcast_shapes(*(x.shape for x in a))
                value = np.empty(shape, dtype) if once or not shape or not self.free else self.free.pop()
                (self.first if once else self.every).append(self.call(op.name, a, value))
            values.append(value)
            fixed.append(once)
            for i in set(op.args):  # after the result has its buffer: exp reads its operand more than once
                if (
                    last[i] == at
                    and not fixed[i]
                    and program.ops[i].name != "input"
                    and i not in program.outputs
                ):
                    self.free.append(values[i])
        self.outputs = [values[i] for i in program.outputs]

    def call(self, name: str, a: list[np.ndarray], out: np.ndarray) -> tuple:
        if name == "neg":
            return np.subtract, (self.dtype.type(0), a[0]), out
        if not isinstance(NUMPY[name], np.ufunc):  # exp and log are of our own
            return partial(copied, NUMPY[name]), a, out
        return NUMPY[name], a, out

    def prepare(self) -> None:
        """Compute what depends on constant inputs alone, once they are filled in."""
        for function, operands, out in self.first:
            function(*operands, out=out)

    def run(self) -> None:
        """Compute the outputs from the inputs."""
        for function, operands, out in self.every:
            function(*operands, out=out)


def copied(function, x, out):
    out[...] = function(x)
