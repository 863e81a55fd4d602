"""What the bits of a PTX register mean: floating numbers in fields, with their running error.

A register holds one number, two halves, or the bits of a narrow number on their way through integer
instructions. `Fields` are the numbers at their offsets. `Derived` are bits that integer instructions made of
one number: what they mean is decided where they are next read as a number, from the bits themselves, among
the number, its negative, its magnitude and its rounding to bfloat16. Nothing else is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from noether.campaigns.audit.ptx_numbers import FORMAT, chosen, half_ulp, rounded
from noether.kernels.programs.precision import widen
from noether.optimizers.running import WIDE, Running, running

WIDTH = {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16}
OF_BITS = {"float64": np.float64, "float32": np.float32, "float16": np.float16}


@dataclass(frozen=True)
class Fields:
    """The numbers in a register: offset in bits -> kind and number. All other bits are known as they are."""

    at: dict[int, tuple[str, Running]]

    def moved(self, by: int, width: int) -> Fields | None:
        """The fields after a shift to the left, or to the right where `by` is below 0, in a register of so
        many bits; None where one is cut."""
        kept = {}
        for offset, (kind, x) in self.at.items():
            start, end = offset + by, offset + by + WIDTH[kind]
            if end <= 0 or start >= width:
                continue
            if start < 0 or end > width:
                return None
            kept[start] = kind, x
        return Fields(kept)

    def cut(self, mask: int) -> Fields | None:
        """The fields that a mask lets through whole; None where it cuts one."""
        kept = {}
        for offset, (kind, x) in self.at.items():
            whole = (1 << WIDTH[kind]) - 1
            inside = mask >> offset & whole
            if inside == whole:
                kept[offset] = kind, x
            elif inside:
                return None
        return Fields(kept)


@dataclass(frozen=True)
class Derived:
    """Bits that integer instructions made of a number.

    kind, number  the number;  real  its executed value, longdouble;  line  the last such instruction
    """

    kind: str
    number: Running
    real: np.ndarray
    line: str


@dataclass(frozen=True)
class Unknown:
    """Bits of which nothing is known, and the instruction that made them so."""

    line: str


@dataclass
class Notes:
    """What an evaluation has to say beside its numbers.

    unknown   instructions whose result is not understood, each once
    directed  instructions that round to bfloat16, but not to nearest
    choices   instruction -> on how many lanes its comparison is within the bounds of its operands
    turned    branches and stores that such a comparison decides
    kinds     type -> the first instruction that rounded to it
    rounds    whether types round; else the bound is on what is meant, which is off by wide arithmetic alone
    """

    unknown: dict[str, None] = field(default_factory=dict)
    directed: dict[str, None] = field(default_factory=dict)
    choices: dict[str, int] = field(default_factory=dict)
    turned: dict[str, None] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    rounds: bool = True


def of_bits(bits: np.ndarray, kind: str, offset: int = 0) -> np.ndarray:
    """The executed value of a field of unsigned bits, longdouble."""
    width = WIDTH[kind]
    part = (bits >> bits.dtype.type(offset)).astype(f"u{width // 8}")
    return widen(part, kind).astype(WIDE) if kind == "bfloat16" else part.view(OF_BITS[kind]).astype(WIDE)


def number_at(shadow, bits: np.ndarray, kind: str, offset: int, notes: Notes) -> Running:
    """The number that a register holds at an offset, read as a kind; with an infinite bound where that is not
    understood.

    bits  the register's executed bits, unsigned
    """
    if bits.dtype.itemsize * 8 < offset + WIDTH[kind]:
        real = of_bits(bits.astype(np.uint64), kind, offset)
        return _nothing(real, "a register is read beyond its end", notes)
    real = of_bits(bits, kind, offset)
    if shadow is None:
        return running(real)
    if isinstance(shadow, Unknown):
        return _nothing(real, shadow.line, notes)
    if isinstance(shadow, Derived):
        return resolved(shadow, real, kind, notes)
    have, x = shadow.at.get(offset, ("", None))
    if have == kind:
        return x
    upper = shadow.at.get(offset + 16)
    if kind == "float32" and have == "" and upper and upper[0] == "bfloat16":  # widened by a shift
        low = bits >> bits.dtype.type(offset) & bits.dtype.type(0xFFFF)
        return _where(low == 0, upper[1], real, "the low half of a widened bfloat16 is not 0", notes)
    covered = any(o < offset + WIDTH[kind] and offset < o + WIDTH[k] for o, (k, _) in shadow.at.items())
    if not covered:
        return running(real)
    return _nothing(real, f"a {have or 'part of a number'} is read as {kind}", notes)


def resolved(shadow: Derived, real: np.ndarray, kind: str, notes: Notes) -> Running:
    """What bits made of one number mean, where they are read as a number of a kind."""
    f, x = shadow.real, shadow.number
    narrowed, twice = (rounded(x, "bfloat16", n) if notes.rounds else x for n in (1.0, 2.0))
    narrow = kind == "bfloat16" or (kind == "float32" and shadow.kind == "float32")
    with np.errstate(invalid="ignore"):
        same = (real == f) | (np.isnan(real) & np.isnan(f))
        plain = [(same, x), (real == -f, Running(-x.value, x.error))]
        plain.append((real == np.abs(f), Running(np.abs(x.value), x.error)))
        if narrow:
            off, half = np.abs(real - f), half_ulp(np.abs(f), "bfloat16")
            fits = real == of_bfloat16(real)
            nearest = fits & (off <= half)
            overflow = np.isinf(real) & (np.abs(f) >= (2 - 2.0**-8) * 2.0 ** (FORMAT["bfloat16"][2] - 1))
            plain.append((nearest | (overflow & (np.sign(real) == np.sign(f))), narrowed))
            directed = fits & (off < 2 * half)
            plain.append((directed, twice))
            notes.kinds.setdefault("bfloat16", shadow.line)
            told = np.logical_or.reduce([m for m, _ in plain[:4]])
            if (directed & ~told).any():
                notes.directed[shadow.line] = None
    known = np.logical_or.reduce([m for m, _ in plain])
    value = np.select([m for m, _ in plain], [y.value for _, y in plain], real)
    error = np.select([m for m, _ in plain], [y.error for _, y in plain], np.inf)
    if not known.all():
        notes.unknown[shadow.line] = None
    return Running(value, error)


def of_bfloat16(real: np.ndarray) -> np.ndarray:
    """The values themselves where they are bfloat16 numbers, else others."""
    bits = np.ascontiguousarray(real.astype(np.float32)).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32).reshape(np.shape(real)).astype(WIDE)


def _nothing(real: np.ndarray, line: str, notes: Notes) -> Running:
    notes.unknown[line] = None
    return Running(real, np.full_like(real, np.inf))


def _where(good: np.ndarray, x: Running, real: np.ndarray, line: str, notes: Notes) -> Running:
    if good.all():
        return x
    notes.unknown[line] = None
    return Running(np.where(good, x.value, real), np.where(good, x.error, np.inf))


def merged(picks, unsure, a, bits_a, b, bits_b, notes: Notes):
    """The shadow of a register that is a where it is picked and b elsewhere: lane by lane, field by field.

    bits_a, bits_b  the executed bits of both sides, by which a side without numbers is read
    """
    if a is None and b is None:
        return None
    kinds: dict[int, str] = {}
    for shadow in (a, b):
        if isinstance(shadow, Fields):
            for offset, (kind, _) in shadow.at.items():
                kinds.setdefault(offset, kind)
    one = a if isinstance(a, Derived) else b
    if isinstance(one, Derived) and not kinds:
        other, bits = (b, bits_a) if one is a else (a, bits_b)
        if isinstance(other, Derived) and other.number is one.number and not np.any(unsure):
            return one
        kind = one.kind if WIDTH[one.kind] <= 8 * bits.dtype.itemsize else "bfloat16"
        if other is None and not np.isfinite(number_at(one, bits, kind, 0, Notes()).error).all():
            return one  # literals among bits that mean nothing yet
        kinds = {0: kind}
    if not kinds:
        return Unknown((a if isinstance(a, Unknown) else b).line)
    found = {}
    for offset, kind in kinds.items():
        x, y = number_at(a, bits_a, kind, offset, notes), number_at(b, bits_b, kind, offset, notes)
        found[offset] = kind, chosen(picks, unsure, x, y)
    return Fields(found)


def united(a, bits_a, b, bits_b) -> Fields | None:
    """The fields of the `or` of two registers whose numbers meet zeros only; None where they do not."""
    found: dict[int, tuple[str, Running]] = {}
    for shadow, other in ((a, bits_b), (b, bits_a)):
        if shadow is None:
            continue
        if not isinstance(shadow, Fields):
            return None
        for offset, (kind, x) in shadow.at.items():
            mask = other.dtype.type((1 << WIDTH[kind]) - 1 << offset)
            if (other & mask).any():
                return None
            found[offset] = kind, x
    return Fields(found)


def permuted(a, b, selector: int) -> Fields | None:
    """The fields of prmt, b above a, by its literal selector; None where a byte of one goes alone."""
    sources: dict[int, tuple[str, Running]] = {}
    for base, shadow in ((0, a), (32, b)):
        if shadow is not None and not isinstance(shadow, Fields):
            return None
        for offset, entry in shadow.at.items() if shadow else ():
            sources[base + offset] = entry
    digits = [selector >> 4 * k & 15 for k in range(4)]
    found = {}
    for offset, (kind, x) in sources.items():
        wanted = [offset // 8 + j for j in range(WIDTH[kind] // 8)]
        places = [k for k in range(4) if digits[k : k + len(wanted)] == wanted]
        covered = {k + j for k in places for j in range(len(wanted))}
        if any(d & 7 in wanted and k not in covered for k, d in enumerate(digits)):
            return None
        for k in places:
            found[8 * k] = kind, x
    return Fields(found)
