"""N5, on average: where the norm of filters settles, and how far a filter turns in a step.

With F of ensemble.py, the law of a window (theory.md#N5) divided by eta^2 sum |g|^2/(1 - beta)^2 is

    2 k (1 - beta) sum R/(eta sum |g|^2) = F + rest,                                                       (1)
    rest = [k^2 sum R + 2 k sum <g, w> - 2 (1 - beta)/eta sum <g, w> - 2 k beta/eta sum C
            - 2 beta/eta sum <g, K> - (1 - beta)^2 d|z|^2/eta^2]/sum |g|^2,                                (2)

so that NLD Eq. 17 is F = (1 + beta)/(1 - beta) and white noise F = 1. And D12 with <g, w>,

    sum |v'|^2/sum R = 2 eta k/(1 + beta) + [(1 - beta) dR + 2 beta dC + 2 eta sum <g, w>...]/...          (3)

The rest is small, and is what the bounds allow for beside chance: it is measured lane by lane, and is no part
of what is compared.
"""

from __future__ import annotations

import numpy as np

from noether.laws.networks import faults
from noether.laws.networks.curves import rates
from noether.laws.networks.digits import Training
from noether.laws.networks.ensemble import Window, window
from noether.laws.networks.evidence import average
from noether.system.seeds import derive
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record

ETA, K = 2.0**-8, 0.1
ONE = (0.9, 32, False)
SETTINGS = {"quick": (ONE,), "full": (ONE, (0.9, 128, False), (0.9, 128, True), (0.5, 32, False))}
"""beta of the filters, the size of a batch, and whether its pictures are drawn from all of them each time."""
SIZE = {"quick": (48, 300, 300), "full": (48, 400, 500)}
"""Lanes, steps until the norms have settled, steps of the window."""


def setting(beta: float, batch: int, replaced: bool, lanes: int) -> Training:
    """The filters have the momentum, decay and learning rate that are judged; the others do not count."""
    mine = {"lr": ETA if beta == 0.9 else 4 * ETA, "momentum": beta, "weight_decay": K}
    small = dict(lanes=lanes, hidden=4, activation="gelu")
    return Training(eta=0.05, beta=0.9, filters=mine, batch=batch, replaced=replaced, **small)


def equilibrium(cell) -> list[Record]:
    """(1) and (3) of every setting, and what is said instead."""
    lanes, burn, many = SIZE["quick" if cell.quick else "full"]
    out = []
    for chosen in SETTINGS["quick" if cell.quick else "full"]:
        seed = derive(cell.seed, "/".join(map(str, (cell.name, *chosen))))
        found = window(setting(*chosen, lanes), seed, burn, many)
        out += [*where_it_settles(cell, found), *how_far_it_turns(cell, found, first=chosen is ONE)]
    return out


def rest(x: Window) -> np.ndarray:
    """(2) of each lane."""
    eta, beta, k = (x.how.filters[name] for name in ("lr", "momentum", "weight_decay"))
    left = 1 - beta
    terms = k**2 * x.R + 2 * k * x.gw - 2 * left / eta * x.gw - 2 * k * beta / eta * x.C
    return (terms - 2 * beta / eta * x.gK - left**2 / eta**2 * x.dz) / x.G


def where_it_settles(cell, x: Window) -> list[Record]:
    eta, beta, k = (x.how.filters[name] for name in ("lr", "momentum", "weight_decay"))
    Q, F = 2 * k * (1 - beta) * x.R / (eta * x.G), x.F
    coherent, rho = (1 + beta) / (1 - beta), x.rho.mean(axis=1)
    time = 1 + 2 * x.rho[1:].sum(axis=0)
    about = {**told(x), "statement": "equilibrium", **known("F", F), **known("rho_1", x.rho[1])}
    about |= {**known("correlation time", time), **known("2k(1-beta)|w|^2/(eta|g|^2)", Q)}
    note = f"2 k (1 - beta) |w|^2/(eta |g|^2) at beta {beta:g}, {batches(x)}"
    mean = float(F.mean())
    how = dict(bias=float(np.abs(rest(x).mean())), parameters=about, steps=x.many)
    own = average(cell, Q - F + mean, mean, note=note, responses={"F": mean}, figure=drawn(x), **how)
    alone = gain(beta, float(rho[1]))
    wrong = {faults.COHERENT_MEAN: coherent, faults.ONE_STEP: alone, faults.WHITE_MEAN: 1.0}
    # At batch 32 and beta .5 real noise is nearly white: the three are told apart where F differs from them.
    shown = {f: value for f, value in wrong.items() if f is faults.COHERENT_MEAN or beta == 0.9}
    return [own, *(average(cell, Q, value, note=note, fault=f, **how) for f, value in shown.items())]


