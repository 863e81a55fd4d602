"""N9: the norm of a normalised filter is the memory of an RMSProp, read off networks in training.

Of plain steps w' = w - eta (g + k w), with V = |w|^2/eta^2, for any g (theory.md#N9):

    V' = (1 - eta k)^2 V + |g|^2 - 2 (1 - eta k) <g, w>/eta                                               (1)

The last term is 0 where the loss has no scale; the eps of a normalisation leaves some of it, which is
measured. With momentum the memory is that of the fourth power (theory.md#S4): with ghat = |w| g and gradients
that agree from step to step, as those of the whole data at small steps do,

    x' = (1 - 4 eta k/(1 - beta)) x + 2 eta^2 (1 + beta)/(1 - beta)^3 |ghat|^2,    x = |w|^4               (2)

which a training follows to order 1 in eta, relative to what |w|^4 changes by.
"""

from __future__ import annotations

import numpy as np

from noether.laws.networks import faults
from noether.laws.networks.digits import NO_EPS, Training, steps
from noether.laws.networks.evidence import order, rounded
from noether.laws.networks.recursions import first_order, sums
from noether.laws.networks.rounding import Update
from noether.system.seeds import derive
from noether.verdicts.figures import Lines
from noether.verdicts.record import Record

HOW = Training(eta=2.0**-4, k=2.0**-5, batch=32)
STEPS = {"quick": 100, "full": 400}
SHOWN = 3  # filters that are drawn
BETA, TIME, EXPONENTS = 0.5, 1.0, range(5, 11)
DECAY = 0.25
"""k over eta: then decay and growth of the norm are as large as each other, of order eta both."""


def memory(cell) -> list[Record]:
    """(1) of every filter in every step of minibatch gradient descent, and (1) made wrong."""
    many = STEPS["quick" if cell.quick else "full"]
    trained = steps(HOW, derive(cell.seed, cell.name), many)
    found = [Update.of(s, "filters", HOW.eta, 0.0, HOW.k).lane(0) for s in trained]
    law, unit = first_order(found), HOW.eta**2
    cosine = np.abs(sums(found, "g", "w")) / np.sqrt(sums(found, "g", "g") * law.before)
    about = {"eta": HOW.eta, "k": HOW.k, "batch": HOW.batch, "filters": HOW.hidden, "eps": HOW.eps}
    about |= {"statement": "step", "largest cosine of g and w": float(cosine.max())}
    note, facts = "V = |w|^2/eta^2 after a step", dict(steps=many, motion=law.motion / unit)
    moved = {name: x / unit for name, x in law.responses().items()}
    compared = lambda **wrong: (law.measured / unit, law.predicted(**wrong) / unit, law.bound / unit)
    own = rounded(cell, *compared(), about, note, responses=moved, figure=drawn(law, unit), **facts)
    return [
        own,
        *(rounded(cell, *compared(**f.changed), about, note, fault=f, **facts) for f in faults.N9_STEP),
    ]


def drawn(law, unit: float) -> Lines:
    """The memory of the first filters along the training."""
    many, predicted = len(law.measured), law.predicted()
    every, series = slice(None, None, max(1, many // 60)), {}
    for i in range(SHOWN):
        series |= {f"filter {i + 1}, measured": law.measured[every, i] / unit}
        series |= {f"filter {i + 1}, predicted": predicted[every, i] / unit}
    return Lines(
        x=np.arange(1, many + 1)[every],
        series=series,
        xlabel="steps",
        ylabel="V = |w|^2/eta^2",
        xscale="linear",
        yscale="linear",
        caption="The norm of a filter is the memory of an RMSProp: measured, and from the step before.",
    )


# ---- with momentum


def twin(cell) -> list[Record]:
    """(2) from the start to t = 1, over halved learning rates: off by order 1; and (2) made wrong."""
    etas = 2.0 ** -np.array(EXPONENTS, dtype=float)
    wrong = (None, *faults.N9_TWIN)
    errors = {fault: [] for fault in wrong}
    for eta in etas:
        norm4, size = followed(float(eta), derive(cell.seed, cell.name))
        for fault, found in errors.items():
            off = norm4[-1] - memory_of(norm4[0], size, float(eta), **(fault.changed if fault else {}))
            found.append(float(np.linalg.norm(off) / np.linalg.norm(norm4[-1] - norm4[0])))
    note, facts = f"change of |w|^4 until t = {TIME:g}", dict(steps=round(TIME / etas[-1]))
    about = {"beta": BETA, "k over eta": DECAY, "t": TIME, "statement": "twin", "error": errors[None][-1]}
    return [order(cell, etas, found, 1, about, note, fault=fault, **facts) for fault, found in errors.items()]


def followed(eta: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """|w|^4 (steps + 1, filters) and |w|^2 |g|^2 (steps, filters) of a training on the same pictures in every
    step."""
    how = Training(eta=eta, beta=BETA, k=DECAY * eta, batch=0, eps=NO_EPS, activation="gelu")
    norm4, size = [], []
    for s in steps(how, seed, round(TIME / eta)):
        w, g, after = (x["filters"][0].astype(float) for x in (s.before, s.gradient, s.after))
        square = np.sum(w * w, axis=-1)
        size.append(square * np.sum(g * g, axis=-1))
        norm4.append(square**2)
    return np.array([*norm4, np.sum(after * after, axis=-1) ** 2]), np.array(size)


def memory_of(x: np.ndarray, size: np.ndarray, eta: float, *, forgets=1.0, source=1.0) -> np.ndarray:
    """(2) after all steps; forgets and source: factors of its two coefficients."""
    left = 1 - BETA
    for ghat in size:
        x = (1 - forgets * 4 * eta**2 * DECAY / left) * x + source * 2 * eta**2 * (1 + BETA) / left**3 * ghat
    return x
