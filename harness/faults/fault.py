"""What a planted fault is: one wrong thing, declared as data, that stands in for the right one.

A kernel fault is a wrong launch under the name of the right one. It is built from

    advance       a wrong step, a wrapper around noether.kernels.programs.numpy_step.step with the signature
                  of noether.kernels.programs.numpy_step.advanced
    remembering   remembering() -> such a step with a memory of its own, which it forgets at n = 1
    placing       placing(job) -> such a step, wrong at a place that the launch decides
    alter         alter(case, job) -> the job that really runs: other parameters, program, rule or precision
    mangle        mangle(job, q, v) -> q, v: what stores and indices then did to what came out

one of the first three, or one or both of the others, and of `applies`, which says from the job alone whether
the fault changes anything there. A job of one step from any given state makes one faulty step of it (`when`
says whether that is the whole fault), so that every fault is also a hypothesis about a single wrong step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from noether.cases.case import Case
from noether.faults.reading import moved_by_buffers, names_read, places_of_stores
from noether.kernels.loops.launch import Job, run
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import narrow

NEAR = 1 + 2.0**-10
ANY, FIRST, HISTORY, LAUNCH = "any step", "first step", "needs the steps before", "the launch as a whole"


def always(job: Job) -> bool:
    """The fault applies to every launch."""
    return True


@dataclass(frozen=True)
class Fault:
    """One planted fault of a step or of a launch.

    name   unique
    kind   what is wrong, in a word or two
    what   what is wrong, in one line
    steps  the horizon that it needs to show

    size_only  it changes the size of the gradient, never or seldom its sign: none where the sign alone counts
    """

    name: str
    kind: str
    what: str
    applies: Callable[[Job], bool] = always
    advance: Callable | None = None
    remembering: Callable | None = None
    placing: Callable | None = None
    alter: Callable | None = None
    mangle: Callable | None = None
    when: str = ANY
    steps: int = 12
    lanes: int = 61
    size_only: bool = False

    def __post_init__(self):
        if self.size_only:
            whole = self.applies
            object.__setattr__(self, "applies", lambda job: not job.rule.signed and whole(job))
        if (
            sum(
                x is not None
                for x in (self.advance, self.remembering, self.placing, self.alter or self.mangle)
            )
            != 1
        ):
            raise ValueError(
                f"fault {self.name!r} must have one of advance, remembering, placing, and alter or mangle"
            )

    def outcome(self, case: Case, job: Job) -> tuple[np.ndarray, np.ndarray]:
        """q, v (rows, d, lanes) float64 of the faulty launch, in numpy."""
        wrong = self.alter(case, job) if self.alter else job
        advance = (
            self.remembering() if self.remembering else self.placing(job) if self.placing else self.advance
        )
        q, v = run(wrong, "numpy", advance).wide()
        return self.mangle(job, q, v) if self.mangle else (q, v)


@dataclass(frozen=True)
class LawFault:
    """A law that is almost right: residual(trajectory, symmetry) takes the place of the law's own.

    applies(rule, symmetry) says where the changed term is not identically zero.
    """

    name: str
    kind: str
    what: str
    law: str
    residual: Callable
    applies: Callable = lambda rule, symmetry: True


# ---- where a fault applies


def on(**wanted) -> Callable[[Job], bool]:
    """applies(job): whether its rule, precision and parameters have these properties; a tuple of values lists
    alternatives.

    displaces         q moves by v', or by v' and the force: v is a displacement
    several           there is more than one buffer
    moved_by_buffers  q' depends on the new buffers as they are stored
    carries           some buffer is read: what it holds comes from the steps before
    reads_beta        the lines of the step read beta
    """

    among = {key: value if isinstance(value, tuple) else (value,) for key, value in wanted.items()}
    return lambda job: all(FACTS[key](job) in values for key, values in among.items())


FACTS: dict[str, Callable[[Job], object]] = {
    "rule": lambda job: job.rule.name,
    "metric": lambda job: job.rule.metric,
    "momentum": lambda job: job.rule.momentum,
    "displaces": lambda job: bool(job.rule.reads.moves),
    "several": lambda job: len(job.rule.buffers) > 1,
    "moved_by_buffers": lambda job: moved_by_buffers(job.rule, len(job.q0)),
    "carries": lambda job: "v" in names_read(job.rule, len(job.q0)),
    "reads_beta": lambda job: "beta" in names_read(job.rule, len(job.q0)),
    "log_state": lambda job: job.rule.log_state,
    "decay": lambda job: job.rule.decay,
    "decays": lambda job: job.rule.decay != "none" and bool(job.params[2].any()),
    "kicked": lambda job: kicked(job),
    "breaks": lambda job: bool(job.params[3].any()),
    "curved": lambda job: moves_metric(job),
    "deformed": lambda job: reads_kappa(job),
    "precision": lambda job: job.precision.name,
    "mode": lambda job: job.precision.mode,
    "arith": lambda job: job.precision.arith,
    "wide": lambda job: job.lanes >= 10_000,
}
"""What `on` may ask of a launch, each found only where it is asked for."""


def kicked(job: Job) -> bool:
    """Whether the first step carries over a buffer that is not 0: Nesterov's increasing momentum begins at
    0."""
    rule = job.rule
    first = None if rule.covector is None else rule.covector.kept(rule.named([*job.params, *job.known[0]]))
    return rule.momentum and bool(job.v0.any()) and (first is None or bool(np.any(first)))


def moves_metric(job: Job) -> bool:
    """Whether the rule's metric depends on the parameters: else it is the same at every step."""
    return job.metric is not None and any(job.metric.reads_position)


