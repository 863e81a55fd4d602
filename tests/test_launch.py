"""One launcher for every loop: a job declares what its kernel takes, and every loop can be run wrongly."""

import subprocess
import sys

import numpy as np
import pytest
from test_noise import job as noisy_job

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.loops import backends, launch
from noether.kernels.programs import numpy_step
from noether.kernels.programs.precision import BUFFER, PRECISIONS, Precision
from noether.laws.exact.screen import prepare
from noether.laws.normalisation.launches import drawn
from noether.mechanics import sweep

HAT = next(c for c in CATALOG if c.name == "mexican-hat")


def trajectory(precision: str = "float32"):
    return sweep.draw(HAT, RULES["heavy-ball"], Precision(precision), lanes=131, steps=5, seed=3)


JOBS = {"trajectory": trajectory, "screen": lambda: prepare(HAT, trajectory())[0], "noise": noisy_job}
each = pytest.mark.parametrize("job", [f() for f in JOBS.values()], ids=list(JOBS))


def outputs(found) -> list[np.ndarray]:
    return [x for x in vars(found).values() if isinstance(x, np.ndarray)]


def same(a, b) -> bool:
    return all((x.tobytes() == y.tobytes()) for x, y in zip(outputs(a), outputs(b), strict=True))


@each
def test_a_job_declares_what_its_kernel_takes(job):
    pytest.importorskip("triton")
    names = [*job.pointers, *job.scalars]
    fixed = job.constexprs(128)
    kernel = job.kernel()
    assert kernel.arg_names[: len(names)] == names and set(kernel.arg_names[len(names) :]) == set(fixed)
    types = {**{k: np.dtype(v) for k, v in BUFFER.items()}, "int32": np.dtype(np.int32)}
    assert [x.dtype for x in job.buffers()] == [types[kind] for kind in job.pointers.values()]
    assert set(job.backends) <= set(launch.BACKENDS)


def test_every_precision_has_a_pointer():
    assert set(PRECISIONS) < set(backends.POINTER)


@each
@pytest.mark.parametrize("backend", launch.ON_CPU)
def test_a_wrong_kernel_can_be_planted_in_every_loop(job, backend):
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    right, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert right.backend == backend and same(right, plain)
    wrong = launch.run(job, backend, sabotage=lambda ptx: ptx.replace("add.rn.f", "sub.rn.f"))
    assert not same(wrong, plain)


@each
def test_a_wrong_step_can_be_planted_in_every_loop(job):
    def wrong(n, q, v, params, *rest):
        q, v = numpy_step.advanced(n, q, v, params, *rest)
        return [x * x.dtype.type(1 + 2.0**-10) for x in q], v

    right = launch.run(job, "numpy")
    assert not same(launch.run(job, "numpy", advance=wrong), right)
    assert same(launch.run(job, "numpy", advance=numpy_step.advanced), right)
    with pytest.raises(ValueError, match="in numpy only"):
        launch.run(job, "triton-ptx", advance=wrong)


@each
def test_a_backend_that_a_loop_has_not_is_refused(job):
    with pytest.raises(ValueError, match="must be one of"):
        launch.run(job, "abacus")


def test_lanes_that_nobody_wrote_are_noticed_in_sums(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setattr(backends, "blocks", lambda job, block: 1)
    job = drawn("heavy-ball", "float64", "turning", 2, windows=1, every=2, count=131)
    with pytest.raises(RuntimeError, match="3 of 131 lanes unwritten"):
        launch.run(job, "triton-ptx")


# ---- a script without the usual guard

SCRIPT = """
import os
from noether.kernels.loops import backends
print("read", __name__)
print(backends.interpreter().submit(os.getpid).result(60) != os.getpid())
backends.close()
"""


def test_the_interpreter_does_not_read_the_script_of_whoever_calls(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("read __main__\nTrue\n", "", 0)
