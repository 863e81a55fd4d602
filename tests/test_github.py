"""Inside GitHub Actions a run annotates the right lines, escaped and counted; elsewhere it is silent."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cli.main import call
from noether.plan.casefiles import load
from noether.report import github
from noether.report.github import (
    SHOWN,
    Annotation,
    announce,
    as_data,
    as_property,
    case_place,
    fault_place,
    law_place,
    shown,
)
from noether.system.outside import printable

ROOT = Path(__file__).resolve().parent.parent
SMALL = ["verify", "rayleigh", "mexican-hat", "--precision", "float64", "--jobs", "1"]


def parsed(line: str) -> tuple[str, dict, str]:
    """As the runner reads a command (actions/runner, ActionCommand.TryParseV2)."""
    level, properties, data = re.fullmatch(r"::(\w+) ?(.*?)::(.*)", line).groups()
    back = lambda text, pairs: [text := text.replace(code, sign) for code, sign in pairs][-1]
    plain = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]
    words = dict(p.split("=", 1) for p in properties.split(",") if p)
    return (
        level,
        {
            k: back(v, [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")])
            for k, v in words.items()
        },
        back(data, plain),
    )


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    """Cases that other tests loaded from files have the names of the catalogue."""
    load.LOADED.clear()


@pytest.fixture
def actions(plan, monkeypatch, tmp_path):
    """GITHUB_ACTIONS with the repository as workspace; the summary's file."""
    for name, value in (
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_WORKSPACE", str(ROOT)),
        ("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md")),
    ):
        monkeypatch.setenv(name, value)
    return tmp_path / "summary.md"


def commands(text: str) -> list[tuple[str, dict, str]]:
    return [parsed(line) for line in text.splitlines() if line.startswith("::")]


@given(st.text(), st.text(), st.text(min_size=1))
def test_what_is_escaped_comes_back_as_it_was(message, title, name):
    """But for characters that no log may have."""
    message, title = (printable(text, keep="\r\n") for text in (message, title))
    place = (ROOT / name.replace("/", "_").replace("\x00", "_").replace("..", "_"), 7)
    line = Annotation("error", title, message, place).command(ROOT)
    assert "\n" not in line and "\r" not in line
    level, words, data = parsed(line)
    assert (level, words["title"], data, words["line"]) == ("error", title, message, "7")


@pytest.mark.parametrize(
    "text, data, prop",
    [
        ("a%b", "a%25b", "a%25b"),
        ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
        ("a:b,c", "a:b,c", "a%3Ab%2Cc"),
        ("%0A", "%250A", "%250A"),
    ],
)
def test_each_sign_is_escaped_as_the_runner_unescapes_it(text, data, prop):
    assert as_data(text) == data and as_property(text) == prop


def test_a_violation_stands_where_its_case_is_declared(actions, plan, capsys):
    plan.wrong = {"D2": "violated"}
    assert call(SMALL) == 1
    found = commands(capsys.readouterr().out)
    assert [(level, words["title"]) for level, words, _ in found] == [("error", "D2 violated")] * 2
    for _, words, message in found:
        line = (ROOT / words["file"]).read_text().splitlines()[int(words["line"]) - 1]
        assert words["file"].startswith("cases/") and "Case(" in line
        assert "lane 0 <moves> & more" in message and "noether replay" in message


def test_survivors_and_blind_laws_are_errors_and_inconclusive_a_warning(actions, plan, capsys):
    plan.wrong = {"D0": "survivor", "D2": "inconclusive", "O3": "survivor"}
    assert call(SMALL) == 3
    found = commands(capsys.readouterr().out)
    titles = [(level, words["title"]) for level, words, _ in found]
    assert (
        ("error", "D2 blind") in titles
        and ("error", "D0 blind") in titles
        and ("warning", "D2 inconclusive") in titles
    )
    (blind,) = [words for _, words, _ in found if words["title"] == "D2 blind"]
    line = (ROOT / blind["file"]).read_text().splitlines()[int(blind["line"]) - 1]
    assert blind["file"] == "harness/laws/exact/balance.py" and line.startswith("def charge_law(")


def test_a_survivor_stands_where_the_fault_is_planted(actions, plan, capsys):
    plan.wrong = dict.fromkeys(plan.LAWS, "survivor")
    assert call(SMALL) == 3
    (words,) = [
        words
        for _, words, _ in commands(capsys.readouterr().out)
        if words["title"] == "planted fault survived"
    ]
    assert '"no-op kernel"' in (ROOT / words["file"]).read_text().splitlines()[int(words["line"]) - 1]


