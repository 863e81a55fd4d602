"""What one step or two of torch's SGD make of a charge, exactly, for any gradient.

With s a sign for each number, <x, y> = sum s x y, R = <w, w>, and b' = beta b + g + k w, w' = w - eta b':

    R'' - (1 + beta) R' + beta R = -2 eta <g' + k w', w'> + eta^2 (<b'', b''> + beta <b', b'>)             (1)
    R' = (1 - eta k)^2 R - 2 eta (1 - eta k) <g, w> + eta^2 <g, g>                    without momentum     (2)
    c'' - (1 + beta - eta k) c' + beta c = -eta <g', 1>,    c = sum w                                      (3)

(1) is D5, and D4 where s has both signs; (3) is D6. The roundings e_b, e_w of rounding.py leave at most
2 eta <|e_b''|, |w'|> + 2 <|w''|, |e_w''|> + 2 beta <|w' - v'|, |e_w'|> in (1), 2 <|w'|, |e_w|> in (2), and
sum (eta |e_b''| + |e_w''| + beta |e_w'|) in (3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.laws.networks.rounding import SLACK, Update


@dataclass(frozen=True)
class Recursion:
    """A charge after each step, (steps, charges) longdouble, and what the law makes of the states before.

    predicted  takes factors of eta, beta, k and of other terms by keyword;  names  those it takes
    before     the charge one step earlier
    """

    measured: np.ndarray
    before: np.ndarray
    predicted: Callable[..., np.ndarray]
    bound: np.ndarray
    names: tuple[str, ...]

    @property
    def motion(self) -> np.ndarray:
        return self.measured - self.before

    def responses(self) -> dict[str, np.ndarray]:
        """What a relative change 1 of each coefficient adds to the prediction."""
        plain = self.predicted()
        return {name: (self.predicted(**{name: 1 + 2.0**-10}) - plain) * 2.0**10 for name in self.names}


def sums(steps: list[Update], x: str, y: str, sign=1.0) -> np.ndarray:
    """<x, y> of two arrays of each step, (steps, charges)."""
    return np.array([np.sum(sign * getattr(s, x) * getattr(s, y), axis=-1) for s in steps])


def second_order(steps: list[Update], sign=1.0) -> Recursion:
    """(1)."""
    first, then = steps[:-1], steps[1:]
    eta, beta, k = first[0].eta, first[0].beta, first[0].k
    R0, R1, R2 = (
        sums(first, "w", "w", sign),
        sums(then, "w", "w", sign),
        sums(then, "w_after", "w_after", sign),
    )
    gw, P1, P2 = (
        sums(then, "g", "w", sign),
        sums(then, "b", "b", sign),
        sums(then, "b_after", "b_after", sign),
    )

    def predicted(*, eta_=eta, beta_=beta, k_=k, kinetic=1.0) -> np.ndarray:
        return (
            (1 + beta_) * R1 - beta_ * R0 - 2 * eta_ * (gw + k_ * R1) + kinetic * eta_**2 * (P2 + beta_ * P1)
        )

    def changed(eta=1.0, beta=1.0, k=1.0, kinetic=1.0) -> np.ndarray:
        return predicted(
            eta_=eta * first[0].eta, beta_=beta * first[0].beta, k_=k * first[0].k, kinetic=kinetic
        )

    bound = [
        np.sum(
            eta * y.e_b * np.abs(y.w) + np.abs(y.w_after) * y.e_w + beta * np.abs(y.w + eta * y.b) * x.e_w,
            axis=-1,
        )
        for x, y in zip(first, then, strict=True)
    ]
    return Recursion(R2, R1, changed, 2 * SLACK * np.array(bound), ("eta", "beta", "k", "kinetic"))


def first_order(steps: list[Update], sign=1.0) -> Recursion:
    """(2)."""
    eta, k = steps[0].eta, steps[0].k
    R0, R1 = sums(steps, "w", "w", sign), sums(steps, "w_after", "w_after", sign)
    gw, G = sums(steps, "g", "w", sign), sums(steps, "g", "g", sign)

    def changed(eta_=1.0, k_=1.0, g=1.0, once=False) -> np.ndarray:
        left = 1 - eta_ * k_ * eta * k
        return (left if once else left**2) * R0 - 2 * left * eta_ * eta * gw + g * (eta_ * eta) ** 2 * G

    def by_name(eta=1.0, k=1.0, kinetic=1.0, once=False) -> np.ndarray:
        return changed(eta, k, kinetic, once)

    bound = [np.sum(np.abs(x.w_after) * x.e_w, axis=-1) for x in steps]
    return Recursion(R1, R0, by_name, 2 * SLACK * np.array(bound), ("eta", "k", "kinetic"))


def shift(steps: list[Update]) -> Recursion:
    """(3); without momentum c' = (1 - eta k) c - eta <g, 1>."""
    eta, beta, k = steps[0].eta, steps[0].beta, steps[0].k
    total = lambda those, x: np.array([np.sum(getattr(s, x), axis=-1) for s in those])
    first, then = (steps[:-1], steps[1:]) if beta else (steps, steps)
    c0, c1, c2, g = total(first, "w"), total(then, "w"), total(then, "w_after"), total(then, "g")

    def changed(eta_=1.0, beta_=1.0, k_=1.0) -> np.ndarray:
        e, m, d = eta_ * eta, beta_ * beta, k_ * k
        return (1 + m - e * d) * c1 - m * c0 - e * g

    def by_name(eta=1.0, beta=1.0, k=1.0) -> np.ndarray:
        return changed(eta, beta, k)

    bound = [
        np.sum((eta * y.e_b if beta else 0) + y.e_w + beta * x.e_w, axis=-1)
        for x, y in zip(first, then, strict=True)
    ]
    return Recursion(c2, c1, by_name, SLACK * np.array(bound), ("beta", "k") if beta else ("k",))
