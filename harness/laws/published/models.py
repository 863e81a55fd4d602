"""P2, P5, P6: what was published of continuous models."""

from __future__ import annotations

import numpy as np

from noether.cases import ENTROPY_MIRROR, MEXICAN_HAT, SOFTMAX
from noether.cases.rules import HEAVY_BALL
from noether.laws.exact.balance import charge, decay_law
from noether.laws.map.stepping import FLOAT64, gradient_of, natural
from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE
from noether.laws.orders.curved import on_metric
from noether.laws.orders.power import norm
from noether.laws.orders.records import both, judge
from noether.laws.orders.runs import SETTINGS, Fan, U, solved, stepping, steps_of, updates
from noether.laws.published.book import BOOK, claimed
from noether.laws.published.evidence import rounding
from noether.mechanics.collocation import march
from noether.mechanics.symbolic_metric import curved as metric_of
from noether.mechanics.trajectory import Trajectory
from noether.system.seeds import derive
from noether.verdicts import powers
from noether.verdicts.figures import Lines
from noether.verdicts.record import ORDER, Record


def sizes(cell, first: int) -> np.ndarray:
    return 2.0 ** -np.arange(first, first + (6 if cell.profile == "quick" else 8), dtype=float)


def told(r: Record) -> str:
    """The order that a record measured, in words: it may be undecided."""
    return "order not decided" if r.measured is None else f"order {r.measured:.3f}"


def oscillator(m, mu, k, start, velocity, t):
    """x(t) of m x'' + mu x' + k x = 0, overdamped: mu^2 > 4 m k."""
    root = np.sqrt(mu * mu - 4 * m * k)
    slow, fast = -2 * k / (mu + root), -(mu + root) / (2 * m)
    of_fast = (velocity - slow * start) / (fast - slow)
    return (start - of_fast) * np.exp(slow * t) + of_fast * np.exp(fast * t)


def start_velocity(cell) -> list[Record]:
    """P2: the translation charge of softmax under heavy ball with decay, from rest, against its closed
    form."""
    found = [closed_form(cell, beta, k) for beta, k, _ in SETTINGS]
    out, eta = [r for records, _ in found for r in records], sizes(cell, 4)
    first, errors = found[0]
    right, wrong = (float(abs(e[-1])) for e in errors)
    return claimed("P2", out, published="cdot(0) = 0", ratio=wrong / right,
                   series={"from -k c/(1 + beta)": errors[0], "from 0, as published": errors[1]},
                   caption="The closed form of the translation charge is of order 2 from its right start "
                           "velocity, of order 1 from 0.",
                   measured=f"{told(of(first, 2))} from -k c/(1 + beta), {told(of(first, 1))} from 0; "
                            f"errors {right:.1e} and {wrong:.1e} at eta = {eta[-1]:.2g}")  # fmt: skip


def of(records: list[Record], stated: int) -> Record:
    """The order that is stated so."""
    return next(r for r in records if r.kind == ORDER and r.fault is None and r.predicted == stated)


