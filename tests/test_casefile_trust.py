"""A run folder or a corpus that somebody sent runs nothing that it names; one's own goes on without a
word."""

import json
import os
import shutil
import stat
from contextlib import chdir
from pathlib import Path

import pytest
from test_cli import GOOD_CASE

from noether.cli import main
from noether.plan.casefiles import load, trust
from noether.plan.casefiles.source import sha256
from noether.runs import run_json as sealed
from noether.runs.saved_run import read_run

WORDS = "--law D0 --rule gradient-descent --precision float64 --backend numpy --jobs 1".split()
EVIL = "import pathlib\npathlib.Path(MARK).write_text('ran')\n"


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with a case of one's own that was run (run folder `r`), and what is remembered of it."""
    place = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch, chdir(place):
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        Path("mine").mkdir()
        os.chdir("mine")
        Path("helper.py").write_text("LOW = 0.5\n")
        Path("case.py").write_text("from helper import LOW\n" + GOOD_CASE.replace("0.5", "LOW"))
        assert main.call(["verify", "case.py", *WORDS, "--out", "r"]) in (0, 3)
    shutil.copytree(place / "mine", place / "kept/mine")
    shutil.copytree(place / "state", place / "kept/state")
    return place


@pytest.fixture
def mine(once, monkeypatch):
    """Anew for each test, in the same place."""
    for entry in once.iterdir():
        if entry.name != "kept":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(once / "kept", once, dirs_exist_ok=True)
    monkeypatch.chdir(once / "mine")
    monkeypatch.setenv("XDG_STATE_HOME", str(once / "state"))
    return once / "mine"


@pytest.fixture
def place(mine):
    """The folder around one's own."""
    return mine.parent


def marked(text: str, mark: Path) -> str:
    return EVIL.replace("MARK", repr(str(mark))) + text


def sent(place: Path, mine: Path, word: str, file: Path, cwd: str | None = None) -> Path:
    """One's run folder as an attacker would have it: it names `word`, with the right digest of `file`."""
    run = place / "sent"
    shutil.copytree(mine / "r", run, dirs_exist_ok=True)
    about = json.loads((run / "run.json").read_text())
    about["arguments"] |= {"cases": [word], "files": {word: sha256(file.read_bytes())}}
    about["cwd"] = str(run) if cwd is None else cwd
    about |= {"end": None, "exit_code": None, "records": None}
    (run / "run.json").write_text(sealed.text(about))
    return run


def refused(capsys, mark: Path, *words: str) -> str:
    capsys.readouterr()
    assert main.call(list(map(str, words))) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "none of it was run" in err and "--trust" in err, err
    assert not mark.exists()
    return err


PLACES = ["sent/evil.py", "evil.py", "deep/down/evil.py", "mine/evil.py"]


@pytest.mark.parametrize("at", PLACES)
def test_a_run_folder_that_was_sent_runs_nothing_that_it_names(mine, place, capsys, at):
    mark, evil = place / "mark", place / at
    evil.parent.mkdir(parents=True, exist_ok=True)
    evil.write_text(marked(GOOD_CASE, mark))
    for word, here in (
        (str(evil), str(evil)),
        (os.path.relpath(evil, place / "sent"), os.path.relpath(evil)),
    ):
        run = sent(place, mine, word, evil)
        err = refused(capsys, mark, "replay", run)
        assert (
            sha256(evil.read_bytes()) in err and str(evil) in err and f"noether replay {run} --trust" in err
        )
        sent(place, mine, here, evil)
        refused(capsys, mark, "verify", "--resume", run)


def test_what_only_reads_a_run_folder_runs_nothing_of_it(mine, place):
    mark, evil = place / "mark", place / "evil.py"
    evil.write_text(marked(GOOD_CASE, mark))
    run = str(sent(place, mine, str(evil), evil))
    for words in (
        ["report", run],
        ["laws", run],
        ["explain", "D0", run],
        ["findings", run],
        ["report", str(mine / "r"), run],
    ):
        wanted = (2,) if words[0] == "findings" else (0, 1)  # of a narrowed run there are none to write
        assert main.call(words) in wanted and not mark.exists(), words


def test_trust_runs_it_for_that_command_alone(mine, place, capsys):
    mark, evil = place / "mark", place / "evil.py"
    evil.write_text(marked(GOOD_CASE, mark))
    run = sent(place, mine, str(evil), evil)
    assert main.call(["replay", str(run), "--trust"]) == 0 and mark.exists()
    mark.unlink()
    refused(capsys, mark, "replay", run)


def test_trust_does_not_run_another_text_than_the_recorded_one(mine, place, capsys):
    mark, evil = place / "mark", place / "evil.py"
    evil.write_text(GOOD_CASE)
    run = sent(place, mine, str(evil), evil)
    evil.write_text(marked(GOOD_CASE, mark))
    for words in (["replay", str(run), "--trust"], ["verify", "--resume", str(run), "--trust"]):
        assert main.call(words) == 2
        assert "has changed since" in capsys.readouterr().err and not mark.exists()


