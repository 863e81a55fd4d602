"""The files that other people's CI takes from this repository: the action, the hook of pre-commit, the
component of GitLab. Their scripts are run with a `noether` that only says what it was asked for."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from processes import python
from test_ci_docs import COMMANDS, parse

from noether.cli import pre_commit
from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent
ACTION = parse((ROOT / "action.yml").read_text())
(HOOK,) = parse((ROOT / ".pre-commit-hooks.yaml").read_text())
SPEC, JOB = map(parse, (ROOT / "templates/noether/template.yml").read_text().split("\n---\n"))
((_, JOB),) = JOB.items()


SAYS = """#!/bin/sh
printf "%s\\n" "$(basename $0)" "$@" "" >> "$ASKED"
[ "$1" = report ] || exit $CODE
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """asked(script, code, **variables) runs a script of bash where `noether` and `python` write down their
    words; returns what they were asked for, and the exit code of the script."""
    for name in ("noether", "python"):
        file = tmp_path / name
        file.write_text(SAYS)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run(script: str, code: int = 0, **variables) -> tuple[list[list[str]], int]:
        (tmp_path / "asked").write_text("")
        given = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "ASKED": str(tmp_path / "asked"),
            "CODE": str(code),
        }
        given |= {"GITHUB_OUTPUT": str(tmp_path / "output"), **variables}
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        done = subprocess.run(shell, env=given, cwd=tmp_path, capture_output=True, text=True)
        said = [x.split("\n") for x in (tmp_path / "asked").read_text().split("\n\n") if x]
        return said, done.returncode

    return run


def options(words: list[str]) -> list[str]:
    """The options among the words of a command that it does not have."""
    known = {o for p in COMMANDS[words[1]].params for o in p.opts}
    return [w for w in words[2:] if w.startswith("--") and w not in known]


# ---- the action


STEPS = {step.get("name", step.get("uses")): step for step in ACTION["runs"]["steps"]}
VERIFY = "\n".join(STEPS["Verify"]["run"])
EMPTY = dict.fromkeys(("CASES", "PROFILE", "LAWS", "BASELINE", "MORE", "SARIF", "BADGE"), "") | {"OUT": "run"}


def test_the_action_is_whole():
    assert ACTION["runs"]["using"] == "composite" and set(ACTION["outputs"]) == {"run", "exit-code"}
    for step in STEPS.values():
        assert ("uses" in step) != ("run" in step) and ("shell" in step) == ("run" in step)
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))
    upload = next(s for s in STEPS.values() if s.get("uses", "").startswith("actions/upload-artifact"))
    assert upload["if"].startswith("always()"), "a failed run is the one that is wanted"


def test_every_input_is_used_and_none_reaches_a_script_but_through_its_environment():
    text = (ROOT / "action.yml").read_text()
    used = set(re.findall(r"inputs\.([\w-]+)", text.partition("\noutputs:")[2]))
    assert used == set(ACTION["inputs"]) and all("default" in x for x in ACTION["inputs"].values())
    for step in STEPS.values():
        script = "\n".join(step["run"]) if isinstance(step.get("run"), list) else step.get("run", "")
        assert "${{" not in script, "an input could end a quotation and begin a command"


def test_without_inputs_the_action_runs_what_pyproject_says(asked):
    assert asked(VERIFY, **EMPTY) == ([["noether", "verify", "--out", "run"]], 0)


def test_every_input_is_an_option_of_verify(asked):
    given = dict(CASES="a.py\nb.py", PROFILE="full", LAWS="D0,D2", BASELINE="b.json", OUT="r")
    ((words,), code) = asked(VERIFY, **EMPTY | given | dict(SARIF="s.sarif", MORE="--strict --seed 3"))
    assert code == 0 and options(words) == []
    assert words[2:] == (
        "a.py b.py --out r --profile full --law D0,D2 --baseline b.json --sarif s.sarif --strict --seed 3"
    ).split(" ")


@pytest.mark.parametrize("code", [0, 1, 2, 3, 70])
def test_the_exit_code_is_that_of_verify_and_the_badge_is_written_all_the_same(asked, tmp_path, code):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").touch()
    said, ended = asked(VERIFY, code, **EMPTY | {"BADGE": "badge.json"})
    assert ended == code and said[1] == ["noether", "report", "run", "--badge", "badge.json"]
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n" and options(said[1]) == []


@pytest.mark.parametrize(
    "words", ["$(touch hurt)", "`touch hurt`", "; touch hurt", '" ; touch hurt ; "', "*"]
)
def test_no_input_is_run_as_a_command(asked, tmp_path, words):
    for name in ("CASES", "PROFILE", "LAWS", "BASELINE", "MORE", "OUT", "SARIF", "BADGE"):
        asked(VERIFY, **EMPTY | {name: words})
        assert not (tmp_path / "hurt").exists(), name
    ((words_, *_), _) = asked(VERIFY, **EMPTY | {"CASES": words})
    assert words_[2:-2] == words.split(), "nothing is expanded"


