"""What a translated kernel knows of its lanes: numbers that rise from lane to lane, masks of the first lanes,
words of one width in a loop. It must be true of the numbers that the evaluator has, and found in all of our
kernels, or they are slow."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CORE
from noether.kernels.ptx import OutOfBounds, evaluate, native, parse
from noether.kernels.ptx.affine import rising
from noether.kernels.ptx.control import analyse
from noether.kernels.ptx.native import widths
from noether.labs.bench.campaign import CASES
from noether.labs.bench.work import CHECKED, KINDS, Work

if native.missing():
    pytest.skip(f"nothing can be compiled: {native.missing()}", allow_module_level=True)

THREADS, BLOCKS = 32, 3
HEAD = """
.version 8.0
.target sm_90a
.address_size 64
.visible .entry lanes(.param .u64 .ptr .global .align 1 lanes_0, .param .u32 lanes_1)
.reqntid 32
{{
 .reg .pred %p<4>; .reg .b32 %r<60>; .reg .b64 %rd<60>;
 ld.param.b64 %rd0, [lanes_0];
 ld.param.b32 %r0, [lanes_1];
 mov.u32 %r1, %tid.x;
 mov.u32 %r2, %ctaid.x;
 mul.wide.u32 %rd1, %r2, 32;
 cvt.u64.u32 %rd2, %r1;
 or.b64 %rd3, %rd1, %rd2;
{body}
 shl.b64 %rd50, %rd3, 3;
 add.s64 %rd51, %rd0, %rd50;
{stores}
 ret;
}}
"""
ALWAYS = ["%r1", "%r2", "%rd1", "%rd2", "%rd3"]
ONE = {
    "mul.lo.s32": "r",
    "add.s32": "r",
    "sub.s32": "r",
    "and.b32": "r",
    "or.b32": "r",
    "shl.b32": "r",
    "xor.b32": "r",
    "add.s64": "rd",
    "sub.s64": "rd",
    "and.b64": "rd",
    "or.b64": "rd",
    "shl.b64": "rd",
    "mul.lo.s64": "rd",
}
MAD = "mad.lo.s64"
WIDEN = {"mul.wide.u32": 2, "mul.wide.s32": 2, "cvt.u64.u32": 1, "cvt.s64.s32": 1}
literals = st.one_of(st.integers(0, 40), st.sampled_from([127, 128, 31, 32, 2**31 - 1, 2**20]))


@st.composite
def bodies(draw):
    """Lines that compute registers from lane numbers, and the names of all registers."""
    names, lines = list(ALWAYS), []
    for k in range(3, 3 + draw(st.integers(1, 12))):
        op = draw(st.sampled_from([*ONE, *WIDEN, MAD]))
        of = lambda kind: st.sampled_from([n for n in names if n.rstrip("0123456789") == f"%{kind}"])
        if op in WIDEN:
            right = f", {draw(literals)}" if WIDEN[op] == 2 else ""
            name, text = f"%rd{k + 10}", f"{op} %rd{k + 10}, {draw(of('r'))}{right};"
        elif op == MAD:
            name = f"%rd{k + 10}"
            text = f"{op} {name}, {draw(of('rd'))}, {draw(literals)}, {draw(of('rd'))};"
        else:
            kind = ONE[op]
            name = f"%{kind}{k + 10}"
            is_shift = op.startswith("shl")
            right = draw(literals if is_shift else st.one_of(of(kind), literals.map(str)))
            text = f"{op} {name}, {draw(of(kind))}, {min(int(right), 40) if is_shift else right};"
        names.append(name)
        lines.append(text)
    return lines, names


def kernel(lines, names):
    """A kernel that stores every one of the registers, in a row of lanes each."""
    stores = []
    for k, name in enumerate(names):
        source = name
        if name.startswith("%r") and not name.startswith("%rd"):
            stores.append(f"cvt.u64.u32 %rd58, {name};")
            source = "%rd58"
        stores.append(f"st.global.b64 [%rd51+{8 * THREADS * BLOCKS * k}], {source};")
    return HEAD.format(body="\n".join(lines), stores="\n".join(stores))


@given(bodies())
@settings(max_examples=150)
def test_a_register_that_rises_has_the_numbers_that_it_is_said_to_have(body):
    lines, names = body
    text = kernel(lines, names)
    parsed = parse(text)
    found = rising(parsed, analyse(parsed))
    out = np.zeros((len(names), BLOCKS * THREADS), np.uint64)
    evaluate(text, [out, 1], BLOCKS)
    lane = np.arange(THREADS, dtype=np.uint64)
    for name, row in zip(names, out.reshape(len(names), BLOCKS, THREADS), strict=True):
        if name in found:
            bits = 64 if name.startswith("%rd") else 32
            stride = np.uint64(found[name].stride % 2**64)
            said = row[:, :1] + lane * stride
            assert ((said - row) % np.uint64(2**32) == 0).all() if bits == 32 else (said == row).all(), lines
            span = found[name].span
            assert span is None or (row < span).all(), (name, lines)
    assert found["%rd3"].stride == 1 and found["%rd1"].stride == 0


@given(bodies())
@settings(max_examples=12)
def test_what_rises_is_stored_with_the_bits_of_the_evaluator(body):
    text = kernel(*body)
    mine, theirs = (np.zeros((len(body[1]), BLOCKS * THREADS), np.uint64) for _ in range(2))
    native.execute(text, [mine, 1], BLOCKS)
    evaluate(text, [theirs, 1], BLOCKS)
    assert np.array_equal(mine, theirs), body[0]


MASKED = """
 cvt.s64.s32 %rd40, %r0;
 setp.lt.s64 %p1, %rd3, %rd40;
 shl.b64 %rd50, %rd3, 3;
 add.s64 %rd51, %rd0, %rd50;
 mov.b64 %rd41, 7;
 @%p1 ld.global.b64 %rd41, [%rd51];
 add.s64 %rd42, %rd41, 1;
 @%p1 st.global.b64 [%rd51], %rd42;
