"""A run becomes a small file and comes back whole; a history shows what can be compared, counts the rest."""

import json
import re
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cli.main import call
from noether.report.history_rows import BLOCKS, sparkline, squeezed
from noether.report.history_table import FRAME, QUANTITIES, VALUE, widths
from noether.runs import history, history_file
from noether.runs.history import once
from noether.runs.history_file import Point
from noether.runs.saved_run import read_run
from noether.system.usage import UsageError

SMALL = ["verify", "rayleigh", "mexican-hat", "--precision", "float64", "--jobs", "1"]


def ran(name: str, *more: str) -> Path:
    assert call([*SMALL, "--out", name, *more]) in (0, 1, 3)
    return Path(name)


def told(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


# ---- one run


def test_a_run_comes_back_from_its_file_as_it_was(plan):
    p = history_file.of_run(read_run(ran("runs/a")))
    again = history_file.of_text(history_file.text(p), p.origin)
    assert again == p and p.laws["D2"].holds == 2 and p.laws["D2"].killed == 1 and p.groups and p.cells == 6


def test_what_is_not_finite_comes_back(plan):
    plan.wrong = {"D2": "nan"}
    p = history_file.of_run(read_run(ran("runs/a")))
    again = history_file.of_text(history_file.text(p), p.origin)
    assert again.laws["D2"].worst != again.laws["D2"].worst and again.laws["D2"].verdict == "violated"


def test_a_whole_quick_run_is_a_small_file():
    """The shipped baseline has the entries of a quick run; its laws stand for those of the run."""
    from noether.runs.baseline import read
    from noether.system import resources

    p = history_file.of_baseline(read(resources.path("baseline.json")), "c" * 40, "2027-01-01T00:00:00+00:00")
    assert len(p.laws) > 40 and len(history_file.text(p)) < 20_000


def test_adding_a_run_twice_changes_nothing_and_another_gets_another_file(plan, capsys):
    for name in ("runs/a", "runs/b"):
        ran(name)
    capsys.readouterr()
    for name, word in (("a", "history/"), ("a", "has this run already"), ("b", "-2.json")):
        assert call(["history", "add", f"runs/{name}"]) == 0
        assert word in told(capsys)
    files = sorted(Path("history").iterdir())
    assert len(files) == 2 and all(
        re.fullmatch(r"\d{4}-\d\d-\d\d-\w+(-2)?\.json", f.name.replace("no-commit", "x")) for f in files
    )
    assert call(["history", "add", "runs/a", "--to", "other", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["new"] and Path(value["file"]).stat().st_size == value["bytes"]


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda t: t.replace('"holds":2', '"holds":3', 1), "its check is not that of its content"),
        (lambda t: t[: len(t) // 2], "is corrupt"),
        (lambda t: "[]", "is no history file"),
        (lambda t: t.replace('"schema": 1', '"schema": 9'), "schema is 9, this noether reads 1"),
        (lambda t: re.sub(r',\n"check": .*', "", t), "it has no check"),
        (lambda t: "", "is corrupt"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_lost(plan, capsys, spoil, said):
    ran("runs/a")
    assert call(["history", "add", "runs/a"]) == 0
    (file,) = Path("history").iterdir()
    file.write_text(spoil(file.read_text()))
    before = file.read_text()
    capsys.readouterr()
    for words in (["history"], ["history", "add", "runs/a"]):
        assert call(words) == 2
        err = capsys.readouterr().err
        assert str(file) in err and said in err and len(err.splitlines()) == 1
    assert [f.name for f in Path("history").iterdir()] == [file.name] and file.read_text() == before


@given(
    st.dictionaries(
        st.sampled_from(["holds", "worst", "where", "verdict", "more"]), st.none() | st.text() | st.floats()
    )
)
def test_whatever_a_law_is_in_a_file_it_is_read_or_refused(value):
    from noether.system import seal

    head = '{"kind": "noether history", "schema": 1, "id": "x", "start": "2027-01-31", "commit": null'
    head += ', "choice": {}'
    body = f'{head}, "run": {{}}, "groups": {{}}, "orders": {{}}, "laws": {{"D2": {json.dumps(value)}}}}}'
    try:
        history_file.of_text(seal.sealed(body, indent=""), "x")
    except UsageError as error:
        assert "corrupt" in str(error)


# ---- many


def test_only_runs_that_can_be_compared_are_shown_and_the_rest_is_counted(plan, capsys):
    for name, more in (
        ("a", ()),
        ("b", ()),
        ("c", ("--seed", "3")),
        ("d", ("--profile", "full")),
        ("e", ("--law", "D2")),
    ):
        ran(f"runs/{name}", *more)
    assert call([*SMALL, "--shard", "1/2", "--out", "runs/f"]) == 0
    capsys.readouterr()
    assert call(["history"]) == 0
    out = told(capsys)
    assert "2 runs of profile quick, seed 0, backend numpy" in out and "runs/history.html" in out
    for words in (
        "1 run of profile quick, seed 3",
        "1 run of profile full",
        "law D2",
        "1 part of a run",
    ):
        assert words in out
    assert call(["history", "--seed", "3", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [r["origin"] for r in value["runs"]] == ["runs/c"] and value["series"]["seed"] == 3
    for words in (["--profile", "full"], ["--backend", "numpy"]):
        assert call(["history", *words]) == 0
    assert call(["history", "--profile", "stress"]) == 2
    assert "no run has profile stress: there are profile quick, seed 0" in capsys.readouterr().err


def test_a_series_is_told_in_words_and_a_case_file_by_its_name_and_digest():
    files = {"physics/my_case.py": "cdd5bd5a6c47ab34", "other.py": "0011223344556677"}
    about = {"profile": "quick", "seed": 0, "backend": "numpy", "cases": ["physics/my_case.py", "product"]}
    about |= {"law": ["D2", "T1"], "rule": None, "eta": 0.25, "files": files}
    named = "cases physics/my_case.py (digest cdd5bd5a), product, other.py (digest 00112233)"
    words = history.told(about)
    assert words == f"profile quick, seed 0, backend numpy, {named}, law D2, T1, eta 0.25"
    assert history.told({**about, "cases": [f"c{i}" for i in range(9)], "files": {}}).count("and 5 more") == 1


def test_a_violation_is_a_step_in_the_table_the_page_and_the_document(plan, capsys):
    ran("runs/a")
    plan.wrong = {"D2": "violated"}
    ran("runs/b")
    for name in "ab":
        assert call(["history", "add", f"runs/{name}"]) == 0
    capsys.readouterr()
    assert call(["history", "history", "--page", "page.html"]) == 0, "a history judges no run"
    assert "D2: is violated, was holds" in told(capsys)
    page = Path("page.html").read_text()
    assert "is violated, was holds" in page and page.count("<svg") == 4, "three laws and the whole run"
    assert not re.search(r"(src|href)=\"(?!#)|https?:", page)
    assert 'data-x="run" data-y="value"' in page and 'data-v="1,' in page, "what CSV and the tooltips read"
    assert call(["history", "history", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [(s["law"], s["kind"], s["at"], s["worse"]) for s in value["steps"]] == [
        ("D2", "verdict", 1, True)
    ]


def test_a_run_that_is_there_as_file_and_folder_counts_once(plan):
    ran("runs/a")
    assert call(["history", "add", "runs/a", "--to", "runs"]) == 0
    points, _ = history.of_folder(Path("runs"))
    assert len(points) == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (["nowhere"], "nowhere is not there: it must be a folder"),
        (["empty"], "has no history file and no run"),
        (["add"], "was given 0 runs, must be one"),
        (["add", "nowhere"], "run nowhere is not there"),
        (["empty", "empty"], "it must be one folder"),
        (["empty", "--to", "x"], "it must be one folder"),
        (["--git", "empty/x.json"], "git"),
    ],
)
def test_wrong_words_are_one_line_and_exit_2(plan, capsys, words, said):
    Path("empty").mkdir()
    assert call(["history", *words]) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.splitlines()) == 1


# ---- sparklines


@given(st.lists(st.none() | st.floats(allow_nan=True), max_size=9))
def test_a_sparkline_has_one_character_a_value(values):
    line = sparkline(values)
    assert len(line) == len(values) and set(line) <= {*BLOCKS, " ", "!"}


@given(st.lists(st.none() | st.floats(0, 1), max_size=40), st.integers(1, 9))
def test_a_squeezed_history_has_room_and_shows_a_step_where_it_was(values, most):
    found = squeezed(values, most)
    assert len(found) == min(most, len(values)) and all(x is None or x in (0, 1) or 0 < x < 1 for x in found)
    assert squeezed([0.0] * 30 + [1.0] * 15, 3) == [0.0, 0.0, 1.0]


@given(st.sets(st.sampled_from(sorted(QUANTITIES))), st.integers(1, 400), st.integers(60, 200))
def test_a_line_of_the_table_is_no_wider_than_the_terminal(there, runs, width):
    shown, length, title = widths([name for name in QUANTITIES if name in there], runs, width)
    line = FRAME + sum(VALUE + max(length, len(QUANTITIES[name])) for name in shown) + title
    assert line <= width and 0 < length <= runs and ("spent" in shown) == ("spent" in there)


def test_a_sparkline_grows_with_its_values():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == BLOCKS and sparkline([1.0, None, float("inf")]) == "▄ !"


ZONES = ["2027-01-31T00:10:00+14:00", "2027-01-30T23:30:00-12:00", "2027-01-30T11:00:00", "2027-01-29"]


def test_runs_are_in_the_order_of_time_whatever_their_zones():
    points = [Point(f"id{n}", start, None, {}, {}, {}) for n, start in enumerate(ZONES)]
    in_utc = ["2027-01-29T00:00", "2027-01-30T10:10", "2027-01-30T11:00", "2027-01-31T11:30"]
    assert [f"{p.when.astimezone(UTC):%Y-%m-%dT%H:%M}" for p in once(points)] == in_utc


@pytest.mark.parametrize("start", ["yesterday", "2027-W05-1", "20270131", "2027-02-30", "", "x"])
def test_a_time_that_is_none_is_refused(start):
    point = Point("id", start, None, {}, {}, {})
    with pytest.raises(UsageError, match="start is .*, must be a time, as in 2027-01-31T12:00"):
        history_file.of_text(history_file.text(point), "x.json")
