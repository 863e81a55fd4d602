"""A run as SARIF: the structure of the standard, one stable result a violated place, and a badge."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plainest import record

from noether.cli.main import call
from noether.report.sarif import document, fingerprint, loss_place, theory
from noether.verdicts.record import INCONCLUSIVE, VIOLATED

ROOT = Path(__file__).resolve().parent.parent
SMALL = ["verify", "rayleigh", "mexican-hat", "--precision", "float64,float16", "--jobs", "1"]


def of(records, laws=("D2",), errors=(), **about) -> dict:
    """The one run of the log of these records."""
    about = {"laws": list(laws), "exit_code": 1, **about}
    (run,) = document(records, about, dict(errors), root=ROOT, environment={})["runs"]
    return run


def violated(**facts):
    return record("D2", **{"case": "rayleigh", "verdict": VIOLATED, "spent": 7.0, "reason": "far", **facts})


# ---- the structure, as sections 3.13 to 3.58 of the standard have it

STRING, WHOLE = str, int
LOG = {"$schema!": STRING, "version!": STRING, "runs!": list}
RUN = {"tool!": dict, "results!": list, "invocations": list, "automationDetails": dict}
RUN |= {"columnKind": STRING, "originalUriBaseIds": dict}
DRIVER = {
    "name!": STRING,
    "version": STRING,
    "semanticVersion": STRING,
    "informationUri": STRING,
    "rules": list,
}
RULE = {"id!": STRING, "name": STRING, "shortDescription": dict, "fullDescription": dict, "help": dict}
RULE |= {"helpUri": STRING, "defaultConfiguration": dict, "properties": dict}
RESULT = {"ruleId": STRING, "ruleIndex": WHOLE, "kind": STRING, "level": STRING, "message!": dict}
RESULT |= {"locations": list, "partialFingerprints": dict, "occurrenceCount": WHOLE, "suppressions": list}
RESULT |= {"properties": dict}
SUPPRESSION = {"kind!": STRING, "status": STRING, "justification": STRING}
INVOCATION = {"executionSuccessful!": bool, "exitCode": WHOLE, "startTimeUtc": STRING, "endTimeUtc": STRING}
INVOCATION |= {"toolExecutionNotifications": list}
NOTIFICATION = {"level": STRING, "message!": dict}


def fits(value: dict, table: dict) -> None:
    """An object of the standard has what it must, and nothing that the standard does not have."""
    names = {name.rstrip("!"): kind for name, kind in table.items()}
    assert not (wrong := set(value) - set(names)), f"{wrong} is not of the standard"
    assert not (lost := {n[:-1] for n in table if n.endswith("!")} - set(value)), f"{lost} is missing"
    for name, x in value.items():
        assert isinstance(x, names[name]) and (names[name] is bool or not isinstance(x, bool)), (name, x)


def check(log: dict) -> None:
    """Raises AssertionError where a log is none of SARIF 2.1.0."""
    fits(log, LOG)
    assert log["version"] == "2.1.0" and log["$schema"].startswith("https://")
    for run in log["runs"]:
        fits(run, RUN)
        fits(run["tool"]["driver"], DRIVER)
        rules = run["tool"]["driver"]["rules"]
        assert len({r["id"] for r in rules}) == len(rules)
        for rule in rules:
            fits(rule, RULE)
            assert urlsplit(rule.get("helpUri", "x://y")).scheme, "helpUri must be absolute"
        for result in run["results"]:
            fits(result, RESULT)
            assert result["level"] in ("none", "note", "warning", "error")
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["message"]["text"] and result["occurrenceCount"] >= 1
            for at in (x["physicalLocation"] for x in result["locations"]):
                assert at["region"]["startLine"] >= 1
                is_absolute = bool(urlsplit(at["artifactLocation"]["uri"]).scheme)
                base = at["artifactLocation"].get("uriBaseId")
                assert is_absolute == (base is None) and base in (None, *run["originalUriBaseIds"])
            for one in result["suppressions"]:
                fits(one, SUPPRESSION)
                assert one["kind"] in ("inSource", "external")
        for one in run["invocations"]:
            fits(one, INVOCATION)
            for each in one["toolExecutionNotifications"]:
                fits(each, NOTIFICATION)


def test_a_violated_run_is_sarif_and_its_places_are_where_the_losses_begin(plan, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(ROOT))
    plan.wrong = {"D2": "violated", "O3": "inconclusive"}
    assert call([*SMALL, "--out", "run", "--sarif", "a.sarif"]) == 1
    log = json.loads(Path("a.sarif").read_text())
    check(log)
    (run,) = log["runs"]
    assert [r["id"] for r in run["tool"]["driver"]["rules"]] == ["D0", "D2", "O3"]
    assert [r["ruleId"] for r in run["results"]] == ["D2"] * 4, "two cases in two precisions"
    for result in run["results"]:
        at = result["locations"][0]["physicalLocation"]
        line = (ROOT / at["artifactLocation"]["uri"]).read_text().splitlines()[at["region"]["startLine"] - 1]
        assert at["artifactLocation"]["uri"].startswith("cases/losses/") and line.startswith("def ")
        assert "noether replay" in result["message"]["text"] and result["suppressions"] == []
    warnings = run["invocations"][0]["toolExecutionNotifications"]
    assert any("inconclusive" in w["message"]["text"] for w in warnings)
    assert call(["report", "run", "--sarif", "b.sarif"]) == 0
    again = json.loads(Path("b.sarif").read_text())["runs"][0]["results"]
    assert [r["partialFingerprints"] for r in again] == [r["partialFingerprints"] for r in run["results"]]


def test_what_is_known_is_suppressed_with_its_reason(plan):
    Path("pyproject.toml").write_text(
        "[[tool.noether.known]]\nlaw = 'D2'\ncase = 'rayleigh'\nreason = 'old kernel'\n"
    )
    plan.wrong = {"D2": "violated"}
    assert call([*SMALL, "--sarif", "a.sarif"]) == 1, "mexican-hat is not known"
    log = json.loads(Path("a.sarif").read_text())
    check(log)
    said = {
        r["properties"]["case"]: [s["justification"] for s in r["suppressions"]]
        for r in log["runs"][0]["results"]
    }
    assert said == {"rayleigh": ["old kernel"], "mexican-hat": []}


def test_a_run_that_holds_has_rules_and_no_results(plan):
    assert call([*SMALL, "--sarif", "a.sarif"]) == 0
    log = json.loads(Path("a.sarif").read_text())
    check(log)
    assert log["runs"][0]["results"] == [] and log["runs"][0]["invocations"][0]["executionSuccessful"]


def test_faults_are_no_results_and_a_place_is_one():
    run = of([violated(), violated(spent=9.0), violated(fault="no-op"), violated(rule="adam")])
    assert [(r["occurrenceCount"], r["properties"]["spent"]) for r in run["results"]] == [(1, 7.0), (2, 9.0)]


@given(st.floats(1.1, 1e300), st.integers(1, 9), st.text(max_size=9))
def test_a_fingerprint_depends_on_the_place_alone(spent, steps, reason):
    prints = lambda r: of([r])["results"][0]["partialFingerprints"]
    first = prints(violated())
    assert prints(violated(spent=spent, steps=steps, reason=reason, backend="triton-cpu")) == first
    for other in (dict(precision="float32"), dict(rule="adam"), dict(symmetry="scale")):
        assert prints(violated(**other)) != first
    assert re.fullmatch(r"[0-9a-f]{16}:1", fingerprint("x"))


def test_what_is_not_finite_is_strict_json():
    run = of([violated(spent=float("inf"), measured=float("nan"))])
    assert "Infinity" not in json.dumps(run, allow_nan=False)
    assert run["results"][0]["properties"]["spent"] == "inf"


def test_cells_without_an_end_and_broken_promises_are_notifications():
    run = of([record("D2", verdict=INCONCLUSIVE)], errors={"c": "Traceback\nBoom"}, exit_code=70, blind=["x"])
    told = [(n["level"], n["message"]["text"]) for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert told[:2] == [("error", "c: Boom"), ("error", "blind: x")] and told[2][0] == "warning"
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_case_without_a_file_stands_at_its_law():
    (result,) = of([violated(case="nowhere")])["results"]
    at = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert at == "harness/laws/exact/balance.py" and loss_place("nowhere") is None


def test_the_theory_is_a_page_of_the_repository_where_that_is_built():
    told = {"GITHUB_SERVER_URL": "https://g", "GITHUB_REPOSITORY": "o/n", "GITHUB_SHA": "abc"}
    told |= {"GITHUB_WORKSPACE": str(ROOT)}
    assert theory("D2", told) == "https://g/o/n/blob/abc/docs/theory.md#D2"
    assert theory("D2", {}).startswith("file://")


@pytest.mark.parametrize("words", [["--sarif", "no/x.sarif"], ["--sarif", "."]])
def test_a_place_that_cannot_be_written_is_told(plan, capsys, words):
    code = call([*SMALL, *words])
    err = capsys.readouterr().err
    said = "must be a file of a folder" if "no/x.sarif" in words else "is a folder, must be a regular file"
    assert code == 2 and said in err and not Path("runs").exists(), "nothing ran"


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"runs": [{"tool": {"driver": {}}, "results": []}]},
        {"runs": [{"tool": {"driver": {"name": "x", "rules": []}}, "results": [], "more": 1}]},
    ],
)
def test_what_is_no_sarif_is_seen(wrong):
    with pytest.raises(AssertionError):
        check({"$schema": "https://x", "version": "2.1.0", "runs": [], **wrong})


def test_a_place_is_a_uri_whatever_the_names_of_its_folders(tmp_path, monkeypatch):
    file = tmp_path / "d ü x" / "é l%.py"
    file.parent.mkdir()
    file.write_text("")
    monkeypatch.setattr("noether.report.sarif.loss_place", lambda name: (file, 1))
    (run,) = document([violated()], {"laws": ["D2"]}, {}, root=tmp_path, environment={})["runs"]
    at = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert at == {"uri": "d%20%C3%BC%20x/%C3%A9%20l%25.py", "uriBaseId": "%SRCROOT%"}
    assert tmp_path / unquote(at["uri"]) == file


# ---- the badge


@pytest.mark.parametrize(
    "wrong, known, said",
    [
        ("", "", ("3 laws hold", "brightgreen")),
        ("D2=violated,O3=violated", "", ("D2, O3 violated", "red")),
        ("D2/rayleigh/float16=violated", "D2", ("2 laws hold, 1 known violation", "brightgreen")),
        ("D2=violated", "D2", ("undecided", "yellow")),
        ("O3=inconclusive", "", ("undecided", "yellow")),
        ("O3=raises", "", ("no result", "orange")),
        ("", "D2", ("not as expected", "red")),
        ("O3=interrupted", "", ("unfinished", "lightgrey")),
    ],
)
def test_the_badge_is_one_of_shields_io(plan, wrong, known, said):
    plan.wrong = dict(x.split("=") for x in wrong.split(",") if x)
    entries = (f"[[tool.noether.known]]\nlaw = '{known}'\ncase = '{c}'\nreason = 'x'\n" for c in SMALL[1:3])
    Path("pyproject.toml").write_text("".join(entries) if known else "")
    words = SMALL if wrong else [*SMALL[:3], *SMALL[5:]]
    call([*words, "--out", "run"])
    assert call(["report", "run", "--badge", "badge.json"]) == 0
    found = json.loads(Path("badge.json").read_text())
    assert set(found) == {"schemaVersion", "label", "message", "color"} and found["schemaVersion"] == 1
    assert (found["message"], found["color"]) == said


def test_two_runs_have_no_badge(plan, capsys):
    assert call([*SMALL, "--out", "run"]) == 0
    assert call(["report", "run", "run", "--badge", "x.json"]) == 2
    assert "--badge x.json is of one run" in capsys.readouterr().err
