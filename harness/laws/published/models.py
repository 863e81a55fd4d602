"""P2, P5, P6: what was published of continuous models."""

from __future__ import annotations

import numpy as np

from noether.cases import ENTROPY_MIRROR, MEXICAN_HAT, SOFTMAX
from noether.cases.rules import HEAVY_BALL
from noether.laws.exact.balance import charge, decay_law
from noether.laws.map.stepping import FLOAT64, gradient_of, natural
from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, ended, judged
from noether.laws.orders.curved import OnMetric, on_metric
from noether.laws.orders.power import norm
from noether.laws.orders.runs import SETTINGS, Fan, U, solved, stepping, steps_of, updates
from noether.laws.published import faults
from noether.laws.published.book import claimed
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
    measured = (
        f"{told(of(first, 2))} from -k c/(1 + beta), {told(of(first, 1))} from 0; errors {right:.1e} and "
        f"{wrong:.1e} at eta = {eta[-1]:.2g}"
    )
    series = {"from -k c/(1 + beta)": errors[0], "from 0, as published": errors[1]}
    caption = (
        "The closed form of the translation charge is of order 2 from its right start velocity, of order 1 "
        "from 0."
    )
    words = dict(published="cdot(0) = 0", measured=measured, ratio=wrong / right)
    return claimed("P2", out, **words, series=series, caption=caption)


def of(records: list[Record], stated: int) -> Record:
    """The order that is stated so."""
    return next(r for r in records if r.kind == ORDER and r.fault is None and r.predicted == stated)


def closed_form(cell, beta: float, k: float) -> tuple[list[Record], list[np.ndarray]]:
    """Its records, and the errors relative to c(0) of the right start velocity and of 0.

    (1), (2) of laws/orders/constants.py for F = k c: with E = e^{-k T/mu} c(0) the errors are -eta k E/(2 mu)
    from 0 and eta^2 k^2 E (k T/(6 mu^3) - 1/(4 mu^2)) from -k c/(1 + beta).
    """
    eta, final, mu = sizes(cell, 4), 0.5, 1 - beta
    rng, a = np.random.default_rng(derive(cell.seed, cell.name)), SOFTMAX.symmetries[0].shift
    q0 = np.repeat(SOFTMAX.draw(rng, 1) + a[:, None], len(eta), axis=1)  # a charge of order one
    counts = steps_of(eta, final)
    q = updates(gradient_of(SOFTMAX), q0, 0 * q0, eta, counts, beta=beta, k=k)[0]
    c0, c, size = a @ q0, a @ q, (np.abs(a) @ np.abs(q0))[None]

    def form(m=1.0, mu=mu, k=k, start=1.0, time=1.0, slope=-k / (1 + beta)):
        """The closed form; m, start and time are factors."""
        return oscillator(m * (eta * (1 + beta) / 2), mu, k, c0, start * slope * c0, time * final)

    x, near, left = form(), 1 + NUDGE, np.exp(-k * final / mu) * c0[:1]
    changed = {"mass": form(m=near), "mu": form(mu=near * mu), "k": form(k=near * k)}
    changed |= {"cdot(0)": form(start=near), "eta": form(time=near)}
    D = {name: (x - y)[None] / NUDGE for name, y in changed.items()}
    run, (right, still) = Run(c[None], size), (Solution(y[None], 8 * U * size) for y in (x, form(slope=0.0)))
    second, first = k * k * left * (k * final / (6 * mu**3) - 1 / (4 * mu**2)), k * left / (2 * mu)
    claims = [
        Claim("closed form from -k c/(1 + beta)", run, right, 2, responses=D, constant=(second, second)),
        Claim("closed form from 0", run, still, 1, faults.START_ZERO, constant=(-first, -first)),
    ]
    facts = dict(steps=int(counts.max()), eta=eta, symmetry="translation-0")
    records = judged(cell, claims, f"beta {beta:g}, k {k:g}, ", graded=True, **facts)
    return records, [(c - y.end[0]) / c0 for y in (right, still)]


