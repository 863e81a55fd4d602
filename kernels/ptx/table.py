"""The PTX instructions that are accepted, one row each; any other is refused, never approximated.

Whole mnemonics, never prefixes: `cvt.rni.f32.f32` read as "some cvt" compiles floor() to a copy without
complaint. The rows are shared by everything that executes PTX; meanings follow the PTX ISA 8.7 manual,
chapter 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


class Refused(ValueError):
    """Raised for PTX that cannot be executed here, with the opcode, the line (from 1) and why."""

    def __init__(self, opcode: str, line: int, why: str, text: str = ""):
        super().__init__(f"PTX line {line}: {opcode} refused: {why}" + (f"   [{text}]" if text else ""))
        self.opcode, self.line, self.why = opcode, line, why


@dataclass(frozen=True)
class Op:
    """One accepted mnemonic, and what it means.

    result, sources   operand types; "address", "param" and "label" are no register types
    meaning, detail   what it computes: ("setp", "ltu"), ("cvt", "rzi")
    pinned            False: the PTX leaves bits open, an approximation or ptxas may contract it into an fma
    ftz               subnormal inputs and results become zeros of their sign
    """

    mnemonic: str
    meaning: str
    result: tuple[str, ...]
    sources: tuple[str, ...]
    detail: str = ""
    pinned: bool = True
    ftz: bool = False


@cache
def width(kind: str) -> int:
    """The bits of a type; a predicate has 1."""
    return {"pred": 1, "f16x2": 32, "bf16x2": 32}.get(kind) or int(kind.lstrip("bfsu"))


WHY = {
    "bar": "a CTA barrier: lanes wait for each other",
    "barrier": "a CTA barrier: lanes wait for each other",
    "shfl": "a warp shuffle: lanes exchange data (a reduction or a layout conversion?)",
    "vote": "a warp vote: lanes exchange data",
    "match": "a warp vote: lanes exchange data",
    "activemask": "a warp vote: lanes exchange data",
    "redux": "a warp reduction: lanes exchange data",
    "elect": "a warp election: lanes exchange data",
    "atom": "an atomic: lanes exchange data",
    "red": "an atomic: lanes exchange data",
    "call": "a call of a device function",
    "mma": "a tensor core operation",
    "wgmma": "a tensor core operation",
    "cp": "an asynchronous copy",
    "mbarrier": "an asynchronous barrier",
    "fence": "a memory fence",
    "membar": "a memory fence",
    "shared": "shared memory: lanes exchange data",
    "local": "a per-thread stack (a spill, an array, or a slow path of libdevice)",
    "const": "a constant bank",
}


def why(mnemonic: str) -> str:
    """The reason to give for a mnemonic without a row."""
    words = mnemonic.replace("::", ".").split(".")
    return WHY.get(words[0]) or next(
        (WHY[w] for w in words[1:] if w in WHY), "not in the table of accepted mnemonics"
    )


TABLE: dict[str, Op] = {}


def _row(mnemonic, meaning, result, sources, detail="", pinned=True, ftz=False):
    def types(names):
        return tuple(names.split()) if isinstance(names, str) else tuple(names)

    assert mnemonic not in TABLE, mnemonic
    TABLE[mnemonic] = Op(mnemonic, meaning, types(result), types(sources), detail, pinned, ftz)


def _memory():
    for t in ("b8", "b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "u8", "s8", "f32", "f64"):
        _row(f"ld.param.{t}", "param", t, "param")
        for vector, n in (("", 1), (".v2", 2), (".v4", 4)):
            if n * width(t) <= 128:
                _row(f"ld.global{vector}.{t}", "load", [t] * n, "address")
                _row(f"st.global{vector}.{t}", "store", "", ["address"] + [t] * n)


def _floating():
    for t in ("f16", "f32", "f64"):
        for name in ("add", "sub", "mul"):
            _row(f"{name}.rn.{t}", name, t, [t] * 2)
            _row(f"{name}.{t}", name, t, [t] * 2, pinned=False)  # ptxas may contract it
        _row(f"fma.rn.{t}", "fma", t, [t] * 3)
        for name in ("neg", "abs"):
            _row(f"{name}.{t}", name, t, t)
        for name in ("min", "max"):
            _row(f"{name}.{t}", name, t, [t] * 2)
            if t != "f64":
                _row(f"{name}.NaN.{t}", name, t, [t] * 2, "NaN")
    for name in ("add", "sub", "mul"):
        _row(f"{name}.rn.f16x2", name, "f16x2", "f16x2 f16x2")
        _row(f"{name}.f16x2", name, "f16x2", "f16x2 f16x2", pinned=False)
    _row("fma.rn.f16x2", "fma", "f16x2", "f16x2 f16x2 f16x2")
    _row("neg.f16x2", "neg", "f16x2", "f16x2")
    _row("abs.f16x2", "abs", "f16x2", "f16x2")
    for t in ("f32", "f64"):
        _row(f"div.rn.{t}", "div", t, [t] * 2)
        _row(f"sqrt.rn.{t}", "sqrt", t, t)
        _row(f"rcp.rn.{t}", "rcp", t, t)
        _row(f"copysign.{t}", "copysign", t, [t] * 2)
    for name in ("add", "sub", "mul"):
        _row(f"{name}.rn.ftz.f32", name, "f32", "f32 f32", ftz=True)
        _row(f"{name}.ftz.f32", name, "f32", "f32 f32", pinned=False, ftz=True)
    _row("fma.rn.ftz.f32", "fma", "f32", "f32 f32 f32", ftz=True)
    for name in ("neg", "abs"):
        _row(f"{name}.ftz.f32", name, "f32", "f32", ftz=True)
    for name in ("min", "max"):
        _row(f"{name}.ftz.f32", name, "f32", "f32 f32", ftz=True)
    for name in ("ex2", "lg2", "rcp", "sqrt", "rsqrt"):
        _row(f"{name}.approx.f32", name, "f32", "f32", pinned=False)
        _row(f"{name}.approx.ftz.f32", name, "f32", "f32", pinned=False, ftz=True)
    _row("div.full.f32", "div", "f32", "f32 f32", pinned=False)
    _row("div.full.ftz.f32", "div", "f32", "f32 f32", pinned=False, ftz=True)


def _bfloat16():
    """bfloat16 lives in registers of bits; its types are operand types only."""
    for t in ("bf16", "bf16x2"):
        for name in ("add", "sub", "mul"):
            _row(f"{name}.rn.{t}", f"bf16.{name}", t, [t] * 2)
            _row(f"{name}.{t}", f"bf16.{name}", t, [t] * 2, pinned=False)
        _row(f"fma.rn.{t}", "bf16.fma", t, [t] * 3)
        for name in ("neg", "abs"):
            _row(f"{name}.{t}", f"bf16.{name}", t, t)
        for name in ("min", "max"):
            _row(f"{name}.{t}", f"bf16.{name}", t, [t] * 2)
            _row(f"{name}.NaN.{t}", f"bf16.{name}", t, [t] * 2, "NaN")
    _row("cvt.rn.bf16x2.f32", "cvt.bf16.pair", "bf16x2", "f32 f32")


def _integers():
    for n in (16, 32, 64):
        b = f"b{n}"
        for t in (f"s{n}", f"u{n}"):
            for name in ("add", "sub"):
                _row(f"{name}.{t}", f"i{name}", b, [b] * 2)
            _row(f"mul.lo.{t}", "imul", b, [b] * 2)
            _row(f"mad.lo.{t}", "imad", b, [b] * 3)
            for name in ("min", "max"):
                _row(f"{name}.{t}", f"i{name}", t, [t] * 2)
            _row(f"shr.{t}", "shr", t, [t, "u32"])
            if n < 64:
                wide = t[0] + str(2 * n)
                _row(f"mul.wide.{t}", "wide", wide, [t] * 2)
                _row(f"mad.wide.{t}", "widemad", wide, [t, t, wide])
            if n > 16:
                _row(f"mul.hi.{t}", "high", t, [t] * 2)
        for name in ("neg", "abs"):
            _row(f"{name}.s{n}", f"i{name}", f"s{n}", f"s{n}")
        for name in ("and", "or", "xor"):
            _row(f"{name}.{b}", name, b, [b] * 2)
        _row(f"not.{b}", "not", b, b)
        _row(f"shl.{b}", "shl", f"u{n}", [f"u{n}", "u32"])
        if n > 16:
            _row(f"bfe.u{n}", "bfe", f"u{n}", [f"u{n}", "u32", "u32"])
    _row("prmt.b32", "prmt", "b32", "b32 b32 b32")
    for name in ("and", "or", "xor"):
        _row(f"{name}.pred", f"p{name}", "pred", "pred pred")
    _row("not.pred", "pnot", "pred", "pred")


def _choices():
    orders = ("eq", "ne", "lt", "le", "gt", "ge")
    for n in (16, 32, 64):
        for relation in orders:
            for t in (f"s{n}", f"u{n}"):
                _row(f"setp.{relation}.{t}", "setp", "pred", [t] * 2, relation)
        for relation, same in (("lo", "lt"), ("ls", "le"), ("hi", "gt"), ("hs", "ge")):
            _row(f"setp.{relation}.u{n}", "setp", "pred", [f"u{n}"] * 2, same)
        for relation in ("eq", "ne"):
            _row(f"setp.{relation}.b{n}", "setp", "pred", [f"b{n}"] * 2, relation)
        for relation in orders + tuple(r + "u" for r in orders) + ("num", "nan"):
            detail = "one" if relation == "ne" else relation  # of floats: false where either is NaN
            _row(f"setp.{relation}.f{n}", "setp", "pred", [f"f{n}"] * 2, detail)
            if n == 16:
                # p|q: of the low and of the high halves.
                _row(f"setp.{relation}.f16x2", "setp", "pred pred", "f16x2 f16x2", detail)
            if n == 32:
                _row(f"setp.{relation}.ftz.f32", "setp", "pred", "f32 f32", detail, ftz=True)
        for t in "bsuf" if n > 16 else "bsu":
            _row(f"selp.{t}{n}", "selp", f"b{n}", [f"b{n}", f"b{n}", "pred"])
            _row(f"mov.{t}{n}", "mov", f"b{n}", f"b{n}")
    _row("mov.pred", "mov", "pred", "pred")


def _conversions():
    wholes = [f"{s}{n}" for n in (16, 32, 64) for s in "su"]
    for a in wholes:
        for b in ["s8", "u8", *wholes]:
            if a != b:
                _row(f"cvt.{a}.{b}", "cvt", a, b)
        for f in ("f16", "f32", "f64"):
            _row(f"cvt.rn.{f}.{a}", "cvt", f, a)
            for mode in ("rni", "rzi", "rmi", "rpi"):
                _row(f"cvt.{mode}.{a}.{f}", "cvt.whole", a, f, mode)
                if f == "f32":
                    _row(f"cvt.{mode}.ftz.{a}.f32", "cvt.whole", a, f, mode, ftz=True)
    for f in ("f16", "f32", "f64"):
        for mode in ("rni", "rzi", "rmi", "rpi"):
            _row(f"cvt.{mode}.{f}.{f}", "rint", f, f, mode)
            if f == "f32":
                _row(f"cvt.{mode}.ftz.f32.f32", "rint", f, f, mode, ftz=True)
    for a, b in (("f64", "f32"), ("f64", "f16"), ("f32", "f16")):
        _row(f"cvt.{a}.{b}", "cvt", a, b)
        _row(f"cvt.rn.{b}.{a}", "cvt", b, a)
    _row("cvt.rn.f16x2.f32", "cvt.pair", "f16x2", "f32 f32")
    _row("cvt.rn.bf16.f32", "cvt.bf16", "b16", "f32")
    _row("cvt.f32.bf16", "cvt.from.bf16", "f32", "b16")


def _control():
    for name in ("bra", "bra.uni"):
        _row(name, "bra", "", "label")
    for name in ("ret", "exit"):
        _row(name, "ret", "", "")


for _rows in (_memory, _floating, _bfloat16, _integers, _choices, _conversions, _control):
    _rows()


def halved(op: Op) -> Op:
    """The row of one half of a comparison of two binary16 at once, which has a predicate for each."""
    return Op(op.mnemonic, op.meaning, ("pred",), ("f16", "f16"), op.detail)


def packing(op: Op, results: int, sources: int) -> Op | None:
    """The row for a `mov` with a {vector} of that many parts, or None."""
    parts = max(results, sources)
    if op.meaning != "mov" or min(results, sources) != 1 or not op.mnemonic.startswith("mov.b"):
        return None
    whole = op.result[0]
    if (whole, parts) not in (("b64", 2), ("b64", 4), ("b32", 2)):
        return None
    part = (f"b{width(whole) // parts}",) * parts
    if results == 1:
        return Op(op.mnemonic, "pack", (whole,), part)
    return Op(op.mnemonic, "unpack", part, (whole,))
