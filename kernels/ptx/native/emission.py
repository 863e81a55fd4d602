"""Translating a parsed kernel to C: blocks run on threads, lanes of a block in SIMD loops.

uniform registers      C scalars; uniform branches are gotos
everything else        `for (l = 0; l < W; l++)` over the lanes of an item, one loop from a jump or a load
                       to the next
lanes that part        run on under masks to the block where they meet, in the same loop
registers across loops arrays of W
what rises             C scalars too, of lane 0: addresses, lane numbers (kernels/ptx/affine.py)
"""

from __future__ import annotations

from noether.kernels.ptx.control import Flow, analyse
from noether.kernels.ptx.native.expression import expression, pick, read, refusal, words
from noether.kernels.ptx.native.layout import Translation, layout
from noether.kernels.ptx.native.moves import Moves
from noether.kernels.ptx.native.ordering import reorder
from noether.kernels.ptx.native.widths import parted, small
from noether.kernels.ptx.parse import Instruction, Kernel, parse
from noether.kernels.ptx.table import Refused, halved, width


def translate(ptx: str) -> Translation:
    """Translate a kernel to C. Raises Refused, naming opcode and PTX line, for what has no C here."""
    kernel = parse(ptx)
    flow = analyse(kernel)
    for i in kernel.instructions:
        why = refusal(i.op)
        if (
            not why
            and i.op.meaning in ("load", "param")
            and any(
                t[0] == "f" and r != "_" and width(kernel.registers[r]) != width(t)
                for r, t in zip(i.results, i.op.result, strict=True)
            )
        ):
            why = "a float is loaded into a wider register"
        if why:
            raise Refused(i.op.mnemonic, i.line, why, i.text)
    firsts = parted(kernel, flow)
    reorder(flow, firsts)
    writer = _Writer(kernel, flow, firsts)
    writer.run()
    return layout(writer)


class _Writer(Moves):
    def __init__(self, kernel: Kernel, flow: Flow, firsts: dict[int, int]):
        super().__init__(kernel, flow)
        self.firsts = firsts  # by block, after how many of its instructions another loop begins
        self.merged: set[int] = set()

    # ---- instructions

    def instruction(self, i: Instruction, act: str):
        if self.loop.pending & {*i.reads(), *i.results} or self.loop.held & set(i.results):
            self.flush()
        if i.op.meaning in ("load", "store"):
            self.access(i, act)
            return
        if any(r in self.limits for r in i.results):
            self.items.append(self.limit(i))
        if set(i.results) & self.counted:
            return
        if any(r in self.lanewise for r in i.results):
            for r, bits in self.results(i):
                self.assign(i, r, bits, act)
        else:
            self.scalar(i)

    def results(self, i: Instruction):
        """(register, bits) one after another; the operands of all are read first."""
        op = i.op
        if op.meaning == "param":
            bits, whole = width(op.result[0]), width(self.kernel.registers[i.results[0]])
            value = f"params[{i.sources[0].index}]"
            if whole > bits and op.result[0][0] == "s":
                value = f"(s64)(s{bits}){value}"
            yield i.results[0], f"(u{words(whole)}){value}" + (" & 0xffffu" if whole == 16 else "")
        elif op.meaning == "unpack":
            whole = self.operand(i.sources[0], op.sources[0])
            part = width(op.result[0])
            for k, r in enumerate(i.results):
                if r != "_":
                    yield r, read(f"({whole} >> {k * part})", width(op.sources[0]), f"b{part}")
        elif op.result == ("pred", "pred"):
            one, whole = halved(op), [self.operand(s, t) for s, t in zip(i.sources, op.sources, strict=True)]
            for k, r in enumerate(i.results):
                yield r, expression(one, [f"(({x} >> {16 * k}) & 0xffffu)" for x in whole], self.masks[r])
        else:
            r = i.results[0]
            if self.broad & {r, *i.reads()}:
                yield (
                    r,
                    small(i, [self.operand(s, t, 64) for s, t in zip(i.sources, op.sources, strict=True)]),
                )
                return
            bits = self.masks[r] if op.result == ("pred",) else words(width(op.result[0]))
            yield (
                r,
                expression(
                    op, [self.operand(s, t, bits) for s, t in zip(i.sources, op.sources, strict=True)], bits
                ),
            )

    def assign(self, i: Instruction, r: str, bits: str, act: str):
        whole = self.bits(r)
        condition = self.condition(i, act, whole)
        if condition and (i.guard or self.times[r] > 1):
            bits = pick(condition, bits, self.variable(r))
            self.kept.add(r)
        self.define(r, bits, i.line)

    def scalar(self, i: Instruction):
        """A uniform register; computed before the present loop, which must not read what it replaces."""
        reads, self.at_first = set(self.loop.reads), True
        lines = []
        for r, bits in self.results(i):
            condition = self.condition(i, "", self.bits(r))
            lines.append(f"{self.names[r]} = {pick(condition, bits, self.names[r]) if condition else bits};")
        self.loop.reads, self.at_first = reads, False
        if reads & set(i.results):
            self.flush()
        self.items += lines

    # ---- control flow

    def run(self):
        flow = self.flow
        masked = flow.masked
        entries = {
            b.index: [u.index for u in flow.blocks if any(t == b.index for _, t in u.edges)]
            for b in flow.blocks
        }
        for head, region in flow.regions.items():
            inside = {head, *region.order}
            if set(entries[region.join]) <= inside and region.join != flow.exit:
                self.merged.add(region.join)
        for b in flow.blocks[:-1]:
            if b.index not in masked and b.index not in self.merged:
                self.flush()
                self.loop.block = b.index
                self.items.append(f"L{b.index}:;")
                self.block(b.index)

    def block(self, at: int):
        flow = self.flow
        block, region = flow.blocks[at], flow.regions.get(at)
        self.items.append("if (++visited > visits) { failed(faults, ENDLESS, 0, block, 0, 0); goto end; }")
        for k, i in enumerate(block.instructions):
            if k and k == self.firsts.get(at):
                self.flush()
            if not self.is_fill(i, next(iter(block.instructions[k + 1 : k + 2]), None)):
                self.instruction(i, "")
        if region is None:
            self.flush()
            for guard, target in block.edges:
                test = f"if ({'!' if guard[1] else ''}{self.names[guard[0]]}) " if guard else ""
                self.items.append(f"{test}goto {self.label(target)};")
            return
        for b in region.order:
            self.define(self.gate(b), "0", 0)
        self.edges(at, "", region)
        for b in region.order:
            act = self.gate(b)
            for i in flow.blocks[b].instructions:
                self.instruction(i, act)
            self.edges(b, act, region)
        if region.join in self.merged:
            self.block(region.join)
        else:
            self.flush()
            self.items.append(f"goto {self.label(region.join)};")

    def edges(self, b: int, act: str, region):
        """Add the lanes that leave b to the masks of its successors."""
        for guard, target in self.flow.blocks[b].edges:
            if target != region.join:
                gate = self.gate(target)
                sides = [self.mask(act, self.masks[gate])] if act else []
                if guard:
                    sides.append(("~" if guard[1] else "") + self.mask(guard[0], self.masks[gate]))
                self.define(gate, f"{self.variable(gate)} | ({' & '.join(sides) or '~0ull'})", 0)

    def label(self, block: int) -> str:
        return "end" if block == self.flow.exit else f"L{block}"
