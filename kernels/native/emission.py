"""A parsed kernel as C: work items over threads of the machine, lanes of one item over SIMD.

    uniform registers      C scalars; uniform branches are gotos
    everything else        `for (l = 0; l < W; l++)` over the lanes of an item, one loop from a jump or a load to the next
    lanes that part        run on under masks to the block where they meet, in the same loop
    registers across loops arrays of W
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kernels.native import prelude
from kernels.native.access import Shape
from kernels.native.expression import expression, parts, pick, read, refusal, words
from kernels.ptx.control import Flow, analyse
from kernels.ptx.parse import Immediate, Instruction, Kernel, Register, Special, parse
from kernels.ptx.table import Refused, width

LANES = 128  # most lanes of a work item: 20 registers of them stay in a first-level cache


@dataclass
class Loop:
    """One lane loop. exposed: registers read before they are defined here; reads: uniform ones; calls after it."""

    lines: list[str] = field(default_factory=list)
    exposed: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    block: int = 0
    at: int = 0


@dataclass(frozen=True)
class Translation:
    """C of one kernel. loops: (first line in the C text, PTX line, inside a cycle); places: the accesses of the text."""

    kernel: Kernel
    text: str
    loops: tuple[tuple[int, int, bool], ...]
    places: tuple[Instruction, ...]
    lanes: int


def translate(ptx: str) -> Translation:
    """Raises Refused, naming opcode and PTX line, for what has no C here."""
    kernel = parse(ptx)
    flow = analyse(kernel)
    for i in kernel.instructions:
        why = refusal(i.op)
        if not why and i.op.meaning in ("load", "param") and any(
            t[0] == "f" and r != "_" and width(kernel.registers[r]) != width(t) for r, t in zip(i.results, i.op.result, strict=True)
        ):
            why = "a float is loaded into a wider register"
        if why:
            raise Refused(i.op.mnemonic, i.line, why, i.text)
    return _Writer(kernel, flow).finish()


class _Writer:
    def __init__(self, kernel: Kernel, flow: Flow):
        self.kernel, self.flow = kernel, flow
        self.names = {r: f"{'p' if kind == 'pred' else 'r'}{k}" for k, (r, kind) in enumerate(kernel.registers.items())}
        self.defined = {r for i in kernel.instructions for r in i.results} - {"_"}
        self.times: dict[str, int] = {}
        for b in flow.blocks:
            for i in b.instructions:
                for r in i.results:
                    self.times[r] = self.times.get(r, 0) + 1
        self.masks = self._mask_widths()
        bits = max([self.masks[e[0][0]] for b in flow.blocks for e in b.edges if e[0]], default=32)
        self.gates = {self.gate(b) for b in flow.masked}
        self.names |= {self.gate(b): f"m{b}" for b in flow.masked}
        self.masks |= {g: bits for g in self.gates}
        self.kept: set[str] = set()  # registers that keep their value in some lanes
        self.lanes = next(n for n in range(min(LANES, kernel.threads), 0, -1) if kernel.threads % n == 0)
        self.items: list = []  # C statements of an item: str, or Loop
        self.loop = Loop()
        self.arrays: set[str] = set()  # registers that calls fill
        self.shapes: dict[str, Shape] = {}
        self.places: list[Instruction] = []
        self.pool: dict[str, int] = {}  # arrays that carry operands of accesses: name -> words
        self.used: dict[int, int] = {}
        self.merged: set[int] = set()

    def _mask_widths(self) -> dict[str, int]:
        """Predicates are as wide as what is compared: no conversion where they choose."""
        wide: dict[str, int] = {}
        while True:
            before = dict(wide)
            for i in self.kernel.instructions:
                if i.op.result == ("pred",):
                    source = max([wide.get(r, 32) if t == "pred" else words(width(t)) for r, t in zip(self._registers(i), i.op.sources, strict=True)])
                    wide[i.results[0]] = max(wide.get(i.results[0], 32), source)
            if wide == before:
                return wide

    def _registers(self, i: Instruction) -> list[str | None]:
        return [s.name if isinstance(s, Register) else None for s in i.sources]

    # ---- operands

    def varies(self, register: str) -> bool:
        return register in self.flow.varying or register in self.gates

    def variable(self, register: str) -> str:
        """Its C name; notes that the present loop reads it."""
        if not self.varies(register):
            self.loop.reads.add(register)
        elif register not in self.loop.defined:
            self.loop.exposed.add(register)
        return self.names[register]

    def mask(self, register: str, bits: int) -> str:
        name, have = self.variable(register), self.masks.get(register, 32)
        return name if have == bits else f"(u32){name}" if bits == 32 else f"(u64)(s64)(s32){name}"

    def operand(self, source, kind: str, bits: int = 32) -> str:
        """The bits of an operand, cut to its width; a predicate as a mask of `bits`."""
        if isinstance(source, Register):
            if kind == "pred":
                return self.mask(source.name, bits)
            have, n = width(self.kernel.registers[source.name]), width(kind)
            if source.name not in self.defined:
                return "~0ull" if n == 64 else f"{(1 << n) - 1:#x}u"  # a half that nobody reads, as the evaluator has it
            return read(self.variable(source.name), have, f"b{n}")
        if isinstance(source, Immediate):
            return f"{source.bits:#x}{'ull' if width(kind) == 64 else 'u'}"
        assert isinstance(source, Special)
        special = {"%tid.x": "(u32)(start + l)", "%ctaid.x": "(u32)block", "%ntid.x": f"{self.kernel.threads}u", "%nctaid.x": "(u32)blocks"}
        return special[source.name]

    def condition(self, i: Instruction, act: str, bits: int) -> str:
        """Mask of the lanes that execute i; '' for all."""
        both = [self.mask(act, bits)] if act else []
        if i.guard:
            both.append(("~" if i.guard[1] else "") + self.mask(i.guard[0], bits))
        return " & ".join(both)

    # ---- instructions

    def instruction(self, i: Instruction, act: str):
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
        else:
            r = i.results[0]
            bits = self.masks[r] if op.result == ("pred",) else words(width(op.result[0]))
            yield r, expression(op, [self.operand(s, t, bits) for s, t in zip(i.sources, op.sources, strict=True)], bits)

    def assign(self, i: Instruction, r: str, bits: str, act: str):
        whole = self.masks[r] if self.kernel.registers[r] == "pred" else words(width(self.kernel.registers[r]))
        condition = self.condition(i, act, whole)
        if condition and (i.guard or self.times[r] > 1):
            bits = pick(condition, bits, self.variable(r))
            self.kept.add(r)
        self.define(r, bits, i.line)

    def define(self, r: str, bits: str, line: int):
        self.loop.lines.append(f"{self.names[r]} = {bits};")
        self.loop.defined.add(r)
        self.loop.at = self.loop.at or line

    def scalar(self, i: Instruction):
        """A uniform register; computed before the present loop, which must not read what it replaces."""
        reads = set(self.loop.reads)
        lines = []
        for r, bits in self.results(i):
            condition = self.condition(i, "", self.masks[r] if self.kernel.registers[r] == "pred" else words(width(self.kernel.registers[r])))
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
        uniform = not store and not act and all(r not in self.flow.varying for r in (*i.results, at.base)) and i.results != ("_",) * len(kinds)
        if uniform:
            self.flush()
            self.uniform_load(i, size, place)
            return
        if not store and self.loop.calls:
            self.flush()  # what was stored before must be there
        address = self.carry(f"({self.variable(at.base)} + {at.offset % 2**64:#x}ull)", 64, i.line)
        condition = self.condition(i, act, 32)
        masked = [self.carry(condition, 32, i.line)] if condition else []
        if store:
            homes = [words(width(k)) for k in kinds]
            values = [self.carry(self.operand(s, f"b{width(k)}"), w, i.line) for s, k, w in zip(i.sources[1:], kinds, homes, strict=True)]
        else:
            homes = [0 if r == "_" else words(width(self.kernel.registers[r])) for r in i.results]
            values = ["0" if r == "_" else f"a_{self.names[r]}" for r in i.results]
            loaded = {r for r in i.results if r != "_"}
            self.arrays |= loaded
            self.kept |= loaded if condition else set()
        shape = Shape(store, size, tuple(homes), kinds[0][0] == "s" and not store, bool(masked))
        self.shapes[shape.name] = shape
        self.loop.calls.append(f"if ({shape.name}({', '.join(['arrays, count, faults', str(place), 'block', address, *masked, *values])})) goto end;")
        if not store:
            self.flush()

    def carry(self, value: str, bits: int, line: int) -> str:
        """An array that holds an operand until the loop is through."""
        k = self.used[bits] = self.used.get(bits, 0) + 1
        name = f"c{bits}_{k}"
        self.pool[name] = bits
        self.loop.lines.append(f"{name}[l] = {value};")
        self.loop.at = self.loop.at or line
        return name

    def uniform_load(self, i: Instruction, size: int, place: int):
        step = size * len(i.results)
        at = f"{self.names[i.sources[0].base]} + {i.sources[0].offset % 2**64:#x}ull"
        lines = [f"u8 *at = reach(arrays, count, faults, {place}, block, {at}, {at}, {step}); if (!at) goto end;"]
        for k, (r, kind) in enumerate(zip(i.results, i.op.result, strict=True)):
            if r != "_":
                sign, word = "s" if kind[0] == "s" else "u", words(width(self.kernel.registers[r]))
                cut = " & 0xffffu" if width(self.kernel.registers[r]) == 16 else ""
                lines.append(f"{sign}{8 * size} x{k}; memcpy(&x{k}, at + {k * size}, {size}); {self.names[r]} = (u{word})({sign}{word})x{k}{cut};")
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
        entries = {b.index: [u.index for u in flow.blocks if any(t == b.index for _, t in u.edges)] for b in flow.blocks}
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

    def gate(self, block: int) -> str:
        """The register that holds which lanes are in a block."""
        return f"&{block}"

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

    # ---- text

    def bits(self, r: str) -> int:
        """Bits of the C variable of a register."""
        return self.masks[r] if r in self.masks else words(width(self.kernel.registers[r]))

    def finish(self) -> Translation:
        self.run()
        loops = [x for x in self.items if isinstance(x, Loop)]
        arrays = self.arrays.union(*(x.exposed for x in loops))
        cyclic = self.cyclic()
        scalars = sorted(self.defined - self.flow.varying, key=self.names.get)
        body = [f"u{self.bits(r)} {self.names[r]} = ~(u{self.bits(r)})0;" for r in scalars]
        body += [f"u{self.bits(r)} a_{self.names[r]}[W] __attribute__((aligned(64)));" for r in sorted(arrays, key=self.names.get)]
        body += [f"u{bits} {name}[W] __attribute__((aligned(64)));" for name, bits in sorted(self.pool.items())]
        body += [f"memset(a_{self.names[r]}, 0xff, sizeof a_{self.names[r]});" for r in sorted(arrays & self.kept, key=self.names.get)]
        head = HEAD.format(
            parts=parts([i.op for i in self.kernel.instructions]), lanes=self.lanes, spacing=prelude.SPACING, memory=prelude.MEMORY,
            shapes="".join(s.text() for s in self.shapes.values()), parts_of_a_block=self.kernel.threads // self.lanes,
        )  # fmt: skip
        lines = head.splitlines() + body
        marks = []
        for x in self.items:
            if isinstance(x, str):
                lines.append(x)
                continue
            marks.append((len(lines) + 2, x.at, x.block in cyclic))
            lines += self.lane_loop(x, arrays)
        text = "\n".join([*lines, *TAIL.splitlines()]) + "\n"
        return Translation(self.kernel, text, tuple(marks), tuple(self.places), self.lanes)

    def lane_loop(self, loop: Loop, arrays: set[str]) -> list[str]:
        order = sorted(loop.exposed | loop.defined, key=self.names.get)
        opening = [f"u{self.bits(r)} {self.names[r]}" + (f" = a_{self.names[r]}[l];" if r in loop.exposed else ";") for r in order]
        closing = [f"a_{self.names[r]}[l] = {self.names[r]};" for r in order if r in loop.defined and r in arrays]
        return ["#pragma omp simd", "for (int l = 0; l < W; l++) {", *opening, *loop.lines, *closing, "}", *loop.calls]

    def cyclic(self) -> set[int]:
        """Blocks from which a path leads back to them: there the time goes."""
        after = {b.index: {t for _, t in b.edges} for b in self.flow.blocks}
        while True:
            size = sum(map(len, after.values()))
            for b, reached in after.items():
                after[b] = reached.union(*(after[t] for t in reached))
            if sum(map(len, after.values())) == size:
                return {b for b, reached in after.items() if b in reached}


HEAD = """{parts}
#define W {lanes}
#define SPACING {spacing}
{memory}
{shapes}
int run(const u64 *params, const array *arrays, s64 count, s64 blocks, s64 visits, int threads, fault *faults) {{
#pragma omp parallel for schedule(static) num_threads(threads)
for (s64 item = 0; item < blocks * {parts_of_a_block}; item++) {{
const s64 block = item / {parts_of_a_block}, start = item % {parts_of_a_block} * W;
if (__atomic_load_n(&faults->code, __ATOMIC_ACQUIRE) && faults->block < block) continue;
s64 visited = 0;
"""
TAIL = """end:;
}
#ifdef _OPENMP
return _OPENMP;
#else
return 0;
#endif
}"""
