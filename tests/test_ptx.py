"""What Triton compiles for a GPU computes, on the CPU, the bits of plain numpy; what cannot be executed is
refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noether.kernels.programs.precision import bfloat16_bits
from noether.kernels.ptx import Endless, OutOfBounds, Refused, evaluate, parse
from noether.system.machine import importable

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")

import ptx_kernels as kernels

from noether.kernels.loops.compiled import compile_ptx

BLOCK = 128
ARCHITECTURES = (80, 90)
ODD_LANES = (1, 31, 1023, 1025)
ROOT = Path(__file__).resolve().parent.parent


def compiled(name, arch=90, **changes):
    signature, constexprs = {
        "wander64": ({"x_ptr": "*fp64", "trace_ptr": "*fp64", "n": "i32", "steps": "i32"}, {"D": 2}),
        "wander32": (
            {"x_ptr": "*fp64", "trace_ptr": "*fp32", "n": "i32", "steps": "i32"},
            {"KIND": "float32"},
        ),
        "bits32": (
            {
                "x_ptr": "*fp32",
                "e_ptr": "*i16",
                "i_ptr": "*i32",
                "m_ptr": "*fp32",
                "n": "i32",
                "shift": "i32",
            },
            {},
        ),
        "exponential": ({"x_ptr": "*fp64", "y_ptr": "*fp64", "n": "i32"}, {}),
        "total": ({"x_ptr": "*fp32", "y_ptr": "*fp32", "n": "i32"}, {}),
        "tally": ({"x_ptr": "*fp32", "y_ptr": "*fp32", "n": "i32"}, {}),
        "seek": ({"x_ptr": "*fp32", "y_ptr": "*i32", "n": "i32"}, {}),
    }[name]
    fusion = changes.pop("enable_fp_fusion", False)
    signature = {k: changes.pop(k, t) for k, t in signature.items()}
    constexprs = {k: changes.pop(k, v) for k, v in constexprs.items()} | {"BLOCK": BLOCK}
    assert not changes, f"{name} has no {sorted(changes)}"
    return compile_ptx(getattr(kernels, name), signature, constexprs, arch=arch, enable_fp_fusion=fusion)


def blocks(lanes):
    return -(-lanes // BLOCK)


def same_bits(got, want, what):
    """Equal bits; any NaN equals any NaN, because PTX and x86 choose other payloads."""
    assert got.dtype == want.dtype and got.shape == want.shape, (
        f"{what}: {got.dtype}{got.shape}, must be {want.dtype}{want.shape}"
    )
    assert got.size, f"{what}: nothing was compared"
    raw = f"u{got.dtype.itemsize}"
    wrong = got.view(raw) != want.view(raw)
    if got.dtype.kind == "f":
        wrong &= ~(np.isnan(got) & np.isnan(want))
    assert not wrong.any(), (
        f"{what}: {wrong.sum()} of {wrong.size} differ, first {got[wrong][0]!r}, must be {want[wrong][0]!r}"
    )


def starts(lanes, seed, dtype=np.float64):
    """Ordinary values, then ties, signed zeros, subnormals, infinities and NaN as far as they fit."""
    x = np.random.default_rng(seed).normal(size=lanes).astype(dtype) * 3
    tiny = np.finfo(dtype).smallest_subnormal
    odd = np.array([0.0, -0.0, tiny, -tiny, 0.5, -0.5, 1.5, 2.5, np.inf, -np.inf, np.nan, 1e30, -1e30], dtype)
    x[: min(lanes, len(odd))] = odd[:lanes]
    return x


def wander64(x, steps):
    rows = []
    with np.errstate(all="ignore"):
        q = list(x)
        for _ in range(steps):
            s = [
                (a * b + 0.125) / np.sqrt(a * a + b * b + 1e-3) for a, b in zip(q, q[1:] + q[:1], strict=True)
            ]
            q = [np.where(si > a, si - a * 0.3, 0.0 - si) for si, a in zip(s, q, strict=True)]
            rows.append(q)
    return np.array(rows)


def wander32(x, steps, dtype):
    one, rows = np.float32, []
    with np.errstate(all="ignore"):
        q = x.astype(np.float32)
        for _ in range(steps):
            q = np.where(q > one(0.5), (q - one(1.25)) / (q + one(0.3)), np.sqrt(np.abs(q)) * one(1.7))
            rows.append(bfloat16_bits(q) if dtype is np.uint16 else q.astype(dtype))
    return np.array(rows)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("lanes", ODD_LANES)
def test_a_float64_time_loop_has_the_bits_of_numpy(lanes, arch):
    steps = 7
    x = np.array([starts(lanes, 1), starts(lanes, 2)[::-1]])
    trace = np.full((steps, 2, lanes), 1e300)
    report = evaluate(compiled("wander64", arch), [x, trace, lanes, steps], blocks(lanes))
    same_bits(trace, wander64(x, steps), f"wander64 sm_{arch}, {lanes} lanes")
    assert not report.unpinned and report.executed > steps * lanes


STORES = [("float32", "*fp32", np.float32), ("float16", "*fp16", np.float16), ("bfloat16", "*u16", np.uint16)]


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("kind, pointer, dtype", STORES)
def test_float32_arithmetic_has_the_bits_of_numpy_in_every_store(kind, pointer, dtype, arch):
    kernel = compiled("wander32", arch, trace_ptr=pointer, KIND=kind)
    for lanes in ODD_LANES:
        x = starts(lanes, 3)
        trace = np.zeros((5, lanes), dtype)
        assert not evaluate(kernel, [x, trace, lanes, 5], blocks(lanes)).unpinned
        same_bits(trace, wander32(x, 5, dtype), f"wander32 {kind} sm_{arch}, {lanes} lanes")


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("shift", [0, 5, 31, 32, 1000])
def test_integer_work_on_float_bits_has_the_bits_of_numpy(shift, arch):
    lanes = 1025
    x = starts(lanes, 4, np.float32)
    x[20:60] = np.float32(2.0) ** np.arange(-140, -100)
    e, i, m = np.zeros(lanes, np.int16), np.zeros(lanes, np.int32), np.zeros(lanes, np.float32)
    evaluate(compiled("bits32", arch), [x, e, i, m, lanes, shift], blocks(lanes))
    raw = x.view(np.int32)
    same_bits(e, (((raw >> 23) & 255) - 127).astype(np.int16), "exponent")
    flushed = np.where(np.abs(x) < np.finfo(np.float32).tiny, np.float32(0), x)  # tl.floor is cvt.rmi.ftz
    whole = np.nan_to_num(np.floor(flushed.astype(np.float64)), nan=0.0, posinf=2.0**31, neginf=-(2.0**31))
    whole = np.clip(whole, -(2.0**31), 2.0**31 - 1).astype(np.int64)
    want = ((whole << 3) & 0xFFFFFFFF).astype(np.uint32).view(np.int32) ^ (
        raw.astype(np.int64) >> min(shift, 31)
    ).astype(np.int32)
    same_bits(i, want, f"shift by {shift}")
    same_bits(m, np.fmax(np.fmin(x, np.float32(2.5)), np.float32(-2.5)), "clamp: a NaN loses")


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_float64_exp_with_divergent_branches_is_within_two_ulp(arch):
    # libdevice documents 1 ulp for exp; glibc's, behind numpy, is below 1 ulp.
    x = np.concatenate(
        [starts(1000, 5), np.linspace(-760, 720, 1500), [709.78, 709.79, -708.4, -745.1, -745.2]]
    )
    y = np.zeros_like(x)
    evaluate(compiled("exponential", arch), [x, y, len(x)], blocks(len(x)))
    with np.errstate(over="ignore", under="ignore"):
        want = np.exp(x)
    same_bits(np.isfinite(y), np.isfinite(want), "where exp is finite")
    fine = np.isfinite(want)
    apart = np.abs(y.view(np.int64) - want.view(np.int64))[fine]
    assert apart.max() <= 2, f"exp is {apart.max()} ulp away"
    assert (y[want == 0] == 0).all() and np.isnan(y[np.isnan(want)]).all()


def test_no_lane_outside_the_mask_is_written():
    lanes = 31
    x, trace = np.ones((2, lanes)), np.full((3, 2, lanes + 200), 7.0)
    evaluate(compiled("wander64"), [x, trace, lanes, 3], blocks(lanes))
    assert (trace.reshape(-1)[3 * 2 * lanes :] == 7.0).all()


def test_the_number_of_lanes_evaluated_together_changes_nothing():
    lanes, steps = 1025, 3
    x, kernel = np.array([starts(lanes, 1), starts(lanes, 2)]), compiled("wander64")
    traces = []
    for batch in (1, 256, 100_000):
        traces.append(np.zeros((steps, 2, lanes)))
        evaluate(kernel, [x, traces[-1], lanes, steps], blocks(lanes), batch=batch)
    same_bits(traces[0], traces[1], "batches of one block")
    same_bits(traces[0], traces[2], "one batch")


def test_fusion_is_seen_in_bits_and_what_it_leaves_open_is_counted():
    lanes = 1023
    x = np.array([np.random.default_rng(1).normal(size=lanes), np.random.default_rng(2).normal(size=lanes)])
    traces = []
    for fusion in (False, True):
        traces.append(np.zeros((1, 2, lanes)))
        report = evaluate(
            compiled("wander64", enable_fp_fusion=fusion), [x, traces[-1], lanes, 1], blocks(lanes)
        )
        assert bool(report.unpinned) == fusion
        assert set(report.unpinned) <= {"add.f64", "mul.f64", "sub.f64"}, report.unpinned
    assert 0 < (traces[0] != traces[1]).sum(), "no fma was contracted: the test sees nothing"


@pytest.mark.parametrize("name, opcode", [("total", "shfl"), ("tally", "atom"), ("seek", "bra")])
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_kernels_whose_lanes_are_not_alone_are_refused_by_name_and_line(name, opcode, arch):
    ptx = compiled(name, arch).ptx
    with pytest.raises(Refused) as error:
        evaluate(ptx, [np.ones(4096, np.float32), np.zeros(4096, np.float32), 1], 2)
    assert error.value.opcode.startswith(opcode) and opcode in ptx.splitlines()[error.value.line - 1]
    assert error.value.why in str(error.value) and f"line {error.value.line}" in str(error.value)


@pytest.mark.parametrize(
    "old, new",
    [
        ("sqrt.rn.f64", "sqrt.approx.f64"),
        ("add.rn.f64", "add.rz.f64"),
        ("add.rn.f64", "add.rn.sat.f64"),
        ("ld.global.b64", "ld.global.nc.b64"),
        ("setp.gt.f64", "setp.gt.and.f64"),
        ("setp.gt.f64", "setp.gt.f16x2"),
        ("mul.rn.f64", "mul.rn.f32"),
        ("ret;", "bar.sync 0;\n ret;"),
        ("ld.global.b64", "ld.shared.b64"),
    ],
)
def test_an_unlisted_modifier_or_a_wrong_width_is_refused(old, new):
    ptx = compiled("wander64").ptx
    assert old in ptx
    with pytest.raises(Refused):
        parse(ptx.replace(old, new, 1))


def test_offsets_beyond_an_array_raise_and_name_the_instruction():
    lanes = 31
    x, trace = np.ones((2, lanes)), np.zeros((2, 2, lanes))
    with pytest.raises(OutOfBounds, match=r"PTX line \d+: .*argument 1.*st\.global"):
        evaluate(compiled("wander64"), [x, trace, lanes, 3], blocks(lanes))
    with pytest.raises(OutOfBounds, match=r"argument 0.*ld\.global"):
        evaluate(compiled("wander64"), [x[0], trace, lanes, 2], blocks(lanes))


def test_wrong_arguments_are_refused():
    kernel, x, trace = compiled("wander64"), np.ones((2, 4)), np.zeros((1, 2, 4))
    wrong = [[x, trace, 4], [x, trace, 4, x], [x, 5, 4, 1], [x, trace, 2**33, 1], [x[:, ::2], trace, 2, 1]]
    for args in wrong:
        with pytest.raises(TypeError):
            evaluate(kernel, args, 1)
    with pytest.raises(ValueError):
        compile_ptx(kernels.wander64, {"x_ptr": "*fp64"}, {"D": 2, "BLOCK": 128})
    with pytest.raises(ValueError):
        compiled("wander64", 70)


def test_compiling_under_the_interpreter_is_refused():
    program = (
        "import ptx_kernels as k; from noether.kernels.loops.compiled import compile_ptx; "
        "compile_ptx(k.total, {}, {})"
    )
    env = importable(ROOT / "tests") | {"TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 1 and "TRITON_INTERPRET is set" in done.stderr, done.stderr


def outcome(ptx, kind, run=evaluate):
    """Everything a kernel writes for fixed inputs, as bytes; how it failed otherwise."""
    written = []
    try:
        if kind == "exponential":
            x = np.concatenate([starts(60, 5), np.linspace(-760, 720, 140)])
            y = np.full(200, 5.0)
            run(ptx, [x, y, 200], 4, visits=200)
            written.append(y)
        elif kind == "bits32":
            x = starts(200, 4, np.float32)
            for shift in (3, 40):
                out = [np.full(200, 5, t) for t in (np.int16, np.int32, np.float32)]
                run(ptx, [x, *out, 200, shift], 4, visits=200)
                written += out
        else:
            dtype, width = (np.float64, 2) if kind == "wander64" else (np.float32, 1)
            for steps in (3, 1, 0, -1):
                x, trace = (
                    np.array([starts(200, 6 + i) for i in range(width)]),
                    np.full((3, width, 200), 5, dtype),
                )
                x[:, 50] = (0.5, -0.25)[:width]  # s = 0 in wander64: 0 - s is +0, not -0
                run(ptx, [x, trace, 200, steps], 4, visits=200)
                written.append(trace)
    except (Refused, OutOfBounds, Endless) as error:
        return type(error).__name__
    return b"".join(np.where(a != a, np.nan, a).astype(a.dtype).tobytes() for a in written)
