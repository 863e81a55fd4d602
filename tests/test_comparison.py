"""`noether report A B`: what changed is told with both numbers, worse is exit code 1, and nothing else is."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as xml

import plainest
import pytest

from noether.cli.main import call
from noether.labs.stress.forging import rewrite
from noether.report.comparison_table import told
from noether.report.page.compare import render
from noether.runs.comparison import difference
from noether.runs.saved_run import Run
from noether.verdicts.record import ORDER, VIOLATED

ABOUT = {"schema": 1, "arguments": {"cases": [], "profile": "quick", "seed": 0}, "seed": 0}
ABOUT |= {"backend": "numpy", "laws": ["D2", "D3"], "machine": {"processor": "p"}, "versions": {"numpy": "2"}}
ABOUT |= {"start": "then", "end": "now", "exit_code": 0, "seconds": 1.0}
PRECISIONS = ("float64", "float32", "float16")


def record(law, case, precision, spent, **facts):
    about = dict(rule="heavy-ball", predicted=1.0, measured=1.0, bound=1e-12, symmetry="scale", seconds=0.1)
    return plainest.record(law, case=case, precision=precision, spent=spent, **{**about, **facts})


def usual():
    records = [
        record(law, case, p, 0.3)
        for law in ("D2", "D3")
        for case in ("rayleigh", "mexican-hat")
        for p in PRECISIONS
    ]
    planted = [
        record(law, "rayleigh", "float64", 1e6, verdict=VIOLATED, fault=name)
        for law in ("D2", "D3")
        for name in ("no-op kernel", "ascent")
    ]
    return records + planted


def run(records, name="a", **about):
    return Run(Path(name), {**ABOUT, **about}, records)


def changed(change, **about):
    """The usual run against one in which each record went through `change`, which gives None for what is not
    there."""
    return difference(run(usual()), run([x for r in usual() if (x := change(r)) is not None], "b", **about))


def at(r, law="D2", case="rayleigh", precision="float64"):
    return r.fault is None and (r.law, r.case, r.precision) == (law, case, precision)


def text(d):
    return "\n".join(str(x) for x in told(d) if not hasattr(x, "columns"))


def test_a_run_is_not_worse_than_itself():
    d = changed(lambda r: r)
    assert not d.worse and d.marked.compared == 12 and not d.moved
    assert "nothing is worse" in text(d) and "Nothing is worse" in render(d)


def test_a_planted_rise_is_worse_and_told_with_both_numbers():
    d = changed(lambda r: replace(r, spent=0.6) if at(r, "D2") else r)
    assert not d.worse, "inside the scatter of 12 entries of D2 in float64"
    small = difference(run([replace(r, spent=0.07) if at(r) else r for r in usual()]), run(usual(), "b"))
    assert list(small.marked.rises) == ["D2 rayleigh heavy-ball float64 scale"]
    assert len(small.worse) == 1 and "spent 0.3, was 0.07" in text(small)
    assert any(
        n.startswith("D2 rayleigh heavy-ball float64") and (a, b) == (0.07, 0.3) for n, a, b in small.moved
    )


def test_a_fall_is_told_and_is_not_worse():
    d = changed(lambda r: replace(r, spent=0.07) if at(r) else r)
    assert not d.worse and d.marked.falls == ["D2 rayleigh heavy-ball float64 scale"]
    assert "spent 0.300 → 0.070" in text(d)


def test_a_lost_place_is_worse_where_both_were_asked_for_the_same():
    d = changed(lambda r: None if at(r) else r)
    assert d.same and len(d.worse) == 1 and "places lost: 1 (D2 rayleigh" in d.worse[0]
    other = changed(
        lambda r: None if at(r) else r, arguments={**ABOUT["arguments"], "cases": ["mexican-hat"]}
    )
    assert not other.same and not other.worse and "not here (another choice" in text(other)
    assert "arguments cases was [], is ['mexican-hat']" in text(other)
    unfinished = changed(lambda r: None if at(r) else r, end=None)
    assert not unfinished.worse and "b is unfinished" in text(unfinished)


def test_a_lost_law_is_worse():
    d = changed(lambda r: None if r.law == "D3" else r, laws=["D2"])
    assert any("laws that are gone: 1 (D3)" in line for line in d.worse)
    assert [c.verdicts for c in d.laws] == [("holds", "holds"), ("holds", "not there")]


def test_a_verdict_that_changed_is_worse_one_way_only():
    broken = lambda r: replace(r, verdict=VIOLATED, spent=7.5) if at(r) else r
    d = changed(broken)
    assert d.violated == ["D2 rayleigh heavy-ball float64 scale"] and [c.worse for c in d.laws] == [
        True,
        False,
    ]
    assert any("laws that hold no more: 1 (D2)" in line for line in d.worse) and any(
        "places now violated" in line for line in d.worse
    )
    back = difference(run([broken(r) for r in usual()]), run(usual(), "b"))
    assert not back.worse and back.mended == d.violated and "violated no more: 1" in text(back)


def test_a_second_violation_of_a_violated_law_is_worse():
    one = [replace(r, verdict=VIOLATED, spent=7.5) if at(r) else r for r in usual()]
    two = [
        replace(r, verdict=VIOLATED, spent=7.5) if at(r) or at(r, precision="float32") else r for r in usual()
    ]
    d = difference(run(one), run(two, "b"))
    assert d.violated == ["D2 rayleigh heavy-ball float32 scale"] and len(d.worse) == 1


def test_a_fault_seen_no_more_is_worse():
    alive = lambda r: replace(r, verdict="holds", spent=0.5) if r.fault == "ascent" else r
    d = changed(alive)
    assert d.surviving == ["ascent"] and any(
        "planted faults seen no more: 1 (ascent)" in line for line in d.worse
    )
    half = changed(lambda r: alive(r) if r.law == "D2" else r)
    assert not half.surviving and not half.worse, "D3 still sees it"
    assert difference(d.b, d.a).seen_again == ["ascent"] and not difference(d.b, d.a).worse
    gone = changed(lambda r: None if r.fault == "ascent" else r)
    assert gone.planted_no_more == ["ascent"] and gone.worse


def test_an_order_that_moved_is_worse():
    def order(slope):
        found = dict(measured=slope, predicted=2.0, bound=0.01, symmetry=None)
        return record("O3", "rayleigh", "float64", 0.1, kind=ORDER, **found)

    assert not difference(run([order(2.0)], laws=["O3"]), run([order(2.02)], "b", laws=["O3"])).worse
    d = difference(run([order(2.0)], laws=["O3"]), run([order(2.3)], "b", laws=["O3"]))
    assert "slope 2.3, was 2" in text(d) and len(d.worse) == 1


def test_versions_and_machine_are_told_and_never_worse():
    d = changed(
        lambda r: r, versions={"numpy": "3"}, machine={"processor": "q"}, backend="triton-cpu", seconds=99.0
    )
    assert not d.worse
    for line in (
        "version of numpy was '2', is '3'",
        "machine processor was 'p', is 'q'",
        "backend was 'numpy', is 'triton-cpu'",
    ):
        assert line in text(d) and line.replace("'", "&#39;") in render(d)


def test_the_page_is_whole_and_quotes_what_it_shows():
    d = changed(
        lambda r: replace(r, case="<b>&") if at(r) else replace(r, spent=0.2), machine={"processor": "<i>"}
    )
    page = render(d)
    assert "<b>" not in page and "<i>" not in page and "&lt;b&gt;&amp;" in page
    assert not re.search(r"""(src|href)=(?!"#)|@import|url\(|https?:""", page)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        xml.fromstring(svg)
    assert page.count("<figcaption>") == page.count("<figure>") == 1


