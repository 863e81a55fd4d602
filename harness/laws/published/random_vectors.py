"""P4: the check of SGD on the norm at zero decay, passed by vectors that are the gradient of nothing."""

from __future__ import annotations

import numpy as np

from noether.cases.rules import GRADIENT_DESCENT
from noether.laws.orders.runs import U, stepping
from noether.laws.published import faults
from noether.laws.published.book import claimed
from noether.laws.published.evidence import rounding
from noether.system.seeds import derive
from noether.verdicts import powers
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record

LANES, STEPS, DIM = 512, 8, 4
CHECK = "|q_N|^2 - |q_0|^2 - eta^2 sum |g|^2 along random vectors orthogonal to q"
CAPTION = "Random vectors that belong to no loss pass the check to rounding; only a part along q shows."


def unrelated(cell) -> list[Record]:
    """P4: plain steps along random vectors orthogonal to q, without any loss.

    |q_N|^2 - |q_0|^2 - eta^2 sum |g|^2 = -2 eta sum <g, q> + roundings: R0 of theory.md, 2 <q, delta> + <2 q'
    , sigma>, and
    <g, q> of the projection, below (2 d + 8) u |z||q|. `radial`: a part of g along q that the check must see.
    """
    eta, rng = np.full(LANES, 2.0**-6), np.random.default_rng(derive(cell.seed, cell.name))
    q0 = rng.normal(size=(DIM, LANES))
    (offs, sources, bounds), (radials, _, looses) = (residual(rng, q0, eta, part) for part in (0.0, 2.0**-10))
    off, source, bound, radial, loose = (x[-1] for x in (offs, sources, bounds, radials, looses))
    about = {"eta": float(eta[0]), "d": DIM, "growth": float(source.mean())}
    # As published, what is no gradient must show: by at least 2^-10 of the growth.
    seen, must = 2.0**-10 * source, "the residual of random vectors must show"
    table = (  # measured, predicted, bound, note, motion, fault
        (off, 0.0, bound, CHECK, source, None),
        (np.abs(off), seen, seen / 2, must, None, faults.TELLS_A_GRADIENT),
        (radial, 0.0, loose, CHECK + ", a part of 2^-10 along q", None, faults.RADIAL),
    )
    facts = dict(steps=STEPS, figure=drawn(offs, radials, sources, bounds))
    out = [
        rounding(cell, *compared, about, note, motion=motion, fault=fault, **facts)
        for *compared, note, motion, fault in table
    ]
    out[0].powers = {"eta^2 sum |g|^2": powers.smallest(off, bound, source)}
    worst = float(np.max(np.abs(out[0].measured) / source.min()))
    measured = (
        f"random vectors orthogonal to q pass it to {worst:.0e} of the growth, {out[0].spent:.2f} of the "
        "rounding bound"
    )
    words = dict(published="passing the check confirms the dynamics", measured=measured)
    return claimed("P4", out, **words, ratio=out[0].spent)


def residual(
    rng, q0: np.ndarray, eta: np.ndarray, radial: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(residual, eta^2 sum |g|^2, bound) after each step, (STEPS, lanes) each."""
    sizes, slack, R = [], [], [np.sum(q0.astype(np.longdouble) ** 2, axis=0)]

    def force(q):
        z = rng.normal(size=q.shape)
        r, length = np.sum(q * q, axis=0), np.linalg.norm(z, axis=0)
        g = z - q * (np.sum(z * q, axis=0) / r) + radial * q
        sizes.append(np.sum(g.astype(np.longdouble) ** 2, axis=0))
        projected = eta * (2 * DIM + 8) * U * length * np.sqrt(r)
        slack.append(projected + np.sum(np.abs(q) * U * 3 * eta * np.abs(g), axis=0))
        return g

    run = stepping(force, q0, 0 * q0, eta, rule=GRADIENT_DESCENT)
    next(run)
    for _ in range(STEPS):
        q, _ = next(run)
        slack[-1] = slack[-1] + np.sum(q * q, axis=0) * U
        R.append(np.sum(q.astype(np.longdouble) ** 2, axis=0))
    source = eta**2 * np.cumsum(sizes, axis=0)
    off, bound = np.array(R[1:]) - R[0] - source, 2 * np.cumsum(slack, axis=0) * (1 + 2.0**-20)
    return off.astype(float), source.astype(float), bound


def drawn(off, radial, source, bound) -> Lines:
    """After each step."""
    series = {
        "random vectors orthogonal to q": np.abs(off).max(axis=1),
        "a part of 2^-10 along q": np.abs(radial).max(axis=1),
        "growth of |q|^2": source.mean(axis=1),
        "bound": bound.max(axis=1),
    }
    axes = dict(xlabel="steps", ylabel="|residual| of the check", xscale="linear", yscale="log")
    return Lines(x=[float(n) for n in range(1, STEPS + 1)], series=series, caption=CAPTION, **axes)
