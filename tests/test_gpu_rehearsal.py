"""`make gpu` runs to its end without a GPU, on a stand-in for the device; it says so, and gives no figure."""

import json

import numpy as np
import pytest

from noether.kernels.loops import backends, launch
from noether.kernels.ptx import native
from noether.labs import gpu, gpu_device

pytest.importorskip("torch")
if launch.missing("triton-cpu"):
    pytest.skip(f"nothing can be compiled: {launch.missing('triton-cpu')}", allow_module_level=True)


@pytest.fixture
def rehearsed(monkeypatch, tmp_path, capsys):
    """A rehearsal of few launches: exit code, the lines printed, the file."""
    monkeypatch.setenv("OUT", str(tmp_path))
    monkeypatch.setattr(gpu, "REHEARSED", 150)

    def run():
        code = gpu.main(["--rehearse"])
        (kept,) = tmp_path.iterdir()
        return code, capsys.readouterr().out.splitlines(), kept.name, json.loads(kept.read_text())

    return run


def test_every_part_runs_and_the_first_line_says_that_there_was_no_gpu(rehearsed):
    code, lines, name, result = rehearsed()
    assert lines[0] == gpu_device.NONE and gpu_device.NONE in lines[1:]
    assert name == "gpu-rehearsal.json" and result["rehearsal"] and "none" in result["device"]
    for part in ("facts", "noisy", "memory", "screens", "parity", "speed", "verification"):
        assert result[part] and not any({"failed", "skipped"} & set(row) for row in result[part]), result[
            part
        ]
    assert code == 0, lines
    assert all(row.get("differ") == 0 for row in result["noisy"] + result["memory"] + result["parity"])
    screens = result["screens"]
    assert all(row["differ"] == 0 and row["unwritten"] == 0 for row in screens)
    assert any("shares" in row["case"] for row in screens) and any(
        "one kernel" in row["case"] for row in screens
    )
    assert all(row["above_1"] > 0 for row in screens if "wrong" in row["case"])
    assert not any("trajectory_steps_per_s" in row or "seconds" in row for row in result["speed"])


def test_what_the_stand_in_does_wrong_is_seen(rehearsed, monkeypatch):
    right = native.execute

    def wrong(ptx, args, blocks):
        right(ptx, args, blocks)
        first = next(x for x in args if isinstance(x, np.ndarray) and x.dtype == np.float64)
        first.reshape(-1)[-1] += 1

    monkeypatch.setattr(native, "execute", wrong)
    monkeypatch.setattr(gpu, "verification", lambda *args: [])
    monkeypatch.setattr(gpu, "speed", lambda clock: [])
    monkeypatch.setattr(gpu, "screen_parity", lambda backend, few: [])
    code, lines, _, result = rehearsed()
    assert code == 1 and any(row["differ"] for row in result["parity"] + result["noisy"])


def test_afterwards_everything_is_as_before():
    from triton.runtime import driver

    before = driver._active, launch.missing, backends.GPU
    with gpu_device.stand_in():
        assert launch.missing("triton-gpu") == "" and gpu_device.DEVICE == backends.GPU == "cpu"
    assert (driver._active, launch.missing, backends.GPU) == before
    assert gpu_device.DEVICE == "cuda" and not gpu_device.IS_STAND_IN
