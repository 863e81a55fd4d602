"""report.html, junit.xml and their drawings: whole, self-contained, and silent about nothing."""

import re
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from noether.cli.main import call
from noether.report import figures
from noether.report.junit import document
from noether.report.table import killers, number

SMALL = ["verify", "rayleigh", "mexican-hat", "--jobs", "1", "--out", "r"]


def verified(plan, code, **wrong):
    plan.wrong = wrong
    assert call(SMALL) == code
    return (Path("r") / "report.html").read_text(), xml.parse("r/junit.xml").getroot()


def test_the_report_needs_no_network_and_names_every_law(plan):
    page, _ = verified(plan, 0)
    assert not re.search(r"""(src|href)=(?!"#)|@import|url\(""", page)
    for law in plan.LAWS:
        assert f'id="{law}"' in page
    assert (
        "Everything holds" in page and "prefers-color-scheme: dark" in page and "width=device-width" in page
    )


def test_the_report_is_well_formed_and_escapes_what_it_quotes(plan):
    page, _ = verified(plan, 1, D2="violated")
    assert "lane 0 &lt;moves&gt; &amp; more" in page and "<moves>" not in page
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        xml.fromstring(svg)
    assert page.count("<svg") >= 2 * len(plan.LAWS)


def test_a_violation_stands_in_report_and_junit_with_its_replay(plan):
    page, suites = verified(plan, 1, D2="violated")
    assert "A law is violated" in page and f"noether replay {Path('r').absolute()} --law D2" in page
    failures = suites.findall(".//failure")
    assert {f.get("type") for f in failures} == {"violated"} and len(failures) == int(
        suites.get("failures")
    ) == 8
    assert (
        "spent 7.5" in failures[0].get("message")
        and "must be at most 1" in failures[0].get("message")
        and f"noether replay {Path('r').absolute()}" in failures[0].text
    )


def test_junit_has_one_case_a_law_case_rule_precision_symmetry_and_one_a_fault(plan):
    _, suites = verified(plan, 0)
    names = [(c.get("classname"), c.get("name")) for c in suites.iter("testcase")]
    assert len(set(names)) == len(names) == 2 * (4 + 4 + 1) + 1
    assert ("noether.D2.rayleigh", "rayleigh: heavy-ball, float16, scale") in names and (
        "noether.laws.exact.shown_faults",
        "no-op kernel is killed",
    ) in names
    assert int(suites.get("tests")) == len(names)


def test_junit_names_do_not_change_with_the_seed(plan):
    _, suites = verified(plan, 0)
    assert call([*SMALL[:-1], "other", "--seed", "3"]) == 0
    other = xml.parse("other/junit.xml").getroot()

    def of(root):
        return [(s.get("name"), c.get("classname"), c.get("name")) for s in root for c in s.iter("testcase")]

    assert of(suites) == of(other)


COUNTS = {"name", "tests", "failures"}
SAID = ({"type", "message"}, set(), [])
# element: attributes it must have, those it may have, children in this order (windyroad junit.xsd, Jenkins,
# GitLab)
SCHEMA = {
    "testsuites": (COUNTS, {"errors", "skipped", "time"}, ["testsuite"]),
    "testsuite": (COUNTS | {"errors", "skipped", "time"}, {"timestamp"}, ["properties", "testcase"]),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": ({"classname", "name", "time"}, set(), ["skipped", "error", "failure"]),
    "failure": SAID,
    "error": SAID,
    "skipped": ({"message"}, set(), []),
}


def against_schema(element):
    must, may, children = SCHEMA[element.tag]
    assert must <= set(element.keys()) <= must | may, element.attrib
    order = [children.index(c.tag) for c in element]
    assert order == sorted(order)
    assert element.tag != "testcase" or len(element) <= 1, "Jenkins keeps one result of a test"
    for name in {"tests", "failures", "errors", "skipped"} & set(element.keys()):
        assert int(element.get(name)) == len(
            element.findall(
                f".//{ {'tests': 'testcase', 'failures': 'failure', 'errors': 'error'}.get(name, name) }"
            )
        )
    assert float(element.get("time", 0)) >= 0
    for child in element:
        against_schema(child)


