"""N8: the charges of a network's symmetries along its training, beside the curves printed for them.

    translation  adding one number to what every class reads of a unit, or to every bias, changes no softmax
    scale        of a filter that feeds a normalisation
    rescale      of what a unit with ReLU reads, against what reads it

Their exact laws are (1) to (3) of recursions.py. Kunin et al. (2021, arXiv 2012.04728) print, in time
t = eta n,

    c(t) = e^(-k t) c(0),   Q(t) = e^(-2 k t) Q(0) + eta int_0^t e^(-2 k (t - s)) (|g_1|^2 - |g_2|^2) ds   (4)

with g_2 for a rescaling alone. A gradient is the same all through a step here. (4) is off by order 1 in eta,
for a normalisation without eps: with one <g, w> is not 0, and no step size mends that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from noether.laws.networks import faults
from noether.laws.networks.digits import NO_EPS, Step, Training, steps
from noether.laws.networks.evidence import order, rounded
from noether.laws.networks.recursions import Recursion, first_order, second_order, shift
from noether.laws.networks.rounding import Update
from noether.system.seeds import derive
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record

TRANSLATION, SCALE, RESCALE = "translation", "scale", "rescale"
MOMENTUM = Training(eta=2.0**-6, beta=0.9, k=2.0**-6, batch=32)
PLAIN = Training(eta=2.0**-4, beta=0.0, k=2.0**-5, batch=32)
STEPS = {"quick": 60, "full": 300}
READ = ("filters", "middle", "middle_bias", "head", "head_bias")
K, TIME = 2.0**-3, 4.0
EXPONENTS = range(3, 9)


def vectors(p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The numbers that each charge is made of, (charges, numbers), by the kind of symmetry."""
    p = {name: x[0] for name, x in p.items()}
    return {
        TRANSLATION: np.concatenate([p["head"].T, p["head_bias"][None]]),
        SCALE: p["filters"],
        RESCALE: np.concatenate([p["middle"], p["middle_bias"][:, None], p["head"].T], axis=1),
    }


def signs(kind: str, how: Training) -> np.ndarray:
    """1 for what a charge adds, -1 for what it takes away."""
    return np.array([1.0] * (how.hidden + 1) + [-1.0] * 10) if kind == RESCALE else np.ones(1)


def updates(step: Step, how: Training) -> dict[str, Update]:
    """The step of each kind of charge."""
    w, g, b, w1, b1 = (
        vectors(x) for x in (step.before, step.gradient, step.buffer, step.after, step.buffer_after)
    )
    force = {kind: g[kind] + np.longdouble(how.k) * w[kind] for kind in w}
    stored = b1 if how.beta else force
    return {
        kind: Update(w[kind], g[kind], b[kind], w1[kind], stored[kind], how.eta, how.beta, how.k)
        for kind in w
    }


def trained(how: Training, seed: int, many: int) -> Iterator[dict[str, Update]]:
    """The steps of a training, of each kind of charge."""
    for step in steps(how, seed, many, READ):
        yield updates(step, how)


def step_by_step(cell) -> list[Record]:
    """The exact laws of all charges, with momentum and without, and made wrong."""
    many, out = STEPS["quick" if cell.quick else "full"], []
    for how in (MOMENTUM, PLAIN):
        found = list(trained(how, derive(cell.seed, cell.name), many))
        for kind in (TRANSLATION, SCALE, RESCALE):
            out += of_kind(cell, how, kind, [x[kind] for x in found], many)
    return out


