"""N9: the norm of a normalised filter is the memory of an RMSProp, read off networks in training.

Of w' = w - eta (g + k w), with V = |w|^2/eta^2, for any g (theory.md#N9):

    V' = (1 - eta k)^2 V + |g|^2 - 2 (1 - eta k) <g, w>/eta                                               (1)

The last term is 0 where the loss has no scale; the eps of a normalisation leaves some of it, which is
measured.
"""

from __future__ import annotations

import numpy as np

from noether.laws.networks import faults
from noether.laws.networks.digits import Training, steps
from noether.laws.networks.evidence import rounded
from noether.laws.networks.rounding import Update, dot
from noether.system.seeds import derive
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record

HOW = Training(eta=2.0**-4, k=2.0**-5, batch=32)
STEPS = {"quick": 100, "full": 600}


def memory(cell) -> list[Record]:
    """(1) of every filter in every step of minibatch gradient descent, and (1) made wrong."""
    many = STEPS["quick" if cell.quick else "full"]
    found = [
        Update.of(s, "filters", HOW.eta, 0.0, HOW.k) for s in steps(HOW, derive(cell.seed, cell.name), many)
    ]
    V = (
        np.array([dot(x.w, x.w)[0] for x in found] + [dot(found[-1].w_after, found[-1].w_after)[0]])
        / HOW.eta**2
    )
    G, gw = (
        np.array([dot(x.g, y)[0] for x, y in pairs])
        for pairs in ([(x, x.g) for x in found], [(x, x.w) for x in found])
    )
    bound = np.array([2 * dot(np.abs(x.w_after), x.e_w)[0] for x in found]) / HOW.eta**2

    def predicted(eta=1.0, k=1.0, g=1.0, once=False):
        left = 1 - eta * k * HOW.eta * HOW.k
        return (left if once else left**2) * V[:-1] + g**2 * G - 2 * left * g * gw / (eta * HOW.eta)

    note = "V = |w|^2/eta^2 after a step"
    told = {
        "eta": HOW.eta,
        "k": HOW.k,
        "batch": HOW.batch,
        "filters": HOW.hidden,
        "eps": HOW.eps,
        "largest <g, w>/(|g| |w|)": float(np.max(np.abs(gw) / np.sqrt(G * V[:-1]) / HOW.eta)),
    }
    plain = predicted()
    moved = {name: (predicted(**{name: 1 + 2.0**-10}) - plain) * 2.0**10 for name in ("eta", "k", "g")}
    how = dict(steps=many, motion=V[1:] - V[:-1])
    out = [rounded(cell, V[1:], plain, bound, told, note, responses=moved, figure=drawn(V, predicted), **how)]
    return out + [
        rounded(cell, V[1:], predicted(**f.changed), bound, told, note, fault=f, **how) for f in faults.N9
    ]


def drawn(V, predicted) -> Lines:
    """The memory of the first filters along the training."""
    every = slice(None, None, max(1, len(V) // 120))
    x = [float(n) for n in range(1, len(V))][every]
    series = {}
    for i in range(3):
        series |= {
            f"measured, filter {i + 1}": V[1:, i][every],
            f"predicted, filter {i + 1}": predicted()[:, i][every],
        }
    return Lines(
        x=x,
        series=series,
        xlabel="steps",
        ylabel="V = |w|^2/eta^2",
        xscale="linear",
        yscale="linear",
        caption="The norm of a filter is the memory of an RMSProp: measured, and from the step before.",
    )
