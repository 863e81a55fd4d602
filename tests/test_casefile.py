"""A user's own case: whatever is wrong with it is one clear line and exit code 2, also when it hangs or
crashes."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import GOOD_CASE, refused

from noether import verify
from noether.cases import CATALOG
from noether.cases.case import DIAGONAL, Case, Metric, Symmetry, scale, translation
from noether.cli import main
from noether.plan.casefiles import complaint, load, trial, trial_process
from noether.plan.choices import Request, select
from noether.system import timelimit
from noether.system.machine import importable
from noether.system.usage import UsageError

THREE = GOOD_CASE.replace("((0.5, 1.0), (0.5, 1.0))", "((0.5, 1.0), (0.5, 1.0), (0.5, 1.0))").replace(
    "scale(2)", "scale(3)"
)
METRIC = GOOD_CASE.replace("import Case", "import DIAGONAL, Metric, Case")


def with_metric(entries: str) -> str:
    return (
        METRIC + f"from dataclasses import replace\ndef entries{entries}\nOWN = replace(OWN, "
        "metric=Metric(DIAGONAL, entries=entries))\n"
    )


def loss(body: str, arguments: str = "q, xp") -> str:
    return GOOD_CASE.replace(
        "def loss(q, xp):\n    return ", f"def loss({arguments}):\n    {body}\n    return "
    )


SAID = [
    (
        "reads beyond the box",
        loss("r = q[0] * q[2]"),
        "loss reads q[2], but box declares 2: q[0] to q[1] at line 5",
    ),
    ("reads before the box", loss("r = q[-3]"), "loss reads q[-3]"),
    (
        "unpacks too few",
        loss("a, = q"),
        "raises ValueError at line 5: too many values to unpack (expected 1); q has 2 entries",
    ),
    ("writes", loss("q[0] = 1"), "loss writes q[0]: parameters must only be read at line 5"),
    (
        "ignores a declared one",
        THREE,
        "loss does not depend on q[2], one of the 3 parameters that box declares",
    ),
    ("takes q alone", loss("pass", "q"), "loss takes (q), must take (q, xp)"),
    ("takes three", loss("pass", "q, eps, xp"), "loss takes (q, eps, xp), must take (q, xp)"),
    (
        "raises",
        loss("raise KeyError('no data')"),
        "loss raises KeyError at line 5: 'no data', at q = [0.8185, 0.9066]",
    ),
    (
        "not a number",
        loss("return q[0] * float('nan')"),
        "loss is nan at q = [0.8185, 0.9066]: the box must lie inside its domain",
    ),
    ("infinite", loss("return q[0] / (q[1] - q[1])"), "loss is inf at"),
    ("nothing returned", loss("return None"), "loss gives NoneType None, must be a number"),
    ("complex", loss("return q[0] * 1j"), "must be a number, at q"),
    ("a list", loss("return [q[0], q[1]]"), "loss gives shape (2, 4), must be (4,)"),
    (
        "sums over points",
        loss("import numpy as np; return np.sum(list(q))"),
        "must be combined number by number",
    ),
    ("random", loss("import random; return q[0] * random.random()"), "must depend on q alone"),
    (
        "branches",
        loss(
            "q = [q[0], q[1] if q[1] is q[0] or isinstance(q[1], float) or hasattr(q[1], 'shape') or "
            "q[1] > 0 else 0]"
        ),
        "cannot be traced to a kernel",
    ),
    (
        "metric too short",
        with_metric("(q, kappa, xp):\n    return [1 + q[0] * q[0]]"),
        "metric gives list of length 1, must be a list of 2 entries",
    ),
    (
        "metric without kappa",
        with_metric("(q, xp):\n    return [1, 1]"),
        "metric takes (q, xp), must take (q, kappa, xp)",
    ),
    ("metric not positive", with_metric("(q, kappa, xp):\n    return [1, -q[0]]"), "metric entry 1 is -"),
    ("metric reads beyond", with_metric("(q, kappa, xp):\n    return [1, q[5]]"), "metric reads q[5]"),
    (
        "prints",
        "print('hello')\n" + GOOD_CASE.replace("loss=loss", "loss=shifted"),
        "symmetry scale is false: <grad f, xi> is",
    ),
    ("ends the process", "import os\nos._exit(0)\n", "ends its process by exit code 0 while loading it"),
    (
        "kills the process",
        loss("import os; os.kill(os.getpid(), 11)"),
        "kills its process by SIGSEGV while evaluating loss",
    ),
]


@pytest.mark.parametrize("text, told", [s[1:] for s in SAID], ids=[s[0] for s in SAID])
def test_what_is_wrong_is_one_line_and_exit_2(plan, capsys, text, told):
    Path("case.py").write_text(text)
    err = refused(capsys, "verify", "case.py")
    assert told in err and "case file case.py" in err, err


HANGS = [
    (
        "import",
        "x = 1\nwhile True:\n    pass\n",
        "case file case.py does not finish within 0.3 s (NOETHER_CASE_SECONDS sets another limit): it was "
        "at line",
    ),
    (
        "loss",
        loss("import time; time.sleep(1000)"),
        "evaluating loss does not finish within 0.3 s (NOETHER_CASE_SECONDS sets another limit): it was at "
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
        "does not finish within 0.3 s (NOETHER_CASE_SECONDS sets another limit): it was still evaluating "
        "loss",
    ),
]


@pytest.mark.parametrize("text, told", [h[1:] for h in HANGS], ids=[h[0] for h in HANGS])
def test_a_file_that_hangs_is_one_line_within_its_time(plan, capsys, monkeypatch, text, told):
    monkeypatch.setenv(timelimit.VARIABLE, "0.3")
    Path("case.py").write_text(text)
    trial_process.server()
    began = time.monotonic()
    assert told in refused(capsys, "verify", "case.py")
    assert time.monotonic() - began < 0.3 + trial_process.GRACE + 2


@pytest.mark.parametrize("word", ["soon", "0", "-1", "inf"])
def test_a_limit_that_is_none_is_refused(plan, capsys, monkeypatch, word):
    monkeypatch.setenv(timelimit.VARIABLE, word)
    Path("case.py").write_text(GOOD_CASE)
    assert f"NOETHER_CASE_SECONDS is '{word}', must be a number of seconds above 0" in refused(
        capsys, "verify", "case.py"
    )


def test_what_a_trial_started_dies_with_it(plan, capsys, monkeypatch):
    monkeypatch.setenv(timelimit.VARIABLE, "0.5")
    Path("case.py").write_text(
        "import subprocess\np = subprocess.Popen(['sleep', '1000'])\nopen('pid', "
        "'w').write(str(p.pid))\np.wait()\n"
    )
    assert "does not finish" in refused(capsys, "verify", "case.py")
    for _ in range(100):
        state = Path(f"/proc/{Path('pid').read_text()}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the sleep that the case file started still runs")


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
    killed = (
        trial_process.server()
    )  # asked once: a second call may find it dead, and would wait for a new one for ever
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
    for _ in range(400):
        if pid.exists() and pid.read_text():
            break
        time.sleep(0.05)
    asking.kill()
    asking.wait()
    for _ in range(100):
        if not Path(f"/proc/{pid.read_text()}").exists():
            return
        time.sleep(0.05)
    pytest.fail("the trial outlived whoever asked for it")


# ---- the alarm


def spin():
    while True:
        try:
            time.sleep(10)
        except Exception:
            pass


def test_an_alarm_passes_through_except_exception():
    with pytest.raises(timelimit.TimeUp, match="within 0.05 s"), timelimit.limited(0.05):
        spin()


def test_the_shorter_of_two_limits_holds_and_the_outer_goes_on():
    with pytest.raises(timelimit.TimeUp, match="within 0.2 s"), timelimit.limited(0.2):
        with timelimit.limited(100):
            pass
        with pytest.raises(timelimit.TimeUp, match="within 0.05 s"), timelimit.limited(0.05):
            spin()
        spin()


# ---- objects


def ratio(q, xp):
    return (q[0] * q[0] + 2 * q[1] * q[1]) / (q[0] * q[0] + q[1] * q[1])


OWN = Case("own", "t", "s", ratio, lambda q, xp: q[0], ((0.5, 1.0), (0.5, 1.0)), (scale(2),))
WRONG = [
    (dict(loss=lambda q, xp: ratio(q, xp) + q[0]), "case own: symmetry scale is false"),
    (dict(loss=lambda q: 0), r"case own: loss takes \(q\), must take \(q, xp\)"),
    (dict(loss=lambda q, xp: q[2]), r"case own: loss reads q\[2\], but box declares 2"),
    (dict(loss=lambda q, xp: spin()), "case own: evaluating loss does not finish within 0.2 s"),
    (dict(name="Own Case"), "name is 'Own Case', must be lower-case words"),
    (dict(metric=Metric(DIAGONAL, entries=lambda q, kappa, xp: [1])), "must be a list of 2 entries"),
]


@pytest.mark.parametrize("change, told", WRONG, ids=[w[1][:40] for w in WRONG])
def test_a_wrong_object_raises_what_a_wrong_file_prints(plan, monkeypatch, change, told):
    monkeypatch.setenv(timelimit.VARIABLE, "0.2" if "finish" in told else "30")
    with pytest.raises(UsageError, match=told) as error:
        verify(replace(OWN, **change))
    assert "\n" not in str(error.value)


def test_an_object_is_verified_and_the_latest_of_its_name_counts(plan):
    from noether.plan.choices import case_named

    for case in (OWN, replace(OWN, kick=0.04)):
        assert verify(case, precisions="float64").exit_code == 0
        assert case_named("own") is case


def test_a_parameter_that_a_symmetry_moves_alone_may_be_ignored():
    free = Case(
        "free",
        "t",
        "s",
        lambda q, xp: q[0] * q[0],
        lambda q, xp: q[1],
        ((0.5, 1.0), (0.5, 1.0)),
        (translation((0, 1)),),
    )
    trial.try_object(free)
    with pytest.raises(UsageError, match=r"loss does not depend on q\[1\]"):
        trial.try_object(
            replace(
                free,
                loss=lambda q, xp: 1 + 0 * q[0],
                breaking=lambda q, xp: q[0],
                symmetries=(translation((1, 0)),),
            )
        )


def test_the_cases_of_the_catalogue_would_pass_the_trial():
    for case in CATALOG:
        trial.check_types(case, complaint.Origin.of_object(case))
        for part in trial.parts(case):
            trial.evaluate(part, case.draw(np.random.default_rng(1), 3), complaint.Origin.of_object(case))
    trial.try_object(CATALOG[0])


# ---- what is declared of a loss, and is not so

DECLARED = """
from noether.cases.case import BREGMAN, Case, Metric, Symmetry, translation


