"""Evidence for compiled kernels: wrong ones are violated, and their verdicts are their own."""

import dataclasses
import re

import numpy as np
import pytest
from test_evidence import REQUEST, cell

from noether.cases import CORE
from noether.kernels.loops import backends, launch
from noether.kernels.loops.outcome import WATERMARK
from noether.runs import run as running
from noether.verdicts.exit_codes import of_records
from noether.verdicts.record import VIOLATED

LINE = re.compile(r"^\s*add\.rn\.f(32|64)\b", re.MULTILINE)


def turned(kernel, at):
    """The compiled kernel with its add.rn number `at` a sub.rn, all else as it was."""
    found = list(LINE.finditer(kernel.ptx))[at]
    wrong = (
        kernel.ptx[: found.start()] + found.group().replace("add.rn", "sub.rn") + kernel.ptx[found.end() :]
    )
    return dataclasses.replace(kernel, ptx=wrong)


def test_each_add_of_the_compiled_kernel_turned_into_a_subtraction_is_violated(monkeypatch):
    """What is judged under the name triton-ptx is the PTX text: numpy under that name would pass this."""
    pytest.importorskip("triton")
    right = backends.compiled(cell().job())
    count = len(LINE.findall(right.ptx))
    assert count >= 10
    for at in range(count):
        monkeypatch.setattr(backends, "compiled", lambda job, at=at: turned(right, at))
        records = cell().run()
        assert {r.backend for r in records} == {"triton-ptx"}
        assert VIOLATED in {r.verdict for r in records if r.law == "D0"}, (
            f"add.rn number {at} of {count} as sub.rn was passed"
        )
        assert of_records(records, ["D0", "D2", "D3"]) == 1


def test_a_wrong_kernel_ends_a_whole_run_with_exit_code_1(monkeypatch):
    pytest.importorskip("triton")
    honest = backends.compiled
    monkeypatch.setattr(backends, "compiled", lambda job: turned(honest(job), -1))
    result = running.run(REQUEST, record=False, how=running.How(1))
    assert result.exit_code == 1 and {
        r.backend for r in result.records if r.verdict == VIOLATED and not r.fault
    } == {"triton-ptx"}


@pytest.mark.parametrize(("kind", "laws"), [("exact", "D0"), ("covariance", "D13"), ("response", "E1")])
def test_the_evidence_of_a_compiled_cell_never_comes_from_the_numpy_step(monkeypatch, kind, laws):
    """References and faults are numpy's; no launch of the cell itself is."""
    pytest.importorskip("triton")
    asked, honest = [], launch.run
    monkeypatch.setattr(
        launch, "run", lambda job, backend, *faults: asked.append(backend) or honest(job, backend, *faults)
    )
    still = kind == "covariance"
    mine = dataclasses.replace(cell(kind=kind, laws=(laws,)), overrides=(("eps", 0.0),) if still else ())
    if still:
        mine = dataclasses.replace(mine, case=next(c for c in CORE if c.scale_free))
    real = [r for r in mine.run() if r.fault is None]
    assert "triton-ptx" in asked and "numpy" not in asked
    assert real and {r.backend for r in real} == {"triton-ptx"}


def test_another_backend_than_the_one_asked_for_is_refused(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setattr(backends, "on_cpu", lambda job, *about: launch.run(job, "numpy"))
    with pytest.raises(RuntimeError, match="triton-ptx was asked for but numpy executed"):
        cell().run()


def test_a_wrong_kernel_is_no_parity(monkeypatch):
    pytest.importorskip("triton")
    right = backends.compiled(cell().job())
    monkeypatch.setattr(backends, "compiled", lambda job: turned(right, -1))
    (found,) = [r for r in cell(kind="parity", laws=("B1",)).run() if r.fault is None]
    assert found.verdict == VIOLATED and found.backend == "triton-ptx"


@pytest.mark.parametrize("backend", launch.ON_CPU)
def test_numpy_under_the_name_of_a_compiled_backend_leaves_a_survivor(monkeypatch, backend):
    """Its bits are numpy's, and its faults too: only wrong PTX text, which it never runs, tells."""
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    mine = dataclasses.replace(
        cell(backend, kind="parity", laws=("B1",), precision="float32"), extra={"sabotaged": True}
    )
    honest = mine.run()
    assert (
        of_records(honest, ["B1"]) == 0
        and sum(r.fault is not None and r.verdict == VIOLATED for r in honest) == 3
    )

    def posing(job, *about):
        outcome = launch.run(job, "numpy")
        return dataclasses.replace(outcome, backend=backend)

    monkeypatch.setattr(backends, "on_cpu", posing)
    assert of_records(mine.run(), ["B1"]) == 3


def test_wrong_ptx_runs_where_ptx_is_executed_here_and_nowhere_else():
    for backend in set(launch.BACKENDS) - set(launch.ON_CPU):
        with pytest.raises(ValueError, match="wrong PTX runs on triton-ptx and triton-cpu only"):
            launch.run(cell().job(), backend, sabotage=str)


@pytest.mark.parametrize("kind", ["state", "momentum"])
def test_one_differing_bit_is_no_parity(kind):
    job = cell("numpy").job()
    mine, plain = launch.run(job, "numpy"), launch.run(job, "numpy")
    buffer = mine.q if kind == "state" else mine.v
    launch.bits(buffer)[-1, -1, -1] ^= 1
    assert launch.differing_bits(mine, plain) == 1
    launch.bits(buffer)[-1, -1, -1] = WATERMARK["float64"]
    assert list(np.flatnonzero(mine.unwritten)) == [job.lanes - 1]
