"""P1, P3, P4: what was published of the norm under a scale symmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.losses.rayleigh import rayleigh
from noether.cases.rules import GRADIENT_DESCENT, HEAVY_BALL_DAMPENED
from noether.laws.map.stepping import gradient_of
from noether.laws.normalisation.evidence import mean, mean_record
from noether.laws.normalisation.relaxation import gain
from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE
from noether.laws.orders.runs import SETTINGS, stepping
from noether.laws.published.book import BOOK, claimed
from noether.laws.published.evidence import rounding
from noether.system.seeds import derive
from noether.verdicts import orders, powers
from noether.verdicts.claims import order_record
from noether.verdicts.record import Record

U = 2.0**-53
BETA, DIM = 0.9, 16
NEAR = 2.0**-10  # by which a figure is off in its control: every figure must be known better than this


def fourth_power(cell) -> list[Record]:
    """P1: growth of r^4 without decay under unit noise orthogonal to q, over that of one plain step, 2 eta^2.

    White: a new direction a step. Coherent, beside it: the direction turns with q. The first steps are left
    to the layer.
    The growth that the noise itself has, from the buffer u' = beta u + z of its directions z and the exact
    <q, v'> = beta (<q, v> + |v|^2) (theory.md#D5), is a control variate: its mean is known, since z is of
    mean 0 given the past.
    All of that is exact but for R = |q|^2, which is 1 there and 1 to 1 + g here: it divides |z|^2 and
    multiplies the growth of R,
    so that what is left is at most 4 g of it.
    """
    lanes, steps, layer = {"quick": 96}.get(cell.profile, 384), 768, 256
    eta, rng = np.full(lanes + 1, 2.0**-17), np.random.default_rng(derive(cell.seed, cell.name))
    q0 = rng.normal(size=(DIM, lanes + 1))
    q0 /= np.linalg.norm(q0, axis=0)
    u, drawn, known = np.zeros_like(q0), Memory(lanes + 1), Memory(1)

    def force(q):
        z = rng.normal(size=q.shape)
        z[0::2, -1], z[1::2, -1] = -q[1::2, -1], q[0::2, -1]
        r = np.sum(q * q, axis=0)
        z -= q * (np.sum(z * q, axis=0) / r)
        z /= np.linalg.norm(z, axis=0)
        u[:] = BETA * u + z
        drawn.add(np.sum(u * u, axis=0))
        known.add(np.array([(1 - BETA ** (2 * len(known.grown))) / (1 - BETA**2)]))
        return z / np.sqrt(r)

    run, r4 = stepping(force, q0, 0 * q0, eta, beta=BETA), []
    for _ in range(steps + 1):
        q, _ = next(run)
        r4.append(np.sum(q * q, axis=0) ** 2)
    growth = (np.array(r4[layer:]) - r4[layer]) / (2 * eta**2)
    factor = growth[-1] / (steps - layer)
    white, straight = (gain(BETA, rho) / (1 - BETA) ** 2 for rho in (0.0, 1.0))
    explained, expected = (m.over(layer, steps) / (steps - layer) for m in (drawn, known))
    rounding_of = (
        4 * steps * U / (2 * eta[0] ** 2 * (steps - layer))
    )  # each step rounds q, and with it r^4, once
    largest = eta[0] ** 2 * np.max(drawn.over(0, steps)[:-1])  # g of the docstring
    bias = 4 * largest * white + rounding_of
    found = mean(factor[:-1] - explained[:-1] + expected)
    about = {
        "beta": BETA,
        "eta": float(eta[0]),
        "white": float(found.value[0]),
        "coherent": float(factor[-1]),
    }
    note = "growth of r^4 under white noise over that of a plain step"
    every = slice(16, None, 16)  # 0 has no logarithm
    x = [float(n) for n in range(steps - layer + 1)[every]]
    data = {"plot": "lines", "x": x, "xlabel": "steps", "ylabel": "growth of r^4 over that of one plain step",
        "xscale": "linear", "yscale": "log", "series": {
        "white noise, measured": [float(y) for y in growth[every, :-1].mean(axis=1)],
        "noise law": [n * white for n in x],
        "coherent, measured": [float(y) for y in growth[every, -1]], "Eq. 17": [n * straight for n in x]},
        "caption": "At beta .9 coherent gradients grow r^4 as Eq. 17 says, white noise 19 times less."}  # fmt: skip
    facts = dict(steps=steps, backend="numpy")
    out = [mean_record(cell, found, white, bias, about, note, data=data, **facts),
           mean_record(cell, found, straight, bias, about, note, control=BOOK["P1"].control, **facts),
           mean_record(cell, found, white * (1 + NEAR), bias, about, note,
           control="the noise law off by 2^-10", **facts)]  # fmt: skip
    out[0].powers = {
        "1/(1-beta)^2": powers.smallest(found.value - white, found.q * found.error + bias, np.full(1, white))
    }
    out += coherent(cell, factor[-1], straight, coherence(eta[0], straight) + rounding_of, about, steps)
    error = float(found.q[0] * found.error[0])
    return claimed("P1", out, published=f"factor {straight:.0f} at beta .9",
        ratio=float(found.value[0] / straight),
                   measured=f"white noise {found.value[0]:.1f} within {error:.1g}, coherent gradients "
                            f"{factor[-1]:.0f}")  # fmt: skip


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
    and by
    4 eta^2 straight k for the growth of r. Three geometric factors weigh k: its mean is at most 3/(1-beta),
    that of k^2 12/(1-beta)^2.
    """
    return straight * (6 * (eta / (1 - BETA) ** 2) ** 2 + 12 * eta**2 * straight / (1 - BETA))


