"""What a report tells first: violations, survivors, what cannot be placed; and how it does with little."""

import math
from xml.etree import ElementTree as xml

import pytest
from test_report_page import order, page_of, planted, record, well_formed

from noether.report.figures.scatter import Point, scatter
from noether.verdicts.record import ORDER, VIOLATED

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
