"""The page and its figures: every panel says its claim, every cell of the map is the record's, nothing is
dropped silently."""

import math
import re
from html import unescape
from xml.etree import ElementTree as xml

import pytest

from noether.plan.design import LAWS, PRECISIONS
from noether.report.figures.marks import COLOURS, colour, mark
from noether.report.figures.panel import panel
from noether.report.figures.scatter import scatter
from noether.report.figures.strip import order_strip, spark
from noether.report.page import render
from noether.verdicts.record import BITWISE, ORDER, VIOLATED, Record

HOSTILE = """<script>alert("x")</script> & 'quoted' <u>"""
ABOUT = {
    "schema": 1, "arguments": {"cases": [], "profile": "quick", "backend": "auto", "seed": 0, "law": None},
    "seed": 0, "backend": "numpy", "laws": ["D2"], "left_out": [],
    "start": "2026-01-01T00:00:00+00:00", "end": "2026-01-01T00:01:00+00:00", "exit_code": None,
    "seconds": 60.0, "machine": {"processor": "a processor", "cpus": 2},
    "versions": {"noether": "0.1.0", "python": "3.11", "numpy": "2"}, "cells": 1, "errors": 0,
}  # fmt: skip
ETAS = [2.0**-j for j in range(5, 11)]


def record(law="D2", **given):
    about = dict(law=law, case="rayleigh", rule="heavy-ball", backend="numpy", precision="float64", lanes=4,
        steps=8, parameters={"eta": [0.1, 0.2]}, predicted=1.0,
                 measured=1.0, bound=1e-12, spent=0.5, verdict="holds", reason="4 of 4 lanes",
                 symmetry="scale", replay="noether replay RUN --law D2", cell=f"{law}/x")  # fmt: skip
    return Record(**{**about, **given})


def planted(law="D2", **given):
    return record(law, **{**dict(control="no-op kernel", spent=1e6, verdict=VIOLATED, replay=None), **given})


def order(stated=2, name="model", **given):
    data = {"x": ETAS, "y": [3 * h**stated for h in ETAS], "label": name, "window": [ETAS[-1], ETAS[0]]}
    return record(
        "O3",
        kind=ORDER,
        predicted=float(stated),
        measured=stated + 0.01,
        bound=0.1,
        spent=0.1,
        symmetry=None,
        data=data,
        **given,
    )


CELLS = [
    [
        {"value": 1e-16, "label": "exact", "evidence": "the charge moves by 1e-16 over 1000 steps"},
        {"value": 1.02, "label": "order 1", "evidence": "slope 1.02 on 6 steps"},
    ],
    [{"value": None, "label": "order 0", "evidence": "breaks at once <&>"}, None],
]
MAP = {
    "plot": "heatmap",
    "rows": ["rotation", "scale <b>"],
    "columns": ["heavy-ball", "sign"],
    "cells": CELLS,
    "caption": "Each cell is what was measured.",
}
CLAIM = {
    "statement": "Eq. 17 holds under white noise",
    "published": "1.00",
    "measured": "0.053",
    "verdict": "contradicted",
    "source": "NLD, Eq. 17",
}
TIMES = [0.0, 1.0, 2.0, 3.0]


def charge(law, y, **parameters):
    about = {"m": 1.0, "mu": 1.0, "window": "layer", "eps": 0.0, **parameters}
    return record(
        law, parameters=about, data={"x": TIMES, "y": y, "predicted": y, "label": "charge J/m against t"}
    )


