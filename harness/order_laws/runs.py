"""Discrete runs over halved step sizes, the references of their models, and the record of an order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from cases.case import Case
from harness import orders
from harness.continuous_records import order_record
from harness.flow_collocation import march
from harness.verdicts import HOLDS, INCONCLUSIVE, ROUNDING, VIOLATED, Record
from kernels.precision import Precision
from kernels.rules import HEAVY_BALL, Rule
from kernels.step import step

FINAL = 2.0
EXPONENTS = {"quick": range(5, 11), "full": range(5, 12)}
WIDE = {("O1", ""), ("O2", ""), ("O3", ""), ("O5", "")}
"""Subjects (law, part) that a full run looks at on every core case and at smaller steps."""

U = 2.0**-53
MOTION = 1e3  # as in continuous.py
FLOAT64 = Precision("float64")


@dataclass(frozen=True)
class Cell:
    """One order law on one case; `rule` names the discrete update, `part` one of several subjects of a law."""

    law: str
    case: Case
    rule: str
    profile: str
    seed: int
    part: str = ""

    @property
    def name(self) -> str:
        return "/".join(x for x in (self.law, self.case.name, self.rule, self.part) if x)

    @property
    def quick(self) -> bool:
        return self.profile == "quick"

    @property
    def replay(self) -> str:
        return f"noether verify {self.case.name} --law {self.law} --profile {'quick' if self.profile == 'glance' else self.profile} --seed {self.seed}"

    def start(self, starts: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """q_0 and the fixed w of a warm start v_0 = eta w, (d, starts) each."""
        rng = np.random.default_rng(
            int.from_bytes(hashlib.sha256(f"{self.seed}/{self.name}".encode()).digest()[:8], "big")
        )
        w = rng.uniform(0.5, 1, (self.case.dim, starts)) * rng.choice([-1.0, 1.0], (self.case.dim, starts))
        return self.case.draw(rng, starts), w


def step_sizes(cell: Cell) -> np.ndarray:
    return 2.0 ** -np.array(EXPONENTS["quick" if cell.quick or (cell.law, cell.part) not in WIDE else "full"], dtype=float)


def steps_of(eta: np.ndarray, final: float = FINAL) -> np.ndarray:
    return np.rint(final / eta).astype(int)


def stepping(g, q: np.ndarray, v: np.ndarray, eta: np.ndarray, *, beta=0.0, k=0.0, rule: Rule = HEAVY_BALL, metric=None):
    """(q_n, v_n), n = 0, 1, ...: kernels/step.py in float64, with all parameters in one array (d, lanes).

    metric: G(q) of a rule that has one.
    """
    params = [np.broadcast_to(np.asarray(x, float), eta.shape) for x in (eta, beta, k, 0.0)]
    q, v, n = [q], [v], 0
    while True:
        yield q[0], v[0]
        n += 1
        here = [*params, metric(q[0])] if rule.on_metric else params
        q, v = step(q, v, here, lambda at, eps: [g(at[0])], rule.at(n), FLOAT64)


QUIET = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""A lane that is done goes on, and may leave where its loss is tame; in one that is not, a NaN is an error and no order."""


@QUIET
def updates(g, q, v, eta, counts, **how) -> list[np.ndarray]:
    """Each lane for its own count: q_n, v_n and v_{n+1}, (d, lanes) each. how: as `stepping`."""
    ends, before = [np.empty_like(q) for _ in range(3)], np.full(counts.shape, False)
    for n, (at, w) in enumerate(stepping(g, q, v, eta, **how)):
        ends[2][:, before] = w[:, before]
        before = counts == n
        if np.any(before):
            ends[0][:, before], ends[1][:, before] = at[:, before], w[:, before]
        if n > counts.max():
            return ends


def reference(rates, x0: np.ndarray, fastest: np.ndarray, final=FINAL) -> tuple[np.ndarray, np.ndarray]:
    """x(final) and its error (lanes,): the distance of orders 15 and 13, plus the rounding of the steps.

    fastest (lanes,): the rate of the initial layer, resolved by its own steps.  final: a number or (lanes,).
    """
    final = np.broadcast_to(final, fastest.shape)
    layer = np.minimum(30 / fastest, final / 2)
    times = np.concatenate([np.linspace(0, layer, 17), np.linspace(layer, final, 17)[1:]])
    fine, error = solved(rates, x0, times)
    return fine[-1], error[-1]