def coherent(cell, measured: float, straight: float, bound: float, about: dict, steps: int) -> list[Record]:
    """Eq. 17 where it is true, and a figure beside it."""
    note, out = "growth of r^4 under gradients that turn with q over that of a plain step", []
    for control, factor in ((None, 1.0), ("Eq. 17 off by 2^-10", 1 + NEAR)):
        out.append(
            rounding(
                cell,
                [measured],
                [factor * straight],
                [bound],
                about,
                note,
                steps=steps,
                motion=[measured],
                control=control,
            )
        )
    out[0].powers = {"(1+beta)/(1-beta)^3": powers.smallest(measured - straight, bound, straight)}
    return out


def grown(
    pace: np.ndarray, beta: float, tau: float, final: float, q0: np.ndarray, case, gamma=1.0
) -> tuple[np.ndarray, np.ndarray, int]:
    """(true, published) growth of |q|^2 without decay, dampened in every step as the published optimiser is.

    pace = eta (1-tau), a whole part of final. Published, closed form at zero decay with gamma = (1-beta)/(eta
    (1-tau) (1+beta)), t and s in units of eta (1-tau):
        growth = sum_s eta (1-tau) (1 - exp(-2 gamma (t - s)))/gamma |buffer_s|^2
    gamma: a factor of it
    """
    rule = replace(HEAVY_BALL_DAMPENED, dampening=tau, begun=True)
    counts, eta = np.rint(final / pace).astype(int), pace / (1 - tau)
    states = []
    for n, (q, v) in enumerate(stepping(gradient_of(case), q0, 0 * q0, eta, beta=beta, rule=rule)):
        states.append((np.sum(q * q, axis=0), np.sum((v / eta) ** 2, axis=0)))
        if n == counts.max():
            break
    R, buffer = (np.array(x) for x in zip(*states, strict=True))
    gamma = gamma * (1 - beta) / (pace * (1 + beta))
    left = np.maximum(counts - np.arange(len(R))[:, None], 0) * pace
    weight = np.where(left > 0, pace * -np.expm1(-2 * gamma * left) / gamma, 0)
    true = R[counts, np.arange(len(eta))] - R[0]
    return true, np.sum(weight * buffer, axis=0), int(counts.max())


