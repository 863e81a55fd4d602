"""Runs of the command line that end early, and go on."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE, lines, until

from noether.cli.main import call
from noether.system.machine import importable
from noether.system.usage import UsageError

COMMAND = [sys.executable, "-c", "import fakes; fakes.main()", "verify"]
TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize(
    "number, code, jobs",
    [(signal.SIGINT, 130, 1), (signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 2), (signal.SIGKILL, -9, 2)],
)
def test_a_stopped_run_keeps_what_it_found_and_goes_on(plan, tmp_path, number, code, jobs):
    command = [*COMMAND, "rayleigh", "--out", "r", "--jobs", str(jobs)]
    stuck = {**importable(TESTS), "FAKE": "D2=stuck"}  # it cannot end before the signal
    process = subprocess.Popen(command, cwd=tmp_path, env=stuck, stderr=subprocess.PIPE, text=True)
    until(lines(tmp_path / "r/cells.jsonl", 2), "two cells are done")
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code and "Traceback" not in err, err
    kept = (tmp_path / "r/records.jsonl").read_text()
    assert kept.count("\n") >= 4 and json.loads((tmp_path / "r/run.json").read_text())["end"] is None
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 0
    assert not set(kept.splitlines()) - set((tmp_path / "r/records.jsonl").read_text().splitlines())
    assert call(["verify", "rayleigh", "--out", "whole", "--jobs", "1"]) == 0
    assert findings(tmp_path / "r") == findings(tmp_path / "whole")


def findings(folder):
    """The records without what names the run folder, and without their checks, of which it is a part."""
    return sorted(
        line.replace(f"replay {folder.absolute()} ", "replay RUN ").rpartition(',"check"')[0]
        for line in (folder / "records.jsonl").read_text().splitlines()
    )


def test_two_jobs_find_what_one_finds(plan, tmp_path):
    for jobs in ("1", "2"):
        assert call(["verify", "--out", f"jobs{jobs}", "--jobs", jobs]) == 0
    assert len(findings(tmp_path / "jobs1")) > 20
    assert findings(tmp_path / "jobs1") == findings(tmp_path / "jobs2")


def test_a_disk_that_refuses_loses_nothing_found(plan, tmp_path):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
    command = [*COMMAND, "--out", "r", "--jobs", "1"]
    # Python would keep what it compiles cut short at the limit, and every later import would fail.
    env = {**importable(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
    how = {"capture_output": True, "text": True, "timeout": PATIENCE}
    done = subprocess.run(command, preexec_fn=limit, env=env, **how)
    assert done.returncode == 70 and "Traceback" not in done.stderr
    assert "cannot be written" in done.stderr and "--resume r" in done.stderr
    text = (tmp_path / "r/records.jsonl").read_text()
    assert text.endswith("\n") and all(json.loads(x) for x in text.splitlines())
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 0


def test_verify_in_python_takes_and_refuses_what_the_command_does(plan):
    from noether import verify

    result = verify("rayleigh", laws=["D2"], precisions="float64")
    assert result.exit_code == 0 and [r.law for r in result.rows] == ["D2"] and not Path("runs").exists()
    with pytest.raises(UsageError, match="law is 'D77'"):
        verify("rayleigh", laws="D77")
    with pytest.raises(UsageError, match="verify has no etta"):
        verify("rayleigh", etta=1)
