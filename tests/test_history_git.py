"""A history of the versions that the commits of a repository have of one file."""

import json
import subprocess
from pathlib import Path

import pytest
from test_history import SMALL, told

from noether.cli.main import call
from noether.system.git import versions_of


@pytest.fixture
def repository(plan):
    """A git repository in which `commit(text)` commits a version of baseline.json, or removes it."""
    git = lambda *words: subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@y", *words], check=True, capture_output=True
    )
    git("init", "-q")

    def commit(text: str | None) -> None:
        Path("baseline.json").write_text(text) if text is not None else Path("baseline.json").unlink()
        git("add", "-A", "baseline.json")
        git("commit", "-q", "-m", "a version")

    return commit


def test_the_versions_of_a_baseline_are_a_history(plan, repository, capsys):
    assert call([*SMALL, "--update-baseline"]) == 0
    first = Path("baseline.json").read_text()
    value = json.loads(first)
    for name, e in value["entries"].items():
        e["spent"] = e["spent"] / 1e6 if name.startswith("D2") else e["spent"]
    del value["check"]
    for text in (json.dumps(value), "broken", None, first):
        repository(text)
    capsys.readouterr()
    assert call(["history", "--git", "baseline.json"]) == 0
    out = told(capsys)
    assert "2 runs of profile quick" in out and "1 version that this noether cannot read" in out
    assert "D2 wide: its 2 entries rose together" in out and Path("history.html").exists()
    assert [bool(v.text) for v in versions_of(Path("baseline.json"))] == [True] * 3


def test_a_file_without_a_version_that_can_be_read_is_refused(repository, capsys):
    repository("broken")
    assert call(["history", "--git", "baseline.json"]) == 2
    assert "none of 1 version of baseline.json can be read" in capsys.readouterr().err
    assert call(["history", "--git", "other.json"]) == 2
    assert "no commit of this history, that leads to HEAD, has" in capsys.readouterr().err


def test_a_file_of_a_folder_with_a_strange_name_has_its_own_versions(repository, tmp_path):
    repository("a version of another file")
    folder = tmp_path / "in *ner"
    folder.mkdir()
    for text in ("one", "two"):
        (folder / ":(glob)x.json").write_text(text)
        for words in (["--literal-pathspecs", "add", "."], ["commit", "-q", "-m", text]):
            subprocess.run(
                ["git", "-c", "user.name=x", "-c", "user.email=x@y", *words], check=True, cwd=folder
            )
    assert [v.text for v in versions_of(folder / ":(glob)x.json")] == ["one", "two"]


def test_without_git_the_versions_are_refused_in_one_line(repository, capsys, monkeypatch):
    repository("broken")
    monkeypatch.setenv("PATH", "/nowhere")
    assert call(["history", "--git", "baseline.json"]) == 2
    assert "git is not installed" in capsys.readouterr().err


def test_before_the_commit_of_a_file_no_commit_of_this_history_has_it(repository, capsys):
    repository("a version")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run([*git, "checkout", "-q", "--orphan", "before"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "empty"], check=True)
    subprocess.run([*git, "rm", "-q", "--cached", "baseline.json"], check=True)
    subprocess.run([*git, "commit", "-q", "--amend", "--allow-empty", "-m", "empty"], check=True)
    assert call(["history", "--git", "baseline.json"]) == 2
    err = capsys.readouterr().err
    assert "no commit of this history, that leads to HEAD, has baseline.json" in err and "never" not in err
