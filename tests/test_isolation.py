"""What a case file does in its process reaches no verdict: not of its own cells, not of others, not the exit
code."""

import sys

import pytest
from processes import command_line, python

from noether.runs.saved_run import read_run
from noether.system.machine import importable

CASE = """
import ctypes, os, sys, time
import mpmath
import numpy as np
from noether import Case
from noether.cases.case import scale

IN_WORKER = bool(os.environ.get("NOETHER_WORKER"))
calls = [0]
libm = ctypes.CDLL("libm.so.6") if sys.platform == "linux" else None


def recurse():
    return recurse()


def loss(q, xp):
    calls[0] += 1
    {does}
    s = q[0] * q[0] + q[1] * q[1]
    return (s + q[1] * q[1]) / s


def breaking(q, xp):
    return q[0]


MINE = Case(name="mine-{name}", title="t", source="own", loss=loss, breaking=breaking,
            box=((1.0, 2.0), (0.5, 1.0)), symmetries=(scale(2),))
"""
CHANGES = {  # what a case does, and what is said of its cells
    "np.seterr(all='raise')": "numpy's error state is",
    "libm.fesetround(0x400)": "the floating point environment is rounding down",
    "os.chdir('/')": "the working directory is '/'",
    "mpmath.mp.prec = 20": "mpmath's precision is",
    "sys.setrecursionlimit(200)": "the recursion limit is 200",
    "np.exp = np.sin": "numpy.exp is another",
}
ENDS = {
    "os._exit(0) if IN_WORKER else None": "exit code 0 while the cell ran",
    "ctypes.string_at(0) if IN_WORKER else None": "signal 11",
    "sys.exit(0) if IN_WORKER else None": "raised SystemExit",
    "exec('raise KeyboardInterrupt') if IN_WORKER else None": "raised KeyboardInterrupt",
    "exec('raise ValueError(5)') if IN_WORKER else None": "raised ValueError: 5",
    "recurse() if IN_WORKER else None": "raised RecursionError",
    "time.sleep(1000) if IN_WORKER else None": "does not finish within 4 s",
    "bytearray(2**34) if IN_WORKER else None": "needs more memory than 4 GiB",
}


def verify(place, *words, **cases):
    for name, does in cases.items():
        (place / f"{name}.py").write_text(CASE.format(does=does, name=name))
    files, limits = [f"{name}.py" for name in cases], f"--cell-seconds 4 --out r --jobs {min(2, len(cases))}"
    asked = f"--law D0 --rule gradient-descent --precision float64 --backend numpy {limits}".split()
    return command_line("verify", *files, *asked, *words, cwd=place, env=importable(), timeout=200)


@pytest.mark.skipif(sys.platform != "linux", reason="the rounding mode is set through libm.so.6")
def test_cases_that_change_their_process_are_told_and_reach_no_other(tmp_path):
    done = verify(tmp_path, good="pass", **{f"bad{k}": does for k, does in enumerate(CHANGES)})
    assert done.returncode == 3, done
    found = read_run(tmp_path / "r")
    assert {(r.case, r.verdict) for r in found.records if not r.fault} == {("mine-good", "holds")}
    for k, said in enumerate(CHANGES.values()):
        told = [text for cell, text in found.errors.items() if f"mine-bad{k}/" in cell]
        assert told and all("its case changes the process" in text and said in text for text in told), (
            said,
            told,
        )


def test_cases_that_end_or_hang_their_process_are_named_and_the_others_hold(tmp_path):
    done = verify(tmp_path, good="pass", **{f"bad{k}": does for k, does in enumerate(ENDS)})
    assert done.returncode == 3 and "go on with noether verify --resume r" in done.stderr, done
    assert "Traceback" not in done.stdout
    found = read_run(tmp_path / "r")
    assert {(r.case, r.verdict) for r in found.records if not r.fault} == {("mine-good", "holds")}
    for k, said in enumerate(ENDS.values()):
        told = [text for cell, text in found.errors.items() if f"mine-bad{k}/" in cell]
        assert told and all(said in text for text in told), (said, told)


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "exec('raise KeyboardInterrupt')"])
@pytest.mark.parametrize("after", [3, 30])
def test_a_case_that_ends_the_run_itself_never_ends_it_with_0(end, after, tmp_path):
    done = verify(tmp_path, ends=f"{end} if calls[0] > {after} else None")
    assert done.returncode in (2, 3, 70, 130) and done.stderr.strip(), done


AFTER_A_LOSS = """
import numpy as np
from noether.plan.casefiles.load import load
case, before = load("case.py"), 0.9
case.loss(np.ones((2, 1)), np)
import noether.laws.orders.decay
print(eval("0.9") < before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fesetround(0x400) is of this libm")
def test_what_python_compiles_after_a_case_is_not_kept(tmp_path):
    """Python reads decimals in the rounding mode that a case has set: 0.9 would be another number in later
    runs."""
    (tmp_path / "case.py").write_text(CASE.format(does="libm.fesetround(0x400)", name="down"))
    kept = tmp_path / "kept"
    environment = {**importable(), "PYTHONPYCACHEPREFIX": str(kept)}
    done = python("-c", AFTER_A_LOSS, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and done.stdout == "True\n", done
    assert [*kept.rglob("package.*.pyc")] and not [*kept.rglob("decay.*.pyc")]


def test_a_cell_without_an_end_hides_no_violation_and_never_lets_a_run_hold(monkeypatch):
    from noether.plan.choices import Request
    from noether.runs import run
    from noether.runs.execute import Done
    from noether.runs.result import How
    from noether.verdicts.record import VIOLATED

    honest = run.execute

    def losing(cells, **how):
        first, *rest = list(honest(cells, **how))
        yield Done(first.cell, [], 0.0, lost="planted")
        for done in rest:
            for r in done.records:
                if wrong and not r.fault:
                    r.verdict = VIOLATED
            yield done

    monkeypatch.setattr(run, "execute", losing)
    request = Request(
        cases=("product",), law="D0", rule="heavy-ball", precision="float64,float32", backend="numpy"
    )
    for wrong, code in ((False, 3), (True, 1)):  # noqa: B007
        result = run.run(request, record=False, how=How(1))
        assert result.exit_code == code and list(result.lost.values()) == ["planted"]
