"""The figures of a report: sides of the bound, windows, colours, rings."""

import math
import re
from xml.etree import ElementTree as xml

from test_report_page import page_of, planted, record

from noether.plan.design import PRECISIONS
from noether.report.figures.axis import DIGIT, Axis, inside
from noether.report.figures.marks import COLOURS, colour, mark
from noether.report.figures.panel import panel
from noether.report.figures.strip import order_strip, spark
from noether.report.figures.svg import RIGHT, WIDTH

HOSTILE = """<script>alert("x")</script> & 'quoted' <u>"""


ETAS = [2.0**-j for j in range(5, 11)]


def test_right_steps_and_planted_faults_lie_on_their_sides_of_the_bound():
    page = page_of([record(spent=0.5), record(spent=0.9), planted(spent=50.0), planted(spent=math.inf)])
    assert "Every dot must lie within the bound: all 2 do" in page
    assert "must lie beyond it in some law: here 1 of 1 do" in page


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
    from noether.verdicts.figures import Course
    from noether.verdicts.orders import decide

    class Where:
        law, rule, name, replay = "O3", "heavy-ball", "O3/x", "noether verify"

        class case:
            name = "rayleigh"

    errors = [h**2 for h in ETAS]
    noise = [1e-30] * 5 + [1.0]
    made = order_record(Where, None, decide(errors, noise), 2, {}, Course(x=ETAS, y=errors, label="model"))
    assert made.data["window"] == [ETAS[4], ETAS[0]]


def test_precisions_keep_their_colour_and_mark():
    looks = {(colour(p), mark(p)) for p in PRECISIONS}
    assert len(looks) == len(PRECISIONS)
    assert colour("float16") == colour("float16/eager") and all(
        colour(x) < COLOURS for x in ("", "unheard", HOSTILE)
    )


def test_rings_stand_where_orders_are_stated():
    svg = order_strip({"a <&>": [(2.0, 2.01, 0.2, "0"), (1.0, 1.0, 0.0, "1")]}, "O3")
    assert svg.count('class="stated"') == 2 and svg.count('class="within"') == 2
    assert (
        xml.fromstring(spark({"float64": [(x, "") for x in (0.0, math.inf, math.nan, 0.5)]}, "D2"))
        is not None
    )


def test_both_ends_of_a_band_are_one_name_and_lie_about_the_line():
    x = [1.0, 2.0, 3.0]
    series = {"measured": x, "predicted": x, "at least": [0.5, 1.5, 2.5], "at most": [1.5, 2.5, 3.5]}
    svg, lost = panel({"plot": "lines", "x": x, "series": series}, "E4")
    assert lost == 0 and svg.count(">allowed</text>") == 1 and "at most</text>" not in svg
    (band,) = re.findall(r'<path d="M([^"]*)Z" class="within"', svg)
    ys = [float(pair.split()[1]) for pair in band.split("L")]
    (line,) = re.findall(r'<path d="M([^"]*)" class="truth" data-n="predicted"', svg)
    middle = [float(pair.split()[1]) for pair in line.split("L")]
    assert all(a > m > b for a, m, b in zip(ys[:3], middle, ys[:2:-1], strict=True))
    assert 'data-n="at most"' in svg, "its values are there"


def test_the_bound_of_a_course_is_a_band_or_its_size_is_told():
    x = [0.0, 1.0, 2.0]
    data = {"plot": "lines", "x": x, "series": {"measured": x, "predicted": x, "bound": [0.2] * 3}}
    wide, _ = panel(data, "T1")
    assert wide.count('class="within"') == 2 and "bound ± 0.2</text>" in wide
    thin, _ = panel({**data, "series": {**data["series"], "bound": [1e-9] * 3}}, "T1")
    assert "bound ± 1e-09, thinner than the line" in thin


def test_no_tick_runs_out_of_the_drawing():
    at = inside(WIDTH - RIGHT, "12000")
    assert at + DIGIT * 5 / 2 < WIDTH and at < WIDTH - RIGHT
    assert inside(100.0, "12000") == 100.0 and inside(WIDTH - RIGHT, "<a>5</a>") == WIDTH - RIGHT


def test_ticks_between_powers_of_ten_are_powers_too_where_digits_would_not_fit():
    ticks = lambda *ends: [word for _, word in Axis.over(list(ends), 0, 300, log=True).ticks()]
    assert ticks(4e6, 5e7) == ["5·10⁶", "10⁷", "2·10⁷", "5·10⁷"]
    assert ticks(0.04, 0.09) == ["0.05", "0.1"]
    assert ticks(2e-5, 3e-5) == ["10⁻⁵", "2·10⁻⁵"]
    assert ticks(4000.0, 7000.0) == ["5000", "10⁴"]
