"""The process in which a case file is tried: hangs, limits, its death and its user's."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_casefile import loss
from test_cli import GOOD_CASE, refused
from waiting import gone, until

from noether.plan.casefiles import trial_process
from noether.plan.choices import Request, select
from noether.system import timelimit
from noether.system.machine import importable
from noether.system.usage import UsageError

HANGS = [
    (
        "import",
        "x = 1\nwhile True:\n    pass\n",
        "case file case.py does not finish within 1 s (NOETHER_CASE_SECONDS sets another limit): it was "
        "at line",
    ),
    (
        "loss",
        loss("import time; time.sleep(1000)"),
        "evaluating loss does not finish within 1 s (NOETHER_CASE_SECONDS sets another limit): it was at "
        "line 5",
    ),
    (
        "catches everything",
        "import time\nwhile True:\n    try:\n        time.sleep(1000)\n    except BaseException:\n        "
        "pass\n",
        "it was still loading it",
    ),
    (
        "outside python",
        loss("import os; os.system('sleep 1000')"),
        "does not finish within 1 s (NOETHER_CASE_SECONDS sets another limit): it was still evaluating loss",
    ),
]


@pytest.mark.parametrize("text, told", [h[1:] for h in HANGS], ids=[h[0] for h in HANGS])
def test_a_file_that_hangs_is_one_line_within_its_time(plan, capsys, monkeypatch, text, told):
    monkeypatch.setenv(timelimit.VARIABLE, "1")  # to read such a file takes .02 s alone
    Path("case.py").write_text(text)
    trial_process.server()
    assert told in refused(capsys, "verify", "case.py")


@pytest.mark.parametrize("word", ["soon", "0", "-1", "inf"])
def test_a_limit_that_is_none_is_refused(plan, capsys, monkeypatch, word):
    monkeypatch.setenv(timelimit.VARIABLE, word)
    Path("case.py").write_text(GOOD_CASE)
    assert f"NOETHER_CASE_SECONDS is '{word}', must be a number of seconds above 0" in refused(
        capsys, "verify", "case.py"
    )


def test_what_a_trial_started_dies_with_it(plan, capsys, monkeypatch):
    monkeypatch.setenv(timelimit.VARIABLE, "3")
    Path("case.py").write_text(
        "import subprocess\np = subprocess.Popen(['sleep', '1000'])\nopen('pid', "
        "'w').write(str(p.pid))\np.wait()\n"
    )
    assert "does not finish" in refused(capsys, "verify", "case.py")
    until(gone(Path("pid").read_text()), "the sleep that the case file started has ended")


def test_a_right_file_passes_after_wrong_ones_through_the_same_process(plan):
    Path("bad.py").write_text("1 / 0\n")
    Path("case.py").write_text(GOOD_CASE)
    with pytest.raises(UsageError, match="raises ZeroDivisionError at line 1"):
        trial_process.tried("bad.py")
    number = trial_process.server().pid
    assert [c.name for c in select(Request(cases=("case.py",))).cases] == ["own"]
    assert trial_process.server().pid == number


def test_a_file_sees_the_folder_and_the_modules_of_whoever_asks(plan, monkeypatch):
    Path("modules").mkdir()
    Path("modules/beside_case.py").write_text("LOW = 0.5\n")
    monkeypatch.syspath_prepend(Path("modules").resolve())
    Path("case.py").write_text(
        "from beside_case import LOW\nassert open('case.py').read()\n" + GOOD_CASE.replace("0.5", "LOW")
    )
    assert [c.name for c in select(Request(cases=("case.py",))).cases] == ["own"]


def test_a_server_that_was_killed_is_started_again(plan):
    Path("case.py").write_text(GOOD_CASE)
    # Asked once: a second call may find it dead, and would wait for a new one for ever.
    killed = trial_process.server()
    killed.kill()
    killed.wait()
    trial_process.tried("case.py")
    assert trial_process.server().pid != killed.pid


def test_whoever_asks_may_die_and_nothing_stays(tmp_path):
    (tmp_path / "case.py").write_text(
        "import os\nopen('pid', 'w').write(str(os.getpid()))\nos.system('sleep 1000')\n"
    )
    program = "from noether.plan.casefiles.trial_process import tried; tried('case.py')"
    asking = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=importable())
    pid = tmp_path / "pid"
    until(lambda: pid.exists() and pid.read_text(), "the trial has begun")
    asking.kill()
    asking.wait()
    until(gone(pid.read_text()), "the trial has ended with whoever asked for it")
