"""Whatever somebody else's code leaves behind in a process is seen, and taken back."""

import ctypes
import decimal
import gc
import locale
import math
import os
import random
import signal
import sys
import threading
import warnings

import mpmath
import numpy as np
import pytest

from noether.system import floating, processstate


def rounding_down():
    floating.library().fesetround(0x400 if floating.X86 else 0x800000)


def flushing():
    """Subnormal numbers become zero, as under a library that was compiled with -ffast-math."""
    room = ctypes.create_string_buffer(floating.SIZE)
    floating.library().fegetenv(room)
    word = int.from_bytes(room.raw[28:32], "little") | 0x8040
    floating.library().fesetenv(
        ctypes.create_string_buffer(room.raw[:28] + word.to_bytes(4, "little") + room.raw[32:], floating.SIZE)
    )


def patched():
    np.exp = np.sin


def replaced():
    sys.modules["math"] = type(sys)("math")


CHANGES = {
    "the working directory": lambda: os.chdir("/"),
    "the umask": lambda: os.umask(0o123),
    "numpy's error state": lambda: np.seterr(all="raise"),
    "numpy's print options": lambda: np.set_printoptions(precision=2),
    "mpmath's precision": lambda: setattr(mpmath.mp, "dps", 5),
    "the floating point environment": rounding_down,
    "the decimal context": lambda: setattr(decimal.getcontext(), "prec", 3),
    "the recursion limit": lambda: sys.setrecursionlimit(700),
    "the longest whole number of text": lambda: sys.set_int_max_str_digits(0),
    "the environment": lambda: os.environ.update(OMP_NUM_THREADS="77", HERE="1"),
    "the locale": lambda: locale.setlocale(
        locale.LC_ALL, "C.UTF-8" if locale.setlocale(locale.LC_ALL) == "C" else "C"
    ),
    "the warnings filters": lambda: warnings.simplefilter("error"),
    "the signal handlers": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "the blocked signals": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]),
    "the search path of modules": lambda: sys.path.insert(0, "/nowhere"),
    "the standard streams": lambda: setattr(sys, "stdout", None),
    "the arguments of the process": lambda: sys.argv.append("more"),
    "the garbage collection": gc.disable,
    "the state of the random numbers": lambda: (random.seed(1), np.random.seed(1)),
    "numpy.exp is another": patched,
    "module math is another": replaced,
}


@pytest.fixture
def taken_back():
    """Whatever a test of this file leaves: nothing, even where it fails."""
    before = processstate.capture()
    yield
    before.restore()


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_left_behind_is_told_and_taken_back(what, taken_back):
    exp, module = np.exp, sys.modules["math"]
    before = processstate.capture()
    assert before.differences() == []
    with processstate.kept():
        CHANGES[what]()
        said = before.differences()
    assert len(said) == 1 and said[0].startswith(what), said
    assert before.differences() == []
    assert np.exp is exp and sys.modules["math"] is module and math.exp(0) == 1


@pytest.mark.skipif(not floating.X86, reason="the bit that flushes stands elsewhere on another processor")
def test_subnormal_numbers_that_became_zero_are_told_and_come_back(taken_back):
    tiny = np.array([5e-324])
    before = processstate.capture()
    with processstate.kept():
        flushing()
        assert float((tiny * 2.0)[0]) == 0.0
        (said,) = before.differences()
    assert "subnormal numbers are zero" in said and float((tiny * 2.0)[0]) == 1e-323


def test_a_rounding_mode_changes_results_and_comes_back(taken_back):
    one, ten = np.array([1.0]), np.array([10.0])
    with processstate.kept():
        rounding_down()
        other = one / ten
    assert other[0] < (one / ten)[0] == 0.1


def test_all_at_once_and_an_exception_come_back(taken_back):
    before = processstate.capture()
    with pytest.raises(ZeroDivisionError), processstate.kept():
        for change in CHANGES.values():
            change()
        raise ZeroDivisionError
    assert before.differences() == []


def test_a_function_of_our_own_that_was_replaced_comes_back_at_a_load(taken_back):
    from noether.laws.exact import judge

    right = judge.spent_of
    with processstate.kept(deep=True) as before:
        judge.spent_of = lambda residual: residual * 0
        assert "noether.laws.exact.judge.spent_of is another" in before.differences()
    assert judge.spent_of is right


def test_a_thread_that_goes_on_is_told():
    before, go = processstate.capture(), threading.Event()
    thread = threading.Thread(target=go.wait, name="left-behind")
    thread.start()
    try:
        assert before.differences() == ["thread left-behind still runs"]
    finally:
        go.set()
        thread.join()
