"""What each accepted PTX instruction computes, in numpy.

A builder takes (op, out, sources, temp) and returns calls without arguments that compute `out` when run in
order. All arrays are bound beforehand: () for a uniform value, (lanes,) otherwise, viewed in the types of the
row; f16x2 has a last axis of two, low half first. `temp(type, k)` is the k-th scratch array of that type, of
the shape of out. NaN payloads are not modelled.
Arithmetic of bfloat16 is in bfloat.py.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.kernels.ptx import bfloat
from noether.kernels.ptx.fma import fma64, fma_narrow
from noether.kernels.ptx.table import width

DTYPE = {
    f"{s}{n}": np.dtype(f"{k}{n // 8}")
    for s, k in (("b", "u"), ("u", "u"), ("s", "i"))
    for n in (8, 16, 32, 64)
}
DTYPE |= {
    "bf16": np.dtype("u2"),
    "f16": np.dtype("f2"),
    "f32": np.dtype("f4"),
    "f64": np.dtype("f8"),
    "pred": np.dtype(bool),
}
BITS = {"f16": "u16", "f32": "u32", "f64": "u64"}

SINGLE = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "sqrt": np.sqrt,
    "neg": np.negative, "abs": np.abs, "copysign": lambda a, b, out: np.copysign(b, a, out),
    "iadd": np.add, "isub": np.subtract, "imul": np.multiply,
    "ineg": np.negative, "iabs": np.abs, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "not": np.invert, "pand": np.logical_and, "por": np.logical_or, "pxor": np.logical_xor,
    "pnot": np.logical_not,
    "ex2": np.exp2, "lg2": np.log2,
}  # fmt: skip
"""Meanings that are one ufunc over operands of one type; safe when out is also a source."""


def low(buffer: np.ndarray, kind: str) -> np.ndarray:
    """A buffer read as `kind`: its low part where it is wider."""
    if kind in ("f16x2", "bf16x2"):
        return buffer.reshape(-1).view(DTYPE[kind[:-2]]).reshape(*buffer.shape, 2)
    dtype = DTYPE[kind]
    if buffer.dtype.itemsize == dtype.itemsize:
        return buffer.view(dtype)
    parts = buffer.dtype.itemsize // dtype.itemsize
    return buffer.reshape(-1).view(dtype)[::parts].reshape(buffer.shape)


RELATION = {
    "eq": (np.equal, False), "ne": (np.not_equal, False), "lt": (np.less, False),
    "le": (np.less_equal, False), "gt": (np.greater, False), "ge": (np.greater_equal, False),
    "equ": (None, False), "neu": (np.not_equal, False), "ltu": (np.greater_equal, True),
    "leu": (np.greater, True), "gtu": (np.less_equal, True), "geu": (np.less, True),
}  # fmt: skip
"""detail -> (ufunc, negated). Of floats, np.not_equal is true for NaN: that is neu; setp.ne arrives as
"one"."""

ROUND = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def build(op, out, sources, temp) -> list:
    """The calls that compute one value instruction; operands and result are flushed where it says .ftz."""
    calls = []
    if op.ftz:
        flushed = [temp(t, 4 + k) for k, t in enumerate(op.sources)]
        for src, dst in zip(sources, flushed, strict=True):
            calls += [partial(np.copyto, dst, src), partial(_flush, dst)]
        sources = flushed
    if op.meaning in SINGLE:
        calls.append(partial(SINGLE[op.meaning], *sources, out))
    else:
        calls += MEANING[op.meaning](op, out, *sources, temp)
    if op.ftz and op.result == ("f32",):
        calls.append(partial(_flush, out))
    return calls


def _const(kind, value):
    return np.array(value, DTYPE[kind])


def _flush(x):
    bits = x.view(np.uint32)
    np.copyto(bits, bits & np.uint32(0x80000000), where=(bits & np.uint32(0x7F800000)) == 0)


def _mov(op, out, a, temp):
    return [partial(np.copyto, out, a)]


def _cvt(op, out, a, temp):
    return [partial(np.copyto, out, a, casting="unsafe")]


def _rcp(op, out, a, temp):
    return [partial(np.true_divide, a.dtype.type(1), a, out)]


def _rsqrt(op, out, a, temp):
    return [partial(np.sqrt, a, out), partial(np.true_divide, a.dtype.type(1), out, out)]


def _fma(op, out, a, b, c, temp):
    return [partial(fma64 if out.dtype == np.float64 else fma_narrow, a, b, c, out)]


def _extreme(op, out, a, b, temp):
    """min, max: the number where the other is NaN (.NaN: NaN), and -0 < +0, which numpy leaves open."""
    low = op.meaning == "min"
    ufunc = (np.minimum if low else np.maximum) if op.detail else (np.fmin if low else np.fmax)
    kind = BITS[op.result[0]]
    zeros, same = temp(kind, 0), temp("pred", 1)
    merge = np.bitwise_or if low else np.bitwise_and
    view = DTYPE[kind]
    return [
        partial(np.equal, a, b, same),
        partial(merge, a.view(view), b.view(view), zeros),
        partial(ufunc, a, b, out=out),
        partial(np.copyto, out.view(view), zeros, where=same),
    ]


def _imad(op, out, a, b, c, temp):
    t = temp(op.result[0], 0)
    return [partial(np.multiply, a, b, t), partial(np.add, t, c, out)]


def _wide(op, out, a, b, temp):
    return [partial(np.multiply, a, b, out, dtype=out.dtype, casting="unsafe")]


def _widemad(op, out, a, b, c, temp):
    t = temp(op.result[0], 0)
    return [partial(np.multiply, a, b, t, dtype=out.dtype, casting="unsafe"), partial(np.add, t, c, out)]


def _high(op, out, a, b, temp):
    kind = op.result[0]
    if width(kind) == 32:
        t = temp(kind[0] + "64", 0)
        t2 = temp(kind[0] + "64", 1)
        product = partial(np.multiply, a, b, t, dtype=t.dtype, casting="unsafe")
        return [
            product,
            partial(np.right_shift, t, np.array(32, t.dtype), t2),
            partial(np.copyto, out, t2, casting="unsafe"),
        ]
    return [partial(_high64, a, b, out)]


def _high64(a, b, out):
    """The upper half of a 128-bit product from four 64-bit ones; shifts of signed halves keep the sign."""
    t = a.dtype.type
    mask, half = np.uint64(0xFFFFFFFF), t(32)
    a0, b0 = (x.astype(np.uint64) & mask for x in (a, b))
    a1, b1 = a >> half, b >> half
    low = (a0 * b0 >> np.uint64(32)).astype(t)
    m = a1 * b0.astype(t) + low
    k = a0.astype(t) * b1 + (m.astype(np.uint64) & mask).astype(t)
    np.copyto(out, a1 * b1 + (m >> half) + (k >> half))


def _shift(op, out, a, n, temp):
    """Amounts beyond the width act as the width. numpy then gives 0, or the sign, as PTX does."""
    bits, ufunc = width(op.result[0]), np.left_shift if op.meaning == "shl" else np.right_shift
    if not n.flags.writeable:  # a literal
        return [partial(ufunc, a, np.array(min(int(n), bits), out.dtype), out)]
    t = temp(op.result[0], 0) if n.ndim else np.zeros((), out.dtype)
    return [partial(np.minimum, n, _const("u32", bits), out=t, casting="unsafe"), partial(ufunc, a, t, out)]


def _bfe(op, out, a, at, length, temp):
    bits, n, k = width(op.result[0]), int(at) & 255, int(length) & 255
    mask, shift = _const(op.result[0], (1 << min(k, bits)) - 1), _const(op.result[0], min(n, bits))
    t = temp(op.result[0], 0)
    return [partial(np.right_shift, a, shift, t), partial(np.bitwise_and, t, mask, out)]


def _prmt(op, out, a, b, selector, temp):
    return [partial(_permute, out, a, b, int(selector))]


def _permute(out, a, b, selector):
    """Byte k of out is byte n & 7 of b:a, n the k-th digit of the selector; its sign eight times where n &
    8."""
    whole = a.astype(np.uint64) | b.astype(np.uint64) << np.uint64(32)
    result = np.zeros_like(whole)
    for k in range(4):
        n = selector >> 4 * k & 15
        byte = whole >> np.uint64(8 * (n & 7)) & np.uint64(0xFF)
        if n & 8:
            byte = (byte >> np.uint64(7)) * np.uint64(0xFF)
        result |= byte << np.uint64(8 * k)
    np.copyto(out, result, casting="unsafe")


def _setp(op, out, a, b, temp):
    t = temp("pred", 0)
    if op.detail in ("one", "equ"):
        either = partial(np.logical_or, out, t, out)
        calls = [partial(np.less, a, b, t), partial(np.greater, a, b, out), either]
        return calls + ([partial(np.logical_not, out, out)] if op.detail == "equ" else [])
    if op.detail in ("num", "nan"):
        ufunc, join = (np.equal, np.logical_and) if op.detail == "num" else (np.not_equal, np.logical_or)
        return [partial(ufunc, a, a, t), partial(ufunc, b, b, out), partial(join, out, t, out)]
    ufunc, negated = RELATION[op.detail]
    return [partial(ufunc, a, b, out)] + ([partial(np.logical_not, out, out)] if negated else [])


def _selp(op, out, a, b, p, temp):
    return [partial(_select, out, p, a, b)]


def _select(out, p, a, b):
    np.copyto(out, np.where(p, a, b))  # twice as fast as copyto(where=) on random predicates


def _pack(op, out, *parts_and_temp):
    parts, n = parts_and_temp[:-1], len(parts_and_temp) - 1
    cells = out.reshape(-1).view(DTYPE[op.sources[0]]).reshape(*out.shape, n)
    return [partial(np.copyto, cells[..., k], part) for k, part in enumerate(parts)]


def _integer_extreme(op, out, a, b, temp):
    # out by name: numpy 2.4 deprecates the third positional argument of these two.
    return [partial(np.minimum if op.meaning == "imin" else np.maximum, a, b, out=out)]


def _pair(op, out, a, b, temp):
    """The first source becomes the upper half."""
    return [partial(np.copyto, out[..., k], x, casting="unsafe") for k, x in ((1, a), (0, b))]


def _whole(op, out, a, temp):
    """float -> integer saturates; of NaN, PTX ISA 9.7.9 (cvt): 0, or 2^(n-1) if either side has 64 bits."""
    t, mask = temp(op.sources[0], 0), temp("pred", 1)
    info = np.iinfo(out.dtype)
    nan = 0 if "64" not in op.sources[0] + op.result[0] else info.min or 1 << (info.bits - 1)
    real = t.dtype.type
    top = real(float(info.max) + 1.0) if info.bits > 16 else real(info.max)
    return [
        partial(ROUND[op.detail], a, t),
        partial(np.copyto, out, t, casting="unsafe"),
        partial(np.greater_equal, t, top, mask),
        partial(np.copyto, out, out.dtype.type(info.max), where=mask),
        partial(np.less_equal, t, real(info.min), mask),
        partial(np.copyto, out, out.dtype.type(info.min), where=mask),
        partial(np.not_equal, a, a, mask),
        partial(np.copyto, out, out.dtype.type(nan), where=mask),
    ]


def _rint(op, out, a, temp):
    return [partial(ROUND[op.detail], a, out)]


def _to_bf16(op, out, a, temp):
    """Nearest, ties to even; NaN becomes 0x7fff."""
    t, nan = temp("u32", 0), temp("pred", 1)
    bits = a.view(np.uint32)
    return [
        partial(np.right_shift, bits, _const("u32", 16), t),
        partial(np.bitwise_and, t, _const("u32", 1), t),
        partial(np.add, t, bits, t),
        partial(np.add, t, _const("u32", 0x7FFF), t),
        partial(np.right_shift, t, _const("u32", 16), t),
        partial(np.not_equal, a, a, nan),
        partial(np.copyto, t, _const("u32", 0x7FFF), where=nan),
        partial(np.copyto, out, t, casting="unsafe"),
    ]


def _from_bf16(op, out, a, temp):
    bits = out.view(np.uint32)
    return [
        partial(np.copyto, bits, a, casting="unsafe"),
        partial(np.left_shift, bits, _const("u32", 16), bits),
    ]


MEANING = {
    "mov": _mov, "cvt": _cvt, "rcp": _rcp, "rsqrt": _rsqrt, "fma": _fma, "min": _extreme, "max": _extreme,
    "imad": _imad, "wide": _wide, "widemad": _widemad, "high": _high, "shl": _shift, "shr": _shift,
    "bfe": _bfe, "prmt": _prmt,
    "setp": _setp, "selp": _selp, "pack": _pack, "cvt.whole": _whole, "rint": _rint, "cvt.bf16": _to_bf16,
    "cvt.from.bf16": _from_bf16, "cvt.pair": _pair,
    "cvt.bf16.pair": bfloat.pair,
    "imin": _integer_extreme, "imax": _integer_extreme,
}  # fmt: skip
MEANING |= {f"bf16.{name}": bfloat.calls for name in bfloat.NAMES}
"""Meanings of several calls: their out must not be one of their sources."""
