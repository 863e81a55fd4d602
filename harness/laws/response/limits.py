"""What is said of a detection limit: against what its roundings predict, and against a stated figure."""

from __future__ import annotations

import numpy as np
from scipy.special import bdtri

from noether.laws.response.estimate import ALARM, ONE_SIGMA, mixed, robust
from noether.laws.response.honest import FEWEST
from noether.laws.response.unbroken import SIGMAS, Found
from noether.verdicts import judgement
from noether.verdicts.judgement import Worst
from noether.verdicts.record import Record

FACTOR = 3.0  # between a limit and a figure of theory.md, which has one digit and another A


def limited(about: dict, found: Found, model: float, fault: str | None = None) -> Record:
    """The measured limit between what (2) of detection.py says of the largest and the smallest share that may
    lie within it.

    found: value, sd and shift of each lane. The limit lies between the k-th and the next of n sorted sizes,
    k - 1 = .683 (n - 1) rounded down: it passes s where no more than k of n lie within s.
    """
    n, measured = len(found.value), SIGMAS * robust(found.value)
    expected, least, most = room_of(found, model)
    ratio = ratio_of(measured, expected)
    spent = spent_of_ratio(ratio, least / expected, most / expected)
    seen = max(measured / least, most / measured, 1.0) - 1 if spent < np.inf else np.inf
    return judgement.mean(
        Worst(spent, measured, expected, most - expected),
        f"detection limit {measured:.2g}: {ratio:.2f} of {expected:.2g}, predicted from its roundings "
        f"({least / expected:.2f} to {most / expected:.2f} of it may be chance)",
        enough=n >= FEWEST,
        **about,
        fault=fault,
        powers={"error bars": float(seen)},
    )


def room_of(found: Found, model: float) -> tuple[float, float, float]:
    """The predicted limit, and the smallest and largest that may be measured beside it."""
    n = len(found.value)
    k = int(ONE_SIGMA * (n - 1)) + 1
    shares = ONE_SIGMA, float(bdtri(k - 1, n, 1 - ALARM / 2)), float(bdtri(k, n, ALARM / 2))
    expected, least, most = (SIGMAS * mixed(found.sd, found.shift, share) for share in shares)
    return expected, least / model, most * model


def ratio_of(measured: float, expected: float) -> float:
    return measured / expected if expected > 0 else float("inf")


def spent_of_ratio(ratio: float, least: float, most: float) -> float:
    """At most 1 between the limits, least below 1 and most above it, on a logarithm."""
    if not 0 < ratio < np.inf:
        return float("inf")
    return float(np.log(ratio) / np.log(most if ratio > 1 else least))


def of_pool(about: dict, pool: dict, figure: float | None, lanes: int) -> list[Record]:
    told = f"{lanes} pooled, eps^ = {pool['value']:.2g}"
    measured, predicted = SIGMAS * pool["deviation"], SIGMAS * pool["predicted"]
    out = [compared(about, measured, predicted, f"{told}, predicted from their roundings")]
    if figure:
        out.append(compared(about, pool["limit"], figure, f"{told}, the figure of theory.md section 4"))
    return out


def compared(about: dict, measured: float, expected: float, what: str, fault: str | None = None) -> Record:
    """Within FACTOR of what was expected, either way."""
    ratio = ratio_of(measured, expected)
    return judgement.mean(
        Worst(spent_of_ratio(ratio, 1 / FACTOR, FACTOR), measured, expected, expected * (FACTOR - 1)),
        f"detection limit {measured:.2g}: {ratio:.2f} of {expected:.2g} ({what})",
        enough=about["lanes"] >= FEWEST,
        **about,
        fault=fault,
    )
