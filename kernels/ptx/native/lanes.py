"""The registers of a kernel as C variables, and the loop over lanes that is being written."""

from __future__ import annotations

from dataclasses import dataclass, field

from noether.kernels.ptx.affine import rising
from noether.kernels.ptx.control import Flow
from noether.kernels.ptx.native.expression import read, words
from noether.kernels.ptx.native.widths import broad
from noether.kernels.ptx.parse import Immediate, Instruction, Kernel, Register, Special
from noether.kernels.ptx.table import width


@dataclass
class Loop:
    """One loop over lanes, and the accesses after it.

    exposed   registers read before they are defined here
    reads     uniform registers read here
    pending   registers that the calls after the loop fill, and held those that they read
    carried   (C expression, bits) -> the array that takes it to the calls
    """

    lines: list[str] = field(default_factory=list)
    exposed: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    carried: dict[tuple[str, int], str] = field(default_factory=dict)
    block: int = 0
    at: int = 0


class Lanes:
    """names: C variables; masks: bits of predicates; kept: registers that keep their value in some lanes;
    gates: one mask for each block that not every lane enters; rises: registers that are one C variable, that
    of lane 0, and rise from lane to lane (kernels/ptx/affine.py); at_first: whether lane 0 is meant."""

    def __init__(self, kernel: Kernel, flow: Flow):
        self.kernel, self.flow = kernel, flow
        self.rises = {r: rise.stride for r, rise in rising(kernel, flow).items()}
        self.lanewise = flow.varying - self.rises.keys()
        self.at_first = False
        self.names = {
            r: f"{'p' if kind == 'pred' else 'r'}{k}" for k, (r, kind) in enumerate(kernel.registers.items())
        }
        self.broad = broad(kernel)
        self.instructions = [i for b in flow.blocks for i in b.instructions]
        self.defined = {r for i in self.instructions for r in i.results} - {"_"}
        self.masks = self._mask_widths()
        bits = max([self.masks[e[0][0]] for b in flow.blocks for e in b.edges if e[0]], default=32)
        self.gates = {self.gate(b) for b in flow.masked}
        self.names |= {self.gate(b): f"m{b}" for b in flow.masked}
        self.masks |= {g: bits for g in self.gates}
        self.kept: set[str] = set()
        self.loop = Loop()

    def _mask_widths(self) -> dict[str, int]:
        """Predicates are as wide as what is compared: no conversion where they choose."""
        wide: dict[str, int] = {}
        while True:
            before = dict(wide)
            for i in self.instructions:
                if "pred" in i.op.result:
                    each = zip(self._registers(i), i.op.sources, strict=True)
                    source = max(wide.get(r, 32) if t == "pred" else self._word(r, t) for r, t in each)
                    wide |= {r: max(wide.get(r, 32), source) for r in i.results}
            if wide == before:
                return wide

    def _word(self, register: str | None, kind: str) -> int:
        return 64 if register in self.broad else words(width(kind))

    def _registers(self, i: Instruction) -> list[str | None]:
        return [s.name if isinstance(s, Register) else None for s in i.sources]

    def bits(self, r: str) -> int:
        """Bits of the C variable of a register."""
        if r in self.broad:
            return 64
        return self.masks[r] if r in self.masks else words(width(self.kernel.registers[r]))

    def gate(self, block: int) -> str:
        """The register that holds which lanes are in a block."""
        return f"&{block}"

    def varies(self, register: str) -> bool:
        """Whether a register may differ between lanes, and not by a constant rise."""
        return register in self.lanewise or register in self.gates

    def variable(self, register: str) -> str:
        """The C name of a register; the present loop is noted to read it."""
        if not self.varies(register):
            self.loop.reads.add(register)
        elif register not in self.loop.defined:
            self.loop.exposed.add(register)
        name, bits = self.names[register], self.bits(register)
        if register not in self.rises or self.at_first:
            return name
        stride = self.rises[register] % 2**bits
        return f"({name} + (u{bits})l * {stride:#x}{'ull' if bits == 64 else 'u'})"

    def mask(self, register: str, bits: int) -> str:
        """A predicate as a mask of so many bits."""
        name, have = self.variable(register), self.masks.get(register, 32)
        return name if have == bits else f"(u32){name}" if bits == 32 else f"(u64)(s64)(s32){name}"

    def operand(self, source, kind: str, bits: int = 32) -> str:
        """The bits of an operand, cut to its width; a predicate as a mask of `bits`."""
        if isinstance(source, Register):
            if kind == "pred":
                return self.mask(source.name, bits)
            have, n = width(self.kernel.registers[source.name]), width(kind)
            if source.name in self.broad and source.name in self.defined:
                return self.variable(source.name)
            if source.name not in self.defined:
                # A half that nobody reads, as the evaluator has it.
                return "~0ull" if n == 64 else f"{(1 << n) - 1:#x}u"
            return read(self.variable(source.name), have, f"b{n}")
        if isinstance(source, Immediate) and kind == "pred":
            return ("~0ull" if bits == 64 else "~0u") if source.bits else "0u"
        if isinstance(source, Immediate):
            return f"{source.bits:#x}{'ull' if width(kind) == 64 else 'u'}"
        assert isinstance(source, Special)
        special = {
            "%tid.x": "(u32)start" if self.at_first else "(u32)(start + l)",
            "%ctaid.x": "(u32)block",
            "%ntid.x": f"{self.kernel.threads}u",
            "%nctaid.x": "(u32)blocks",
        }
        return special[source.name]

    def condition(self, i: Instruction, act: str, bits: int) -> str:
        """The mask of the lanes that execute an instruction; '' where all do."""
        both = [self.mask(act, bits)] if act else []
        if i.guard:
            both.append(("~" if i.guard[1] else "") + self.mask(i.guard[0], bits))
        return " & ".join(both)

    def define(self, r: str, bits: str, line: int):
        self.loop.lines.append(f"{self.names[r]} = {bits};")
        self.loop.carried = {k: v for k, v in self.loop.carried.items() if self.names[r] not in k[0]}
        self.loop.defined.add(r)
        self.loop.at = self.loop.at or line
