"""[tool.noether] gives defaults; the command line wins; what is wrong in it is told with its key and file."""

import json
import os
import re
from pathlib import Path

import pytest

from noether.api.verify import verify
from noether.cli.main import call
from noether.plan import pyproject
from noether.system.usage import UsageError


def wrote(text: str, folder: str = ".") -> Path:
    path = Path(folder) / "pyproject.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def asked(*words: str) -> dict:
    """The arguments of the run that a command makes."""
    assert call(["verify", *words, "--out", "run"]) == 0
    return json.loads(Path("run/run.json").read_text())["arguments"]


ENTRY = "[[tool.noether.known]]\nlaw = 'D2'\ncase = 'x'\nreason = 'y'\n"
ALL = """[tool.noether]
cases = ["rayleigh"]
profile = "full"
backend = "numpy"
laws = ["D0", "D2"]
precisions = "float64"
seed = 7
eta = 0.25
steps = 3
jobs = 1
strict = true
cell-seconds = 60.0
"""


def test_the_file_gives_defaults_and_the_command_line_wins(plan):
    wrote(ALL)
    found = asked()
    said = dict(cases=["rayleigh"], profile="full", backend="numpy", law="D0,D2", precision="float64")
    said |= dict(seed=7, eta=0.25, steps=3, beta=None)
    assert {k: found[k] for k in said} == said
    Path("run").rename("first")
    found = asked("mexican-hat", "--profile", "quick", "--seed", "3", "--law", "D2", "--no-strict")
    assert (found["cases"], found["profile"], found["seed"], found["law"]) == (
        ["mexican-hat"],
        "quick",
        3,
        "D2",
    )
    assert found["eta"] == 0.25 and json.loads(Path("run/run.json").read_text())["strict"] is False


def test_it_can_be_left_out_and_what_is_taken_from_it_is_told(plan, capsys):
    wrote("[tool.noether]\nseed = 7\nprofile = 'full'\n")
    assert asked("rayleigh", "--jobs", "1", "--no-config")["seed"] == 0
    assert "pyproject" not in capsys.readouterr().err
    Path("run").rename("first")
    assert asked("rayleigh", "--jobs", "1", "--profile", "quick")["seed"] == 7
    assert re.search(r"note: seed as .*pyproject.toml says \(--no-config", capsys.readouterr().err)
    assert call(["verify", "--resume", "run", "--jobs", "1"]) == 0
    assert "pyproject" not in capsys.readouterr().err, "a run goes on with its own words"


def test_python_takes_no_default_of_it(plan):
    wrote("[tool.noether]\nseed = 7\nprofile = 'no such'\n")
    assert verify("rayleigh", precisions="float64").records


def test_every_option_that_it_may_have_is_one_of_verify():
    import typer

    from noether.cli.commands.app import app

    known = {p.name for p in typer.main.get_command(app).commands["verify"].params}
    assert {pyproject.PARAMETERS.get(k, k) for k in pyproject.OPTIONS} <= known