def everything():
    r4 = {
        "plot": "lines",
        "x": TIMES,
        "series": {
            "measured": [1.0, 2.0, 3.0, 4.0],
            "Eq. 17": [1.0, 2.0, 3.0, 4.0],
            "noise law": [1.0, 1.1, 1.2, 1.3],
        },
        "xlabel": "t",
        "ylabel": "r^4",
    }
    ratio = {
        "plot": "lines",
        "x": [1.0, 10.0],
        "series": {"measured": [0.05, 1.0]},
        "xlabel": "correlation time",
        "ylabel": "r^4 / Eq. 17",
        "xscale": "log",
        "yscale": "log",
    }
    eps = [10.0**-j for j in range(12)]
    response = {
        "plot": "response",
        "x": [0.0, *eps],
        "series": {"measured": [0.0, *eps], "predicted": [0.0, *eps], "bound": [1e-15] * 13},
        "xlabel": "eps",
        "ylabel": "response",
    }
    return [
        record("D2"), record("D2", precision="bfloat16/mixed", spent=0.9, bound=1e-3), planted(), record("E1",
        data=response), planted("E1"),
        record("D13", kind=BITWISE, spent=0.0, bound=0.0), planted("D13"), order(), order(1, "wrong start"),
        planted("O3"),
        charge("T5", [math.exp(-t) for t in TIMES]), planted("T5"), charge("T1", [1.0, -3.0, -1.0, -0.4],
        kinetic_share=1.3), planted("T1"),
        record("M1", case="map", data=MAP), planted("M1"), record("P1", data={"claim": CLAIM}), planted("P1"),
        record("S2", data=r4, parameters={"statement": "coherent"}), record("S2", data=ratio,
        parameters={"statement": "crossover"}), planted("S2"),
    ]  # fmt: skip


def page_of(records, **about):
    laws = list(dict.fromkeys(r.law for r in records)) or ["D2"]
    return render(records, laws, {**ABOUT, "laws": laws, **about})


def well_formed(page):
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        drawing = xml.fromstring(svg)
        assert drawing.get("role") == "img" and drawing.get("aria-label")
        assert "nan" not in svg and "inf" not in svg.replace("infinity", "")


def test_a_page_of_everything_has_each_exhibit_and_no_network():
    page = page_of(everything())
    well_formed(page)
    for anchor in (
        "motion",
        "response",
        "map",
        "regimes",
        "claims",
        "tried",
        "faults",
        "each",
        "machine",
        "D2",
        "M1",
    ):
        assert f'id="{anchor}"' in page
    assert not re.search(r"""(src|href)=(?!"#)|@import|url\(|<script|<link|http""", page)
    assert len(page) < 200_000


def test_every_figure_has_a_caption_that_claims_something():
    page = page_of(everything())
    figures = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    assert len(figures) >= 12
    for figure in figures:
        (caption,) = re.findall(r"<figcaption>(.*?)</figcaption>", figure, re.DOTALL)
        assert re.search(r"must|only|moves", caption), caption
    outside = re.sub(r"<figure>.*?</figure>", "", page, flags=re.DOTALL)
    assert all('viewBox="0 0 132 18"' in svg for svg in re.findall(r"<svg[^>]*>", outside)), (
        "sparks alone stand without a caption"
    )


def test_every_id_is_there_once_and_every_link_leads_to_one():
    page = page_of(everything())
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_headings_go_down_one_level_at_a_time():
    levels = [
        int(x)
        for x in re.findall(r"<h(\d)", re.sub(r"<nav.*?</nav>", "", page_of(everything()), flags=re.DOTALL))
    ]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))


def test_cells_of_the_map_are_those_of_the_record():
    page = page_of(everything())
    (table,) = re.findall(r'<table class="cells map">.*?</table>', page, re.DOTALL)
    lines = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    assert [unescape(x) for x in re.findall(r'<th scope="col">(.*?)</th>', lines[0])] == MAP["columns"]
    for line, name, cells in zip(lines[1:], MAP["rows"], CELLS, strict=True):
        assert unescape(re.search(r'<th scope="row">(.*?)</th>', line)[1]) == name
        seen = re.findall(r'<td class="(\w+)"(?: title="(.*?)")?>(.*?)</td>', line)
        assert len(seen) == len(cells)
        for (tone, evidence, told), cell in zip(seen, cells, strict=True):
            if cell is None:
                assert tone == "none" and "not measured" in told
            else:
                assert unescape(evidence) == cell["evidence"] and told.startswith(cell["label"])
                assert tone == {"exact": "exact", "order 1": "first", "order 0": "zeroth"}[cell["label"]]
                assert unescape(page).count(cell["evidence"]) == 2, (
                    "in the cell, and in words for those who cannot point"
                )


