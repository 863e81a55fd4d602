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
from noether.laws.map import charges, stepping
from noether.laws.map.charges import U, generator
from noether.laws.map.stepping import Run
from noether.verdicts import powers

WIDE = np.longdouble


def wide(run: Run) -> Run:
    """The run with states in 64 bits, q from the stored log q where that is stored."""
    z, v, g, params = (x.astype(WIDE) for x in (run.z, run.v, run.g, run.params))
    return replace(
        run, z=z, v=v, g=g, params=params, q=np.exp(z) if run.column.rule and run.column.rule.log_state else z
    )


def weighted(x: np.ndarray, keeps: float) -> np.ndarray:
    """(1 - keeps) sum_j keeps^(n-j) x_j, j <= n."""
    return (1 - WIDE(keeps)) * accumulated(x, WIDE(keeps))


def adaptive(
    run: Run,
    *,
    rms=stepping.RMS,
    first=stepping.FIRST,
    second=stepping.SECOND,
    epsilon=stepping.EPSILON,
    unbiased=True,
):
    """(1): the steps of RMSProp or Adam, and bounds on what the update rounds before its store; (n, d, lanes)
    each."""
    g, eta = run.g, run.params[0]
    n = np.arange(1, len(g) + 1)[:, None, None].astype(WIDE)
    if run.column.name == "RMSProp":
        s, p, rate, keeps = weighted(g * g, rms), g, eta, rms
    else:
        correct = (1 - WIDE(first) ** n, 1 - WIDE(second) ** n) if unbiased else (1, 1)
        s, p, rate, keeps = weighted(g * g, second) / correct[1], weighted(g, first), eta / correct[0], second
    y = -rate * p / (np.sqrt(s) + WIDE(epsilon))
    # A weighted sum rounds each of its terms thrice a step and forgets them; the bias corrections, root and
    # quotient a dozen times.
    size = (
        rate
        * (weighted(abs(g), first) if run.column.name == "Adam" else abs(g))
        / (np.sqrt(s) + WIDE(epsilon))
    )
    return y, U * size * (12 + 3 / (1 - max(keeps, first)))


def stepped(run: Run, **law) -> tuple[np.ndarray, np.ndarray]:
    """y, as predicted, and a bound on |q' - q - y|; (n, d, lanes)."""
    eta, beta, k, _ = run.params
    g, name, after = run.g, run.column.name, abs(run.q[1:])
    if name in ("RMSProp", "Adam"):
        y, error = adaptive(run, **law)
        return y, error + U * after
    if (
        name == "entropy mirror"
    ):  # log q' = log q - eta g, a product and a sum, of which the exponential is taken
        return run.q[:-1] * np.expm1(-eta * g), after * U * (3 * abs(eta * g) + abs(run.z[1:])) * (
            1 + 2.0**-40
        )
    if name == "natural gradient":
        y = -eta * run.q[:-1] * g
        return y, U * (3 * abs(y) + after) * (1 + 2.0**-40)
    if name == "sign":
        y = -eta * np.sign(g)
        return y, U * after * (1 + 2.0**-40)
    delta, sigma = rounded(run)
    if name == "Nesterov":
        return beta * run.v[1:] - eta * g, sigma
    y = (
        -eta * g
        if name == "gradient descent"
        else run.v[1:] - (eta * k * run.q[:-1] if run.column.rule.decoupled else 0)
    )
    return y, sigma + (delta if name == "gradient descent" else 0)


