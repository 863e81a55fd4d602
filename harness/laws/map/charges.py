"""How far a charge is from its law after a fixed time, (lanes,), relative to its own size; and what rounding
may do.

    potential  C(q_N) - C(q_0),  C = <a, q> or <q, A q>/2: what gradient flow keeps              (1)
    massive    (C + c J)(N) - (C + c J)(0),  c = r beta/(1 - beta), J = <v, A q>, r the share of v' in the
               step: theory.md#D4 without its source (2)
    dual       (1) for the metric 1/q of the entropy: C = <a, log q> or sum_i A_ii q_i           (3)
    decay      max_n |J_n - (s beta)^n J_0|, theory.md#D3: s = 1 - eta k for a rotation, else 1  (4)
    impulse    sum_n <q_{n+1} - q_n, A q_n>: nothing along xi, theory.md#D2 without momentum     (5)
    modulus    |u_i| - |v_i| of every pair, theory.md#D8                                         (6)
    energy     K + f + what friction took, theory.md#T4 at the steps:                            (7)
               K_n = (1 + b)/(4 eta) <Dz_n, Dq_n>, friction (1 - b)/(4 eta) <Dz_n + Dz_{n+1}, Dq_n +
               Dq_{n+1}>, D the difference to the step before, z = grad h(q) or q, f the mean over the step,
               b = beta of heavy ball and Nesterov, 0 elsewhere
Decoupled decay is heavy ball with b = beta (1 - eta k) and force g + (1 - beta) k q, theory.md#D10; (2) and
(7) are its.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.kernels.programs import trace
from noether.kernels.programs.trace_rule import position_program
from noether.laws.exact import balance
from noether.laws.exact.terms import act, dot
from noether.laws.map.stepping import FLOAT64, Run
from noether.mechanics.bounds import program_error
from noether.mechanics.step_bounds import step_error
from noether.mechanics.trajectory import Trajectory


@dataclass
class Drift:
    """relative (lanes,): the drift over the size of the charge;  floor (lanes,): what rounding may have done
    to it."""

    relative: np.ndarray
    floor: np.ndarray


U = 2.0**-53


def accumulated(x, keeps):
    """sum_j keeps^(n-j) x_j, j <= n, over the steps."""
    out, total = np.empty_like(x), 0 * x[0]
    for n, now in enumerate(x):
        total = keeps * total + now
        out[n] = total
    return out


def potential(symmetry, q):
    """The charge of (1) at every row of q, (n, lanes)."""
    if symmetry.is_translation:
        return np.einsum("i,nil->nl", symmetry.shift, q)
    return dot(q, act(symmetry.matrix, q)) / 2


def dual_potential(symmetry, q):
    """The charge of (3) at every row of q, (n, lanes)."""
    if symmetry.is_translation:
        return np.einsum("i,nil->nl", symmetry.shift, np.log(q))
    return np.einsum("i,nil->nl", np.diag(symmetry.matrix), q)


def generator(symmetry, q):
    return act(symmetry.matrix, q) + symmetry.shift[:, None]


def magnitude(symmetry, q, *, dual=False):
    """Size of the charge without cancellation, (lanes,)"""
    a, A, x = np.abs(symmetry.shift), symmetry.sizes, np.abs(q[0])
    if dual:
        return a @ (1 + np.abs(np.log(x))) + np.diag(A) @ x
    return a @ x + (x * (A @ x)).sum(axis=0) / 2


def conserved(run: Run, values, size):
    """values (n + 1, lanes) must stay; each step may add eight roundings of the size, each evaluation as
    many."""
    off = np.abs(run.at_end(values) - values[0])
    return Drift(off / size, 8 * U * (run.counts + 1))


def of_potential(run: Run, symmetry) -> Drift:
    return conserved(run, potential(symmetry, run.q), magnitude(symmetry, run.q))


def of_dual(run: Run, symmetry) -> Drift:
    return conserved(run, dual_potential(symmetry, run.q), magnitude(symmetry, run.q, dual=True))


def share(run: Run) -> np.ndarray | float:
    """r of (2): how much of v' is in a step."""
    return {"Nesterov": run.beta, "QHM": run.parameter("nu")}.get(run.column.name, 1.0)