def test_a_claim_is_a_card_with_both_figures():
    page = page_of(everything())
    (card,) = re.findall(r'<article class="claim">.*?</article>', page, re.DOTALL)
    for word in CLAIM.values():
        assert word in card


def test_hostile_words_are_quoted_wherever_they_stand():
    words = {
        "case": HOSTILE,
        "rule": HOSTILE,
        "symmetry": HOSTILE,
        "reason": HOSTILE,
        "replay": HOSTILE,
        "precision": HOSTILE,
        "backend": HOSTILE,
    }
    lines = {
        "plot": "lines",
        "x": TIMES,
        "series": {HOSTILE: TIMES},
        "xlabel": HOSTILE,
        "ylabel": HOSTILE,
        "caption": HOSTILE,
    }
    heat = {
        "plot": "heatmap",
        "rows": [HOSTILE],
        "columns": [HOSTILE],
        "cells": [[{"value": 1, "label": HOSTILE, "evidence": HOSTILE}]],
        "caption": HOSTILE,
    }
    records = [record(**words, data=lines), record(**{**words, "verdict": VIOLATED, "spent": 7.0},
        data={"diagnosis": {"line": HOSTILE}}), record("M1", data=heat),
               record("P1", data={"claim": dict.fromkeys(CLAIM, HOSTILE)}), planted(control=HOSTILE),
               order(name=HOSTILE), order(1, HOSTILE + ", b")]  # fmt: skip
    page = page_of(
        records,
        command="verify",
        machine={"processor": HOSTILE},
        blind=[HOSTILE],
        left_out=[HOSTILE],
        start=HOSTILE,
    )
    well_formed(page)
    assert "<script" not in page and "<u>" not in page and "alert(" in page


@pytest.mark.parametrize("records", [[], [record(verdict=VIOLATED, spent=7.5)],
    [record(verdict="inconclusive", spent=None, measured=None, bound=None)],
                                     [record(verdict="outside", spent=None), planted()],
                                     [record(verdict=VIOLATED, spent=math.nan, measured=math.nan,
                                     bound=math.inf)],
                                     [record(spent=0.0, bound=0.0, measured=0.0, predicted=0.0)],
                                     [planted()]])  # fmt: skip
def test_a_page_of_little_is_a_page(records):
    page = page_of(records)
    well_formed(page)
    assert 'id="D2"' in page and page.count("<h1") == 1
    for r in records:
        if not r.control and r.verdict != "holds":
            assert r.verdict in page and r.replay in page


@pytest.mark.parametrize("data", [{"plot": "lines"}, {"plot": "response", "x": [], "series": {}},
    {"plot": "loglog", "x": [1.0], "series": {"a": [None]}}, {"plot": "unheard of"},
                                  {"x": [1, 2]}, {"plot": "heatmap"}, {"claim": {}}, {"claim": "no object"},
                                  {"plot": "lines", "x": ["a"], "series": {"b": ["c"]}},
                                  {"plot": "loglog", "x": [1.0, 2.0], "series": {"a": [1.0, 2.0]},
                                  "window": ["x", None]}])  # fmt: skip
def test_records_that_lack_data_are_drawn_without(data):
    well_formed(page_of([record(data=data), planted()]))
    well_formed(
        page_of(
            [
                order() if "y" not in data else record("O3"),
                record(
                    "O3",
                    kind=ORDER,
                    data=data,
                    predicted=None,
                    measured=None,
                    spent=None,
                    verdict="inconclusive",
                ),
            ]
        )
    )


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
    assert "D2 lets pass something" in top
    assert "no-op kernel" not in top, "D0 saw it"
    assert "No law saw no-op kernel" in page_of([record(), planted(verdict="holds", spent=0.5)])


