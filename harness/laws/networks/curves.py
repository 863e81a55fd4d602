"""Curves of N5 and N6: what a fixed norm takes away, and what a start ten times as large does to training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from noether.laws.networks.digits import Training, training
from noether.verdicts.figures import Lines

ETA, BETA, K = 2.0**-7, 0.9, 0.05
LANES, STEPS = 8, {"quick": 120, "full": 600}
RATES = (0.125, 1.0, 8.0)
BASE = Training(
    eta=2.0**-5,
    beta=BETA,
    eps=1e-5,
    batch=32,
    lanes=LANES,
    filters={"lr": ETA, "momentum": BETA, "weight_decay": K},
)


def turning(
    seed: int, many: int, *, times: float = 1.0, eta: float = 1.0, k: float = 1.0, fixed: bool = False
) -> np.ndarray:
    """The angle by which a filter turns in a step, its mean over the filters of a lane, (many, lanes).

    times   the start of the filters, times this;  eta, k  factors of the rate and of the decay of the filters
    fixed   whether each filter is put back to its first norm after each step
    """
    mine = BASE.filters
    filters = {**mine, "lr": mine["lr"] * eta, "weight_decay": mine["weight_decay"] * k}
    net, optimizer, drawn = training(replace(BASE, filters=filters, eps=BASE.eps * times**2), seed)
    with torch.no_grad():
        net.filters.mul_(times)
        norm = net.filters.norm(dim=-1, keepdim=True)
    angles = []
    for _ in range(many):
        before = net.filters.detach() / net.filters.detach().norm(dim=-1, keepdim=True)
        optimizer.zero_grad()
        net.loss(*next(drawn)).backward()
        optimizer.step()
        with torch.no_grad():
            after = net.filters / net.filters.norm(dim=-1, keepdim=True)
            if fixed:
                net.filters.copy_(after * norm)
        angles.append((2 * torch.arcsin((after - before).norm(dim=-1) / 2)).mean(dim=-1).numpy())
    return np.array(angles)


def smooth(x: np.ndarray, width: int = 25) -> np.ndarray:
    """Means over the steps before, as many as there are up to `width`."""
    sums = np.concatenate([[0.0], np.cumsum(x)])
    ends = np.arange(1, len(x) + 1)
    first = np.maximum(ends - width, 0)
    return (sums[ends] - sums[first]) / (ends - first)


def starts(seed: int, quick: bool) -> Lines:
    """The usual start, ten times the filters with the same rate, and ten times with the scaled one."""
    many = STEPS["quick" if quick else "full"]
    shown = {
        "usual, measured": {},
        "filters x 10, measured": dict(times=10.0),
        "filters x 10, rate x 100, decay / 100": dict(times=10.0, eta=100.0, k=0.01),
        "rate / 100, decay x 100": dict(eta=0.01, k=100.0),
    }
    found = {name: turning(seed, many, **how).mean(axis=1) for name, how in shown.items()}
    every = slice(0, None, max(1, many // 60))
    return Lines(
        x=np.arange(1, many + 1)[every],
        series={name: smooth(y)[every] for name, y in found.items()},
        xlabel="steps",
        ylabel="angle of a filter per step",
        xscale="linear",
        yscale="log",
        caption="Filters ten times as large turn a hundred times less per step, until decay has brought "
        "their norm down; with the rate x 100 and the decay / 100 the curve is the usual one.",
    )


def rates(seed: int, quick: bool) -> tuple[Lines, dict[str, float]]:
    """Three learning rates with free norms and with fixed ones; and the angle at the end with its error over
    lanes, by name."""
    many = STEPS["quick" if quick else "full"]
    found = {
        f"{'fixed' if fixed else 'free'} norm, rate x {rate:g}": turning(seed, many, eta=rate, fixed=fixed)
        for fixed in (False, True)
        for rate in RATES
    }
    late = {name: y[-many // 5 :].mean(axis=0) for name, y in found.items()}
    about = {name: float(x.mean()) for name, x in late.items()}
    about |= {f"{name}, error": float(x.std(ddof=1) / len(x) ** 0.5) for name, x in late.items()}
    every = slice(0, None, max(1, many // 60))
    figure = Lines(
        x=np.arange(1, many + 1)[every],
        series={name: smooth(y.mean(axis=1))[every] for name, y in found.items()},
        xlabel="steps",
        ylabel="angle of a filter per step",
        xscale="linear",
        yscale="log",
        caption="Where the norm is free it settles, and a filter turns as the root of the rate; where "
        "it is put back after each step, nothing adapts.",
    )
    return figure, about
