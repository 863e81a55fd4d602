"""What a Triton kernel stores lies within the running error of the PTX that it became, and nothing that is
not understood passes."""

import os

import numpy as np
import pytest

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")

import ptx_audit_kernels as kernels

from noether.campaigns.audit import ptx_numbers
from noether.campaigns.audit.ptx_memory import Array
from noether.campaigns.audit.ptx_numbers import chosen, meant
from noether.campaigns.audit.ptx_running import run, spent
from noether.kernels.loops.compiled import compile_ptx
from noether.kernels.programs.precision import encode, representable
from noether.kernels.ptx import evaluate
from noether.kernels.ptx.fma import fma_narrow
from noether.kernels.ptx.table import TABLE
from noether.optimizers.running import WIDE, Running, running
from noether.system.usage import UsageError

POINTER = {"float64": "*fp64", "float32": "*fp32", "bfloat16": "*bf16", "float16": "*fp16"}
N = 1001  # an odd size: the last block has a tail
NUMBERS = dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.01, c1=0.1, c2=0.001)


def array(x, kind):
    return Array.of(encode(representable(np.asarray(x, float), kind), kind), kind)


def normal(seed, kind, n=N):
    return array(np.random.default_rng(seed).normal(size=n), kind)


def compiled(kernel, kinds, numbers, block=1024, fusion=True, **constexprs):
    signature = {name: POINTER[kind] if kind in POINTER else kind for name, kind in kinds.items()}
    signature |= dict.fromkeys(numbers, "fp32") | {"n": "i32"}
    return compile_ptx(kernel, signature, {**constexprs, "BLOCK": block}, enable_fp_fusion=fusion)


def adamw(kind, cast=False, block=1024, fusion=True):
    kinds = {"q_ptr": kind, "g_ptr": kind, "m_ptr": "float32", "s_ptr": "float32"}
    return compiled(kernels.adamw, kinds, NUMBERS, block, fusion, CAST=cast)


def state(kind):
    s = array(np.random.default_rng(3).normal(size=N) ** 2, "float32")
    return normal(0, kind), normal(1, kind), normal(2, "float32"), s


@pytest.mark.parametrize("fusion", (False, True))
@pytest.mark.parametrize("block", (128, 1024))
@pytest.mark.parametrize("kind", POINTER)
def test_what_is_stored_lies_within_the_running_error_and_spends_it(kind, block, fusion):
    text = adamw(kind, block=block, fusion=fusion)
    q, g, m, s = arrays = state(kind)
    plain = [x.bits.copy() for x in arrays]
    for _ in range(3):
        found = run(text, [*arrays, *NUMBERS.values(), N], 8)
        evaluate(text, [*plain, *NUMBERS.values(), N], 8)
        assert not found.undecided(q, m, s) and q.written.all() and not g.written.any()
        for x in (q, m, s):
            assert 0.6 < spent(x).max() <= 1
    for x, bits in zip(arrays, plain, strict=True):
        assert (x.bits == bits).all()


def test_the_wide_value_is_what_the_formula_means():
    q, g, m, s = state("float32")
    lr, beta1, beta2, eps, decay, c1, c2 = (WIDE(str(x)) for x in NUMBERS.values())
    q0, g0, m0, s0 = (x.real for x in (q, g, m, s))
    run(adamw("float32"), [q, g, m, s, *NUMBERS.values(), N], 1)
    m1, s1 = beta1 * m0 + (1 - beta1) * g0, beta2 * s0 + (1 - beta2) * g0 * g0
    q1 = q0 - lr * decay * q0 - lr * (m1 / c1) / (np.sqrt(s1 / c2) + eps)
    for x, want in ((q, q1), (m, m1), (s, s1)):
        # The numbers are passed as doubles: each is its decimal to 2^-53, nine of them enter q.
        assert (abs(x.number.value - want) <= 2.0**-49 * (abs(want) + 1)).all()


@pytest.mark.parametrize("kind", POINTER)
def test_a_state_cast_to_bfloat16_has_the_larger_error(kind):
    errors = []
    for cast in (False, True):
        arrays = state(kind)
        found = run(adamw(kind, cast), [*arrays, *NUMBERS.values(), N], 1)
        assert not found.undecided(*arrays) and 0.8 < spent(arrays[2]).max() <= 1
        errors.append(np.median(arrays[2].number.error))
    assert errors[1] > 2.0**13 * errors[0]  # 2^-9 against 2^-25 and the rounding of two numbers


