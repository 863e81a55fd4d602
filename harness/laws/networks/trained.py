"""N1 to N4 of a network in training: the optimizer's step and its charges, autograd's gradient, eps.

A network is trained as people do, and some steps are looked at (looked.py). The worst number of all looks
speaks for each law; what is not judged is counted and told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.laws.networks import trained_faults as faults
from noether.laws.networks.evidence import MOTION, about
from noether.laws.networks.looked import ALL, Look, looks
from noether.networks.recipes import Recipe
from noether.networks.zoo import network
from noether.system.seeds import derive
from noether.verdicts import judgement
from noether.verdicts.powers import powers_of
from noether.verdicts.record import Record


@dataclass(frozen=True)
class Numbers:
    """Numbers of all looks, flat: what was measured and predicted, within which bound, and how far it moved.

    responses  {coefficient: what a relative change 1 of it would have added}
    """

    measured: np.ndarray
    predicted: np.ndarray
    bound: np.ndarray
    motion: np.ndarray
    responses: dict
    where: list[str]


def records(cell) -> list[Record]:
    """The laws of one training, and of the same with each fault that is planted in it."""
    return [x for x in found(cell) if x is not None]


def found(cell) -> list[Record | None]:
    """The same, and None where a network has nothing that a law speaks of."""
    one, recipe = network(cell.network), Recipe(cell.optimizer, cell.precision)
    seed = derive(cell.seed, cell.name)
    seen, families = looks(one, recipe, cell.steps, cell.every, seed)
    out = [told(cell, law, numbers_of(law, seen), seen, families) for law in ALL]
    if cell.plants:
        for planted in faults.STEPS:
            wrong, _ = looks(one, recipe, cell.every, cell.every, seed, planted, families, planted.laws)
            out += [
                told(cell, law, numbers_of(law, wrong), wrong, families, planted.fault)
                for law in planted.laws
            ]
        for law, fault in faults.STATEMENTS:
            out.append(told(cell, law, numbers_of(law, seen, **fault.changed), seen, families, fault))
    return out


def numbers_of(law: str, seen: list[Look], **wrong) -> Numbers:
    return {"N1": updates, "N2": charges, "N3": slopes, "N4": broken}[law](seen, **wrong)


def flat(arrays: list) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(x, np.longdouble)) for x in arrays] or [np.zeros(0)])


def updates(seen: list[Look]) -> Numbers:
    """N1: the parameters and what the optimizer keeps of them after a step, against the definition of the
    rule."""
    moved = [
        (f"step {look.number}, {x.name} {part}", y, np.zeros_like(y.after) if y.before is None else y.before)
        for look in seen
        for x in look.step.moved.values()
        for part, y in x.components.items()
        if y.predicted is not None
    ]
    columns = [
        flat([y.after for _, y, _ in moved]),
        flat([y.predicted.value for _, y, _ in moved]),
        flat([y.predicted.error for _, y, _ in moved]),
        flat([y.after - before for _, y, before in moved]),
    ]
    where = [name for name, y, _ in moved for _ in range(y.after.size)]
    return Numbers(*columns, {"step": flat([y.predicted.value - before for _, y, before in moved])}, where)


def charges(seen: list[Look], without: str = "") -> Numbers:
    """N2: the charge of each generator after a step, against its balance.

    without  a part of the balance that is left out
    """
    found = [(look.number, b) for look in seen for b in look.balances]
    drop = lambda b: b.parts.get(without, 0.0) if without else 0.0
    columns = [
        flat([b.after for _, b in found]),
        flat([b.predicted - drop(b) for _, b in found]),
        flat([b.bound for _, b in found]),
        flat([b.after - b.before for _, b in found]),
    ]
    names = dict.fromkeys(name for _, b in found for name in b.parts)
    zero = lambda b: np.zeros_like(b.after)
    responses = {name: flat([b.parts.get(name, zero(b)) + zero(b) for _, b in found]) for name in names}
    where = [f"step {n}, {b.family.kind} of {b.family.words}" for n, b in found for _ in range(b.after.size)]
    return Numbers(*columns, responses, where)


def slopes(seen: list[Look], eps: float = 1.0) -> Numbers:
    """N3: autograd's gradient along each generator, against what eps makes of it."""
    return along([(look.number, s) for look in seen for s in look.slopes], eps)


def broken(seen: list[Look], eps: float = 1.0) -> Numbers:
    """N4: the float64 gradient along the generators that an eps breaks.

    eps  a factor of what eps is said to make of it
    """
    return along([(look.number, s) for look in seen for s in look.fine], eps)


def along(found: list, eps: float) -> Numbers:
    measured = flat([s.slope for _, s in found])
    predicted = flat([eps * s.eps for _, s in found])
    bound, size = flat([s.bound for _, s in found]), flat([s.size for _, s in found])
    where = [
        f"step {n}, {s.family.kind} of {s.family.words}" for n, s in found for _ in range(s.size.numel())
    ]
    return Numbers(
        measured, predicted, bound, size, {"slope": size, "eps": flat([s.eps for _, s in found])}, where
    )


def told(cell, law: str, x: Numbers, seen, families, fault=None) -> Record | None:
    """The record of one law; None where the network has nothing that it speaks of."""
    if not x.measured.size:
        return None
    worst = judgement.worst(x.measured, x.predicted, x.bound)
    moves = bool((np.abs(x.motion) >= MOTION * x.bound).any())
    numbers = f"{worst.measured:.6g}, predicted {worst.predicted:.6g} within {worst.bound:.2g}"
    reason = f"{x.where[worst.at[0]]}: {numbers}"
    rounds = x.bound > 0  # an exact number, as a count of steps, would see any change and speak for no other
    make: Callable = judgement.mean if law in ("N3", "N4") else judgement.rounding
    return make(
        worst,
        reason if moves else f"{reason}; what would move is within its bound",
        enough=moves,
        **{**about(cell, fault), "law": law},
        lanes=int(x.measured.size),
        steps=cell.steps,
        parameters={
            "network": cell.network,
            "optimizer": cell.optimizer,
            "looks": len(seen),
            "families": len(families),
            "left out": sum(look.left_out.get(law, 0) for look in seen),
            "without bound": int((~np.isfinite(x.bound)).sum()),
        },
        powers=powers_of(
            np.subtract(x.measured, x.predicted)[rounds],
            x.bound[rounds],
            {name: y[rounds] for name, y in {"prediction": x.predicted, **x.responses}.items()},
        ),
    )
