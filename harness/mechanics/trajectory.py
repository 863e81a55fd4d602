"""The evidence that exact laws judge: what a kernel computed, in wide numbers, with bounds on its rounding.

Parameters come from the float64 tensor of the job, not from the kernel; gradients from `wide`; bounds from
`bounds`. Nothing here reads what the kernel says about itself except its states.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from noether.cases.case import Case
from noether.cases.rules import Rule
from noether.kernels.programs import trace
from noether.kernels.programs.elementary import EXP_UNITS, LOG_UNITS
from noether.kernels.programs.precision import Precision
from noether.mechanics import bounds, wide
from noether.mechanics.wide import U_WIDE, WIDE


class Trajectory:
    """One launch in wide numbers, with the bounds on the rounding of each step.

    q, v  (steps + 1, d, lanes)
    z     the stored state: log q for mirror descent, else q

    Row 0 is the start of the run: the first step of a rule may differ from the others.

    unit    unit roundoff of the arithmetic in which residuals are formed
    floor   what its underflows add to a residual: nothing where the exponent is wider than any store's
    """

    unit, floor = U_WIDE, 0.0

    def __init__(self, case: Case, rule: Rule, precision: Precision, z, v, params):
        self.case, self.rule, self.precision = case, rule, precision
        self.z, self.v = np.asarray(z, WIDE), np.asarray(v, WIDE)
        self.params = np.asarray(params, np.float64)
        self.eta, self.beta, self.k, self.eps, *self.kappa = np.asarray(params, WIDE)
        if not rule.momentum:
            self.beta = np.zeros_like(self.beta)
        if rule.decay == "none":
            self.k = np.zeros_like(self.k)

    @classmethod
    def launched(cls, case: Case, job, z, v) -> Trajectory:
        """The trajectory that a launch gave back. Row 0 is the job's own, whatever came back: a kernel that
        starts elsewhere is wrong at step 1."""
        z, v = (np.concatenate([start[None], rows[1:]]) for start, rows in ((job.q0, z), (job.v0, v)))
        return cls(case, job.rule, job.precision, z, v, job.params)

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.z) - 1

    @property
    def lanes(self) -> int:
        """How many trajectories there are."""
        return self.z.shape[2]

    @cached_property
    def finite(self) -> np.ndarray:
        """(steps + 1, lanes) bool: whether a state is finite in all components."""
        return (np.isfinite(self.z) & np.isfinite(self.v)).all(axis=1)

    @cached_property
    def q(self) -> np.ndarray:
        """The parameters at every step, (steps + 1, d, lanes) longdouble."""
        with np.errstate(all="ignore"):
            return np.exp(self.z) if self.rule.log_state else self.z

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
            unit = EXP_UNITS * bounds.arithmetic_unit(p) + (p.u_arith if p.eager else 0.0)
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
        kappa = np.broadcast_to(self.params[4], (n, lanes)).reshape(-1)
        error = bounds.program_error(
            trace.metric(self.case, self.rule), q, np.zeros_like(q), kappa, self.precision
        )[1]
        return np.moveaxis((error * (1 + 4 * U_WIDE / self.precision.u_arith)).reshape(d, n, lanes), 0, 1)

    @property
    def sign(self) -> float:
        """The sign of the gradient in the update: -1 for a rule that maximises."""
        return -1.0 if self.rule.maximize else 1.0

    @cached_property
    def share(self) -> np.ndarray:
        """The share c of a dampened rule (cases/rules, (6)), 1 for the others; (steps, 1)."""
        share = np.full((self.steps, 1), 1 - self.rule.dampening)
        share[0] = 1
        return share

    @cached_property
    def force(self) -> np.ndarray:
        """What enters v, times -eta: c (g + k q), g with its sign and k q where decay is coupled; sign(g) in
        sign descent."""
        with np.errstate(all="ignore"):  # a non-finite state is judged, not warned about
            if self.rule.signed:
                return np.sign(self.g)
            whole = self.sign * self.g
            whole = whole + self.k * self.q[:-1] if self.rule.decay == "coupled" else whole
            return self.share[:, None] * whole

    @cached_property
    def move(self) -> np.ndarray:
        """What q is moved by beside decoupled decay, before rounding; (steps, d, lanes)."""
        return self.moved_by(self.v[1:])

    def moved_by(self, w) -> np.ndarray:
        """Where a buffer w moves q: w, for Nesterov beta w - eta f, on a metric w / G, under a schedule c
        w."""
        with np.errstate(all="ignore"):
            if self.rule.nesterov:
                return self.beta * w - self.eta * self.force
            if self.rule.scheduled:
                return self.rate[:, None] * w
            return w / self.G if self.rule.on_metric else w

    @cached_property
    def rate(self) -> np.ndarray:
        """The share c of a schedule (cases/rules, (11)), 1 for the others; (steps, 1)."""
        return np.array([[self.rule.at(n).rate] for n in range(1, self.steps + 1)])

    @cached_property
    def log_sum(self) -> np.ndarray:
        """The log sum exp of what is normalised on the simplex, nothing elsewhere; (steps, 1 or lanes)."""
        if not self.rule.simplex:
            return np.zeros((self.steps, 1))
        with np.errstate(all="ignore"):
            y = self.z[:-1] + self.move
            top = y.max(axis=1)
            return top + np.log(np.exp(y - top[:, None]).sum(axis=1))

    @property
    def reach(self) -> np.ndarray:
        """The size of the move without cancellation."""
        return (
            np.abs(self.beta * self.v[1:]) + np.abs(self.eta * self.force)
            if self.rule.nesterov
            else np.abs(self.move)
        )

    @cached_property
    def shrink(self) -> np.ndarray:
        """The factor s = 1 - eta k of decoupled decay, 1 otherwise; (lanes,)."""
        return 1 - self.eta * self.k if self.rule.decoupled else np.ones_like(self.eta)

    @cached_property
    def delta(self) -> np.ndarray:
        """(R0) bound on the rounding of v_{n+1}, gradient error included; (steps, d, lanes)."""
        p, w = self.precision, np.abs(self.v[1:])
        arithmetic = np.abs(self.beta * self.v[:-1]) + (0 if self.rule.signed else w)  # 0 - x is exact
        store = p.u_v * w if p.v_store != p.rounded else 0
        tiny = 1.5 * (p.tiny_arith * (2 + np.abs(self.eta)) + p.tiny_v)
        # 1 + 8u: the kernel rounds values that already carry the errors of the line before.
        return (store + p.u_arith * arithmetic + self.pull_error) * (1 + 8 * p.u_arith) + tiny

    @cached_property
    def pull_error(self) -> np.ndarray:
        """Bound on the error of the kernel's eta f: its gradient's, the rounding of k q, of the sum and of
        the products."""
        p, eta, share = self.precision, np.abs(self.eta), self.share[:, None]
        if (
            self.rule.signed
        ):  # eta times 1 or -1 is exact where eta is; within its error, the gradient has any sign
            return np.broadcast_to(eta * (p.u_arith * p.eager), self.force.shape) + 2 * eta * self.unsigned
        decay = share * np.abs(self.k * self.q[:-1]) if self.rule.decay == "coupled" else 0 * self.q[:-1]
        roundings = 3 if self.rule.dampening else 2
        pull = eta * (p.u_arith * (roundings * np.abs(self.force) + decay) + share * self.g_error)
        return pull + 1.5 * p.tiny_arith if self.rule.dampening else pull

    @cached_property
    def unsigned(self) -> np.ndarray:
        """Where the sign of the gradient is not known, because it is within its own error."""
        return ~(np.abs(self.g) > self.g_error)

    @cached_property
    def sigma(self) -> np.ndarray:
        """(R0) bound on the rounding of the state; (steps, d, lanes)."""
        return self.apart + self.common[:, None]

    @cached_property
    def common(self) -> np.ndarray:
        """The part of sigma that all components share: on the simplex, of log sum exp y; (steps, 1 or lanes).

        exp(y_i - m) is known to r_i, a sum of positive numbers to R = sum p_i r_i, p the exact shares, and
        its log to R/(1 - R).
        """
        if not self.rule.simplex:
            return np.zeros((self.steps, 1))
        p, d = self.precision, self.z.shape[1]
        u, units, eager = p.u_arith, bounds.arithmetic_unit(p), p.u_arith * p.eager
        with np.errstate(all="ignore"):
            y = self.z[:-1] + self.move
            top = y.max(axis=1)
            sizes, shares = np.abs(y) + np.abs(y - top[:, None]), np.exp(y - self.log_sum[:, None])
            of_exp = (1 + EXP_UNITS * units + eager) * np.exp(u * (1 + 8 * u) * sizes) - 1
            of_sum = (1 + (shares * of_exp).sum(axis=1)) * (1 + u) ** d - 1 + 6 * d * p.tiny_arith
            spread = np.abs(self.log_sum - top)
            of_log = bounds.quotient(of_sum, np.ones_like(of_sum), of_sum)
            return (of_log + (LOG_UNITS * units + eager) * (spread + of_log) + u * np.abs(self.log_sum)) * (
                1 + 8 * u
            )

    @cached_property
    def apart(self) -> np.ndarray:
        """The part of sigma that each component has for itself; a narrower store rounds twice."""
        p, after = self.precision, np.abs(self.z[1:])
        store = (p.u_q + p.u_arith) * after if p.q_store != p.rounded else p.u_q * after
        tiny = 1.5 * (p.tiny_q + p.tiny_arith)
        if self.rule.decoupled:
            old = np.abs(self.z[:-1])
            store = (
                store
                + p.u_arith
                * (2 * np.abs(self.eta * self.k) + np.abs(self.shrink) + np.abs(self.eta * self.k))
                * old
            )
        if self.rule.nesterov:
            store = store + p.u_arith * (np.abs(self.beta * self.v[1:]) + np.abs(self.move)) + self.pull_error
            tiny = tiny + 1.5 * p.tiny_arith * (2 + np.abs(self.eta))
        if self.rule.on_metric:  # of p / G: its own rounding, and the metric's error
            y = np.abs(self.move)
            store = store + p.u_arith * y + bounds.quotient(y * self.G_error, np.abs(self.G), self.G_error)
            tiny = tiny + 1.5 * p.tiny_arith
        if self.rule.scheduled:
            store, tiny = store + p.u_arith * np.abs(self.move), tiny + 1.5 * p.tiny_arith
        if self.rule.simplex:
            store = store + p.u_arith * np.abs(self.z[:-1] + self.move)
        return store * (1 + 8 * p.u_arith) + tiny

    @cached_property
    def path(self) -> np.ndarray:
        """(lanes,) the length of the stored path over the sum of its bounds, by which motion is told."""
        with np.errstate(all="ignore"):
            length = np.abs(np.diff(self.z, axis=0)).sum(axis=(0, 1))
            return (length / (self.delta + self.sigma).sum(axis=(0, 1))).astype(float)
