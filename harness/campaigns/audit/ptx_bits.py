"""What integer instructions do with the bits of numbers: they move them whole, or handle them.

A bfloat16 number lives in registers of integers: it is loaded as 16 bits or as half of 32, moved by shifts,
masks, prmt and packing, and widened by a shift. Where an instruction moves numbers whole they go on as
fields; where it changes their bits the result is `Derived`, whose meaning is seen where it is read.
"""

from __future__ import annotations

from noether.campaigns.audit.ptx_shadow import Derived, Fields, Unknown, of_bits, permuted, united
from noether.kernels.ptx.parse import Immediate, Instruction
from noether.kernels.ptx.table import width

NARROW = {16: "bfloat16", 32: "float32"}
"""Width -> the kind as which handled bits are read where parts are packed."""


def line(i: Instruction) -> str:
    """An instruction and its line, as messages name it."""
    return f"PTX line {i.line}: {i.text}"


def packed(i: Instruction, frame):
    """The fields of parts one after the other."""
    found: dict = {}
    each = width(i.op.sources[0])
    for k, s in enumerate(i.sources):
        x = frame.shadow(s)
        if isinstance(x, Unknown) or (isinstance(x, Derived) and each not in NARROW):
            return Unknown(line(i))
        if isinstance(x, Derived):
            x = Fields({0: (NARROW[each], frame.number(s, NARROW[each]))})
        if x is not None:
            found |= {offset + k * each: entry for offset, entry in x.at.items()}
    return Fields(found) if found else None


def unpacked(i: Instruction, x, bits) -> list:
    """What each part of a register means.

    x, bits  what the register means, and its executed bits
    """
    each = width(i.op.result[0])
    if not isinstance(x, Fields):
        return [x] * len(i.results)
    parts = [x.moved(-each * k, width(i.op.sources[0])) for k in range(len(i.results))]
    parts = [part and part.cut((1 << each) - 1) for part in parts]
    cut = derived(i, [x], [bits]) if None in parts else None
    return [cut if part is None else part if part.at else None for part in parts]


def handled(i: Instruction, frame):
    """What an integer instruction makes of the bits of numbers; None where it has none."""
    of_numbers = [frame.shadow(s) for s in i.sources]
    if all(x is None for x in of_numbers):
        return None
    bits = [frame.bits(s, t) for s, t in zip(i.sources, i.op.sources, strict=True)]
    fields = moved(i, of_numbers, bits)
    if fields is not None:
        return fields if fields.at else None
    return derived(i, of_numbers, bits)


def moved(i: Instruction, of_numbers: list, bits: list) -> Fields | None:
    """The fields of the result where the instruction moves whole numbers only."""
    m, size = i.op.meaning, width(i.op.result[0])
    x = of_numbers[0]
    literals = [s.bits if isinstance(s, Immediate) else None for s in i.sources]
    if m == "prmt":
        return permuted(of_numbers[0], of_numbers[1], literals[2])
    if m in ("or", "xor"):
        return united(x, bits[0], of_numbers[1], bits[1])
    if m == "and":
        if literals == [None, None]:
            return None
        mask, other = (literals[0], of_numbers[1]) if literals[1] is None else (literals[1], x)
        return other.cut(mask) if isinstance(other, Fields) else None
    if not isinstance(x, Fields):
        return None
    if m == "cvt":
        return x.moved(0, size)
    if m not in ("shl", "shr", "bfe") or literals[1] is None:
        return None
    shifted = x.moved(literals[1] if m == "shl" else -literals[1], size)
    if m == "bfe":
        return shifted and shifted.cut((1 << min(literals[2], size)) - 1)
    signs = m == "shr" and i.op.sources[0][0] == "s" and literals[1] > 0  # the sign spreads over what is free
    return None if signs else shifted


def derived(i: Instruction, of_numbers: list, bits: list):
    """Bits of one number, handled: what they mean is seen where they are read."""
    origins = []
    for x, raw in zip(of_numbers, bits, strict=True):
        if isinstance(x, Fields) and list(x.at) == [0]:
            kind, number = x.at[0]
            origins.append(Derived(kind, number, of_bits(raw, kind), line(i)))
        elif x is not None:
            origins.append(x)
    first = origins[0]
    if not all(isinstance(x, Derived) and x.number is first.number for x in origins):
        return Unknown(line(i))
    return Derived(first.kind, first.number, first.real, line(i))
