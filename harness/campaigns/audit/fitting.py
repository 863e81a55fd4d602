"""The numbers of an anatomy with which it moves as was observed: least squares by Levenberg and Marquardt.

Residuals are distances to the observed parameters in units of how far each parameter moves. What is observed
is a motion without rounding, so that the right anatomy fits to the last of some 17 digits, and a wrong one
does not.

Source: Levenberg (1944), Marquardt (1963); the gain of the damping as in Nielsen (1999).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from noether.campaigns.audit.observed import Observed
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.motion import bounded, moved
from noether.optimizers.running import WIDE

STEP = WIDE(2.0**-26)  # of a difference quotient: its error, 2^-26 of the second derivative, only slows a fit
KEPT = {"beta", "beta2", "beta_c"}  # numbers near 1, of which 1 - x is fitted by its logarithm
SIGNED = {"tau", "tau2", "rate_decay", "psi", "beta2_power"}
Search = Generator[np.ndarray, np.ndarray, "Fit"]
HOPELESS = 40.0  # the largest exponent: what leaves this range is not found by this fit


@dataclass(frozen=True)
class Fit:
    """An anatomy with fitted numbers.

    misfit  the root of the mean squared residual, in units of how far parameters move in a step
    """

    anatomy: Anatomy
    misfit: float


def inner(name: str, value) -> WIDE:
    """The number as it is fitted: logarithms, so that sizes of all orders are near."""
    value = WIDE(value)
    if name in SIGNED:
        return value
    least = WIDE(1e-30)
    return np.log(np.maximum(1 - value if name in KEPT else abs(value), least))


def outer(name: str, value):
    """The number itself."""
    if name in SIGNED:
        return value
    found = np.exp(np.clip(value, -2 * HOPELESS, HOPELESS))
    return 1 - found if name in KEPT else found


def residuals(anatomy: Anatomy, seen: Observed, inside: np.ndarray) -> np.ndarray:
    """(alternatives, steps * d) of inner numbers (alternatives, numbers)."""
    names = list(anatomy.values)
    values = {name: outer(name, inside[:, i : i + 1]) for i, name in enumerate(names)}
    model = moved(anatomy, seen.q0, seen.gradients, values, seen.shape)
    model = np.broadcast_to(model, (model.shape[0], len(inside), seen.q0.size))
    found = ((model - seen.value[:, None]) / seen.size).transpose(1, 0, 2)
    return finite(found.reshape(len(inside), -1), nan=1e30, posinf=1e30, neginf=-1e30)


def fitted(anatomy: Anatomy, seen: Observed, free=None, rounds: int = 40) -> Fit:
    """The numbers `free` fitted, all by default, from where they are."""
    return together([search(anatomy, free, rounds)], anatomy, seen)[0]


def all_fitted(asked: list[tuple[Anatomy, tuple | list | None]], seen: Observed, rounds=40) -> list[Fit]:
    """Anatomies that differ in their numbers alone, each with what of it is free, fitted as each would be by
    itself."""
    return together([search(x, free, rounds) for x, free in asked], asked[0][0], seen) if asked else []


def together(searches: list[Search], anatomy: Anatomy, seen: Observed) -> list[Fit]:
    """The fits of searches among the numbers of one anatomy, which step side by side: what a step costs
    hardly depends on for how many alternatives it is taken, and none of them sees another."""
    if anatomy.features["rectified"] != "no" and len(searches) > 1:  # a step asks there for the largest
        return [together([one], anatomy, seen)[0] for one in searches]
    fits: list[Fit | None] = [None] * len(searches)
    asked = {i: next(one) for i, one in enumerate(searches)}
    while asked:
        found = residuals(anatomy, seen, np.concatenate(list(asked.values())))
        answers = np.split(found, np.cumsum([len(near) for near in asked.values()])[:-1])
        for i, answer in zip(list(asked), answers, strict=True):
            try:
                asked[i] = searches[i].send(answer)
            except StopIteration as end:
                fits[i] = end.value
                del asked[i]
    return fits


def search(anatomy: Anatomy, free=None, rounds: int = 40) -> Search:
    """Yield inner numbers, (alternatives, numbers), be sent their residuals, and return the Fit."""
    names = list(anatomy.values)
    free = names if free is None else [name for name in names if name in free]
    at = np.array([inner(name, x) for name, x in anatomy.numbers], WIDE)
    moving = [names.index(name) for name in free]
    damping, gain = WIDE(1e-3), 2.0
    aside = STEP * np.concatenate([np.zeros((1, at.size)), np.eye(at.size)[moving]]).astype(WIDE)
    found = yield at + aside
    cost, stalled = (found[0] ** 2).sum(), 0
    for _ in range(rounds if free else 0):
        slopes = ((found[1:] - found[0]) / STEP).astype(float)
        scale = np.maximum(np.sqrt((slopes**2).sum(axis=1)), 1e-300)
        # Not the normal equations: they square the condition, and eps hardly moves what beta2 moves.
        rows = np.vstack([(slopes / scale[:, None]).T, np.sqrt(float(damping)) * np.eye(len(moving))])
        goal = np.concatenate([-found[0].astype(float), np.zeros(len(moving))])
        try:
            move = np.linalg.lstsq(finite(rows), finite(goal), rcond=None)[0] / scale
        except np.linalg.LinAlgError:  # its singular values did not converge
            break
        trial = at.copy()
        trial[moving] += np.clip(move, -3, 3)
        there = yield trial + aside
        new = (there[0] ** 2).sum()
        if new < cost:
            stalled = stalled + 1 if new > 0.9 * cost else 0
            at, found, cost = trial, there, new
            damping, gain = damping / 10, 2.0
        else:
            damping, gain = damping * gain, gain * 2
            stalled += damping > 1e8
        if stalled >= 3 or cost == 0:
            break
    numbers = {name: float(outer(name, at[i])) for i, name in enumerate(names)}
    return Fit(anatomy.with_numbers(**numbers), float(np.sqrt(cost / found.shape[1])))


def finite(x: np.ndarray, **instead: float) -> np.ndarray:
    """x, with numbers in the place of what is none."""
    return x if np.isfinite(x).all() else np.nan_to_num(x, **instead)


def scaled(anatomy: Anatomy, seen: Observed) -> Anatomy:
    """The anatomy with the step size with which it goes as far as was observed."""
    model = moved(anatomy, seen.q0, seen.gradients, shape=seen.shape)
    before = np.concatenate([seen.q0[None], model[:-1]])
    passed = np.concatenate([seen.q0[None], seen.value[:-1]])
    with np.errstate(all="ignore"):
        ratio = abs(seen.value - passed) / abs(model - before)
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return (
        anatomy.with_numbers(eta=float(anatomy.values["eta"] * np.median(ratio))) if ratio.size else anatomy
    )


ENOUGH = 0.9


def worst(anatomy: Anatomy, seen: Observed, needed: float = ENOUGH) -> float:
    """The largest distance to what was observed, in units of its bound; at most 1 where it fits.

    It is infinite where less than the share `needed` of the comparisons could see a change of a thousandth of
    a step.
    """
    model = bounded(anatomy, seen.q0, seen.gradients, seen.shape)
    return float(seen.spent(model).max()) if seen.sharp(model) >= needed else float("inf")


def uncertainties(anatomy: Anatomy, seen: Observed) -> dict[str, float]:
    """How far each number could lie from where it is, the others held, without leaving the bound."""
    names = list(anatomy.values)
    at = np.array([inner(name, x) for name, x in anatomy.numbers], WIDE)
    near = at + STEP * np.concatenate([np.zeros((1, at.size)), np.eye(at.size)]).astype(WIDE)
    found = residuals(anatomy, seen, near)
    model = bounded(anatomy, seen.q0, seen.gradients, seen.shape)
    reach = ((seen.error + model.error) / seen.size).ravel()
    result = {}
    for i, name in enumerate(names):
        slope = abs(found[i + 1] - found[0]) / abs(outer(name, near[i + 1, i]) - outer(name, at[i]))
        with np.errstate(all="ignore"):
            free = np.where(slope > 0, reach / slope, np.inf)
        result[name] = float(free.min())
    return result
