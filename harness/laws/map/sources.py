"""What drives each charge of the map away from its law, step by step: the constant in front of the order
(theory.md#M1).

An order says that a drift is O(eta^p) and nothing of its size: with J left out, or with another mass, it has
the same order. Here the drift itself is predicted, from the gradients that the run met and the update as the
theory has it, and the two must agree to what the steps round. F is the force, y the step as predicted, G =
<g, xi>, zero but for the rounding of g:

    potential  C' - C = <xi, y> + <A y, y>/2;                                                    (1)
               y of RMSProp and Adam from weighted sums over all gradients
    massive    heavy ball: -eta/(1-b) <F, A q> + (1+b)/(2(1-b)) <A D, D>,                        (2)
               D = q' - q, b = beta (theory.md#D4);
               decoupled decay by theory.md#D10, b = beta (1 - eta k), F = g + (1-beta) k q
               Nesterov: beta (beta - 1) J - (1 + beta/(1-beta) + beta) eta G + <A y, y>/2       (3)
               + beta/(1-beta) <A y, v'>
    decay      x' = beta x + <A y, v'> - eta G                                                   (4)
    dual       translation: sum a log(1 + y/q);                                                  (5)
               sum_i A_ii y_i with y = q (e^{-eta g} - 1) of the mirror
    impulse    <y, A q>                                                                          (6)
    energy     -<F, D + D'>/2 + D f;  Nesterov's F = (1+beta) g_n - beta g_{n-1}                 (7)
               on a metric and of the diagonal rules
               (2 <Z', D'> + <Z', D> + <Z, D'>)/(4 eta) + D f, Z = -eta g or y

Bounds, in the order of the equations: <|xi|, e> with e the rounding of a step, D4's residual, and so on, each
beside its term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.kernels.programs.namespaces import NUMPY
from noether.laws.exact.terms import act, dot
from noether.laws.map import charges
from noether.laws.map.charges import U, generator
from noether.laws.map.stepping import Run
from noether.laws.map.table import EPSILON, FIRST, RMS, SECOND
from noether.verdicts import powers

WIDE = np.longdouble
ROOM = 1 + 2.0**-40
"""For products of roundings, which the bounds leave out."""


def wide(run: Run) -> Run:
    """The run with states in 64 bits, q from the stored log q where that is stored."""
    z, v, g, params = (x.astype(WIDE) for x in (run.z, run.v, run.g, run.params))
    q = np.exp(z) if run.column.log_state else z
    return replace(run, z=z, v=v, g=g, params=params, q=q)


def weighted(x: np.ndarray, keeps: float) -> np.ndarray:
    """(1 - keeps) sum_j keeps^(n-j) x_j, j <= n."""
    return (1 - WIDE(keeps)) * accumulated(x, WIDE(keeps))


def adaptive(run: Run, *, rms=RMS, first=FIRST, second=SECOND, epsilon=EPSILON, unbiased=True):
    """(1): the steps of RMSProp or Adam, and bounds on what the update rounds before its store; (n, d, lanes)
    each."""
    g, eta = run.g, run.params[0]
    n = np.arange(1, len(g) + 1)[:, None, None].astype(WIDE)
    if run.column.name == "RMSProp":
        s, p, heard, rate, keeps = weighted(g * g, rms), g, abs(g), eta, rms
    else:
        correct = (1 - WIDE(first) ** n, 1 - WIDE(second) ** n) if unbiased else (1, 1)
        s, p, heard = weighted(g * g, second) / correct[1], weighted(g, first), weighted(abs(g), first)
        rate, keeps = eta / correct[0], second
    below = np.sqrt(s) + WIDE(epsilon)
    # A weighted sum rounds each of its terms thrice a step and forgets them; the bias corrections, root and
    # quotient a dozen times.
    return -rate * p / below, U * (rate * heard / below) * (12 + 3 / (1 - max(keeps, first)))


def stepped(run: Run, **law) -> tuple[np.ndarray, np.ndarray]:
    """y, as predicted, and a bound on |q' - q - y|; (n, d, lanes)."""
    eta, beta, k, _ = run.params
    g, name, before, after = run.g, run.column.name, run.q[:-1], abs(run.q[1:])
    if name in ("RMSProp", "Adam"):
        y, error = adaptive(run, **law)
        return y, error + U * after
    if name == "entropy mirror":
        # log q' = log q - eta g: a product and a sum, of which the exponential is taken.
        return before * np.expm1(-eta * g), after * U * (3 * abs(eta * g) + abs(run.z[1:])) * ROOM
    if name == "natural gradient":
        y = -eta * before * g
        return y, U * (3 * abs(y) + after) * ROOM
    if name == "sign":
        return -eta * np.sign(g), U * after * ROOM
    delta, sigma = rounded(run)
    if name == "Nesterov":
        return beta * run.v[1:] - eta * g, sigma
    if name == "gradient descent":
        return -eta * g, sigma + delta
    return run.v[1:] - (eta * k * before if run.column.decoupled else 0), sigma


