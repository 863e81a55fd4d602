"""Claims about discrete runs and massive models: all of a table in one batch of lanes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.cases.rules import HEAVY_BALL, Rule
from noether.laws.law import NEAR
from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE, Claim, Solution, ended, judged
from noether.laws.orders.models import FIELDS, Massive, rates_of
from noether.laws.orders.runs import Cell, reference, rough, step_sizes, steps_of, updates
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record


@dataclass(frozen=True, eq=False)
class Steps:
    """A run of a rule from v_0 = eta v0, by steps of factor * eta."""

    rule: Rule = HEAVY_BALL
    v0: np.ndarray | float = 0.0
    factor: float = 1.0

    @property
    def key(self) -> tuple:
        return self.rule, self.factor, np.asarray(self.v0).tobytes()


def kinds(rule: Rule, w) -> tuple[Steps, Steps, Steps]:
    """The runs of a table: cold, warm, and cold with steps that are too long."""
    return Steps(rule), Steps(rule, v0=w), Steps(rule, factor=NEAR)


def at_start(cell: Cell):
    """eta (sizes,), q_0 (d, starts), w and g(q_0) (d, starts, 1)."""
    q0, w = cell.start()
    return step_sizes(cell), q0, w[..., None], gradient(cell.slowed)(q0, EPS)[..., None]


def judge_claims(
    cell: Cell, claims: list[Claim], q0: np.ndarray, *, beta: float, k: float, at: str = "", ends=None
) -> list[Record]:
    """The records of a table of Steps against Massive models: every distinct run once, every model in
    one march; q0 (d, starts).

    ends  where the runs of the claims end, (d, starts, sizes) each, where they are no Steps
    """
    eta, out = step_sizes(cell), []
    g = lambda x: gradient(cell.slowed)(x, EPS)
    ends = ends or run_claims(g, claims, q0, eta, beta=beta, k=k)
    x, error, qdot = solve_claims(g, claims, q0, eta)
    felt = responses(g, claims, q0, eta)
    known = constants.known(cell.slowed)
    limits = constants.twice(lambda: limits_of(cell.slowed, claims, q0, eta)) if known else ({}, {})
    for i, claim in enumerate(claims):
        D = {name: -d for name, d in felt.get(i, {}).items()}
        if claim.order == 2:
            D["eta"] = -claim.model.final * qdot[i]
        constant = (limits[0][i], limits[1][i]) if i in limits[0] else None
        solved = dict(run=ended(ends[i]), model=Solution(x[i], error[i]), responses=D, constant=constant)
        out.append(replace(claim, **solved))
    facts = dict(steps=int(steps_of(eta).max()), about={"beta": beta, "k": k / cell.unit})
    return judged(cell, out, at, sequence="limit order fault constant", graded=True, **facts)


def run_claims(g, claims: list[Claim], q0, eta, *, beta: float, k: float) -> list[np.ndarray]:
    """q at the end of each claim's run, (d, starts, sizes) each."""
    shape, ends = (*q0.shape, len(eta)), {}
    for rule in dict.fromkeys(c.run.rule for c in claims):
        mine = {c.run.key: c.run for c in claims if c.run.rule == rule}
        v = np.stack([np.broadcast_to(eta * run.v0, shape) for run in mine.values()], axis=1)
        q = np.broadcast_to(q0[:, None, :, None], v.shape)
        factors = np.array([run.factor for run in mine.values()])[:, None, None]
        sizes, counts = (np.broadcast_to(x, v.shape[1:]) for x in (factors * eta, steps_of(eta)))
        lanes = (y.reshape(*y.shape[: y.ndim - 3], -1) for y in (q, v, sizes, counts))
        end = updates(g, *lanes, beta=beta, k=k, rule=rule)[0].reshape(v.shape)
        ends |= zip(mine, np.moveaxis(end, 1, 0), strict=True)
    return [ends[c.run.key] for c in claims]


def lanes_of(g, models: list[Massive], q0, eta) -> tuple:
    """The rates of (2) of models.py, (q, r) at t = 0, the fastest rate and the final time of models side by
    side: lanes (models, starts, sizes)."""
    d, starts = q0.shape
    m, c, lam, kappa, phi = (
        np.stack([np.broadcast_to(x.field(name, eta.shape), (starts, len(eta))) for x in models]).reshape(-1)
        for name in FIELDS[:-1]
    )
    q = np.broadcast_to(q0[:, None, :, None], (d, len(models), starts, len(eta))).reshape(d, -1)
    qdot = np.stack([x.field("qdot", (d, starts, len(eta))) for x in models], axis=1).reshape(d, -1)
    x0 = np.concatenate([q, m * qdot + c * q + lam * phi * g(q)])
    final = np.repeat([x.final for x in models], starts * len(eta))
    return rates_of(g, m, c, lam, kappa, phi), x0, c / m, final


def solve_claims(g, claims: list[Claim], q0, eta) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q of every model at its final time, (claims, d, starts, sizes), its error (claims, starts, sizes), and
    qdot there."""
    rates, *march = lanes_of(g, [c.model for c in claims], q0, eta)
    x, error = reference(rates, *march)
    apart = lambda y: np.moveaxis(y.reshape(len(q0), len(claims), q0.shape[1], len(eta)), 1, 0)
    d = len(q0)
    return apart(x[:d]), error.reshape(len(claims), -1, len(eta)), apart(rates(x)[:d])


def responses(g, claims: list[Claim], q0, eta) -> dict[int, dict[str, np.ndarray]]:
    """{claim: {term: d q / d ln term}} of the claims of order 2, (d, starts, sizes) each, by differences of
    rough solutions."""
    right = [i for i, c in enumerate(claims) if c.order == 2]
    which = [(i, name) for i in right for name in (None, *claims[i].model.names)]
    models = [claims[i].model.changed(name, 1 + NUDGE) for i, name in which]
    x = rough(*lanes_of(g, models, q0, eta))[: len(q0)].reshape(len(q0), len(which), q0.shape[1], len(eta))
    at, out = dict(zip(which, np.moveaxis(x, 1, 0), strict=True)), {}
    for i, name in which:
        if name:
            out.setdefault(i, {})[name] = (at[i, name] - at[i, None]) / NUDGE
    return out


def limits_of(case, claims: list[Claim], q0: np.ndarray, eta: np.ndarray) -> dict[int, np.ndarray]:
    """{claim: e/eta^order as eta goes to 0, (d, starts)} of those with a right model; one mu, kappa and phi
    for all. Where the order is 2 the right model is its own."""
    ones, twos = ([i for i, c in enumerate(claims) if c.right and c.order == order] for order in (1, 2))
    models, out = list({id(m): m for i in ones for m in (claims[i].right, claims[i].model)}.values()), {}
    if ones:
        parts = [constants.Parts.of(model, q0, eta) for model in models]
        found = constants.first(case, parts, q0, claims[ones[0]].model.final)
        Y = dict(zip(map(id, models), found, strict=True))
        out = {i: Y[id(claims[i].right)] - Y[id(claims[i].model)] for i in ones}
    if twos:
        model = claims[twos[0]].model
        own = constants.Parts.of(model, q0, eta)
        out |= dict.fromkeys(twos, constants.second(case, own.mu, own.kappa, q0, model.final).z)
    return out
