"""Cases of many parameters: kernels in memory, proofs along generators, and what is planned and left out."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.cases.case import DIAGONAL, Case, CaseError, Metric, linear, rotation, scale
from noether.cases.rules import RULES
from noether.cli.main import call
from noether.kernels.loops import launch
from noether.kernels.programs.array_trace import Memory
from noether.kernels.programs.loop_program import LoopProgram
from noether.kernels.programs.precision import parse
from noether.kernels.programs.rolling import rolled
from noether.kernels.programs.step_loops import packed, step_loops
from noether.kernels.programs.trace import gradient, gradient_program
from noether.mechanics import directional_proof, stiffness, sweep, symbolic, symmetry_proof, wide
from noether.plan import large
from noether.verdicts.record import HOLDS

N, K = 6, 4
D = 2 * N * K
TARGET = np.arange(N * N).reshape(N, N) % 5 / 4.0


def network(q, xp):
    U, V = xp.array(q[: N * K], (N, K)), xp.array(q[N * K :], (N, K))
    R = U @ V.T - xp.constant(TARGET)
    return xp.sum(R * R) / (2 * N)


def corner(q, xp):
    return q[0] * q[0] / 2 + q[0] * q[D - 1]


def mixing(B, name):
    return linear(
        np.kron(np.diag([1] * N + [0] * N), np.array(B).T) - np.kron(np.diag([0] * N + [1] * N), B), name
    )


UNIT = np.eye(K)
ABOUT = dict(title="a network", source="own", loss=network, breaking=corner, box=((0.05, 0.5),) * D)
NET = Case(name="net", symmetries=(mixing(UNIT, "rescale"),), **ABOUT)


def by_program(job, program):
    """The same launch with another form of its gradient."""
    return launch.Job(program, job.rule, job.precision, job.q0, job.v0, job.params, job.steps)


@pytest.mark.parametrize("rule", ["heavy-ball", "nesterov", "adam", "lars"])
@pytest.mark.parametrize("label", ["float64", "float32", "bfloat16", "float16/eager"])
def test_a_launch_in_memory_has_the_bits_of_numpy(rule, label):
    job = sweep.draw(NET, RULES[rule], parse(label), lanes=5, steps=2, seed=1)
    assert job.memory is not None
    assert launch.differing_bits(launch.run(job, "triton-cpu"), launch.run(job, "numpy")) == 0


@pytest.mark.parametrize("backend", ["triton-cpu", "triton-ptx", "triton-interpreted"])
@pytest.mark.parametrize("name", ["softmax", "leaky-network"])
def test_every_backend_runs_a_rolled_case_as_it_runs_the_straight_one(name, backend):
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    case = next(c for c in CATALOG if c.name == name)
    straight = sweep.draw(case, RULES["heavy-ball"], parse("float32"), lanes=3, steps=2, seed=0)
    job = by_program(straight, rolled(gradient(case)))
    assert launch.differing_bits(launch.run(job, backend), launch.run(straight, "numpy")) == 0


def test_text_grows_with_the_kinds_of_loops_and_not_with_their_length():
    lengths = []
    for d in (64, 512):
        total = lambda q, eps, xp: (sum(x * x for x in q) - 1) ** 2 / 4 + eps * q[0]
        program = rolled(gradient_program(d, total))
        job = sweep.draw(NET, RULES["heavy-ball"], parse("float64"), lanes=1, steps=1, seed=0)
        wide_job = launch.Job(
            program, job.rule, job.precision, np.ones((d, 1)), np.ones((d, 1)), job.params, 1
        )
        lengths.append(len(wide_job.memory.text))
    assert lengths[1] <= 1.05 * lengths[0]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_packing_lets_no_loop_write_over_what_a_later_one_reads(seed):
    rng = np.random.default_rng(seed)
    memory = Memory(4)
    known = [np.arange(4, dtype=np.int32)]
    for _ in range(12):
        x, y = (rng.choice(np.concatenate(known), 3) for _ in range(2))
        known.append(memory.enter(str(rng.choice(["add", "mul", "sub"])), x, y))
    outputs = rng.choice(np.concatenate(known), 3)
    names = ("q[0]", "q[1]", "q[2]", "eps")
    program = LoopProgram(3, tuple(memory.loops), outputs.astype(np.int32), np.zeros(0), names)
    q, eps = rng.random((3, 2)), rng.random(2)
    small = packed(program)
    assert small.size <= program.size
    assert np.array_equal(
        program.run(list(q), eps, parse("float64")), small.run(list(q), eps, parse("float64"))
    )


def test_a_whole_step_is_one_program_of_less_memory_than_results():
    rule = RULES["adam"]
    step = step_loops(gradient(NET), None, rule, rule.inputs)
    assert step.size < len(step.inputs) + sum(loop.count for loop in step.loops) / 2


# ---- proofs


def test_a_true_symmetry_of_a_large_case_is_proven_and_a_false_one_is_refused():
    (proof,) = symmetry_proof.prove(NET)
    assert proof.relative <= 1e-40 and proof.broken > 1e-3
    B = UNIT.copy()
    B[0, 1] = 2.0**-10
    wrong = Case(
        name="net", symmetries=(linear(mixing(UNIT, "x").matrix + np.diag([2.0**-10] * D), "near"),), **ABOUT
    )
    with pytest.raises(CaseError, match="symmetry near is false"):
        symmetry_proof.prove(wrong)


def test_a_derivative_along_a_generator_is_the_gradient_paired_with_it():
    rng = np.random.default_rng(0)
    q, u = rng.random(D), rng.random(D)
    g = wide.gradient(network, q[:, None])[:, 0]
    (found,) = directional_proof.along(network, [mpmath.mpf(x) for x in q], [[mpmath.mpf(x) for x in u]])
    assert abs(float(found) - float(g @ u)) <= 1e-15 * float(np.abs(g) @ np.abs(u))


def kinked(q, xp):
    return xp.sum(xp.array(q) * xp.step(xp.array(q) - 0.25)) ** 2 / 2


@pytest.mark.parametrize("named", [True, False])
def test_kinks_of_a_large_case_must_be_named(named):
    about = dict(
        title="kinks", source="own", loss=kinked, breaking=lambda q, xp: q[0], box=((0.3, 1.0),) * 400
    )
    kinks = (lambda q, xp: [2 * (x - 0.25) for x in q]) if named else None
    A = np.zeros((400, 400))
    A[0, 0], A[1, 0] = 1, -1
    case = Case(name="kinked", symmetries=(linear(A, "shear"),), kinks=kinks, **about)
    assert isinstance(gradient(case), LoopProgram)
    if named:
        directional_proof.check_kinks(case, 0)
        return
    with pytest.raises(CaseError, match="kinks must name it; it names 0"):
        directional_proof.check_kinks(case, 0)


def test_products_with_a_hessian_find_its_largest_eigenvalue():
    case = NET
    q = stiffness.points(case)[:, :4]
    dense = stiffness.spectral_radius(stiffness.hessian(case, q, 0.0))
    assert 0.75 * dense <= stiffness.by_powers(case, q, 0.0) <= 1.001 * dense


# ---- the plan


def test_a_large_case_is_judged_by_the_exact_laws_and_its_faults_are_killed():
    from noether import verify

    result = verify(NET, rules="heavy-ball,heavy-ball-decoupled")
    assert result.exit_code == 0
    held = {r.law for r in result.records if r.verdict == HOLDS and not r.fault}
    assert {"D0", "D2", "D4", "D10", "B1"} <= held
    told = " ".join(result.notes)
    assert "case net is large: 48 parameters" in told and "left out: T1" in told and "min" in told


def test_the_estimate_grows_with_operations_and_parameters():
    small = next(c for c in CATALOG if c.name == "product")
    assert large.estimate(NET, 1.0) > 10 * large.estimate(small, 1.0)
    assert not large.is_large(small) and large.is_large(NET)


def test_few_parameters_and_curved_metrics_stay_straight_longer():
    """Then every law speaks of them, as before."""
    about = dict(title="t", source="own", breaking=lambda q, xp: q[0] ** 2, symmetries=(rotation(20, 0, 1),))
    pairs = lambda q: sum((q[2] + i * x) ** 2 for x in q[3:] for i in range(1, 12))
    loss = lambda q, xp: xp.sum(xp.array(q) ** 2) ** 2 + pairs(q)
    few = Case(name="few", loss=loss, box=((0.1, 0.5),) * 20, **about)
    assert 600 < gradient(few).length < 1500 and not large.is_large(few)
    about |= dict(loss=lambda q, xp: (xp.sum(xp.array(q) ** 2) - 1) ** 2, box=((0.1, 0.5),) * 300)
    about["symmetries"] = (rotation(300, 0, 1),)
    curved = Metric(DIAGONAL, entries=lambda q, kappa, xp: [1 + kappa * x * x for x in q])
    assert not large.is_large(Case(name="curved", metric=curved, **about))
    assert large.is_large(Case(name="flat", **about))


def test_the_memory_of_a_cell_bounds_its_lanes():
    wider = Case(
        name="wide", title="w", source="own", loss=lambda q, xp: xp.sum(xp.array(q) ** 2) ** 2,
        breaking=corner, box=((0.1, 0.5),) * 1000, symmetries=(rotation(1000, 0, 1),),
    )  # fmt: skip
    assert large.size_of(wider)["lanes"] < large.size_of(NET)["lanes"] == large.LANES
    assert scale(3).matrix.flags.writeable is False


LARGE_FILE = """
from noether.cases.case import Case, rotation


