"""What a command says of known violations, in all that it writes."""

import json
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from plainest import record
from test_known import NARROW, SMALL, project

from noether import verify
from noether.cli.main import call
from noether.report.next_step import next_step
from noether.runs.result import Result
from noether.system.usage import UsageError
from noether.verdicts.known import SEEN, entry, of_about
from noether.verdicts.record import VIOLATED, summarise


def test_a_known_violation_fails_nothing_and_is_told_everywhere(plan, capsys):
    plan.wrong = {**NARROW}
    assert call([*SMALL[:-2], "--out", "before"]) == 1
    project()
    capsys.readouterr()
    assert call(SMALL) == 0
    out = capsys.readouterr().out
    assert "everything else holds; 1 known violation (D2)" in out and "the kernel is old" in out
    assert "next, look at it" in out
    assert "violated: " not in out.replace("known violations: ", "") and " known\n" in out
    records = [json.loads(x) for x in Path("run/records.jsonl").read_text().splitlines()]
    assert sum(r["verdict"] == VIOLATED for r in records if not r["fault"]) == 1, "records never change"
    suites = xml.parse("run/junit.xml").getroot()
    assert suites.get("failures") == "0" and [s.get("message") for s in suites.iter("skipped")] == [
        "known: the kernel is old"
    ]
    page = Path("run/report.html").read_text()
    assert "Known violations: 1" in page and "the kernel is old" in page
    assert call(["report", "run"]) == 0
    assert "the kernel is old" in Path("run/report.html").read_text(), "the folder knows it"


