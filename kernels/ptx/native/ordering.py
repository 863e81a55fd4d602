"""The instructions of a block in an order in which few of its registers are alive at once.

LLVM puts beside each other what is alike: all products of a residual, then all sums. Of a step with its
residuals some hundred numbers are alive then; a processor has 16 or 32 registers of vectors, and gcc writes
the others to memory and reads them back. Depth first, what is computed is used soon.
"""

from __future__ import annotations

from noether.kernels.evaluation_order import depth_first
from noether.kernels.ptx.control import Flow
from noether.kernels.ptx.parse import Instruction


def reorder(flow: Flow, firsts: dict[int, int]):
    """Put the instructions of every block depth first, those of its two loops apart (widths.parted); a block
    with accesses or guards stays as it is."""
    for block in flow.blocks:
        if not any(i.guard or i.op.meaning in ("load", "store") for i in block.instructions):
            first = firsts.get(block.index, 0)
            parts = block.instructions[:first], block.instructions[first:]
            block.instructions = [i for part in parts for i in ordered(part, flow.varying)]


def ordered(part: list[Instruction], varying: set[str]) -> list[Instruction]:
    """Instructions depth first, where registers are written anew: what reads the old number comes before."""
    operands: list[list[int]] = []
    after: list[list[int]] = []
    last: dict[str, int] = {}  # register -> what wrote it last
    readers: dict[str, list[int]] = {}  # register -> what has read it since
    for at, i in enumerate(part):
        operands.append([last[r] for r in i.reads() if r in last])
        for r in i.reads():
            readers.setdefault(r, []).append(at)
        # A number that nothing reads is an end of its own, and ends keep their order: it needs no edge.
        after.append([n for r in i.results for n in readers.pop(r, ()) if n != at])
        last |= dict.fromkeys(i.results, at)
    read = {a for of in operands for a in of}
    ends = [at for at in range(len(part)) if at not in read]
    takes = [int(any(r in varying for r in i.results)) for i in part]
    return [part[at] for at in depth_first(operands, ends, takes, after)]
