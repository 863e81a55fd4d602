"""How the fourth power of the norm relaxes under a tangential force: NLD Eq. 17, its noise law, and what
finite eta adds.

For |ghat| = G and telegraph noise of correlation rho per step, x = E r^4 with t = n eta (theory.md#S2):

    x(t) = x* + (x_0 - x*) e^{-4 k t/(1-beta)},     x* = eta G^2 F(rho) / (2 k (1-beta))  (1)
    F(rho) = (1 + rho beta)/(1 - rho beta):  1 white, (1+beta)/(1-beta) coherent          (2)

Eq. 17 is rho = 1. Derivation, and the next order. L = <A q, v> obeys L' = beta L - eta G s whatever q does,
since <A q, F> = G s exactly; with C = <q, v>, c = beta C - eta k R, R = |q|^2 and l = L^2 the rest is

    R' = R + 2c + w,   C' = c + w,   w = |v'|^2 = (c^2 + l')/R                       (3)
    X = R + 2 beta/(1-beta) C:   X' - X = -2 eta k/(1-beta) R + (1+beta)/(1-beta) w  (4)

so that E X^2 moves by -4 eta k/(1-beta) E[X R] + 2 (1+beta)/(1-beta) E[(X/R)(l' + c^2)] + E (X'-X)^2. The
leading part is linear in x and l, whence (1) for every rho; l has E l = eta^2 G^2 F/(1-beta^2). The terms of
relative size eta k/(1-beta)^2 need E[C R], E[C l'] and E l^2 at leading order, moments of a filtered sign
that follow one another linearly: `corrected`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.verdicts.powers import STEP


def gain(beta, rho):
    """F of (2)."""
    return (1 + rho * beta) / (1 - rho * beta)


@dataclass(frozen=True)
class Regime:
    """Lanes of one kind; every field a number or (lanes,). x0: r^4 at the start, from rest."""

    eta: np.ndarray
    beta: np.ndarray
    k: np.ndarray
    G: np.ndarray
    rho: np.ndarray
    x0: np.ndarray

    @property
    def rate(self):
        """4 k/(1-beta) of (1)."""
        return 4 * self.k / (1 - self.beta)

    @property
    def steps(self):
        """One relaxation time, in steps."""
        return 1 / (self.rate * self.eta)

    def settled(self, rho=None):
        """x* of (1), of another correlation when asked for one."""
        return (
            self.eta
            * self.G**2
            * gain(self.beta, self.rho if rho is None else rho)
            / (2 * self.k * (1 - self.beta))
        )

    def law(self, n, rho=None, rate=1.0, end=1.0):
        """(1) after n steps; rate and end: factors of 4 k/(1-beta) and of x*, of another law."""
        settled = end * self.settled(rho)
        return settled + (self.x0 - settled) * np.exp(-rate * self.rate * self.eta * n)

    def changed(self, n, *, ghat2=1.0, start=1.0, rate=1.0, end=1.0, **factors):
        """(1) after n steps where symbols are so many times as large: eta, beta, k, rho, |ghat|^2, r_0^4, the
        rate, x*."""
        scaled = {name: factor * np.asarray(getattr(self, name)) for name, factor in factors.items()}
        other = replace(self, **scaled, G=self.G * ghat2**0.5, x0=self.x0 * start)
        return other.law(n, rate=rate, end=end)


SYMBOLS = {
    "eta": "eta",
    "beta": "beta",
    "k": "k",
    "|ghat|^2": "ghat2",
    "r_0^4": "start",
    "rate": "rate",
    "x*": "end",
}
"""The coefficients of (1), and what `changed` calls them."""


def responses(r: Regime, n, unit, *more: str) -> dict:
    """What a relative change 1 of each symbol of (1) adds, in units of `unit`; n: steps, or a function that
    averages (1)."""
    average = n if callable(n) else lambda law: law(n)
    plain = average(lambda m: r.law(m))
    names = {**SYMBOLS, **{name: name for name in more}}
    return {
        name: (average(lambda m, word=word: r.changed(m, **{word: 1 + STEP})) - plain) / STEP / unit
        for name, word in names.items()
    }


def squares(r: Regime, g) -> np.ndarray:
    """E L^2 after each step, from rest, exactly: (steps, ...). g: eta |ghat| of each step, (steps,) or
    (steps, ...)."""
    b, p = np.broadcast_arrays(*(np.asarray(z, float) for z in (r.beta, r.rho)))
    Ls, L2, out = np.zeros_like(b), np.zeros_like(b), []
    for now in g:
        L2, Ls = b * b * L2 - 2 * b * now * Ls + now * now, p * (b * Ls - now)
        out.append(L2)
    return np.array(out)


def corrected(r: Regime, steps: int, pace=None) -> tuple[np.ndarray, np.ndarray]:
    """E r^4 to first order after 1 .. steps steps, and a bound on what all later orders add: (steps, ...)
    each.

    pace   pace(n), a factor of G in step n.  With D_n the sum of the sizes of the terms of first order,
                                              relative, the largest
    so far, and D the largest of the run, each order is taken to be at most 2D of the one before, so that the
    rest is below x 4 D_n D/(1 - 2D): infinite for D >= 1/2. Runs must be longer than a relaxation time for D
    to be what it settles at.

    Moments of the sign s and of L, with g = eta G:  L's' = rho (beta Ls - g) and so on; A is R (C + eta k R
                                                     B),
    A' = beta A + l', B' = beta B + 1. Where R stands beside them it is sqrt x, whose own fluctuation is of
    the next order.
    """
    b, p, e = np.broadcast_arrays(*(np.asarray(z, float) for z in (r.beta, r.rho, np.multiply(r.eta, r.k))))
    whole = np.asarray(r.eta * r.G, float) + 0 * b
    x = np.asarray(r.x0, float) + 0 * b
    Ls, L2, L3s, L4, A, A2, AL2, ALs, B, away = (np.zeros_like(b) for _ in range(10))
    lam, f, h = 4 * e / (1 - b), 2 * b / (1 - b), 2 * (1 + b) / (1 - b)
    most, out, mosts = np.zeros_like(b), [], []
    for n in range(steps):
        g = whole * pace(n) if pace else whole
        rest = g * g * gain(b, p) / (1 - b * b)  # E l once settled
        l2 = b * b * L2 - 2 * b * g * Ls + g * g
        l4 = b**4 * L4 - 4 * b**3 * g * L3s + 6 * b * b * g * g * L2 - 4 * b * g**3 * Ls + g**4
        Al = b * b * AL2 - 2 * b * g * ALs + g * g * A
        CR, C2 = A - e * x * B, A2 / x - 2 * e * A * B + e * e * x * B * B
        Cl = Al / x - e * l2 * B
        c2 = b * b * C2 - 2 * b * e * CR + e * e * x
        leap = (4 * e * e * x - 4 * e * (1 + b) * l2 + (1 + b) ** 2 * l4 / x) / (1 - b) ** 2
        away = (1 - lam) * away + lam * f * abs(CR) + h * (abs(l2 - rest) + abs(c2) + f * abs(Cl)) + abs(leap)
        x = x - lam * (x - f * CR) + h * (l2 + c2 + f * Cl) + leap
        third = b**3 * L3s - 3 * b * b * g * L2 + 3 * b * g * g * Ls - g**3
        A2, ALs = b * b * A2 + 2 * b * Al + l4, p * (b * (b * ALs - g * A) + third)
        AL2, L3s, Ls = b * Al + l4, p * third, p * (b * Ls - g)
        L2, L4, A, B = l2, l4, b * A + l2, b * B + 1
        CR, C2 = A - e * x * B, A2 / x - 2 * e * A * B + e * e * x * B * B
        out.append(x - 2 * f * CR - f * f * C2)
        most = np.maximum(most, (away + 2 * f * abs(CR) + f * f * C2) / out[-1])
        mosts.append(most)
    return np.array(out), np.array(out) * later(np.array(mosts), most)


def later(now, most):
    """4 D_n D/(1 - 2D): all orders after the first."""
    return np.where(most < 0.5, 4 * now * most / np.maximum(1 - 2 * most, 1e-300), np.inf)