@pytest.mark.parametrize(
    "wrong, code",
    [
        ({}, 0),
        ({"D0": "violated", "O3": "raises"}, 70),
        ({"D0": "survivor", "D2": "outside", "O3": "survivor"}, 3),
    ],
)
def test_junit_is_what_its_readers_take(plan, wrong, code):
    plan.wrong = wrong
    assert call(SMALL) == code
    suites = xml.parse("r/junit.xml").getroot()
    against_schema(suites)
    assert "D2: a fake law" in [s.get("name") for s in suites]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suites[0].get("timestamp"))
    facts = {p.get("name"): p.get("value") for p in suites[0].iter("property")}
    assert facts["seed"] == "0" and facts["backend"] == "numpy" and facts["version of numpy"]


def test_a_junit_that_its_readers_would_misread_is_seen():
    with pytest.raises(AssertionError):
        against_schema(
            xml.fromstring(
                '<testcase classname="a" name="b" time="0"><failure type="x" message="y"/><skipped '
                'message="z"/></testcase>'
            )
        )
    with pytest.raises(AssertionError):
        against_schema(xml.fromstring('<testsuites name="a" tests="1" failures="0"/>'))


@pytest.mark.parametrize("wrong, code", [("inconclusive", 3), ("outside", 0)])
def test_junit_skips_with_a_reason(plan, wrong, code):
    """What is outside in a narrowed choice is left out of judgement."""
    _, suites = verified(plan, code, O3=wrong)
    skipped = suites.findall(".//skipped")
    assert len(skipped) == 2 and all(s.get("message").startswith(f"{wrong}: lane 0") for s in skipped)


def test_junit_shows_survivors_and_broken_cells(plan):
    _, suites = verified(plan, 70, D0="survivor", D2="survivor", O3="raises")
    assert [f.get("type") for f in suites.iter("failure")] == ["survived"]
    assert len(suites.findall(".//error")) == 2


def test_junit_takes_any_text(plan):
    from fakes import Cell

    record = Cell("D2/x", "D2", "rayleigh", "heavy-ball", "float64", 0, "violated").run()[0]
    record.reason = "\x00\x1b[31m <&>\ud800"
    assert r"\u0000\u001b[31m <&>\ud800" in xml.fromstring(document([record]).split("\n", 1)[1]).find(
        ".//failure"
    ).get("message")


def test_an_interrupted_run_is_reported_as_unfinished(plan, capsys):
    plan.wrong = {"D2": "interrupted"}
    assert call(SMALL) == 130
    assert "--resume r" in capsys.readouterr().err
    assert call(["report", "r"]) == 0
    assert "the run is unfinished" in Path("r/report.html").read_text()


def test_killers_are_in_the_order_of_the_laws_and_survivors_have_none():
    from fakes import Cell

    records = [r for law in ("O3", "D0") for r in Cell(law, law, "x", "heavy-ball", "float64", 0).run()]
    assert killers(records, ["D0", "D2", "O3"]) == {"no-op kernel": ["D0", "O3"]}
    alive = Cell("D2", "D2", "x", "heavy-ball", "float64", 0, "survivor").run()
    assert killers(alive, ["D2"]) == {"no-op kernel": []}


# ---- drawings


def test_an_order_is_read_off_the_smallest_steps():
    x = [2.0**-j for j in range(4, 9)]
    svg, lost = figures.panel(
        {
            "plot": "loglog",
            "x": x,
            "series": {"model": [3 * h**2 for h in x]},
            "xlabel": "eta",
            "ylabel": "error",
        },
        "O3",
    )
    assert "slope 2.00" in svg and lost == 0
    xml.fromstring(svg)


