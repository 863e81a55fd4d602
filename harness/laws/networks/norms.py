"""N5, step by step: the norm of a filter under momentum and decay, with real minibatch gradients.

    b' = beta b + g + k w,  w' = w - eta b';   R = |w|^2,  v = -eta b,  z = w + beta v/(1 - beta)          (1)

    R'' - (1 + beta) R' + beta R = -2 eta <g' + k w', w'> + |v''|^2 + beta |v'|^2                          (2)
    |z'|^2 - |z|^2 = -2 eta/(1 - beta) <g + k w, z> + eta^2/(1 - beta)^2 |g + k w|^2                       (3)

(2) is D5 (recursions.py). (3), summed over a window, says where the norm settles (theory.md#N5). Both hold
for any g. With e_b and e_w of rounding.py, (3) is off by 2 <|z'|, |e_w'| + eta |e_b'|/(1 - beta)> a step at
most.
"""

from __future__ import annotations

import numpy as np

from noether.laws.networks import faults
from noether.laws.networks.digits import Training, steps
from noether.laws.networks.evidence import rounded
from noether.laws.networks.recursions import second_order, sums
from noether.laws.networks.rounding import SLACK, Update, dot
from noether.system.seeds import derive
from noether.verdicts.record import Record

HOW = Training(eta=2.0**-6, beta=0.9, k=2.0**-5, batch=32, hidden=8)
STEPS = {"quick": 100, "full": 500}


def step_by_step(cell) -> list[Record]:
    """(2) of every filter and step, (3) of every filter over a window, and both made wrong."""
    many = STEPS["quick" if cell.quick else "full"]
    trained = steps(HOW, derive(cell.seed, cell.name), many)
    found = [Update.of(s, "filters", HOW.eta, HOW.beta, HOW.k).lane(0) for s in trained]
    return [*one_by_one(cell, found), *settled(cell, found)]


def one_by_one(cell, found: list[Update]) -> list[Record]:
    """(2)."""
    law, then = second_order(found), found[1:]
    cosine = np.abs(sums(then, "g", "w")) / np.sqrt(sums(then, "g", "g") * law.before)
    about = {**told(), "statement": "step", "largest cosine of g and w": float(cosine.max())}
    note, how = "|w|^2 after two steps", dict(steps=len(then), motion=law.motion)
    own = rounded(
        cell, law.measured, law.predicted(), law.bound, about, note, responses=law.responses(), **how
    )
    wrong = ((f, law.predicted(**f.changed)) for f in faults.N5_STEP)
    return [own, *(rounded(cell, law.measured, x, law.bound, about, note, fault=f, **how) for f, x in wrong)]


def settled(cell, found: list[Update]) -> list[Record]:
    """(3) summed over the second half of the training, as theory.md#N5 has it: what k sum |w|^2 is."""
    window = found[len(found) // 2 :]
    total, bound = summed(window)
    eta, beta, k, left = HOW.eta, HOW.beta, HOW.k, 1 - HOW.beta
    F = 1 - 2 * beta * total["gv"] / (eta * total["G"])

    def predicted(F=F, eta=1.0):
        e = eta * HOW.eta
        rest = 2 * k * total["gw"] - 2 * left / e * total["gw"] - 2 * k * beta / e * total["C"]
        rest = rest + k**2 * total["R"] - left**2 / e**2 * total["dz"]
        return e / (2 * left) * (F * total["G"] + rest)

    plain, measured, bound = predicted(), k * total["R"], bound * left / (2 * eta)
    moved = {"F": eta / (2 * left) * F * total["G"], "eta": (predicted(eta=1 + 2.0**-10) - plain) * 2.0**10}
    about = {**told(), "statement": "window", "F": [float(x) for x in F]}
    note, how = "k sum |w|^2 over a window", dict(steps=len(window), motion=measured)
    wrong = ((faults.COHERENT, predicted((1 + beta) / left)), (faults.WHITE, predicted(1.0)))
    own = rounded(cell, measured, plain, bound, about, note, responses=moved, **how)
    return [own, *(rounded(cell, measured, x, bound, about, note, fault=f, **how) for f, x in wrong)]


def summed(window: list[Update]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The sums of (3) over a window, of each filter, and how far roundings may have put them off."""
    eta, left = HOW.eta, 1 - HOW.beta
    z = [x.w - eta * HOW.beta / left * x.b for x in window]
    z.append(window[-1].w_after - eta * HOW.beta / left * window[-1].b_after)
    total = {
        "R": sum(dot(x.w, x.w) for x in window),
        "G": sum(dot(x.g, x.g) for x in window),
        "gw": sum(dot(x.g, x.w) for x in window),
        "C": sum(dot(-eta * x.b, x.w) for x in window),
        "gv": sum(dot(x.g, -eta * x.b) for x in window),
        "dz": dot(z[-1], z[-1]) - dot(z[0], z[0]),
    }
    off = [dot(np.abs(y), x.e_w + eta / left * x.e_b) for x, y in zip(window, z[1:], strict=True)]
    judging = len(window) * 2.0**-9  # the sums of a window are added up one by one: N 2^-64 of 5 |w|^2 each
    return total, 2 * (SLACK + judging) * sum(off)


def told() -> dict:
    """The parameters of a record."""
    return {
        "eta": HOW.eta,
        "beta": HOW.beta,
        "k": HOW.k,
        "batch": HOW.batch,
        "filters": HOW.hidden,
        "eps": HOW.eps,
    }
