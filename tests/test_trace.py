"""The traced gradient is the gradient, by three derivations that share nothing."""

import mpmath
import numpy as np
import pytest

from noether.cases import CORE
from noether.kernels.programs import trace
from noether.kernels.programs.elementary import LOG_UNITS
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program
from noether.mechanics import bounds, wide
from noether.mechanics.operation_rounding import arithmetic_unit

each_case = pytest.mark.parametrize("case", CORE, ids=lambda case: case.name)
F64 = Precision("float64")


def lanes(case, n=7, seed=3):
    rng = np.random.default_rng(seed)
    return case.draw(rng, n), rng.uniform(0, 1, n)


@each_case
def test_traced_wide_and_difference_gradients_agree(case):
    q, eps = lanes(case)
    traced = np.stack(case_gradient(case, q, eps))
    duals = wide.gradient(case.loss, q) + eps * wide.gradient(case.breaking, q)
    _, bound = bounds.program_error(trace.gradient(case), q, np.zeros_like(q), eps, F64)
    assert (np.abs(traced - duals) <= bound).all()
    for lane in (0, 3):
        e = float(eps[lane])
        exact = wide.gradient_mp(lambda x, xp, e=e: case.total(x, mpmath.mpf(e), xp), q[:, lane])
        with mpmath.workdps(40):
            off = [
                float(abs(exact[i] - mpmath.mpf(np.format_float_positional(duals[i, lane], unique=True))))
                for i in range(case.dim)
            ]
        # 64-bit arithmetic in another order of operations: eight times the traced program's bound at 2^-64.
        assert (np.array(off) <= bound[:, lane] * 2.0**-8).all()


@each_case
def test_torch_autograd_agrees(case):
    torch = pytest.importorskip("torch")
    q, eps = lanes(case)
    x = [torch.tensor(row, requires_grad=True) for row in q]
    grads = torch.autograd.grad(case.total(x, torch.tensor(eps), torch).sum(), x)
    duals = wide.gradient(case.loss, q) + eps * wide.gradient(case.breaking, q)
    _, bound = bounds.program_error(trace.gradient(case), q, np.zeros_like(q), eps, F64)
    # torch orders the operations its own way: as many roundings, other values; four bounds of ours.
    assert (np.abs(np.stack([g.numpy() for g in grads]) - duals) <= 4 * bound).all()


@each_case
@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16"])
def test_the_running_error_bound_holds_and_is_not_idle(case, name):
    precision = Precision(name, "eager" if name != "float32" else "stored")
    q, eps = lanes(case, 200)
    q = (
        q.astype(np.float16).astype(np.float64)
        if name != "bfloat16"
        else (q.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32).astype(float)
    )
    eps = eps.astype(np.float32)
    got = np.stack(trace.gradient(case).run(list(q.astype(np.float32)), eps, precision)).astype(float)
    want = wide.gradient(case.loss, q) + eps * wide.gradient(case.breaking, q)
    _, bound = bounds.program_error(trace.gradient(case), q, np.zeros_like(q), eps.astype(float), precision)
    spent = (np.abs(got - want) / bound).astype(float)
    assert spent.max() <= 1, (
        f"gradient errs by {spent.max():.2f} of its bound [{case.name}, {precision.label}]"
    )
    assert spent.max() > 1 / 50, (
        f"bound is {1 / spent.max():.0f} times the worst error [{case.name}, {precision.label}]"
    )


def case_gradient(case, q, eps):
    return trace.gradient(case).run(list(q), eps, F64)


def test_a_wrong_operation_is_seen():
    case = CORE[1]
    program = trace.gradient(case)
    q, eps = lanes(case)
    right = np.stack(program.run(list(q), eps, F64))
    _, bound = bounds.program_error(program, q, np.zeros_like(q), eps, F64)
    at = next(i for i, op in enumerate(program.ops) if op.name == "div")
    ops = list(program.ops)
    ops[at] = Op("mul", ops[at].args)
    wrong = np.stack(Program(program.dim, tuple(ops), program.outputs).run(list(q), eps, F64))
    assert (np.abs(wrong - right) > bound).any()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda q, eps, xp: q[0] if q[0] > 0 else -q[0], "branches"),
        (lambda q, eps, xp: q[0] ** 0.5, "whole powers"),
        (lambda q, eps, xp: q[0] * "a", "only numbers"),
        (lambda q, eps, xp: 3.0, "must be arithmetic"),
    ],
)
def test_what_cannot_be_traced_is_refused(loss, message):
    with pytest.raises(trace.TraceError, match=message):
        trace.gradient_program(1, loss)


