"""Each row of the PTX table as a C expression over registers.

A register is an unsigned C variable of 32 or 64 bits, 16-bit values zero-extended; a predicate is a mask.
`read` turns a variable into a C value of an operand type, `write` turns a value back into the register's
bits.
"""

from __future__ import annotations

from noether.kernels.ptx.native import prelude
from noether.kernels.ptx.table import Op, width

WRONG_BITS = {
    "ex2": "an approximation whose bits no two libraries share; use an exponential of your own",
    "lg2": "an approximation whose bits no two libraries share; use a logarithm of your own",
}
"""Meanings without a C twin, and why."""


def refusal(op: Op) -> str:
    """Why a row cannot be translated; '' when it can."""
    if op.meaning.startswith("bf16.") or op.meaning == "cvt.bf16.pair":
        return "arithmetic of bfloat16 is evaluated, not translated: use the backend triton-ptx"
    return WRONG_BITS.get(op.meaning, "")


def words(bits: int) -> int:
    """Bits of the C variable that holds a register of so many bits."""
    return 64 if bits == 64 else 32


def read(x: str, have: int, kind: str) -> str:
    """The variable x of a register of `have` bits, its low part as a C value of `kind`."""
    n = width(kind)
    if n < have:
        x = {32: f"(u32){x}", 16: f"((u32){x} & 0xffffu)", 8: f"((u32){x} & 0xffu)"}[n]
    if kind[0] == "f" and kind != "f16x2":
        return {16: f"half({x})", 32: f"real32({x})", 64: f"real64({x})"}[n]
    if kind[0] == "s":
        return f"((s32)({x} << {32 - n}) >> {32 - n})" if n < 32 else f"(s{n}){x}"
    return x


def write(e: str, kind: str) -> str:
    """A C value of `kind` as the bits of its register."""
    n = width(kind)
    if kind[0] == "f" and kind != "f16x2":
        return {16: f"to_half({e})", 32: f"bits32({e})", 64: f"bits64({e})"}[n]
    return f"((u32)({e}) & {2**n - 1:#x}u)" if n < 32 else f"(u{n})({e})"


def pick(mask: str, a: str, b: str) -> str:
    """The bits of a where the mask is set, those of b elsewhere."""
    return f"PICK({mask}, {a}, {b})"


SIGN = {16: "0x8000u", 32: "0x80000000u", 64: "0x8000000000000000ull"}
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "iadd": "+", "isub": "-", "imul": "*"}
INFIX |= {"and": "&", "or": "|", "xor": "^", "pand": "&", "por": "|", "pxor": "^"}
ROUND = {"rni": "rint", "rzi": "trunc", "rmi": "floor", "rpi": "ceil"}
RELATION = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "neu": "!="}
UNORDERED = {"ltu": ">=", "leu": ">", "gtu": "<=", "geu": "<"}


def expression(op: Op, a: list[str], mask: int = 0) -> str:
    """The result's bits. a: the registers' bits, cut to the width of their operand type; predicates as masks.

    mask   bits of the mask where the result is a predicate, and of the predicate sources
    """
    if "f16x2" in op.result and op.meaning != "cvt.pair":
        return _halves(op, a)
    kind = op.result[0]
    bits = _moved(op, a, kind) or _converted(op, a, kind)
    if bits:
        return bits
    x = [read(s, width(t), t) if t != "pred" else s for s, t in zip(a, op.sources, strict=True)]
    if op.ftz:
        x = [f"flush({v})" for v in x]
    if op.meaning == "setp":
        return f"MASK{mask}({_condition(op.detail, *x)})"
    value = _value(op, x, kind)
    if op.ftz and kind == "f32":
        value = f"flush({value})"
    return value if kind == "pred" else write(value, kind)


def _halves(op: Op, a: list[str]) -> str:
    """Two binary16 in a word, each by the row of one."""
    one = Op(op.mnemonic, op.meaning, ("f16",), ("f16",) * len(op.sources), op.detail)
    low, high = (expression(one, [f"(({v}) {cut})" for v in a]) for cut in ("& 0xffffu", ">> 16"))
    return f"({low} | ({high} << 16))"


