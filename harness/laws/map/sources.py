"""What drives each charge of the map away from its law, step by step: the constant in front of the order
(theory.md#M1).

An order says that a drift is O(eta^p) and nothing of its size: with J left out, or with another mass, it has
the same order. Here the drift itself is predicted, from the gradients that the run met and the step as the
theory has it (moves.py), and the two must agree to what the steps round. F is the force, y the step as
predicted, p' = a p - b F the covector, G = <F, xi>, zero but for the rounding of g:

    potential  C' - C = <xi, y> + <A y, y>/2                                                     (1)
    massive    heavy ball: -eta/(1-b) <F, A q> + (1+b)/(2(1-b)) <A D, D>,                        (2)
               D = q' - q, b = beta (theory.md#D4);
               decoupled decay by theory.md#D10, b = beta (1 - eta k), F = g + (1-beta) k q
               y = r p' - m b F: -(r + m + c) b G + <A y, y>/2 + c <A y, p'>, c = r a/(1 - a)     (3)
    decay      x' = a x + <A y, p'> - b G                                                        (4)
    dual       translation: sum a log(1 + y/q);                                                  (5)
               sum_i A_ii y_i with y = q (e^{-eta g} - 1) of the mirror
    impulse    <y, A q>                                                                          (6)
    energy     -<F, D + D'>/2 + D f;  Nesterov's F = (1+beta) g_n - beta g_{n-1}                 (7)
               on a metric, of the diagonal rules and of matrices
               (2 <Z', D'> + <Z', D> + <Z, D'>)/(4 eta) + D f, Z = -eta g or y
    modulus    of all pairs together: sum_i i (sgn(u_i) y_i - sgn(v_i) z_i)                      (8)

Bounds, in the order of the equations: <|xi|, e> with e the rounding of a step, D4's residual, and so on, each
beside its term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.kernels.programs.namespaces import NUMPY
from noether.laws.exact.terms import act, dot
from noether.laws.map import charges
from noether.laws.map.charges import U, accumulated, generator
from noether.laws.map.moves import BY_TERMS, ROOM, WIDE, followed, rounded, stepped
from noether.laws.map.stepping import Run
from noether.laws.map.table import FIRST, RMS, SECOND
from noether.verdicts import powers

FORCED = ("gradient descent", "heavy ball", "fixed mass", "Nesterov", "decoupled decay")
"""Columns whose displacements follow a force: the first line of (7) is theirs."""
STEADY = ("sign", "Signum", "Lion", "normalised", "orthogonal")
"""Columns whose steps all have one length."""


def wide(run: Run) -> Run:
    """The run with states in 64 bits, q from the stored log q where that is stored."""
    z, v, g, params = (x.astype(WIDE) for x in (run.z, run.v, run.g, run.params))
    q = np.exp(z) if run.column.log_state else z
    return replace(run, z=z, v=v, g=g, params=params, q=q)


def of_potential(run: Run, symmetry, **law):
    y, e = stepped(run, **law)
    xi, A, after = generator(symmetry, run.q[:-1]), symmetry.matrix, abs(run.q[1:])
    reach = act(abs(A), after) + abs(symmetry.shift)[:, None]
    source, error = dot(xi, y) + dot(act(A, y), y) / 2, dot(reach, e) + dot(act(abs(A), e), e)
    return np.cumsum(source, axis=0), np.cumsum(error, axis=0)


def of_massive(run: Run, symmetry, *, mass=1.0):
    of = of_linear if run.column.name in ("Nesterov", *BY_TERMS) else of_heavy_ball
    return tuple(np.cumsum(x, axis=0) for x in of(run, symmetry.matrix, mass))


def of_heavy_ball(run: Run, A: np.ndarray, mass: float):
    """(2), step by step, and its bound."""
    eta, beta, k, q, D = run.eta, run.beta, run.k, run.q[:-1], np.diff(run.q, axis=0)
    delta, sigma = rounded(run)
    b, rho, M = beta, delta, abs(A)
    if run.column.decoupled:
        # v = q - a q_before - sigma, so D' = b D - eta F + delta + sigma' - beta sigma
        b = beta * (1 - eta * k)
        before = np.concatenate([0 * sigma[:1], sigma[:-1]])
        rho, sigma = delta + sigma + beta * before, 0 * sigma
    source = -eta / (1 - b) * dot(run.g, act(A, q)) + mass * (1 + b) / (2 * (1 - b)) * dot(act(A, D), D)
    reach = act(M, abs(q) + abs(D)) + b / (1 - b) * act(M, abs(D)) + (1 + b) / (1 - b) * act(M, abs(D))
    error = dot(act(M, abs(q)), rho) / (1 - b) + dot(reach, sigma) + dot(act(M, sigma), sigma) / (1 - b)
    return source, error


def linear(run: Run):
    """a of the covector and b F, (n, d, lanes)."""
    if run.column.name in BY_TERMS:
        return followed(run).kept, followed(run).pulled(run.g)
    return run.beta, run.eta * run.g


def of_linear(run: Run, A: np.ndarray, mass: float):
    """(3), step by step, and its bound."""
    q, w, r = run.q[:-1], run.v[1:], charges.share(run)
    (kept, pull), (delta, sigma), (y, _), M = linear(run), rounded(run), stepped(run), abs(A)
    c = r * kept / (1 - kept)
    # m of (3): what y has of the force beside v', as r w - y = m b F.
    ahead = dot(r * w - y, act(A, q))
    source = -(r + c) * dot(pull, act(A, q)) - ahead + mass * (dot(act(A, y), y) / 2 + c * dot(act(A, y), w))
    reach = act(M, abs(q) + abs(y)) + c * act(M, abs(w))
    error = (r + c) * dot(act(M, abs(q)), delta) + dot(reach, sigma) + dot(act(M, sigma), sigma)
    return source, error


def of_decay(run: Run, symmetry, *, kinetic=1.0):
    y, w, xi, M = stepped(run)[0], run.v[1:], generator(symmetry, run.q[:-1]), abs(symmetry.matrix)
    (kept, pull), (delta, sigma) = linear(run), rounded(run)
    source = kinetic * dot(act(symmetry.matrix, y), w) - dot(pull, xi)
    error = dot(abs(xi), delta) + dot(act(M.T, abs(w)), sigma)
    return accumulated(source, kept), accumulated(error, kept)


def moduli(run: Run, symmetry) -> np.ndarray:
    """sum_i i (|u_i| - |v_i|) at every step, (n + 1, lanes)."""
    half = len(symmetry.a) // 2
    return np.einsum("i,nil->nl", np.arange(1, half + 1), abs(run.q[:, :half]) - abs(run.q[:, half:]))


def of_modulus(run: Run, symmetry, **law):
    """(8): no component changes its sign in so short a time."""
    (y, e), half = stepped(run, **law), len(symmetry.a) // 2
    weight = np.concatenate([np.arange(1, half + 1), -np.arange(1, half + 1)])[:, None]
    source, error = (weight * np.sign(run.q[:-1]) * y).sum(axis=1), (abs(weight) * e).sum(axis=1)
    return np.cumsum(source, axis=0), np.cumsum(error, axis=0)


def of_dual(run: Run, symmetry):
    y, e = stepped(run)
    if symmetry.is_translation:
        terms, errors = np.log1p(y / run.q[:-1]), e / run.q[1:] * (1 + 2.0**-30)
        weight = symmetry.shift
    else:
        terms, errors, weight = y, e, np.diag(symmetry.matrix)
    both = ((weight, terms), (abs(weight), errors))
    return tuple(np.cumsum(np.einsum("i,nil->nl", w, x), axis=0) for w, x in both)


def of_impulse(run: Run, symmetry, **law):
    y, e = stepped(run, **law)
    xi = generator(symmetry, run.q[:-1])
    return np.cumsum(dot(y, xi), axis=0), np.cumsum(dot(e, abs(xi)), axis=0)


def of_energy(run: Run, loss, **law):
    """(7), from the first step on, as charges.py has it."""
    beta, k = run.beta, run.k
    source, error = of_force(run) if run.column.name in FORCED else of_metric(run, **law)
    f = loss(run.q)
    if run.column.decoupled:
        f = f + (1 - beta) * k / 2 * dot(run.q, run.q)
    return np.cumsum(source + (f[2:] - f[:-2]) / 2, axis=0), np.cumsum(error, axis=0)


def of_force(run: Run):
    """(7) of the kernel rules in coordinates q, without D f, and its bound."""
    eta, beta, k, D, F = run.eta, run.beta, run.k, np.diff(run.q, axis=0), run.g
    delta, sigma = rounded(run)
    before = np.concatenate([0 * sigma[:1], sigma[:-1]])
    rho = delta + sigma + beta * before
    if run.column.decoupled:
        F = run.g + (1 - beta) * k * run.q[:-1]
    if run.column.name == "Nesterov":
        F = run.g + beta * (run.g - np.concatenate([run.g[:1], run.g[:-1]]))
        rho = beta * delta + sigma + beta * before
    both = D[1:] + D[:-1]
    return -dot(F[1:], both) / 2, dot(abs(both), rho[1:]) / (2 * eta)


def of_metric(run: Run, **law):
    """(7) on a metric and of the diagonal rules, without D f, and its bound."""
    eta, D, name = run.eta, np.diff(run.q, axis=0), run.column.name
    Z, of_Z = stepped(run, **law)
    if name in ("entropy mirror", "natural gradient"):
        Z, of_Z = -eta * run.g, of_Z / run.q[:-1] * (1 + 2.0**-30)
    if name == "entropy mirror":
        of_Z = U * (3 * abs(Z) + abs(run.z[1:])) * ROOM
    three = lambda x, y: 2 * dot(x[1:], y[1:]) + dot(x[1:], y[:-1]) + dot(x[:-1], y[1:])
    return three(Z, D) / (4 * eta), three(of_Z, abs(D)) / (4 * eta)


OF_SYMMETRY = {
    "potential": (lambda run, symmetry: charges.potential(symmetry, run.q), of_potential),
    "dual": (lambda run, symmetry: charges.dual_potential(symmetry, run.q), of_dual),
    "massive": (charges.massive, of_massive),
    "decay": (charges.decay, of_decay),
    "impulse": (charges.impulse, of_impulse),
    "modulus": (moduli, of_modulus),
}
"""Each charge of a symmetry: what it is at every step, and what its sources say."""


@dataclass(frozen=True)
class Pair:
    """Drift of a charge as measured and as its sources say, and what the steps round; (steps, lanes), each
    lane to its own last."""

    measured: np.ndarray
    predicted: np.ndarray
    bound: np.ndarray


def pair(
    run: Run, scene, charge: str, *, of_charge: dict | None = None, of_source: dict | None = None
) -> Pair:
    """Of a wide run. of_charge, of_source: keywords of another charge and of another law, or None."""
    of_charge, of_source = of_charge or {}, of_source or {}
    if charge == "energy":
        loss = lambda q: scene.case.loss(list(np.moveaxis(q, 1, 0)), NUMPY)
        values, size = charges.energy(run, loss, **of_charge), abs(loss(run.q))[2:] + 0.0
        predicted, bound = of_energy(run, loss, **of_source)
        first = 1
    else:
        value, sources = OF_SYMMETRY[charge]
        values = value(run, scene.symmetry, **of_charge)
        predicted, bound = sources(run, scene.symmetry, **of_source)
        size, first = charges.magnitude(scene.symmetry, run.q, dual=charge == "dual"), 0
    measured = values[1:] - values[0]
    n = np.arange(1, len(measured) + 1)[:, None]
    forming = 2.0**-60 * (n * abs(values[1:]) + size + np.cumsum(abs(np.diff(values, axis=0)), axis=0))
    inside = np.arange(len(measured))[:, None] + first < run.counts
    return Pair(*(np.where(inside, x, 0) for x in (measured, predicted, bound + forming)))


def coefficients(run: Run, charge: str) -> dict[str, dict]:
    """{name: keywords of `pair` with this coefficient (1 + STEP) times as large}, of a charge under a
    column."""
    up, name = 1 + powers.STEP, run.column.name
    memories = {"RMSProp": {"rho": ("rms", RMS)}}
    memories |= dict.fromkeys(("Adam", "LAMB"), {"beta_1": ("first", FIRST), "beta_2": ("second", SECOND)})
    if name in memories:
        return {x: {"of_source": {key: up * value}} for x, (key, value) in memories[name].items()}
    if charge == "massive":
        return {"J": {"of_charge": {"momentum": up}}, "mass": {"of_source": {"mass": up}}}
    if charge == "decay":
        return {"kinetic term": {"of_source": {"kinetic": up}}}
    # The kinetic energy of rules whose steps all have one length never changes.
    named = ("friction",) if name in STEADY else ("friction", "mass")
    return {x: {"of_charge": {x: up}} for x in named} if charge == "energy" else {}