"""


@pytest.mark.parametrize("lanes", [-3, 0, 1, 31, 32, 33, 64, 95, 96])
def test_a_mask_of_the_first_lanes_moves_these_and_no_others(lanes):
    text = HEAD.format(body=MASKED, stores="")
    start = np.arange(BLOCKS * THREADS, dtype=np.uint64)
    arrays = start.copy(), start.copy()
    native.execute(text, [arrays[0], lanes], BLOCKS)
    evaluate(text, [arrays[1], lanes], BLOCKS)
    assert np.array_equal(*arrays) and (arrays[0] != start).sum() == max(0, lanes)
    assert "near" in native.translate(text).text


def test_lanes_that_pass_the_largest_number_are_stopped():
    """They are no longer the first ones: nothing is moved for a mask that is not known."""
    text = HEAD.format(body=MASKED.replace("%p1, %rd3", "%p1, %rd43"), stores="")
    text = text.replace(" setp", " add.s64 %rd43, %rd3, 9223372036854775800;\n setp")
    with pytest.raises(OutOfBounds):
        native.execute(text, [np.zeros(BLOCKS * THREADS, np.uint64), 8], BLOCKS)


def ptx_of(case, precision, kind):
    pytest.importorskip("triton")
    from noether.labs.bench import static

    return static.kernel(Work(case, precision, 128, 1, kind), 90)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_our_loops_move_pieces_of_arrays_and_have_words_of_one_width(case, precision, kind):
    done = native.translate(ptx_of(case, precision, kind))
    assert "_near" in done.text and "whole &=" not in done.text, "an access goes lane by lane"
    lines = done.text.splitlines()
    hot = [lines[first - 1 :] for first, _, is_hot in done.loops if is_hot]
    for loop in ("\n".join(rest[: rest.index("}")]) for rest in hot):
        assert "real64(" not in loop or "\nu32 " not in loop, f"narrow words beside float64: {loop[:400]}"
    assert len(hot) >= 1 + (precision == "float32" and kind == CHECKED)


@pytest.mark.parametrize("case", [c.name for c in CORE if c.name in CASES])
def test_parting_a_block_changes_no_bits(case, monkeypatch):
    ptx = ptx_of(case, "float32", CHECKED)
    work = Work(case, "float32", 150, 7, CHECKED)
    parts = native.translate(ptx).text
    monkeypatch.setattr("noether.kernels.ptx.native.emission.parted", lambda kernel, flow: {})
    assert native.translate(ptx).text != parts, "nothing was parted"
    found = []
    for text in (ptx + "\n", ptx):  # the first text is another one, so that it is translated without parts
        buffers = work.screen.buffers()
        native.execute(text, [*buffers, work.lanes, work.steps], 2)
        found.append(buffers)
        monkeypatch.undo()
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*found, strict=True))


def test_16_bits_that_something_else_reads_stay_narrow():
    hand = HEAD.format(
        body=" cvt.rn.f64.u32 %fd1, %r1;\n setp.gt.f64 %p1, %fd1, 0d4000000000000000;\n"
        " selp.b16 %rs1, 1, 0, %p1;\n shl.b16 %rs2, %rs1, 2;\n {more}",
        stores="",
    ).replace(".reg .pred", ".reg .f64 %fd<3>; .reg .b16 %rs<5>; .reg .pred")
    free, bound = ("setp.eq.b16 %p2, %rs2, 0;", "cvt.u32.u16 %r9, %rs2;")
    of = lambda text: widths.broad(parse(hand.replace("{more}", text)))
    assert of(free) == {"%rs1", "%rs2"} and of(bound) == set()


def test_a_second_thread_is_taken_where_a_launch_was_long():
    library = native.library(HEAD.format(body=MASKED, stores=""))
    for pace, threads in (([], 1), ([1e-9], 1), ([1.0], min(2, native.workers()))):
        assert replace(library, pace=pace).threads(2) == threads
    assert library.threads(10_000) == native.workers()