def massive(run: Run, symmetry, momentum: float = 1.0):
    """(2) at every step, (n + 1, lanes); momentum: a factor of c, of another charge."""
    eta, beta, k = run.eta, run.beta, run.k
    a = 1 - eta * k if run.column.decoupled else np.ones_like(eta)
    b, v = a * beta, run.v
    C = potential(symmetry, run.q)
    if run.column.decoupled:
        v = np.concatenate([((run.v[0] - eta * k * run.q[0]) / a)[None], np.diff(run.q, axis=0)])
    values = C + momentum * share(run) * b / (1 - b) * dot(v, generator(symmetry, run.q))  # (2)
    taken = 2 * eta * k * (1 - beta) / (1 - b) * C if run.column.decoupled else 0 * C
    values[1:] += np.cumsum(taken, axis=0)[:-1]
    return values


def of_massive(run: Run, symmetry) -> Drift:
    return conserved(run, massive(run, symmetry), magnitude(symmetry, run.q))


def decay(run: Run, symmetry):
    """(4) but for its absolute value, (n + 1, lanes)"""
    eta, beta, k = run.eta, run.beta, run.k
    s = 1 - eta * k if symmetry.is_rotation and run.column.decoupled else np.ones_like(eta)
    J = dot(run.v, generator(symmetry, run.q))
    return J - (s * beta) ** np.arange(len(J))[:, None] * J[0]


def of_decay(run: Run, symmetry) -> Drift:
    size = np.sqrt((run.v**2).sum(axis=1) * (generator(symmetry, run.q) ** 2).sum(axis=1))
    size = (
        size[0] if size[0].all() else run.largest(size)
    )  # from rest: of the largest charge that it could be
    return Drift(run.largest(decay(run, symmetry)) / size, 8 * U * (run.counts + 1) * len(symmetry.a))


def impulse(run: Run, symmetry):
    """(5) at every step, (n + 1, lanes)"""
    moved = np.diff(run.q, axis=0)
    nothing = np.zeros((1, moved.shape[2]), moved.dtype)
    return np.concatenate([nothing, np.cumsum(dot(moved, generator(symmetry, run.q[:-1])), axis=0)])


def of_impulse(run: Run, symmetry) -> Drift:
    size = (run.q[0] ** 2).sum(axis=0)
    return Drift(np.abs(run.at_end(impulse(run, symmetry))) / size, 8 * U * (run.counts + 1))


def of_modulus(run: Run, symmetry) -> Drift:
    """(6); the sign of A q picks u and v. Each step rounds |u| and |v| once each."""
    half = len(symmetry.a) // 2
    gap = np.abs(run.q[:, :half]) - np.abs(run.q[:, half:])
    off = np.linalg.norm(gap[run.counts, :, run.lanes].T - gap[0], axis=0)
    size = np.linalg.norm(run.q[0], axis=0)
    return Drift(off / size, U * (run.counts + 1))


def inertia(run: Run) -> np.ndarray:
    """b of (7): what is kept of a displacement."""
    if run.column.name not in ("heavy ball", "fixed mass", "Nesterov", "decoupled decay"):
        return 0 * run.eta
    return run.beta * (1 - run.eta * run.k) if run.column.decoupled else run.beta


def energy(run: Run, loss, friction: float = 1.0, mass: float = 1.0):
    """(7) from the first step on, (n, lanes); friction, mass: factors of another law."""
    eta, beta, k, b = run.eta, run.beta, run.k, inertia(run)
    dq, dz, f = np.diff(run.q, axis=0), dual_coordinate(run), loss(run.q)
    if run.column.decoupled:
        f = f + (1 - beta) * k / 2 * dot(run.q, run.q)
    E = mass * (1 + b) / (4 * eta) * dot(dz, dq) + (f[:-1] + f[1:]) / 2
    lost = friction * (1 - b) / (4 * eta) * dot(dz[:-1] + dz[1:], dq[:-1] + dq[1:])
    E[1:] += np.cumsum(lost, axis=0)  # (7)
    return E


def of_energy(run: Run, loss) -> Drift:
    eta, b = run.eta, inertia(run)
    E, dq, dz = energy(run, loss), np.diff(run.q, axis=0), dual_coordinate(run)
    last = run.counts - 1
    off = np.abs(E[last, run.lanes] - E[0])
    size = np.abs(loss(run.q[:1])[0]) + (run.g[0] ** 2).sum(axis=0)
    # A difference of stored numbers is off by 2u of them, <Dz, Dq> by |Dz| e_q + |Dq| e_z; K twice, friction
    # at every step.
    length = lambda x: np.sqrt(dot(x, x))
    product = 2 * U * (length(dz) * length(run.q[1:]) + length(dq) * length(run.z[1:]))
    inside = np.where(np.arange(len(dq))[:, None] < run.counts, product, 0)
    kinetic = (1 + b) / (4 * eta) * (product[0] + product[last, run.lanes])
    off_by = kinetic + 2 * (1 - b) / eta * inside.sum(axis=0) / 2
    return Drift(off / size, off_by / size + 8 * U * (run.counts + 1))


