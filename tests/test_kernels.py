"""The Triton time loop is the plain step, bit for bit: interpreted, compiled and executed on the CPU."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import backends, launch
from noether.kernels.programs.precision import PRECISIONS, Precision, parse
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.triton_text import source
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.mechanics import sweep
from noether.verdicts.record import HOLDS, VIOLATED

pytest.importorskip("triton")

from noether.kernels.loops import trajectory_loop

POINTS = [
    (CORE[i % len(CORE)], PRECISIONS[(i + i // len(CORE)) % 4], i // len(CORE)) for i in range(2 * len(CORE))
]
each_point = pytest.mark.parametrize(
    ("case", "precision", "turn"), POINTS, ids=lambda x: getattr(x, "name", str(x))
)


def job_of(case, precision, turn, lanes=37, steps=3, mode="stored"):
    rules = rules_of(case)
    return sweep.draw(
        case, RULES[rules[turn % len(rules)]], Precision(precision, mode), lanes=lanes, steps=steps, seed=turn
    )


def needs(backend):
    """Skip where a backend is not here: Triton 3.6.0 cannot interpret beside numpy 2.4."""
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))


def agree(job, backend):
    needs(backend)
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert mine.backend == backend
    assert not mine.unwritten.any(), f"lanes {np.flatnonzero(mine.unwritten)} were not written"
    assert (mine.q[-1] != mine.q[0]).any(), "nothing moved: nothing was compared"
    assert launch.differing_bits(mine, plain) == 0


@each_point
def test_interpreted_loop_is_the_plain_step(case, precision, turn):
    agree(job_of(case, precision, turn), "triton-interpreted")


@each_point
def test_compiled_loop_on_the_cpu_is_the_plain_step(case, precision, turn):
    agree(job_of(case, precision, turn, lanes=131), "triton-ptx")


@pytest.mark.parametrize("mode", ["eager", "mixed"])
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("backend", ["triton-interpreted", "triton-ptx", "triton-cpu"])
def test_eager_and_mixed_modes_agree_too(backend, precision, mode):
    case = next(c for c in CORE if c.name == "linear-network")
    agree(job_of(case, precision, 1, mode=mode), backend)


HAT = next(c for c in CORE if c.name == "mexican-hat")


@given(st.integers(1, 300), st.integers(1, 9), st.integers(0, 2**32), st.sampled_from(PRECISIONS))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_number_of_lanes_and_steps_agrees(lanes, steps, seed, precision):
    job = sweep.draw(HAT, RULES["heavy-ball"], Precision(precision), lanes=lanes, steps=steps, seed=seed)
    mine, plain = launch.run(job, "triton-ptx"), launch.run(job, "numpy")
    assert launch.differing_bits(mine, plain) == 0 and not mine.unwritten.any()


@pytest.mark.parametrize("arch", [80, 90])
@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_every_case_compiles_ahead_of_time(case, arch):
    job = job_of(case, "float32", 1)
    kernel = backends.compiled(job, arch=arch)
    assert f".target sm_{arch}" in kernel.ptx and ".approx" not in kernel.ptx and "div.full" not in kernel.ptx


@given(st.integers(0, 40), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_lane_order_and_batch_split_change_nothing(cut, random):
    job = sweep.draw(HAT, RULES["heavy-ball-decoupled"], Precision("float32"), lanes=41, steps=5, seed=cut)
    whole = launch.run(job, "numpy")
    order = list(range(41))
    random.shuffle(order)
    picked = lambda at: replace(job, q0=job.q0[:, at], v0=job.v0[:, at], params=job.params[:, at])
    assert np.array_equal(launch.run(picked(order), "numpy").q, whole.q[:, :, order])
    at = slice(cut, cut + 1)
    assert np.array_equal(launch.run(picked(at), "numpy").q, whole.q[:, :, at])


def test_the_watermark_shows_a_lane_that_nobody_wrote():
    job = job_of(HAT, "float32", 1)
    q, v, *_ = job.buffers()
    outcome = launch.Outcome(q, v, job.precision, "numpy", 0.0)
    assert outcome.unwritten.all()


def test_digests_agree_when_the_final_bits_do_whatever_the_payload_of_a_nan():
    job = job_of(HAT, "float16", 1)
    plain = launch.run(job, "numpy")
    assert launch.run(job, "triton-ptx").digest == plain.digest and len(plain.digest) == 64
    q = plain.q.copy()
    q[0] += 1
    assert (
        launch.Outcome(q, plain.v, job.precision, "numpy", 0.0).digest == plain.digest
    )  # the start is no result
    q[-1, 0, 0] = np.nextafter(q[-1, 0, 0], np.float16(9))
    assert launch.Outcome(q, plain.v, job.precision, "numpy", 0.0).digest != plain.digest
    nans = []
    for payload in (0x7E00, 0x7E01, 0xFE00, 0x7FFF):
        q.view(np.uint16)[-1, 0, 0] = payload
        nans.append(launch.Outcome(q.copy(), plain.v, job.precision, "numpy", 0.0).digest)
    assert len(set(nans)) == 1 != len({nans[0], plain.digest})


def test_parity_records_hold_and_their_faults_do_not():
    needs("triton-interpreted")
    records = LaunchCell(
        HAT, "heavy-ball", "float32", "triton-interpreted", "parity", ("B1",), 10_007, 0, 2
    ).run()
    assert [r.verdict for r in records] == [HOLDS, VIOLATED, VIOLATED]
    assert "final states" in records[0].reason and "final states" not in records[1].reason


@pytest.mark.parametrize(("backend", "error"), [("cuda", ValueError), ("triton", ValueError)])
def test_unknown_backends_are_refused(backend, error):
    with pytest.raises(error, match="must be one of"):
        launch.run(job_of(HAT, "float32", 1), backend)


def test_a_job_of_the_wrong_shape_is_refused():
    job = job_of(HAT, "float32", 1)
    with pytest.raises(ValueError, match="must be"):
        launch.Job(job.program, job.rule, job.precision, job.q0[:, :5], job.v0, job.params, job.steps)


def negations(text: str) -> list[str]:
    """What stands behind a unary minus in the functions of a module that Triton compiles; literals and
    constants are not meant."""
    jitted = [
        f
        for f in ast.walk(ast.parse(text))
        if isinstance(f, ast.FunctionDef) and any("jit" in ast.unparse(d) for d in f.decorator_list)
    ]
    found = [
        n for f in jitted for n in ast.walk(f) if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub)
    ]
    return [ast.unparse(n.operand) for n in found if not isinstance(n.operand, ast.Constant)]


SIGNS = {"one", "s[i]"}  # of the noise: 1 or -1, never a zero


def test_no_kernel_writes_a_negation_as_a_unary_minus():
    # From Triton 3.8.0 on it makes -0 of +0, up to 3.7 it did not: a kernel must give the same bits on both.
    files = [
        p
        for p in Path(trajectory_loop.__file__).parent.glob("*.py")
        if "@triton.jit" in p.read_text(encoding="utf-8")
    ]
    assert {"trajectory_loop.py", "noise_loop.py"} <= {p.name for p in files}
    assert {x for p in files for x in negations(p.read_text(encoding="utf-8"))} <= SIGNS
    program = Program(1, (Op("input", value=0), Op("neg", (0,))), (1,))
    assert "0.0 - x0" in source(program, parse("float64")) and not negations(
        source(program, parse("float64"))
    )


def test_a_unary_minus_is_seen():
    assert (
        negations("@triton.jit\ndef f(x):\n    return -x * -1.0\n") == ["x"]
        and negations("def f(x):\n    return -x\n") == []
    )
