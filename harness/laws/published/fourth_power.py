"""P1: the growth of the fourth power of the norm under minibatch noise."""

from __future__ import annotations

import numpy as np

from noether.laws.normalisation.relaxation import gain
from noether.laws.orders.runs import U, stepping
from noether.laws.published import faults
from noether.laws.published.book import claimed
from noether.laws.published.evidence import rounding
from noether.system.seeds import derive
from noether.verdicts import powers
from noether.verdicts.figures import Lines
from noether.verdicts.means import mean_record, means_of
from noether.verdicts.record import Record

BETA, DIM, ETA = 0.9, 16, 2.0**-17
STEPS, LAYER = 768, 256
NEAR = 2.0**-10  # by which a figure is off in its fault: every figure must be known better than this


def fourth_power(cell) -> list[Record]:
    """P1: growth of r^4 without decay under unit noise orthogonal to q, over that of one plain step, 2 eta^2.

    White: a new direction a step. Coherent, beside it: the direction turns with q. The first steps are left
    to the layer. The growth that the noise itself has, from the buffer u' = beta u + z of its directions z
    and the exact <q, v'> = beta (<q, v> + |v|^2) (theory.md#D5), is a control variate: its mean is known,
    since z is of mean 0 given the past. All of that is exact but for R = |q|^2, which is 1 there and 1 to 1 +
    g here: it divides |z|^2 and multiplies the growth of R, so that what is left is at most 4 g of it.
    """
    growth, drawn_by, known = grown(cell, {"quick": 96}.get(cell.profile, 384))
    many = STEPS - LAYER
    factor = growth[-1] / many
    white, straight = (gain(BETA, rho) / (1 - BETA) ** 2 for rho in (0.0, 1.0))
    explained, expected = (m.over(LAYER, STEPS) / many for m in (drawn_by, known))
    rounding_of = 4 * STEPS * U / (2 * ETA**2 * many)  # each step rounds q, and with it r^4, once
    largest = ETA**2 * np.max(drawn_by.over(0, STEPS)[:-1])  # g of the docstring
    bias = 4 * largest * white + rounding_of
    found = means_of(factor[:-1] - explained[:-1] + expected)
    about = {"beta": BETA, "eta": ETA, "white": float(found.value[0]), "coherent": float(factor[-1])}
    note, figure = "growth of r^4 under white noise over that of a plain step", drawn(growth, white, straight)
    table = ((white, None), (straight, faults.WHITE_AS_COHERENT), (white * (1 + NEAR), faults.NOISE_LAW))
    facts = dict(figure=figure, steps=STEPS, backend="numpy")
    out = [
        mean_record(cell, found, predicted, bias, about, note, fault=fault and fault.name, **facts)
        for predicted, fault in table
    ]
    slack = found.q * found.error + bias
    out[0].powers = {"1/(1-beta)^2": powers.smallest(found.value - white, slack, np.full(1, white))}
    out += coherent(cell, factor[-1], straight, coherence(ETA, straight) + rounding_of, about)
    error, value = float(found.q[0] * found.error[0]), found.value[0]
    measured = f"white noise {value:.1f} within {error:.1g}, coherent gradients {factor[-1]:.0f}"
    words = dict(published=f"factor {straight:.0f} at beta .9", measured=measured)
    return claimed("P1", out, **words, ratio=float(value / straight))


def grown(cell, lanes: int) -> tuple[np.ndarray, Memory, Memory]:
    """r^4 over 2 eta^2 from the end of the layer on, less what it is there, (steps, lanes + 1); what the
    noise drawn makes of it, and what that is on average. The last lane is coherent."""
    rng = np.random.default_rng(derive(cell.seed, cell.name))
    q0 = rng.normal(size=(DIM, lanes + 1))
    q0 /= np.linalg.norm(q0, axis=0)
    u, drawn_by, known = np.zeros_like(q0), Memory(lanes + 1), Memory(1)

    def force(q):
        z = rng.normal(size=q.shape)
        z[0::2, -1], z[1::2, -1] = -q[1::2, -1], q[0::2, -1]
        r = np.sum(q * q, axis=0)
        z -= q * (np.sum(z * q, axis=0) / r)
        z /= np.linalg.norm(z, axis=0)
        u[:] = BETA * u + z
        drawn_by.add(np.sum(u * u, axis=0))
        known.add(np.array([(1 - BETA ** (2 * len(known.grown))) / (1 - BETA**2)]))
        return z / np.sqrt(r)

    eta = np.full(lanes + 1, ETA)
    run = stepping(force, q0, 0 * q0, eta, beta=BETA)
    r4 = [np.sum(q * q, axis=0) ** 2 for q, _ in (next(run) for _ in range(STEPS + 1))]
    return (np.array(r4[LAYER:]) - r4[LAYER]) / (2 * eta**2), drawn_by, known


def drawn(growth: np.ndarray, white: float, straight: float) -> Lines:
    every = slice(16, None, 16)  # 0 has no logarithm
    x = [float(n) for n in range(len(growth))[every]]
    series = {
        "white noise, measured": growth[every, :-1].mean(axis=1),
        "noise law": [n * white for n in x],
        "coherent, measured": growth[every, -1],
        "Eq. 17": [n * straight for n in x],
    }
    return Lines(
        x=x,
        series=series,
        xlabel="steps",
        ylabel="growth of r^4 over that of one plain step",
        xscale="linear",
        yscale="log",
        caption="At beta .9 coherent gradients grow r^4 as Eq. 17 says, white noise 19 times less.",
    )


class Memory:
    """Delta r^2/eta^2 of each step from |u'|^2 = |v'|^2/eta^2: 2 c + |u'|^2 with c' = beta (c + |u'|^2), c =
    <q, v'>/eta^2."""

    def __init__(self, lanes: int):
        self.c, self.grown = np.zeros(lanes), [np.zeros(lanes)]

    def add(self, size: np.ndarray) -> None:
        self.grown.append(2 * self.c + size)
        self.c = BETA * (self.c + size)

    def over(self, first: int, last: int) -> np.ndarray:
        """Of r^4 over 2 eta^2: twice that of r^2 at r = 1, over 2."""
        return np.sum(self.grown[first + 1 : last + 1], axis=0)


def coherence(eta: float, straight: float) -> float:
    """How far turning gradients may be from Eq. 17.

    A product of two of them k steps apart is wrong by (eta k/(1-beta))^2/2 for the angle by which q turns,
    and by 4 eta^2 straight k for the growth of r. Three geometric factors weigh k: its mean is at most
    3/(1-beta), that of k^2 12/(1-beta)^2.
    """
    return straight * (6 * (eta / (1 - BETA) ** 2) ** 2 + 12 * eta**2 * straight / (1 - BETA))


def coherent(cell, measured: float, straight: float, bound: float, about: dict) -> list[Record]:
    """Eq. 17 where it is true, and a figure beside it."""
    note = "growth of r^4 under gradients that turn with q over that of a plain step"
    out = [
        rounding(cell, [measured], [x], [bound], about, note, steps=STEPS, motion=[measured], fault=fault)
        for x, fault in ((straight, None), ((1 + NEAR) * straight, faults.COHERENT))
    ]
    out[0].powers = {"(1+beta)/(1-beta)^3": powers.smallest(measured - straight, bound, straight)}
    return out
