"""What a rule keeps beside the covector of its charge, accumulated a second time from the gradients alone.

A second moment that a kernel keeps is never read here: it starts where the launch does and goes on by the
terms of the rule, with the gradients of wide arithmetic at the positions that the launch has passed. So a
kernel that freezes it, or gives it another memory, is seen by every law that needs it. The bound is the
running error of the kernel's own recursion, carried from step to step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.kernels.programs.trace_rule import buffers_program, terms_program
from noether.mechanics.iteration_bounds import position_error
from noether.mechanics.step_bounds import carried_error, passes_more, step_error


@dataclass(frozen=True)
class Accumulated:
    """The buffers of a rule with all but its covector accumulated apart.

    v      (steps + 1, buffers d, lanes), the covector as it is stored
    error  how far a right kernel's may be from them, 0 for the covector; of the same shape
    move   what q is moved by with them, (steps, d, lanes);  sigma  how far a right kernel's q' may be
    """

    v: np.ndarray
    error: np.ndarray
    move: np.ndarray
    sigma: np.ndarray

    def of(self, lanes: np.ndarray) -> Accumulated:
        """That of these lanes alone."""
        return Accumulated(*(x[..., lanes] for x in (self.v, self.error, self.move, self.sigma)))


def accumulated(t) -> Accumulated:
    """The Accumulated of a trajectory."""
    own = np.zeros(t.v.shape[1], bool)
    own[t.charged] = True
    v, error = t.v.copy(), np.zeros(t.v.shape)
    evidence, p = t.evidence, t.precision
    both = buffers_program(t.rule, t.dim), terms_program(t.rule, t.dim)
    with np.errstate(all="ignore"):
        for n in range(t.steps):
            of_v = t.step_at(n, v[n], v[n + 1]).summands[1]
            v[n + 1, ~own] = np.concatenate([sum(terms.values()) for terms in of_v], axis=1)[0, ~own]
            at = slice(n, n + 1)
            known = {name: (x[at], None if e is None else e[at]) for name, (x, e) in evidence.items()}
            known |= {"v": (v[at].astype(float), error[at]), "w": (v[n + 1 : n + 2].astype(float), None)}
            if n == 0:
                longer = passes_more(*both, known, p)[~own].any()
            found = carried_error(*both, known, p) if longer else step_error(both[0], known, p)
            error[n + 1, ~own] = found[0, ~own]
        all_steps = {"v": (v[:-1].astype(float), error[:-1]), "w": (v[1:].astype(float), error[1:])}
        sigma = position_error(t.rule, t.dim, {**evidence, **all_steps}, p)
    return Accumulated(v, error, t.with_buffers(v).move, sigma)
