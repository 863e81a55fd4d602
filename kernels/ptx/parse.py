"""Parsing the PTX text of one elementwise kernel into typed instructions.

Every operand is checked against its row of the table: number, kind, width. A lane is one thread; nothing here
knows how it will be executed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from noether.kernels.ptx.table import TABLE, WHY, Op, Refused, packing, why, width

KINDS = "pred b16 b32 b64 f32 f64 u16 u32 u64 s16 s32 s64".split()
"""The accepted classes of registers."""
SPECIAL = ("%tid.x", "%ctaid.x", "%ntid.x", "%nctaid.x")


@dataclass(frozen=True)
class Register:
    """A register, by name."""

    name: str


@dataclass(frozen=True)
class Immediate:
    """A literal as the bits of its operand type."""

    bits: int


@dataclass(frozen=True)
class Special:
    """A special register, such as %tid.x."""

    name: str


@dataclass(frozen=True)
class Address:
    """A register plus an offset in bytes."""

    base: str
    offset: int


@dataclass(frozen=True)
class Parameter:
    """A kernel parameter that is read."""

    index: int


@dataclass(frozen=True)
class Label:
    """The target of a branch."""

    name: str


@dataclass(frozen=True)
class Instruction:
    """One instruction: guard (register, negated) or None; results are names, '_' where one is dropped."""

    op: Op
    results: tuple[str, ...]
    sources: tuple
    guard: tuple[str, bool] | None
    line: int
    text: str

    def reads(self) -> list[str]:
        """The registers that it reads, the guard among them."""
        names = [s.name for s in self.sources if isinstance(s, Register)]
        names += [s.base for s in self.sources if isinstance(s, Address)]
        return names + ([self.guard[0]] if self.guard else [])


@dataclass(frozen=True)
class Kernel:
    """One parsed entry.

    params     (type, whether it is a pointer)
    registers  name -> class (b16, f32, pred, ...)
    body       in the order of the text
    """

    name: str
    threads: int
    params: tuple[tuple[str, bool], ...]
    registers: dict[str, str]
    body: tuple[Instruction | Label, ...]

    @cached_property
    def instructions(self) -> list[Instruction]:
        """The instructions of the body."""
        return [x for x in self.body if isinstance(x, Instruction)]

    @cached_property
    def unpinned(self) -> Counter:
        """mnemonic -> how many instructions have bits that PTX does not fix."""
        return Counter(i.op.mnemonic for i in self.instructions if not i.op.pinned)


_ENTRY = re.compile(r"\.entry\s+([\w$]+)\s*\(([^)]*)\)([^{]*)\{", re.S)
_PARAM = re.compile(r"\.param\s+\.(\w+)\s+((?:\.\w+\s+(?:\d+\s+)?)*)([\w$]+)")
_LABEL = re.compile(r"([\w$]+):(?!:)")
_STATEMENT = re.compile(r"(?:@(!?)\s*(%[\w$]+)\s+)?([a-z][\w.:]*)\s*(.*)", re.S)
_ADDRESS = re.compile(r"\[\s*(%?[\w$]+)\s*(?:\+\s*(-?\d+))?\s*\]")
_INTEGER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+)U?")


def parse(ptx: str) -> Kernel:
    """Parse a kernel. Raises Refused, naming opcode and line, for anything outside the table."""
    text = re.sub(r"//[^\n]*", "", ptx)
    entries = list(_ENTRY.finditer(text))
    if len(entries) != 1:
        raise Refused(".entry", 1, f"the module has {len(entries)} entries, must have exactly one")
    entry = entries[0]
    reader = _Reader(text, entry)
    end = reader.read(entry.end())
    outside = text[: entry.start()] + " " * (end - entry.start()) + text[end:].split(".section")[0]
    for word in (".func", ".shared"):
        at = re.search(re.escape(word) + r"\b", outside)
        if at:
            raise Refused(word, reader.line(at.start()), WHY["call" if word == ".func" else "shared"])
    return Kernel(
        entry[1], reader.threads, tuple(reader.params.values()), reader.registers, tuple(reader.body)
    )


class _Reader:
    def __init__(self, text: str, entry: re.Match):
        self.text = text
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]
        self.params = {p[3]: (p[1], ".ptr" in p[2]) for p in _PARAM.finditer(entry[2])}
        self.order = list(self.params)
        shape = re.search(r"\.reqntid\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?", entry[3])
        if not shape or {shape[2], shape[3]} - {None, "1"}:
            raise Refused(
                ".reqntid", self.line(entry.start()), "the entry must fix a one-dimensional number of threads"
            )
        self.threads = int(shape[1])
        self.registers: dict[str, str] = {}
        self.families: dict[str, tuple[str, int]] = {}
        self.scopes: list[dict[str, str]] = []
        self.body: list[Instruction | Label] = []

    def line(self, at: int) -> int:
        return bisect_right(self.starts, at)

    def read(self, at: int) -> int:
        """Read the body; return the end of the entry."""
        text, depth = self.text, 0
        while True:
            at += len(text[at:]) - len(text[at:].lstrip()) if text[at : at + 1].isspace() else 0
            if at >= len(text):
                raise Refused("}", self.line(len(text) - 1), "the entry does not end")
            if text[at] == "{":
                self.scopes.append({})
                depth, at = depth + 1, at + 1
            elif text[at] == "}":
                at += 1
                if depth == 0:
                    return at
                self.scopes.pop()
                depth -= 1
            elif text.startswith((".loc", ".file"), at):
                at = text.index("\n", at)
            elif label := _LABEL.match(text, at):
                self.body.append(Label(label[1]))
                at = label.end()
            else:
                end = text.find(";", at)
                if end < 0:
                    raise Refused(text[at : at + 20], self.line(at), "the statement does not end")
                self.statement(text[at:end].strip(), self.line(at))
                at = end + 1

    def statement(self, text: str, line: int):
        if text.startswith(".pragma"):
            return
        if text.startswith(".reg"):
            kind, names = re.fullmatch(r"\.reg\s+\.(\w+)\s+(.*)", text, re.S).groups()
            if kind not in KINDS:
                raise Refused(f".reg .{kind}", line, "not an accepted class of registers", text)
            for name in re.split(r"\s*,\s*", names.strip()):
                family = re.fullmatch(r"(%\w+)<(\d+)>", name)
                if family:
                    self.families[family[1]] = (kind, int(family[2]))
                elif self.scopes:
                    self.scopes[-1][name] = unique = f"{name}#{len(self.registers)}"
                    self.registers[unique] = kind
                else:
                    self.registers[name] = kind
            return
        if text.startswith("."):
            word = text.split()[0]
            raise Refused(word, line, WHY.get(word[1:], "not an accepted directive"), text)
        self.instruction(text, line)

    def instruction(self, text: str, line: int):
        text = " ".join(text.split())
        match = _STATEMENT.fullmatch(text)
        if not match:
            raise Refused(text.split()[0], line, "cannot be read as an instruction", text)
        negated, guard, mnemonic, rest = match.groups()
        op = TABLE.get(mnemonic)
        if op is None:
            raise Refused(mnemonic, line, why(mnemonic), text)
        groups = [
            [x.strip() for x in g.strip("{} ").split(",")]
            for g in re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+", rest)
        ]
        has_result = bool(op.result)
        results = groups[0] if has_result and groups else []
        if op.result == ("pred", "pred") and len(results) == 1:
            results = [x.strip() for x in results[0].split("|")]
        sources = [x for g in groups[has_result:] for x in g]
        if (len(results), len(sources)) != (len(op.result), len(op.sources)):
            op = packing(op, len(results), len(sources))
            if op is None:
                raise Refused(mnemonic, line, f"has {len(results)} results and {len(sources)} sources", text)

        def fail(what):
            raise Refused(mnemonic, line, what, text)

        loads = op.meaning in ("load", "param")
        named = tuple(
            "_" if r == "_" and op.meaning in ("load", "unpack") else self.register(r, t, fail, wider=loads)
            for r, t in zip(results, op.result, strict=True)
        )
        reads = tuple(self.source(s, t, op, fail) for s, t in zip(sources, op.sources, strict=True))
        condition = (self.register(guard, "pred", fail), bool(negated)) if guard else None
        if op.meaning == "bfe" and not all(isinstance(s, Immediate) for s in reads[1:]):
            fail("position and length must be literals")
        if op.meaning == "prmt" and not isinstance(reads[2], Immediate):
            fail("the selector must be a literal")
        self.body.append(Instruction(op, named, reads, condition, line, text))

    def register(self, name: str, kind: str, fail, wider: bool = False) -> str:
        """The declared register of that name, checked to hold `kind`."""
        name = next((s[name] for s in reversed(self.scopes) if name in s), name)
        if name not in self.registers:
            member = re.fullmatch(r"(%[a-zA-Z_]+)(\d+)", name)
            family = self.families.get(member[1]) if member else None
            if family is None or int(member[2]) >= family[1]:
                fail(f"{name} is not a declared register")
            self.registers[name] = family[0]
        have = self.registers[name]
        fits = width(have) == width(kind) or (wider and width(have) > width(kind) and have != "pred")
        mixed = have[0] != "b" and kind[0] != "b" and (have[0] == "f") != (kind[0] == "f")
        if not fits or mixed or (have == "pred") != (kind == "pred"):
            fail(f"{name} is a .{have} register, must hold .{kind}")
        return name

    def source(self, text: str, kind: str, op: Op, fail):
        if kind == "label":
            return Label(text)
        if kind in ("address", "param"):
            match = _ADDRESS.fullmatch(text)
            if not match:
                fail(f"{text} is not an address")
            if kind == "param":
                if match[1] not in self.params or match[2]:
                    fail(f"{text} is not a parameter of the entry")
                if width(self.params[match[1]][0]) != width(op.result[0]):
                    fail(f"{text} is a .{self.params[match[1]][0]} parameter: must be read whole")
                return Parameter(self.order.index(match[1]))
            return Address(self.register(match[1], "b64", fail), int(match[2] or 0))
        if text in SPECIAL:
            if op.meaning != "mov" or width(kind) != 32:
                fail(f"{text} is read by a 32-bit mov only")
            return Special(text)
        if re.match(r"0[fFdD]", text):
            return self.float_literal(text, kind, op, fail)
        if _INTEGER.fullmatch(text):
            value = int(text.rstrip("U"), 0)
            n = width(kind)
            if kind == "pred":  # PTX ISA 9.7.9 (mov): a whole number, 0 is false
                return Immediate(int(value != 0))
            if kind[0] == "f":
                fail(f"{text} is an integer where .{kind} is read")
            if not -(2 ** (n - 1)) <= value < 2**n:
                fail(f"{text} does not fit .{kind}")
            return Immediate(value % 2**n)
        return Register(self.register(text, kind, fail, wider=op.meaning in ("store", "cvt")))

    def float_literal(self, text: str, kind: str, op: Op, fail) -> Immediate:
        n = 32 if text[1] in "fF" else 64
        if not re.fullmatch(rf"[0-9a-fA-F]{{{n // 4}}}", text[2:]):
            fail(f"{text} is not a float literal")
        if width(kind) != n or kind[0] not in "fb" or (kind[0] == "b" and op.meaning not in ("mov", "selp")):
            fail(f"{text} is a float of {n} bits where .{kind} is read")
        return Immediate(int(text[2:], 16))
