"""Accesses of a translated kernel: which C function moves what, after which loop over lanes."""

from __future__ import annotations

from collections import Counter

from noether.kernels.ptx.control import Flow
from noether.kernels.ptx.native.access import Shape
from noether.kernels.ptx.native.expression import words
from noether.kernels.ptx.native.lanes import Lanes, Loop
from noether.kernels.ptx.parse import Immediate, Instruction, Kernel, Register
from noether.kernels.ptx.table import width


class Moves(Lanes):
    """items: C statements of a work item, str or Loop; arrays: registers that calls fill or read; pool:
    arrays that carry operands of accesses, name -> bits; limits: predicates of the first lanes; fills: what a
    register has where a load leaves it."""

    def __init__(self, kernel: Kernel, flow: Flow):
        super().__init__(kernel, flow)
        self.times = Counter(r for b in flow.blocks for i in b.instructions for r in i.results)
        self.items: list = []
        self.arrays: set[str] = set()
        self.shapes: dict[str, Shape] = {}
        self.places: list[Instruction] = []
        self.pool: dict[str, int] = {}
        self.used: dict[int, int] = {}
        self.limits = self._limits()
        self.fills: dict[str, Instruction] = {}
        self.counted = self._counted()

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
        if self.is_near(i, act, element(i)):
            self.near(i, kinds, size, place)
            return
        address = self.carry(f"({self.variable(at.base)} + {at.offset % 2**64:#x}ull)", 64, i.line)
        condition = self.condition(i, act, 32)
        masked = [self.carry(condition, 32, i.line)] if condition else []
        homes, values = self.moved(i, kinds)
        self.kept |= {r for r in i.results if r != "_"} if condition else set()
        shape = Shape(store, size, homes, kinds[0][0] == "s" and not store, bool(masked))
        self.call(i, shape, place, [address, *masked, *values])

    def moved(self, i: Instruction, kinds) -> tuple[tuple[int, ...], list[str]]:
        """The bits of the variables that an access moves, and the arrays in which they are."""
        if i.op.meaning == "store":
            homes = [words(width(k)) for k in kinds]
            each = zip(i.sources[1:], kinds, homes, strict=True)
            return tuple(homes), [self.home(s, width(k), w, i.line) for s, k, w in each]
        self.arrays |= {r for r in i.results if r != "_"}
        homes = [0 if r == "_" else words(width(self.kernel.registers[r])) for r in i.results]
        return tuple(homes), ["0" if r == "_" else f"a_{self.names[r]}" for r in i.results]

    def call(self, i: Instruction, shape: Shape, place: int, passed: list[str]):
        """Enter the call of an access after the present loop."""
        self.shapes[shape.name] = shape
        words = ["arrays, count, faults", str(place), "block", *passed]
        self.loop.calls.append(f"if ({shape.name}({', '.join(words)})) goto end;")
        if not shape.store:
            self.loop.pending |= {r for r in i.results if r != "_"}

    def home(self, source, bits: int, word: int, line: int) -> str:
        """The array in which an operand of a store is: its own where nothing changes it before."""
        r = getattr(source, "name", "")
        if r in self.lanewise and r not in self.loop.defined and width(self.kernel.registers[r]) == bits:
            self.arrays.add(r)
            self.loop.held.add(r)
            return f"a_{self.names[r]}"
        return self.carry(self.operand(source, f"b{bits}"), word, line)

    # ---- accesses of a piece of an array

    def _limits(self) -> dict[str, Instruction]:
        """Predicates of the first lanes of a block: a number that rises, below one that does not."""
        found, masked = {}, self.flow.masked
        for b in self.flow.blocks:
            for i in b.instructions:
                if i.op.meaning == "setp" and i.op.detail == "lt" and i.op.sources[0] in ("s32", "s64"):
                    rising, limit = (getattr(s, "name", None) for s in i.sources)
                    is_first = 0 < self.rises.get(rising, 0) < 2**31 and limit not in self.flow.varying
                    if is_first and not i.guard and self.times[i.results[0]] == 1 and b.index not in masked:
                        found[i.results[0]] = i
        return found

    def _counted(self) -> set[str]:
        """Those of `limits` that nothing reads but accesses of the first lanes: no mask is made of them."""
        needed = set()
        for b in self.flow.blocks:
            act = "masked" if b.index in self.flow.masked else ""
            for i in [*b.instructions, *([b.branch] if b.branch else [])]:
                if i.op.meaning not in ("load", "store") or not self.is_near(i, act, element(i)):
                    needed.update(i.reads())
        return self.limits.keys() - needed

    def limit(self, i: Instruction) -> str:
        """How many lanes a predicate of `limits` holds in, as a C statement before the present loop."""
        self.at_first = True
        first, limit = (self.operand(s, t) for s, t in zip(i.sources, i.op.sources, strict=True))
        self.at_first = False
        n, stride = width(i.op.sources[0]), self.rises[i.sources[0].name]
        asked = f"(s{n}){first}, {stride}, (s{n}){limit}, (s64)(~0ull >> {65 - n})"
        return f"n_{self.names[i.results[0]]} = below({asked});"

    def is_near(self, i: Instruction, act: str, step: int) -> bool:
        """Whether an access takes lane after lane of an array, from the first on."""
        guarded = i.guard is None or (i.guard[0] in self.limits and not i.guard[1])
        return not act and guarded and self.rises.get(i.sources[0].base) == step

    def is_fill(self, i: Instruction, after: Instruction | None) -> bool:
        """Whether an instruction gives a register the number that the load after it leaves in some lanes, the
        same in all: then the load does both."""
        if after is None or i.op.meaning != "mov" or i.guard or not after.guard:
            return False
        source, r = i.sources[0], i.results[0]
        alike = isinstance(source, Immediate) or (
            isinstance(source, Register) and source.name not in self.flow.varying
        )
        loads = after.op.meaning == "load" and after.results == i.results and r in self.lanewise
        near = loads and alike and self.is_near(after, "", element(after))
        if near:
            self.fills[r] = i
        return near

    def near(self, i: Instruction, kinds, size: int, place: int):
        """Such an access: its address is that of lane 0, its mask a number of lanes."""
        store, base, at = i.op.meaning == "store", i.sources[0].base, i.sources[0].offset % 2**64
        self.loop.reads.add(base)
        passed = [f"{self.names[base]} + {at:#x}ull"]
        passed += [f"n_{self.names[i.guard[0]]}"] if i.guard else []
        before = self.fills.pop(i.results[0], None) if i.results else None
        fill = self.operand(before.sources[0], before.op.sources[0]) if before else ""
        homes, values = self.moved(i, kinds)
        self.kept |= {r for r in i.results if r != "_"} if i.guard and not fill else set()
        how = dict(
            signed=kinds[0][0] == "s" and not store, masked=bool(i.guard), near=True, filled=bool(fill)
        )
        self.call(i, Shape(store, size, homes, **how), place, [*passed, *([fill] if fill else []), *values])

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


def element(i: Instruction) -> int:
    """The bytes that an access moves of one lane."""
    kinds = i.op.sources[1:] if i.op.meaning == "store" else i.op.result
    return sum(width(k) for k in kinds) // 8