@pytest.mark.parametrize("mnemonic", ("fma.rn.f32", "mul.f32"))
def test_a_rounding_that_is_left_out_is_noticed(monkeypatch, mnemonic):
    text = compiled(
        kernels.momentum, dict.fromkeys(("q_ptr", "g_ptr", "v_ptr", "lr_ptr"), "float32"), (), block=1024
    )
    exact = ptx_numbers._approximated
    left_out = lambda op, x, kind: x if op.mnemonic == mnemonic else exact(op, x, kind)
    most = []
    for function in (exact, left_out):
        monkeypatch.setattr(ptx_numbers, "_approximated", function)
        q, g, v = (normal(seed, "float32") for seed in range(3))
        run(text, [q, g, v, array([0.3], "float32"), N], 1)
        most.append(spent(v).max())
    assert 0.8 < most[0] <= 1 < most[1]


@pytest.mark.parametrize("kind", ("float64", "float32", "float16"))
def test_arithmetic_in_the_type_of_the_parameters_is_followed(kind):
    text = compiled(kernels.momentum, dict.fromkeys(("q_ptr", "g_ptr", "v_ptr", "lr_ptr"), kind), ())
    q, g, v = (normal(seed, kind) for seed in range(3))
    found = run(text, [q, g, v, array([0.3], kind), N], 1)
    assert not found.undecided(q, v)
    assert 0.8 < spent(v).max() <= 1 and 0.5 < spent(q).max() <= 1


def descent(how, block):
    q, g = normal(0, "bfloat16"), normal(1, "float32")
    text = compile_ptx(
        kernels.descent_in_integers,
        {"q_ptr": "*u16", "g_ptr": "*fp32", "lr": "fp32", "n": "i32"},
        {"HOW": how, "BLOCK": block},
    )
    return q, run(text, [q, g, 0.1, N], 8)


@pytest.mark.parametrize("block", (128, 1024))
def test_rounding_in_integers_is_known_by_what_it_gives(block):
    errors = {}
    for how in ("nearest", "cut"):
        q, found = descent(how, block)
        assert not found.undecided(q) and 0.9 < spent(q).max() <= 1
        assert bool(found.notes.directed) == (how == "cut")
        errors[how] = np.mean(q.number.error)
    assert errors["cut"] > 1.2 * errors["nearest"]  # twice as much for each second number
    q, found = descent("another", block)
    assert "xor.b16" in found.undecided(q)


def test_where_rounding_can_turn_a_choice_its_distance_is_part_of_the_bound():
    text = compiled(kernels.sign_step, dict.fromkeys(("q_ptr", "g_ptr", "m_ptr"), "float32"), ("lr", "beta"))
    g = np.random.default_rng(1).normal(size=N)
    q, near, far = normal(0, "float32"), array(-g / 9, "float32"), array(g, "float32")
    found = run(text, [q, array(g, "float32"), near, 0.1, 0.9, N], 1)
    assert sum(found.notes.choices.values()) >= N and (q.number.error > 0.1).all()
    q = normal(0, "float32")
    found = run(text, [q, array(g, "float32"), far, 0.1, 0.9, N], 1)
    assert not found.notes.choices and (q.number.error < 1e-6).all() and 0.8 < spent(q).max() <= 1


def test_a_choice_bounds_whichever_side_is_taken():
    rng, n = np.random.default_rng(0), 2000
    sides = [Running(rng.normal(size=n), abs(rng.normal(size=n)) * rng.integers(0, 2, n)) for _ in range(2)]
    reals = [x.value + x.error * rng.uniform(-1, 1, n) for x in sides]
    picks, unsure, taken = (rng.random(n) < 0.5 for _ in range(3))
    found = chosen(picks, unsure, *sides)
    real = np.where(np.where(unsure, taken, picks), *reals)
    assert (abs(real - found.value) <= found.error).all()
    assert (found.value == np.where(picks, sides[0].value, sides[1].value)).all()
    sure = chosen(picks, None, *sides)
    assert (sure.error == np.where(picks, sides[0].error, sides[1].error)).all()


def test_a_store_that_rounding_can_turn_off_is_not_decided():
    text = compiled(kernels.gated, dict.fromkeys(("q_ptr", "g_ptr"), "float32"), ())
    for third, decided in ((0.5, True), (1 / 3, False)):
        q, g = array(np.zeros(N), "float32"), array(np.full(N, third), "float32")
        found = run(text, [q, g, N], 1)
        assert q.written.all() == decided and bool(found.undecided(q)) == (not decided)


def test_the_approximate_functions_have_their_documented_errors():
    text = compiled(kernels.roots, dict.fromkeys(("x_ptr", "y_ptr"), "float32"), ())
    x = array(np.random.default_rng(0).uniform(0.1, 9, N), "float32")
    y = array(np.zeros(5 * N), "float32")
    found = run(text, [x, y, N], 1)
    # What runs here is rounded to nearest, once or twice: half an ulp of the stated one or two.
    most = spent(y).reshape(5, N).max(axis=1)
    assert not found.undecided(y) and (most > 0.2).all() and (most <= 1).all()


