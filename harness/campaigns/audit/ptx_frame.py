"""A kernel bound to its buffers, with what every register means kept beside its bits."""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.campaigns.audit.ptx_bits import handled, line, packed, unpacked
from noether.campaigns.audit.ptx_choices import Choice, compared
from noether.campaigns.audit.ptx_memory import Shadows
from noether.campaigns.audit.ptx_numbers import (
    FORMAT,
    KIND,
    LITERALS,
    ROUNDS,
    meant,
    operation,
    plain,
    rounded,
    whole,
)
from noether.campaigns.audit.ptx_shadow import WIDTH, Fields, Notes, Unknown, merged, number_at, of_bits
from noether.kernels.ptx.binding import Frame
from noether.kernels.ptx.parse import Immediate, Instruction, Parameter, Register
from noether.kernels.ptx.table import width
from noether.optimizers.running import WIDE, Running, running

OF_WIDTH = {32: "float32", 64: "float64"}


class WideFrame(Frame):
    """A Frame whose every instruction is followed in wide arithmetic.

    given  parameter -> what a number that is passed means, where it is not its bits
    """

    def __init__(self, parsed, flow, values, memory, ctas, blocks, *, shadows: Shadows, given, notes: Notes):
        self.shadows, self.given, self.notes = shadows, given, notes
        self.held: dict[str, object] = {}
        self.unsure: dict[str, Choice] = {}
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
        choice = self.unsure.get(branch.guard[0])
        if choice is not None and np.any(choice.unsure if mask is None else choice.unsure & mask):
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
        if isinstance(source, Immediate) and name in LITERALS:
            return meant(float(of_bits(self.bits(source, f"b{WIDTH[name]}"), name)), name, self.notes.rounds)
        bits = self.bits(source, f"b{max(WIDTH[name], 32 if offset else 0)}")
        return number_at(self.shadow(source), bits, name, offset, self.notes)

    def before(self, i: Instruction, condition, out: list) -> None:
        """What the results of an instruction mean, from its sources as they still are."""
        self.guarded(i)
        out[:] = [self.meaning(i, condition), None]
        if condition is not None:
            out[1] = [self.whole_bits(name).copy() if name != "_" else None for name in i.results]

    def after(self, i: Instruction, condition, out: list) -> None:
        """Keep what the results mean; under a condition lane by lane."""
        found, old = out
        for k, name in enumerate(i.results):
            if name == "_":
                continue
            if self.kernel.registers[name] == "pred":
                keep(self.unsure, name, self.choice(name, found[k], condition, old and old[k]))
                continue
            new = found[k]
            if condition is not None:
                sides = (new, self.whole_bits(name), self.held.get(name), old[k])
                new = merged(condition, None, *sides, self.notes)
            keep(self.held, name, new)

    def choice(self, name: str, new: Choice | None, condition, old) -> Choice | None:
        """What a predicate means; under a condition lane by lane.  old  its executed truth before"""
        past = self.unsure.get(name)
        if condition is None or (new is None and past is None):
            return new
        sides = [(x.truth, x.unsure) if x else (real, False) for x, real in
                 ((new, self.whole_bits(name)), (past, old))]  # fmt: skip
        return Choice(*(np.where(condition, a, b) for a, b in zip(*sides, strict=True)))

    def whole_bits(self, name: str) -> np.ndarray:
        """The executed bits of a whole register, unsigned; a predicate as it is."""
        size = width(self.kernel.registers[name])
        return self.view(name, "pred" if size == 1 else f"u{size}")

    # ---- instructions

    def lanes_of(self, condition) -> np.ndarray:
        everything = np.ones(self.lanes, bool)
        return np.flatnonzero(everything if condition is None else everything & condition)

    def guarded(self, i: Instruction) -> None:
        """Note an instruction whose guard depends on an unsure comparison."""
        choice = self.unsure.get(i.guard[0]) if i.guard else None
        if choice is not None and np.any(choice.unsure):
            self.notes.turned[f"{line(i)}, which rounding can turn on or off"] = None

    def stored(self, i: Instruction, condition) -> None:
        """Keep what a store writes."""
        lanes = self.lanes_of(condition)
        self.guarded(i)
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
            return compared(i, self)
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
        if op.result[0].endswith("x2"):
            return self.halves(i)
        if floating:
            return Fields({0: self.floating(i)})
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
            return kind, x if widened else self.rounded(x, kind, i)
        operands = (self.number(s, t) for s, t in zip(i.sources, op.sources, strict=True))
        x = operation(op, *operands, rounds=self.notes.rounds)
        if plain(op) in ROUNDS:
            self.notes.kinds.setdefault(kind, line(i))
        if x is None:
            self.notes.unknown[line(i)] = None
            x = Running(WIDE(0), WIDE(np.inf))
        return kind, x

    def rounded(self, x: Running, kind: str, i: Instruction) -> Running:
        """A number in a type that holds fewer, as an instruction puts it there."""
        self.notes.kinds.setdefault(kind, line(i))
        return rounded(x, kind) if self.notes.rounds else x

    def from_whole(self, i: Instruction, kind: str) -> Running:
        """An integer as a number: exact but for its rounding, where no number went into its bits."""
        source = i.op.sources[0]
        bits = self.bits(i.sources[0], source)
        real = bits.view(f"{'i' if source[0] == 's' else 'u'}{bits.dtype.itemsize}").astype(WIDE)
        if self.shadow(i.sources[0]) is not None:
            self.notes.unknown[line(i)] = None
            return Running(real, np.full_like(real, np.inf))
        return self.rounded(running(real), kind, i)

    def halves(self, i: Instruction):
        """The two numbers of an instruction on two halves at once, the low one first."""
        op, found = i.op, {}
        kind = KIND[op.result[0].removesuffix("x2")]
        if op.meaning in ("cvt.pair", "cvt.bf16.pair"):
            pair = (self.number(s, "f32") for s in i.sources)
            high, low = (self.rounded(x, kind, i) for x in pair)
            return Fields({0: (kind, low), 16: (kind, high)})
        for offset in (0, 16):
            operands = (self.number(s, kind, offset) for s in i.sources)
            x = operation(op, *operands, rounds=self.notes.rounds)
            if plain(op) in ROUNDS:
                self.notes.kinds.setdefault(kind, line(i))
            found[offset] = kind, x
        return Fields(found)

    def selected(self, i: Instruction):
        """What a choice between two registers means."""
        a, b, p = i.sources
        kind, choice = i.op.sources[0], self.unsure.get(p.name)
        x, y = self.literal(a, b, kind), self.literal(b, a, kind)
        if x is None and y is None and choice is not None:
            name = OF_WIDTH.get(width(kind))
            if name is None:
                return Unknown(line(i))
            x = Fields({0: (name, self.number(a, name))})
        sides = (x, self.bits(a, kind), y, self.bits(b, kind))
        picks, unsure = (choice.truth, choice.unsure) if choice else (self.view(p.name, "pred"), None)
        return merged(picks, unsure, *sides, self.notes)

    def literal(self, source, other, kind: str):
        """What a source of a choice means: a literal beside numbers is one of their kind."""
        beside = self.shadow(other)
        if isinstance(source, Immediate) and isinstance(beside, Fields) and list(beside.at) == [0]:
            name = beside.at[0][0]
            if WIDTH[name] == width(kind) and name in LITERALS:
                return Fields({0: (name, self.number(source, name))})
        return self.shadow(source)


def keep(there: dict, name: str, x) -> None:
    """Keep what is known of a register, or that nothing is."""
    if x is None:
        there.pop(name, None)
    else:
        there[name] = x