@pytest.mark.parametrize("ops", [(Op("tan", (0,)),), (Op("add", (0, 1)),)])
def test_malformed_programs_are_refused(ops):
    with pytest.raises(ValueError):
        Program(1, (Op("input"), *ops), (1,))


@pytest.mark.parametrize("exponent", [-500, -90, -20, 20, 90, 500])
@each_case
def test_differences_follow_the_gradient_to_tiny_and_huge_points(case, exponent):
    """A step of fixed size would leave a tiny point's neighbourhood and be lost in a huge one's digits."""
    most = {"softmax": 3, "mexican-hat": 90, "linear-network": 90}.get(
        case.name, 500
    )  # more, and an exp or a fourth power is not finite
    scale = 2.0 ** min(exponent, most)
    q, _ = lanes(case, 1)
    q = q * scale
    exact = wide.gradient_mp(lambda x, xp: case.total(x, mpmath.mpf(2.0**-exponent), xp), q[:, 0])
    duals = wide.gradient(lambda x, xp: case.total(x, wide.WIDE(2.0**-exponent), xp), q)[:, 0]
    _, bound = bounds.program_error(
        trace.gradient(case), np.asarray(q, wide.WIDE), np.zeros_like(q), np.array([2.0**-exponent]), F64
    )
    with mpmath.workdps(40):
        off = [
            float(abs(e - mpmath.mpf(np.format_float_positional(g, unique=True))))
            for e, g in zip(exact, duals, strict=True)
        ]
    assert (np.array(off) <= np.maximum(bound[:, 0], 2.0**-50 * np.abs(duals)) * 2.0**-8).all()


def test_a_component_lost_beside_a_large_potential_is_found_again():
    """f = x^2/2 + 10^300 y: fifty digits hold nothing of x."""
    exact = wide.gradient_mp(lambda x, xp: x[0] * x[0] / 2 + mpmath.mpf(1e300) * x[1], [0.75, 1.0])
    assert abs(exact[0] - 0.75) < 1e-20 and abs(exact[1] / mpmath.mpf(1e300) - 1) < 1e-20


EXP = Program(1, (Op("input", value=0), Op("exp", (0,))), (1,))


@pytest.mark.parametrize(("x", "error"), [(-1e12, 1e5), (-1e12, 1e13), (-3.0, 0.5), (-3.0, 2.0), (2.0, 1.0)])
def test_the_bound_of_an_exponential_covers_all_that_its_operand_may_be(x, error):
    """exp(-1e12) is 0 and expm1(1e5) infinite: their product is no bound."""
    value, bound = bounds.program_error(EXP, np.array([[x]]), np.array([[error]]), np.zeros(1), F64)
    assert not np.isnan(bound).any()
    with np.errstate(over="ignore"):
        assert bound >= np.exp(x + error) - np.exp(x) and bound >= np.exp(x) - np.exp(x - error)
    assert error > 100 or bound <= 1.01 * np.exp(x + error), "idle"


def test_a_product_with_an_unbounded_factor_is_unbounded_and_no_nan():
    product = Program(2, (Op("input", value=0), Op("input", value=1), Op("mul", (0, 1))), (2,))
    _, bound = bounds.program_error(
        product, np.array([[0.0], [1.0]]), np.array([[0.0], [np.inf]]), np.zeros(1), F64
    )
    assert bound == np.inf


A, B, E, F = 0.75, -0.375, 2.0**-9, 2.0**-7
# the error of f(a, b) where a and b are off by E and F: partial derivatives, the second order kept
PASSED = {
    "neg": (-A, E),
    "add": (A + B, E + F),
    "sub": (A - B, E + F),
    "mul": (A * B, A * F - B * E + E * F),
    "div": (A / B, (E - A / B * F) / (-B - F)),
    "exp": (np.exp(A), np.exp(A) * E / (1 - E)),
    "log": (np.log(A), E / (A - E)),
    "sqrt": (np.sqrt(A), E / np.sqrt(A)),
}


@pytest.mark.parametrize("name", PASSED)
def test_each_operation_passes_its_operands_errors_on(name):
    x, e = ([np.array([y]) for y in pair] for pair in ((A, B), (E, F)))
    for rules in (bounds.PASS, bounds.FAR):
        value, passed = rules[name](x, e)
        assert np.allclose([value[0], passed[0]], PASSED[name], rtol=2.0**-45, atol=0)


@pytest.mark.parametrize(("name", "room"), [("div", B), ("log", A)])
def test_an_operand_that_may_be_zero_has_no_useful_bound(name, room):
    x = [np.array([A]), np.array([B])]
    for error in (abs(room), 2 * abs(room)):
        with np.errstate(divide="ignore"):
            assert bounds.PASS[name](x, [np.array([error])] * 2)[1][0] > 1e60


