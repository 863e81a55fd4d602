"""Formulas derived and compiled by ourselves are those of sympy."""

import mpmath
import numpy as np
import pytest
import sympy

from noether.cases import CATALOG, CORE
from noether.mechanics.straight_line import compiled
from noether.mechanics.symbolic import formulas
from noether.mechanics.symbolic_gradient import partials

x, y = sympy.symbols("x y")
FORMULAS = (
    x**3 / (x**2 + y**2) - 2 * x * y / 7,
    sympy.exp(x - y) / (1 + sympy.exp(x - y)) + sympy.log(x * y + 2) ** 2,
    x / sympy.sqrt(x**2 + y**2) - (x + y) ** sympy.Rational(-3, 2),
    -x * (y - x) - sympy.Rational(5, 3) * sympy.sqrt(y) + (x + y) * (x + y + 1),
)
SMALL = [c for c in (*CORE[2:], *CATALOG[6:]) if c.dim <= 4]


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_partials_are_those_of_sympy_at_fifty_digits(formula):
    at = {x: sympy.Rational(7, 5), y: sympy.Rational(3, 11)}
    for mine, variable in zip(partials(formula, (x, y)), (x, y), strict=True):
        assert abs((mine - sympy.diff(formula, variable)).subs(at).evalf(50)) < 1e-45
        assert abs(mine.subs(at).evalf(50)) > 1e-3, "a derivative that is zero shows nothing"


@pytest.mark.parametrize("case", SMALL[::3], ids=lambda c: c.name)
def test_gradients_of_cases_are_those_of_sympy(case):
    f = formulas(case)
    mine = compiled(f.q, f.loss_gradient, "mpmath")
    plain = sympy.lambdify(f.q, [sympy.diff(f.loss, q) for q in f.q], modules="mpmath")
    with mpmath.workdps(50):
        at = [mpmath.mpf(float(q)) for q in case.draw(np.random.default_rng(0), 1)[:, 0]]
        a, b = mine(*at), plain(*at)
        assert max(abs(s - t) for s, t in zip(a, b, strict=True)) < 1e-45 < 1e-6 < max(abs(t) for t in b)


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_straight_lines_compute_the_formula_in_numpy_and_at_fifty_digits(formula):
    (value,) = compiled((x, y), [formula], "numpy")(np.array([1.4, 0.5]), np.array([0.25, 2.0]))
    (plain,) = sympy.lambdify((x, y), [formula], modules="numpy")(np.array([1.4, 0.5]), np.array([0.25, 2.0]))
    assert np.abs(value - plain).max() <= 16 * 2.0**-53 * max(
        1, np.abs(plain).max()
    )  # a dozen operations each
    with mpmath.workdps(50):
        (value,) = compiled((x, y), [formula], "mpmath")(mpmath.mpf(7) / 5, mpmath.mpf(1) / 4)
        exact = formula.subs({x: sympy.Rational(7, 5), y: sympy.Rational(1, 4)}).evalf(55)
        assert abs(value - mpmath.mpf(str(exact))) < 1e-45


def test_equal_subexpressions_are_computed_once():
    code = compiled((x, y), [sympy.exp(x * y), sympy.exp(x * y) + 1], "numpy").__code__
    assert code.co_names.count("exp") == 1 and code.co_nlocals == 5


def test_what_is_no_arithmetic_is_refused_by_name():
    for formula in (sympy.sin(x), x**y):
        with pytest.raises(TypeError, match="sin|Pow"):
            compiled((x, y), [formula], "numpy")
        with pytest.raises(TypeError, match="sin|Pow"):
            partials(formula, (x, y))
