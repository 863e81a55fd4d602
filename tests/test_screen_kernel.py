"""The screening kernel is its plain twin, bit for bit: compiled for sm_90, executed on the CPU."""

from dataclasses import replace

import numpy as np
import plainest
import pytest

from noether.cases import CATALOG, Metric
from noether.cases.case import BREGMAN, scale, translation
from noether.cases.losses.mexican_hat import mexican_hat
from noether.cases.losses.rayleigh import rayleigh
from noether.cases.rules import RULES
from noether.kernels.loops import backends, launch, screen_launch
from noether.kernels.programs.precision import parse
from noether.laws.exact.screen import prepare, screen
from noether.mechanics import sweep

pytest.importorskip("triton")
# A function of one difference, for a kernel that looks back two steps.
VALLEY = plainest.case(
    "valley",
    loss=lambda q, xp: (q[0] - q[1]) ** 4 / 4,
    breaking=lambda q, xp: q[0] * q[1],
    box=((0.5, 1.0), (-0.5, 0.0)),
    symmetries=(translation((1, 1)),),
)
# Mirror descent in two dimensions, for a kernel with an exponential.
ORTHANT = plainest.case(
    "orthant",
    loss=lambda q, xp: q[0] / (q[0] + 2 * q[1]),
    breaking=lambda q, xp: q[0] * q[1] / 2,
    box=((0.25, 1.5),) * 2,
    symmetries=(scale(2),),
    metric=Metric(BREGMAN, potential=lambda q, xp: sum(x * xp.log(x) - x for x in q)),
)
POINTS = [
    (mexican_hat(2), "heavy-ball", "bfloat16"),
    (rayleigh(2), "gradient-descent", "float32"),
    (VALLEY, "heavy-ball-decoupled", "float64"),
    (ORTHANT, "mirror-descent", "float16/eager"),
]
each = pytest.mark.parametrize(
    ("case", "rule", "precision"), POINTS, ids=lambda x: getattr(x, "name", str(x))
)
COMPILED = ["triton-ptx", "triton-cpu"]


def job_of(case, rule, precision, lanes=131, steps=9, **overrides):
    return sweep.draw(
        case, RULES[rule], parse(precision), lanes=lanes, steps=steps, seed=2, overrides=overrides
    )


def same(mine: screen_launch.Found, plain: screen_launch.Found) -> None:
    for name in ("spent", "worst_step", "first_bad", "moved", "q", "v"):
        a, b = getattr(mine, name), getattr(plain, name)
        differ = int((a.view(f"u{a.itemsize}") != b.view(f"u{b.itemsize}")).sum())
        assert a.dtype == b.dtype and not differ, (
            f"{mine.backend}: {differ} of {a.size} values of {name} differ from numpy"
        )


def need(backend: str) -> None:
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))


@each
@pytest.mark.parametrize("backend", COMPILED)
def test_compiled_screens_are_the_plain_one(case, rule, precision, backend):
    need(backend)
    prepared, pairs, _ = prepare(case, job_of(case, rule, precision))
    mine, plain = launch.run(prepared, backend), launch.run(prepared, "numpy")
    assert (
        mine.backend == backend and plain.backend == "numpy" and plain.moved.any() and (plain.spent > 0).any()
    )
    same(mine, plain)
    assert (max(prepared.lags) == 2) == (case is VALLEY) == (("D6", "translation") in pairs)


@pytest.mark.parametrize("backend", COMPILED)
def test_alarms_are_the_same_too(backend):
    """eta demoted on its way into the update; a lane that is no number from the start; one lane, another
    kernel to Triton."""
    need(backend)
    job = job_of(*POINTS[1])
    prepared, _, _ = prepare(POINTS[1][0], job)
    wrong, start = job.params.copy(), job.q0.copy()
    wrong[0, ::2] *= 1 + 2.0**-10
    start[1, 7] = np.nan
    prepared = replace(prepared, job=replace(job, params=wrong, q0=start))
    mine, plain = launch.run(prepared, backend), launch.run(prepared, "numpy")
    same(mine, plain)
    assert (
        (plain.spent[0, ::2] > 1).all()
        and (plain.first_bad[0, ::2] == 0).all()
        and np.isinf(plain.spent[:, 7]).all()
    )
    assert (np.delete(plain.spent[0, 1::2], 3) <= 1).all()
    one, _, _ = prepare(POINTS[1][0], job_of(*POINTS[1], lanes=1, steps=1))
    same(launch.run(one, backend), launch.run(one, "numpy"))


@pytest.mark.parametrize("arch", [80, 90])
def test_screens_compile_ahead_of_time_with_pinned_bits(arch):
    prepared, _, _ = prepare(POINTS[1][0], job_of(*POINTS[1]))
    ptx = backends.compiled(prepared, arch=arch).ptx
    assert f".target sm_{arch}" in ptx and ".approx" not in ptx and "div.full" not in ptx and "fma" not in ptx


def test_a_backend_that_does_not_screen_is_refused():
    case = CATALOG[0]
    job = job_of(case, "gradient-descent", "float32", steps=1, lanes=2)
    with pytest.raises(ValueError, match="must be one of"):
        screen(case, job, backend="cuda")
    if launch.missing("triton-gpu"):
        with pytest.raises(launch.BackendMissing, match="is not here"):
            screen(case, job, backend="triton-gpu")


def test_lanes_that_nobody_wrote_are_noticed(monkeypatch):
    from noether.kernels import ptx

    prepared, _, _ = prepare(POINTS[1][0], job_of(*POINTS[1]))
    evaluate = ptx.evaluate
    monkeypatch.setattr(ptx, "evaluate", lambda kernel, args, blocks: evaluate(kernel, args, blocks - 1))
    with pytest.raises(RuntimeError, match="3 of 131 lanes unwritten"):
        launch.run(prepared, "triton-ptx")