def reads_kappa(job: Job) -> bool:
    """Whether the rule's metric depends on kappa, the last input of its program: what nobody reads is not in
    a program."""
    return job.metric is not None and any(
        op.name == "input" and op.value == job.metric.dim for op in job.metric.ops
    )


# ---- wrong steps made of right ones


def given(row: int, change: Callable) -> Callable:
    """The step with parameter `row` (eta, beta, k, eps) changed: change(values, n)."""

    def advance(n, q, v, params, gradient, rule, precision):
        changed = [change(p, n).astype(p.dtype) if i == row else p for i, p in enumerate(params)]
        return step(q, v, changed, gradient, rule, precision)

    return advance


def pulled(change: Callable) -> Callable:
    """The step with another force: change(gradient, at, eps, params, n) -> list of d arrays."""

    def advance(n, q, v, params, gradient, rule, precision):
        def wrong(at, eps):
            return [g.astype(x.dtype) for g, x in zip(change(gradient, at, eps, params, n), at, strict=True)]

        return step(q, v, params, wrong, rule, precision)

    return advance


def moved(change: Callable) -> Callable:
    """The right step, then other states: change(q, v, right q', right v', params, n) -> q', v'; stored as the
    right ones are."""

    def advance(n, q, v, params, gradient, rule, precision):
        new_q, new_v = change(q, v, *step(q, v, params, gradient, rule, precision), params, n)

        def fit(xs, old, kind):
            return [narrow(np.asarray(x, o.dtype), kind) for x, o in zip(xs, old, strict=True)]

        return fit(new_q, q, precision.q_store), fit(new_v, v, precision.v_store)

    return advance


def stored(store: Callable) -> Callable:
    """The right step with another rounding into its stores: store(x, kind)."""
    return lambda n, *state: step(*state, store=store)


def storing(change: Callable) -> Callable:
    """The step that stores other numbers, and goes on with those: change(x, kind, into) -> what is stored.

    x     the number that is to be rounded to the type `kind`
    into  where to: into.word is "q" or the name of a buffer, into.number that of the buffer, -1 of q, and
          into.at the component; into.old stands there now; into.n and into.params are those of the step
    """

    def advance(n, q, v, params, gradient, rule, precision):
        d = len(q)
        old = {(name, i): v[j * d + i] for j, name in enumerate(rule.buffers) for i in range(d)}
        old |= {("q", i): x for i, x in enumerate(q)}
        places = iter(places_of_stores(rule, d))

        def store(x, kind):
            word, at = next(places)
            number = -1 if word == "q" else rule.buffers.index(word)
            here = dict(word=word, number=number, at=at, old=old[word, at], n=n, params=params)
            return change(x, kind, SimpleNamespace(**here))

        return step(q, v, params, gradient, rule, precision, store=store)

    return advance


def kept(change: Callable) -> Callable:
    """The step that stores change(x, into) in its buffers for x, and moves q by those."""
    return storing(lambda x, kind, into: narrow(x if into.word == "q" else change(x, into), kind))


def remembered(change: Callable) -> Callable:
    """A step that knows what came before: change(past, n, q, v, params, gradient, rule, precision) -> q', v'.

    past  the (q, v) of the earlier steps of this launch, oldest first; [] at n = 1
    """

    def fresh():
        past: list = []

        def advance(n, q, v, *about):
            if n == 1:
                past.clear()
            out = change(list(past), n, q, v, *about)
            past.append((q, v))
            return out

        return advance

    return fresh


def scaled(row: int, factor: float) -> Callable:
    """A change of a launch: a row of its parameters times a factor, which the kernel rounds and nobody
    before."""

    def alter(case: Case, job: Job) -> Job:
        params = job.params.copy()
        params[row] *= factor
        return replace(job, params=params)

    return alter


def added(x, y):
    return [a + b for a, b in zip(x, y, strict=True)]


def rolled(x: list) -> list:
    """Each component in the place of its neighbour."""
    return [*x[1:], x[0]]
