"""N7: weight decay on a loss without scale is a learning rate that grows exponentially.

Let a be the larger root of x^2 - (1 + beta - eta k) x + beta = 0, which is real for
eta k <= (1 - sqrt beta)^2. Then w_n = a^n theta_n, where theta is trained without decay at the rates (Li,
Arora 2019, arXiv 1910.07454)

    eta_n = eta a^(-2 n - 1),   b'_theta = beta b_theta + g(theta_n),   theta' = theta - eta_n b'_theta   (1)

and b_theta = -[(1 - a) w_n + a v_n]/(eta a^(1 - n)), v = -eta b. From rest it starts at
-(1 - a) w_0/(eta a), not at 0. One step of (1) from the state of the network with decay must come out at
a^(-n-1) w_{n+1}, within the bound of redone.py. The smaller root obeys the same algebra, with a momentum
above 1 that no float survives for long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from noether.laws.networks import faults
from noether.laws.networks.digits import NO_EPS, Networks, Training, stepped, training, wide
from noether.laws.networks.redone import There, judged, redone
from noether.laws.networks.rounding import Update
from noether.system.seeds import derive
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record

ETA, BETA, K = 2.0**-8, 0.9, 0.1
HOW = Training(
    eta=2.0**-5,
    beta=BETA,
    eps=NO_EPS,
    batch=32,
    filters={"lr": ETA, "momentum": BETA, "weight_decay": K},
)
STEPS = {"quick": 60, "full": 400}
EVERY = 8  # steps of which one is done again without decay


def root(eta: float, beta: float, k: float) -> np.longdouble:
    """The larger root a of x^2 - (1 + beta - eta k) x + beta. Raises ValueError where none is real."""
    half = (1 + np.longdouble(beta) - np.longdouble(eta) * np.longdouble(k)) / 2
    under = half**2 - np.longdouble(beta)
    if under < 0:
        most = (1 - beta**0.5) ** 2
        raise ValueError(f"eta k is {eta * k:.6g}, must be at most (1 - sqrt beta)^2 = {most:.6g}")
    return half + np.sqrt(under)


@dataclass(frozen=True)
class Rates:
    """(1), or (1) made wrong: eta_n = eta a^-(power n + shift); `share` of w in the buffer."""

    a: np.longdouble
    power: float = 2.0
    shift: float = 1.0
    share: float = 1.0

    def eta(self, n: int) -> np.longdouble:
        return ETA * self.a ** -(self.power * n + self.shift)

    def buffer(self, w: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
        """b_theta of the state (w, b) with decay."""
        moved = self.share * (1 - self.a) * w - self.a * ETA * b
        return -moved * self.a**-n / self.eta(n - 1)

    def there(self, x: Update, n: int) -> There:
        """Where the step n with decay is done again without."""
        return There(self.a**-n, self.buffer(x.w, x.b, n), self.eta(n), np.longdouble(0), self.a ** -(n + 1))


def rates(fault=None) -> Rates:
    """The rates of (1), or those of a fault."""
    changed = dict(fault.changed) if fault else {}
    beta, k = changed.pop("beta", 1.0) * BETA, changed.pop("k", 1.0) * K
    return Rates(root(ETA, beta, k), **changed)


def growing_rate(cell) -> list[Record]:
    """(1) from states of a training with decay, and made wrong; and both trainings from one start."""
    many, seed = STEPS["quick" if cell.quick else "full"], derive(cell.seed, cell.name)
    shown = (None, *faults.N7)
    found = {fault: [] for fault in shown}
    net, optimizer, drawn = training(HOW, seed)
    other = Networks(HOW, torch.Generator().manual_seed(0))
    for n in range(many):
        batch = next(drawn)
        if n % EVERY:
            ordinary(net, optimizer, *batch)
            continue
        other.load_state_dict(net.state_dict())
        step = stepped(net, optimizer, {"filters": net.filters}, n, *batch)
        x = Update.of(step, "filters", ETA, BETA, K)
        for fault in shown:
            found[fault].append(redone(x, rates(fault).there(x, n), other, batch))
    about = {"eta": ETA, "beta": BETA, "k": K, "a": float(rates().a), "batch": HOW.batch, "eps": HOW.eps}
    about |= {"growth of the rate": float(rates().a ** (-2 * many))}
    note, figure = "filters after a step without decay, at a rate that grows", drawn_together(seed, many)
    return [
        record
        for fault, steps in found.items()
        for record in judged(cell, steps, about, note, many=many, fault=fault, figure=figure)
    ]


def ordinary(net, optimizer, x, digits) -> float:
    """One step of training, and its loss."""
    optimizer.zero_grad()
    loss = net.loss(x, digits)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


# ---- both trainings, each by itself


def trained_without_decay(seed: int, many: int, r: Rates) -> list[np.ndarray]:
    """The directions w/|w| of the filters of (1), trained by itself from the start, (hidden, 64) a step."""
    net, optimizer, drawn = training(HOW, seed)
    mine = optimizer.param_groups[0]
    mine["weight_decay"] = 0.0
    w0 = wide(net.filters)
    optimizer.state[net.filters]["momentum_buffer"] = torch.from_numpy(r.buffer(w0, 0 * w0, 0).astype(float))
    out = []
    for n in range(many):
        mine["lr"] = float(r.eta(n))
        ordinary(net, optimizer, *next(drawn))
        out.append(direction(net))
    return out


def direction(net: Networks) -> np.ndarray:
    w = net.filters.detach().numpy()[0]
    return w / np.linalg.norm(w, axis=-1, keepdims=True)


def drawn_together(seed: int, many: int) -> Lines:
    """How far the directions of filters of both trainings part: by rounding, and where a thing is wrong."""
    net, optimizer, batches = training(HOW, seed)
    with_decay = []
    for _ in range(many):
        ordinary(net, optimizer, *next(batches))
        with_decay.append(direction(net))
    apart = {}
    shown = {"rates eta a^(-2n-1)": None, **{f"wrong: {f.name}": f for f in faults.N7_SHOWN}}
    for name, fault in shown.items():
        other = trained_without_decay(seed, many, rates(fault))
        apart[name] = [
            float(np.linalg.norm(x - y, axis=-1).max()) for x, y in zip(with_decay, other, strict=True)
        ]
    every = slice(0, None, max(1, many // 150))
    return Lines(
        x=np.arange(1, many + 1)[every],
        series={name: np.maximum(y, 1e-17)[every] for name, y in apart.items()},
        xlabel="steps",
        ylabel="largest angle between directions of filters",
        xscale="linear",
        yscale="log",
        caption="Training with weight decay, beside training without it at a rate that grows, each "
        "by itself from one start: they part by rounding alone.",
    )
