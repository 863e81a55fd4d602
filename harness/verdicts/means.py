"""Verdicts on means: a law holds when the mean of independent lanes is within its bound of the prediction.

    bound = q s/sqrt(N) + bias,   s^2 the sample variance of the N lane averages      (1)
    q = t + (|skew| + 3 sqrt(6/N)) (2 t^2 + 1) / (6 sqrt(N)),                         (2)
    t = Student's quantile of FALSE/(2 M), N - 1

FALSE is the rate of false alarms of one cell, M the number of means of which it takes the worst. A lane is
one sample whatever its steps do, since lanes draw from disjoint counters; (2) is the first Edgeworth term of
a t statistic (P. Hall, The Bootstrap and Edgeworth Expansion, 1992, section 2.6), with the sample skewness
three of its errors up. The bias is derived, never fitted. A bound above THIN of the prediction decides
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.powers import powers_of
from noether.verdicts.record import Record

FALSE = 1e-9
THIN = 1 / 4
FEWEST = 48  # lanes: below it the terms that (2) leaves out, t^4/N, are no longer small beside it


@dataclass(frozen=True)
class Means:
    """Means over lanes with their errors.

    value, error  (M,): the means and their standard errors
    q             (M,) of (2)
    lanes         N
    """

    value: np.ndarray
    error: np.ndarray
    q: np.ndarray
    lanes: int


def means_of(samples: np.ndarray, family: int | None = None) -> Means:
    """The means of samples (M, N) over N independent lanes, of which the worst of `family` (M) will be
    judged."""
    samples = np.atleast_2d(samples)
    many, n = samples.shape
    value = samples.mean(axis=1)
    off = samples - value[:, None]
    s = np.sqrt(np.sum(off**2, axis=1) / (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.nan_to_num(np.mean(off**3, axis=1) / s**3)
    t = -stdtrit(n - 1, FALSE / 2 / (family or many))
    q = t + (abs(skew) + 3 * np.sqrt(6 / n)) * (2 * t * t + 1) / (6 * np.sqrt(n))
    return Means(value, s / np.sqrt(n), q, n)


def mean_record(
    cell,
    found: Means,
    predicted,
    bias,
    about: dict,
    note: str,
    *,
    steps: int,
    backend: str,
    fault=None,
    figure=None,
    scale=None,
    responses=None,
) -> Record:
    """The record of the worst of the means.

    predicted, bias  (M,)
    about            the parameters of the record;  note  how its reason begins
    scale            what THIN is a part of, by default the prediction
    responses        {coefficient: what a relative change 1 of it adds to the prediction, (M,)}
    """
    predicted, bias = np.broadcast_to(predicted, found.value.shape), np.broadcast_to(bias, found.value.shape)
    bound = found.q * found.error + bias
    worst = judgement.worst(found.value, predicted, bound)
    thin = bound > THIN * abs(np.broadcast_to(predicted if scale is None else scale, bound.shape))
    flat = found.error[worst.at] == 0
    enough = not (thin.any() or flat or found.lanes < FEWEST)
    text = (
        f"{note}: {worst.measured:.5g} +- {found.error[worst.at]:.1g} ({found.lanes} lanes), predicted "
        f"{worst.predicted:.5g} within {worst.bound:.2g}, of which derived bias {bias[worst.at]:.1g}; false "
        f"alarms {FALSE:g} a cell"
    )
    if worst.spent <= 1 and not enough:
        needed = f"the bound must be at most {THIN:g} of the prediction, lanes at least {FEWEST}"
        text += "; no scatter at all" if flat else f"; too thin: {needed}"
    known = facts(cell, backend=backend, fault=fault) | dict(lanes=found.lanes, steps=steps, parameters=about)
    powers = powers_of(found.value - predicted, bound, {"prediction": predicted, **(responses or {})})
    return judgement.mean(worst, text, enough=enough, **known, figure=figure, powers=powers)
