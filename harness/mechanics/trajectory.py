"""The evidence that exact laws judge: what a kernel computed, in wide numbers, with bounds on its rounding.

The states, and the gradient at each, are those of states.py; the step from each is the `terms` of its rule;
its bounds are those of step_bounds.py.
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace

import numpy as np

from noether.kernels.programs.operations import step
from noether.kernels.programs.precision import representable
from noether.kernels.programs.trace_rule import buffers_program, split, update_program
from noether.mechanics import accumulated, iteration_bounds, step_bounds
from noether.mechanics.states import States

UNROUNDED = SimpleNamespace(
    **{name: getattr(np, name) for name in ("sqrt", "exp", "log", "sign", "absolute", "maximum")},
    step=step,
    store=lambda x: x,
    store_buffer=lambda x: x,
)
"""The namespace xp of a rule in wide arithmetic: nothing is rounded to a store."""


class Trajectory(States):
    """One launch in wide numbers, with the right step from every state and the bounds on its rounding."""

    DERIVED = ("summands", "shrink", "pull", "move", "log_sum", "rate", "ahead", "expected_v", "kept")
    DERIVED += ("v_apart", "predicted_move", "pull_of_breaking", "pull_of_decay")
    """What is derived from parameters, and kept."""

    # ---- the step, by the terms of its rule

    @cached_property
    def known(self) -> np.ndarray:
        """What each step knows of its number, (steps, names, lanes or 1) float64."""
        return self.rule.known_numbers(self.params, self.steps, self.begun)

    @property
    def numbers(self) -> list:
        """The numbers of Rule.inputs: (lanes,) each, what is known of a step (steps, lanes or 1)."""
        named = {"eta": self.eta, "beta": self.beta, "k": self.k, "eps": self.eps, **self.extra}
        named |= dict(zip(("kappa",), self.kappa, strict=False))
        known = np.asarray(self.known, self.z.dtype)
        return [*(named[name] for name in self.rule.parameters), *np.moveaxis(known, 1, 0)]

    def parameters(self) -> SimpleNamespace:
        """The p of a rule's lines, wide; the entries of G are those of every step."""
        entries = list(np.moveaxis(self.G, 1, 0)) if self.rule.on_metric else []
        return self.rule.named([*self.numbers, *entries])

    def summed(self, new, q=None, g=None, old=None) -> tuple[dict, list[dict]]:
        """The terms of q' and of each new buffer, by name, (steps, d, lanes) each.

        new  the new buffers;  q, g, old  other parameters, gradient and buffers than those of the trajectory
        """
        rows = lambda x: list(np.moveaxis(x, 1, 0))
        z, g = (self.z[:-1] if q is None else q), (self.g if g is None else g)
        buffers, new = (split(rows(x), self.dim) for x in (self.v[:-1] if old is None else old, new))
        with np.errstate(all="ignore"):
            of_q, of_v = self.rule.terms(rows(z), buffers, new, rows(g), self.parameters(), UNROUNDED)
        shape = (self.steps, self.lanes)
        stack = lambda xs: np.stack([np.broadcast_to(x, shape) for x in xs], axis=1)
        return {n: stack(x) for n, x in of_q.items()}, [{n: stack(x) for n, x in b.items()} for b in of_v]

    @cached_property
    def summands(self) -> tuple[dict, list[dict]]:
        """`summed` from the buffers as they are stored."""
        return self.summed(self.v[1:])

    @cached_property
    def expected_v(self) -> np.ndarray:
        """The new buffers of the right step from every state, (steps, buffers d, lanes)."""
        with np.errstate(all="ignore"):
            return np.concatenate([sum(terms.values()) for terms in self.summands[1]], axis=1)

    @cached_property
    def sizes_v(self) -> np.ndarray:
        """What the new buffers are without cancellation: the sums of |term|, (steps, buffers d, lanes)."""
        return np.concatenate([sum(map(np.abs, x.values())) for x in self.summands[1]], axis=1)

    @property
    def charged(self) -> slice:
        """The rows of v that are the covector of the charge; the first buffer where there is none."""
        c = self.rule.covector
        i = self.rule.buffers.index(c.buffer) if c else 0
        return slice(i * self.dim, (i + 1) * self.dim)

    @property
    def p(self) -> np.ndarray:
        """The covector at every step, (steps + 1, d, lanes)."""
        return self.v[:, self.charged]

    @cached_property
    def kept(self) -> np.ndarray:
        """a of p' = a p - b f, (lanes,) or (steps, lanes)."""
        c = self.rule.covector
        return np.zeros_like(self.eta) + (c.kept(self.rule.named(self.numbers)) if c else 0)

    @cached_property
    def pull(self) -> np.ndarray:
        """b f of p' = a p - b f, (steps, d, lanes)."""
        return self.pulled(self.g)

    def pulled(self, g) -> np.ndarray:
        """What a part g of the gradient has in b f, (steps, d, lanes)."""
        c = self.rule.covector
        with np.errstate(all="ignore"):  # a non-finite state is judged, not warned about
            if c is None:
                return self.kept_part - self.expected_v[:, self.charged]
            p, rows = self.parameters(), lambda x: list(np.moveaxis(x, 1, 0))
            pulled = c.pulled(rows(self.q[:-1]), rows(self.g), p, UNROUNDED, part=rows(g))
            return np.stack([np.broadcast_to(x, (self.steps, self.lanes)) for x in pulled], axis=1)

    @cached_property
    def pull_of_breaking(self) -> np.ndarray:
        """What b f is of the breaking and the decay alone, (steps, d, lanes)."""
        return self.pulled(self.eps * self.g_broken)

    @cached_property
    def pull_of_decay(self) -> np.ndarray:
        """What b f is without any gradient, (steps, d, lanes)."""
        return self.pulled(0 * self.g_broken)

    @property
    def kept_part(self) -> np.ndarray:
        """a p, (steps, d, lanes)."""
        a = self.kept
        return (a if np.ndim(a) == 1 else a[:, None]) * self.p[:-1]

    @property
    def sign(self) -> float:
        """The sign of the gradient in the update: -1 for a rule that maximises."""
        return -1.0 if self.rule.maximize else 1.0

    @cached_property
    def shrink(self) -> np.ndarray:
        """The factor s of decoupled decay, 1 - eta k as a rule and 1 without it; (lanes,), or (steps, lanes)
        where it is another in another step."""
        if not self.rule.shrinks:
            return np.ones_like(self.eta)
        q = np.ones_like(self.z[:1])
        g, ones = list(np.moveaxis(q, 1, 0)), np.ones_like(self.v[:1])
        buffers = split(list(np.moveaxis(ones, 1, 0)), self.dim)
        rows = self.steps if self.rule.timed and not self.traced else 1
        p = self.rule.named([x if np.ndim(x) == 1 else x[:rows] for x in self.numbers])
        of_q = self.rule.terms(g, buffers, buffers, g, p, UNROUNDED)[0]
        s = np.broadcast_to(of_q["q"][0], (rows, self.lanes))
        return s[0] if rows == 1 or (s == s[0]).all() else s

    @cached_property
    def move(self) -> np.ndarray:
        """What q is moved by beside decoupled decay, before rounding; (steps, d, lanes)."""
        return self.moved(self.summands[0])

    def moved(self, of_q: dict) -> np.ndarray:
        """The sum of the terms of q' but q itself, and but what a normalised step takes off all of them."""
        with np.errstate(all="ignore"):
            return sum(x for name, x in of_q.items() if name not in ("q", NORMALISED))

    @property
    def reach(self) -> np.ndarray:
        """The size of the move without cancellation."""
        return sum(np.abs(x) for name, x in self.summands[0].items() if name not in ("q", NORMALISED))

    @cached_property
    def rate(self) -> np.ndarray:
        """r of y = r v' - m b f, where the move y of q is linear in both; (steps, lanes or 1)."""
        nothing = np.zeros_like(self.z[:-1])
        return self.moved(self.summed(np.ones_like(self.v[1:]), nothing, nothing)[0])[:, 0]

    @cached_property
    def ahead(self) -> np.ndarray:
        """m of y = r v' - m b f; (steps, lanes or 1)."""
        nothing, one = np.zeros_like(self.z[:-1]), np.ones_like(self.z[:-1])
        y = self.moved(self.summed(np.zeros_like(self.v[1:]), nothing, one)[0])[:, 0]
        p, c = self.parameters(), self.rule.covector
        force = c.force([x[:, 0] for x in [nothing]], [x[:, 0] for x in [one]], p, UNROUNDED)[0]
        return -y / (c.pull(p) * force)

    @cached_property
    def log_sum(self) -> np.ndarray:
        """The log sum exp of what is normalised on the simplex, nothing elsewhere; (steps, 1 or lanes)."""
        if not self.rule.simplex:
            return np.zeros((self.steps, 1))
        return -self.summands[0][NORMALISED][:, 0]

    # ---- what is kept beside the covector

    @property
    def alone(self) -> bool:
        """Whether the covector is all that the rule keeps."""
        return len(self.rule.buffers) == 1

    @property
    def taken(self) -> tuple[int, ...]:
        """The buffer that is read as the kernel has stored it: the covector, or the first one."""
        return (self.charged.start // self.dim,)

    @cached_property
    def v_apart(self) -> np.ndarray:
        """All buffers, those beside the covector accumulated from the gradients alone; the shape of v."""
        return accumulated.values(self, self.taken)

    @cached_property
    def v_error(self) -> np.ndarray:
        """How far a right kernel's buffers may be from v_apart, 0 of the covector; the shape of v."""
        return accumulated.errors(self, self.v_apart, self.taken)

    @cached_property
    def predicted_move(self) -> np.ndarray:
        """`move` where nothing but the covector is taken from the kernel; (steps, d, lanes)."""
        if self.alone:
            return self.move
        return self.moved(self.summed(self.v_apart[1:], old=self.v_apart[:-1])[0])

    @cached_property
    def predicted_sigma(self) -> np.ndarray:
        """How far q' may be from what predicted_move makes of it; (steps, d, lanes)."""
        if self.alone:
            return self.sigma
        v, error = self.v_apart.astype(np.float64), self.v_error
        apart = self.evidence | {"v": (v[:-1], error[:-1]), "w": (v[1:], error[1:])}
        return iteration_bounds.position_error(self.rule, self.dim, apart, self.precision)

    # ---- bounds

    @property
    def evidence(self) -> dict:
        """The inputs of a step's programs, by letter: numbers and how far the kernel's own may be."""
        plain = lambda x: x if self.traced else x.astype(np.float64)
        whole = lambda x: np.broadcast_to(x, (self.steps, self.lanes))
        p = np.stack([whole(plain(x)) for x in self.numbers], axis=1)
        off = np.zeros(p.shape) if not self.traced else 0 * p
        if self.rule.timed and not self.traced:
            names = len(self.rule.parameters)
            apart = np.abs(self.known - representable(self.known, self.precision.arith))
            off[:, names:] = np.broadcast_to(apart, off[:, names:].shape)
        if self.rule.on_metric:
            p, off = np.concatenate([p, plain(self.G)], axis=1), np.concatenate([off, self.G_error], axis=1)
        state = {
            "q": (plain(self.z[:-1]), None),
            "v": (plain(self.v[:-1]), None),
            "w": (plain(self.v[1:]), None),
        }
        return {**state, "g": (plain(self.g), self.g_error), "p": (p, off)}

    @cached_property
    def delta(self) -> np.ndarray:
        """(R0) bound on the rounding of the new buffers, gradient error included; (steps, buffers d,
        lanes)."""
        program = buffers_program(self.rule, self.dim)
        return step_bounds.step_error(program, self.evidence, self.precision, self.traced)

    @property
    def delta_p(self) -> np.ndarray:
        """The part of delta that is the covector's, (steps, d, lanes)."""
        return self.delta[:, self.charged]

    @cached_property
    def sigma(self) -> np.ndarray:
        """(R0) bound on the rounding of the state, from the new buffers as stored; (steps, d, lanes)."""
        return self.apart + self.common[:, None]

    @cached_property
    def common(self) -> np.ndarray:
        """The part of sigma that all components share: on the simplex, of log sum exp y; (steps, 1 or
        lanes)."""
        if not self.rule.simplex:
            return np.zeros((self.steps, 1))
        return step_bounds.shared_by_all(self.z[:-1] + self.move, self.log_sum, self.precision)

    @cached_property
    def apart(self) -> np.ndarray:
        """The part of sigma that each component has for itself."""
        if self.rule.simplex:
            return step_bounds.of_a_normalised_step(self.z[:-1] + self.move, self.z[1:], self.precision)
        here = (self.rule, self.dim, self.evidence, self.precision)
        return iteration_bounds.position_error(*here, self.traced)

    @cached_property
    def reached(self) -> np.ndarray:
        """(steps, lanes) the largest |value| that an operation of the true step from each state takes."""
        program = update_program(self.rule, self.dim)
        return step_bounds.step_values(program, self.evidence, self.precision)

    @cached_property
    def path(self) -> np.ndarray:
        """(lanes,) the length of the stored path over the sum of its bounds, by which motion is told."""
        with np.errstate(all="ignore"):
            length = np.abs(np.diff(self.z, axis=0)).sum(axis=(0, 1))
            return (length / (self.delta_p + self.sigma).sum(axis=(0, 1))).astype(float)


NORMALISED = "log Z"
"""The term that a normalised step takes off all components of q'."""
