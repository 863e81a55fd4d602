"""P4: the check of SGD on the norm at zero decay, passed by vectors that are the gradient of nothing."""

from __future__ import annotations

import numpy as np

from noether.cases.rules import GRADIENT_DESCENT
from noether.laws.orders.runs import U, stepping
from noether.laws.published.book import BOOK, claimed
from noether.laws.published.evidence import rounding
from noether.system.seeds import derive
from noether.verdicts import powers
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record


def unrelated(cell) -> list[Record]:
    """P4: plain steps along random vectors orthogonal to q, without any loss.

    |q_N|^2 - |q_0|^2 - eta^2 sum |g|^2 = -2 eta sum <g, q> + roundings: R0 of theory.md, 2 <q, delta> + <2 q'
    , sigma>, and
    <g, q> of the projection, below (2 d + 8) u |z||q|. `radial`: a part of g along q that the check must see.
    """
    lanes, steps, d = 512, 8, 4
    eta, rng = np.full(lanes, 2.0**-6), np.random.default_rng(derive(cell.seed, cell.name))
    q0, out = rng.normal(size=(d, lanes)), []

    def residual(radial: float):
        """(residual, eta^2 sum |g|^2, bound) after each step, (steps, lanes) each."""
        sizes, slack, R = [], [], [np.sum(q0.astype(np.longdouble) ** 2, axis=0)]

        def force(q):
            z = rng.normal(size=q.shape)
            r, length = np.sum(q * q, axis=0), np.linalg.norm(z, axis=0)
            g = z - q * (np.sum(z * q, axis=0) / r) + radial * q
            sizes.append(np.sum(g.astype(np.longdouble) ** 2, axis=0))
            slack.append(
                eta * (2 * d + 8) * U * length * np.sqrt(r)
                + np.sum(np.abs(q) * U * 3 * eta * np.abs(g), axis=0)
            )
            return g

        run = stepping(force, q0, 0 * q0, eta, rule=GRADIENT_DESCENT)
        next(run)
        for _ in range(steps):
            q, _ = next(run)
            slack[-1] = slack[-1] + np.sum(q * q, axis=0) * U
            R.append(np.sum(q.astype(np.longdouble) ** 2, axis=0))
        source = eta**2 * np.cumsum(sizes, axis=0)
        return (
            (np.array(R[1:]) - R[0] - source).astype(float),
            source.astype(float),
            2 * np.cumsum(slack, axis=0) * (1 + 2.0**-20),
        )

    (off, source, bound), (radial, _, loose) = residual(0.0), residual(2.0**-10)
    x = [float(n) for n in range(1, steps + 1)]
    figure = Lines(
        x=x,
        series={
            "random vectors orthogonal to q": np.abs(off).max(axis=1),
            "a part of 2^-10 along q": np.abs(radial).max(axis=1),
            "growth of |q|^2": source.mean(axis=1),
            "bound": bound.max(axis=1),
        },
        xlabel="steps",
        ylabel="|residual| of the check",
        xscale="linear",
        yscale="log",
        caption="Random vectors that belong to no loss pass the check to rounding; only a part along q "
        "shows.",
    )
    off, source, bound, radial, loose = (y[-1] for y in (off, source, bound, radial, loose))
    about = {"eta": float(eta[0]), "d": d, "growth": float(source.mean())}
    note = "|q_N|^2 - |q_0|^2 - eta^2 sum |g|^2 along random vectors orthogonal to q"
    out.append(rounding(cell, off, 0.0, bound, about, note, steps=steps, motion=source, figure=figure))
    # As published, what is no gradient must show: by at least 2^-10 of the growth.
    seen = 2.0**-10 * source
    out.append(
        rounding(
            cell,
            np.abs(off),
            seen,
            seen / 2,
            about,
            "the residual of random vectors must show",
            steps=steps,
            fault=BOOK["P4"].fault,
        )
    )
    out.append(
        rounding(
            cell,
            radial,
            0.0,
            loose,
            about,
            note + ", a part of 2^-10 along q",
            steps=steps,
            fault="a radial part of 2^-10",
        )
    )
    out[0].powers = {"eta^2 sum |g|^2": powers.smallest(off, bound, source)}
    worst = float(np.max(np.abs(out[0].measured) / source.min()))
    return claimed("P4", out, published="passing the check confirms the dynamics",
                   measured=f"random vectors orthogonal to q pass it to {worst:.0e} of the growth, "
                            f"{out[0].spent:.2f} of the rounding bound", ratio=out[0].spent)  # fmt: skip
