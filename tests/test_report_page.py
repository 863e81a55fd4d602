"""The page and its figures: every panel says its claim, every cell of the map is the record's, nothing is
dropped silently."""

import math
import re
from html import unescape
from xml.etree import ElementTree as xml

import plainest

from noether.plan.design import LAWS, PRECISIONS
from noether.report.page.page import render
from noether.verdicts.record import BITWISE, ORDER, VIOLATED

HOSTILE = """<script>alert("x")</script> & 'quoted' <u>"""
ABOUT = {"schema": 1, "backend": "numpy", "laws": ["D2"], "left_out": [], "seed": 0, "cells": 1, "errors": 0}
ABOUT |= {"arguments": {"cases": [], "profile": "quick", "backend": "auto", "seed": 0, "law": None}}
ABOUT |= {"start": "2026-01-01T00:00:00+00:00", "end": "2026-01-01T00:01:00+00:00", "seconds": 60.0}
ABOUT |= {"machine": {"processor": "a processor", "cpus": 2}, "exit_code": None}
ABOUT |= {"versions": {"noether": "0.1.0", "python": "3.11", "numpy": "2"}}
ETAS = [2.0**-j for j in range(5, 11)]


def record(law="D2", **facts):
    about = dict(case="rayleigh", rule="heavy-ball", lanes=4, steps=8, parameters={"eta": [0.1, 0.2]})
    about |= dict(predicted=1.0, measured=1.0, bound=1e-12, reason="4 of 4 lanes", symmetry="scale")
    about |= dict(cell=f"{law}/x", replay="noether replay RUN --law D2")
    return plainest.record(law, **{**about, **facts})


def planted(law="D2", **given):
    return record(law, **{**dict(fault="no-op kernel", spent=1e6, verdict=VIOLATED, replay=None), **given})


def order(stated=2, name="model", **given):
    data = {"x": ETAS, "y": [3 * h**stated for h in ETAS], "label": name, "window": [ETAS[-1], ETAS[0]]}
    found = dict(predicted=float(stated), measured=stated + 0.01, bound=0.1, spent=0.1)
    return record("O3", kind=ORDER, symmetry=None, data=data, **found, **given)


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


R4 = {
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
RATIO = {
    "plot": "lines",
    "x": [1.0, 10.0],
    "series": {"measured": [0.05, 1.0]},
    "xlabel": "correlation time",
    "ylabel": "r^4 / Eq. 17",
    "xscale": "log",
    "yscale": "log",
}
EPS = [10.0**-j for j in range(12)]
RESPONSE = {
    "plot": "response",
    "x": [0.0, *EPS],
    "series": {"measured": [0.0, *EPS], "predicted": [0.0, *EPS], "bound": [1e-15] * 13},
    "xlabel": "eps",
    "ylabel": "response",
}


def everything():
    right = [
        record("D2"),
        record("D2", precision="bfloat16/mixed", spent=0.9, bound=1e-3),
        record("E1", data=RESPONSE),
        record("D13", kind=BITWISE, spent=0.0, bound=0.0),
        order(),
        order(1, "wrong start"),
        charge("T5", [math.exp(-t) for t in TIMES]),
        charge("T1", [1.0, -3.0, -1.0, -0.4], kinetic_share=1.3),
        record("M1", case="map", data=MAP),
        record("P1", data={"claim": CLAIM}),
        record("S2", data=R4, parameters={"statement": "coherent"}),
        record("S2", data=RATIO, parameters={"statement": "crossover"}),
    ]
    return right + [planted(law) for law in dict.fromkeys(r.law for r in right)]


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
    for anchor in "motion response map regimes claims tried faults each machine D2 M1".split():
        assert f'id="{anchor}"' in page
    assert not re.search(r"""(src|href)=(?!"#)|@import|url\(|<link|http:|https:""", page)
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
    names = ("case", "rule", "symmetry", "reason", "replay", "precision", "backend")
    words = dict.fromkeys(names, HOSTILE)
    violated = {**words, "verdict": VIOLATED, "spent": 7.0}
    lines = {"plot": "lines", "x": TIMES, "series": {HOSTILE: TIMES}}
    lines |= {"xlabel": HOSTILE, "ylabel": HOSTILE, "caption": HOSTILE}
    heat = {
        "plot": "heatmap",
        "rows": [HOSTILE],
        "columns": [HOSTILE],
        "cells": [[{"value": 1, "label": HOSTILE, "evidence": HOSTILE}]],
        "caption": HOSTILE,
    }
    records = [
        record(**words, data=lines),
        record(**violated, data={"diagnosis": {"line": HOSTILE}}),
        record("M1", data=heat),
        record("P1", data={"claim": dict.fromkeys(CLAIM, HOSTILE)}),
        planted(fault=HOSTILE),
        order(name=HOSTILE),
        order(1, HOSTILE + ", b"),
    ]
    about = dict(machine={"processor": HOSTILE}, blind=[HOSTILE], left_out=[HOSTILE], start=HOSTILE)
    page = page_of(records, command="verify", **about)
    well_formed(page)
    assert page.count("<script") == 2 and "<u>" not in page and "alert(" in page


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
    records += [planted(fault=f"fault {i % 50}", spent=2.0 + i, bound=10.0 ** -(i % 15)) for i in range(2000)]
    page = page_of(records)
    assert len(page) < 250_000


def test_every_law_of_the_book_has_a_subject():
    from noether.report.page.page import SUBJECTS

    letters = {letter for letter, *_ in SUBJECTS if letter}
    assert {law[0] for law in LAWS} <= letters


def test_of_charges_that_move_those_are_drawn_whose_difference_is_seen():
    kept, still = [math.exp(-t) for t in TIMES], [1.001 * math.exp(-t) for t in TIMES]
    far = charge("T1", [1.0, 100.0, 1.0, 1.0], kinetic_share=1.0)
    same = charge("T1", [1.0, *still[1:]], kinetic_share=1.0)
    other = charge("T1", [1.0, 2.0, 1.0, 0.5], kinetic_share=1.0)
    other.case = "another"
    page = page_of([charge("T5", kept), far, same, other, planted("T1")])
    motion = page[page.index('id="motion"') :]
    assert "on another" in motion[: motion.index("</p>")]
