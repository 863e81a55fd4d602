"""What a report tells first: violations, survivors, what cannot be placed; and how it does with little."""

import math
import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from test_report_page import order, page_of, planted, record, well_formed

from noether.cli.main import call
from noether.plan.design import LAWS
from noether.report.figures.scatter import Point, scatter
from noether.system.outside import plural
from noether.verdicts.record import INCONCLUSIVE, ORDER, VIOLATED

FEW = [
    [],
    [record(verdict=VIOLATED, spent=7.5)],
    [record(verdict="inconclusive", spent=None, measured=None, bound=None)],
    [record(verdict="outside", spent=None), planted()],
    [record(verdict=VIOLATED, spent=math.nan, measured=math.nan, bound=math.inf)],
    [record(spent=0.0, bound=0.0, measured=0.0, predicted=0.0)],
    [planted()],
]
LACKING = [
    {"plot": "lines"},
    {"plot": "response", "x": [], "series": {}},
    {"plot": "loglog", "x": [1.0], "series": {"a": [None]}},
    {"plot": "unheard of"},
    {"x": [1, 2]},
    {"plot": "heatmap"},
    {"claim": {}},
    {"claim": "no object"},
    {"plot": "lines", "x": ["a"], "series": {"b": ["c"]}},
    {"plot": "loglog", "x": [1.0, 2.0], "series": {"a": [1.0, 2.0]}, "window": ["x", None]},
]


@pytest.mark.parametrize("records", FEW)
def test_a_page_of_little_is_a_page(records):
    page = page_of(records)
    well_formed(page)
    assert 'id="D2"' in page and page.count("<h1") == 1
    for r in records:
        if not r.fault and r.verdict != "holds":
            assert r.verdict in page and r.replay in page


@pytest.mark.parametrize("data", LACKING)
def test_records_that_lack_data_are_drawn_without(data):
    well_formed(page_of([record(data=data), planted()]))
    empty = dict(data=data, predicted=None, measured=None, spent=None, verdict="inconclusive")
    pair = [order() if "y" not in data else record("O3"), record("O3", kind=ORDER, **empty)]
    well_formed(page_of(pair))


def test_the_headline_says_what_is_inconclusive_as_the_last_line_of_a_run_does():
    real = [record(case=case, verdict=v) for case, v in (("a", "holds"), ("b", INCONCLUSIVE))]
    (headline,) = re.findall(r'<h1 class="whole">(.*?)</h1>', page_of([*real, planted()], exit_code=0))
    assert headline == "✓ Everything that was decided holds; 1 inconclusive (D2 1)"
    assert '<h1 class="whole">✓ Everything holds</h1>' in page_of([real[0], planted()], exit_code=0)


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 differs in sign, below its"), (2, "2 differ in sign, below their")]
)
def test_what_differs_in_sign_is_counted(count, told):
    other = [record(case=f"c{n}", measured=1.0, predicted=1.0) for n in range(4)]
    turned = [
        record(case=f"t{n}", measured=-1e-9, predicted=1e-9, spent=0.5, bound=1e-8) for n in range(count)
    ]
    assert f"{told} bound." in page_of([*other, *turned])


def test_violations_stand_before_the_laws_with_their_replay():
    page = page_of(
        [
            record(),
            record(verdict=VIOLATED, spent=7.5, reason="residual is 7.5 bounds"),
            record(verdict="inconclusive"),
            planted(),
        ]
    )
    assert "A law is violated" in page
    assert page.index('id="violated"') < page.index('id="inconclusive"') < page.index('id="laws"')
    assert page.index("noether replay RUN") < page.index('id="laws"')


def test_a_survivor_and_a_broken_promise_are_told_at_the_top():
    page = page_of(
        [record(), planted(verdict="holds", spent=0.5), planted("D0"), record("D0")],
        blind=["D2 lets pass something"],
    )
    top = page[: page.index('id="laws"')]
    assert "D2 (balance of the discrete charge) lets pass something" in top
    assert "no-op kernel" not in top, "D0 saw it"
    assert "No law saw no-op kernel" in page_of([record(), planted(verdict="holds", spent=0.5)])


