"""A loss whose gradient keeps a logarithm runs on every backend, with one set of bits, and obeys the exact
laws."""

import numpy as np
import plainest
import pytest

from noether.cases.case import rotation
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs import elementary, trace
from noether.kernels.programs.precision import Precision
from noether.laws.exact.judge import judge_all
from noether.laws.exact.shown_faults import KERNEL_FAULTS, wrong_trajectory
from noether.mechanics import sweep
from noether.mechanics.symmetry_proof import prove
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, VIOLATED


def loss(q, xp):
    """R log R - R with R = |q|^2: rotations, a circle of minima, gradient 2 q log R."""
    r = q[0] * q[0] + q[1] * q[1]
    return (r * xp.log(r) - r) / 4


LOGARITHM = plainest.case(
    "logarithm",
    loss,
    breaking=lambda q, xp: q[0] + q[0] * q[1] / 2,
    box=((0.25, 0.875), (-0.875, -0.25)),
    symmetries=(rotation(2, 0, 1),),
)
ABOUT = dict(
    case="logarithm", rule="heavy-ball", backend="numpy", precision="float64", parameters={}, cell="test"
)
HERE = [b for b in launch.BACKENDS if not launch.missing(b)]


def job(precision, lanes=61, steps=0):
    p = Precision(*precision.split("/"))
    return sweep.draw(
        LOGARITHM, RULES["heavy-ball"], p, lanes=lanes, steps=steps or sweep.HORIZON[p.name], seed=5
    )


def computed(j):
    return Trajectory(LOGARITHM, j.rule, j.precision, *launch.run(j, "numpy").wide(), j.params)


def test_the_gradient_keeps_its_logarithm_and_the_loss_its_rotation():
    assert len(prove(LOGARITHM)) == 1
    assert "log" in [op.name for op in trace.gradient(LOGARITHM).ops]


@pytest.mark.parametrize(
    "precision", ["float64", "float32", "float16", "bfloat16", "float16/eager", "bfloat16/mixed"]
)
def test_the_exact_laws_hold(precision):
    t = computed(job(precision))
    records = judge_all(t, ("D0", "D2", "D3"), about=ABOUT)
    assert {r.law for r in records} == {"D0", "D2", "D3"}
    for r in records:
        assert r.verdict == HOLDS and 0.05 < r.spent <= 1, (
            f"{r.law} {precision}: {r.verdict}, spent {r.spent}, {r.reason}"
        )


@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("precision", ["float64", "float32", "float16", "bfloat16", "bfloat16/eager"])
def test_every_backend_gives_the_bits_of_numpy(precision, backend):
    short = job(precision, lanes=131, steps=3 if backend == "triton-interpreted" else 12)
    mine, plain = launch.run(short, backend), launch.run(short, "numpy")
    assert mine.backend == backend and not mine.unwritten.any() and (mine.q[-1] != mine.q[0]).any()
    assert launch.differing_bits(mine, plain) == 0


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_near_faults_of_the_case_are_killed(precision):
    wanted = [
        c
        for c in KERNEL_FAULTS
        if c.name in ("gradient x (1 + 2^-10)", "another loss, same symmetry", "NaN in one lane")
    ]
    assert len(wanted) == 3
    for fault in wanted:
        (record,) = judge_all(wrong_trajectory(LOGARITHM, job(precision), fault), ("D0",), about=ABOUT)
        assert record.verdict == VIOLATED, fault.name


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_logarithm_that_is_off_by_eight_of_its_units_is_seen(precision, monkeypatch):
    from noether.kernels.programs import program

    units = 8 * elementary.LOG_UNITS * Precision(precision).u_arith
    monkeypatch.setitem(program.NUMPY, "log", lambda x: elementary.log(x) + x.dtype.type(units))
    t = computed(job(precision))
    (record,) = judge_all(t, ("D0",), about=ABOUT)
    assert record.verdict == VIOLATED and np.isfinite(record.spent)
