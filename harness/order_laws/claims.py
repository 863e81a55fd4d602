"""Claims about a discrete run and a massive model, all of a law in one batch of lanes.

    m qddot + (c + lambda H(q)) qdot + kappa q + g(q) = 0                                            (1)
    as   qdot = (r - c q - lambda g(q)) / m,   rdot = -kappa q - g(q)                                (2)

(2) is (1) once integrated: no Hessian is needed for a friction that is proportional to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.order_laws.runs import FINAL, Cell, judge, reference, step_sizes, steps_of, updates
from harness.symbolic import gradient
from harness.verdicts import Record
from kernels.rules import HEAVY_BALL, Rule

OFF = 1 + 2.0**-10


@dataclass(frozen=True)
class Model:
    """(1): mass, friction, curvature (lambda) and spring (kappa) are numbers or (lanes,); qdot (d, 1) or (d, lanes) at t = 0."""

    mass: np.ndarray
    friction: np.ndarray | float
    qdot: np.ndarray
    curvature: np.ndarray | float = 0.0
    spring: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A run against a model: v_0 = eta v0, steps of factor * eta, compared at the model's time `final`.

    stated    its order, None when only the control is a record
    control   the fault's name: the same comparison judged against the order `against`
    """

    note: str
    model: Model
    stated: int | None
    control: str | None = None
    against: int = 2
    v0: np.ndarray | float = 0.0
    factor: float = 1.0
    rule: Rule = HEAVY_BALL
    final: float = FINAL


def massive(g, mass, friction, curvature, spring):
    """(2) as rates of (q, r); parameters (lanes,)."""

    def rates(x):
        q, r = np.split(x, 2)
        force = g(q)
        return np.concatenate([(r - friction * q - curvature * force) / mass, -spring * q - force])

    return rates


def judge_claims(cell: Cell, claims: list[Claim], q0: np.ndarray, *, beta: float, k: float, eps: float) -> list[Record]:
    """Every distinct run once, every model in one march."""
    eta = step_sizes(cell)
    g = lambda x: gradient(cell.case)(x, eps)  # noqa: E731
    ends = run_claims(g, claims, q0, eta, beta=beta, k=k)
    x, error = solve_claims(g, claims, q0, eta)
    out, steps = [], int(steps_of(eta).max())
    for i, (claim, end) in enumerate(zip(claims, ends, strict=True)):
        mine = slice(i * len(eta), (i + 1) * len(eta))
        e, size = np.linalg.norm(end - x[: len(q0), mine], axis=0), np.linalg.norm(end, axis=0)
        facts = dict(steps=steps)
        if claim.stated:
            out.append(judge(cell, e, error[mine], size, claim.stated, claim.note, **facts))
        if claim.control:
            out.append(judge(cell, e, error[mine], size, claim.against, claim.note, control=claim.control, **facts))
    return out


def run_claims(g, claims: list[Claim], q0, eta, *, beta: float, k: float) -> list[np.ndarray]:
    """q at the end of each claim's run, (d, lanes) each."""
    key = lambda c: (c.rule.name, c.rule.dampening, c.factor, np.asarray(c.v0).tobytes())  # noqa: E731
    ends: dict = {}
    for rule in dict.fromkeys(c.rule for c in claims):
        mine = {key(c): c for c in claims if c.rule == rule}
        q = np.repeat(q0, len(eta) * len(mine), axis=1)
        v = np.concatenate([np.zeros((len(q0), len(eta))) + eta * c.v0 for c in mine.values()], axis=1)
        sizes = np.concatenate([c.factor * eta for c in mine.values()])
        counts = np.tile(steps_of(eta), len(mine))
        end = updates(g, q, v, sizes, counts, beta=beta, k=k, rule=rule)[0]
        ends |= zip(mine, np.split(end, len(mine), axis=1), strict=True)
    return [ends[key(c)] for c in claims]


def solve_claims(g, claims: list[Claim], q0, eta) -> tuple[np.ndarray, np.ndarray]:
    """(q, r) of every model at its final time, (2d, claims x lanes), and the errors."""
    each = lambda *values: np.concatenate([np.broadcast_to(x, eta.shape) for x in values])  # noqa: E731
    models = [c.model for c in claims]
    m, c, lam, kappa = (each(*(getattr(x, n) for x in models)) for n in ("mass", "friction", "curvature", "spring"))
    q = np.repeat(q0, len(m), axis=1)
    qdot = np.concatenate([np.broadcast_to(x.qdot, (len(q0), len(eta))) for x in models], axis=1)
    r = m * qdot + c * q + lam * g(q)
    return reference(massive(g, m, c, lam, kappa), np.concatenate([q, r]), c / m, each(*(x.final for x in claims)))