def rounded(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """delta, sigma of theory.md#R0 in float64, of a gradient that is known as it was used; (n, d, lanes)."""
    eta, beta, k, _ = run.params
    v, w, g, q, after = abs(run.v[:-1]), abs(run.v[1:]), abs(run.g), abs(run.q[:-1]), abs(run.q[1:])
    delta, sigma = beta * v + 2 * eta * g + w, after
    if run.column.rule.decoupled:
        sigma = sigma + (3 * eta * k + (1 - eta * k)) * q
    if run.column.rule.nesterov:
        sigma = sigma + 2 * beta * w + 3 * eta * g
    return U * delta * (1 + 2.0**-40), U * sigma * (1 + 2.0**-40)


def of_potential(run: Run, symmetry, **law):
    y, e = stepped(run, **law)
    xi, A, after = generator(symmetry, run.q[:-1]), symmetry.matrix, abs(run.q[1:])
    reach = act(abs(A), after) + abs(symmetry.shift)[:, None]
    return np.cumsum(dot(xi, y) + dot(act(A, y), y) / 2, axis=0), np.cumsum(
        dot(reach, e) + dot(act(abs(A), e), e), axis=0
    )


def of_massive(run: Run, symmetry, *, mass=1.0):
    eta, beta, k, _ = run.params
    A, q = symmetry.matrix, run.q[:-1]
    delta, sigma = rounded(run)
    pull, M = dot(run.g, act(A, q)), abs(A)
    if run.column.name == "Nesterov":
        r, J, (y, _) = beta / (1 - beta), dot(run.v[:-1], act(A, q)), stepped(run)
        source = (
            beta * (beta - 1) * J
            - (1 + r + beta) * eta * pull
            + mass * (dot(act(A, y), y) / 2 + r * dot(act(A, y), run.v[1:]))
        )
        error = (
            (beta + r) * dot(act(M, abs(q)), delta)
            + dot(act(M, abs(q) + abs(y)) + r * act(M, abs(run.v[1:])), sigma)
            + dot(act(M, sigma), sigma)
        )
        return np.cumsum(source, axis=0), np.cumsum(error, axis=0)
    b, D, rho = beta, np.diff(run.q, axis=0), delta
    if (
        run.column.rule.decoupled
    ):  # v = q - a q_before - sigma, so D' = b D - eta F + delta + sigma' - beta sigma
        b = beta * (1 - eta * k)
        before = np.concatenate([0 * sigma[:1], sigma[:-1]])
        rho, sigma = delta + sigma + beta * before, 0 * sigma
    source = -eta / (1 - b) * pull + mass * (1 + b) / (2 * (1 - b)) * dot(act(A, D), D)
    reach = act(M, abs(q) + abs(D)) + b / (1 - b) * act(M, abs(D)) + (1 + b) / (1 - b) * act(M, abs(D))
    error = dot(act(M, abs(q)), rho) / (1 - b) + dot(reach, sigma) + dot(act(M, sigma), sigma) / (1 - b)
    return np.cumsum(source, axis=0), np.cumsum(error, axis=0)


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
    return tuple(
        np.cumsum(np.einsum("i,nil->nl", w, x), axis=0) for w, x in ((weight, terms), (abs(weight), errors))
    )


def of_impulse(run: Run, symmetry, **law):
    y, e = stepped(run, **law)
    xi = generator(symmetry, run.q[:-1])
    return np.cumsum(dot(y, xi), axis=0), np.cumsum(dot(e, abs(xi)), axis=0)


def of_energy(run: Run, loss, **law):
    """(7), from the first step on, as charges.py has it."""
    eta, beta, k, _ = run.params
    D, name = np.diff(run.q, axis=0), run.column.name
    if run.column.rule is not None and name not in ("entropy mirror", "sign"):
        delta, sigma = rounded(run)
        before, F = np.concatenate([0 * sigma[:1], sigma[:-1]]), run.g
        rho = delta + sigma + beta * before
        if run.column.rule.decoupled:
            F = run.g + (1 - beta) * k * run.q[:-1]
        if name == "Nesterov":
            F, rho = (
                run.g + beta * (run.g - np.concatenate([run.g[:1], run.g[:-1]])),
                beta * delta + sigma + beta * before,
            )
        both = D[1:] + D[:-1]
        source, error = -dot(F[1:], both) / 2, dot(abs(both), rho[1:]) / (2 * eta)
    else:
        y, e = stepped(run, **law)
        q = run.q[:-1]
        Z, of_Z = (
            (-eta * run.g, e / q * (1 + 2.0**-30))
            if name in ("entropy mirror", "natural gradient")
            else (y, e)
        )
        if name == "entropy mirror":
            of_Z = U * (3 * abs(Z) + abs(run.z[1:])) * (1 + 2.0**-40)
        source = (2 * dot(Z[1:], D[1:]) + dot(Z[1:], D[:-1]) + dot(Z[:-1], D[1:])) / (4 * eta)
        error = (2 * dot(of_Z[1:], abs(D[1:])) + dot(of_Z[1:], abs(D[:-1])) + dot(of_Z[:-1], abs(D[1:]))) / (
            4 * eta
        )
    f = loss(run.q)
    if run.column.rule is not None and run.column.rule.decoupled:
        f = f + (1 - beta) * k / 2 * dot(run.q, run.q)
    return np.cumsum(source + (f[2:] - f[:-2]) / 2, axis=0), np.cumsum(error, axis=0)


CHARGES = {
    "potential": lambda run, symmetry: charges.potential(symmetry, run.q),
    "dual": lambda run, symmetry: charges.dual_potential(symmetry, run.q),
    "massive": charges.massive,
    "decay": charges.decay,
    "impulse": charges.impulse,
}


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
    """Of a wide run. of_charge, of_source: keywords of another charge and of another law."""
    of_charge, of_source = of_charge or {}, of_source or {}
    if charge == "energy":
        loss = lambda q: scene.case.loss(list(np.moveaxis(q, 1, 0)), NUMPY)
        values, size = charges.energy(run, loss, **of_charge), abs(loss(run.q))[2:] + 0.0
        predicted, bound = of_energy(run, loss, **of_source)
        first = 1
    else:
        values = CHARGES[charge](run, scene.symmetry, **of_charge)
        predicted, bound = globals()[f"of_{charge}"](run, scene.symmetry, **of_source)
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
        return {"rho": {"of_source": {"rms": up * stepping.RMS}}}
    if name == "Adam":
        named = {"beta_1": {"first": up * stepping.FIRST}, "beta_2": {"second": up * stepping.SECOND}}
        return {x: {"of_source": law} for x, law in named.items()}
    if charge == "massive":
        return {"J": {"of_charge": {"momentum": up}}, "mass": {"of_source": {"mass": up}}}
    if charge == "decay":
        return {"kinetic term": {"of_source": {"kinetic": up}}}
    named = (
        ("friction",) if name == "sign" else ("friction", "mass")
    )  # sign descent's kinetic energy never changes
    return {x: {"of_charge": {x: up}} for x in named} if charge == "energy" else {}
