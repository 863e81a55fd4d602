"""Every row of the PTX table computes what a slow scalar reference computes: Python integers and exact
fractions.

The reference knows the words of a mnemonic, not the table's meanings, so that a row with the wrong meaning
shows.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from ptx_reference import DTYPE, compared, extreme, reference, rounded

from noether.kernels.programs.precision import bfloat16_bits, widen
from noether.kernels.ptx import TABLE, evaluate
from noether.kernels.ptx.table import width


def program(op):
    """A kernel of 128 threads a block that applies one instruction to arrays."""
    text, use, size = [], [], {}
    for k, kind in enumerate([*op.sources, *op.result]):
        n = {"pred": 32}.get(kind, width(kind))
        size[k] = n
        text += [f"ld.param.b64 %rd{k}, [p{k}];", f"mad.wide.u32 %rd{k}, %r1, {n // 8}, %rd{k};"]
        register = {8: "%h", 16: "%h", 32: "%w", 64: "%d"}[n] + str(k)
        if k < len(op.sources):
            text.append(f"ld.global.b{n} {register}, [%rd{k}];")
            if kind == "pred":
                text.append(f"setp.ne.b32 %p{k}, {register}, 0;")
        use.append(f"%p{k}" if kind == "pred" else register)
    k = len(op.sources)
    text.append(f"{op.mnemonic} {use[k]}, {', '.join(use[:k])};")
    if op.result[0] == "pred":
        text.append(f"selp.b32 %w{k}, 1, 0, %p{k};")
    text.append(f"st.global.b{size[k]} [%rd{k}], {{ {use[k] if op.result[0] != 'pred' else f'%w{k}'} }};")
    head = ", ".join(f".param .u64 .ptr .global .align 1 p{k}" for k in range(len(use)))
    registers = ".reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %w<9>, %r<9>; .reg .b64 %d<9>, %rd<9>;"
    start = "mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; shl.b32 %r2, %r2, 7; add.u32 %r1, %r1, %r2;"
    return f".entry one({head})\n.reqntid 128\n{{ {registers}\n{start}\n" + "\n".join(text) + "\nret;\n}\n"


def samples(kind, rng, few):
    n = width(kind)
    if kind == "pred":
        return [0, 1]
    if kind[0] == "f":
        info = np.finfo(DTYPE[kind])
        tiny = [info.tiny, info.smallest_subnormal, 3 * info.smallest_subnormal]
        odd = [0.0, 1.0, 1.5, 2.5, 0.1, info.max, *tiny, np.inf, 40000.7]
        values = np.array([*odd, *(-v for v in map(float, odd)), np.nan], dtype=DTYPE[kind])
        extra = np.concatenate(
            [
                rng.normal(size=few).astype(DTYPE[kind]),
                rng.integers(0, 2**n, few, dtype=f"u{n // 8}").view(DTYPE[kind]),
            ]
        )
        return [float(v) for v in np.concatenate([values, extra])]
    top = 2**n
    edges = [n - 1, n, n + 1, 127, 128, top // 2 - 1, top // 2, top // 2 + 1, top - 1, top - 2]
    values = [0, 1, 2, 5, *edges, *map(int, rng.integers(0, top, few, dtype=f"u{n // 8}"))]
    return [v % top - (top if kind[0] == "s" and v % top >= top // 2 else 0) for v in values]


def encoded(values, kind):
    if kind in DTYPE:
        return np.array(values, DTYPE[kind])
    n = {"pred": 32}.get(kind, width(kind))
    return np.array([int(v) % 2**n for v in values], f"u{n // 8}")


ROWS = [
    op
    for op in TABLE.values()
    if len(op.result) == 1
    and op.meaning not in ("load", "param", "bfe", "prmt")  # the last two are below
    and not any(word in op.mnemonic for word in (".approx", "x2", "bf16"))
]


@pytest.mark.parametrize("name", sorted({op.mnemonic.split(".")[0] for op in ROWS}))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_row_agrees_with_the_scalar_reference(name):
    rng, checked = np.random.default_rng(0), 0
    for op in (op for op in ROWS if op.mnemonic.split(".")[0] == name):
        columns = [samples(k, rng, 6) for k in op.sources]
        if len(columns) == 3:
            picks = [
                tuple(c[i] for c, i in zip(columns, rng.integers(0, [len(c) for c in columns]), strict=True))
                for _ in range(600)
            ]
        else:
            picks = list(product(*columns))
        arrays = [encoded([p[k] for p in picks], kind) for k, kind in enumerate(op.sources)]
        blocks = -(-len(picks) // 128)
        arrays = [np.concatenate([a, np.zeros(blocks * 128 - len(a), a.dtype)]) for a in arrays]
        out = np.zeros(blocks * 128, encoded([0], op.result[0]).dtype)
        evaluate(program(op), [*arrays, out], blocks)
        want = encoded([reference(op.mnemonic, list(p)) for p in picks], op.result[0])
        got = out[: len(want)]
        same = (got.view(f"u{got.itemsize}") == want.view(f"u{want.itemsize}")) | (
            (got != got) & (want != want)
        )
        first = int(np.argmin(same))
        assert same.all(), (
            f"{op.mnemonic}{picks[first]} is {got[first]!r}, must be {want[first]!r}; {(~same).sum()} of "
            f"{len(same)}"
        )
        checked += 1
    assert checked


def run(op, text, *arrays, dtype):
    lanes = len(arrays[0])
    blocks = -(-lanes // 128)
    out = np.zeros(blocks * 128, dtype)
    evaluate(
        text, [*(np.concatenate([a, np.zeros(blocks * 128 - lanes, a.dtype)]) for a in arrays), out], blocks
    )
    return out[:lanes]


@pytest.mark.parametrize("n", [32, 64])
def test_bfe_extracts_bits_for_every_position_and_length(n):
    op = TABLE[f"bfe.u{n}"]
    x = encoded(samples(f"u{n}", np.random.default_rng(0), 20), f"u{n}")
    for at, length in [(0, 1), (0, n), (7, 9), (23, 8), (n - 1, 5), (n, 3), (3, 0), (200, 200)]:
        text = (
            program(op)
            .replace("%w1, %w2;", f"{at}, {length};")
            .replace("%d0, %w1, %w2;", f"%d0, {at}, {length};")
        )
        got = run(op, text, x, x.astype(np.uint32), x.astype(np.uint32), dtype=x.dtype)
        want = np.array([(int(v) >> min(at, n)) & (2**length - 1) for v in x], x.dtype)
        assert (got == want).all(), f"bfe.u{n} at {at}, {length} bits"


@pytest.mark.parametrize("selector", [0x7632, 0x3210, 0x5410, 0x0123, 0x7777, 0x0000, 0xFEDC, 0x8B4F])
def test_prmt_chooses_bytes_and_signs_of_bytes(selector):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2**32, 1000, dtype=np.uint32) for _ in range(2))
    op = TABLE["prmt.b32"]
    got = run(op, program(op).replace("%w2;", f"{selector:#x}U;"), a, b, a, dtype=np.uint32)
    for x, y, z in zip(a[:100].tolist(), b[:100].tolist(), got[:100].tolist(), strict=True):
        eight = x.to_bytes(4, "little") + y.to_bytes(4, "little")
        digits = [selector >> 4 * k & 15 for k in range(4)]
        want = bytes((255 if eight[d & 7] & 128 else 0) if d & 8 else eight[d] for d in digits)
        assert z.to_bytes(4, "little") == want, f"prmt {x:#x}, {y:#x}, {selector:#x}"


def test_bfloat16_conversions_round_as_the_integer_formula_and_widen_exactly():
    x = np.array(samples("f32", np.random.default_rng(0), 2000), np.float32)
    op = TABLE["cvt.rn.bf16.f32"]
    got = run(op, program(op), x, dtype=np.uint16)
    want = np.where(np.isnan(x), 0x7FFF, bfloat16_bits(x))
    assert (got == want).all()
    back = TABLE["cvt.f32.bf16"]
    wide = run(back, program(back), got, dtype=np.float32)
    assert ((wide == widen(got, "bfloat16")) | np.isnan(x)).all() and np.isfinite(wide).any()


@pytest.mark.parametrize("name, ufunc", [("add", np.add), ("sub", np.subtract), ("mul", np.multiply)])
def test_packed_float16_works_on_each_half(name, ufunc):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2**32, 1000, dtype=np.uint32) for _ in range(2))
    op = TABLE[f"{name}.rn.f16x2"]
    got = run(op, program(op), a, b, dtype=np.uint32).view(np.float16)
    with np.errstate(all="ignore"):
        want = ufunc(a.view(np.float16), b.view(np.float16))
    assert ((got.view(np.uint16) == want.view(np.uint16)) | (np.isnan(got) & np.isnan(want))).all()


PAIRS = """.entry pairs(.param .u64 .ptr .global .align 1 a, .param .u64 .ptr .global .align 1 b,
.param .u64 .ptr .global .align 1 p, .param .u64 .ptr .global .align 1 q)
.reqntid 128
{ .reg .pred %p<3>; .reg .b32 %r<9>; .reg .b64 %d<5>;
mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; shl.b32 %r2, %r2, 7; add.u32 %r1, %r1, %r2;
ld.param.b64 %d1, [a]; ld.param.b64 %d2, [b]; ld.param.b64 %d3, [p]; ld.param.b64 %d4, [q];
mad.wide.u32 %d1, %r1, 4, %d1; mad.wide.u32 %d2, %r1, 4, %d2;
mad.wide.u32 %d3, %r1, 4, %d3; mad.wide.u32 %d4, %r1, 4, %d4;
ld.global.b32 %r3, [%d1]; ld.global.b32 %r4, [%d2];
MNEMONIC %p1|%p2, %r3, %r4;
selp.b32 %r5, 1, 0, %p1; selp.b32 %r6, 1, 0, %p2;
st.global.b32 [%d3], %r5; st.global.b32 [%d4], %r6;
ret;
}
"""


@pytest.mark.parametrize(
    "relation", sorted({m.split(".")[1] for m in TABLE if m.startswith("setp.") and m.endswith("f16x2")})
)
def test_a_packed_comparison_gives_the_low_halves_first_and_then_the_high_ones(relation):
    values = samples("f16", np.random.default_rng(0), 6)
    pairs = np.array(list(product(values, values)), np.float16)
    a, b = pairs.T
    lanes = 128 * -(-len(a) // 128)
    pad = lambda x: np.concatenate([x, np.zeros(lanes - len(x), np.float16)])
    a, b = pad(a), pad(b)
    low, high = a, np.roll(a, 1)  # the halves of one word differ, and so do their comparisons
    packed = [np.stack(x, axis=1).copy().view(np.uint32)[:, 0] for x in ((low, high), (b, b))]
    p, q = np.full(lanes, 7, np.uint32), np.full(lanes, 7, np.uint32)
    evaluate(PAIRS.replace("MNEMONIC", f"setp.{relation}.f16x2"), [*packed, p, q], lanes // 128)
    for got, half in ((p, low), (q, high)):
        want = [compared(relation, float(x), float(y)) for x, y in zip(half, b, strict=True)]
        assert (got == want).all()
    assert (p != q).any()


def test_packing_two_float16_puts_the_first_source_above():
    x = np.array([1.0, 65504.0, -2.5], np.float32)
    op = TABLE["cvt.rn.f16x2.f32"]
    got = run(op, program(op), x, -2 * x, dtype=np.uint32)
    with np.errstate(over="ignore"):
        high, low = x.astype(np.float16).view(np.uint16), (-2 * x).astype(np.float16).view(np.uint16)
    assert (got == (high.astype(np.uint32) << 16 | low)).all()


def test_the_rows_left_out_are_few_and_known():
    left = {op.mnemonic for op in TABLE.values() if op not in ROWS}
    words = ("ld.", "st.", "approx", "f16x2", "bf16", "bfe", "prmt", "bra", "ret", "exit")
    assert ROWS and all(any(w in m for w in words) for m in left)


def exact_bfloat16(name, values):
    """One number at a time in exact fractions, by the integer formula for the rounding: the witness."""
    if not all(map(np.isfinite, values)):
        with np.errstate(all="ignore"):
            x = [np.float64(v) for v in values]
            plain = {"add": lambda: x[0] + x[1], "sub": lambda: x[0] - x[1], "mul": lambda: x[0] * x[1]}
            found = plain[name]() if name in plain else x[0] * x[1] + x[2]
        return found
    f = [Fraction(v) for v in values]
    exact = {"add": lambda: f[0] + f[1], "sub": lambda: f[0] - f[1], "mul": lambda: f[0] * f[1]}
    total = exact[name]() if name in exact else f[0] * f[1] + f[2]
    return rounded(total, "bf16") if total else None


@pytest.mark.parametrize("name", ("add", "sub", "mul", "fma"))
@pytest.mark.parametrize("kind", ("bf16", "bf16x2"))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of signalling NaN
def test_arithmetic_of_bfloat16_rounds_once(name, kind):
    rng, n = np.random.default_rng(0), 3000
    op = TABLE[f"{name}.rn.{kind}"]
    columns = [rng.integers(0, 2**16, n).astype(np.uint16) for _ in op.sources]
    near = rng.integers(0x3F00, 0x4100, n).astype(np.uint16)  # of one size, where sums meet ties
    columns = [np.where(rng.random(n) < 0.6, near ^ (rng.integers(0, 2, n) << 15), c) for c in columns]
    columns = [rng.permutation(c).astype(np.uint16) for c in columns]
    sent = columns if kind == "bf16" else [c.view(np.uint32) for c in columns]
    got = run(op, program(op), *sent, dtype=sent[0].dtype).view(np.uint16)
    wide = [widen(c, "bfloat16") for c in columns]
    ties = 0
    for k in range(n):
        values = [float(w[k]) for w in wide]
        want, mine = exact_bfloat16(name, values), float(widen(got[k : k + 1], "bfloat16")[0])
        if want is None:
            assert mine == 0, (op.mnemonic, values, mine)
        else:
            assert mine == want or (mine != mine and want != want), (op.mnemonic, values, mine, want)
            ties += want not in (np.inf, -np.inf)
    assert ties > n / 2


def test_signs_of_zeros_and_extremes_of_bfloat16():
    values = [0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 2.0**-133, -(2.0**-126)]
    pairs = list(product(values, values))
    a, b = (bfloat16_bits(np.array(x, np.float32)) for x in zip(*pairs, strict=True))
    wide = np.array(pairs, np.float32).T
    for name, ufunc in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply)):
        op = TABLE[f"{name}.rn.bf16"]
        got = run(op, program(op), a, b, dtype=np.uint16)
        with np.errstate(all="ignore"):
            want = ufunc(*wide)
        assert ((got == bfloat16_bits(want)) | (np.isnan(want) & (got == 0x7FFF))).all(), name
    for name in ("min", "max"):
        for nan in (False, True):
            op = TABLE[f"{name}{'.NaN' if nan else ''}.bf16"]
            got = run(op, program(op), a, b, dtype=np.uint16)
            want = np.array([extreme(name, nan, float(x), float(y)) for x, y in wide.T], np.float32)
            assert ((got == bfloat16_bits(want)) | (np.isnan(want) & (got == 0x7FFF))).all(), op.mnemonic
    x = bfloat16_bits(np.array(values, np.float32))
    neg, size = (
        run(TABLE[f"{n}.bf16"], program(TABLE[f"{n}.bf16"]), x, dtype=np.uint16) for n in ("neg", "abs")
    )
    assert (neg == x ^ 0x8000).all() and (size == x & 0x7FFF).all()


def test_packing_two_bfloat16_puts_the_first_source_above():
    x = np.array(samples("f32", np.random.default_rng(0), 200), np.float32)
    y = np.roll(x, 1)
    op = TABLE["cvt.rn.bf16x2.f32"]
    got = run(op, program(op), x, y, dtype=np.uint32)
    high, low = (np.where(np.isnan(v), 0x7FFF, bfloat16_bits(v)).astype(np.uint32) for v in (x, y))
    assert (got == (high << 16 | low)).all()
