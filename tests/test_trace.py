"""The traced gradient is the gradient, by three derivations that share nothing."""

import mpmath
import numpy as np
import pytest

from cases import CATALOG
from harness import bounds, trace, wide
from kernels.precision import Precision
from kernels.program import Op, Program

each_case = pytest.mark.parametrize("case", CATALOG, ids=lambda case: case.name)
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
            off = [float(abs(exact[i] - mpmath.mpf(np.format_float_positional(duals[i, lane], unique=True)))) for i in range(case.dim)]
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
    q = q.astype(np.float16).astype(np.float64) if name != "bfloat16" else (q.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32).astype(float)
    eps = eps.astype(np.float32)
    got = np.stack(trace.gradient(case).run(list(q.astype(np.float32)), eps, precision)).astype(float)
    want = wide.gradient(case.loss, q) + eps * wide.gradient(case.breaking, q)
    _, bound = bounds.program_error(trace.gradient(case), q, np.zeros_like(q), eps.astype(float), precision)
    spent = (np.abs(got - want) / bound).astype(float)
    assert spent.max() <= 1, f"gradient errs by {spent.max():.2f} of its bound [{case.name}, {precision.label}]"
    assert spent.max() > 1 / 50, f"bound is {1 / spent.max():.0f} times the worst error [{case.name}, {precision.label}]"


def case_gradient(case, q, eps):
    return trace.gradient(case).run(list(q), eps, F64)


def test_a_wrong_operation_is_seen():
    case = CATALOG[1]
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
    most = {"softmax": 3, "mexican-hat": 90, "linear-network": 90}.get(case.name, 500)  # more, and an exp or a fourth power is not finite
    scale = 2.0 ** min(exponent, most)
    q, _ = lanes(case, 1)
    q = q * scale
    exact = wide.gradient_mp(lambda x, xp: case.total(x, mpmath.mpf(2.0**-exponent), xp), q[:, 0])
    duals = wide.gradient(lambda x, xp: case.total(x, wide.WIDE(2.0**-exponent), xp), q)[:, 0]
    _, bound = bounds.program_error(trace.gradient(case), np.asarray(q, wide.WIDE), np.zeros_like(q), np.array([2.0**-exponent]), F64)
    with mpmath.workdps(40):
        off = [float(abs(e - mpmath.mpf(np.format_float_positional(g, unique=True)))) for e, g in zip(exact, duals, strict=True)]
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
    _, bound = bounds.program_error(product, np.array([[0.0], [1.0]]), np.array([[0.0], [np.inf]]), np.zeros(1), F64)
    assert bound == np.inf
