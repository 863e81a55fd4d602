"""A case file that ends the process which runs it is one line and exit code 2."""

from pathlib import Path

import pytest
from test_casefile import loss
from test_cli import GOOD_CASE, refused

from noether.cli.main import call

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
