"""How far one step of torch's SGD may be off by rounding, number by number, and what that does to a norm.

    d = g + k w,   b' = beta b + d,   w' = w - eta b'                                                      (1)

in float64 or float32 of unit roundoff u, an operation a rounding; a fused multiply-add has one less. With
e_b and e_w the errors of b' and of w' for what they were made of,

    |e_b| <= u (|k w| + |d| + |beta b| + |b'|),    |e_w| <= u (|eta b'| + |w'|)                            (2)

A decay of 0 is no operation, and the first buffer is d itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

U = {"float64": 2.0**-53, "float32": 2.0**-24}
SLACK = 1 + 2.0**-5
"""For what judging itself rounds, in longdouble of unit roundoff 2^-64: a sum of 64 products, which numpy
adds up by eights, is off by 19 2^-64 of the sum of their sizes, and there are some 5 |w|^2 of them beside a
bound of 2 u |w|^2 or more. Products of two errors are far below."""


@dataclass(frozen=True)
class Update:
    """The numbers of one step, longdouble arrays of one shape; the last axis is that of a filter."""

    w: np.ndarray
    g: np.ndarray
    b: np.ndarray
    w_after: np.ndarray
    b_after: np.ndarray
    eta: float
    beta: float
    k: float
    u: float = 2.0**-53

    @classmethod
    def of(cls, step, name: str, eta: float, beta: float, k: float, u: float = 2.0**-53) -> Update:
        """The update of one parameter in a step; without momentum the buffer is the force that moved it."""
        b_after = step.buffer_after[name]
        if not beta:
            b_after = step.gradient[name] + np.longdouble(k) * step.before[name]
        return cls(
            step.before[name],
            step.gradient[name],
            step.buffer[name],
            step.after[name],
            b_after,
            eta,
            beta,
            k,
            u,
        )

    def lane(self, i: int) -> Update:
        """The update of one lane."""
        arrays = (x[i] for x in (self.w, self.g, self.b, self.w_after, self.b_after))
        return Update(*arrays, self.eta, self.beta, self.k, self.u)

    @property
    def e_b(self) -> np.ndarray:
        """The bound of (2) on what b' is off; without momentum b' is exact here, and d is what is rounded."""
        decay = np.abs(self.k * self.w) + np.abs(self.g + self.k * self.w) if self.k else 0 * self.w
        if not self.beta:
            return self.u * decay
        return self.u * (decay + np.abs(self.beta * self.b) + np.abs(self.b_after))

    @property
    def e_w(self) -> np.ndarray:
        """The bound of (2) on what w' is off for the b' that was stored."""
        own = np.abs(self.eta * self.b_after) + np.abs(self.w_after)
        rounded = self.u * own
        return rounded if self.beta else rounded + self.eta * self.e_b


def dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The inner products along the last axis."""
    return np.sum(x * y, axis=-1)
