"""The memory of a run is that of all its processes together, each page counted once."""

import os
import subprocess
import sys
import time

import pytest

from noether.system import memorypeak
from noether.system.memorypeak import Peak, family, proportional, told

SIZE = 200_000_000
# It holds SIZE bytes, says so and waits until it is told to go.
HOLDS = f"x = bytearray({SIZE}); x[::4096] = bytes(len(x[::4096])); print('held', flush=True); input()"
IN_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS!r}])"

linux = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc of Linux here")


# In a process of its own, which has no other children: those that earlier tests left may end meanwhile.
MEASURED = """
import subprocess, sys
from noether.system.memorypeak import Peak

with Peak() as alone:
    pass
with Peak() as peak:
    how = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen([sys.executable, "-c", sys.argv[1]], **how) as child:
        assert child.stdout.readline() == "held\\n"
        peak.look()
        child.communicate("\\n")
print(peak.most - alone.most)
"""


@linux
@pytest.mark.parametrize("script", [HOLDS, IN_CHILD])
def test_what_a_child_holds_is_seen(script):
    how = dict(capture_output=True, text=True, check=True)
    more = int(subprocess.run([sys.executable, "-c", MEASURED, script], **how).stdout)
    # A python that does nothing holds some 10 MB, and two of them at most share what they have.
    assert SIZE * 0.95 < more < SIZE + 60_000_000


@linux
def test_shared_pages_count_once():
    big = bytearray(SIZE)
    big[::4096] = bytes(len(big[::4096]))
    with Peak() as alone:
        pass
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        os.read(there, 1)
        os._exit(0)
    try:
        with Peak() as both:
            assert child in family(os.getpid())
            resident = sum(memorypeak.resident_set(pid) for pid in (os.getpid(), child))
    finally:
        os.write(here, b"x")
        os.waitpid(child, 0)
        os.close(here)
        os.close(there)
    assert resident > alone.most + 0.9 * SIZE, "the resident sets count it twice"
    if memorypeak.PROC.joinpath("self", "smaps_rollup").exists():
        assert both.most < alone.most + 0.2 * SIZE


@linux
def test_it_is_looked_at_while_the_work_goes_on():
    with Peak() as peak:
        big = bytearray(SIZE)
        big[::4096] = bytes(len(big[::4096]))
        time.sleep(3 * memorypeak.EVERY)
        del big
        after = proportional(os.getpid())
    assert peak.most > after + 0.9 * SIZE


def test_where_the_system_says_nothing_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(memorypeak, "PROC", tmp_path)
    with Peak() as peak:
        pass
    assert peak.most is None and peak.told == "" == told(None)


def test_a_peak_is_told_in_gigabytes():
    assert told(912_000_000) == "0.9 GB at most"
