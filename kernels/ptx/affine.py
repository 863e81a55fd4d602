"""Registers that rise by the same step from lane to lane: what holds lane numbers and addresses.

    r(lane l) = r(lane 0) + l stride                                                        (1)

modulo 2^bits. Such a register is one number for all lanes of a block, and an access through it is a piece of
an array. A register has (1) where every definition of it has, with one stride, outside blocks that not every
lane enters. Found by constant propagation: a register has no stride until a definition gives it one, and
none for good where two differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from noether.kernels.ptx.control import Flow
from noether.kernels.ptx.parse import Immediate, Instruction, Kernel, Register, Special
from noether.kernels.ptx.table import width


@dataclass(frozen=True)
class Rise:
    """How a register rises.

    stride  (1), 0 where all lanes have the same
    span    its numbers are from 0 to span - 1; None where that is not known
    """

    stride: int
    span: int | None = None


NONE = Rise(0)  # of a register that is the same in all lanes


def rising(kernel: Kernel, flow: Flow) -> dict[str, Rise]:
    """The registers that differ between lanes and have (1)."""
    return _Propagation(kernel, flow).found()


class _Propagation:
    def __init__(self, kernel: Kernel, flow: Flow):
        self.kernel, self.flow = kernel, flow
        self.defining: dict[str, list[tuple[Instruction, bool]]] = {}
        for block in flow.blocks:
            for i in block.instructions:
                for r in i.results:
                    self.defining.setdefault(r, []).append((i, block.index in flow.masked))
        self.known: dict[str, Rise | None] = {}  # None: it has no one stride

    def found(self) -> dict[str, Rise]:
        before = None
        while before != self.known:
            before = dict(self.known)
            for r in self.flow.varying:
                self.known.update(self.met(r))
        return {r: rise for r, rise in self.known.items() if rise is not None}

    def met(self, r: str) -> dict[str, Rise | None]:
        """What is known of a register by all of its definitions; nothing yet where one reads what is not
        known."""
        rises = []
        for i, is_masked in self.defining.get(r, []):
            if is_masked or i.guard or len(i.results) > 1 or "pred" in i.op.result:
                return {r: None}
            try:
                rises.append(self.of(i))
            except KeyError:  # a register whose definitions come later, as around a loop
                continue
        if not rises or None in rises or len({x.stride for x in rises}) > 1:
            return {r: None} if rises else {}
        return {r: Rise(rises[0].stride, rises[0].span if len(set(rises)) == 1 else None)}

    def of(self, i: Instruction) -> Rise | None:
        """How the result of an instruction rises. Raises KeyError where an operand is not known yet."""
        rule = RULES.get(i.op.meaning)
        kinds = (*i.op.result, *i.op.sources)
        if rule is None or any(t[0] not in "bsu" for t in kinds) or width(i.op.result[0]) < 32:
            return None
        rises = [self.operand(s) for s in i.sources]
        if all(x is not None and x.stride == 0 for x in rises):
            return NONE
        return None if None in rises else rule(self, i, *rises)

    def operand(self, source) -> Rise | None:
        """How an operand rises. Raises KeyError where that is not known yet."""
        if isinstance(source, Special):
            return Rise(1, self.kernel.threads) if source.name == "%tid.x" else NONE
        if isinstance(source, Immediate) or source.name not in self.flow.varying:
            return NONE
        return self.known[source.name]

    def divisor(self, source) -> int:
        """A power of two that divides an operand that is the same in all lanes."""
        if isinstance(source, Immediate):
            return source.bits & -source.bits or 1 << 64
        ways = self.defining.get(source.name, []) if isinstance(source, Register) else []
        if len(ways) != 1 or ways[0][0].guard:
            return 1
        i = ways[0][0]
        if i.op.meaning in ("mov", "cvt") and i.op.result[0][0] in "bsu" and i.op.sources[0][0] in "bsu":
            return self.divisor(i.sources[0])
        if i.op.meaning in ("wide", "imul"):
            return max(self.divisor(s) for s in i.sources)
        if i.op.meaning == "shl" and isinstance(i.sources[1], Immediate):
            return 1 << min(i.sources[1].bits, 64)
        return 1


def _same(at: _Propagation, i: Instruction, x: Rise) -> Rise | None:
    return x


def _sum(at: _Propagation, i: Instruction, x: Rise, y: Rise) -> Rise | None:
    return Rise(x.stride + y.stride)


def _difference(at: _Propagation, i: Instruction, x: Rise, y: Rise) -> Rise | None:
    return Rise(x.stride - y.stride)


def _cut(at: _Propagation, i: Instruction, x: Rise, y: Rise) -> Rise | None:
    """`and` with a mask of low bits that cuts nothing off."""
    mask = i.sources[1]
    fits = isinstance(mask, Immediate) and mask.bits & (mask.bits + 1) == 0
    return x if fits and x.span is not None and x.span - 1 <= mask.bits else None


def _joined(at: _Propagation, i: Instruction, x: Rise, y: Rise) -> Rise | None:
    """`or` of a multiple and of what is below it: a sum."""
    for rise, other in ((x, i.sources[1]), (y, i.sources[0])):
        alike = y if rise is x else x
        if alike == NONE and rise.span is not None and at.divisor(other) >= rise.span:
            return Rise(rise.stride)
    return None


def _extended(at: _Propagation, i: Instruction, x: Rise) -> Rise | None:
    """A conversion that keeps the number: of one below 2^(bits - 1) of the narrower type."""
    narrow = min(width(i.op.sources[0]), width(i.op.result[0]))
    return x if x.span is not None and x.span <= 2 ** (narrow - 1) else None


def _shifted(at: _Propagation, i: Instruction, x: Rise, y: Rise) -> Rise | None:
    by = i.sources[1]
    if not isinstance(by, Immediate) or by.bits >= width(i.op.result[0]):
        return None
    return Rise(x.stride << by.bits)


def _sum_of_product(at: _Propagation, i: Instruction, x: Rise, y: Rise, z: Rise) -> Rise | None:
    """x y + z, where x y is the same in all lanes."""
    return Rise(z.stride) if x.stride == y.stride == 0 else None


def _product(at: _Propagation, i: Instruction, x: Rise, y: Rise) -> Rise | None:
    """A product with a literal; one of twice the width where the other factor keeps its number in it."""
    for rise, by in ((x, i.sources[1]), (y, i.sources[0])):
        if isinstance(by, Immediate):
            is_kept = i.op.meaning == "imul" or (rise.span or 2**31) < 2**31
            return Rise(rise.stride * by.bits) if is_kept and by.bits < 2**31 else None
    return None


RULES = {"mov": _same, "iadd": _sum, "isub": _difference, "and": _cut, "or": _joined, "cvt": _extended}
RULES |= {"shl": _shifted, "imul": _product, "wide": _product, "imad": _sum_of_product}
