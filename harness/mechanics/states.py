"""The states that a kernel computed, in wide numbers, and the gradient and the metric at each of them.

Parameters come from the float64 tensor of the job, not from the kernel; gradients from `wide`, bounds on the
kernel's own from `bounds`. Nothing here reads what the kernel says about itself except its states.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from noether.cases.case import Case
from noether.cases.rule import Rule
from noether.kernels.programs import trace
from noether.kernels.programs.elementary import EXP_UNITS
from noether.kernels.programs.precision import Precision
from noether.mechanics import bounds, wide
from noether.mechanics.operation_rounding import arithmetic_unit
from noether.mechanics.wide import U_WIDE, WIDE


class States:
    """One launch in wide numbers, with the bounds on the rounding of each step.

    z       the stored state, (steps + 1, d, lanes): log q for mirror descent, else q
    v       all buffers, one after the other, (steps + 1, buffers d, lanes)
    begun   how many steps were behind at the start

    Row 0 is the start of the run: the first step of a rule may differ from the others.

    unit    unit roundoff of the arithmetic in which residuals are formed
    floor   what its underflows add to a residual: nothing where the exponent is wider than any store's
    """

    unit, floor, traced = U_WIDE, 0.0, False

    def __init__(self, case: Case, rule: Rule, precision: Precision, z, v, params, begun: int = 0):
        self.case, self.rule, self.precision, self.begun = case, rule, precision, begun
        self.z, self.v = np.asarray(z, WIDE), np.asarray(v, WIDE)
        self.params = np.asarray(params, np.float64)
        rows = dict(zip(rule.parameters, np.asarray(params, WIDE), strict=True))
        self.eta, self.beta, self.k, self.eps = (rows.pop(name) for name in ("eta", "beta", "k", "eps"))
        self.kappa = [rows.pop("kappa")] if rule.on_metric else []
        self.extra = rows
        for name in rule.unread:
            setattr(self, name, np.zeros_like(self.eta))

    @classmethod
    def launched(cls, case: Case, job, z, v) -> States:
        """The trajectory that a launch gave back. Row 0 is the job's own, whatever came back: a kernel that
        starts elsewhere is wrong at step 1."""
        z, v = (np.concatenate([start[None], rows[1:]]) for start, rows in ((job.q0, z), (job.v0, v)))
        return cls(case, job.rule, job.precision, z, v, job.params, job.begun)

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.z) - 1

    @property
    def lanes(self) -> int:
        """How many trajectories there are."""
        return self.z.shape[2]

    @property
    def dim(self) -> int:
        """How many parameters there are."""
        return self.z.shape[1]

    @cached_property
    def finite(self) -> np.ndarray:
        """(steps + 1, lanes) bool: whether a state is finite in all components."""
        return np.isfinite(self.z).all(axis=1) & np.isfinite(self.v).all(axis=1)

    @cached_property
    def q(self) -> np.ndarray:
        """The parameters at every step, (steps + 1, d, lanes) longdouble."""
        with np.errstate(all="ignore"):
            return np.exp(self.z) if self.rule.log_state else self.z

    # ---- the gradient and the metric

    def _gradient(self, loss) -> np.ndarray:
        return np.moveaxis(wide.gradient(loss, np.moveaxis(self.q[:-1], 1, 0)), 0, 1)

    @cached_property
    def g_kept(self) -> np.ndarray:
        """The gradient of the symmetric loss at q_0 .. q_{steps-1}, (steps, d, lanes)."""
        return self._gradient(self.case.loss)

    @cached_property
    def g_broken(self) -> np.ndarray:
        """The gradient of the breaking potential, without eps, (steps, d, lanes)."""
        return self._gradient(self.case.breaking)

    @cached_property
    def g(self) -> np.ndarray:
        """The gradient of the loss with its breaking, (steps, d, lanes)."""
        return self.g_kept + self.eps * self.g_broken

    @cached_property
    def g_error(self) -> np.ndarray:
        """Bound on |g_kernel - g|, plus that on g itself (its own roundings, 2^-64 each, in another
        order)."""
        q = np.moveaxis(self.q[:-1].astype(np.float64), 1, 0)
        n, d, lanes = self.steps, len(q), self.lanes
        error = self.kernel_error(
            q.reshape(d, n * lanes), np.broadcast_to(self.params[3], (n, lanes)).reshape(-1)
        )
        own = 1 + 4 * U_WIDE / self.precision.u_arith
        return np.moveaxis((error * own).reshape(d, n, lanes), 0, 1)

    def kernel_error(self, q, eps):
        """Bound on the rounding of the kernel's gradient at q (d, n), eps (n,)."""
        p = self.precision
        shift = np.zeros_like(q)
        if self.rule.log_state:
            unit = EXP_UNITS * arithmetic_unit(p) + (p.u_arith if p.eager else 0.0)
            shift = np.abs(q) * unit + 4 * p.tiny_arith
        return bounds.program_error(trace.gradient(self.case), q, shift, eps, p)[1]

    @cached_property
    def G(self) -> np.ndarray:
        """The entries of a rule's own metric at q_0 .. q_{steps-1}, 1 where it has none."""
        if not self.rule.on_metric:
            return np.ones_like(self.q[:-1])
        return np.moveaxis(wide.metric(self.case, np.moveaxis(self.q[:-1], 1, 0), self.kappa[0]), 0, 1)

    @cached_property
    def G_error(self) -> np.ndarray:
        """Bound on |G_kernel - G|, as g_error."""
        n, d, lanes = self.steps, self.q.shape[1], self.lanes
        q = np.moveaxis(self.q[:-1].astype(np.float64), 1, 0).reshape(d, -1)
        row = self.params[self.rule.index("kappa")]
        kappa = np.broadcast_to(row, (n, lanes)).reshape(-1)
        error = bounds.program_error(
            trace.metric(self.case, self.rule), q, np.zeros_like(q), kappa, self.precision
        )[1]
        return np.moveaxis((error * (1 + 4 * U_WIDE / self.precision.u_arith)).reshape(d, n, lanes), 0, 1)
