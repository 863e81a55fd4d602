"""What watching a training costs: the same steps with and without, in processor time of one thread.

python -m noether.labs.watch_cost
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from noether.api.watch import watch
from noether.networks.recipes import Recipe
from noether.networks.training import train
from noether.networks.zoo import network

TRAININGS = (
    ("batchnorm-mlp", Recipe("decay", batch=128)),
    ("resnet", Recipe("decay", batch=64)),
    ("transformer-gelu", Recipe("adamw", batch=64)),
)
SECONDS = 3.0  # that a training takes without a watch, about
TIMES = 2  # with and without in turn, for the machine may be busy
FEW = 30  # steps, by which it is found how many they are


def spent(name: str, recipe: Recipe, steps: int, under=None) -> float:
    """Seconds of processor time of one training."""
    begun = time.process_time()
    train(network(name), recipe, steps, 0, under=under)
    return time.process_time() - begun


def measured(name: str, recipe: Recipe) -> dict:
    """One row of the table."""
    kept = []

    def under(model, optimizer):
        kept.append(watch(model, optimizer, live=False))
        clock = kept[-1]._watcher.clock  # which keeps to the same time as this table
        clock.now, clock.begun = time.process_time, time.process_time()
        return kept[-1]

    spent(name, recipe, FEW, under)  # whatever is imported and compiled once
    kept.clear()
    steps = int(SECONDS * FEW / spent(name, recipe, FEW))
    plain = watched = 0.0
    for _ in range(TIMES):
        plain += spent(name, recipe, steps)
        watched += spent(name, recipe, steps, under)
    seats = [w._watcher.seats[0] for w in kept]
    first = sum(a.first for seat in seats for a in seat.accounts.values())
    told = dict(name=name, optimizer=seats[0].word, numbers=sum(p.numel() for p in seats[0].names.values()))
    samples = {kind: sum(seat.accounts[kind].samples for seat in seats) for kind in seats[0].accounts}
    told |= dict(steps=steps * TIMES, plain=plain, first=first / TIMES, samples=samples)
    clocks = [w._watcher.clock for w in kept]
    own = sum(clock.own for clock in clocks) - first
    return {**told, "own": own / plain, "later": (watched - first) / plain - 1}


def table() -> Iterator[str]:
    """The table, as Markdown has it."""
    heads = "network optimizer numbers steps ms/step samples first_samples own_time_later".split()
    heads.append("with_against_without")
    yield f"| {' | '.join(heads).replace('_', ' ')} |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, recipe in TRAININGS:
        x = measured(name, recipe)
        samples = " + ".join(str(n) for n in x["samples"].values())
        cells = (name, x["optimizer"], x["numbers"], x["steps"], f"{1e3 * x['plain'] / x['steps']:.2g}")
        shares = " | ".join(f"{100 * x[key]:.1f} %" for key in ("own", "later"))
        yield f"| {' | '.join(map(str, cells))} | {samples} | {x['first']:.2g} s | {shares} |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in table():
        print(line, flush=True)