BETAS, STARTS = (0.9, 0.5, 0.1, 0.99, 0.95, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.05), 16
TOLD = 3  # of them in words
DECAY_STEPS, DECAY_ETA = 8, 2.0**-5


def decay_rate(cell) -> list[Record]:
    """P5: -ln(J_N/J_0)/N of angular momentum, the bound that of theory.md#D3 over N |J_N|."""
    beta = np.repeat(BETAS, STARTS)
    rate, error = angular_rate(cell, beta)
    exact, pade = -np.log(beta), 2 * (1 - beta) / (1 + beta)
    # the logarithm and its argument are rounded in 2^-64, the prediction in 2^-53
    bound, measured, steps = error.astype(float) + 4 * U * exact, rate.astype(float), DECAY_STEPS
    about = {"beta": list(BETAS), "eta": DECAY_ETA, "rate": [float(x) for x in rate[::STARTS]]}
    note, figure = "decay rate of the angular momentum per step", rates_drawn(rate, exact, pade)
    ours = rounding(cell, measured, exact, bound, about, note, steps=steps, motion=exact, figure=figure)
    theirs = rounding(cell, measured, pade, bound, about, note, steps=steps, fault=faults.FRICTION_OVER_MASS)
    ours.powers = {"-ln beta": powers.smallest(measured - exact, bound, exact)}
    ratios = (pade / rate).astype(float)[::STARTS]
    told = ", ".join(f"{r:.4f} at beta {b:g}" for r, b in zip(ratios[:TOLD], BETAS[:TOLD], strict=True))
    words = dict(published="2 (1 - beta)/(1 + beta)", measured=f"of the measured rate it is {told}")
    return claimed("P5", [ours, theirs], **words, ratio=float(ratios[0]))


