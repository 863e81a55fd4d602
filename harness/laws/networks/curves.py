"""Curves of N6: what a start ten times as large does to training, and what a fixed norm takes away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from noether.laws.networks.digits import Training, training
from noether.verdicts.figures import Lines

ETA, BETA, K = 2.0**-7, 0.9, 0.05
LANES, STEPS = 8, {"quick": 150, "full": 900}
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
) -> tuple[np.ndarray, np.ndarray]:
    """The angle by which a filter turns in a step and the loss, means over lanes and filters, (many,) each.

    times   the start of the filters, times this;  eta, k  factors of the rate and of the decay of the filters
    fixed   whether each filter is put back to its first norm after each step
    """
    mine = BASE.filters
    filters = {**mine, "lr": mine["lr"] * eta, "weight_decay": mine["weight_decay"] * k}
    net, optimizer, drawn = training(replace(BASE, filters=filters, eps=BASE.eps * times**2), seed)
    with torch.no_grad():
        net.filters.mul_(times)
        norm = net.filters.norm(dim=-1, keepdim=True)
    angles, losses = [], []
    for _ in range(many):
        before = net.filters.detach() / net.filters.detach().norm(dim=-1, keepdim=True)
        optimizer.zero_grad()
        loss = net.loss(*next(drawn))
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            after = net.filters / net.filters.norm(dim=-1, keepdim=True)
            if fixed:
                net.filters.copy_(after * norm)
        angles.append(float((2 * torch.arcsin((after - before).norm(dim=-1) / 2)).mean()))
        losses.append(float(loss.detach()) / LANES)
    return np.array(angles), np.array(losses)


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
        "usual": {},
        "filters x 10": dict(times=10.0),
        "filters x 10, rate x 100, decay / 100": dict(times=10.0, eta=100.0, k=0.01),
        "rate / 100, decay x 100": dict(eta=0.01, k=100.0),
    }
    found = {name: turning(seed, many, **how)[0] for name, how in shown.items()}
    every = slice(0, None, max(1, many // 150))
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