def loss(q, xp):
    return (xp.sum(xp.array(q) ** 2) - 1) ** 2 / 4


def breaking(q, xp):
    return q[0]


HAT = Case(name="hat", title="t", source="own", loss=loss, breaking=breaking, box=((0.1, 0.5),) * 300,
           symmetries=(rotation(300, 0, 1),))
"""


@pytest.fixture
def hat(tmp_path):
    path = tmp_path / "hat.py"
    path.write_text(LARGE_FILE)
    return path


def test_fuzzing_refuses_a_large_case_before_it_starts(hat, capsys):
    assert call(["fuzz", str(hat), "--for", "1s", "--out", str(hat.parent / "run")]) == 2
    assert "case hat is large" in (told := capsys.readouterr().err) and "noether verify judges it" in told
    assert not (hat.parent / "run").exists()


def test_a_large_case_is_shown_in_a_few_lines(hat, capsys):
    assert call(["show", str(hat)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "[0.1, 0.5]^300" in told and "2 of 300 entries not 0" in told and len(told) < 2000


def test_formulas_of_a_loss_that_is_too_long_are_refused_with_their_length(monkeypatch):
    monkeypatch.setattr(symbolic, "LONGEST", 100)
    with pytest.raises(
        CaseError,
        match=f"its gradient has {gradient(NET).length} operations: there are formulas, .* up to 100",
    ):
        symbolic.derived(NET)