def rounded(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """delta, sigma of theory.md#R0 in float64, of a gradient that is known as it was used; (n, d, lanes)."""
    eta, beta, k, _ = run.params
    v, w, g, q, after = abs(run.v[:-1]), abs(run.v[1:]), abs(run.g), abs(run.q[:-1]), abs(run.q[1:])
    delta, sigma = beta * v + 2 * eta * g + w, after
    if run.column.decoupled:
        sigma = sigma + (3 * eta * k + (1 - eta * k)) * q
    if run.column.rule.looks_ahead:
        sigma = sigma + 2 * beta * w + 3 * eta * g
    return U * delta * ROOM, U * sigma * ROOM


def of_potential(run: Run, symmetry, **law):
    y, e = stepped(run, **law)
    xi, A, after = generator(symmetry, run.q[:-1]), symmetry.matrix, abs(run.q[1:])
    reach = act(abs(A), after) + abs(symmetry.shift)[:, None]
    source, error = dot(xi, y) + dot(act(A, y), y) / 2, dot(reach, e) + dot(act(abs(A), e), e)
    return np.cumsum(source, axis=0), np.cumsum(error, axis=0)


def of_massive(run: Run, symmetry, *, mass=1.0):
    of = of_nesterov if run.column.name == "Nesterov" else of_heavy_ball
    return tuple(np.cumsum(x, axis=0) for x in of(run, symmetry.matrix, mass))


def of_heavy_ball(run: Run, A: np.ndarray, mass: float):
    """(2), step by step, and its bound."""
    (eta, beta, k, _), q, D = run.params, run.q[:-1], np.diff(run.q, axis=0)
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


def of_nesterov(run: Run, A: np.ndarray, mass: float):
    """(3), step by step, and its bound."""
    (eta, beta, _, _), q, w = run.params, run.q[:-1], run.v[1:]
    (delta, sigma), (y, _), M = rounded(run), stepped(run), abs(A)
    r, J, pull = beta / (1 - beta), dot(run.v[:-1], act(A, q)), dot(run.g, act(A, q))
    kinetic = dot(act(A, y), y) / 2 + r * dot(act(A, y), w)
    source = beta * (beta - 1) * J - (1 + r + beta) * eta * pull + mass * kinetic
    reach = act(M, abs(q) + abs(y)) + r * act(M, abs(w))
    error = (beta + r) * dot(act(M, abs(q)), delta) + dot(reach, sigma) + dot(act(M, sigma), sigma)
    return source, error


def of_decay(run: Run, symmetry, *, kinetic=1.0):
    eta, beta, _, _ = run.params
    y, w, xi, M = stepped(run)[0], run.v[1:], generator(symmetry, run.q[:-1]), abs(symmetry.matrix)
    delta, sigma = rounded(run)
    source = kinetic * dot(act(symmetry.matrix, y), w) - eta * dot(run.g, xi)
    error = dot(abs(xi), delta) + dot(act(M.T, abs(w)), sigma)
    return accumulated(source, beta), accumulated(error, beta)


def accumulated(x, keeps):
    out, total = np.empty_like(x), 0 * x[0]
    for n, now in enumerate(x):
        total = keeps * total + now
        out[n] = total
    return out


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
    beta, k = run.params[1:3]
    forced = run.column.rule is not None and run.column.name not in ("entropy mirror", "sign")
    source, error = of_force(run) if forced else of_metric(run, **law)
    f = loss(run.q)
    if run.column.decoupled:
        f = f + (1 - beta) * k / 2 * dot(run.q, run.q)
    return np.cumsum(source + (f[2:] - f[:-2]) / 2, axis=0), np.cumsum(error, axis=0)


def of_force(run: Run):
    """(7) of the kernel rules in coordinates q, without D f, and its bound."""
    (eta, beta, k, _), D, F = run.params, np.diff(run.q, axis=0), run.g
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
    eta, D, name = run.params[0], np.diff(run.q, axis=0), run.column.name
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
    if name == "RMSProp":
        return {"rho": {"of_source": {"rms": up * RMS}}}
    if name == "Adam":
        named = {"beta_1": {"first": up * FIRST}, "beta_2": {"second": up * SECOND}}
        return {x: {"of_source": law} for x, law in named.items()}
    if charge == "massive":
        return {"J": {"of_charge": {"momentum": up}}, "mass": {"of_source": {"mass": up}}}
    if charge == "decay":
        return {"kinetic term": {"of_source": {"kinetic": up}}}
    # The kinetic energy of sign descent never changes.
    named = ("friction",) if name == "sign" else ("friction", "mass")
    return {x: {"of_charge": {x: up}} for x in named} if charge == "energy" else {}