@pytest.mark.parametrize(
    "text, said",
    [
        ("seeed = 7", r"a key of \[tool.noether\] is 'seeed', must be one of .*did you mean seed"),
        ("seed = 'x'", r"\[tool.noether\]: seed is 'x', must be a whole number"),
        ("seed = true", "seed is True, must be a whole number"),
        ("jobs = 0", 'jobs is 0, must be "auto" or a whole number'),
        ("laws = 'D77'", "laws is 'D77', must be one of"),
        ("laws = [2]", "laws is .*, must be text or a list of texts"),
        ("profile = 'quik'", "profile is 'quik', must be one of quick, full"),
        ("backend = 'gpu'", "backend is 'gpu', must be one of auto, numpy"),
        ("cases = 'rayleigh'", "cases is 'rayleigh', must be a list"),
        ("strict = 1", "strict is 1, must be true or false"),
        ("eta = nan", "eta is nan, must be a finite number"),
        ("eta = -1", r"\[tool.noether\]: eta is -1, must be a finite number above 0"),
        ("beta = 1.0", r"\[tool.noether\]: beta is 1.0, must be a finite number at least 0 and below 1"),
        ("steps = 9999999", r"\[tool.noether\]: steps is 9999999, must be a whole number from 1 to"),
        ("steps = 2000\nlanes = 2000", r"lanes x steps is 4000000, must be at most"),
        ("cell-seconds = -2", r"\[tool.noether\]: cell-seconds is -2, must be a finite number above 0"),
        ("laws = []", r"\[tool.noether\]: laws is empty, must name one or more"),
        ("rules = ','", r"\[tool.noether\]: rules is empty, must name one or more"),
        ("seed = ", "is no TOML"),
        ("known = 3", "known must be tables"),
        ("[[tool.noether.known]]\nlaw = 'D2'", r"known\]\]: entry 1: has no case, reason"),
        (
            "[[tool.noether.known]]\nlaw = 'D77'\ncase = 'x'\nreason = 'y'",
            "entry 1: law is 'D77', must be one of",
        ),
        (
            ENTRY + "rule = 'heavyball'",
            "entry 1: rule is 'heavyball', must be .*did you mean heavy-ball",
        ),
        (
            ENTRY + "precision = 'float63'",
            "entry 1: precision is 'float63', must be .*did you mean float",
        ),
        (ENTRY + "until = '2027-W05-1'", "entry 1: until is '2027-W05-1', must be a day, as in 2027-01-31"),
        (ENTRY + ENTRY, "entry 2: names D2 x, as entry 1 does: one of the two must go"),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_file(plan, capsys, text, said):
    path = wrote(f"[tool.noether]\n{text}\n").resolve()
    assert call(["verify", "rayleigh", "--jobs", "1"]) == 2
    err = capsys.readouterr().err
    assert str(path) in err and re.search(said, err) and len(err.splitlines()) == 1
    assert not Path("runs").exists(), "nothing ran"


def test_files_are_those_of_its_own_folder(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    wrote("[tool.noether]\ncases = ['a/b.py:C', 'rayleigh']\nbaseline = 'base.json'\n", str(tmp_path))
    (tmp_path / "inner" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "inner" / "deep")
    found = pyproject.settings().options
    assert found["cases"] == ("../../a/b.py:C", "rayleigh") and found["baseline"] == Path("../../base.json")


def test_above_the_working_directory_only_a_repository_is_searched(tmp_path, monkeypatch):
    wrote("[tool.noether]\nseed = 7\n", str(tmp_path))
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert pyproject.settings().path is None, "somebody else's folder decides nothing"
    (tmp_path / ".git").mkdir()
    assert pyproject.settings().options == {"seed": 7}
    wrote("[project]\nname = 'x'\n", str(inner))
    assert pyproject.settings().options == {"seed": 7}, "a file without the table is passed by"
    (inner / ".git").touch()
    assert pyproject.settings().path is None


def test_the_baseline_of_the_file_is_compared_where_the_choice_is_its_own(plan, capsys):
    wrote("[tool.noether]\ncases = ['rayleigh']\nbaseline = 'base.json'\njobs = 1\n")
    assert call(["verify", "--update-baseline"]) == 0
    assert Path("base.json").exists()
    capsys.readouterr()
    assert call(["verify", "--seed", "3"]) == 0
    assert "compared all the same" in capsys.readouterr().err
    assert call(["verify", "--law", "D2"]) == 0
    assert "was not compared: law of the command line make another choice" in capsys.readouterr().err
    assert call(["verify", "--shard", "1/2"]) == 0
    assert call(["verify", "--law", "D2", "--baseline", "base.json"]) == 2


def test_a_table_that_is_none_is_refused(tmp_path):
    path = wrote("[tool]\nnoether = 3\n", str(tmp_path))
    with pytest.raises(UsageError, match="tool.noether is int, must be a table"):
        pyproject.known(path)


@pytest.mark.parametrize(
    "put, what",
    [(Path.mkdir, "a folder"), (os.mkfifo, "a pipe"), (lambda p: p.symlink_to("no"), "a link that leads")],
)
def test_what_has_the_name_of_the_file_and_is_none_is_refused(plan, capsys, put, what):
    put(Path("pyproject.toml"))
    assert call(["verify", "rayleigh", "--jobs", "1"]) == 2
    assert f"pyproject.toml is {what}" in capsys.readouterr().err and not Path("runs").exists()
    assert call(["verify", "rayleigh", "--jobs", "1", "--no-config"]) == 0


def test_every_rule_of_a_record_may_stand_in_an_entry():
    from noether.plan import design
    from noether.plan.choices import Request, select

    words = dict(law="T1,T2,T5,O8,O9,S1,E3", backend="numpy", profile="full")
    found = {cell.rule for cell in design.cells(select(Request(**words)))}
    assert {"lagrangian", "curved"} <= found <= {*pyproject.rule_names()}
    assert {"noisy heavy-ball", "all", "fixed mass"} <= {*pyproject.rule_names()}, "of B1 and of M1"
