"""A case file that takes memory without end is one line, and takes no other process with it."""

from pathlib import Path

import pytest
from test_casefile import loss
from test_cli import GOOD_CASE, refused

from noether.plan.casefiles import trial_process
from noether.plan.choices import Request, select
from noether.system import memorylimit

MORE = "needs more memory than 0.75 GiB (NOETHER_CASE_MEMORY sets another limit)"
GREEDY = {
    "at once": (
        "import numpy as np\nx = np.ones(2**32)\n",
        f"case file case.py {MORE}: Unable to allocate 32",
    ),
    "in a loss": (
        loss("x = []\n    while True: x.append(bytearray(2**24))"),
        f"case file case.py: loss {MORE}",
    ),
    "in what it starts": (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'bytearray(2**32)'], check=True)\n",
        "raises CalledProcessError",
    ),
    "in a text": ("x = 'a' * 2**36\n", f"case file case.py {MORE}"),
}


@pytest.mark.parametrize("text, told", GREEDY.values(), ids=GREEDY)
def test_a_case_that_takes_memory_without_end_is_one_line(plan, capsys, monkeypatch, text, told):
    monkeypatch.setenv(memorylimit.VARIABLE, "0.75")
    Path("case.py").write_text(text)
    number = trial_process.server().pid
    assert told in refused(capsys, "verify", "case.py")
    Path("case.py").write_text(GOOD_CASE)
    assert select(Request(cases=("case.py",))).cases and trial_process.server().pid == number


def test_what_is_never_touched_costs_nothing(plan, monkeypatch):
    """Libraries reserve far more than they use."""
    monkeypatch.setenv(memorylimit.VARIABLE, "0.75")
    Path("case.py").write_text("import mmap\nROOM = mmap.mmap(-1, 2**32, prot=mmap.PROT_READ)\n" + GOOD_CASE)
    assert select(Request(cases=("case.py",))).cases


@pytest.mark.parametrize("word", ["much", "0", "-1", "inf"])
def test_a_limit_that_is_none_is_refused(plan, capsys, monkeypatch, word):
    monkeypatch.setenv(memorylimit.VARIABLE, word)
    Path("case.py").write_text(GOOD_CASE)
    assert f"NOETHER_CASE_MEMORY is '{word}', must be a number of GiB above 0" in refused(
        capsys, "verify", "case.py"
    )