def dual_coordinate(run: Run):
    """G dq of each step: exactly D(grad h) for the mirror, G at the step's start for natural gradient, dq
    else."""
    dq = np.diff(run.q, axis=0)
    if run.column.name == "entropy mirror":
        return np.diff(run.z, axis=0)
    return dq / run.q[:-1] if run.column.name == "natural gradient" else dq


def bounded(run: Run, symmetry, charge: str) -> tuple[np.ndarray, np.ndarray]:
    """|drift| and its derived bound, (lanes,) each, for a charge that is kept exactly."""
    if charge == "modulus":
        return modulus_bound(run, symmetry)
    if run.column.rule is None or run.column.rule.on_metric:
        return natural_bound(run, symmetry)
    t = Trajectory(run.case, run.column.rule, FLOAT64, run.z, run.v, run.params)
    return (decay_bound if charge == "decay" else potential_bound)(run, t, symmetry)


def modulus_bound(run: Run, symmetry) -> tuple[np.ndarray, np.ndarray]:
    half = len(symmetry.a) // 2
    u, v = np.abs(run.q[:, :half]), np.abs(run.q[:, half:])
    off = np.abs((u - v)[run.counts, :, run.lanes].T - (u - v)[0])
    # One rounding of q a step, below u |q'|; eta sign(g) is exact. Two more to form the difference.
    size = (u + v).max(axis=1)
    return off.max(axis=0), U * run.at_end(np.cumsum(np.concatenate([size[:1] * 2, size[1:]]), axis=0))


def decay_bound(run: Run, t: Trajectory, symmetry) -> tuple[np.ndarray, np.ndarray]:
    """Where the exact law spends most."""
    found = balance.decay_law(t, symmetry)
    off = np.abs(found.measured - found.predicted)
    inside = np.arange(len(off))[:, None] <= run.counts - 1
    worst = np.where(inside, off / found.bound, 0).argmax(axis=0)
    return tuple(x[worst, run.lanes].astype(float) for x in (off, found.bound))


def potential_bound(run: Run, t: Trajectory, symmetry) -> tuple[np.ndarray, np.ndarray]:
    """C of the stored state: each step rounds the first buffer and z, and hands on what the buffer was off
    by."""
    off = accumulated(t.delta_p, np.max(t.kept))
    evidence = {**t.evidence, "w": (t.evidence["w"][0], off)}
    moved = step_error(position_program(t.rule, t.dim), evidence, FLOAT64)
    C, M = potential(symmetry, t.z), symmetry.sizes
    reach = np.abs(symmetry.shift)[:, None] + act(M, np.abs(t.z[1:])) + act(M, moved)
    local = np.cumsum(dot(reach, moved), axis=0)
    return np.abs(run.at_end(C) - C[0]).astype(float), local[run.counts - 1, run.lanes].astype(float)


def natural_bound(run: Run, symmetry) -> tuple[np.ndarray, np.ndarray]:
    """sum_i A_ii q_i under (1) of stepping.py: eta g, 1/q and their quotient are rounded, then q'; and the
    gradient's own error."""
    weight = np.diag(symmetry.matrix)
    q = np.moveaxis(run.q[:-1], 1, 0)
    d, n, lanes = q.shape
    flat, none = q.reshape(d, -1), np.zeros(n * lanes)
    error = program_error(trace.gradient(run.case), flat, np.zeros_like(flat), none, FLOAT64)[1]
    error = error.reshape(d, n, lanes)
    g, eta, after = np.moveaxis(run.g, 1, 0), run.eta, np.moveaxis(run.q[1:], 1, 0)
    local = np.abs(weight)[:, None, None] * (U * np.abs(after) + eta * q * (3 * U * np.abs(g) + error))
    wide = run.q.astype(np.longdouble)
    C = np.einsum("i,nil->nl", weight.astype(np.longdouble), wide)
    bound = np.cumsum(local.sum(axis=0), axis=0)[run.counts - 1, run.lanes]
    return np.abs(run.at_end(C) - C[0]).astype(float), bound * (1 + 2.0**-30)
