"""A user's own case: whatever is wrong with it is one clear line and exit code 2, also when it hangs or
crashes."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import plainest
import pytest
from test_cli import GOOD_CASE, refused

from noether import verify
from noether.cases import CATALOG
from noether.cases.case import DIAGONAL, Case, Metric, scale, translation
from noether.plan.casefiles import complaint, trial
from noether.system import timelimit
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
    ("reads nothing", loss("return 1.0"), "loss gives 1 without reading q: it must be computed"),
    ("is a truth", loss("return True"), "loss gives 1 without reading q: it must be computed"),
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
    alone = dict(box=((0.5, 1.0), (0.5, 1.0)), symmetries=(translation((0, 1)),))
    free = plainest.case("free", lambda q, xp: q[0] * q[0], lambda q, xp: q[1], **alone)
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
