"""The sums of a program: found, reordered, written as people would."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_reassociation import chain_of

from noether.kernels.programs.precision import parse
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.sums import reordered, sums, terms
from noether.laws.exact import reassociation


@st.composite
def programs(draw):
    """Adds, subs, negations and products of three inputs, in any order, a value read any number of times."""
    ops = [Op("input", value=i) for i in range(4)]
    for _ in range(draw(st.integers(3, 24))):
        name = draw(st.sampled_from(["add", "add", "add", "sub", "mul", "neg"]))
        ops.append(
            Op(name, tuple(draw(st.integers(0, len(ops) - 1)) for _ in range(1 if name == "neg" else 2)))
        )
    return Program(3, tuple(ops), (len(ops) - 1, draw(st.integers(4, len(ops) - 1)), len(ops) - 1))


@given(programs(), st.randoms(use_true_random=False))
def test_a_reordered_program_is_the_same_in_exact_arithmetic(program, chance):
    q = [np.array([1.0, 2.0, -3.0]), np.array([5.0, -1.0, 2.0]), np.array([0.0, 4.0, 1.0])]
    precision = parse("float64")
    with np.errstate(all="ignore"):
        right = program.run(q, np.ones(3), precision)
    if not np.abs(right).max() < 2.0**50:
        return  # not exact any more
    other, thirds = program, [x / 3 for x in q]
    for number in range(len(sums(program))):
        one = sums(other)[number]
        order = list(range(len(one.terms)))
        chance.shuffle(order)
        same = reordered(other, one, one.tree)
        assert all(
            (a == b).all()
            for a, b in zip(
                same.run(thirds, np.ones(3), precision), other.run(thirds, np.ones(3), precision), strict=True
            )
        )
        other = reordered(other, one, chain_of(order))
        assert len(sums(other)) == len(sums(program)) and len(terms(other, one)) == len(order)
    assert all((a == b).all() for a, b in zip(right, other.run(q, np.ones(3), precision), strict=True))


def test_the_sums_of_a_program_are_those_that_people_see():
    program = Program(
        3,
        (
            *(Op("input", value=i) for i in range(4)),
            Op("mul", (0, 0)),
            Op("sub", (4, 1)),
            Op("neg", (2,)),
            Op("add", (5, 6)),
        ),
        (7,),
    )
    (one,) = sums(program)
    assert terms(program, one) == ["q[0]*q[0]", "-q[1]", "-q[2]"]
    assert (
        reassociation.written(((2, 0), 1)) == "2 0 1"
        and reassociation.written(((0, 1), (2, 3))) == "0 1 (2 3)"
    )
    assert reassociation.written((1, (2, 0))) == "2 0 1"


def test_a_chain_of_shared_squares_is_written_in_no_time():
    ops = [Op("input", value=0)]
    for _ in range(200):
        ops.append(Op("mul", (len(ops) - 1, len(ops) - 1)))
        ops.append(Op("add", (len(ops) - 1, len(ops) - 2)))
    program = Program(1, tuple(ops), (len(ops) - 1,))
    assert all(len(x) < 100 for one in sums(program) for x in terms(program, one)) and random.Random(0)
