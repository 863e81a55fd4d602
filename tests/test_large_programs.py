"""Programs with loops: the bits, bounds and gradients of straight-line programs, for many numbers at a
time."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.kernels.programs.array_trace import gradient_loops
from noether.kernels.programs.namespaces import MPMATH, NUMPY
from noether.kernels.programs.precision import parse
from noether.kernels.programs.rolling import rolled
from noether.kernels.programs.trace import gradient_program
from noether.mechanics import bounds, dual, reverse, wide

NAMES = [case.name for case in CATALOG]
CASES = dict(zip(NAMES, CATALOG, strict=True))


def points(case, count=5):
    return case.draw(np.random.default_rng(1), count)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("label", ["float64", "float32", "bfloat16/eager"])
def test_a_rolled_program_has_the_bits_and_the_bounds_of_the_straight_one(name, label):
    case, precision = CASES[name], parse(label)
    program = gradient_program(case.dim, case.total)
    loops = rolled(program)
    q = points(case).astype(np.float32).astype(float)
    eps = np.full(q.shape[1], 0.25)
    arrays = [x.astype(precision.arith) for x in (*q, eps)]
    straight, found = (np.array(p.run(arrays[:-1], arrays[-1], precision)) for p in (program, loops))
    assert np.array_equal(straight, found)
    for one, other in zip(
        bounds.program_error(program, q, 0 * q, eps, precision),
        bounds.program_error(loops, q, 0 * q, eps, precision),
        strict=True,
    ):
        assert np.array_equal(one, other)
    for one, other in zip(
        bounds.value_range(program, q, eps, precision),
        bounds.value_range(loops, q, eps, precision),
        strict=True,
    ):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_reverse_accumulation_is_the_gradient_of_dual_numbers(name):
    case = CASES[name]
    q = points(case).astype(np.longdouble)
    one, zero = np.ones(q.shape[1:], wide.WIDE), np.zeros(q.shape[1:], wide.WIDE)
    for part in (case.loss, case.breaking):
        forward = np.stack([np.broadcast_to(p, q.shape[1:]) for p in dual.partials(part, list(q), one, zero)])
        size = np.abs(forward).max() + 1
        assert np.abs(reverse.gradient(part, q) - forward).max() <= 2.0**-54 * size


def layers(rows, columns, inner, target):
    """|U V^T - Y|^2 / 2 with every kind of thing that an array does beside it."""

    def total(q, eps, xp):
        U = xp.array(q[: rows * inner], (rows, inner))
        V = xp.array(q[rows * inner :], (columns, inner))
        R = U @ V.T - xp.constant(target)
        scaled = xp.exp(-R) / (1 + xp.sum(R * R, axis=1)).reshape(rows, 1)
        rest = xp.sum(U[0] * V[-1]) * eps + xp.sqrt(1 + V.T[0] @ V.T[0])
        return xp.sum(R * R) / 2 + scaled.mean() + rest + xp.sum(R[:, 0] * xp.step(R[:, 0])) ** 2

    return total


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_a_loss_of_arrays_has_one_gradient_however_it_is_traced(rows, columns, inner, seed):
    rng = np.random.default_rng(seed)
    total, d = layers(rows, columns, inner, rng.random((rows, columns))), (rows + columns) * inner
    q, eps = rng.uniform(0.25, 1, (d, 3)), np.full(3, 0.5)
    precision = parse("float64")
    loops = gradient_loops(d, total)
    found = np.array(loops.run(list(q), eps, precision))
    assert np.array_equal(found, np.array(loops.unrolled().run(list(q), eps, precision)))
    straight = gradient_program(d, total)
    exact = reverse.gradient(lambda x, xp: total(x, 0.5, xp), q.astype(np.longdouble))
    for program in (loops, straight):
        bound = bounds.program_error(program, q, 0 * q, eps, precision)[1]
        assert (np.abs(np.array(program.run(list(q), eps, precision)) - exact) <= bound).all()


DATA = (np.arange(10).reshape(5, 2) * 7 % 13 - 4) / 7.0


def of_constants(q, xp):
    """Constants that are computed before they meet a parameter, by every function that a namespace has."""
    X = xp.constant(DATA)
    Y = ((X * 0.7 - 0.3) / 1.1 + 0.123) ** 2 + xp.exp(X) / xp.sqrt(2 + X) + xp.step(X) * xp.log(3 + X)
    return xp.sum((Y @ xp.array(q)) ** 2) + xp.sum(Y, axis=0)[1] * q[0]


def test_constants_are_one_float_in_every_namespace_and_in_the_kernel():
    """The judge's gradient must know the constants of the kernel to the bit: no bound has room for others."""
    total = lambda q, eps, xp: of_constants(q, xp) + eps * q[1]
    loops, straight = gradient_loops(2, total), gradient_program(2, total)
    numbers = {op.value for op in straight.ops if op.name == "const"}
    assert set(loops.constants.tolist()) == numbers and len(numbers) > 10
    q = np.array([[0.3], [0.7]])
    dual = wide.gradient(of_constants, q)
    apart = np.abs(reverse.gradient(of_constants, q.astype(np.longdouble)) - dual)
    assert (apart <= 2.0**-58 * np.abs(dual)).all()
    exact = of_constants([mpmath.mpf(0.3), mpmath.mpf(0.7)], MPMATH)
    assert abs(of_constants(list(q.astype(np.longdouble)), NUMPY)[0] / float(exact) - 1) < 2.0**-52


@pytest.mark.parametrize(
    "wrong, said",
    [
        (lambda A, xp: A - np.ones(7), "must be xp.constant"),
        (lambda A, xp: A - xp.constant("abc"), "xp.constant of str"),
        (lambda A, xp: A.reshape(4, 5), "must be as many"),
        (lambda A, xp: A @ A.reshape(2, 3), "the last of a as long as the first of b"),
        (lambda A, xp: A + xp.constant([1, 2]), "must be equal, or 1"),
        (lambda A, xp: xp.sum(A[:0]), "must have a term"),
        (lambda A, xp: xp.sum(A, axis=1), "must be one of its axes"),
        (lambda A, xp: A**0.5, "must be a whole number"),
    ],
)
def test_what_an_array_cannot_do_is_told(wrong, said):
    with pytest.raises((TypeError, ValueError), match=said):
        wrong(NUMPY.array(list(np.ones((6, 3)))), NUMPY)