def test_every_place_on_the_page_has_the_title_of_its_law_beside_the_code():
    page = render(changed(lambda r: replace(r, spent=0.9) if at(r) else None if at(r, "D3") else r))
    places = re.findall(r"<li>(?:marked rises: 1: |places lost: 1: )?(D\d.*?)</li>", page)
    assert len(places) >= 3
    title = {"D2": "balance of the discrete charge", "D3": "decay of a Killing charge"}
    assert all(x.startswith(f"{x[:2]} ({title[x[:2]]}) rayleigh") for x in places), places


SMALL = ["verify", "rayleigh", "--jobs", "1", "--out"]


def test_two_runs_on_the_command_line(plan, capsys):
    assert call([*SMALL, "a"]) == 0 and call([*SMALL, "b"]) == 0
    plan.wrong = {"D2": "violated"}
    assert call([*SMALL, "c"]) == 1
    capsys.readouterr()
    assert call(["report", "a", "b"]) == 0
    out = capsys.readouterr().out
    assert "nothing is worse" in out and "b/compare.html" in out and max(map(len, out.splitlines())) <= 100
    assert call(["report", "a", "c"]) == 1
    assert "now violated: 4" in capsys.readouterr().out and "✗ Worse" in Path("c/compare.html").read_text()
    assert call(["report", "c", "a"]) == 0
    before = Path("b/report.html").read_text()
    assert call(["report", "b"]) == 0 and Path("b/report.html").read_text() == before


def test_runs_of_two_schemas_are_compared_and_the_difference_is_told(plan, capsys):
    assert call([*SMALL, "a"]) == 0 and call([*SMALL, "b"]) == 0
    rewrite(Path("a"), schema=2)
    capsys.readouterr()
    assert call(["report", "a", "b"]) == 0
    out = capsys.readouterr().out
    assert "schema of the records was 2, is 3" in out and "nothing is worse" in out
    plan.wrong = {"D2": "violated"}
    assert call([*SMALL, "c"]) == 1 and call(["report", "a", "c"]) == 1


@pytest.mark.parametrize("spoil", ["missing", "three", "schema", "command", "file"])
def test_bad_input_is_exit_code_2(plan, capsys, spoil):
    assert call([*SMALL, "a"]) == 0 and call([*SMALL, "b"]) == 0
    words = {"missing": ["a", "nowhere"], "three": ["a", "b", "a"], "file": ["a", "a/run.json"]}.get(
        spoil, ["a", "b"]
    )
    if spoil in ("schema", "command"):
        rewrite(Path("b"), **({"schema": 0} if spoil == "schema" else {"command": "faults", "arguments": {}}))
    capsys.readouterr()
    assert call(["report", *words]) == 2
    said = capsys.readouterr()
    assert (
        said.out == ""
        and len(said.err.strip().splitlines()) == 1
        and "must be" in said.err
        or "is not there" in said.err
        or "can be compared" in said.err
        or "not there" in said.err
    )
