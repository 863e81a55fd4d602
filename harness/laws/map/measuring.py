"""One number and one verdict for each cell of the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.kernels.programs.namespaces import NUMPY
from noether.laws.map import charges
from noether.laws.map.charges import U
from noether.laws.map.scenes import STARTS, Scene
from noether.laws.map.stepping import Run, gradient_of
from noether.laws.map.table import EXACT, NO_CHARGE, Entry
from noether.mechanics.collocation import march
from noether.verdicts import orders
from noether.verdicts.claims import QUARTER
from noether.verdicts.judgement import spent_of, worst

MOVED = 2.0**-6  # of |q_0|: a trajectory that goes less far shows nothing about what it keeps
UNDECIDED = "undecided"
"""The label of a drift whose order no series of step sizes tells."""
OPEN = 2.0**-10
"""A one-form whose differential is this share of its derivative is not closed: rounding leaves 2^-50."""


@dataclass
class Finding:
    """What one cell came to.

    value   the relative drift at the smallest step;  spent, measured, predicted, bound as in a Record
    order   noether.verdicts.orders.Order, where an order was decided
    needed  of |q_0|, how far the trajectory must move
    """

    label: str
    value: float
    measured: float | None
    predicted: float
    bound: float | None
    spent: float | None
    evidence: str
    moved: float
    drifts: tuple[float, ...] = ()
    order: orders.Order | None = None
    needed: float = MOVED


def over_starts(x: np.ndarray) -> np.ndarray:
    """The norm over the starts, one number a step size: where one start's drift changes sign nothing is
    decided by it."""
    return np.linalg.norm(np.reshape(x, (STARTS, -1)), axis=0) / STARTS**0.5


def drift_of(run: Run, scene: Scene, charge: str) -> charges.Drift:
    if charge == "energy":
        return charges.of_energy(run, lambda q: scene.case.loss(list(np.moveaxis(q, 1, 0)), NUMPY))
    return getattr(charges, f"of_{charge}")(run, scene.symmetry)


def discrete(run: Run, scene: Scene, entry: Entry, few: bool) -> Finding:
    """A column that takes steps. few: the rounding bound on one start a step size only."""
    drift = drift_of(run, scene, entry.charge)
    error, floor = over_starts(drift.relative), over_starts(drift.floor)
    if entry.label == EXACT:
        part = run.part(rotating(len(error))) if few else run
        return kept(run, part, scene, entry.charge, error, floor)
    return falling(run, entry.order, error, floor)


def kept(run: Run, part: Run, scene: Scene, charge: str, error, floor) -> Finding:
    """A charge that must be kept exactly, against its rounding bound on a part of the run."""
    off, bound = charges.bounded(part, scene.symmetry, charge)
    most = worst(off, 0.0, bound)
    order = None if most.spent <= 1 else orders.decide(error, floor)
    text = (
        f"off by {most.measured:.2g}, {most.spent:.2g} of its rounding bound, over "
        f"{int(run.counts.max())} steps"
    )
    return Finding(
        label=label_of(order) if order else EXACT,
        value=float(error[-1]),
        measured=most.measured,
        predicted=0.0,
        bound=most.bound,
        spent=most.spent,
        evidence=text,
        moved=float(run.path.min()),
        drifts=tuple(float(x) for x in error),
        order=order,
    )


def falling(run: Run, stated: int, error, floor) -> Finding:
    """A charge that must leave its law by an order in the step size."""
    drifts, order = tuple(float(x) for x in error), orders.decide(error, floor)
    ends = f"drift {drifts[0]:.2g} at the largest step, {drifts[-1]:.2g} at the smallest"
    return Finding(
        label=label_of(order),
        value=drifts[-1],
        measured=order.value,
        predicted=float(stated),
        bound=QUARTER,
        spent=float(spent_of(order.value, stated, QUARTER)) if decided(order) else None,
        evidence=f"{ends}: {order.reason}",
        moved=float(run.path.min()),
        drifts=drifts,
        order=order,
    )


def rotating(sizes: int) -> np.ndarray:
    """One lane a step size, each of another start."""
    return np.array([(j % STARTS) * sizes + j for j in range(sizes)])


def decided(order: orders.Order) -> bool:
    """p* is known to a quarter: the label is a whole number, and neighbours are four quarters apart."""
    return order.is_decided and order.bound <= QUARTER


def label_of(order: orders.Order) -> str:
    return f"order {round(order.value)}" if decided(order) else UNDECIDED


def flowing(scene: Scene, entry: Entry, q0: np.ndarray) -> Finding:
    """Gradient flow, by collocations of orders 15 and 13: their distance is the error. Energy: f(T) - f(0) +
    int |g|^2 = 0."""
    fine, error = flowed(scene, q0)
    g, d = gradient_of(scene.case), len(q0)
    q = fine[:d]
    if entry.charge == "energy":
        loss = lambda x: scene.case.loss(list(x), NUMPY)
        off, slope, size = np.abs(loss(q) - loss(q0) + fine[d]), np.abs(g(q)), np.abs(loss(q0)) + fine[d]
    else:
        C = charges.potential(scene.symmetry, np.stack([q0, q]))
        off, size = np.abs(C[1] - C[0]), charges.magnitude(scene.symmetry, q0[None])
        slope = np.abs(charges.generator(scene.symmetry, q[None])[0])
    of_work = error[d] * (entry.charge == "energy")
    bound = (slope * error[:d]).sum(axis=0) * (1 + 2.0**-20) + of_work + 8 * U * size
    most = worst(off, 0.0, bound)
    moved = float((np.linalg.norm(q - q0, axis=0) / np.linalg.norm(q0, axis=0)).min())
    label = EXACT if most.spent <= 1 else "order 0"
    text = f"off by {most.measured:.2g} at t = {scene.final:g}, {most.spent:.2g} of the flow's own error"
    return Finding(label, float((off / size).max()), most.measured, 0.0, most.bound, most.spent, text, moved)


def flowed(scene: Scene, q0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(q, int |g|^2) at the end of the flow, (d + 1, lanes), and its error."""
    g, d = gradient_of(scene.case), len(q0)

    def rates(x):
        force = g(x[:d])
        return np.concatenate([-force, (force * force).sum(axis=0)[None]])

    x0 = np.concatenate([q0, np.zeros((1, q0.shape[1]))])
    times = np.linspace(np.zeros(q0.shape[1]), np.full(q0.shape[1], scene.final), 3)
    nothing = np.zeros((0, q0.shape[1]))
    fine, coarse = (march(rates, lambda X: X[:0], x0, nothing, nothing, times, s)[0][-1] for s in (8, 7))
    # Each of the two steps ends in a sum over eight stages: ten roundings of every component.
    return fine, np.abs(fine - coarse) + 20 * U * np.abs(fine)


def closedness(scene: Scene, q: np.ndarray, *, dual: bool) -> float:
    """|D theta - D theta^T| / |D theta| of theta = G xi, G = 1 or diag(1/q), the least over the starts.

    theta_i = G_i(q) (A q)_i; its differential by the complex step, exact to rounding. Zero: a charge exists
    (Poincare).
    """
    d, A, shares = len(q), scene.symmetry.matrix, []
    for x in q.T:
        points = x[:, None] + 1e-30j * np.eye(d)
        theta = A @ points
        D = (theta / points if dual else theta).imag / 1e-30
        # A constant form is closed.
        shares.append(np.linalg.norm(D - D.T) / np.linalg.norm(D) if D.any() else 0.0)
    return float(min(shares))


def chargeless(scene: Scene, q: np.ndarray, moved: float, *, dual: bool) -> Finding:
    share = closedness(scene, q, dual=dual)
    label = NO_CHARGE if share >= OPEN else EXACT
    text = f"d<{'dq/q' if dual else 'dq'}, xi> is {share:.2g} of its derivative, 0 where a charge exists"
    return Finding(label, share, share, 0.0, OPEN, float(spent_of(OPEN, 0.0, share)), text, moved)
