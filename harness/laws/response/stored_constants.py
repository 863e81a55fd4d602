"""What constants that are rounded add to a charge: a loss may keep its symmetry by its decimals and miss it
by their floats.

0.7 q0 - 0.2 q1 keeps (2, 7), the floats of .7 and .2 do not, and those of float32 less so. The miss is the
same function of q in every step, so it is no chance that a standard deviation could have: it is known, and
taken off.

    s_n = <g(q_n), xi(q_n)>,                                                                  (1)
    g the gradient of the symmetric loss with its constants as the kernel stores them

What is meant by a symmetry is proven beforehand (harness/mechanics/symmetry_proof.py); that the gradient is
that of the case is D0's.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.namespaces import step
from noether.kernels.programs.precision import representable
from noether.kernels.programs.program import Program
from noether.laws.exact import dot, size, xi
from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import U_WIDE, WIDE

RULES = {
    "neg": np.negative, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "step": step,
}  # fmt: skip


def gradient(t: Trajectory, program: Program) -> np.ndarray:
    """g of (1) in 64 bits at q_0 .. q_{steps-1}, (steps, d, lanes): eps is 0."""
    q = np.moveaxis(t.q[:-1], 1, 0)
    inputs, values = [*q, np.zeros(q.shape[1:], WIDE)], []
    with np.errstate(all="ignore"):
        for op in program.ops:
            if op.name == "input":
                values.append(inputs[op.value])
            elif op.name == "const":
                values.append(WIDE(representable(op.value, t.precision.rounded)))
            else:
                values.append(RULES[op.name](*(values[i] for i in op.args)))
    return np.stack([np.broadcast_to(values[i], q.shape[1:]) for i in program.outputs], axis=1)


def missed(t: Trajectory, symmetry, program: Program) -> tuple[np.ndarray, np.ndarray]:
    """eta s_n of (1), and a bound on its own rounding; (steps, lanes) each."""
    g, x = gradient(t, program), xi(symmetry, t.q[:-1])
    with np.errstate(all="ignore"):
        return t.eta * dot(g, x), t.eta * U_WIDE * len(program.ops) * size(g, x)