def _moved(op: Op, a: list[str], kind: str) -> str:
    """Rows that move or choose bits; '' for the others."""
    n, meaning = width(kind), op.meaning
    if meaning == "mov":
        return a[0]
    if meaning == "selp":
        return pick(a[2], a[0], a[1])
    if meaning in ("neg", "abs") and not op.ftz:
        return f"({a[0]} ^ {SIGN[n]})" if meaning == "neg" else f"({a[0]} & ~{SIGN[n]})"
    if meaning == "copysign":
        return f"(({a[1]} & ~{SIGN[n]}) | ({a[0]} & {SIGN[n]}))"
    if meaning in ("min", "max"):
        return _extreme(op, a, kind)
    if meaning == "pack":
        part, word = width(op.sources[0]), words(n)
        return "(" + " | ".join(f"((u{word}){v} << {k * part})" for k, v in enumerate(a)) + ")"
    if meaning in ("shl", "shr"):
        return _shift(op, a)
    if meaning == "bfe":
        at, length = (int(v.rstrip("ul"), 0) & 255 for v in a[1:])
        return f"(({a[0]} >> {at}) & {(1 << min(length, n)) - 1:#x}ull)" if at < n else "0u"
    if meaning == "prmt":
        return _permute(a[0], a[1], int(a[2].rstrip("ul"), 0))
    return ""


def _extreme(op: Op, a: list[str], kind: str) -> str:
    """The smaller or larger of two floats, by the function of the prelude; subnormals flushed where asked."""
    cut = " & 0xffffu" if width(kind) == 16 else ""
    x = [f"bits32(flush(real32({v})))" for v in a] if op.ftz else a
    chosen = f"{op.meaning}_{kind}({x[0]}, {x[1]}, {int(op.detail == 'NaN')}){cut}"
    return f"bits32(flush(real32({chosen})))" if op.ftz else f"({chosen})"


def _converted(op: Op, a: list[str], kind: str) -> str:
    """Rows whose narrow result has a rounding of its own; '' for the others."""
    meaning = op.meaning
    if meaning == "cvt.pair":
        return f"((to_half(real32({a[0]})) << 16) | to_half(real32({a[1]})))"
    if meaning == "cvt.bf16":
        return f"to_bfloat(real32({a[0]}))"
    if meaning == "cvt.from.bf16":
        return f"({a[0]} << 16)"
    if meaning == "cvt" and kind == "f16" and op.sources[0] == "f64":
        return f"to_half64(real64({a[0]}))"  # through float32 it would be rounded twice
    if meaning == "fma" and kind == "f16":
        # The product of 22 bits is exact; where the sum is not, one operand is too small to move a binary16.
        x, y, z = (f"(f64)half({v})" for v in a)
        return f"to_half64({x} * {y} + {z})"
    return ""


def _permute(a: str, b: str, selector: int) -> str:
    """Bytes of b:a chosen by the digits of the selector; those that move alike in one shift."""
    together: dict[tuple[str, int], int] = {}
    terms = []
    for k in range(4):
        n = selector >> 4 * k & 15
        source, byte = (b if n & 4 else a), n & 3
        if n & 8:
            terms.append(f"((0u - (({source} >> {8 * byte + 7}) & 1u)) & {0xFF << 8 * k:#x}u)")
        else:
            together[source, 8 * (k - byte)] = together.get((source, 8 * (k - byte)), 0) | 0xFF << 8 * k
    for (source, by), cut in together.items():
        terms.append(f"(({source} {'<<' if by > 0 else '>>'} {abs(by)}) & {cut:#x}u)")
    return "(" + " | ".join(terms) + ")"


def _shift(op: Op, a: list[str]) -> str:
    """Amounts beyond the width act as the width, which C leaves undefined."""
    n, kind = width(op.result[0]), op.sources[0]
    word = words(n)
    amount = a[1]
    if kind[0] == "s":
        return write(f"({read(a[0], n, kind)} >> ({amount} > {n - 1}u ? {n - 1}u : {amount}))", kind)
    sign = "<<" if op.meaning == "shl" else ">>"
    return write(f"(({a[0]} {sign} ({amount} & {word - 1}u)) & MASK{word}({amount} < {n}u))", kind)


def _condition(relation: str, a: str, b: str) -> str:
    if relation in ("one", "equ"):
        apart = f"(({a} < {b}) | ({a} > {b}))"
        return apart if relation == "one" else f"!{apart}"
    if relation in ("num", "nan"):
        return f"(({a} == {a}) & ({b} == {b}))" if relation == "num" else f"(({a} != {a}) | ({b} != {b}))"
    if relation in UNORDERED:
        return f"!({a} {UNORDERED[relation]} {b})"
    return f"{a} {RELATION[relation]} {b}"