def closed_form(cell, beta: float, k: float) -> tuple[list[Record], list[np.ndarray]]:
    """Its records, and the errors relative to c(0) of the right start velocity and of 0.

    (1), (2) of order_laws/constants.py for F = k c: with E = e^{-k T/mu} c(0) the errors are -eta k E/(2 mu)
    from 0 and eta^2 k^2 E (k T/(6 mu^3) - 1/(4 mu^2)) from -k c/(1 + beta).
    """
    eta, final, mu, at, near = sizes(cell, 4), 0.5, 1 - beta, f"beta {beta:g}, k {k:g}, ", 1 + NUDGE
    rng, a = np.random.default_rng(derive(cell.seed, cell.name)), SOFTMAX.symmetries[0].shift
    q0 = np.repeat(SOFTMAX.draw(rng, 1) + a[:, None], len(eta), axis=1)  # a charge of order one
    q = updates(gradient_of(SOFTMAX), q0, 0 * q0, eta, steps_of(eta, final), beta=beta, k=k)[0]
    c0, c = a @ q0, a @ q
    m, size, slope = eta * (1 + beta) / 2, (np.abs(a) @ np.abs(q0))[None], -k / (1 + beta)
    x = oscillator(m, mu, k, c0, slope * c0, final)
    nudged = {"mass": (near * m, mu, k, c0, slope * c0, final), "mu": (m, near * mu, k, c0, slope * c0,
        final), "k": (m, mu, near * k, c0, slope * c0, final),
              "cdot(0)": (m, mu, k, c0, near * slope * c0, final), "eta": (m, mu, k, c0, slope * c0,
              near * final)}  # fmt: skip
    D = {name: (x - oscillator(*changed))[None] / NUDGE for name, changed in nudged.items()}
    off = [(c - x)[None], (c - oscillator(m, mu, k, c0, 0.0, final))[None]]
    facts = dict(steps=int(steps_of(eta, final).max()), eta=eta, symmetry="translation-0")
    left = np.exp(-k * final / mu) * c0[:1]
    second, first = k * k * left * (k * final / (6 * mu**3) - 1 / (4 * mu**2)), k * left / (2 * mu)
    notes = (at + "closed form from -k c/(1 + beta)", at + "closed form from 0")
    out = [judge(cell, off[0], 8 * U * size, size, 2, notes[0], responses=D, **facts)]
    out.append(constants.vanishing(cell, off[0], 8 * U * size, size, 1, D, notes[0], **facts))
    out += constants.judged(cell, off[0], 8 * U * size, size, 2, (second, second), notes[0], **facts)
    out += both(cell, off[1], 8 * U * size, size, 1, notes[1], BOOK["P2"].fault, 2, **facts)
    out += constants.judged(cell, off[1], 8 * U * size, size, 1, (-first, -first), notes[1], **facts)
    return out, [e[0] / c0 for e in off]


BETAS, STARTS = (0.9, 0.5, 0.1, 0.99, 0.95, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.05), 16
TOLD = 3  # of them in words


def decay_rate(cell) -> list[Record]:
    """P5: -ln(J_N/J_0)/N of angular momentum, the bound that of theory.md#D3 over N |J_N|."""
    steps, eta = 8, 2.0**-5
    symmetry, rng = MEXICAN_HAT.symmetries[0], np.random.default_rng(derive(cell.seed, cell.name))
    beta = np.repeat(BETAS, STARTS)
    q0 = MEXICAN_HAT.draw(rng, STARTS)
    v0 = 0.25 * symmetry.matrix @ q0 + 0.03125 * rng.normal(size=q0.shape)
    q0, v0 = (np.tile(x, len(BETAS)) for x in (q0, v0))
    params = np.array([np.full_like(beta, eta), beta, 0 * beta, 0 * beta])
    run = stepping(gradient_of(MEXICAN_HAT), q0, v0, params[0], beta=beta)
    q, v = (np.array(x) for x in zip(*(next(run) for _ in range(steps + 1)), strict=True))
    t = Trajectory(MEXICAN_HAT, HEAVY_BALL, FLOAT64, q, v, params)
    J, law = charge(t, symmetry), decay_law(t, symmetry)
    rate = -np.log(J[-1] / J[0]) / steps
    # d rate = dJ/(N J); the logarithm and its argument are rounded in 2^-64, the prediction in 2^-53.
    exact = -np.log(beta)
    bound = (law.bound[-1] / np.abs(J[-1]) / steps).astype(float) + 4 * U * exact
    pade = 2 * (1 - beta) / (1 + beta)
    about = {"beta": list(BETAS), "eta": eta, "rate": [float(x) for x in rate[::STARTS]]}
    order = np.argsort(BETAS)
    x, seen, printed = (
        np.asarray(y, dtype=float)[order] for y in (BETAS, (rate / exact)[::STARTS], (pade / exact)[::STARTS])
    )
    figure = Lines(
        x=x,
        series={"measured": seen, "2 (1 - beta)/(1 + beta), as published": printed},
        xlabel="beta",
        ylabel="rate per step over -ln beta",
        xscale="linear",
        yscale="linear",
        caption="Friction over mass is the decay rate of a charge only where beta is near 1.",
    )
    note = "decay rate of the angular momentum per step"
    out = [rounding(cell, rate.astype(float), exact, bound, about, note, steps=steps, motion=exact,
        figure=figure),
           rounding(cell, rate.astype(float), pade, bound, about, note, steps=steps,
           fault=BOOK["P5"].fault)]  # fmt: skip
    out[0].powers = {"-ln beta": powers.smallest(rate.astype(float) - exact, bound, exact)}
    ratios = (pade / rate).astype(float)[::STARTS]
    told = ", ".join(f"{r:.4f} at beta {b:g}" for r, b in zip(ratios[:TOLD], BETAS[:TOLD], strict=True))
    return claimed(
        "P5",
        out,
        published="2 (1 - beta)/(1 + beta)",
        measured=f"of the measured rate it is {told}",
        ratio=float(ratios[0]),
    )


