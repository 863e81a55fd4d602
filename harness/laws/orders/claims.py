"""Claims about a discrete run and a massive model, all of a law in one batch of lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.cases.rules import HEAVY_BALL, Rule
from noether.laws.orders import constants
from noether.laws.orders.models import FIELDS, Term, changed, field, massive
from noether.laws.orders.records import judge
from noether.laws.orders.runs import FINAL, Cell, reference, rough, step_sizes, steps_of, updates
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record

OFF = 1 + 2.0**-10
NUDGE = 2.0**-8  # of a coefficient, for the response to it


@dataclass(frozen=True, eq=False)
class Claim:
    """A run against a model: v_0 = eta v0, steps of factor * eta, compared at the model's time `final`.

    model     terms of (1) of models.py
    stated    its order, None when only the fault is a record
    fault   the fault's name: the same comparison judged against the order `against`
    right     the model of order 2 for this run, where a constant of order 1 is predicted
    constant  whether e/eta^stated is judged too, against the next order (constants.py)
    """

    note: str
    model: tuple[Term, ...]
    stated: int | None
    fault: str | None = None
    against: int = 2
    v0: np.ndarray | float = 0.0
    factor: float = 1.0
    rule: Rule = HEAVY_BALL
    final: float = FINAL
    right: tuple[Term, ...] | None = None
    constant: bool = False


def judge_claims(cell: Cell, claims: list[Claim], q0: np.ndarray, *, beta: float, k: float) -> list[Record]:
    """Every distinct run once, every model in one march; q0 (d, starts)."""
    eta = step_sizes(cell)
    g = lambda x: gradient(cell.slowed)(x, EPS)
    ends = run_claims(g, claims, q0, eta, beta=beta, k=k)
    x, error, qdot = solve_claims(g, claims, q0, eta)
    D = responses(g, claims, q0, eta)
    limits = (
        constants.twice(lambda: constants.limits(cell.slowed, claims, q0, eta))
        if constants.known(cell.slowed)
        else ({}, {})
    )
    facts, out = dict(steps=int(steps_of(eta).max()), about={"beta": beta, "k": k / cell.unit}), []
    for i, (claim, end) in enumerate(zip(claims, ends, strict=True)):
        off, size = end - x[i], np.linalg.norm(end, axis=0)
        if claim.stated == 2:
            felt = {name: -d for name, d in D.get(i, {}).items()}
            felt["eta"] = -claim.final * qdot[i]
            out.append(constants.vanishing(cell, off, error[i], size, 1, felt, claim.note, **facts))
        if claim.stated:
            out.append(
                judge(
                    cell,
                    off,
                    error[i],
                    size,
                    claim.stated,
                    claim.note,
                    responses=felt if claim.stated == 2 else None,
                    **facts,
                )
            )
        if claim.fault:
            out.append(
                judge(cell, off, error[i], size, claim.against, claim.note, fault=claim.fault, **facts)
            )
        if i in limits[0]:
            out += constants.judged(
                cell, off, error[i], size, claim.stated, (limits[0][i], limits[1][i]), claim.note, **facts
            )
    return out


def run_claims(g, claims: list[Claim], q0, eta, *, beta: float, k: float) -> list[np.ndarray]:
    """q at the end of each claim's run, (d, starts, sizes) each."""
    key = lambda c: (c.rule.name, c.rule.dampening, c.factor, np.asarray(c.v0).tobytes())
    shape, ends = (*q0.shape, len(eta)), {}
    for rule in dict.fromkeys(c.rule for c in claims):
        mine = {key(c): c for c in claims if c.rule == rule}
        v = np.stack([np.broadcast_to(eta * c.v0, shape) for c in mine.values()], axis=1)
        q = np.broadcast_to(q0[:, None, :, None], v.shape)
        sizes = np.broadcast_to(np.array([c.factor for c in mine.values()])[:, None, None] * eta, v.shape[1:])
        counts = np.broadcast_to(steps_of(eta), v.shape[1:])
        flat = lambda y: y.reshape(*y.shape[: y.ndim - 3], -1)
        end = updates(g, flat(q), flat(v), flat(sizes), flat(counts), beta=beta, k=k, rule=rule)[0].reshape(
            v.shape
        )
        ends |= zip(mine, np.moveaxis(end, 1, 0), strict=True)
    return [ends[key(c)] for c in claims]


def lanes_of(g, models: list, finals: list, q0, eta) -> tuple:
    """The rates of (2) of models.py, (q, r) at t = 0, the fastest rate and the final time of models side by
    side: lanes (models, starts, sizes)."""
    d, starts = q0.shape
    m, c, lam, kappa, phi = (
        np.stack([np.broadcast_to(field(x, name, eta.shape), (starts, len(eta))) for x in models]).reshape(-1)
        for name in FIELDS[:-1]
    )
    q = np.broadcast_to(q0[:, None, :, None], (d, len(models), starts, len(eta))).reshape(d, -1)
    qdot = np.stack([field(x, "qdot", (d, starts, len(eta))) for x in models], axis=1).reshape(d, -1)
    r = m * qdot + c * q + lam * phi * g(q)
    return (
        massive(g, m, c, lam, kappa, phi),
        np.concatenate([q, r]),
        c / m,
        np.repeat(finals, starts * len(eta)),
    )


def solve_claims(g, claims: list[Claim], q0, eta) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q of every model at its final time, (claims, d, starts, sizes), its error (claims, starts, sizes), and
    qdot there."""
    rates, x0, fastest, final = lanes_of(g, [c.model for c in claims], [c.final for c in claims], q0, eta)
    x, error = reference(rates, x0, fastest, final)
    apart = lambda y: np.moveaxis(y.reshape(len(q0), len(claims), q0.shape[1], len(eta)), 1, 0)
    d = len(q0)
    return apart(x[:d]), error.reshape(len(claims), -1, len(eta)), apart(rates(x)[:d])


def responses(g, claims: list[Claim], q0, eta) -> dict[int, dict[str, np.ndarray]]:
    """{claim: {term: d q / d ln term}} of the claims of order 2, (d, starts, sizes) each, by differences of
    rough solutions."""
    right = [i for i, c in enumerate(claims) if c.stated == 2]
    which = [(i, name) for i in right for name in (None, *dict.fromkeys(t.name for t in claims[i].model))]
    models = [changed(claims[i].model, name, 1 + NUDGE) for i, name in which]
    rates, x0, fastest, final = lanes_of(g, models, [claims[i].final for i, _ in which], q0, eta)
    x = rough(rates, x0, fastest, final)[: len(q0)].reshape(len(q0), len(which), q0.shape[1], len(eta))
    at, out = dict(zip(which, np.moveaxis(x, 1, 0), strict=True)), {}
    for i, name in which:
        if name:
            out.setdefault(i, {})[name] = (at[i, name] - at[i, None]) / NUDGE
    return out
