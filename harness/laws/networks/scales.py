"""N6: filters that start larger train the same way, at another learning rate and decay (NLD, figure 1b).

A loss that has no scale in the filters w, with eps scaled along where there is one, obeys for every a > 0

    run(a w_0; a^2 eta, k/a^2, a^2 eps) = a run(w_0; eta, k, eps),      buffers by 1/a                     (1)

while everything else of the network is the same run. For a = 2^j that is true of every bit in float64 and in
float32, for a power of two rounds nothing; up to where a number falls below the normal ones. For a = 10 it is
true but for roundings, step by step (redone.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from noether.laws.networks import faults
from noether.laws.networks.digits import NO_EPS, Networks, Training, stepped, training
from noether.laws.networks.evidence import bits
from noether.laws.networks.growing_rate import ordinary
from noether.laws.networks.redone import There, judged, redone
from noether.laws.networks.rounding import Update
from noether.system.seeds import derive
from noether.verdicts.record import Record

ETA, BETA, K, EPS = 2.0**-6, 0.9, 2.0**-4, 1e-5
FILTERS = {"lr": ETA, "momentum": BETA, "weight_decay": K}
HOW = Training(eta=2.0**-5, beta=BETA, eps=EPS, batch=32, filters=FILTERS)
STEPS = {"quick": 60, "full": 300}
POWERS = (-3, 4, 7)
DTYPES = {"float64": torch.float64, "float32": torch.float32}
TEN, EVERY = 10.0, 8


@dataclass(frozen=True)
class Scaled:
    """(1) for a = 2^j, or (1) made wrong: the powers of a of the rate, of the decay and of eps."""

    j: int
    eta: int = 2
    k: int = -2
    eps: int = 2

    def how(self, how: Training) -> Training:
        mine = how.filters
        moved = {"lr": mine["lr"] * 2.0 ** (self.eta * self.j)}
        moved |= {"weight_decay": mine["weight_decay"] * 2.0 ** (self.k * self.j)}
        return replace(how, filters={**mine, **moved}, eps=how.eps * 2.0 ** (self.eps * self.j))


def powers_of_two(cell) -> list[Record]:
    """(1) to the bit, for some powers of two, and made wrong for one."""
    many, seed = STEPS["quick" if cell.quick else "full"], derive(cell.seed, cell.name)
    how = replace(HOW, dtype=DTYPES[cell.precision])
    shown = [(Scaled(j), None) for j in POWERS] + [
        (Scaled(POWERS[1], **f.changed), f) for f in faults.N6_BITS
    ]
    return [
        record(cell, found, many, fault)
        for found, fault in zip(
            together(how, seed, many, [x for x, _ in shown]), (f for _, f in shown), strict=True
        )
    ]


@dataclass
class Compared:
    """A run at another scale beside the usual one.

    off    numbers of parameters and buffers that differ in any bit, over all steps
    first  the first step in which one does, or -1;  seen  how many were compared;  moved  whether any moved
    """

    scaled: Scaled
    off: int = 0
    first: int = -1
    seen: int = 0
    moved: bool = False
    ended: int = -1


def together(how: Training, seed: int, many: int, scales: list[Scaled]) -> list[Compared]:
    """Runs at other scales beside the usual one, step by step."""
    net, optimizer, drawn = training(how, seed)
    runs = []
    for scaled in scales:
        other, its, _ = training(scaled.how(how), seed)
        with torch.no_grad():
            other.filters.mul_(2.0**scaled.j)
        runs.append((other, its, Compared(scaled)))
    start = net.filters.detach().clone()
    for n in range(many):
        batch = next(drawn)
        ordinary(net, optimizer, *batch)
        for other, its, found in runs:
            ordinary(other, its, *batch)
            if found.ended < 0:
                compare(found, n, state(net, optimizer, 0), state(other, its, found.scaled.j))
                found.moved = bool((net.filters != start).any())
    return [found for *_, found in runs]


def state(net: Networks, optimizer, j: int) -> list[np.ndarray]:
    """Every parameter and buffer, those of the filters taken back from the scale 2^j."""
    out = [np.ldexp(net.filters.detach().numpy(), -j)]
    out.append(np.ldexp(optimizer.state[net.filters]["momentum_buffer"].numpy(), j))
    for name, p in net.named_parameters():
        if name != "filters":
            out += [p.detach().numpy().copy(), optimizer.state[p]["momentum_buffer"].numpy().copy()]
    return out


def compare(found: Compared, n: int, one: list[np.ndarray], other: list[np.ndarray]) -> None:
    """Count the numbers that differ; none from the first on that is nearly subnormal at one of the scales."""
    for scale in (0, found.scaled.j):
        w, b = np.ldexp(np.abs(one[0]), scale), np.ldexp(np.abs(one[1]), -scale)
        for x in (w, b):
            if np.any((x > 0) & (x < np.finfo(x.dtype).tiny * 2.0**24)):
                found.ended = n
                return
    wrong = sum(int(np.sum(x != y)) for x, y in zip(one, other, strict=True))
    found.seen += sum(x.size for x in one)
    found.off += wrong
    if wrong and found.first < 0:
        found.first = n


def record(cell, found: Compared, many: int, fault) -> Record:
    s = found.scaled
    told = f"filters times 2^{s.j}, rate by a^{s.eta}, decay by a^{s.k}, eps by a^{s.eps}"
    note = f"{told}: {found.off} of {found.seen} numbers differ in any bit"
    note += f", first in step {found.first}" if found.off else ""
    note += f"; from step {found.ended} on a number is nearly subnormal" if found.ended >= 0 else ""
    about = {"eta": ETA, "beta": BETA, "k": K, "eps": EPS, "j": s.j, "batch": HOW.batch}
    return bits(
        cell,
        found.off,
        note,
        about,
        steps=many,
        lanes=found.seen,
        enough=found.moved and found.seen > 0,
        fault=fault,
    )


# ---- times ten


@dataclass(frozen=True)
class Ten:
    """Where a step is done again at a times the filters, or (1) made wrong: powers of a."""

    eta: int = 2
    k: int = -2
    buffer: int = -1

    def there(self, x: Update) -> There:
        a = np.longdouble(TEN)
        return There(a, x.b * a**self.buffer, x.eta * a**self.eta, x.k * a**self.k, a)


def times_ten(cell) -> list[Record]:
    """(1) for a = 10, step by step, and made wrong; without eps. A figure has the curves."""
    from noether.laws.networks.curves import starts

    many, seed = STEPS["quick" if cell.quick else "full"], derive(cell.seed, cell.name)
    how = replace(HOW, eps=NO_EPS)
    net, optimizer, drawn = training(how, seed)
    other = Networks(how, torch.Generator().manual_seed(0))
    found = {fault: [] for fault in (None, *faults.N6_TEN)}
    for n in range(many):
        batch = next(drawn)
        if n % EVERY:
            ordinary(net, optimizer, *batch)
            continue
        other.load_state_dict(net.state_dict())
        x = Update.of(stepped(net, optimizer, {"filters": net.filters}, n, *batch), "filters", ETA, BETA, K)
        for fault in found:
            found[fault].append(redone(x, Ten(**(fault.changed if fault else {})).there(x), other, batch))
    about = {"eta": ETA, "beta": BETA, "k": K, "a": TEN, "batch": HOW.batch, "eps": NO_EPS}
    figure = starts(seed, cell.quick)
    return [
        r
        for fault, steps in found.items()
        for r in judged(
            cell, steps, about, "filters times 10 after a step", many=many, fault=fault, figure=figure
        )
    ]