def dampened(cell) -> list[Record]:
    """P3: with 1/(1-tau)^2 the closed form is right to order 1 in eta; without it the error stays."""
    case, out, shown_errors = rayleigh(4), [], {}
    for beta, _, tau in SETTINGS:
        pace = 2.0 ** -np.arange(4.0, 10 if cell.profile == "quick" else 12)
        q0 = np.repeat(np.array([[0.75], [0.5], [-0.75], [-0.5]]), len(pace), axis=1)
        true, published, steps = grown(pace, beta, tau, 0.5, q0, case)
        nudged = grown(pace, beta, tau, 0.5, q0, case, 1 + NUDGE)[1]
        noise, right = 16 * U * (1 + np.sum(q0**2, axis=0) / true) * steps, 1 / (1 - tau) ** 2
        D = {"1/(1-tau)^2": right * published / true, "gamma": right * (nudged - published) / true / NUDGE}
        factors = {None: right, BOOK["P3"].control: 1.0, "1/(1-beta)^2 for 1/(1-tau)^2": 1 / (1 - beta) ** 2}
        for control, factor in factors.items():
            error = factor * published / true - 1
            shown_errors.setdefault(control, error)
            note = f"beta {beta:g}, tau {tau:g}, growth of |q|^2 against the closed form" + (
                ", buffer for velocity" if control else ""
            )
            data = {"plot": "loglog", "x": [float(x) for x in pace],
                "series": {note: [float(abs(x)) for x in error]}, "xlabel": "eta (1 - tau)",
                    "ylabel": "relative error", "caption": "With 1/(1 - tau)^2 the closed form is right as "
                                                           "eta goes to 0."}  # fmt: skip
            found = orders.decide(np.abs(error), noise)
            about = {"beta": beta, "tau": tau, "t": 0.5, "p": list(found.orders)}
            out.append(
                order_record(
                    cell,
                    None,
                    found,
                    1,
                    about,
                    data,
                    control=control,
                    steps=steps,
                    backend="numpy",
                    note=note,
                )
            )
            if not control:
                out.append(
                    constants.vanishing(
                        cell,
                        error[None],
                        noise[None],
                        0 * noise[None],
                        0,
                        {n: d[None] for n, d in D.items()},
                        note,
                        eta=pace,
                        steps=steps,
                    )
                )
    (shown,), (coded,) = (x for x in grown(*FIGURE, case)[:2])
    return claimed("P3", out, published=f"growth {coded:.3f}", measured=f"growth {shown:.3f}",
        ratio=float(coded / shown),
                   series={"with 1/(1 - tau)^2": shown_errors[None],
                   "as published": shown_errors[BOOK["P3"].control]},
                   caption="With 1/(1 - tau)^2 the closed form is right as eta goes to 0; as published a "
                           "part 1 - (1 - tau)^2 of the growth stays missing.",
                   setup="Rayleigh quotient, d = 4, from (1, .5, -.5, -1), beta .9, tau 1/2, eta 1/128, 102 "
                         "steps, no decay: a horizon at which |q|^2 has grown by .285")  # fmt: skip


FIGURE = (np.array([2.0**-8]), 0.9, 0.5, 102 * 2.0**-8, np.array([[1.0], [0.5], [-0.5], [-1.0]]))
"""eta (1 - tau), beta, tau, time, start: where the true growth is .285."""


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
    data = {"plot": "lines", "x": x, "xlabel": "steps", "ylabel": "|residual| of the check",
        "xscale": "linear", "yscale": "log", "series": {
        "random vectors orthogonal to q": [float(y) for y in np.abs(off).max(axis=1)],
        "a part of 2^-10 along q": [float(y) for y in np.abs(radial).max(axis=1)],
        "growth of |q|^2": [float(y) for y in source.mean(axis=1)],
        "bound": [float(y) for y in bound.max(axis=1)]},
        "caption": "Random vectors that belong to no loss pass the check to rounding; only a part along q "
                   "shows."}  # fmt: skip
    off, source, bound, radial, loose = (y[-1] for y in (off, source, bound, radial, loose))
    about = {"eta": float(eta[0]), "d": d, "growth": float(source.mean())}
    note = "|q_N|^2 - |q_0|^2 - eta^2 sum |g|^2 along random vectors orthogonal to q"
    out.append(rounding(cell, off, 0.0, bound, about, note, steps=steps, motion=source, data=data))
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
            control=BOOK["P4"].control,
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
            control="a radial part of 2^-10",
        )
    )
    out[0].powers = {"eta^2 sum |g|^2": powers.smallest(off, bound, source)}
    worst = float(np.max(np.abs(out[0].measured) / source.min()))
    return claimed("P4", out, published="passing the check confirms the dynamics",
                   measured=f"random vectors orthogonal to q pass it to {worst:.0e} of the growth, "
                            f"{out[0].spent:.2f} of the rounding bound", ratio=out[0].spent)  # fmt: skip