def solved(rates, x0: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x at `times` (n, lanes), and its error as in `reference`, (n, lanes)."""
    none = np.zeros((0, x0.shape[1]))
    fine, coarse = (march(rates, lambda X: X[:0], x0, none, none, times, s)[0] for s in (8, 7))
    size = np.linalg.norm(fine, axis=1)
    return fine, np.linalg.norm(fine - coarse, axis=1) + U * len(times) * size


def judge(
    cell: Cell,
    error: np.ndarray,
    reference_error: np.ndarray,
    size: np.ndarray,
    stated: int,
    note: str,
    *,
    control=None,
    symmetry=None,
    steps=0,
    eta: np.ndarray | None = None,
    small: str = "eta",
) -> Record:
    """noise = reference error + rounding floor u n |q|: n steps each round q once.

    small, eta: what goes to zero and its values, where it is not the cell's step sizes.
    """
    eta = step_sizes(cell) if eta is None else eta
    order = orders.decide(error, reference_error + U * FINAL / eta * size)
    below = "" if control else f"; decided by {len(order.orders) + 1} of {len(eta)}"
    data = {
        "x": [float(x) for x in eta], "y": [float(abs(x)) for x in error], "label": note,
        "plot": "loglog", "series": {note: [float(abs(x)) for x in error]}, "xlabel": small, "ylabel": "error",
        "caption": f"{note}: the error falls as {small}^{stated}{below}.",
    }  # fmt: skip
    about = {small: [float(eta[0]), float(eta[-1])], "t": FINAL, "statement": note, "p": list(order.orders)}
    return order_record(
        cell, symmetry, order, stated, about, data, control=control, steps=steps, backend="numpy", note=note
    )


def bounded(
    cell: Cell, measured, predicted, bound, motion, note: str, *, symmetry=None, control=None, about: dict | None = None, steps=0, data=None
) -> Record:
    """A record of bounded errors, arrays of any one shape: the worst place speaks; `motion`, what moved at all, must be MOTION bounds."""
    measured, predicted, bound, motion = (x.ravel() for x in np.broadcast_arrays(measured, predicted, bound, motion))
    with np.errstate(divide="ignore", invalid="ignore"):
        spent = np.nan_to_num(np.abs(measured - predicted) / bound, nan=np.inf)
    i, still = int(np.argmax(spent)), motion <= MOTION * bound
    verdict = VIOLATED if spent[i] > 1 else INCONCLUSIVE if np.any(still) else HOLDS
    thin = f"; no motion in {int(still.sum())} of {still.size}: at most {MOTION:.0f} bounds" if np.any(still) else ""
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend="numpy", precision="float64", lanes=measured.size, steps=steps,
        parameters={"statement": note, **(about or {})}, predicted=float(predicted[i]), measured=float(measured[i]), bound=float(bound[i]),
        spent=float(spent[i]), verdict=verdict, reason=f"{note}: off by {spent[i]:.3g} bounds{thin}", kind=ROUNDING, symmetry=symmetry, control=control,
        cell=cell.name, replay=cell.replay, data={} if control else data or {},
    )  # fmt: skip


def both(cell: Cell, error, reference_error, size, stated: int, note: str, control: str, against: int, **facts) -> list[Record]:
    """The stated order, and the same comparison under a claim that is not true."""
    return [
        judge(cell, error, reference_error, size, stated, note, **facts),
        judge(cell, error, reference_error, size, against, note, control=control, **facts),
    ]


def second_order(g, eta_m, mu, k):
    """m qddot + mu qdot + g + k q = 0 as rates of (q, qdot); m (lanes,)."""

    def rates(x):
        q, qdot = np.split(x, 2)
        return np.concatenate([qdot, -(mu * qdot + g(q) + k * q) / eta_m])

    return rates


def judged_claims(cell: Cell, claims, e: np.ndarray, error: np.ndarray, size: np.ndarray, *, steps: int) -> list[Record]:
    """claims (note, ..., stated, control), lanes of each side by side: the stated order, and 2 where it must fail."""
    n, out = len(e) // len(claims), []
    for i, (note, *_, stated, control) in enumerate(claims):
        mine = slice(i * n, (i + 1) * n)
        if stated:
            out.append(judge(cell, e[mine], error[mine], size[mine], stated, note, steps=steps))
        if control:
            out.append(judge(cell, e[mine], error[mine], size[mine], 2, note, control=control, steps=steps))
    return out
