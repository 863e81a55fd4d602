"""The generalized Noether theorem: each of its formulas, written once.

Arguments are sequences of sympy expressions; q parameters, v = qdot velocities, xi(q) = A q + a a generator.

Metric learning rules (theory.md#T1):
    T   = (m/2) sum_i G_i v_i^2                                                          (1)
    L   = e^{(mu/m) t} (T - f);   d/dt dT/dv + (mu/m) dT/dv = dT/dq - grad f             (2)
    J   = <dT/dv, xi>                                                                    (3)
    d_s T = m <v, G (Dxi) v>  +  (m/2) <v, (xi.dG) v>                                    (4a) + (4b)
    dJ/dt + (mu/m) J = d_s T - <grad f, xi>                                              (5)
    f is the whole potential; weak decay k adds k |q|^2 / 2 to it, so k q to grad f      (10)

Bregman learning rules (theory.md#T2), e^{-alpha} = e^{beta_t} = m, gamma = mu t / m, Q = q + m v:
    Delta = grad h(Q) - grad h(q),   J = <Delta, xi>                                     (6)
    dDelta/dt + (mu/m) Delta = (Delta - m hess h(q) v) / m - grad f                      (7)
    dJ/dt + (mu/m) J = <Delta, (Dxi) v> + <Delta - m hess h(q) v, xi> / m - <grad f, xi> (8)

Time translation (theory.md#T4), metric learning rules:
    E = T + f,   dE/dt = -mu <v, G v> = -2 mu T / m                                      (9)

Overdamped limit (theory.md#T3): for t >> m/mu, J/m = O(m), while <Delta, w>/m tends to a value that is not
zero for a w that is no symmetry. Scale-invariant learning (theory.md#T5): G = 1/|q|^2 makes (4a) + (4b) zero
for xi = q, so that with a scale-invariant loss J = e^{-mu t / m} J_0.

Source: Tanaka, Kunin (2021), Theorem 1 (their Eq. 9 for (5), Eq. 10 for (8), here with the potential term).
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy


def inner(a: Sequence, b: Sequence):
    """The inner product <a, b> of two sequences of expressions."""
    return sympy.Add(*(x * y for x, y in zip(a, b, strict=True)))


def derivative_along(f, q: Sequence, w: Sequence):
    """The derivative df/dq . w of an expression along w."""
    return sympy.Add(*(sympy.diff(f, x) * y for x, y in zip(q, w, strict=True)))


def kinetic_energy(G: Sequence, v: Sequence, m):
    """The kinetic energy T of a metric, (1)."""
    return m / 2 * sympy.Add(*(g * x * x for g, x in zip(G, v, strict=True)))  # (1)


def momentum_rate(G: Sequence, q: Sequence, v: Sequence, gradient: Sequence, m, mu) -> list:
    """The rate p' of p = (dT/dv)/m, (2), from the Lagrangian alone: nothing here knows of a symmetry."""
    T = kinetic_energy(G, v, m)
    rate = lambda x, y, g: (sympy.diff(T, x) - mu / m * sympy.diff(T, y) - g) / m  # (2)
    return [rate(x, y, g) for x, y, g in zip(q, v, gradient, strict=True)]


def generator_breaking(G: Sequence, v: Sequence, m, A: Sequence):
    """The part of d_s T that comes from the derivative of the generator."""
    twisted = [inner(row, v) for row in A]
    return m * sympy.Add(*(x * g * y for x, g, y in zip(v, G, twisted, strict=True)))  # (4a)


def metric_breaking(G: Sequence, q: Sequence, v: Sequence, m, xi: Sequence):
    """The part of d_s T that comes from the metric changing along the generator."""
    return m / 2 * sympy.Add(*(derivative_along(g, q, xi) * y * y for g, y in zip(G, v, strict=True)))  # (4b)


def potential_term(gradient: Sequence, xi: Sequence):
    return -inner(gradient, xi)  # (5), (8)


def decayed(gradient: Sequence, q: Sequence, k) -> list:
    """The gradient of the loss with weight decay added."""
    return [g + k * x for g, x in zip(gradient, q, strict=True)]  # (10)


def bregman_momentum(grad_h: Sequence, q: Sequence, Q: Sequence) -> list:
    """The momentum Delta of (6); grad_h are expressions in q."""
    moved = dict(zip(q, Q, strict=True))
    return [g.xreplace(moved) - g for g in grad_h]


def bregman_rate(
    grad_h: Sequence, delta: Sequence, q: Sequence, Q: Sequence, gradient: Sequence, m, mu
) -> list:
    """The rate Q' of Q = q + m v for separable h, (7), with d/dt grad h(q) = hess h(q) v taken to the
    right."""
    return [
        ((1 - mu) / m * D - g) / sympy.diff(dh, x).xreplace({x: X})
        for dh, D, x, X, g in zip(grad_h, delta, q, Q, gradient, strict=True)
    ]


def bregman_generator_breaking(delta: Sequence, v: Sequence, A: Sequence):
    return inner(delta, [inner(row, v) for row in A])  # (8), first term


def bregman_curvature_breaking(delta: Sequence, grad_h: Sequence, q: Sequence, v: Sequence, m, xi: Sequence):
    hess_v = [sympy.diff(dh, x) * y for dh, x, y in zip(grad_h, q, v, strict=True)]
    return inner([D - m * hv for D, hv in zip(delta, hess_v, strict=True)], xi) / m  # (8), second term
