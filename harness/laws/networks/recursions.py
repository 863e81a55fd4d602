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


def sums(steps: list[Update], x: str, y: str, sign=1) -> np.ndarray:
    """<x, y> of two arrays of each step, (steps, charges)."""
    return np.array([np.sum(sign * getattr(s, x) * getattr(s, y), axis=-1) for s in steps])


def second_order(steps: list[Update], sign=1) -> Recursion:
    """(1)."""
    one, first, then = steps[0], steps[:-1], steps[1:]
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

    def changed(eta=1, beta=1, k=1, kinetic=1) -> np.ndarray:
        e, m, d = eta * one.eta, beta * one.beta, k * one.k
        return (1 + m) * R1 - m * R0 - 2 * e * (gw + d * R1) + kinetic * e**2 * (P2 + m * P1)

    bound = [
        np.sum(
            one.eta * y.e_b * np.abs(y.w)
            + np.abs(y.w_after) * y.e_w
            + one.beta * np.abs(y.w + one.eta * y.b) * x.e_w,
            axis=-1,
        )
        for x, y in zip(first, then, strict=True)
    ]
    return Recursion(R2, R1, changed, 2 * SLACK * np.array(bound), ("eta", "beta", "k", "kinetic"))


def first_order(steps: list[Update], sign=1) -> Recursion:
    """(2)."""
    first = steps[0]
    R0, R1 = sums(steps, "w", "w", sign), sums(steps, "w_after", "w_after", sign)
    gw, G = sums(steps, "g", "w", sign), sums(steps, "g", "g", sign)

    def changed(eta=1, k=1, kinetic=1, once=False) -> np.ndarray:
        e, left = eta * first.eta, 1 - eta * first.eta * k * first.k
        return (left if once else left**2) * R0 - 2 * left * e * gw + kinetic * e**2 * G

    bound = [np.sum(np.abs(x.w_after) * x.e_w, axis=-1) for x in steps]
    return Recursion(R1, R0, changed, 2 * SLACK * np.array(bound), ("eta", "k", "kinetic"))


def shift(steps: list[Update]) -> Recursion:
    """(3); without momentum c' = (1 - eta k) c - eta <g, 1>."""
    one = steps[0]
    total = lambda those, x: np.array([np.sum(getattr(s, x), axis=-1) for s in those])
    first, then = (steps[:-1], steps[1:]) if one.beta else (steps, steps)
    c0, c1, c2, g = total(first, "w"), total(then, "w"), total(then, "w_after"), total(then, "g")

    def changed(eta=1, beta=1, k=1) -> np.ndarray:
        e, m, d = eta * one.eta, beta * one.beta, k * one.k
        return (1 + m - e * d) * c1 - m * c0 - e * g

    bound = [
        np.sum((one.eta * y.e_b if one.beta else 0) + y.e_w + one.beta * x.e_w, axis=-1)
        for x, y in zip(first, then, strict=True)
    ]
    return Recursion(c2, c1, changed, SLACK * np.array(bound), ("beta", "k") if one.beta else ("k",))
