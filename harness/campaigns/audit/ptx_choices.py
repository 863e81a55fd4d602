"""What a predicate of PTX means: which way it falls without rounding, and where rounding can turn it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.campaigns.audit.ptx_bits import line
from noether.campaigns.audit.ptx_numbers import KIND
from noether.campaigns.audit.ptx_shadow import Fields
from noether.kernels.ptx.parse import Instruction, Register
from noether.kernels.ptx.semantics import RELATION
from noether.optimizers.running import Running


@dataclass(frozen=True)
class Choice:
    """A predicate that rounding can turn somewhere.

    truth   which way it falls without rounding
    unsure  where what is executed may fall the other way; without roundings in the bounds, where `truth` may
    """

    truth: np.ndarray
    unsure: np.ndarray


LOGIC = {
    "pand": np.logical_and,
    "por": np.logical_or,
    "pxor": np.logical_xor,
    "pnot": np.logical_not,
    "mov": np.asarray,
}


def compared(i: Instruction, frame) -> list[Choice | None]:
    """What each predicate of an instruction means; None where what is executed is what is meant."""
    op = i.op
    if op.meaning != "setp":
        return [joined(i, frame)]
    kind = op.sources[0].removesuffix("x2")
    if kind not in KIND:
        return [of_bits(i, frame)]
    if i.sources[0] == i.sources[1] or op.detail in ("num", "nan"):
        return [None] * len(i.results)  # whether it is a number at all
    found = []
    for k in range(len(i.results)):
        x, y = (frame.number(s, kind, 16 * k) for s in i.sources)
        unsure = untold(x, y)
        if unsure.any():
            frame.notes.choices[line(i)] = frame.notes.choices.get(line(i), 0) + int(unsure.sum())
        # Without roundings in the bounds the bits may be far from them: they never choose.
        chooses = unsure.any() or not frame.notes.rounds
        found.append(Choice(related(op.detail, x.value, y.value), unsure) if chooses else None)
    return found


def untold(a: Running, b: Running) -> np.ndarray:
    """Where the executed numbers may compare otherwise than the wide ones do."""
    reach = a.error + b.error
    return (reach > 0) & ~(np.abs(a.value - b.value) > reach)


def related(detail: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether wide values stand in a relation of setp."""
    if detail in ("one", "equ"):
        either = (a < b) | (a > b)
        return either if detail == "one" else ~either
    ufunc, negated = RELATION[detail]
    return ~ufunc(a, b) if negated else ufunc(a, b)


def joined(i: Instruction, frame) -> Choice | None:
    """A predicate made of others: unsure where one is unsure and the others leave it to it."""
    known = [frame.unsure.get(s.name) if isinstance(s, Register) else None for s in i.sources]
    if all(x is None for x in known):
        return None
    sides = []
    for s, x in zip(i.sources, known, strict=True):
        sides.append((x.truth, x.unsure) if x else (frame.view(s.name, "pred").copy(), np.array(False)))
    truth = LOGIC[i.op.meaning](*(t for t, _ in sides))
    if len(sides) == 1 or i.op.meaning == "pxor":
        return Choice(truth, np.logical_or.reduce(np.broadcast_arrays(*(u for _, u in sides))))
    (a, p), (b, q) = sides
    opens = (lambda t, u: t | u) if i.op.meaning == "pand" else (lambda t, u: ~t | u)
    unsure = (p & opens(b, q)) | (q & opens(a, p))
    return Choice(truth, unsure)


def of_bits(i: Instruction, frame) -> None:
    """A comparison of integers is sure where no number went into them, or exact ones only; else it is noted
    as one that rounding can turn."""
    for s in i.sources:
        x = frame.shadow(s)
        exact = x is None or (isinstance(x, Fields) and not any(np.any(y.error) for _, y in x.at.values()))
        if not exact:
            frame.notes.turned[f"{line(i)}, a comparison of bits that rounding can turn"] = None