def test_a_word_without_a_digest_or_with_a_wrong_kind_is_refused(mine, place, capsys):
    mark, evil = place / "mark", place / "evil.py"
    evil.write_text(marked(GOOD_CASE, mark))
    run = sent(place, mine, str(evil), evil)
    about = json.loads((run / "run.json").read_text())
    about["arguments"]["files"] = {}
    (run / "run.json").write_text(sealed.text(about))
    refused(capsys, mark, "replay", run)
    for name, value in (
        ("files", 7),
        ("files", {"case.py": 1}),
        ("cases", [7]),
        ("cases", "case.py"),
        ("files", {"\0": ""}),
    ):
        (run / "run.json").write_text(
            sealed.text({**about, "arguments": {**about["arguments"], name: value}})
        )
        assert main.call(["replay", str(run)]) == 2, (name, value)
        assert not mark.exists() and "Traceback" not in capsys.readouterr().err


def test_ones_own_run_is_replayed_and_resumed_without_a_word(mine, monkeypatch, place):
    record = read_run(Path("r")).records[0]
    assert record.replay and main.call(["replay", "r"]) == 0
    monkeypatch.chdir(place)
    assert main.call(["replay", str(mine / "r")]) == 0
    monkeypatch.chdir(mine)
    assert main.call(["verify", "--resume", "r"]) in (0, 3)


def test_a_trusted_text_in_another_place_or_with_another_helper_is_not_trusted(mine, place, capsys):
    mark, there = place / "mark", place / "there"
    there.mkdir()
    shutil.copy(mine / "case.py", there)
    (there / "helper.py").write_text(marked("LOW = 0.5\n", mark))
    run = sent(place, mine, str(there / "case.py"), there / "case.py")
    refused(capsys, mark, "replay", run)
    (mine / "helper.py").write_text(marked("LOW = 0.5\n", mark))  # not recorded by the run that was sent
    run = sent(place, mine, str(mine / "case.py"), mine / "case.py", cwd=str(mine))
    assert main.call(["replay", str(run)]) == 2 and not mark.exists()


def test_a_run_folder_does_not_choose_the_working_directory_of_ones_own_case(mine, place, capsys):
    """Python may look for modules there."""
    run = sent(place, mine, str(mine / "case.py"), mine / "case.py")
    about = json.loads((run / "run.json").read_text())
    about["arguments"]["files"] |= load.files(["case.py"]) | {
        str(mine / "helper.py"): sha256((mine / "helper.py").read_bytes())
    }
    for name in ("case.py", "helper.py"):
        about["arguments"]["files"].pop(name, None)
    for cwd, code in ((str(mine), 0), (str(place), 2)):
        (run / "run.json").write_text(sealed.text({**about, "cwd": cwd}))
        os.chdir("/")
        assert main.call(["replay", str(run)]) == code, capsys.readouterr()


def test_what_is_remembered_is_the_users_alone(mine, capsys):
    place = trust.place()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600 and stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert {p for _, p, _ in trust.remembered()} == {str(mine / "case.py"), str(mine / "helper.py")}
    place.parent.chmod(0o777)
    refused(capsys, Path("never"), "replay", "r")
    place.parent.chmod(0o700)
    place.chmod(0o666)
    refused(capsys, Path("never"), "replay", "r")
    place.chmod(0o600)
    assert main.call(["replay", "r"]) == 0
    place.write_text("{\n[1,2,3]\n")
    refused(capsys, Path("never"), "replay", "r")


def test_two_commands_lose_nothing_of_each_other_and_old_facts_go(mine, monkeypatch):
    file, facts = trust.place(), [[f"{k}", f"/there/{k}", "/"] for k in range(4)]
    known = trust.remembered()
    trust.keep(file, known, facts[:2])
    trust.keep(file, known, facts[2:])
    assert [list(f) for f in trust.remembered()] == [*map(list, known), *facts]
    monkeypatch.setattr(trust, "MOST", 6)
    trust.keep(file, trust.remembered(), [["new", "/new", "/"]])
    assert [f[0] for f in trust.remembered()] == ["1", "2", "3", "new"]


def test_what_is_made_under_an_open_umask_is_the_users_alone(mine, place, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "deep/down"))
    before = os.umask(0)
    try:
        trust.remember(["case.py"])
    finally:
        os.umask(before)
    made = [trust.place(), *list(trust.place().parents)[:3]]
    assert [stat.S_IMODE(p.stat().st_mode) & 0o077 for p in made] == [0] * 4 and trust.remembered()


def test_without_a_home_nothing_is_remembered_and_a_run_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state").write_text("a file")
    Path("case.py").write_text(GOOD_CASE)
    assert main.call(["verify", "case.py", *WORDS, "--out", "r"]) in (0, 3)
    refused(capsys, Path("never"), "replay", "r")
    assert main.call(["replay", "r", "--trust"]) == 0
