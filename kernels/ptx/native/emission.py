"""Translating a parsed kernel to C: blocks run on threads, lanes of a block in SIMD loops.

uniform registers      C scalars; uniform branches are gotos
everything else        `for (l = 0; l < W; l++)` over the lanes of an item, one loop from a jump or a load
                       to the next
lanes that part        run on under masks to the block where they meet, in the same loop
registers across loops arrays of W
"""

from __future__ import annotations

from collections import Counter

from noether.kernels.ptx.control import Flow, analyse
from noether.kernels.ptx.native.access import Shape
from noether.kernels.ptx.native.expression import expression, pick, read, refusal, words
from noether.kernels.ptx.native.lanes import Lanes, Loop
from noether.kernels.ptx.native.layout import Translation, layout
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
    writer = _Writer(kernel, flow)
    writer.run()
    return layout(writer)


class _Writer(Lanes):
    def __init__(self, kernel: Kernel, flow: Flow):
        super().__init__(kernel, flow)
        self.times = Counter(r for b in flow.blocks for i in b.instructions for r in i.results)
        self.items: list = []  # C statements of an item: str, or Loop
        self.arrays: set[str] = set()  # registers that calls fill
        self.shapes: dict[str, Shape] = {}
        self.places: list[Instruction] = []
        self.pool: dict[str, int] = {}  # arrays that carry operands of accesses: name -> bits
        self.used: dict[int, int] = {}
        self.merged: set[int] = set()

    # ---- instructions

    def instruction(self, i: Instruction, act: str):
        if self.loop.pending & {*i.reads(), *i.results}:
            self.flush()
        if i.op.meaning in ("load", "store"):
            self.access(i, act)
            return
        if any(r in self.flow.varying for r in i.results):
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
        reads = set(self.loop.reads)
        lines = []
        for r, bits in self.results(i):
            condition = self.condition(i, "", self.bits(r))
            lines.append(f"{self.names[r]} = {pick(condition, bits, self.names[r]) if condition else bits};")
        self.loop.reads = reads
        if reads & set(i.results):
            self.flush()
        self.items += lines

    def access(self, i: Instruction, act: str):
        op, store = i.op, i.op.meaning == "store"
        kinds = op.sources[1:] if store else op.result
        size = width(kinds[0]) // 8
        place = len(self.places)
        self.places.append(i)
        at = i.sources[0]
        uniform = (
            not store
            and not act
            and all(r not in self.flow.varying for r in (*i.results, at.base))
            and i.results != ("_",) * len(kinds)
        )
        if uniform:
            self.flush()
            self.uniform_load(i, size, place)
            return
        address = self.carry(f"({self.variable(at.base)} + {at.offset % 2**64:#x}ull)", 64, i.line)
        condition = self.condition(i, act, 32)
        masked = [self.carry(condition, 32, i.line)] if condition else []
        if store:
            homes = [words(width(k)) for k in kinds]
            values = [
                self.carry(self.operand(s, f"b{width(k)}"), w, i.line)
                for s, k, w in zip(i.sources[1:], kinds, homes, strict=True)
            ]
        else:
            homes = [0 if r == "_" else words(width(self.kernel.registers[r])) for r in i.results]
            values = ["0" if r == "_" else f"a_{self.names[r]}" for r in i.results]
            loaded = {r for r in i.results if r != "_"}
            self.arrays |= loaded
            self.kept |= loaded if condition else set()
        shape = Shape(store, size, tuple(homes), kinds[0][0] == "s" and not store, bool(masked))
        self.shapes[shape.name] = shape
        passed = ["arrays, count, faults", str(place), "block", address, *masked, *values]
        self.loop.calls.append(f"if ({shape.name}({', '.join(passed)})) goto end;")
        if not store:
            self.loop.pending |= loaded

    def carry(self, value: str, bits: int, line: int) -> str:
        """An array that holds an operand until the loop is through."""
        if (value, bits) in self.loop.carried:
            return self.loop.carried[value, bits]
        k = self.used[bits] = self.used.get(bits, 0) + 1
        name = f"c{bits}_{k}"
        self.pool[name] = bits
        self.loop.lines.append(f"{name}[l] = {value};")
        self.loop.at = self.loop.at or line
        self.loop.carried[value, bits] = name
        return name

    def uniform_load(self, i: Instruction, size: int, place: int):
        step = size * len(i.results)
        at = f"{self.names[i.sources[0].base]} + {i.sources[0].offset % 2**64:#x}ull"
        lines = [
            f"u8 *at = reach(arrays, count, faults, {place}, block, {at}, {at}, {step}); if (!at) goto end;"
        ]
        for k, (r, kind) in enumerate(zip(i.results, i.op.result, strict=True)):
            if r != "_":
                sign, word = "s" if kind[0] == "s" else "u", words(width(self.kernel.registers[r]))
                cut = " & 0xffffu" if width(self.kernel.registers[r]) == 16 else ""
                lines.append(
                    f"{sign}{8 * size} x{k}; memcpy(&x{k}, at + {k * size}, {size}); {self.names[r]} = "
                    f"(u{word})({sign}{word})x{k}{cut};"
                )
        guard = f"if ({'!' if i.guard[1] else ''}{self.names[i.guard[0]]}) " if i.guard else ""
        self.items.append(guard + "{ " + " ".join(lines) + " }")

    def flush(self):
        if self.loop.lines or self.loop.calls:
            self.items.append(self.loop)
        self.loop = Loop(block=self.loop.block)
        self.used = {}

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
        for i in block.instructions:
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
