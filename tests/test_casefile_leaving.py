"""A case file that ends the process which runs it, or that no other process could run, is one line and exit
code 2."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_casefile import loss
from test_cli import GOOD_CASE, refused

from noether.cli.main import call
from noether.system.machine import importable

EXIT = "import ctypes; ctypes.CDLL(None).exit(0)"
ENDS = {
    "os._exit": ("import os; os._exit(0)", "ends its process by exit code 0 while evaluating loss"),
    "another code": ("import os; os._exit(3)", "ends its process by exit code 3 while evaluating loss"),
    "C": (EXIT, "ends its process by exit code 0 while evaluating loss"),
    "a signal": ("import ctypes; ctypes.string_at(0)", "kills its process by SIGSEGV while evaluating loss"),
    "SystemExit": ("raise SystemExit(4)", "raises SystemExit at line 5: 4: it must not end its process"),
}


@pytest.mark.parametrize(
    "command", ["verify case.py", "discover case.py:OWN", "discover case.py:loss --dim 2"]
)
@pytest.mark.parametrize("body, told", ENDS.values(), ids=ENDS)
def test_a_loss_that_ends_its_process_is_one_line(plan, capsys, command, body, told):
    Path("case.py").write_text(loss(body))
    told = told.replace("evaluating loss", "evaluating own") if command.endswith("OWN") else told
    assert f"case file case.py {told}" in refused(capsys, *command.split())


def test_a_discovery_executes_what_was_tried_and_finds_the_same(plan, capsys):
    Path("case.py").write_text(GOOD_CASE)
    assert call(["discover", "case.py:loss", "--dim", "2", "--quiet"]) == 0
    found = capsys.readouterr().out
    assert call(["discover", "case.py", "--box=-1,1", "--quiet"]) == 0 and capsys.readouterr().out == found


LATER = {
    "C": (EXIT, "a case file ends the process, at line {line} of case.py, in loss"),
    "os._exit": ("import os; os._exit(0)", "line {line} of case.py, in loss raised SystemExit: os._exit(0)"),
    "an error": ("raise ValueError(5)", "line {line} of case.py, in loss raised ValueError: 5"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the trial is told from the command by /proc")
@pytest.mark.parametrize("body, told", LATER.values(), ids=LATER)
def test_a_loss_that_ends_the_command_while_cells_are_planned_is_one_line(tmp_path, body, told):
    text = loss(f"if not TRIED: {body}").replace(
        "def loss", "TRIED = b'serve()' in open('/proc/self/cmdline', 'rb').read()\n\ndef loss"
    )
    line = 1 + text[: text.index("if not TRIED")].count("\n")
    (tmp_path / "case.py").write_text(text)
    words = ["-m", "noether", "verify", "case.py", "--law", "D2", "--backend", "numpy", "--out", "r"]
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=importable(), capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    assert told.format(line=line) in done.stderr and "must give" in done.stderr, done.stderr
    assert not (tmp_path / "r").exists()


def test_a_forked_child_that_ends_as_c_does_has_the_code_that_it_chose():
    text = (
        "import ctypes, os, sys\nfrom noether.system.leaving import on_exit_of_c\n"
        "on_exit_of_c(lambda frame: os._exit(7))\n"
        "for end in (sys.exit, ctypes.CDLL(None).exit):\n    if os.fork() == 0: end(3)\n"
        "    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)\nctypes.CDLL(None).exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], env=importable(), capture_output=True, timeout=60)
    assert (done.stdout.split(), done.returncode) == ([b"3", b"3"], 7), done


UNNAMED = {
    "a lambda": (
        GOOD_CASE.replace("loss=loss", "loss=lambda q, xp: loss(q, xp)"),
        "loss is the lambda of line",
    ),
    "a lambda with a name": (
        GOOD_CASE.replace("loss=loss", "loss=other").replace(
            "def br", "other = lambda q, xp: loss(q, xp)\n\ndef br"
        ),
        "loss is the lambda of line",
    ),
    "kinks": (
        GOOD_CASE.replace("loss=loss", "loss=loss, kinks=lambda q, xp: [q[0]]"),
        "kinks is the lambda of line",
    ),
    "within another": (
        GOOD_CASE.replace("loss=loss", "loss=made()").replace(
            "def br",
            "def made():\n    def inner(q, xp):\n        return loss(q, xp)\n    return inner\n\ndef br",
        ),
        "loss is inner, which made makes at line",
    ),
    "hidden": (
        GOOD_CASE.replace("loss=loss", "loss=first").replace(
            "def br", "first = loss\n\ndef loss(q, xp):\n    return first(q, xp)\n\ndef br"
        ),
        "loss is loss of line 4, which another value of that name hides",
    ),
}


@pytest.mark.parametrize("text, told", UNNAMED.values(), ids=UNNAMED)
def test_a_case_that_no_worker_could_run_is_one_line(plan, capsys, text, told):
    Path("case.py").write_text(text)
    said = refused(capsys, "verify", "case.py")
    assert f"case file case.py: {told}" in said and "must be a function with a name of its own" in said


@pytest.mark.parametrize("text, told", UNNAMED.values(), ids=UNNAMED)
def test_a_case_that_no_worker_could_run_is_shown_and_discovered(plan, capsys, text, told):
    """No other process runs its functions for these commands."""
    Path("case.py").write_text(text)
    assert call(["show", "case.py"]) == 0 and call(["discover", "case.py", "--quiet"]) == 0


def test_a_case_object_made_of_lambdas_is_verified_here():
    from noether import verify
    from noether.cases.case import Case, scale

    ratio = lambda q, xp: (q[0] * q[0] + 2 * q[1] * q[1]) / (q[0] * q[0] + q[1] * q[1])
    case = Case("mine", "t", "own", ratio, lambda q, xp: q[0], ((1.0, 2.0), (0.5, 1.0)), (scale(2),))
    found = verify(case, laws="D2", rules="heavy-ball", precisions="float64", backend="numpy")
    assert {r.verdict for r in found.records if not r.fault} == {"holds"}
