"""What the page carries beside its words: the verdicts behind the dots, equations, causes, a script."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys

import pytest
from test_report_page import everything, page_of, planted, record

from noether.plan.design import LAWS
from noether.report.causes import causes
from noether.report.figures.strip import Limit, spark
from noether.report.page.book import NUMBERS, WORDS, Book
from noether.report.page.equation import mathml
from noether.report.page.law import allowed, point_of
from noether.verdicts.record import VIOLATED

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def table_of(page):
    (text,) = re.findall(r'<script type="application/json" id="book">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def told(table, row):
    words = {name: table["words"][row[i]] for i, name in enumerate(WORDS)}
    return words | dict(zip(NUMBERS, row[len(WORDS) :], strict=True))


def test_every_dot_of_records_is_a_row_of_the_table_and_says_its_numbers():
    right = [record(spent=0.5), record(precision="bfloat16", spent=0.25, measured=3.0, predicted=2.0)]
    page = page_of([*right, planted()])
    table = table_of(page)
    dots = {int(v) for values in re.findall(r'data-v="([\d| ]+)"', page) for v in re.split("[| ]", values)}
    assert dots == set(range(len(table["rows"]))) == {0, 1, 2}
    found = [told(table, row) for row in table["rows"]]
    assert [f["spent"] for f in found] == [0.25, 0.5, 1e6]
    assert found[0]["measured"] == 3.0 and found[0]["precision"] == "bfloat16"
    assert [f["verdict"] for f in found] == ["holds", "holds", "killed"], (
        "a fault that is seen is no violation"
    )
    assert table["titles"]["D2"] == LAWS["D2"].title


def test_a_page_is_the_same_in_whichever_order_its_records_came():
    records = everything() + [record(verdict=VIOLATED, spent=7.0, case=c) for c in "abc"]
    laws = sorted({r.law for r in records})
    table = lambda found: Book(found, {law: "" for law in laws}).json()
    assert table(records) == table(records[::-1])
    shown = lambda found: [[r.case for r in c.records] for c in causes(found)]
    assert shown(records) == shown(records[::-1])


def test_of_a_planted_fault_the_strongest_of_each_precision_is_on_the_page():
    records = [record(), planted(spent=3.0), planted(spent=5.0), planted(spent=4.0, precision="float32")]
    book = Book(records, {})
    assert [r.spent for r in book.planted] == [4.0, 5.0]
    assert book.number(records[1]) == "" and book.number(records[2]) != ""


def test_words_in_the_table_end_no_script():
    page = page_of([record(case="</script><script>alert(1)</script>\u2028")])
    assert page.count("<script") == page.count("</script>") == 2
    assert any("</script><script>alert(1)</script>" in word for word in table_of(page)["words"])


def test_a_browser_runs_the_one_script_of_the_page_and_loads_nothing():
    page = page_of([record()])
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy


def test_a_law_is_folded_where_all_of_it_holds_and_open_where_not():
    doubt = record("D3", verdict="inconclusive", spent=None)
    page = page_of([record("D2"), record("D3"), doubt, record("E1"), *map(planted, ("D2", "D3", "E1"))])
    state = dict(re.findall(r'<details class="law" id="(\w+)"[^>]*?( open)?>', page))
    assert state == {"D2": "", "D3": " open", "E1": ""}
    parts = dict(re.findall(r'<details class="part subject" id="subject-(\w)"( open)?>', page))
    assert parts == {"D": " open", "E": ""}


def test_violations_of_one_cause_are_one_entry_with_a_count():
    wrong = dict(verdict=VIOLATED, data={"diagnosis": {"line": "first wrong at step 3: v' is -1 times"}})
    reason = lambda lane: f"residual is {lane}.5e+04 bounds in lane {lane} at step 7, must be at most 1"
    same = [record(spent=2.0 + i, case=f"case{i}", reason=reason(i), **wrong) for i in range(5)]
    other = record(spent=9.0, reason=reason(1), verdict=VIOLATED)
    found = causes([*same, other])
    assert [len(c.records) for c in found] == [1, 5] and found[1].worst is same[4]
    page = page_of([*same, other])
    assert (
        'Violated: <span data-count="violated">6</span>, of 2 causes' in page
        and ">5</span> places" in page
        and page.count("first wrong at") == 1
    )
    assert all(f"case{i}" in page for i in range(5))


@pytest.mark.parametrize("key", LAWS)
def test_the_equation_of_a_law_is_mathml(key):
    pytest.importorskip("latex2mathml")
    made = mathml(LAWS[key].equation)
    assert made.startswith('<math display="block">') and made.endswith("</math>")
    assert "xmlns" not in made and "&#x" not in made and "\\" not in made


def test_without_the_converter_a_law_says_its_statement(monkeypatch):
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    mathml.cache_clear()
    try:
        assert mathml("a = b") == ""
        page = page_of([record()])
    finally:
        mathml.cache_clear()
    assert "<math" not in page and "<pre>" in page


@pytest.mark.parametrize("spent", [0.0, 1e-9, 0.5, 0.999999, 1.0])
def test_what_holds_is_drawn_whole_within_the_bound_and_what_is_violated_whole_beyond(spent):
    limit, radius = Limit(0, 100, 1e-3, 10.0, 3.0), 2.3
    assert limit.at(spent) + radius < limit.one
    over = 1.0000001 + spent * 1e3
    assert limit.at(over) - radius > limit.one and limit.at(float("nan")) > limit.one
    drawn = lambda x: float(re.search(r"M([\d.]+) 9h0", spark({"float64": [(x, "")]}, ""))[1])
    assert drawn(spent) < drawn(over)


def test_the_bar_of_a_record_contains_what_was_measured_exactly_where_it_holds():
    for off in (0.0, 0.5, 0.999, 1.001, 3.0):
        r = record(measured=2.0 + off * 1e-3, predicted=2.0, bound=1e-3, spent=off, verdict=VIOLATED)
        point = point_of(r, Book([r], {}))
        assert (point.room[0] <= point.y <= point.room[1]) == (off <= 1)
    ratio = record(measured=4.0, predicted=2.0, bound=1.0, spent=0.5)  # judged by a ratio
    assert allowed(ratio) == 4.0


def seen_in_a_browser(tmp_path, records, asked):
    """The page as the script of the page leaves it, after a filter."""
    (tmp_path / "page.html").write_text(page_of(records))
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [BROWSER, *flags, "--dump-dom", f"file://{tmp_path}/page.html?q={asked}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.skipif(BROWSER is None, reason="no chromium here to run the script of the page")
def test_in_a_browser_the_filter_leaves_what_was_asked_for_and_counts_it_anew(tmp_path):
    doubt = record("D3", verdict="inconclusive", spent=None, case="rayleigh")
    others = [record("D3", spent=0.5), record("D3", precision="float32", spent=0.9)]
    records = [record("D2"), *others, doubt, record("E1"), *map(planted, ("D2", "D3", "E1"))]
    dom = seen_in_a_browser(tmp_path, records, "law:D* verdict:inconclusive")
    rows = dict(re.findall(r'<tr data-law="(\w+)"[^>]*?( hidden="")?><td class="law"', dom))
    assert rows == {"D2": ' hidden=""', "D3": "", "E1": ' hidden=""'}
    assert "1 verdict of 1 law" in dom and 'class="csv"' in dom and "<form" in dom and "tabindex" in dom
    dom = seen_in_a_browser(tmp_path, records, "law:D3 -precision:float32 spent:>0.1")
    row = dom[dom.index('<tr data-law="D3"') :]
    row = row[: row.index("</tr>")]
    assert "✓ holds" in row and '<span class="now">0.500</span>' in row and 'counted">1</td>' in row
    assert re.findall(r'data-v="([^"]*)"', row).count("") == 1 and row.count("h0") == 1, "one dot of three"
    assert 'data-if="inconclusive" hidden' in dom and '<span data-count="">1 of 5</span>' in dom
    assert '<body class="filtered">' in dom and dom.count("whole") > 10


@pytest.mark.skipif(BROWSER is None, reason="no chromium here to run the script of the page")
def test_in_a_browser_a_word_that_no_filter_knows_is_told_with_the_one_that_was_meant(tmp_path):
    dom = seen_in_a_browser(tmp_path, [record("D2", precision="bfloat16")], "laws:D2 precision:bf16 spent:x")
    (said,) = re.findall(r"<output[^>]*>(.*?)</output>", dom)
    for words in (
        "no such word: laws; did you mean law?",
        "no precision is bf16; did you mean bfloat16?",
        "spent needs a number",
    ):
        assert words in said