def gain(beta: float, rho: float) -> float:
    """F of correlations rho^j (theory.md#S2)."""
    return (1 + rho * beta) / (1 - rho * beta)


def how_far_it_turns(cell, x: Window, *, first: bool) -> list[Record]:
    """(3): exact is (1 + beta) sum |v'|^2 = 2 eta k sum R + (1 - beta) dR + 2 beta dC + 2 eta sum <g, w>.

    Of D12, with the <g, w> that the eps of the normalisation leaves. The first has curves beside it, of norms
    that are free and of norms that are fixed.
    """
    eta, beta, k = (x.how.filters[name] for name in ("lr", "momentum", "weight_decay"))
    turned, stated = x.P / x.R, 2 * eta * k / (1 + beta)
    left = ((1 - beta) * x.dR + 2 * beta * x.dC + 2 * eta * x.gw) / ((1 + beta) * x.R)
    note = f"mean |w' - w|^2 over mean |w|^2 at beta {beta:g}, {batches(x)}"
    about = {**told(x), "statement": "angle", "angle, degrees": float(np.degrees(np.sqrt(turned.mean())))}
    how = dict(bias=float(np.abs(left.mean())), parameters=about, steps=x.many, note=note)
    figure, seen = rates(derive(cell.seed, f"{cell.name}/rates"), cell.quick) if first else (None, {})
    about |= seen
    own = average(cell, turned, stated, responses={"eta k": stated}, figure=figure, **how)
    return [own, average(cell, turned, 2 * eta * k, fault=faults.ANGLE, **how)]


def batches(x: Window) -> str:
    return f"batch {x.how.batch}{' drawn from all' if x.how.replaced else ''}"


def error(samples: np.ndarray) -> float:
    """The standard error of a mean over lanes."""
    return float(np.std(samples, ddof=1) / len(samples) ** 0.5)


def known(name: str, samples: np.ndarray) -> dict[str, float]:
    """A mean over lanes and its standard error."""
    return {name: float(samples.mean()), f"{name} error": error(samples)}


def told(x: Window) -> dict:
    """The parameters of a record."""
    mine = x.how.filters
    return {
        "eta": mine["lr"],
        "beta": mine["momentum"],
        "k": mine["weight_decay"],
        "batch": x.how.batch,
        "drawn from all": x.how.replaced,
        "lanes": x.how.lanes,
        "filters": x.how.hidden,
        "loss": x.loss,
    }


def drawn(x: Window) -> Lines:
    """The mean fourth power of the norm from the start of training, and what each law makes of the measured
    gradients."""
    eta, beta, k = (x.how.filters[name] for name in ("lr", "momentum", "weight_decay"))
    size, measured = x.size2.mean(axis=1), x.norm4.mean(axis=1)
    every = slice(None, None, max(1, len(size) // 75))

    def solved(F: float) -> np.ndarray:
        """x' = (1 - 4 eta k/(1 - beta)) x + 2 eta^2 F/(1 - beta)^2 |ghat|^2 (theory.md#S2)."""
        out = [measured[0]]
        for ghat in size[:-1]:
            out.append((1 - 4 * eta * k / (1 - beta)) * out[-1] + 2 * eta**2 * F / (1 - beta) ** 2 * ghat)
        return np.array(out)

    F = float(x.F.mean())
    series = {
        "measured": measured,
        f"noise law, F = {F:.3f}": solved(F),
        "white noise, F = 1": solved(1.0),
        f"Eq. 17, F = {(1 + beta) / (1 - beta):.3g}": solved((1 + beta) / (1 - beta)),
    }
    return Lines(
        x=np.arange(len(size))[every],
        series={name: y[every] for name, y in series.items()},
        xlabel="steps",
        ylabel="mean |w|^4 of a filter",
        xscale="linear",
        yscale="log",
        caption=f"Real minibatch gradients at beta {beta:g}, {batches(x)}: the noise law with the "
        "measured correlation of gradients, and Eq. 17 of NLD.",
    )