def test_the_arithmetic_of_functions_is_float64_or_float32():
    assert arithmetic_unit(F64) == 2.0**-53
    assert {arithmetic_unit(Precision(p, "eager")) for p in ("float32", "float16", "bfloat16")} == {2.0**-24}


def test_a_range_is_of_inputs_and_operations_with_their_error():
    product = Program(2, (Op("input", value=0), Op("input", value=1), Op("mul", (0, 1))), (2,))
    q = np.array([[0.5, 0.0, 3.0], [-0.25, 4.0, 5.0]])
    smallest, largest = bounds.value_range(product, q, np.zeros(3))
    assert list(smallest) == [0.125, 4.0, 3.0]
    assert np.allclose(largest, [0.5, 4.0, 15.0], rtol=2.0**-50) and largest[2] > 15
    wide_range = bounds.value_range(product, q, np.zeros(3), Precision("bfloat16", "eager"))[1]
    assert wide_range[2] == 15 * (1 + 2.0**-8) + 1.5 * 2.0**-133


@pytest.mark.parametrize("label", ["float64/stored", "float32/stored", "float16/eager", "bfloat16/eager"])
@pytest.mark.parametrize("name", PASSED)
def test_each_operation_adds_its_own_rounding(name, label):
    """u |value|, 1.5 subnormals for a product; exp and log by their units of the arithmetic, log rounded
    again only when eager."""
    p = Precision(*label.split("/"))
    count = 2 if name in ("add", "sub", "mul", "div") else 1
    program = Program(2, (Op("input", value=0), Op("input", value=1), Op(name, tuple(range(count)))), (2,))
    value, bound = bounds.program_error(program, np.array([[A], [B]]), np.zeros((2, 1)), np.zeros(1), p)
    want, unit = abs(PASSED[name][0]), 2.0**-53 if p.name == "float64" else 2.0**-24
    rounding = {
        "neg": 0.0,
        "exp": (3 * unit + p.u_arith) * want + 6 * p.tiny_arith,
        "log": LOG_UNITS * unit * want + (p.u_arith * want if p.eager else 0.0),
    }.get(name, p.u_arith * want)
    rounding += 1.5 * p.tiny_arith if name in ("mul", "div") else 0.0
    assert np.isclose(value[0, 0], PASSED[name][0], rtol=2.0**-50) and np.isclose(
        bound[0, 0], rounding * (1 + 2.0**-30), rtol=2.0**-40, atol=0
    )


@pytest.mark.parametrize(
    ("label", "off"),
    [
        ("float64", 0.0),
        ("float32", abs(0.1 - float(np.float32(0.1)))),
        ("float16", abs(0.1 - float(np.float32(0.1)))),
    ],
)
def test_a_constant_is_off_by_its_rounding_to_the_arithmetic(label, off):
    program = Program(1, (Op("const", value=0.1),), (0,))
    assert np.allclose(
        bounds.program_error(program, np.ones((1, 2)), np.zeros((1, 2)), np.zeros(2), Precision(label))[1],
        off * bounds.SLACK,
        rtol=2.0**-45,
    )


def leaky(q, xp):
    return q[0] * q[0] * xp.step(q[0] - q[1]) + q[1] * q[1] / 2 * (1 - xp.step(q[0] - q[1])) * q[0]


@pytest.mark.parametrize("distance", [0.25, 2.0**-30, 2.0**-52, 2.0**-200, -(2.0**-52), -(2.0**-200)])
def test_differences_stay_on_one_side_of_a_kink_however_near_it_is(distance):
    """u^2 where u > v, u v^2/2 where not; v = 0 when u is tiny, so that u - v is exact."""
    u, v = (1.0 + distance, 1.0) if abs(distance) > 2.0**-60 else (distance, 0.0)
    exact = [2 * u, 0.0] if distance > 0 else [v * v / 2, u * v]
    assert [float(x) for x in wide.gradient_mp(leaky, [u, v])] == exact


def test_a_root_of_a_square_has_its_kink_at_zero_too():
    size = lambda q, xp: xp.sqrt(q[0] * q[0])
    assert [float(wide.gradient_mp(size, [x])[0]) for x in (3.0, 2.0**-100, -(2.0**-100))] == [1, 1, -1]


@pytest.mark.parametrize("loss", [leaky, lambda q, xp: xp.sqrt((q[0] - q[1]) * (q[0] - q[1]))])
def test_at_a_kink_there_is_no_gradient_to_compare_with(loss):
    with pytest.raises(wide.AtKink, match="kink at q"):
        wide.gradient_mp(loss, [1.0, 1.0])