WITNESS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "sqrt": lambda a: np.sqrt(a),
    "fma": lambda a, b, c: fused(a, b, c),
}


def fused(a, b, c):
    out = np.empty_like(a)
    fma_narrow(a, b, c, out)
    return out


@pytest.mark.parametrize("size", (1.0, 1e-20, 1e-38, 1e18))
@pytest.mark.parametrize("mnemonic", [f"{m}.rn.f32" for m in WITNESS] + ["mul.ftz.f32", "add.ftz.f32"])
def test_an_operation_bounds_what_its_operands_may_be_off(mnemonic, size):
    """From operands anywhere within their bounds, below the smallest normal number too."""
    op, rng, n = TABLE[mnemonic], np.random.default_rng(7), 4000
    values, reals = [], []
    for _ in op.sources:
        value = (rng.normal(size=n) * size * 2.0 ** rng.integers(-8, 8, n)).astype(WIDE)
        if op.meaning == "sqrt":
            value = abs(value)
        real = (value * (1 + rng.choice([0, 1e-6, 0.3], n) * rng.uniform(-1, 1, n))).astype(np.float32)
        values.append(Running(value, abs(real - value)))
        reals.append(real)
    with np.errstate(all="ignore"):
        found = ptx_numbers.operation(op, *values)
        inside = [np.where(abs(x) < 2.0**-126, np.float32(0), x) for x in reals] if op.ftz else reals
        got = WITNESS[op.meaning](*inside)
    if op.ftz:
        got = np.where(abs(got) < 2.0**-126, np.float32(0), got)
    finite = np.isfinite(found.error)
    assert finite.mean() > 0.3 and np.isfinite(got[finite]).all()
    assert (abs(got - found.value) <= found.error * ptx_numbers.SLACK)[finite].all()


def test_a_literal_means_its_decimal_where_that_is_short():
    tenth = meant(float(np.float32(0.1)), "float32")
    assert tenth.value == 0.1 and tenth.error == 2.0**-28  # half an ulp of float32, whichever its digits
    assert meant(float(np.float32(0.1)), "float32", rounds=False).error == 2.0**-57
    for x in (0.5, 1.0, 3.0, 0.0, -(2.0**-24), np.inf):
        assert meant(x, "float32").value == x and meant(x, "float32").error == 0
    computed = meant(float(np.float32(1) - np.float32(0.9)), "float32")  # 0.100000024
    assert computed.error == 2.0**-28 and meant(0.1, "float64").error == 0


def test_an_array_of_another_type_is_refused():
    with pytest.raises(UsageError, match="must be contiguous and of uint16"):
        Array.of(np.zeros(3), "bfloat16")
    with pytest.raises(UsageError, match="kind is 'int8'"):
        Array.of(np.zeros(3), "int8")
    with pytest.raises(UsageError, match=r"must be \(3,\) each"):
        Array.of(np.zeros(3), "float64", running(np.zeros(2)))


def test_a_choice_falls_as_it_is_meant_where_rounding_turns_it():
    """0.9 m + 0.1 g with m = -g/9: in exact numbers 0, and on which side a float32 falls is chance."""
    text = compiled(kernels.sign_step, dict.fromkeys(("q_ptr", "g_ptr", "m_ptr"), "float32"), ("lr", "beta"))
    g = np.random.default_rng(1).normal(size=N)
    near = array(-g / 9, "float32")
    held_g, m = array(g, "float32"), near.real
    c = WIDE(0.9) * m + (1 - WIDE(0.9)) * held_g.real
    start = normal(0, "float32")
    for rounds in (True, False):
        q = normal(0, "float32")
        found = run(text, [q, held_g, near, 0.1, 0.9, N], 1, rounds=rounds)
        assert not found.undecided(q)
        assert (np.sign(start.real - q.number.value) == np.sign(c)).all()
        assert bool(found.notes.choices) == rounds
    assert (np.sign(start.real - q.real) != np.sign(c)).mean() > 0.05, "rounding turned nothing"


def test_without_rounding_the_bound_is_on_what_is_meant():
    errors = {}
    for rounds in (True, False):
        q, g, m, s = state("bfloat16")
        run(adamw("bfloat16"), [q, g, m, s, *NUMBERS.values(), N], 1, rounds=rounds)
        errors[rounds] = q.number
    assert (errors[True].value == errors[False].value).all()
    # Twenty roundings of the 64 bits of x86, of numbers below 8; where longdouble has 53, of these.
    assert (errors[False].error <= 20 * 8 * np.finfo(WIDE).eps).all() and (errors[False].error > 0).any()
    assert np.median(errors[True].error) > 2.0**-12
