"""The namespaces `xp` under which a case's arithmetic runs on numbers: numpy arrays or mpmath numbers.

exp, log and sqrt are the library's; step is ours, since none has it with these edges.
"""

from __future__ import annotations

import mpmath
import numpy as np


def step(x):
    """1 where x > 0, else 0 (also at 0 and at NaN), of the type of x; of a complex number its real part decides."""
    if isinstance(x, np.ndarray | np.generic):
        return (x.real > 0).astype(x.dtype)
    return x.step() if hasattr(x, "step") else type(x)(x > 0)  # a traced number steps itself


class Namespace:
    """exp, log, sqrt of `library`, and step."""

    step = staticmethod(step)

    def __init__(self, library):
        self.exp, self.log, self.sqrt = library.exp, library.log, library.sqrt

    def __getattr__(self, name: str):
        raise AttributeError(f"xp has no {name}: a loss cannot be traced but with xp.exp, xp.log, xp.sqrt and xp.step")


NUMPY, MPMATH = Namespace(np), Namespace(mpmath)
