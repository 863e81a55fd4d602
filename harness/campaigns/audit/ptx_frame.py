"""A kernel bound to its buffers, with what every register means kept beside its bits."""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.campaigns.audit.ptx_bits import handled, line, packed, unpacked
from noether.campaigns.audit.ptx_memory import Shadows
from noether.campaigns.audit.ptx_numbers import (
    FORMAT,
    KIND,
    SHORT,
    meant,
    operation,
    rounded,
    untold,
    whole,
)
from noether.campaigns.audit.ptx_shadow import WIDTH, Fields, Notes, Unknown, merged, number_at, of_bits
from noether.campaigns.audit.running import WIDE, Running, running
from noether.kernels.ptx.binding import Frame
from noether.kernels.ptx.parse import Immediate, Instruction, Parameter, Register
from noether.kernels.ptx.table import width

OF_WIDTH = {32: "float32", 64: "float64"}


class WideFrame(Frame):
    """A Frame whose every instruction is followed in wide arithmetic.

    given  parameter -> what a number that is passed means, where it is not its bits
    """

    def __init__(self, parsed, flow, values, memory, ctas, blocks, *, shadows: Shadows, given, notes: Notes):
        self.shadows, self.given, self.notes = shadows, given, notes
        self.held: dict[str, object] = {}
        self.unsure: dict[str, np.ndarray] = {}
        # No register gives its buffer back: the bits of all of them are read beside the calls.
        super().__init__(parsed, flow, {}, values, memory, ctas, blocks)

    def run(self, first: int, visits: int | None) -> int:
        """As Frame.run, with nothing known of the batch before."""
        self.held.clear()
        self.unsure.clear()
        return super().run(first, visits)

    # ---- binding

    def bind(self, i: Instruction, mask, calls: list) -> None:
        """Add the calls of an instruction, with those that follow it around them."""
        condition = self.condition(i.guard, mask, calls)
        if i.op.meaning == "store":
            calls.append(partial(self.stored, i, condition))
            return super().bind(i, mask, calls)
        before: list = []
        calls.append(partial(self.before, i, condition, before))
        super().bind(i, mask, calls)
        calls.append(partial(self.after, i, condition, before))

    def bound(self, block) -> list:
        """The calls of a block; where it ends with a choice, one that asks whether that is sure."""
        calls = super().bound(block)
        if block.branch is not None and block.branch.guard:
            calls.append(partial(self.parting, block.branch, self.masks.get(block.index)))
        return calls

    def parting(self, branch: Instruction, mask) -> None:
        """Note a way that depends on an unsure comparison: what lies on the other one is not known."""
        unsure = self.unsure.get(branch.guard[0])
        if unsure is not None and np.any(unsure if mask is None else unsure & mask):
            self.notes.turned[f"{line(branch)}, a branch that rounding can turn"] = None

    # ---- registers

    def bits(self, source, kind: str) -> np.ndarray:
        """The executed bits of a source, unsigned."""
        if isinstance(source, Register):
            return self.view(source.name, f"u{width(kind)}")
        if isinstance(source, Immediate):
            return np.array(source.bits, f"u{width(kind) // 8}")
        if isinstance(source, Parameter):
            return np.asarray(self.values[source.index]).view(f"u{self.values[source.index].dtype.itemsize}")
        return self.special[source.name]

    def shadow(self, source):
        """What a source means, None for bits alone."""
        return self.held.get(source.name) if isinstance(source, Register) else None

    def number(self, source, kind: str, offset: int = 0) -> Running:
        """A source as a number of a type of PTX."""
        name = KIND.get(kind, kind)
        if isinstance(source, Immediate) and name in SHORT:
            return meant(float(of_bits(self.bits(source, f"b{WIDTH[name]}"), name)), name)
        bits = self.bits(source, f"b{max(WIDTH[name], 32 if offset else 0)}")
        return number_at(self.shadow(source), bits, name, offset, self.notes)

    def before(self, i: Instruction, condition, out: list) -> None:
        """What the results of an instruction mean, from its sources as they still are."""
        out[:] = [self.meaning(i, condition), None]
        if condition is not None:
            out[1] = [self.whole_bits(name).copy() if name != "_" else None for name in i.results]

    def after(self, i: Instruction, condition, out: list) -> None:
        """Keep what the results mean; under a condition lane by lane."""
        found, old = out
        turned = self.unsure.get(i.guard[0]) if i.guard else None
        for k, name in enumerate(i.results):
            if name == "_":
                continue
            if self.kernel.registers[name] == "pred":
                now, past = found[k], self.unsure.get(name)
                if condition is not None and (now is not None or past is not None):
                    now = np.where(condition, no(now), no(past))
                keep(self.unsure, name, now)
                continue
            new = found[k]
            if condition is not None:
                sides = (new, self.whole_bits(name), self.held.get(name), old[k])
                new = merged(condition, turned, *sides, self.notes)
            keep(self.held, name, new)

    def whole_bits(self, name: str) -> np.ndarray:
        """The executed bits of a whole register, unsigned; a predicate as it is."""
        size = width(self.kernel.registers[name])
        return self.view(name, "pred" if size == 1 else f"u{size}")

    # ---- instructions

    def lanes_of(self, condition) -> np.ndarray:
        everything = np.ones(self.lanes, bool)
        return np.flatnonzero(everything if condition is None else everything & condition)

    def stored(self, i: Instruction, condition) -> None:
        """Keep what a store writes."""
        lanes = self.lanes_of(condition)
        if i.guard and i.guard[0] in self.unsure:
            self.notes.turned[f"{line(i)}, a store that rounding can turn on or off"] = None
        if lanes.size:
            address, size = self.view(i.sources[0].base, "s64"), width(i.op.sources[1]) // 8
            sources = [(self.shadow(s), self.bits(s, i.op.sources[1])) for s in i.sources[1:]]
            where = (address, i.sources[0].offset, lanes, self.lanes, size)
            self.shadows.store(*where, sources, line(i))

    def meaning(self, i: Instruction, condition) -> list:
        """What each result means: a shadow, or whether a predicate is unsure."""
        op, m = i.op, i.op.meaning
        if m == "load":
            lanes, n = self.lanes_of(condition), len(i.results)
            if not lanes.size:
                return [None] * n
            address = self.view(i.sources[0].base, "s64")
            where = (address, i.sources[0].offset, lanes, self.lanes, width(op.result[0]) // 8)
            return self.shadows.load(*where, n)
        if m == "param":
            x = self.given.get(i.sources[0].index)
            return [Fields({0: x}) if x else None]
        if op.result[0] == "pred":
            return self.compared(i)
        if m == "unpack":
            return unpacked(i, self.shadow(i.sources[0]), self.bits(i.sources[0], op.sources[0]))
        return [self.value(i)]

    def value(self, i: Instruction):
        """What the one result of an instruction that is no predicate means."""
        op, m = i.op, i.op.meaning
        floating = op.result[0].removesuffix("x2") in KIND or "bf16" in op.mnemonic
        if m == "selp":
            return self.selected(i)
        if m == "mov":
            return self.shadow(i.sources[0])
        if m == "pack":
            return packed(i, self)
        if floating and m != "cvt.pair" and op.result[0] != "f16x2":
            return Fields({0: self.floating(i)})
        if op.result[0] == "f16x2":
            return self.halves(i)
        return handled(i, self)

    def floating(self, i: Instruction) -> tuple[str, Running]:
        """Kind and number of an instruction that gives one number."""
        op, m = i.op, i.op.meaning
        kind = "bfloat16" if m == "cvt.bf16" else KIND[op.result[0]]
        if m in ("cvt.bf16", "cvt", "rint", "cvt.from.bf16"):
            source = "bfloat16" if m == "cvt.from.bf16" else op.sources[0]
            if source[0] in "su":
                return kind, self.from_whole(i, kind)
            x = self.number(i.sources[0], source)
            if m == "rint":
                return kind, whole(x)
            widened = FORMAT[KIND.get(source, source)][0] <= FORMAT[kind][0]
            return kind, x if widened else rounded(x, kind)
        x = operation(op, *(self.number(s, t) for s, t in zip(i.sources, op.sources, strict=True)))
        if x is None:
            self.notes.unknown[line(i)] = None
            x = Running(WIDE(0), WIDE(np.inf))
        return kind, x

    def from_whole(self, i: Instruction, kind: str) -> Running:
        """An integer as a number: exact but for its rounding, where no number went into its bits."""
        source = i.op.sources[0]
        bits = self.bits(i.sources[0], source)
        real = bits.view(f"{'i' if source[0] == 's' else 'u'}{bits.dtype.itemsize}").astype(WIDE)
        if self.shadow(i.sources[0]) is not None:
            self.notes.unknown[line(i)] = None
            return Running(real, np.full_like(real, np.inf))
        return rounded(running(real), kind)

    def halves(self, i: Instruction):
        """The two numbers of an instruction on two halves at once, the low one first."""
        op, found = i.op, {}
        if op.meaning == "cvt.pair":
            pair = (self.number(s, "f32") for s in i.sources)
            high, low = (rounded(x, "float16") for x in pair)
            return Fields({0: ("float16", low), 16: ("float16", high)})
        for offset in (0, 16):
            x = operation(op, *(self.number(s, "float16", offset) for s in i.sources))
            found[offset] = "float16", x
        return Fields(found)

    def compared(self, i: Instruction) -> list:
        """Of each predicate, where it may be another one without rounding; None where it is sure."""
        op = i.op
        if op.meaning != "setp":
            parts = [self.unsure.get(s.name) for s in i.sources if isinstance(s, Register)]
            parts = [x for x in parts if x is not None]
            return [np.logical_or.reduce(np.broadcast_arrays(*parts)) if parts else None]
        kind = op.sources[0].removesuffix("x2")
        if kind not in KIND:
            return [self.compared_bits(i)]
        if i.sources[0] == i.sources[1] or op.detail in ("num", "nan"):
            return [None] * len(i.results)  # whether it is a number at all
        found = []
        for k in range(len(i.results)):
            x, y = (self.number(s, kind, 16 * k) for s in i.sources)
            unsure = untold(x, y)
            found.append(unsure if unsure.any() else None)
            if unsure.any():
                self.notes.choices[line(i)] = self.notes.choices.get(line(i), 0) + int(unsure.sum())
        return found

    def compared_bits(self, i: Instruction):
        """A comparison of integers is sure where no number went into them, or only exact ones."""
        of_numbers = [self.shadow(s) for s in i.sources if self.shadow(s) is not None]
        sure = all(isinstance(x, Fields) and all(exact(y) for _, y in x.at.values()) for x in of_numbers)
        return None if sure else np.ones(self.lanes, bool)

    def selected(self, i: Instruction):
        """What a choice between two registers means."""
        a, b, p = i.sources
        kind, unsure = i.op.sources[0], self.unsure.get(p.name)
        x, y = self.literal(a, b, kind), self.literal(b, a, kind)
        if x is None and y is None and unsure is not None:
            name = OF_WIDTH.get(width(kind))
            if name is None:
                return Unknown(line(i))
            x = Fields({0: (name, self.number(a, name))})
        sides = (x, self.bits(a, kind), y, self.bits(b, kind))
        return merged(self.view(p.name, "pred"), unsure, *sides, self.notes)

    def literal(self, source, other, kind: str):
        """What a source of a choice means: a literal beside numbers is one of their kind."""
        beside = self.shadow(other)
        if isinstance(source, Immediate) and isinstance(beside, Fields) and list(beside.at) == [0]:
            name = beside.at[0][0]
            if WIDTH[name] == width(kind) and name in SHORT:
                return Fields({0: (name, self.number(source, name))})
        return self.shadow(source)


def keep(there: dict, name: str, x) -> None:
    """Keep what is known of a register, or that nothing is."""
    if x is None:
        there.pop(name, None)
    else:
        there[name] = x


def no(unsure) -> np.ndarray | bool:
    return False if unsure is None else unsure


def exact(x: Running) -> bool:
    """Whether every value is the executed one."""
    return not np.any(x.error)
