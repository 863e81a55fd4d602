"""P3: the growth of the norm under dampening."""

from __future__ import annotations

import numpy as np

from noether.cases.losses.rayleigh import rayleigh
from noether.cases.rules.heavy_ball_dampened import dampened as every_step
from noether.laws.map.stepping import gradient_of
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, judged
from noether.laws.orders.records import name_of
from noether.laws.orders.runs import SETTINGS, U, stepping
from noether.laws.published import faults
from noether.laws.published.book import claimed
from noether.verdicts import orders
from noether.verdicts.claims import order_record
from noether.verdicts.figures import Loglog
from noether.verdicts.record import Record


def grown(
    pace: np.ndarray, beta: float, tau: float, final: float, q0: np.ndarray, case, gamma=1.0
) -> tuple[np.ndarray, np.ndarray, int]:
    """(true, published) growth of |q|^2 without decay, dampened in every step as the published optimiser is.

    pace = eta (1-tau), a whole part of final. Published, closed form at zero decay with gamma = (1-beta)/(eta
    (1-tau) (1+beta)), t and s in units of eta (1-tau):
        growth = sum_s eta (1-tau) (1 - exp(-2 gamma (t - s)))/gamma |buffer_s|^2
    gamma: a factor of it
    """
    rule = every_step(tau)
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
    found = [growth(cell, beta, tau) for beta, _, tau in SETTINGS]
    out, (ours, as_published) = [r for records, _ in found for r in records], found[0][1]
    (true,), (coded,) = (x for x in grown(*FIGURE, rayleigh(4))[:2])
    return claimed(
        "P3",
        out,
        published=f"growth {coded:.3f}",
        measured=f"growth {true:.3f}",
        ratio=float(coded / true),
        series={"with 1/(1 - tau)^2": ours, "as published": as_published},
        caption=CAPTION,
        setup=SETUP,
    )


def growth(cell, beta: float, tau: float) -> tuple[list[Record], list[np.ndarray]]:
    """The records of published growth over the true one, against 1, and the errors of the first two."""
    case, pace = rayleigh(4), 2.0 ** -np.arange(4.0, 10 if cell.profile == "quick" else 12)
    q0 = np.repeat(np.array([[0.75], [0.5], [-0.75], [-0.5]]), len(pace), axis=1)
    true, published, steps = grown(pace, beta, tau, FINAL, q0, case)
    nudged = grown(pace, beta, tau, FINAL, q0, case, 1 + NUDGE)[1]
    noise, right = (16 * U * (1 + np.sum(q0**2, axis=0) / true) * steps)[None], 1 / (1 - tau) ** 2
    D = {"1/(1-tau)^2": right * published / true, "gamma": right * (nudged - published) / true / NUDGE}
    run = lambda factor: Run((factor * published / true)[None], 0 * noise)
    one, felt = Solution(1 + 0 * noise, noise), {name: d[None] for name, d in D.items()}
    note, wrong = (f"growth of |q|^2 against the closed form{x}" for x in ("", ", buffer for velocity"))
    claims = [
        Claim(note, run(right), one, 1, responses=felt),
        Claim(wrong, run(1.0), one, None, faults.BUFFER, under=1),
        Claim(wrong, run(1 / (1 - beta) ** 2), one, None, faults.OTHER_FACTOR, under=1),
    ]
    how = dict(judge=ordered, own={"about": {"beta": beta, "tau": tau, "t": FINAL}}, eta=pace, steps=steps)
    errors = [claim.run.end[0] - 1 for claim in claims[:2]]
    return judged(cell, claims, f"beta {beta:g}, tau {tau:g}, ", **how), errors


def ordered(
    cell, off, noise, size, stated: int, note: str, *, eta, steps, about, fault=None, responses=None
) -> Record:
    """The record of an order of a relative error, (1, sizes)."""
    found, error = orders.decide(np.abs(off[0]), noise[0]), np.abs(off[0])
    caption = "With 1/(1 - tau)^2 the closed form is right as eta goes to 0."
    axes = dict(xlabel="eta (1 - tau)", ylabel="relative error", caption=caption)
    about, told = {**about, "p": list(found.orders)}, dict(steps=steps, backend="numpy", note=note)
    figure = Loglog(x=eta, series={note: error}, **axes)
    return order_record(cell, None, found, stated, about, figure, fault=name_of(fault), **told)


FINAL = 0.5
CAPTION = (
    "With 1/(1 - tau)^2 the closed form is right as eta goes to 0; as published a part 1 - (1 - tau)^2 of "
    "the growth stays missing."
)
SETUP = (
    "Rayleigh quotient, d = 4, from (1, .5, -.5, -1), beta .9, tau 1/2, eta 1/128, 102 steps, no decay: a "
    "horizon at which |q|^2 has grown by .285"
)
FIGURE = (np.array([2.0**-8]), 0.9, 0.5, 102 * 2.0**-8, np.array([[1.0], [0.5], [-0.5], [-1.0]]))
"""eta (1 - tau), beta, tau, time, start: where the true growth is .285."""