def curved(cell) -> list[Record]:
    """P6: natural gradient of the entropy metric G = diag(1/q) against both equations.

    (eta/2) qddot + qdot + q g = 0                     q qdot start: -q g
    (eta/2) (qddot - qdot^2/(2 q)) + qdot + q g = 0    Euler-Lagrange of T: its Christoffel symbol is
                                                       -1/(2 q)
    """
    eta, final, case = sizes(cell, 4), 1.0, ENTROPY_MIRROR
    d, g = case.dim, gradient_of(case)
    start = case.draw(np.random.default_rng(derive(cell.seed, cell.name)), NATURAL_STARTS)
    fan = Fan(start, eta, 1)
    counts, q, ends = steps_of(fan.eta, final), fan.q, np.empty_like(fan.q)
    for n in range(1, int(counts.max()) + 1):
        q = natural(q, g(q), fan.eta)
        ends[:, counts == n] = q[:, counts == n]

    def solution(bend, mass=1.0, friction=1.0, force=1.0, begin=1.0, by=solved):
        def rates(x):
            at, w = x[:d], x[d:]
            return np.concatenate(
                [w, -(friction * w + force * at * g(at)) * (2 / (mass * fan.eta)) + bend * w * w / (2 * at)]
            )

        layer = np.minimum(15 * fan.eta, final / 2)
        times = np.concatenate(
            [np.linspace(0 * layer, layer, 7), np.linspace(layer, 0 * layer + final, 7)[1:]]
        )
        return by(rates, np.concatenate([fan.q, -begin * fan.q * g(fan.q)]), times)

    def loose(rates, x0, times):
        return march(
            rates, lambda X: X[:0], x0, np.zeros((0, x0.shape[1])), np.zeros((0, x0.shape[1])), times, 3
        )[0]

    plain = solution(0.0, by=loose)[-1, :d]
    names = {"mass": "mass", "friction": "friction", "G^-1 g": "force", "qdot(0)": "begin"}
    D = {
        name: fan.apart((plain - solution(0.0, by=loose, **{key: 1 + NUDGE})[-1, :d]) / NUDGE)[0]
        for name, key in names.items()
    }
    D["Christoffel symbol"] = fan.apart(plain - solution(1.0, by=loose)[-1, :d])[
        0
    ]  # for the 0 that it has here
    off, error = zip(
        *(
            (fan.apart(ends - x[-1, :d])[0], fan.apart(e[-1])[0])
            for x, e in (solution(b) for b in (0.0, 1.0))
        ),
        strict=True,
    )
    facts, size, notes = (
        dict(steps=int(counts.max()), eta=eta),
        np.linalg.norm(fan.apart(ends)[0], axis=0),
        NATURAL_NOTES,
    )
    both_models = [(a, a, -start * g(start)) for a in (0.0, 1.0)]
    Y = constants.twice(lambda: on_metric(metric_of(case), g, start, 0.5, 1.0, both_models, final))
    out = [judge(cell, off[0], error[0], size, 2, notes[0], responses=D, **facts)]
    out += both(cell, off[1], error[1], size, 1, notes[1], BOOK["P6"].fault, 2, **facts)
    out.append(constants.vanishing(cell, off[0], error[0], size, 1, D, notes[0], **facts))
    out += constants.judged(
        cell, off[1], error[1], size, 1, tuple(ours - theirs for ours, theirs in Y), notes[1], **facts
    )
    apart = [norm(e) for e in off]
    return claimed(
        "P6",
        out,
        published="order 2",
        measured=f"{told(of(out, 1))}, against {told(of(out, 2))} of (eta/2) qddot + qdot + G^-1 g = 0",
        ratio=float(apart[1][-1] / apart[0][-1]),
        series={"(eta/2) qddot + qdot + G^-1 g": apart[0], "Euler-Lagrange, as published": apart[1]},
        caption=(
            "Natural gradient steps leave the Euler-Lagrange equation at first order, their own model at "
            "second."
        ),
    )


NATURAL_STARTS = 3
NATURAL_NOTES = (
    "natural gradient against (eta/2) qddot + qdot + G^-1 g",
    "natural gradient against Euler-Lagrange",
)