def test_json_has_what_is_known(plan, capsys):
    plan.wrong = {**NARROW}
    project(until="2999-12-31")
    assert call([*SMALL, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [(k["law"], k["status"], k["violations"], k["until"]) for k in value["known"]] == [
        ("D2", SEEN, 1, "2999-12-31")
    ]
    assert {v["known"] for v in value["violated"]} == {"the kernel is old"}


@pytest.mark.parametrize(
    "wrong, more", [("", {}), ("violated", {"until": "2000-01-01"}), ("violated", {"precision": "float32"})]
)
def test_gone_and_expired_and_elsewhere_are_exit_1(plan, capsys, wrong, more):
    plan.wrong = {"D2": wrong}
    project(**more)
    assert call(["verify", "rayleigh", "--jobs", "1", "--out", "run"] if not wrong else SMALL) == 1
    out = " ".join(capsys.readouterr().out.split())
    said = {"": "is violated no more: take its entry out", "violated": "a law is violated: D2"}
    assert said[wrong] in out and ("the entry expired" in out) == ("until" in more)
    if not wrong:
        (failure,) = xml.parse("run/junit.xml").getroot().iter("failure")
        assert failure.get("type") == "gone" and "known violations that are gone: D2 rayleigh" in out


def test_gone_without_strict_is_told_and_holds(plan, capsys):
    project(strict=False)
    assert call(["verify", "rayleigh", "--jobs", "1"]) == 0
    assert "its entry may be taken out" in " ".join(capsys.readouterr().out.split())


def test_without_the_configuration_it_is_a_violation(plan):
    plan.wrong = {**NARROW}
    project()
    assert call([*SMALL, "--no-config"]) == 1


def test_parts_and_their_whole_know_it_too(plan):
    plan.wrong = {**NARROW}
    project()
    for i in (1, 2):
        assert call([*SMALL[:-2], "--shard", f"{i}/2", "--out", f"p{i}"]) == 0
    assert call(["merge", "p1", "p2", "--out", "whole"]) == 0
    assert call(["merge", "p1", "p2", "--out", "whole2", "--no-config"]) == 1


def test_a_resumed_run_is_judged_with_what_is_known_then(plan):
    plan.wrong = {**NARROW, "O3": "interrupted"}
    assert call(SMALL) == 130
    plan.wrong = {**NARROW}
    project()
    assert call(["verify", "--resume", "run", "--jobs", "1"]) == 0
    assert [s.status for s in of_about(json.loads(Path("run/run.json").read_text()))] == [SEEN]


def test_python_reads_no_pyproject_unless_it_is_named(plan):
    plan.wrong = {**NARROW}
    project()
    words = dict(precisions="float64,float16", jobs=1)
    assert verify("rayleigh", **words).exit_code == 1
    assert verify("rayleigh", **words, known=Path("pyproject.toml")).exit_code == 0
    result = verify("rayleigh", **words, known=[{"law": "D2", "case": "rayleigh", "reason": "x"}])
    assert result.exit_code == 0 and result.known[0].status == SEEN
    with pytest.raises(UsageError, match=r"known: entry 1: has no reason"):
        verify("rayleigh", **words, known=[{"law": "D2", "case": "rayleigh"}])


@pytest.mark.parametrize(
    "more, said",
    [
        ({"reason": " "}, "reason is ' ', must be text that says why"),
        ({"until": "soon"}, "until is 'soon', must be a day, as in 2027-01-31"),
        ({"strict": "yes"}, "strict is 'yes', must be true or false"),
        ({"laws": "D2"}, "has laws, must have none but law, case"),
        ({"law": 2}, "law is 2, must be text"),
    ],
)
def test_a_wrong_entry_says_what_it_must_be(more, said):
    with pytest.raises(ValueError, match=said):
        entry({"law": "D2", "case": "rayleigh", "reason": "why", **more})


def test_run_json_refuses_a_damaged_entry(plan):
    plan.wrong = {**NARROW}
    project()
    assert call(SMALL) == 0
    about = json.loads(Path("run/run.json").read_text())
    about["known"][0]["status"] = "fine"
    from noether.runs.run_json import text

    Path("run/run.json").write_text(text(about))
    assert call(["report", "run"]) == 2


def test_github_is_told_with_a_warning_and_a_line_of_the_summary(plan, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    plan.wrong = {**NARROW}
    project()
    assert call(SMALL) == 0
    out = capsys.readouterr().out
    assert "::warning" in out and "D2 violated%2C known" in out and "::error" not in out
    text = Path("summary.md").read_text()
    assert "known violations" in text and "the kernel is old" in text and "| known |" in text


def test_a_law_that_is_violated_wherever_it_is_asked_is_told_to_be_blind(plan, capsys):
    plan.wrong = {"D2": "violated"}
    project()
    assert call(SMALL) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "could not decide: no fault was killed by D2 where it is not violated anyway" in out
    assert "2 verdicts on planted faults left out" in out and "known violations: 1 entry" in out
    assert "| D2" not in out and "D2" not in killers_of(out)
    from noether.api.result import Result

    again = Result.load("run")
    assert [(row.faults, row.killed) for row in again.rows if row.law == "D2"] == [(1, 0)]
    book = json.loads(Path("run/run.json").read_text())
    assert book["exit_code"] == 3


def killers_of(out: str) -> str:
    """What the table of planted faults says beside its one fault."""
    return out.split("no-op kernel ")[1].split(" known violations")[0]


@pytest.mark.parametrize(
    "entry, words, said",
    [
        ({"rule": "nesterov"}, [], "no verdict on what the entry names was in this run"),
        ({"case": "ring"}, [], "no case of that name was in this run"),
        ({}, ["--precision", "float64"], "it holds as far as this run asked, which is only a part of what"),
        ({"law": "O3"}, [], "this run did not decide what the entry names"),
        ({"law": "D0"}, [], "what the entry names is outside of what the law states"),
    ],
)
def test_an_entry_that_is_not_judged_says_what_the_run_lacked(plan, capsys, monkeypatch, entry, words, said):
    monkeypatch.setattr(plan, "RULES", (*plan.RULES, "nesterov"))
    plan.wrong = {"O3": "inconclusive", "D0": "outside"}
    project(**entry)
    call(["verify", "rayleigh", "--jobs", "1", "--out", "run", *words])
    out = " ".join(capsys.readouterr().out.split())
    assert said in out and "was not decided" not in out
    assert call(["report", "run"]) == 0, "the folder knows it"
    assert said in " ".join(Path("run/report.html").read_text().split())


def test_what_to_do_next_about_an_entry_that_is_gone_is_to_take_it_out(plan, capsys):
    project()
    assert call(["verify", "rayleigh", "--jobs", "1", "--out", "run"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "next, take what is violated no more out of pyproject.toml: D2 rayleigh" in out
    told = [{"law": "D2", "case": "rayleigh", "reason": "another reason"}]
    result = verify("rayleigh", jobs=1, known=told, out="again")
    assert (
        next_step(result)
        == "next, take what is violated no more out of the list of known violations: D2 rayleigh"
    )


def test_what_to_do_next_about_a_survivor_names_a_law_that_was_shown_it(plan, capsys):
    plan.wrong = {"D0": "survivor", "D2": "survivor", "O3": "survivor"}
    assert call([*SMALL[:-2], "--law", "O3,D2", "--out", "run"]) == 3
    assert "noether explain D2 run" in " ".join(capsys.readouterr().out.split())
    rows = [record("D0"), record("D0", fault="a", verdict=VIOLATED), record("D2", case="rayleigh")]
    rows += [record("D2", fault="a", verdict=VIOLATED), record("D2", fault="b")]
    result = Result(rows, summarise(rows, ["D0", "D2"]), 3, ("D0", "D2"))
    result.folder = Path("run")
    assert "noether explain D2 run" in next_step(result)


def test_a_law_that_a_run_never_judged_is_told_so(plan, capsys):
    assert call(["verify", "rayleigh", "--law", "D0", "--jobs", "1", "--out", "run"]) == 0
    capsys.readouterr()
    assert call(["explain", "D2", "run"]) == 0
    assert "D2 was not judged in this run" in capsys.readouterr().out