def angular_rate(cell, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rate of each lane over DECAY_STEPS steps of heavy ball, and what d rate = dJ/(N J) leaves of it."""
    symmetry, rng = MEXICAN_HAT.symmetries[0], np.random.default_rng(derive(cell.seed, cell.name))
    q0 = MEXICAN_HAT.draw(rng, STARTS)
    v0 = 0.25 * symmetry.matrix @ q0 + 0.03125 * rng.normal(size=q0.shape)
    q0, v0 = (np.tile(x, len(BETAS)) for x in (q0, v0))
    params = np.array([np.full_like(beta, DECAY_ETA), beta, 0 * beta, 0 * beta])
    run = stepping(gradient_of(MEXICAN_HAT), q0, v0, params[0], beta=beta)
    q, v = (np.array(x) for x in zip(*(next(run) for _ in range(DECAY_STEPS + 1)), strict=True))
    t = Trajectory(MEXICAN_HAT, HEAVY_BALL, FLOAT64, q, v, params)
    J, law = charge(t, symmetry), decay_law(t, symmetry)
    return -np.log(J[-1] / J[0]) / DECAY_STEPS, law.bound[-1] / np.abs(J[-1]) / DECAY_STEPS


def rates_drawn(rate, exact, pade) -> Lines:
    order = np.argsort(BETAS)
    ours, theirs = (np.asarray((y / exact)[::STARTS], dtype=float)[order] for y in (rate, pade))
    return Lines(
        x=np.asarray(BETAS, dtype=float)[order],
        series={"measured": ours, "2 (1 - beta)/(1 + beta), as published": theirs},
        xlabel="beta",
        ylabel="rate per step over -ln beta",
        xscale="linear",
        yscale="linear",
        caption="Friction over mass is the decay rate of a charge only where beta is near 1.",
    )


NATURAL_STARTS = 3
NATURAL_FINAL = 1.0
CHANGED = {"mass": "mass", "friction": "friction", "G^-1 g": "force", "qdot(0)": "begin"}
"""The coefficients of natural gradient's model, and what `entropy_solution` calls them."""


def curved(cell) -> list[Record]:
    """P6: natural gradient of the entropy metric G = diag(1/q) against both equations.

    (eta/2) qddot + qdot + q g = 0                     q qdot start: -q g
    (eta/2) (qddot - qdot^2/(2 q)) + qdot + q g = 0    Euler-Lagrange of T: its Christoffel symbol is
                                                       -1/(2 q)
    """
    case, final = ENTROPY_MIRROR, NATURAL_FINAL
    d, g = case.dim, gradient_of(case)
    start = case.draw(np.random.default_rng(derive(cell.seed, cell.name)), NATURAL_STARTS)
    fan = Fan(start, sizes(cell, 4), 1)
    run = ended(fan.apart(natural_ends(g, fan))[0])
    ours, theirs = (
        Solution(fan.apart(x[-1, :d])[0], fan.apart(error[-1])[0])
        for x, error in (entropy_solution(g, fan, bend, solved) for bend in (0.0, 1.0))
    )
    both_models = [OnMetric(a, a, -start * g(start)) for a in (0.0, 1.0)]
    Y = constants.twice(lambda: on_metric(metric_of(case), g, start, 0.5, 1.0, both_models, final))
    constant, facts = tuple(a - b for a, b in Y), dict(steps=int(steps_of(fan.eta, final).max()))
    name, felt = "natural gradient against", entropy_responses(g, fan)
    claims = [
        Claim(f"{name} (eta/2) qddot + qdot + G^-1 g", run, ours, 2, responses=felt),
        Claim(f"{name} Euler-Lagrange", run, theirs, 1, faults.EULER_LAGRANGE, constant=constant),
    ]
    how = dict(sequence="order fault | limit constant", graded=True, eta=sizes(cell, 4))
    out = judged(cell, claims, **how, **facts)
    apart = [norm(run.end - model.end) for model in (ours, theirs)]
    measured = f"{told(of(out, 1))}, against {told(of(out, 2))} of (eta/2) qddot + qdot + G^-1 g = 0"
    series = {"(eta/2) qddot + qdot + G^-1 g": apart[0], "Euler-Lagrange, as published": apart[1]}
    caption = (
        "Natural gradient steps leave the Euler-Lagrange equation at first order, their own model at second."
    )
    words = dict(published="order 2", measured=measured, ratio=float(apart[1][-1] / apart[0][-1]))
    return claimed("P6", out, **words, series=series, caption=caption)


def natural_ends(g, fan: Fan) -> np.ndarray:
    """q after NATURAL_FINAL of natural gradient steps, (d, lanes)."""
    counts, q, ends = steps_of(fan.eta, NATURAL_FINAL), fan.q, np.empty_like(fan.q)
    for n in range(1, int(counts.max()) + 1):
        q = natural(q, g(q), fan.eta)
        ends[:, counts == n] = q[:, counts == n]
    return ends


def entropy_solution(g, fan: Fan, bend: float, by, mass=1.0, friction=1.0, force=1.0, begin=1.0):
    """The equation of `curved` with this share of its Christoffel symbol, and factors of its coefficients."""
    d, final = len(fan.q), NATURAL_FINAL

    def rates(x):
        at, w = x[:d], x[d:]
        pulled = (friction * w + force * at * g(at)) * (2 / (mass * fan.eta))
        return np.concatenate([w, -pulled + bend * w * w / (2 * at)])

    layer = np.minimum(15 * fan.eta, final / 2)
    inner, outer = np.linspace(0 * layer, layer, 7), np.linspace(layer, 0 * layer + final, 7)[1:]
    x0 = np.concatenate([fan.q, -begin * fan.q * g(fan.q)])
    return by(rates, x0, np.concatenate([inner, outer]))


def entropy_responses(g, fan: Fan) -> dict[str, np.ndarray]:
    """Of natural gradient's model, to its coefficients and, instead of the 0 there, to the Christoffel
    symbol."""
    d, none = len(fan.q), np.zeros((0, fan.q.shape[1]))

    def loose(rates, x0, times):
        return march(rates, lambda X: X[:0], x0, none, none, times, 3)[0]

    end = lambda bend=0.0, **changed: entropy_solution(g, fan, bend, loose, **changed)[-1, :d]
    plain = end()
    D = {name: fan.apart((plain - end(**{key: 1 + NUDGE})) / NUDGE)[0] for name, key in CHANGED.items()}
    return D | {"Christoffel symbol": fan.apart(plain - end(1.0))[0]}
