"""Progress on a real terminal: a bar that is gone at the end, and Ctrl-C without debris."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import PATIENCE, gone, until

from noether.kernels.loops import backends
from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent


def on_terminal(*words, columns=80, interrupt_after=None, fake=""):
    """What a terminal of so many columns was sent, and the exit code; Ctrl-C as soon as it shows the pattern
    `interrupt_after`."""
    master, slave = pty.openpty()
    environment = {**importable(ROOT / "tests"), "FAKE": fake, "TERM": "xterm", "COLUMNS": str(columns)}
    program = [sys.executable, "-c", "import fakes; fakes.main()", *words]
    terminal = dict(stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    process = subprocess.Popen(program, env=environment, cwd=os.getcwd(), **terminal)
    os.close(slave)
    sent = bytearray()
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE:
        try:
            sent += os.read(master, 4096)
        except OSError:  # the last of its processes is gone
            break
        if interrupt_after and re.search(interrupt_after.encode(), sent):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
            interrupt_after = None
    os.close(master)
    return process.wait(PATIENCE), sent.decode(errors="replace")


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_terminal_has_a_bar_that_is_gone_at_the_end(there):
    code, sent = on_terminal("verify", "rayleigh", "--jobs", "1", fake="D0=slow")
    assert code == 0, sent
    assert " of 9 cells, " in sent and "━" in sent
    assert sent.rindex("everything holds") > sent.rindex("━")


# A bar is drawn some times a second and shows no number for certain; a run with stuck cells cannot end before
# a late test sees it.
SOME, NONE = " [1-9] of 9 cells", " 0 of 9 cells"


@pytest.mark.parametrize(
    "jobs, when, fake",
    [("1", SOME, "D2=stuck"), ("2", SOME, "D2=stuck"), ("2", NONE, "D0=stuck,D2=stuck,O3=stuck")],
    ids=["here", "workers", "workers start"],
)
def test_ctrl_c_at_a_terminal_ends_with_one_message_and_nothing_behind_it(there, jobs, when, fake):
    words = ("verify", "rayleigh", "--jobs", jobs, "--out", "r")
    code, sent = on_terminal(*words, interrupt_after=when, fake=fake)
    assert code == 130, sent
    assert "Traceback" not in sent
    last = sent.rstrip().splitlines()[-1]
    assert last.endswith("go on with noether verify --resume r"), sent[-2000:]


def test_an_interpreter_hears_no_ctrl_c_while_it_starts():
    from noether.kernels.signals import unheard

    with unheard():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(0.3)"],
            stdout=subprocess.PIPE,
        )
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=PATIENCE) == (b"1\n", None) and child.returncode == 0


def held(kept=[]):  # noqa: B006
    """In a worker: a lock is made and kept; the process that keeps account of such things for it."""
    import multiprocessing
    from multiprocessing.resource_tracker import _resource_tracker

    kept.append(multiprocessing.get_context("spawn").Lock())
    return _resource_tracker._pid


def test_a_worker_that_is_ended_with_locks_of_its_own_says_nothing(capfd):
    from noether.runs.worker import Setting
    from noether.runs.worker_pool import Crew

    with Crew(1, Setting(path=tuple(sys.path))) as crew:
        tracker = crew.submit(held).result(PATIENCE)
    until(gone(tracker), "the tracker has ended, after the worker")
    assert capfd.readouterr().err == ""


def interpreting():
    """In a worker: the number of the process in which Triton interprets."""
    import os

    return backends.interpreter().submit(os.getpid).result(60)


def test_the_interpreter_of_a_worker_that_is_killed_ends_with_it():
    from noether.runs.worker import Setting
    from noether.runs.worker_pool import Crew

    crew = Crew(1, Setting(path=tuple(sys.path)))
    child = crew.submit(interpreting).result(60)
    crew.shutdown(wait=True, cancel_futures=True)  # as Ctrl-C does
    until(gone(child), "the interpreter has ended")
