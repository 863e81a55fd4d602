"""One table of operations: every row is whole, and no column that stands apart leaves an operation out."""

import mpmath
import numpy as np
import pytest
import sympy

from noether.faults.operations import SWAPS
from noether.kernels.programs.namespaces import MPMATH, NUMPY, Namespace, plain
from noether.kernels.programs.operations import FUNCTIONS, IN_A_LOSS, OPERATIONS, ROWS, Operation
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.trace import TRACED, gradient_program
from noether.kernels.programs.triton_text import source
from noether.laws.response import gradient_rounding, stored_constants
from noether.mechanics import bounds, dual, magnitude_bounds, symbolic_exact, wide
from noether.mechanics.slopes import SLOPES
from noether.mechanics.straight_line import compiled
from noether.mechanics.symbolic_gradient import partials

A, B = 0.71, 1.83
APART = {
    "how errors pass": (bounds.PASS, IN_A_LOSS),
    "how errors pass far": (bounds.FAR, IN_A_LOSS),
    "magnitudes": (vars(magnitude_bounds.Rules), set(IN_A_LOSS) - {"exp"}),  # exp: the running error
    "partial derivatives of a variance": (gradient_rounding.PARTIALS, IN_A_LOSS),
    "values in 64 bits": (stored_constants.RULES, IN_A_LOSS),
    "slopes of dual numbers": (SLOPES, FUNCTIONS),
    "sides of a kink": (dir(wide.Sides()), FUNCTIONS),
    "forms in sympy": (symbolic_exact.SYMPY, FUNCTIONS),
    "what a fault puts in its place": (SWAPS, OPERATIONS),
}


def left_out(column, names) -> set[str]:
    return set(names) - set(column)


@pytest.mark.parametrize("column", APART)
def test_no_operation_is_left_out_of_a_column_that_stands_apart(column):
    of, names = APART[column]
    assert names and not left_out(of, names)


def test_a_missing_operation_is_seen():
    assert left_out({k: v for k, v in bounds.PASS.items() if k != "div"}, IN_A_LOSS) == {"div"}
    with pytest.raises(ValueError, match="must have"):
        Namespace({name: abs for name in FUNCTIONS if name != "log"})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_whole(row):
    operands = (A, B)[: row.arity]
    assert row.infix or row.triton, "Triton cannot write it"
    assert row.numpy(*map(np.float64, operands)) == pytest.approx(
        float(row.plain(*operands)), rel=2.0**-50, abs=0
    )
    assert not row.called or row.arity == 1
    assert row.adjoint is None or len(row.adjoint) in (0, row.arity)
    text = source(program_of(row), Precision("float32"))
    assert "{" not in text.split("def gradient")[1]


def program_of(row: Operation) -> Program:
    inputs = tuple(Op("input", value=i) for i in range(2))
    return Program(1, (*inputs, Op(row.name, tuple(range(row.arity)))), (2,))


def loss_of(row: Operation):
    """A loss of two parameters that is the operation alone."""
    if row.called:
        return lambda q, xp: getattr(xp, row.name)(q[0])
    return lambda q, xp: row.plain(*q[: row.arity])


@pytest.mark.parametrize("name", IN_A_LOSS)
def test_an_adjoint_is_the_derivative_that_dual_numbers_and_differences_find(name):
    """The three share no derivative: the table's, those of wide.py, none at all."""
    loss = loss_of(OPERATIONS[name])
    program = gradient_program(2, lambda q, eps, xp: loss(q, xp))
    q = np.array([[A], [B]])
    mine = np.stack(program.run(list(q), np.zeros(1), Precision("float64")))[:, 0]
    duals = wide.gradient(loss, q)[:, 0].astype(float)
    differences = [float(x) for x in wide.gradient_mp(loss, [A, B])]
    assert mine == pytest.approx(duals, rel=2.0**-48, abs=0) and mine == pytest.approx(
        differences, rel=2.0**-48, abs=0
    )
    assert mine.any() != (name == "step")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_form_in_sympy_its_derivative_and_a_line_of_python(name):
    x = sympy.Symbol("x")
    formula = symbolic_exact.expression(lambda q, xp: getattr(xp, name)(q[0]), [x])
    (slope,) = partials(formula, [x])
    value, derivative = compiled([x], [formula, slope], "numpy")(np.array([A]))
    assert value == pytest.approx(getattr(NUMPY, name)(np.array([A])), rel=2.0**-50, abs=0)
    assert derivative == pytest.approx(
        wide.gradient(lambda q, xp: getattr(xp, name)(q[0]), [A]).astype(float)
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_plain_number_gives_the_same_float_in_every_namespace(name):
    spaces = (NUMPY, MPMATH, TRACED, dual.Functions(np), dual.Functions(mpmath))
    assert {getattr(xp, name)(A) for xp in spaces} == {plain(name, A)}
    assert float(getattr(symbolic_exact.EXACT, name)(A).expression) == plain(name, A)
