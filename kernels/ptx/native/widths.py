"""Which words a lane loop is made of: a compiler is to take as many lanes at a time as one vector has of its
widest numbers.

gcc takes as many as there are of the narrowest: one 32-bit word in a loop of float64, and every float64 is in
two registers, of which there are too few (gcc 12). Two things bring such words.

Bits of 16. LLVM gathers comparisons of float64 in a b16, one bit each. `broad` are the registers that may
stand in 64 bits instead: only those operations touch them that `small` has.

float32 beside float64. Where the float32 operations of a block need nothing of the float64 ones, `parted`
puts them first, conversions to float64 the last of them: two loops, each of one width.
"""

from __future__ import annotations

from dataclasses import replace

from noether.kernels.ptx.control import Flow
from noether.kernels.ptx.native.expression import pick
from noether.kernels.ptx.parse import Immediate, Instruction, Kernel, Register
from noether.kernels.ptx.table import TABLE, width

BITS = {"and": "&", "or": "|", "xor": "^"}


def is_small(i: Instruction) -> bool:
    """Whether an instruction is one of those that `small` has."""
    op = i.op
    if op.meaning not in (*BITS, "shl", "selp", "mov", "setp"):
        return False
    if any(width(t) not in (1, 16) or t == "f16" for t in (*op.result, *op.sources[:1])):
        return False
    if op.meaning == "shl":
        return isinstance(i.sources[1], Immediate) and i.sources[1].bits < 16
    return op.meaning != "setp" or op.detail in ("eq", "ne")


def small(i: Instruction, a: list[str]) -> str:
    """The result of an instruction on 16 bits in words of 64, whose upper bits are and stay 0."""
    if i.op.meaning == "selp":
        return pick(a[2], a[0], a[1])
    if i.op.meaning == "shl":
        return f"(({a[0]} << {i.sources[1].bits}) & 0xffffull)"
    if i.op.meaning == "setp":
        return f"MASK64({a[0]} {'==' if i.op.detail == 'eq' else '!='} {a[1]})"
    return f"({a[0]} {BITS[i.op.meaning]} {a[1]})" if i.op.meaning in BITS else a[0]


def broad(kernel: Kernel) -> set[str]:
    """The registers of 16 bits that stand in 64, in a kernel that computes in float64."""
    if not any("f64" in (*i.op.result, *i.op.sources) for i in kernel.instructions):
        return set()
    found = {r for r, kind in kernel.registers.items() if width(kind) == 16}
    before = None
    while before != found:
        before = set(found)
        for i in kernel.instructions:
            touched = {*i.reads(), *i.results}
            narrow = {r for r in touched - {"_"} if width(kernel.registers[r]) == 16}
            if narrow and not (is_small(i) and narrow <= found):
                found -= touched
    return found


def parted(kernel: Kernel, flow: Flow) -> dict[int, int]:
    """Put the operations of 32 bits of every block first, where they need nothing of the others; returns how
    many stand first, by the index of the block.

    What others still read under its old value, and what LLVM lets a conversion overwrite, is computed into a
    register of its own, and moved where it stood. A block with accesses or guards stays as it is.
    """
    found = {}
    for block in flow.blocks:
        if not any(i.guard or i.op.meaning in ("load", "store") for i in block.instructions):
            parts = _Parts(kernel, flow)
            for i in block.instructions:
                parts.enter(i)
            if parts.are_two:
                block.instructions = [*parts.first, *parts.rest]
                found[block.index] = len(parts.first)
    return found


class _Parts:
    """first, rest: instructions; read, written: registers of the rest; under: register -> the one in which
    the first instructions have its present value."""

    def __init__(self, kernel: Kernel, flow: Flow):
        self.kernel, self.flow = kernel, flow
        self.first: list[Instruction] = []
        self.rest: list[Instruction] = []
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.under: dict[str, str] = {}

    @property
    def are_two(self) -> bool:
        """Whether there is float32 in the first part and float64 in the rest."""
        has = lambda part, kind: any(kind in i.op.result for i in part)
        return has(self.first, "f32") and has([i for i in self.rest if i.op.meaning != "mov"], "f64")

    def enter(self, i: Instruction):
        """The next instruction of the block."""
        needs = {r for r in i.reads() if r in self.written and r not in self.under}
        clashes = set(i.results) & (self.read | self.written)
        if not is_narrow(i) or needs or (clashes and "pred" in i.op.result):
            self.late(i)
            return
        sources = tuple(
            Register(self.under.get(s.name, s.name)) if isinstance(s, Register) else s for s in i.sources
        )
        if not clashes:
            self.first.append(replace(i, sources=sources))
            return
        (r,) = i.results
        name = f"{r}'{len(self.kernel.registers)}"
        self.kernel.registers[name] = self.kernel.registers[r]
        self.flow.varying.update({name} if r in self.flow.varying else ())
        self.first.append(replace(i, sources=sources, results=(name,)))
        move = TABLE[f"mov.b{width(self.kernel.registers[r])}"]
        self.late(Instruction(move, (r,), (Register(name),), None, i.line, i.text))
        self.under[r] = name

    def late(self, i: Instruction):
        """An instruction of the rest."""
        self.rest.append(i)
        self.read |= set(i.reads())
        self.written |= set(i.results)
        for r in i.results:
            self.under.pop(r, None)


def is_narrow(i: Instruction) -> bool:
    """Whether an instruction belongs to the loop of 32 bits: by its operands, so that a conversion does, and
    so does a constant."""
    has_one = len(i.results) == 1 and i.op.meaning != "param" and not is_small(i)
    return has_one and all(width(t) <= 32 for t in i.op.sources)