def loss(q, xp):
    return (q[0] - q[1]) * (q[0] - q[1])


def breaking(q, xp):
    return q[0] * q[0]


def samples(q, xp):
    return [SAMPLES]


def potential(q, xp):
    return q[0] * q[1] + q[0] * q[0] + q[1] * q[1]


CASE = Case(name="declared", title="t", source="s", loss=loss, breaking=breaking,
            box=((0.5, 1.0), (-1.0, -0.5)), symmetries=(translation((1, 1)),), EXTRA)
"""


@pytest.mark.parametrize(
    ("samples", "extra", "words"),
    [
        ("30 * loss(q, xp), -5 * loss(q, xp)", "samples=samples", "the mean of its 2 samples is"),
        ("loss(q, xp)", "samples=samples", "of two samples at least"),
        ("xp.log(q[1]), 1.0", "samples=samples", "samples is nan"),
        ("1.0", "scale_free=True", "scale_free is True, but the loss is"),
        ("1.0", "metric=Metric(BREGMAN, potential=potential)", "not separable"),
    ],
)
def test_what_is_declared_of_a_loss_and_is_not_so_is_refused(tmp_path, capsys, samples, extra, words):
    path = tmp_path / "case.py"
    path.write_text(DECLARED.replace("SAMPLES", samples).replace("EXTRA", extra))
    assert main.call(["verify", str(path), "--law", "D2", "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1 and not (tmp_path / "run").exists()


def test_samples_whose_mean_is_the_loss_and_a_rotation_about_another_centre_are_taken(tmp_path):
    from noether.cases.rules import RULES
    from noether.laws.exact.law_faults import curved, turning

    path = tmp_path / "case.py"
    path.write_text(
        DECLARED.replace("SAMPLES", "3 * loss(q, xp), -loss(q, xp)").replace("EXTRA", "samples=samples")
    )
    assert load.load(str(path)).name == "declared"
    elsewhere = Symmetry("elsewhere", ((0, -1), (1, 0)), (2, -1))
    assert turning(elsewhere) and not elsewhere.is_rotation
    assert not curved(RULES["heavy-ball"], elsewhere) and curved(RULES["nesterov"], elsewhere)