def of_kind(cell, how: Training, kind: str, mine: list[Update], many: int) -> list[Record]:
    if kind == TRANSLATION:
        law, wrong = shift(mine), faults.N8_SHIFT
    else:
        law = (second_order if how.beta else first_order)(mine, signs(kind, how))
        wrong = faults.N8_QUADRATIC
    about = {
        "eta": how.eta,
        "beta": how.beta,
        "k": how.k,
        "batch": how.batch,
        "charge": kind,
        "charges": mine[0].w.shape[0],
    }
    note = f"{kind} charge after a step"
    facts = dict(steps=many, motion=law.motion, symmetry=kind)
    out = [
        rounded(
            cell,
            law.measured,
            law.predicted(),
            law.bound,
            about,
            note,
            responses=law.responses(),
            figure=drawn(mine, law, how, kind),
            **facts,
        )
    ]
    shown = [f for f in wrong if set(f.changed) <= set(law.names)]
    return out + [
        rounded(cell, law.measured, law.predicted(**f.changed), law.bound, about, note, fault=f, **facts)
        for f in shown
    ]


# ---- the printed curves


def printed(mine: list[Update], kind: str, how: Training) -> np.ndarray:
    """(4) after each step, (steps + 1, charges)."""
    eta, k, s = how.eta, how.k, signs(kind, how)
    left, power = np.exp(-k * eta), 1 if kind == TRANSLATION else 2
    value = np.sum(mine[0].w, axis=-1) if kind == TRANSLATION else np.sum(s * mine[0].w ** 2, axis=-1)
    out = [value]
    for x in mine:
        grown = (
            0.0
            if kind == TRANSLATION
            else eta * -np.expm1(-2 * k * eta) / (2 * k) * np.sum(s * x.g**2, axis=-1)
        )
        out.append(left**power * out[-1] + grown)
    return np.array(out)


def charge(x: np.ndarray, kind: str, how: Training) -> np.ndarray:
    return np.sum(x, axis=-1) if kind == TRANSLATION else np.sum(signs(kind, how) * x**2, axis=-1)


def drawn(mine: list[Update], law: Recursion, how: Training, kind: str) -> Lines:
    """Two charges along a training: measured, by the law from the states before, and as printed for plain
    steps."""
    many = len(law.measured)
    every, predicted = slice(0, None, max(1, many // 60)), law.predicted()
    theirs = None if how.beta else printed(mine, kind, how)[1:]
    series = {}
    for i in (0, 1):
        series |= {f"charge {i + 1}, measured": law.measured[every, i]}
        series |= {f"charge {i + 1}, predicted": predicted[every, i]}
        series |= {f"charge {i + 1}, printed": theirs[every, i]} if theirs is not None else {}
    caption = f"The {kind} charge with minibatches, beta {how.beta:g}"
    caption += "." if how.beta else ", and the curve printed for it."
    return Lines(
        x=np.arange(1, many + 1)[every],
        series=series,
        xlabel="steps",
        ylabel=f"{kind} charge",
        xscale="linear",
        yscale="linear",
        caption=caption,
    )


def printed_curves(cell) -> list[Record]:
    """How far (4) is off at t = 4, over halved learning rates: of order 1, for each kind of charge."""
    etas = 2.0 ** -np.array(EXPONENTS, dtype=float)
    off = {kind: [] for kind in (TRANSLATION, SCALE, RESCALE)}
    for eta in etas:
        how = Training(eta=float(eta), k=K, batch=32, eps=NO_EPS)
        found = list(trained(how, derive(cell.seed, cell.name), round(TIME / eta)))
        for kind, errors in off.items():
            mine = [x[kind] for x in found]
            end, start = charge(mine[-1].w_after, kind, how), charge(mine[0].w, kind, how)
            errors.append(float(np.linalg.norm(end - printed(mine, kind, how)[-1]) / np.linalg.norm(start)))
    out = []
    for kind, errors in off.items():
        note = f"printed curve of the {kind} charge at t = {TIME:g}"
        about = {"k": K, "t": TIME, "charge": kind, "relative error at the largest eta": errors[0]}
        facts = dict(steps=round(TIME / etas[-1]), symmetry=kind)
        out.append(order(cell, etas, errors, 1, about, note, **facts))
        out.append(order(cell, etas, errors, 2, about, note, fault=faults.SECOND_ORDER, **facts))
    return out