def test_what_cannot_be_placed_is_counted():
    points = [
        (1e-12, 1e-13, "float64", False),
        (math.inf, 1.0, "float64", True),
        (1e300, 1.0, "float64", True),
        (1e-12, math.inf, "float64", True),
        (1e-12, 0.0, "float64", False),
    ]
    svg, lost = scatter(points, "D2", "bound", "residual", limit="the bound")
    assert lost == 2, "an infinite bound and one far away"
    assert "≫" in svg and xml.fromstring(svg) is not None
    assert scatter([(0.0, 0.0, "float64", False)], "D2", "bound", "residual", limit="x") == ("", 1)
    page = page_of([record(), planted(bound=math.inf, spent=0.0, verdict="inconclusive")])
    assert "1 are not drawn" in page or "1 is not drawn" in page


def test_right_steps_and_planted_faults_lie_on_their_sides_of_the_bound():
    page = page_of([record(spent=0.5), record(spent=0.9), planted(spent=50.0), planted(spent=math.inf)])
    assert "Right steps must lie on or below the line: 2 of 2 do" in page
    assert "lie above it: 2 of 2" in page


def test_a_window_and_a_guide_are_drawn_where_they_are_given():
    data = {
        "plot": "loglog",
        "x": ETAS,
        "series": {"a": [h**2 for h in ETAS]},
        "orders": {"a": 2.0},
        "window": [ETAS[-1], ETAS[1]],
    }
    svg, _ = panel(data, "O3")
    assert svg.count('class="window"') == 1 and svg.count('class="guide"') == 1 and "2.00 of 2" in svg
    x = [
        float(v)
        for v in re.search(r'class="window"', svg)
        and re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)[0]
    ]
    dots = [float(v) for v in re.findall(r"M([\d.]+) [\d.]+h0", svg)]
    assert sum(x[0] <= d <= x[0] + x[1] for d in dots) == len(ETAS) - 1, (
        "all but the largest step were judged"
    )
    plain, _ = panel({**data, "window": None, "orders": {}}, "O3")
    assert "guide" not in plain and "window" not in plain


def test_the_window_of_an_order_is_what_was_above_the_plateau():
    from noether.verdicts.claims import order_record
    from noether.verdicts.orders import decide

    class Where:
        law, rule, name, replay = "O3", "heavy-ball", "O3/x", "noether verify"

        class case:
            name = "rayleigh"

    errors = [h**2 for h in ETAS]
    noise = [1e-30] * 5 + [1.0]
    made = order_record(Where, None, decide(errors, noise), 2, {}, {"x": ETAS, "y": errors, "label": "model"})
    assert made.data["window"] == [ETAS[4], ETAS[0]]


def test_precisions_keep_their_colour_and_mark():
    looks = {(colour(p), mark(p)) for p in PRECISIONS}
    assert len(looks) == len(PRECISIONS)
    assert colour("float16") == colour("float16/eager") and all(
        colour(x) < COLOURS for x in ("", "unheard", HOSTILE)
    )


def test_rings_stand_where_orders_are_stated():
    svg = order_strip({"a <&>": [(2.0, 2.01, 0.2), (1.0, 1.0, 0.0)]}, "O3")
    assert svg.count('class="stated"') == 2 and svg.count('class="whisker"') == 1
    assert xml.fromstring(spark({"float64": [0.0, math.inf, math.nan, 0.5]}, "D2")) is not None


def test_a_thousand_records_make_a_small_page():
    records = [
        record(
            case=f"case-{i % 30}",
            spent=(i + 1) / 1001,
            bound=10.0 ** -(i % 15),
            precision=PRECISIONS[i % len(PRECISIONS)],
        )
        for i in range(1000)
    ]
    records += [
        planted(control=f"fault {i % 50}", spent=2.0 + i, bound=10.0 ** -(i % 15)) for i in range(2000)
    ]
    page = page_of(records)
    assert len(page) < 250_000


def test_every_law_of_the_book_has_a_subject():
    from noether.report.page.page import SUBJECTS

    letters = {letter for letter, *_ in SUBJECTS if letter}
    assert {law[0] for law in LAWS} <= letters
