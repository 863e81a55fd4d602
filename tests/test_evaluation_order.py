"""Operations in another order: each still reads the numbers that it read, and fewer are alive at once."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.kernels.evaluation_order import depth_first
from noether.kernels.ptx import native, parse
from noether.kernels.ptx.control import analyse
from noether.kernels.ptx.native import ordering
from noether.kernels.ptx.parse import Immediate, Instruction, Register
from noether.kernels.ptx.table import TABLE

REGISTERS = tuple("abcdef")
ADD = TABLE["add.s32"]


def instruction(at: int, result: str, first: str, second: str) -> Instruction:
    return Instruction(ADD, (result,), (Register(first), Register(second)), None, at, "")


@st.composite
def parts(draw):
    """Instructions on few registers, so that most are written anew while the old number is to be read."""
    name = st.sampled_from(REGISTERS)
    rows = draw(st.lists(st.tuples(name, name, name), min_size=1, max_size=30))
    return [instruction(at, *row) for at, row in enumerate(rows)]


def after(part: list[Instruction]) -> dict:
    """What each register holds in the end, as the expression that it is."""
    held = {r: (r,) for r in REGISTERS}
    for i in part:
        held[i.results[0]] = tuple(held[s.name] for s in i.sources)
    return held


@given(parts(), st.sets(st.sampled_from(REGISTERS)))
def test_every_register_ends_as_it_did(part, varying):
    moved = ordering.ordered(part, varying)
    assert sorted(i.line for i in moved) == [i.line for i in part] and after(moved) == after(part)


def chains(width: int, length: int) -> list[tuple[int, ...]]:
    """Sums of many products, all products first, as LLVM has them: operands by position."""
    products = [() for _ in range(width * length)]
    sums, at = [], len(products)
    for k in range(width):
        total = k * length
        for n in range(1, length):
            sums.append((total, k * length + n))
            total = at + len(sums) - 1
    return [*products, *sums]


def alive(operands, order) -> int:
    last = {a: n for n, at in enumerate(order) for a in (at, *operands[at])}
    now, most = set(), 0
    for n, at in enumerate(order):
        now.add(at)
        most = max(most, len(now))
        now = {a for a in now if last[a] > n}
    return most


@pytest.mark.parametrize(("width", "length"), [(3, 4), (8, 8)])
def test_of_sums_of_products_one_sum_is_alive_and_two_products(width, length):
    operands = chains(width, length)
    ends = sorted(set(range(len(operands))) - {a for of in operands for a in of})
    order = depth_first(operands, ends, [1] * len(operands))
    assert alive(operands, range(len(operands))) >= width * length
    assert alive(operands, order) == 3


def test_of_two_operands_the_one_that_needs_more_comes_first():
    operands = [(), (), (), (1, 2), (0, 3)]
    assert depth_first(operands, [4], [1] * 5) == [1, 2, 3, 0, 4]


def test_what_is_not_asked_for_is_left_out_and_what_must_come_before_is_not():
    assert depth_first([(), (), (0,)], [2], [1, 1, 1]) == [0, 2]
    assert depth_first([(), (), (0,)], [2], [1, 1, 1], [(), (), (1,)]) == [0, 1, 2]


def test_a_block_with_accesses_stays_as_it_is():
    load = Instruction(TABLE["ld.global.b32"], ("a",), (Register("b"),), None, 9, "")
    rows = [instruction(0, "c", "a", "b"), load, instruction(1, "d", "a", "c")]
    block = SimpleNamespace(index=0, instructions=list(rows))
    ordering.reorder(SimpleNamespace(blocks=[block], varying=set(REGISTERS)), {})
    assert block.instructions == rows


def test_two_loops_of_a_block_are_put_in_order_apart():
    rows = [instruction(n, r, "a", "b") for n, r in enumerate("cdef")]
    rows += [instruction(4, "c", "c", "e"), instruction(5, "d", "d", "f")]
    block = SimpleNamespace(index=0, instructions=list(rows))
    ordering.reorder(SimpleNamespace(blocks=[block], varying=set(REGISTERS)), {0: 4})
    assert [i.line for i in block.instructions[:4]] == [0, 1, 2, 3]
    ordering.reorder(SimpleNamespace(blocks=[block], varying=set(REGISTERS)), {})
    assert [i.line for i in block.instructions] == [0, 2, 4, 1, 3, 5]


def test_a_constant_takes_no_register():
    one = Instruction(TABLE["mov.b32"], ("a",), (Immediate(1),), None, 0, "")
    part = [one, instruction(1, "b", "e", "f"), instruction(2, "c", "a", "b")]
    assert [i.line for i in ordering.ordered(part, {"b", "c"})] == [1, 0, 2]


def test_our_kernels_have_fewer_numbers_alive_in_a_step(monkeypatch):
    """Of a step with its residuals; and the bits are those of the order that LLVM gave (test_native.py has
    every kernel beside the evaluator, which executes LLVM's order)."""
    pytest.importorskip("triton")
    from noether.labs.bench import static
    from noether.labs.bench.work import CHECKED, Work

    ptx = static.kernel(Work("rayleigh", "float64", 128, 1, CHECKED), 90)
    flow = analyse(parse(ptx))
    block = max(flow.blocks, key=lambda b: len(b.instructions))
    before = list(block.instructions)
    ordering.reorder(flow, {})
    assert len(before) > 1000 and sorted(i.line for i in before) == sorted(i.line for i in block.instructions)
    most = [live(part, flow.varying) for part in (before, block.instructions)]
    assert most[1] < 0.8 * most[0], most
    lines = native.translate(ptx).text
    monkeypatch.setattr("noether.kernels.ptx.native.emission.reorder", lambda flow, firsts: None)
    assert native.translate(ptx).text != lines


def live(part: list[Instruction], varying: set[str]) -> int:
    """The most registers that are alive at once and differ between lanes."""
    needed, most = set(), 0
    for i in reversed(part):
        needed -= set(i.results)
        needed |= {r for r in i.reads() if r in varying}
        most = max(most, len(needed))
    return most