def test_what_a_logarithm_cannot_show_is_counted():
    data = {
        "plot": "response",
        "x": [0.0, 1e-3, 1e-2, 1e-1],
        "series": {"measured": [1.0, float("nan"), float("inf"), 2.0]},
    }
    _, lost = figures.panel(data, "E1")
    assert lost == 3
    assert figures.panel({"plot": "loglog", "x": [0.0], "series": {"a": [1.0]}}, "none") == ("", 1)


@pytest.mark.parametrize("values", [[0.0], [float("inf")], [1.0], [1e-300, 1e300], [0.0, 0.5, float("inf")]])
def test_a_strip_draws_every_value_inside_its_frame(values):
    svg = figures.strip({"case <&>": {"float64": [(v, "") for v in values]}}, {}, "spent")
    places = [float(x) for x in re.findall(r"M([\d.-]+) [\d.-]+h0", svg)]
    assert len(places) == len(values) and xml.fromstring(svg) is not None
    assert all(0 < x < figures.WIDTH for x in places)


@pytest.mark.parametrize(
    "xs, ys",
    [
        ([1.0], [1.0]),
        ([0, 1], [0, 0]),
        ([0, 1], [-1e-30, 1e-30]),
        ([0, 1e300], [5, 5]),
        ([1, 1 + 1e-15], [1, 2]),
    ],
)
def test_a_panel_of_any_range_has_ticks(xs, ys):
    svg, _ = figures.panel({"plot": "lines", "x": xs, "series": {"measured": ys}}, "T1")
    assert "nan" not in svg and xml.fromstring(svg) is not None
    (grid,) = re.findall(r'd="([^"]*)" class="grid"', svg)
    assert grid.count("M") >= 2


def test_numbers_are_short():
    for x in (None, 0.0, 1e-300, 1e300, 0.123456, 99.99999, float("nan"), float("inf"), -5.0):
        assert len(number(x)) <= 9


def test_a_resumed_run_has_the_page_of_a_run_that_was_never_cut(plan, capsys):
    plan.wrong = {"O3": "interrupted"}
    assert call(SMALL) == 130
    assert call(["report", "r"]) == 0
    assert "the run is unfinished" in Path("r/report.html").read_text()
    plan.wrong = {}
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 0
    assert call([*SMALL[:-1], "whole"]) == 0
    resumed, whole = (Path(p, "report.html").read_text() for p in ("r", "whole"))
    assert (
        "unfinished" not in resumed and "took since it was resumed" in resumed and "took since" not in whole
    )

    def after(page):
        return page[page.index('id="laws"') : page.index('id="machine"')].replace(
            f"{Path.cwd()}/whole", f"{Path.cwd()}/r"
        )

    assert after(resumed) == after(whole)
    tally = lambda page: page[page.index('class="tally"') : page.index("<pre>")]
    assert tally(resumed) == tally(whole)
    assert call(["report", "whole", "r"]) == 0


def test_a_law_is_one_line_on_a_narrow_terminal(plan, monkeypatch):
    """Forty laws must be read at a glance, at 80 columns as at 100; the place of the worst may be cut, no
    number is."""
    from fakes import Cell

    from noether.report.law_table import laws_table
    from noether.report.terminal import console
    from noether.runs.result import Result
    from noether.verdicts.record import summarise

    rule = "a-learning-rule-of-a-very-long-name-that-fits-nowhere-at-all"
    records = [
        r for law in plan.LAWS for r in Cell(law, law, "deformed-rayleigh", rule, "bfloat16/eager", 0).run()
    ]
    result = Result(records, summarise(records, list(plan.LAWS)), 0, tuple(plan.LAWS))
    for columns in ("80", "100"):
        monkeypatch.setenv("COLUMNS", columns)
        out = console()
        with out.capture() as shown:
            out.print(laws_table(result))
        lines = [line.rstrip() for line in shown.get().splitlines()[2:]]
        assert [line.split()[0] for line in lines] == list(plan.LAWS), "one line each"
        assert all(
            line.endswith("holds") and " 1/1 " in line and "…" in line and len(line) <= int(columns)
            for line in lines
        )
