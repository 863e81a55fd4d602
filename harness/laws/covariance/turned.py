"""D17: a rule beside itself with its parameters turned, as lanes of one run (theory.md#D17).

    run(T q_0, T g_n) = T run(q_0, g_n)     from buffers that are 0, g_n the gradients of the run on the right

Where each parameter goes its own way and T exchanges parameters or changes signs, no bit may differ, in any
number of steps. Elsewhere sums are added in another order or T q is rounded, and the first step must agree
within its running errors on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.cases.rule import Rule
from noether.cases.turns import Turn, by_components, commutes, turns
from noether.kernels.loops.launch import Job
from noether.kernels.programs.numpy_step import Reader, step
from noether.kernels.programs.precision import UNIT, Precision, representable
from noether.kernels.programs.trace_rule import update_program
from noether.laws.covariance.faults import OTHER_TURN
from noether.laws.exact import bits as bitwise
from noether.mechanics.step_bounds import step_error
from noether.verdicts import judgement, powers
from noether.verdicts.record import Record

ROOM = 4
"""Roundings of a row of T x, of two products and their sum, in units of |T| |x|, and one to spare."""


@dataclass(frozen=True)
class Course:
    """What a run was and met; lists over steps of (d, lanes) in the type of the arithmetic."""

    q: list[np.ndarray]
    v: list[np.ndarray]
    g: list[np.ndarray]
    G: list[np.ndarray]


def turned(turn: Turn, x: np.ndarray) -> np.ndarray:
    """T x, (d, lanes) float64."""
    return np.stack(turn.of(list(x.astype(np.float64))))


def absolute(turn: Turn) -> Turn:
    """The matrix of |T_ij|."""
    return Turn(turn.name, tuple(tuple((j, abs(c)) for j, c in row) for row in turn.rows))


def course(job: Job) -> Course:
    """A job from buffers that are 0."""
    own = job.params.astype(job.precision.arith)
    run = lambda program, q, name: np.stack(program.run(list(q), own[job.rule.index(name)], job.precision))
    q, out = job.q0.astype(job.precision.arith), Course([], [], [], [])
    v, read = np.zeros((job.v0.shape[0], job.lanes), q.dtype), reader(job)
    for n in range(1, job.steps + 1):
        out.q.append(q)
        out.v.append(v)
        out.g.append(run(job.program, q, "eps"))
        out.G.append(run(job.metric, q, "kappa") if job.metric else q[:0])
        q, v = stepped(job, read, n, q, v, out.g[-1], out.G[-1])
    out.q.append(q)
    out.v.append(v)
    return out


def reader(job: Job) -> Reader:
    """What each step of a job reads beside its state."""
    return Reader(job.rule, job.precision, job.params, job.rule.known_numbers(job.params, job.steps))


def stepped(job: Job, read: Reader, n: int, q, v, g, G) -> tuple[np.ndarray, np.ndarray]:
    """Step n of a job under a gradient and a metric that are given, (d, lanes) each."""
    q, v = step(list(q), list(v), [*read.at(n, q), *G], lambda *_: list(g), job.rule, job.precision)
    return np.stack(q), np.stack(v)


def beside(job: Job, own: Course, some: tuple[Turn, ...]) -> list[np.ndarray]:
    """q at every step of the job turned by each of these, all lanes of one turn after those of another."""
    many, p = len(some), job.precision
    wide = replace(job, **{x: np.tile(getattr(job, x), many) for x in ("q0", "v0", "params")})
    all_of = lambda x, kind, of: np.concatenate([representable(turned(of(t), x), kind) for t in some], axis=1)
    same = lambda t: t
    q = all_of(own.q[0], p.q_store, same).astype(p.arith)
    v, out, read = np.zeros((job.v0.shape[0], q.shape[1]), q.dtype), [q], reader(wide)
    for n, (g, G) in enumerate(zip(own.g, own.G, strict=True), 1):
        entries = all_of(G, p.arith, absolute).astype(p.arith) if len(G) else q[:0]
        q, v = stepped(wide, read, n, q, v, all_of(g, p.arith, same).astype(p.arith), entries)
        out.append(q)
    return out


@dataclass(frozen=True)
class Given:
    """What a step reads: q, g (d, lanes), v (buffers d, lanes), params (rows, lanes) with what is known of
    it, G (d or 0, lanes); off_q and off_g: how far the q and g of the step may be from these."""

    q: np.ndarray
    v: np.ndarray
    g: np.ndarray
    params: np.ndarray
    G: np.ndarray
    off_q: np.ndarray
    off_g: np.ndarray


def step_bound(rule: Rule, at: Given, precision: Precision) -> np.ndarray:
    """Bound on the rounding of q' in one step, its buffers exact, (d, lanes)."""
    known = at.params[len(rule.parameters) :]
    rows = np.concatenate([at.params, at.G])
    of_known = np.abs(known - representable(known, precision.arith))
    apart = np.concatenate([0 * at.params[: len(rule.parameters)], of_known, 0 * at.G])
    given = {"q": (at.q, at.off_q), "g": (at.g, at.off_g), "p": (rows, apart), "v": (at.v, 0 * at.v)}
    given = {letter: tuple(x.astype(float)[None] for x in pair) for letter, pair in given.items()}
    return step_error(update_program(rule, len(at.q)), given, precision)[0, : len(at.q)]


