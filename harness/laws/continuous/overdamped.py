"""T3: after the layer the charge over m of a symmetry is O(m), with a constant that is known (theory.md#T3).

For t >> m/mu the balance mu j + m j' = m K - <grad f, xi>, j = J/m, and the equation of motion leave

    j -> (m/mu) K(q, v)                 of a symmetry,    K = <v, G (Dxi) v> + <v, (xi.dG) v>/2  (1)
    j -> -<grad f, w>/mu                of a direction w that is none                            (2)
    along  mu G(q) v = -grad f,  q' = v,  from the same q(0)                                     (3)

with G = hess h for a Bregman rule, whose <Delta - m G v, xi>/m is m <v, (xi.dG) v>/2 to leading order. The
next terms are powers of m: j/m is extrapolated to m = 0 by Neville's scheme over all masses, T, and over all
but the coarsest, T'. Where the scheme converges the error of T is at most half that of T', so

    |T - constant|  <=  |T - T'| + sum |weight| noise/m + error of (3)  (4)

with the rounding of what the solvers evaluate in both of the last (overdamped_flow.py).

Masses and the time at which they are judged come from (3) and the curvature along it: m lambda/mu^2 <= 1/16
with lambda the largest eigenvalue of G^-1 hess f, 30 m/mu <= t, and a constant that has not decayed nor
cancels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.cases.case import Case, translation
from noether.laws.continuous import faults
from noether.laws.continuous.comparison import Cell
from noether.laws.continuous.overdamped_flow import NO_SYMMETRY, constants, exact, rates, rough, wandered
from noether.laws.continuous.settings import FRICTION, Setting, spread
from noether.laws.continuous.starts import NEAR, drawn, reference
from noether.laws.law import WrongStatement
from noether.mechanics import flow
from noether.mechanics.kinks import Kinked, met, singular
from noether.mechanics.symbolic_mechanics import Mechanics, mechanics
from noether.verdicts import judgement, orders
from noether.verdicts.claims import beyond, facts, order_record
from noether.verdicts.figures import Course
from noether.verdicts.record import Record

COUNT, COARSEST = 6, 2.0**-5  # masses, each half the one before
# Below that mass LSODA's step fault is lost in the rounding of mu/m at flow.TIGHT; the noise of (4) tells.
LIGHT, TIGHT = 6e-5, 1e-10
CANDIDATES, STEPS = 32, 4096


@dataclass(frozen=True, eq=False)
class Start:
    """q, qdot (d, 1);  time where it is judged;  masses (COUNT,)"""

    q: np.ndarray
    qdot: np.ndarray
    time: float
    masses: np.ndarray

    @property
    def steps(self) -> int:
        """Of (3) to that time, each at most mu/(2 lambda): masses are at most mu^2/(16 lambda)."""
        return int(np.ceil(FRICTION * self.time / (8 * self.masses[0])))


def begun(cell: Cell, case: Case, mech: Mechanics, twisting: list[int]) -> Start:
    """The candidate and the time with the roomiest constants, from rough solutions of (3). Raises Kinked
    where each meets a kink."""
    q, qdot = drawn(cell.random(), mech, CANDIDATES)
    fastest = rates(case, q)
    final = min(flow.FINAL, STEPS * FRICTION / max(fastest, 1e-9))
    steps = int(np.clip(np.ceil(2 * fastest * final / FRICTION), 2**6, STEPS))
    path = rough(case, q, final / steps, steps)
    at = [0, *(2**k for k in range(steps.bit_length() - 1)), steps]
    with np.errstate(all="ignore"):
        found = [constants(case, path[k]) for k in at]
        value, size = (np.abs(np.array([f[i] for f in found])[:, twisting]) for i in (0, 1))
        room = np.min(np.minimum(value / size, 4 * value / value.max(axis=0)), axis=1)[1:]  # (times, lanes)
        gone = ~np.isfinite(path).all(axis=(0, 1)) | (met(case, path) if case.kinks else False)
        call = singular(case)
        gone = (
            gone | ~(np.abs(call(path)) >= NEAR * np.abs(call(path[:1]))).all(axis=(0, 1)) if call else gone
        )
    if gone.all():
        raise Kinked("each overdamped flow of the reference meets a kink or a point without a derivative")
    k, lane = np.unravel_index(np.argmax(np.where(gone, -1, np.nan_to_num(room))), room.shape)
    here = at[k + 1]
    time, along = final * here / steps, path[: here + 1 : max(1, here // 8), :, lane].T
    heaviest = min(COARSEST, FRICTION * time / flow.LAYER, FRICTION**2 / (16 * max(rates(case, along), 1e-9)))
    return Start(
        q[:, [lane]], qdot[:, [lane]], float(time), 2.0 ** (np.floor(np.log2(heaviest)) - np.arange(COUNT))
    )


def weights(m: np.ndarray) -> np.ndarray:
    """Of the value at 0 of the polynomial through points at m: prod_k m_k/(m_k - m_i), k not i."""
    return np.array([np.prod([b / (b - a) for k, b in enumerate(m) if k != i]) for i, a in enumerate(m)])


@dataclass(frozen=True)
class Limit:
    """The extrapolated constant, its bound (4), and whether the scheme converges."""

    value: float
    bound: float
    settled: bool


def limit(m: np.ndarray, y: np.ndarray, noise: np.ndarray, known: float) -> Limit:
    """(4) for y (masses,) known to noise (masses,)."""
    values = [float(weights(m[k:]) @ y[k:]) for k in range(3)]
    lost = float(np.abs(weights(m)) @ noise)
    last, before = abs(values[0] - values[1]), abs(values[1] - values[2])
    return Limit(values[0], last + lost + known, last <= max(before / 2, lost))


def constant_record(
    cell: Cell,
    symmetry: str,
    found: Limit,
    predicted: float,
    about: dict,
    fault: WrongStatement | None = None,
) -> Record:
    worst = judgement.Worst(
        float(judgement.spent_of(found.value, predicted, found.bound)), found.value, predicted, found.bound
    )
    sure = found.settled and found.bound <= 0.01 * abs(predicted)
    power = (found.bound + abs(found.value - predicted)) / abs(predicted) if predicted else 1.0
    told = "" if sure else "; the extrapolation to m = 0 has not settled to 1 %"
    return judgement.order(
        worst,
        f"the constant in front is {found.value:.6g}, predicted {predicted:.6g}, known to "
        f"{found.bound:.1g}{told}",
        enough=sure,
        decided=sure,
        **facts(cell, backend="scipy", symmetry=symmetry, fault=fault and fault.name),
        lanes=COUNT,
        steps=0,
        parameters={**about, "statement": faults.IN_FRONT},
        powers={"prediction": float(f"{power:.3g}")} if sure and worst.spent <= 1 else {},
    )


def overdamped(cell: Cell) -> list[Record]:
    """The order of J/m in m and its constant, for every symmetry with kinetic breaking and for a direction
    that is none."""
    direction = translation((1, *(0,) * (cell.case.dim - 1)), NO_SYMMETRY)
    case = replace(cell.case, symmetries=(*cell.case.symmetries, direction))
    mech = mechanics(case)
    kinetic = [bool(where.keys() & {"generator", "metric"}) for where in mech.parts]
    twisting = [i for i, moved in enumerate(kinetic) if moved or i == len(kinetic) - 1]
    start = begun(cell, case, mech, twisting)
    run, noise = solved(mech, start)
    predicted, known = exact(case, start.q, start.time)
    moved = wandered(case, start.q, start.time, start.steps)
    p, j = run.x[-1, case.dim], run.j[-1]
    square = p**2, np.abs(p) * noise[-1]  # its noise: that of <p, w>, which is p_0 or near it
    out, about = [], {"t": start.time, "mu": FRICTION, "smallest_m": float(start.masses[-1])}
    for i, symmetry in enumerate(case.symmetries):
        if i in twisting:
            constant, off = float(predicted[i]), float(known[i] + moved[i])
            unit = 1.0 if symmetry.name == NO_SYMMETRY else start.masses
            charge = Charge(symmetry.name, start.masses, j[i], noise[i] + unit * moved[i], constant, off)
            out += judged(cell, charge, square, about)
        else:
            told = "its charge has no kinetic source, and is e^(-mu t/m) of its start: no order to measure"
            out.append(beyond(cell, told, backend="scipy", symmetry=symmetry.name, parameters=about))
    return out


def solved(mech: Mechanics, start: Start) -> tuple[flow.Trajectory, np.ndarray]:
    """The solutions of every mass from a start, and how far each charge may be off at its time, (symmetries,
    masses)."""
    parameters = spread(start.masses, (Setting(FRICTION),))
    times = np.stack([flow.output_times(m, FRICTION, start.time) for m in start.masses], axis=1)
    x0 = flow.start(mech, np.repeat(start.q, COUNT, axis=1), np.repeat(start.qdot, COUNT, axis=1), parameters)
    tight = flow.TIGHT if start.masses[-1] > LIGHT else TIGHT
    solution = flow.certified(mech, x0, parameters, times, reference(mech, x0, parameters, times), tight)
    run, fine, coarse = (t.j[-1] for t in (solution.run, solution.fine, solution.coarse))
    rounding = 2.0**-53 * (len(times) + mech.dim + 2) * solution.run.size[-1]
    rounding += solution.run.strayed[:, -1]
    return solution.run, np.abs(run - fine) + np.abs(fine - coarse) + rounding


@dataclass(frozen=True, eq=False)
class Charge:
    """J/m of one symmetry after the layer, at every mass, with its noise; the constant of (1) or (2), and how
    far that is known."""

    name: str
    m: np.ndarray
    j: np.ndarray
    noise: np.ndarray
    constant: float
    known: float

    def order(self) -> orders.Order:
        """In m; it is read off three masses: the noisiest of them tells."""
        with np.errstate(divide="ignore", invalid="ignore"):
            floor = np.abs(self.j) * np.maximum.accumulate(self.noise / np.abs(self.j))
        return orders.decide(self.j, np.where(self.j == 0, self.noise, floor))


def judged(cell: Cell, of: Charge, square: tuple[np.ndarray, np.ndarray], about: dict) -> list[Record]:
    """What is stated of one symmetry, and the same under statements that are not true. square: another
    quadratic quantity at every mass, and its noise."""
    found, series = of.order(), Course(x=of.m, y=np.abs(of.j), label="|J|/m after the layer")

    def order(stated: int, fault: WrongStatement | None = None) -> Record:
        return order_record(cell, of.name, found, stated, about, series, fault=fault and fault.name)

    def constant(of_run: Limit, factor: float = 1.0, fault: WrongStatement | None = None) -> Record:
        return constant_record(cell, of.name, of_run, factor * of.constant, about, fault)

    if of.name == NO_SYMMETRY:
        own = limit(of.m, of.j, of.noise, of.known)
        return [order(0), order(1, faults.NO_SYMMETRY), constant(own), constant(own, 1.01, faults.CONSTANT)]
    own, other = limit(of.m, of.j / of.m, of.noise / of.m, of.known), limit(of.m, *square, of.known)
    return [
        order(1),
        constant(own),
        constant(own, 1.01, faults.CONSTANT),
        constant(Limit(2 * own.value, 2 * own.bound, own.settled), 1.0, faults.TWICE),
        constant(other, 1.0, faults.OTHER_QUANTITY),
    ]
