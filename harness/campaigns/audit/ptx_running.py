"""The running error of an executed PTX kernel: the bits that it stores, and beside each what it means.

A kernel is evaluated as kernels/ptx/evaluate.py does it, and beside every instruction the same operation is
done in wide arithmetic: for each stored element there are its bits, the value that the same operations have
without rounding, and a bound on how far rounding may have taken the bits. Choices fall as they
do without rounding; where the executed one may fall the other way, the distance of what is chosen from is
part of the bound. Branches and masks follow the bits: where rounding can turn one, nothing is decided. Where
bits are handled in a way that is not understood the bound is infinite, and the instruction is named: such a
kernel is not decided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.campaigns.audit.ptx_frame import WideFrame
from noether.campaigns.audit.ptx_memory import Array, Shadows
from noether.campaigns.audit.ptx_numbers import KIND, SLACK
from noether.campaigns.audit.ptx_shadow import Notes
from noether.kernels.ptx.evaluate import BATCH, arguments, prepared
from noether.optimizers.running import WIDE, Running, running


@dataclass
class Executed:
    """What an evaluation in wide arithmetic found beside what it wrote into the arrays.

    notes     what is not understood, rounded in one direction, or chosen within the bounds
    unpinned  mnemonic -> instructions of the text whose bits PTX does not fix
    """

    notes: Notes
    unpinned: dict[str, int]

    def named(self, *arrays: Array) -> list[str]:
        """The instructions that are not understood, where they reached these arrays."""
        finite = all(np.isfinite(array.number.error).all() for array in arrays)
        return [*self.notes.turned, *([] if finite else self.notes.unknown)]

    def undecided(self, *arrays: Array) -> str:
        """Why these arrays cannot be judged: the instructions behind an infinite bound, or those on which it
        depends what is stored at all; '' where they can."""
        why = self.named(*arrays)
        if not why and all(np.isfinite(array.number.error).all() for array in arrays):
            return ""
        why = why or ["a divisor may be 0, or a number may overflow"]
        return f"not decided: {why[0]}" + (f", and {len(why) - 1} more" if len(why) > 1 else "")


def run(
    kernel, args: list, blocks: int, *, rounds: bool = True, batch: int = BATCH, visits: int | None = None
) -> Executed:
    """Run `blocks` CTAs of a kernel (PTX text, or anything with a .ptx), and write the arrays in place.

    args   one for each parameter: an Array, whose wide values and errors are kept as well; a contiguous numpy
           array of integers; a number. A float means itself, though the kernel is given it rounded
    rounds False: errors are bounds on how far wide values may be from what is meant, which wide arithmetic
           and the decimals of literals leave open
    batch  lanes evaluated together;  visits  at most so many basic blocks in each batch

    Raises Refused, OutOfBounds, TypeError, Endless, as noether.kernels.ptx.evaluate does.
    """
    parsed, flow, _ = prepared(getattr(kernel, "ptx", kernel))
    plain = [a.bits if isinstance(a, Array) else a for a in args]
    values, memory = arguments(parsed, list(plain))
    for k, a in enumerate(args):
        if isinstance(a, Array):
            values[k] = values[k] + values[k].dtype.type(a.start * a.bits.itemsize)
    notes = Notes(rounds=rounds)
    shadows = Shadows({k: a for k, a in enumerate(args) if isinstance(a, Array)}, notes)
    given = {
        k: (KIND[kind], passed(a, values[k], rounds))
        for k, ((kind, _), a) in enumerate(zip(parsed.params, args, strict=False))
        if kind in KIND
    }
    most, frame = min(blocks, max(1, batch // parsed.threads)), None
    with np.errstate(all="ignore"):
        for first in range(0, blocks, most):
            ctas = min(most, blocks - first)
            if frame is None or frame.ctas != ctas:
                about = dict(shadows=shadows, given=given, notes=notes)
                frame = WideFrame(parsed, flow, values, memory, ctas, blocks, **about)
            frame.run(first, visits)
    return Executed(notes, dict(parsed.unpinned))


def passed(number: float, bits: np.ndarray, rounds: bool) -> Running:
    """A float as it was meant, and how far what the kernel was given is from it."""
    value, real = WIDE(number), WIDE(bits)
    if value == real or np.isnan(value) or not rounds:
        return running(value)
    return Running(value, np.abs(value - real))


def spent(array: Array) -> np.ndarray:
    """How much of its bound each element spends: at most 1 where rounding explains it.

    0 where the bits are the value, NaN for NaN and infinities among them; infinite where a finite value has
    other bits.
    """
    real, value, error = array.real, array.number.value, array.number.error * SLACK
    same = (real == value) | (np.isnan(real) & np.isnan(value))
    with np.errstate(all="ignore"):
        off = np.abs(real - value) / error
    return np.where(same, 0.0, np.where(np.isnan(off), np.inf, off)).astype(float)