def first(job: Job, q, g, G, off_q, off_g) -> Given:
    """A first step from buffers that are 0, of the lanes of a job or of many times as many."""
    rule, many = job.rule, q.shape[1] // job.lanes
    known = rule.known_numbers(job.params, job.steps)[0]
    known = np.broadcast_to(known, (len(known), job.lanes))
    params = np.tile(np.concatenate([job.params, known]), many)
    return Given(q, np.zeros((len(rule.buffers) * len(q), q.shape[1])), g, params, G, off_q, off_g)


def judged(cell, job: Job) -> list[Record]:
    """Of the turns of a rule: those that must agree in every bit, those that must within rounding, and those
    that it does not commute with, which must be seen."""
    rule, d, p = job.rule, cell.case.dim, job.precision
    each = by_components(rule, d)
    own, some = course(job), turns(d)
    kinds = [commutes(rule, t) for t in some]
    found = beside(job, own, some)
    out = []
    exact = [i for i, t in enumerate(some) if kinds[i] and each and t.signed]
    if exact:
        out.append(in_bits(cell, job, own, found, [(i, some[i]) for i in exact]))
    near = [i for i in range(len(some)) if kinds[i] and i not in exact]
    seen = not rule.log_state and p.name in ("float64", "float32")  # rounding of 8 bits hides a small turn
    others = [i for i in range(len(some)) if not kinds[i]] if seen else []
    spent = within(job, own, found, some) if near or others else None
    if near:
        out.append(in_rounding(cell, job, spent, [(i, some[i]) for i in near]))
    if others:
        out.append(in_rounding(cell, job, spent, [(i, some[i]) for i in others], fault=OTHER_TURN.name))
    return out


def in_bits(cell, job: Job, own: Course, found: list[np.ndarray], chosen) -> Record:
    """No bit of any step may differ."""
    wrong, total = 0, 0
    for n, q in enumerate(own.q):
        for i, t in chosen:
            off = found[n][:, i * job.lanes : (i + 1) * job.lanes] != turned(t, q)
            wrong, total = wrong + int(off.sum()), total + off.size
    first, last = (np.concatenate([own.q[n], own.v[n]]) for n in (0, -1))
    moved = int((first != last).any(axis=0).sum())
    return judgement.bits(
        wrong,
        f"{listed(chosen)}: {wrong} of {total} values differ in any bit; {moved} of {job.lanes} lanes moved",
        enough=moved * 2 >= job.lanes,
        powers=bitwise.of_store(job.precision),
        symmetry="turns, to the bit",
        **about(cell, job),
    )


def within(job: Job, own: Course, found: list[np.ndarray], some) -> tuple:
    """Measured q', predicted T q' and its bound after one step, and T q, (turns, d, lanes) each."""
    p, many, d = job.precision, len(some), len(own.q[0])
    whole = lambda x: np.concatenate([turned(t, x) for t in some], axis=1)
    sizes = lambda x: np.concatenate([turned(absolute(t), np.abs(x)) for t in some], axis=1)
    u = max(UNIT[p.q_store], p.u_arith)
    G = sizes(own.G[0]) if job.metric else whole(own.g[0])[:0]
    q, g, after = (whole(x) for x in (own.q[0], own.g[0], own.q[1]))
    there = first(job, q, g, G, ROOM * u * sizes(own.q[0]), ROOM * u * sizes(own.g[0]))
    here = first(job, own.q[0], own.g[0], own.G[0], 0 * own.q[0], 0 * own.g[0])
    there, here = (step_bound(job.rule, x, p) for x in (there, here))
    bound = there + sizes(here) + ROOM * 2.0**-53 * sizes(own.q[1])
    split = lambda x: x.reshape(d, many, job.lanes).swapaxes(0, 1).astype(float)
    return split(found[1]), split(after), split(bound), split(found[0])


def in_rounding(cell, job: Job, spent, chosen, fault: str | None = None) -> Record:
    """The worst of these turns; of turns that a rule does not commute with the one that is seen least."""
    measured, predicted, bound, start = spent
    compared = [judgement.worst(measured[i], predicted[i], bound[i]) for i, _ in chosen]
    mine = [i for i, _ in chosen]
    seen = powers.smallest((measured - predicted)[mine], bound[mine], (predicted - start)[mine])
    pick = max if fault is None else min
    at = pick(range(len(compared)), key=lambda i: compared[i].spent)
    name = chosen[at][1].name
    return judgement.rounding(
        compared[at],
        f"{listed(chosen)}: one step is off by {abs(compared[at].measured - compared[at].predicted):.2g}, "
        f"{compared[at].spent:.2g} of its rounding bound, under {name}",
        enough=True,
        powers={"step": seen},
        symmetry="turns",
        fault=fault,
        **about(cell, job),
    )


def listed(chosen) -> str:
    return ", ".join(t.name for _, t in chosen)


def about(cell, job: Job, **parameters) -> dict:
    """What every record of D17 says of its cell and its job."""
    return dict(
        law="D17", case=cell.case.name, rule=cell.rule, backend="numpy", precision=cell.precision,
        lanes=job.lanes, steps=job.steps, cell=cell.name, replay=cell.replay, parameters=parameters,
    )  # fmt: skip
