"""A step that iterates: a matrix goes through one function several times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Iteration:
    """The part of a step that takes a matrix through the same function several times.

    start   start(q, new, g, p, xp) -> the numbers of the first matrix X, d of them, from the new buffers
    once    once(X) -> those of the next one
    finish  finish(q, X, p) -> q' from the last one, before it is stored
    steps   how often
    odd     (a, b, c): a singular value x becomes a x + b x^3 + c x^5, and its vectors stay
    """

    start: Callable
    once: Callable
    finish: Callable
    steps: int
    odd: tuple[float, float, float]