@pytest.mark.parametrize("extras, said", [("triton", "/a b[triton]"), ("", "/a b")])
def test_it_installs_the_version_that_was_named_with_the_tested_packages(asked, extras, said):
    ((words,), _) = asked(STEPS["Install"]["run"], HERE="/a b", EXTRAS=extras)
    assert words[-1] == said and words[words.index("-c") + 1] == "/a b/constraints.txt"
    assert (ROOT / "constraints.txt").is_file()


# ---- the component of GitLab


def test_every_input_of_the_component_is_used_and_has_a_default():
    text = (ROOT / "templates/noether/template.yml").read_text()
    used = set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", text))
    assert used == set(SPEC["spec"]["inputs"])
    assert all({"default", "description"} <= set(x) for x in SPEC["spec"]["inputs"].values())
    assert not any("[[" in line for line in JOB["script"]), "an input would be part of a command"
    assert JOB["artifacts"]["reports"]["junit"] == "$[[ inputs.out ]]/junit.xml"
    assert JOB["artifacts"]["when"] == "always"


def test_the_component_verifies_what_it_is_told(asked):
    script = "\n".join(JOB["script"])
    plain = {name: "" for name in JOB["variables"]} | {"NOETHER_OUT": "run", "NOETHER_PACKAGE": "n"}
    (_, words), code = asked(script, **plain)
    assert (words, code) == (["noether", "verify", "--out", "run"], 0)
    given = dict(NOETHER_CASES="a.py b.py", NOETHER_PROFILE="full", NOETHER_LAWS="D2")
    given |= dict(NOETHER_BASELINE="b.json", NOETHER_ARGS="--strict")
    (_, words), _ = asked(script, **plain | given)
    assert options(words) == [] and words[2:] == (
        "a.py b.py --out run --profile full --law D2 --baseline b.json --strict".split(" ")
    )
    assert [asked(script.partition("\n")[2], code, **plain)[1] for code in (1, 3)] == [1, 3]


# ---- the hook of pre-commit


def test_the_hook_names_a_module_that_is_there_and_files_that_are_cases():
    assert HOOK["id"] == "noether" and HOOK["entry"] == f"python -m {pre_commit.__name__}"
    takes = re.compile(HOOK["files"]).search
    assert takes("physics/my_case.py") and takes("case.py") and takes("cases_of_mine.py")
    assert not takes("physics/my_case.txt") and not takes("cases/readme.py") and not takes("loss.py")


@pytest.mark.parametrize("wrong, code", [("", 0), ("violated", 1), ("inconclusive", 3)])
def test_the_hook_ends_with_the_verdict_and_leaves_nothing_behind(plan, capsys, wrong, code):
    plan.wrong = {"D2": wrong}
    assert pre_commit.main(["rayleigh", "mexican-hat"]) == code
    out = capsys.readouterr().out
    assert {"": "everything holds", "violated": "a law is violated: D2"}.get(wrong, "could not decide") in out
    assert list(Path().iterdir()) == [] and {s.precisions for s in plan.made} == {("float64",)}


def test_the_hook_knows_what_the_project_knows(plan, capsys):
    Path("pyproject.toml").write_text(
        "[[tool.noether.known]]\nlaw = 'D2'\ncase = 'rayleigh'\nreason = 'old kernel'\n"
    )
    plan.wrong = {"D2": "violated"}
    words = ["rayleigh", "--law", "D0,D2", "--precision", "all", "--profile", "full"]
    # Not 1. But a law that holds nowhere has not shown that it sees its faults.
    assert pre_commit.main(words) == 3
    assert "old kernel" in capsys.readouterr().out and plan.made[0].profile == "full"


def test_wrong_words_are_one_line_and_exit_2(plan, capsys):
    assert pre_commit.main(["no-such-case"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_hook_runs_as_pre_commit_runs_it(tmp_path):
    words = HOOK["entry"].split()[1:]
    done = python(*words, "--help", env=importable(), cwd=tmp_path)
    assert done.returncode == 0 and "FILE" in done.stdout


# ---- the files are YAML


def test_a_reader_of_yaml_finds_the_same():
    yaml = pytest.importorskip("yaml", reason="the docs extra has it")
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert set(action["inputs"]) == set(ACTION["inputs"])
    for step in action["runs"]["steps"]:
        ours = STEPS[step.get("name", step.get("uses"))]
        script = "\n".join(ours["run"]) if isinstance(ours.get("run"), list) else ours.get("run", "")
        assert step.get("run", "").strip() == script and step.get("if", "") == ours.get("if", "")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["files"], hook["entry"]) == (HOOK["files"], HOOK["entry"])
    _, job = yaml.safe_load_all((ROOT / "templates/noether/template.yml").read_text())
    ((_, job),) = job.items()
    assert job["script"] == JOB["script"] and job["variables"] == JOB["variables"]