def test_what_cannot_be_placed_is_counted():
    pairs = [(1e-12, 1e-13), (math.inf, 1.0), (1e-12, math.inf), (1e-12, 0.0)]
    svg, lost = scatter([Point(x, y, "float64") for x, y in pairs], "D2", "a", "b", limit="the line")
    assert lost == 1, "an infinite prediction"
    assert "∞" in svg and xml.fromstring(svg) is not None
    assert scatter([Point(0.0, 0.0, "float64")], "D2", "a", "b", limit="x") == ("", 1)


def test_a_law_that_is_no_evidence_for_a_coefficient_is_marked_as_thin_and_told_at_the_top():
    page = page_of([record("D2", powers={"friction": 0.23}), record("D3", powers={"friction": 0.01})])
    rows = dict(re.findall(r'<tr data-law="(\w+)".*?(</td><td class="verdict.*?</td>)', page, re.DOTALL))
    assert ">thin</a>" in rows["D2"] and ">thin</a>" not in rows["D3"]
    top = page[page.index('id="thin"') : page.index('id="laws"')]
    assert "D2 (balance of the discrete charge) would first see friction changed by 23 %" in top
    assert 'id="thin"' not in page_of([record("D2", powers={"friction": 0.01})])


def test_what_does_not_hold_is_counted_by_its_verdict_and_never_looks_negative():
    page = page_of([record(), record(verdict="outside", spent=None), planted()])
    assert (
        '2 <span class="dim">(1 outside)</span>' in page
        and '○ <span data-count="outside">1</span> outside' in page
        and "– 1" not in page
    )


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["heavy-ball"], "1 learning rule "),
        (["heavy-ball", "nesterov"], "2 learning rules "),
        (["heavy-ball", "lagrangian"], "2 learning rules and models "),
        (["lagrangian"], "1 model "),
    ],
)
def test_only_where_a_continuous_model_was_judged_models_are_counted(rules, words):
    assert f" under {words}in " in page_of([record(rule=rule) for rule in rules])


def test_points_nearest_to_the_limit_say_how_far_measured_is_from_predicted():
    close = record(measured=0.002, predicted=0.002, bound=1.61e-17, spent=0.5)
    one, two = page_of([close]), page_of([close, record(case="mexican-hat")])
    assert "The point nearest to its limit" in one and "The 2 points nearest to their limits" in two
    assert ">8.05e-18</td>" in one, "stored in all digits both numbers are equal"


def test_of_the_faults_that_a_law_must_kill_those_of_this_run_stand_first():
    names = LAWS["D2"].must_kill
    page = page_of([record(), planted(fault=names[3])])
    told = page[page.index("that it must notice") :]
    told = unescape(told[: told.index("</details>")])
    assert f"{len(names)}, of which this run showed it 1" in told
    assert told.index(f"Shown in this run: {names[3]}.") < told.index("Not shown") < told.index(names[0])


def test_a_constant_in_front_of_an_order_lies_on_an_axis_of_its_own():
    named = {"statement": "the constant in front"}
    number = record("T3", kind=ORDER, measured=-7.5, predicted=-7.5, parameters=named, spent=0.1)
    page = page_of([record("T3", kind=ORDER, measured=1.0, predicted=1.0, spent=0.2), number])
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    spark, orders, constants = (x for x in drawings if "order" in x or "number" in x)
    assert ">−7" not in orders and "measured order" in orders and spark.count('class="stated"') == 1
    assert "measured number" in constants and constants.count('class="stated"') == 1


@pytest.mark.parametrize(
    "count, words", [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1001, "1001 entries")]
)
def test_only_a_count_of_one_is_singular(count, words):
    assert plural(count, "entry", "entries") == words
    assert plural(count, "law") == f"{count} law" + ("" if count == 1 else "s")


def test_a_run_of_one_law_and_one_cell_is_told_in_the_singular(plan, capsys):
    words = ["verify", "rayleigh", "--law", "D2", "--precision", "float64", "--jobs", "1", "--out"]
    for name, more in (("a", ()), ("b", ("--seed", "1"))):
        assert call([*words, name, *more]) == 0
    assert "1 verdict, 1 on planted faults, 1 cell," in capsys.readouterr().out
    call(["report", "a", "b"])
    out = " ".join(capsys.readouterr().out.split())
    assert "they differ in 1 way:" in out and "1 place in both" in out
    assert "<p>1 of 1 law holds: 1 verdict on 1 case" in Path("a/report.html").read_text()
