"""What a run plans for the backends that are here, and the job for a GPU."""

import pytest

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.numpy_step import BLOCK
from noether.kernels.programs.precision import PRECISIONS
from noether.labs import gpu, gpu_report
from noether.laws.exact.cell import LaunchCell
from noether.plan import design
from noether.plan.choices import Request, select
from noether.verdicts.record import HOLDS


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_wrong_ptx_is_shown_once_on_each_backend_that_executes_it_here(profile):
    cells = design.cells(select(Request(profile=profile)))
    here = [b for b in launch.ON_CPU if not launch.missing(b)]
    assert sorted(
        c.backend for c in cells if isinstance(c, LaunchCell) and c.extra.get("sabotaged")
    ) == sorted(here)


def test_a_backend_that_is_not_here_is_named():
    if not launch.missing("triton-gpu"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(launch.BackendMissing, match="triton-gpu is not here"):
        design.backend_of("triton-gpu")
    assert gpu.main([]) == 3


NOTHING_FOUND = {"device": "d", "capability": [9, 0], "versions": {}}
NOTHING_FOUND |= {part: [] for part in ("facts", "noisy", "memory", "screens", "speed")}


def test_the_gpu_table_fails_on_one_wrong_bit_and_on_nothing_checked(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OUT", str(tmp_path))
    row = {"case": "c", "rule": "r", "precision": "p", "values": 9, "differ": 0, "unwritten": 0}
    law = {"spent": 0.5, "verdict": HOLDS}
    result = {**NOTHING_FOUND, "parity": [row], "verification": [law]}
    assert gpu_report.report(result) == 0
    for part in ("parity", "memory", "noisy"):
        assert gpu_report.report({**result, part: [{**row, "differ": 1}]}) == 1
    assert gpu_report.report({**result, "verification": [{**law, "verdict": "violated"}]}) == 1
    assert gpu_report.report({**result, "parity": []}) == 3
    alive = {"spent": 0.5, "verdict": HOLDS, "fault": "ascent"}
    assert gpu_report.report({**result, "verification": [law, alive]}) == 3
    assert gpu_report.report({**result, "verification": [law, alive, {**alive, "verdict": "violated"}]}) == 0
    assert gpu_report.report({**result, "speed": [{"skipped": "out of time"}]}) == 3


def test_parity_of_the_gpu_job_runs_on_another_backend():
    """All of `make gpu` but the device: the same function on numpy finds no differing bit."""
    rows = gpu.parity("numpy", iter_clock(3))
    done = [r for r in rows if "differ" in r]
    assert (
        len(done) == 3
        and not any(r["differ"] for r in done)
        and all(r["digest"] == r["digest_numpy"] for r in done)
    )
    assert len(rows) == len(gpu.points()) and sum("skipped" in r for r in rows) == len(rows) - 3


def test_what_raises_on_a_device_is_a_row_and_costs_no_other(capsys, tmp_path, monkeypatch):
    """And it is no pass: 3, with its name in the table."""
    monkeypatch.setenv("OUT", str(tmp_path))

    def work(backend, i):
        if i == 1:
            raise RuntimeError("no such instruction")
        return [{"case": "c", "values": 9, "differ": 0, "unwritten": 0}]

    rows = gpu.gathered(work, "numpy", {i: {"case": f"case-{i}"} for i in range(3)}, lambda: 1.0)
    assert [("failed" in r) for r in rows] == [False, True, False]
    law = {"spent": 0.5, "verdict": HOLDS}
    result = NOTHING_FOUND
    assert gpu_report.report({**result, "parity": rows, "verification": [law]}) == 3
    assert "case-1: RuntimeError: no such instruction" in capsys.readouterr().out
    assert gpu_report.report({**result, "parity": rows[:1], "verification": [law]}) == 0


def test_the_processes_of_the_gpu_job_find_what_one_finds():
    """Two launches of it, each in a process of its own, by index: cases are not sent."""
    names = {i: {"case": case.name} for i, (case, _, _) in enumerate(gpu.points()[:2])}
    alone = gpu.gathered(gpu.compared, "numpy", names, lambda: 600.0)
    assert gpu.gathered(gpu.compared, "numpy", names, lambda: 600.0, workers=2) == alone and len(alone) == 2


def test_verification_of_the_gpu_job_runs_on_another_backend():
    rows = gpu.verification("numpy", iter_clock(2))
    assert {r["verdict"] for r in rows if "verdict" in r} == {HOLDS} and sum(
        "skipped" in r for r in rows
    ) > 100


def iter_clock(n):
    left = iter([1.0] * n)
    return lambda: next(left, -1.0)


def test_parity_is_planned_on_every_triton_backend_that_is_here():
    cells = [c for c in design.cells(select(Request(law="B1"))) if isinstance(c, LaunchCell)]
    here = {b for b in launch.BACKENDS[1:] if not launch.missing(b)}
    assert {c.backend for c in cells} == here
    for backend in here:
        mine = [c for c in cells if c.backend == backend]
        interpreted = backend == "triton-interpreted"
        common = [c for c in mine if RULES[c.rule].screened]
        assert {c.case.name for c in common} == {c.name for c in CORE} and {c.rule for c in mine} == {
            r for r in design.RULES if not (interpreted and not RULES[r].screened)
        }
        assert {c.precision for c in mine} == set(PRECISIONS if interpreted else design.PRECISIONS)
        assert len([c for c in mine if c.extra.get("untraced")]) == (not interpreted)
        assert bool([c for c in mine if c.lanes > 2 * BLOCK]) == (
            backend not in ("triton-interpreted", "triton-ptx")
        )


def test_parity_runs_where_numpy_is_merely_the_best_and_not_where_it_was_asked_for(monkeypatch):
    """Without a compiler `auto` is numpy: B1 must not go blind then."""
    pytest.importorskip("triton")
    honest = launch.missing
    monkeypatch.setattr(
        launch, "missing", lambda b: "no compiler" if b in ("triton-cpu", "triton-gpu") else honest(b)
    )
    assert launch.automatic() == "numpy"
    assert {c.backend for c in design.cells(select(Request(law="B1")))} == {
        b for b in ("triton-interpreted", "triton-ptx") if not honest(b)
    }
    assert not design.cells(select(Request(law="B1", backend="numpy")))


def test_the_kernels_that_ask_the_hardware_compile_without_it():
    pytest.importorskip("triton")
    from noether.kernels.loops.compiled import compile_ptx
    from noether.kernels.loops.hardware import float_argument, native_bfloat16

    native = compile_ptx(native_bfloat16, {"x_ptr": "*fp32", "out_ptr": "*bf16", "n": "i32"}, {"BLOCK": 128})
    assert "cvt.rn.bf16" in native.ptx
    assert ".param .f32" in compile_ptx(float_argument, {"out_ptr": "*fp64", "value": "fp32"}, {}).ptx
