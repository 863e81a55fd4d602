"""Wrong kernels, one change each: another opcode of the same types, other operands, a lost guard, a lost
instruction."""

import re

from noether.kernels.ptx import TABLE
from noether.kernels.ptx.parse import Immediate, Register
from noether.kernels.ptx.table import width

OPCODES = 3  # per instruction, spread over all rows of its types


COMMUTATIVE = ("add", "mul", "iadd", "imul", "and", "or", "xor", "pand", "por", "pxor")


def _same_work(a, b) -> bool:
    if a.meaning == "store":
        return b.meaning == "store"  # of one width: they move bits
    return (a.meaning, a.detail, a.ftz, a.sources) == (b.meaning, b.detail, b.ftz, b.sources)


def _opcodes(op):
    """Other mnemonics with operands of the same widths, a few, nearest in the table first."""
    shape = [*map(_width, op.result)], [*map(_width, op.sources)]
    rows = [r for r in TABLE.values() if ([*map(_width, r.result)], [*map(_width, r.sources)]) == shape]
    rows = [r for r in rows if not _same_work(r, op) and r.meaning not in ("bra", "ret")]
    return [r.mnemonic for r in rows[:: max(1, len(rows) // OPCODES)][:OPCODES]]


def _width(kind):
    return kind if kind in ("address", "param", "label") else width(kind)


def mutants(ptx, kernel):
    """(instruction, changed text, what changed) for every instruction in turn."""
    lines = ptx.splitlines()
    before: dict[str, list[str]] = {}
    for i in kernel.instructions:
        line = lines[i.line - 1]

        def changed(new, what, i=i):
            return i, "\n".join([*lines[: i.line - 1], new, *lines[i.line :]]), what

        if i.op.meaning not in ("bra", "ret"):
            yield changed("", "lost")
        for mnemonic in _opcodes(i.op) if i.op.sources else ():
            yield changed(line.replace(i.op.mnemonic, mnemonic, 1), mnemonic)
        if i.guard:
            yield changed(
                line.replace("@!", "@", 1) if i.guard[1] else line.replace("@", "@!", 1), "guard negated"
            )
            if i.op.meaning != "bra":
                yield changed(line.split(None, 1)[1], "guard lost")
        head, comma, tail = line.partition("," if i.op.meaning not in ("store",) else "]")
        for k, source in enumerate(i.sources):
            if isinstance(source, Register) and source.name in tail:
                others = [r for r in before.get(kernel.registers[source.name], []) if r != source.name]
                if others:
                    other = others[-1]
                    yield changed(head + comma + _swap(tail, source.name, other), f"source {k} is {other}")
            if isinstance(source, Immediate):
                literal = tail.split(",")[k if len(i.sources) > 1 else 0].strip(" ;}")
                yield changed(
                    head + comma + _swap(tail, literal, _next(literal)), f"source {k} is {_next(literal)}"
                )
        if len(i.sources) == 2 and all(isinstance(s, Register) for s in i.sources) and tail.count(",") == 1:
            a, b = (x.strip(" ;") for x in tail.split(","))
            if a != b and i.op.meaning not in COMMUTATIVE:
                yield changed(f"{head},{b},{a};", "sources swapped")
        for r in i.results:
            before.setdefault(kernel.registers.get(r, ""), []).append(r)


def _swap(text, old, new):
    return re.sub(rf"(?<![\w%]){re.escape(old)}(?!\w)", new, text, count=1)


def _next(literal):
    """Integers: one more. Floats: a factor of two, because the last bit of a high coefficient of exp is
    invisible."""
    if literal[:2].lower() in ("0f", "0d"):
        digits = literal[2:]
        return literal[:2] + f"{int(digits, 16) ^ (1 << (52 if len(digits) == 16 else 23)):0{len(digits)}X}"
    return str(int(literal, 0) + 1)


def fills(kernel) -> set[int]:
    """Lines that only give a value to lanes outside the mask: what a guarded load then overwrites, and its
    literal."""
    loaded = {r for i in kernel.instructions if i.op.meaning == "load" and i.guard for r in i.results}
    fill = [i for i in kernel.instructions if i.op.meaning == "mov" and i.results[0] in loaded]
    readers: dict[str, set[int]] = {}
    for i in kernel.instructions:
        for name in i.reads():
            readers.setdefault(name, set()).add(i.line)
    lines = {i.line for i in fill}
    for i in kernel.instructions:
        if i.op.meaning == "mov" and readers.get(i.results[0]) and readers[i.results[0]] <= lines:
            lines.add(i.line)
    return lines


EQUIVALENT = {
    "what floor has made is whole, however it is rounded on its way to an integer": lambda kind, i, what: (
        kind == "bits32" and i.op.meaning == "cvt.whole" and what.startswith("cvt.r") and ".s32.f32" in what
    ),
    "bits below 128 and multiples of 128 do not meet, so or is add": lambda kind, i, what: (
        i.op.meaning == "or" and what in ("add.u64", "add.s64", "add.u32", "add.s32")
    ),
    "two small integers read as subnormal floats add exactly": lambda kind, i, what: (
        i.op.meaning in ("iadd", "or") and what.startswith("add.rn.f")
    ),
    "block and lane numbers are not negative, so their sign does not matter": lambda kind, i, what: (
        i.op.meaning in ("wide", "widemad") and what.startswith(("mul.wide", "mad.wide"))
    ),
    "%tid.x is below 128, so %tid.x and 127 is %tid.x": lambda kind, i, what: (
        i.op.mnemonic == "cvt.u64.u32" and what.startswith("source 0 is")
    ),
    "cutting off upper bits does not depend on the sign": lambda kind, i, what: (
        i.op.mnemonic == "cvt.u16.u32" and what == "cvt.s16.s32"
    ),
    "zero has the bits of 0.0": lambda kind, i, what: (
        i.text.endswith(", 0") and i.op.meaning == "mov" and what.startswith("cvt.")
    ),
    "exp scales by 2^n in two factors near n/2: the first product is exact": lambda kind, i, what: (
        kind == "exponential"
        and (
            i.op.mnemonic in ("shr.u32", "shr.s32")
            or (i.op.mnemonic == "add.s32" and what.startswith("add.rn"))
        )
    ),
    "exp's path with two factors is right for small |x| too": lambda kind, i, what: (
        kind == "exponential" and i.op.mnemonic == "setp.lt.f32" and what.startswith("source 1")
    ),
    "exp asks for the sign only where |x| > 708": lambda kind, i, what: (
        kind == "exponential" and i.op.mnemonic == "setp.lt.f64"
    ),
}
"""Proof -> (kernel, instruction, change) for changes that change nothing."""