def _value(op: Op, x: list[str], kind: str) -> str:
    """Rows that compute a C value from C values."""
    meaning, n = op.meaning, width(kind)
    tail = "f" if kind in ("f32", "f16") else ""
    if meaning in INFIX:
        return f"({x[0]} {INFIX[meaning]} {x[1]})"
    simple = {
        "fma": lambda: f"__builtin_fma{tail}({', '.join(x)})",
        "neg": lambda: f"real32(bits32({x[0]}) ^ 0x80000000u)",
        "abs": lambda: f"real32(bits32({x[0]}) & 0x7fffffffu)",
        "sqrt": lambda: f"__builtin_sqrt{tail}({x[0]})",
        "rcp": lambda: f"((f{n})1 / {x[0]})",
        "rsqrt": lambda: f"((f{n})1 / __builtin_sqrt{tail}({x[0]}))",
        "not": lambda: f"~{x[0]}",
        "pnot": lambda: f"~{x[0]}",
        "ineg": lambda: f"(0 - (u{words(n)}){x[0]})",
        "iabs": lambda: _absolute(x[0], words(n)),
        "imin": lambda: f"({x[0]} < {x[1]} ? {x[0]} : {x[1]})",
        "imax": lambda: f"({x[0]} > {x[1]} ? {x[0]} : {x[1]})",
        "imad": lambda: f"({x[0]} * {x[1]} + {x[2]})",
        "wide": lambda: _product(op, x, n),
        "widemad": lambda: f"({_product(op, x, n)} + (u{n}){x[2]})",
        "high": lambda: _high(op, x, n),
        "cvt": lambda: f"({_c_type(kind)}){x[0]}",
        "rint": lambda: f"__builtin_{ROUND[op.detail]}{tail}({x[0]})",
        "cvt.whole": lambda: _whole(op, x[0]),
    }
    return simple[meaning]()


def _absolute(x: str, word: int) -> str:
    """The absolute value of a signed number as (x ^ sign) - sign, which never overflows."""
    sign = f"(u{word})({x} >> {word - 1})"
    return f"(((u{word}){x} ^ {sign}) - {sign})"


def _product(op: Op, x: list[str], n: int) -> str:
    """The full product of two numbers of half the width of the result."""
    signed = op.sources[0][0]
    return f"(u{n})(({signed}{n}){x[0]} * ({signed}{n}){x[1]})"


def _high(op: Op, x: list[str], n: int) -> str:
    """The upper half of a product, which needs twice its width."""
    wide = {("s", 64): "__int128", ("u", 64): "unsigned __int128", ("s", 32): "s64", ("u", 32): "u64"}
    double = wide[op.result[0][0], n]
    return f"(u{n})((({double}){x[0]} * ({double}){x[1]}) >> {n})"


def _whole(op: Op, x: str) -> str:
    """A float rounded to a whole number, and held within the range of the result."""
    source = "f64" if op.sources[0] == "f64" else "f32"  # a binary16 is exact in float32
    return f"whole_{op.result[0]}_{source}(__builtin_{ROUND[op.detail]}{'' if source == 'f64' else 'f'}({x}))"


def _c_type(kind: str) -> str:
    """The C type in which a value of this PTX type is computed."""
    floats = {"f16": "f32", "f32": "f32", "f64": "f64"}
    return floats.get(kind) or f"{'s' if kind[0] == 's' else 'u'}{words(width(kind))}"


def parts(ops: list[Op]) -> str:
    """The parts of the prelude that these rows use."""
    kinds = {t for op in ops for t in (*op.result, *op.sources)}
    meanings = {op.meaning for op in ops}
    text = prelude.WORDS
    if any(op.ftz for op in ops):
        text += prelude.FLUSH
    if kinds & {"f16", "f16x2"} or "cvt.pair" in meanings or meanings & {"min", "max"}:
        text += prelude.HALF
    if "cvt.bf16" in meanings:
        text += prelude.BFLOAT
    if meanings & {"min", "max"}:
        text += prelude.EXTREME
    if "cvt.whole" in meanings:
        text += prelude.WHOLE
    return text