def test_a_marked_rise_is_an_error(actions, plan, capsys):
    assert call([*SMALL, "--update-baseline"]) == 0
    text = Path("baseline.json").read_text()
    Path("baseline.json").write_text(
        re.sub(r'(D2 rayleigh.*"spent": )[^}]+', r"\g<1>1e-5", re.sub(r',\n"check": .*', "", text))
    )
    capsys.readouterr()
    assert call([*SMALL, "--baseline"]) == 1
    found = commands(capsys.readouterr().out)
    assert [(level, w["title"], w["file"]) for level, w, _ in found if "rayleigh" in w.get("file", "")] == [
        ("error", "marked rise", "cases/losses/rayleigh.py")
    ]
    assert any("was 1e-05, allowed" in message for *_, message in found)


def test_the_summary_has_a_row_a_law_and_every_finding(actions, plan):
    plan.wrong = {"D2": "violated"}
    assert call(SMALL) == 1
    text = actions.read_text()
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")] == [
        "| law",
        "| D0",
        "| D2",
        "| O3",
    ]
    assert "a law is violated: D2" in text and "2 findings" in text and "\\<moves\\>" in text
    assert call(SMALL) == 1
    assert actions.read_text() == text.replace(text, "") + text + actions.read_text()[len(text) :], (
        "appended, as each step must"
    )
    assert actions.read_text().count("### noether") == 2


def test_nothing_is_said_elsewhere(plan, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    plan.wrong = {"D2": "violated"}
    assert call(SMALL) == 1
    out, err = capsys.readouterr()
    assert "::" not in out + err and not (tmp_path / "summary.md").exists()


def test_json_keeps_stdout_for_itself(actions, plan, capsys):
    import json

    plan.wrong = {"D2": "violated"}
    assert call([*SMALL, "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["exit_code"] == 1 and len(commands(err)) == 2


def test_a_summary_that_cannot_be_written_is_a_note(actions, plan, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/no/such/folder/summary.md")
    assert call(SMALL) == 0
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("errors, warnings", [(0, 0), (SHOWN, 1), (SHOWN + 1, SHOWN + 5), (500, 0)])
def test_never_more_than_the_runner_shows_and_the_rest_is_counted(errors, warnings):
    found = shown(
        [Annotation("error", "e", "") for _ in range(errors)]
        + [Annotation("warning", "w", "") for _ in range(warnings)]
    )
    for level, n in (("error", errors), ("warning", warnings)):
        mine = [a for a in found if a.level == level]
        assert len(mine) == min(n, SHOWN)
        if n > SHOWN:
            assert mine[-1].title == f"... and {n - SHOWN + 1} more"


def test_a_file_outside_the_workspace_gets_no_place(tmp_path):
    line = Annotation("error", "t", "m", (Path("/elsewhere/case.py"), 3)).command(tmp_path)
    assert line == "::error title=t::m"


def test_every_case_law_and_fault_has_a_place():
    from noether.cases import CATALOG
    from noether.laws.exact.shown_faults import KERNEL_FAULTS
    from noether.laws.registry import LAWS

    for place in (
        *(case_place(c.name) for c in CATALOG),
        *map(law_place, LAWS),
        *(fault_place(c.name) for c in KERNEL_FAULTS),
    ):
        assert place and place[0].is_relative_to(ROOT) and place[1] >= 1
    assert (
        case_place("no-such-case") is None
        and law_place("Z9") is None
        and fault_place("no such fault" * 2) is None
    )


def test_the_place_of_a_case_of_a_users_file_is_in_that_file(tmp_path):
    from test_cli import GOOD_CASE

    (tmp_path / "mine.py").write_text(GOOD_CASE.replace('"own"', '"own-place"'))
    load.load(str(tmp_path / "mine.py"))
    file, line = case_place("own-place")
    assert file == (tmp_path / "mine.py").resolve() and "own-place" in file.read_text().splitlines()[line - 1]


def test_announce_is_a_function_of_the_environment_it_is_given(plan):
    written = []
    announce(object(), written.append, {})
    announce(object(), written.append, {"GITHUB_ACTIONS": "false"})
    assert not written and github.SHOWN == 10
