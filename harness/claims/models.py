"""P2, P5, P6: what was published of continuous models."""

from __future__ import annotations

import numpy as np

from cases import ENTROPY_MIRROR, MEXICAN_HAT, SOFTMAX
from harness.claims.book import BOOK, claimed
from harness.claims.evidence import rounding
from harness.laws.balance import charge, decay_law
from harness.order_laws.runs import both, judge, solved, stepping, steps_of, updates
from harness.seeds import derive
from harness.symmetry_map.stepping import FLOAT64, gradient_of, natural
from harness.trajectory import Trajectory
from harness.verdicts import Record
from kernels.rules import HEAVY_BALL

U = 2.0**-53


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
    """P2: the translation charge of softmax under heavy ball with decay, from rest, against its closed form."""
    eta, final, beta, k = sizes(cell, 4), 0.5, 0.5, 0.5
    rng, a = np.random.default_rng(derive(cell.seed, cell.name)), SOFTMAX.symmetries[0].shift
    q0 = np.repeat(SOFTMAX.draw(rng, 1) + a[:, None], len(eta), axis=1)  # a charge of order one
    q = updates(gradient_of(SOFTMAX), q0, 0 * q0, eta, steps_of(eta, final), beta=beta, k=k)[0]
    c0, c = a @ q0, a @ q
    m, mu, size = eta * (1 + beta) / 2, 1 - beta, np.abs(a) @ np.abs(q0)
    errors = [np.abs(c - oscillator(m, mu, k, c0, s * c0, final)) for s in (-k / (1 + beta), 0.0)]
    facts = dict(steps=int(steps_of(eta, final).max()), eta=eta)
    out = [judge(cell, errors[0], 8 * U * size, size, 2, "closed form from -k c/(1 + beta)", symmetry="translation-0", **facts)]
    out += both(cell, errors[1], 8 * U * size, size, 1, "closed form from 0", BOOK["P2"].control, 2, symmetry="translation-0", **facts)
    right, wrong = (float(e[-1] / abs(c0[-1])) for e in errors)
    return claimed("P2", out, published="cdot(0) = 0", ratio=wrong / right,
                   series={"from -k c/(1 + beta)": errors[0], "from 0, as published": errors[1]},
                   caption="The closed form of the translation charge is of order 2 from its right start velocity, of order 1 from 0.",
                   measured=f"{told(out[0])} from -k c/(1 + beta), {told(out[1])} from 0; errors {right:.1e} and {wrong:.1e} at eta = {eta[-1]:.2g}")  # fmt: skip


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
    x, seen, printed = (np.asarray(y, dtype=float)[order] for y in (BETAS, (rate / exact)[::STARTS], (pade / exact)[::STARTS]))
    data = {"plot": "lines", "x": list(x), "xlabel": "beta", "ylabel": "rate per step over -ln beta", "xscale": "linear", "yscale": "linear",
            "series": {"measured": list(seen), "2 (1 - beta)/(1 + beta), as published": list(printed)},
            "caption": "Friction over mass is the decay rate of a charge only where beta is near 1."}  # fmt: skip
    note = "decay rate of the angular momentum per step"
    out = [rounding(cell, rate.astype(float), exact, bound, about, note, steps=steps, motion=exact, data=data),
           rounding(cell, rate.astype(float), pade, bound, about, note, steps=steps, control=BOOK["P5"].control)]  # fmt: skip
    ratios = (pade / rate).astype(float)[::STARTS]
    told = ", ".join(f"{r:.4f} at beta {b:g}" for r, b in zip(ratios[:TOLD], BETAS[:TOLD], strict=True))
    return claimed("P5", out, published="2 (1 - beta)/(1 + beta)", measured=f"of the measured rate it is {told}", ratio=float(ratios[0]))


def curved(cell) -> list[Record]:
    """P6: natural gradient of the entropy metric G = diag(1/q) against both equations.

        (eta/2) qddot + qdot + q g = 0                                   q qdot start: -q g
        (eta/2) (qddot - qdot^2/(2 q)) + qdot + q g = 0                  Euler-Lagrange of T: its Christoffel symbol is -1/(2 q)
    """
    eta, final, case = sizes(cell, 4), 1.0, ENTROPY_MIRROR
    d, g = case.dim, gradient_of(case)
    q0 = np.repeat(case.draw(np.random.default_rng(derive(cell.seed, cell.name)), 1), len(eta), axis=1)
    counts, q, ends = steps_of(eta, final), q0, np.empty_like(q0)
    for n in range(1, int(counts.max()) + 1):
        q = natural(q, g(q), eta)
        ends[:, counts == n] = q[:, counts == n]
    twice, bend = np.tile(eta, 2), np.repeat([0.0, 1.0], len(eta))

    def rates(x):
        at, w = x[:d], x[d:]
        return np.concatenate([w, -(w + at * g(at)) * (2 / twice) + bend * w * w / (2 * at)])

    start = np.tile(q0, 2)
    layer = np.minimum(15 * twice, final / 2)
    times = np.concatenate([np.linspace(0 * layer, layer, 7), np.linspace(layer, 0 * layer + final, 7)[1:]])
    x, error = (y[-1] for y in solved(rates, np.concatenate([start, -start * g(start)]), times))
    off, size = np.linalg.norm(np.tile(ends, 2) - x[:d], axis=0), np.linalg.norm(ends, axis=0)
    straight, bent = (slice(i * len(eta), (i + 1) * len(eta)) for i in (0, 1))
    facts = dict(steps=int(counts.max()), eta=eta)
    out = [judge(cell, off[straight], error[straight], size, 2, "natural gradient against (eta/2) qddot + qdot + G^-1 g", **facts)]
    out += both(cell, off[bent], error[bent], size, 1, "natural gradient against Euler-Lagrange", BOOK["P6"].control, 2, **facts)
    return claimed("P6", out, published="order 2", measured=f"{told(out[1])}, against {told(out[0])} of (eta/2) qddot + qdot + G^-1 g = 0",
                   ratio=float(off[bent][-1] / off[straight][-1]),
                   series={"(eta/2) qddot + qdot + G^-1 g": off[straight], "Euler-Lagrange, as published": off[bent]},
                   caption="Natural gradient steps leave the Euler-Lagrange equation at first order, their own model at second.")  # fmt: skip
