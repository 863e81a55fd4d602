"""The command line keeps its promises: exit codes, one clear line for wrong input, nothing found lost."""

from pathlib import Path

import pytest

from noether.cli.main import call
from noether.plan.choices import Request, select

SMALL = ["verify", "rayleigh", "--precision", "float64", "--jobs", "1"]

GOOD_CASE = """
from noether.cases.case import Case, scale

def loss(q, xp):
    return (q[0] * q[0] + 2 * q[1] * q[1]) / (q[0] * q[0] + q[1] * q[1])

def breaking(q, xp):
    return q[0]

def shifted(q, xp):
    return loss(q, xp) + q[0]

OWN = Case(name="own", title="t", source="s", loss=loss, breaking=breaking,
           box=((0.5, 1.0), (0.5, 1.0)), symmetries=(scale(2),))
"""


def refused(capsys, *arguments):
    """Exit code 2, one line on stderr, no traceback, nothing on stdout, no run folder."""
    before = set(Path("runs").iterdir()) if Path("runs").exists() else set()
    assert call(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("noether: ") and err.count("\n") == 1, err
    assert "Traceback" not in err
    assert (set(Path("runs").iterdir()) if Path("runs").exists() else set()) == before
    return err


# ---- wrong words


WRONG_WORDS = [
    (["verify", "raleigh"], ["'raleigh'", "did you mean rayleigh", "mexican-hat"]),
    (["verify", "--law", "D99"], ["law is 'D99'", "D0, D2, O3"]),
    (["verify", "--law", "D2,,x"], ["law is 'X'"]),
    (["verify", "--law", ""], ["--law is empty"]),
    (["verify", "--rule", "heavyball"], ["did you mean heavy-ball"]),
    (["verify", "--precision", "fp32"], ["precision is 'fp32'", "float32"]),
    (["verify", "--backend", "cuda"], ["backend is 'cuda'", "auto, numpy, triton-interpreted"]),
    (["verify", "--profile", "fast"], ["profile is 'fast'", "quick, full, stress"]),
    (["verify", "--eta", "nan"], ["--eta is nan, must be a finite number above 0"]),
    (["verify", "--eta", "-0.1"], ["--eta is -0.1"]),
    (["verify", "--eta", "0"], ["--eta is 0.0"]),
    (["verify", "--eta", "inf"], ["--eta is inf"]),
    (["verify", "--eta", "small"], ["--eta"]),
    (["verify", "--beta", "1"], ["--beta is 1.0", "below 1"]),
    (["verify", "--beta", "-0.5"], ["--beta is -0.5"]),
    (["verify", "--decay", "-1"], ["--decay is -1.0"]),
    (["verify", "--eps", "nan"], ["--eps is nan"]),
    (["verify", "--steps", "0"], ["--steps is 0"]),
    (["verify", "--lanes", "-3"], ["--lanes is -3"]),
    (["verify", "--lanes", "100000", "--steps", "100000"], ["--lanes x --steps is 10000000000"]),
    (["verify", "--seed", "-1"], ["--seed is -1"]),
    (["verify", "--jobs", "0"], ["--jobs is 0"]),
    (["verify", "--no-such-option"], ["--no-such-option"]),
    (["verifi"], ["verifi"]),
    (
        ["verify", "rayleigh", "--rule", "mirror-descent"],
        ["rule mirror-descent fits none", "rayleigh (euclidean metric)", "entropy-mirror"],
    ),
    (
        ["verify", "rayleigh", "entropy-mirror", "--rule", "heavy-ball"],
        ["case entropy-mirror has a bregman metric", "mirror-descent"],
    ),
    (
        ["verify", "--law", "O3", "--precision", "float16"],
        ["law O3 covers nothing of this choice", "needs heavy ball"],
    ),
    (["show", "nothing"], ["case or rule is 'nothing'"]),
    (["explain", "D1000"], ["law is 'D1000'"]),
    (["replay", "no/such/run"], ["run no/such/run is not there"]),
    (["report", "no/such/run"], ["run no/such/run is not there"]),
    (["report"], ["runs/ has no run"]),
    (["verify", "--resume", "no/such/run"], ["run no/such/run is not there"]),
    (["verify", "--resume", "a", "--out", "b"], ["--out b must not be given"]),
]


@pytest.mark.parametrize("words, told", WRONG_WORDS, ids=lambda x: " ".join(x)[:40])
def test_wrong_words_are_one_line_and_exit_2(plan, capsys, words, told):
    err = refused(capsys, *words)
    for part in told:
        assert part in err, err


# ---- case files

WRONG_FILES = [
    ("x = 1\n", "", "declares no Case"),
    ("def f(:\n", "", "is no valid python"),
    ("raise RuntimeError('boom')\n", "", "raises RuntimeError at line 1: boom"),
    ("import sys\nsys.exit(0)\n", "", "raises SystemExit at line 2"),
    ("import no_such_module\n", "", "raises ModuleNotFoundError at line 1"),
    (GOOD_CASE, ":OTHER", "name is 'OTHER', must be one of OWN"),
    (GOOD_CASE + "from dataclasses import replace\nB = replace(OWN, name='b')\n", "", "declares 2 cases"),
    (GOOD_CASE.replace('name="own"', 'name="Own Case"'), "", "name is 'Own Case'"),
    (GOOD_CASE.replace("loss=loss", "loss=3"), "", "loss is 3, must be a function"),
    (
        GOOD_CASE.replace("(0.5, 1.0), (0.5, 1.0)", "(0.5, 1.0), (1.0, 0.5)"),
        "",
        "must be two finite numbers with low < high",
    ),
    (
        GOOD_CASE.replace("box=((0.5, 1.0), (0.5, 1.0))", "box=7"),
        "",
        "box is 7, must be a tuple of (low, high)",
    ),
    (
        GOOD_CASE.replace("return q[0]\n", "return q[7]\n"),
        "",
        "breaking reads q[7], but box declares 2: q[0] to q[1] at line 8",
    ),
    (GOOD_CASE.replace("return q[0]\n", "return 'one'\n"), "", "must be a number"),
    (
        GOOD_CASE.replace("return q[0]\n", "return xp.log(q[0] - 5)\n"),
        "",
        "the box must lie inside its domain",
    ),
    (GOOD_CASE.replace("return q[0]\n", "return xp.sin(q[0])\n"), "", "cannot be traced"),
    (GOOD_CASE.replace("loss=loss", "loss=shifted"), "", "symmetry scale is false"),
    (GOOD_CASE.replace("return q[0]\n", "return loss(q, xp)\n"), "", "must break at least one"),
]


@pytest.mark.parametrize("text, name, told", WRONG_FILES, ids=[w[2][:30] for w in WRONG_FILES])
def test_wrong_case_files_are_one_line_and_exit_2(plan, capsys, text, name, told):
    Path("case.py").write_text(text)
    assert told in refused(capsys, "verify", f"./case.py{name}")


@pytest.mark.parametrize(
    "word, told",
    [
        ("./none.py", "does not exist"),
        (".", None),
        ("./folder.py", "is a folder"),
        ("./case.txt", "must be a .py file"),
    ],
)
def test_paths_that_are_no_case_file_are_refused(plan, capsys, word, told):
    Path("folder.py").mkdir()
    Path("case.txt").write_text(GOOD_CASE)
    err = refused(capsys, "verify", word)
    assert told is None or told in err


def test_a_case_file_is_verified_and_found_by_its_name(plan):
    Path("case.py").write_text(GOOD_CASE)
    for word in ("./case.py", "case.py:OWN", "case.py:own"):
        assert [c.name for c in select(Request(cases=(word,))).cases] == ["own"]
    assert call(["verify", "case.py", "--precision", "float64", "--jobs", "1"]) == 0


def test_the_same_case_file_twice_is_once_as_a_name_is(plan):
    Path("case.py").write_text(GOOD_CASE)
    for words in (("case.py",) * 2, ("case.py", "./case.py"), ("case.py", "case.py:OWN", "case.py")):
        chosen = select(Request(cases=words))
        assert [c.name for c in chosen.cases] == ["own"] and set(chosen.files) == set(words)
    assert call(["verify", "case.py", "case.py", "--precision", "float64", "--jobs", "1"]) == 0


def test_a_file_whose_case_has_the_name_of_another_is_refused(plan, capsys):
    Path("case.py").write_text(GOOD_CASE.replace('"own"', '"rayleigh"'))
    assert "two different cases are named 'rayleigh'" in refused(capsys, "verify", "rayleigh", "case.py")


# ---- exit codes


PROMISED = [
    ({}, "", 0),
    ({"D2": "violated"}, "", 1),
    ({"D2": "nan"}, "", 1),
    ({"D2": "inconclusive"}, "", 3),
    ({"D2": "outside"}, "", 3),
    ({"D2": "raises"}, "", 70),
    ({"D2": "raises", "D0": "violated"}, "", 70),
    ({}, "--backend triton-gpu", 3),
    ({}, "--law none", 2),
]


@pytest.mark.parametrize("wrong, words, code", PROMISED)
def test_exit_codes_are_those_that_were_promised(plan, capsys, wrong, words, code):
    plan.wrong = wrong
    assert call([*SMALL, *words.split()]) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if words:
        assert not Path("runs").exists() and err.count("\n") == 1
    else:
        assert (next(Path("runs").iterdir()) / "report.html").exists()


def test_a_surviving_fault_is_blindness(plan, capsys):
    plan.wrong = dict.fromkeys(plan.LAWS, "survivor")
    assert call(SMALL) == 3
    assert "faults survived: no-op kernel" in " ".join(capsys.readouterr().out.split())


def test_strict_refuses_inconclusive_cells_that_would_pass(plan, monkeypatch):
    monkeypatch.setattr(plan, "cells", lambda s, cells=plan.cells: [*cells(s), *(c for c in mixed(cells(s)))])
    assert call(SMALL) == 0
    assert call([*SMALL, "--strict"]) == 3


def mixed(cells):
    from dataclasses import replace

    return [replace(c, name=c.name + "/few", wrong="inconclusive") for c in cells]


def test_a_law_without_cells_is_blind_when_nothing_was_narrowed(plan, monkeypatch):
    monkeypatch.setattr(plan, "cells", lambda s, cells=plan.cells: [c for c in cells(s) if c.law != "D2"])
    assert call(["verify", "--jobs", "1"]) == 3
    assert call(["verify", "--jobs", "1", "--precision", "float64"]) == 0, "left out by choice, and named"


def test_a_crash_is_70_with_a_way_to_report_it(plan, capsys, monkeypatch):
    monkeypatch.setattr(plan, "cells", lambda s: 1 / 0)
    assert call(SMALL) == 70
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err and "please report it" in err


def test_the_traceback_of_a_broken_cell_is_in_the_run_folder(plan, capsys):
    plan.wrong = {"D0": "raises"}
    assert call([*SMALL, "--out", "r"]) == 70
    assert "planted in a cell" in Path("r/errors.txt").read_text()
    assert "r/errors.txt" in capsys.readouterr().err
    assert len(Path("r/records.jsonl").read_text().splitlines()) == 4, "the other cells' records are kept"
