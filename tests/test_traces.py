"""What records of exact laws keep for figures: plain, short, and true to the trajectory."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_report_page import page_of, planted, record

from noether.laws.exact.traces import DIGITS, PLANE, POINTS, growth, plain, thinned


@given(st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=2), min_size=1, max_size=40))
def test_growth_is_the_most_of_each_range_between_powers_of_two(spent):
    found, worst = growth(np.array(spent)), [max(pair) for pair in spent]
    assert len(found) == math.floor(math.log2(len(worst))) + 1
    for k, most in enumerate(found):
        inside = [x for n, x in enumerate(worst, 1) if 2**k <= n < 2 ** (k + 1)]
        assert most == plain([max(inside)])[0]


@given(st.integers(1, 5000), st.sampled_from((POINTS, PLANE)))
def test_what_is_thinned_keeps_its_ends_and_is_short(count, most):
    at = thinned(count, most)
    assert at[0] == 0 and at[-1] == count - 1 and len(at) == len(set(at)) == min(count, most)


def test_a_run_keeps_traces_that_are_small_and_lie_within_the_bound():
    from noether import verify

    found = verify("product", rules=["heavy-ball"], laws=["D0", "D2"], backend="numpy").records
    right = [r for r in found if not r.fault and r.verdict == "holds"]
    charges = [r.data["charge"] for r in right if "charge" in r.data]
    assert charges and {r.law for r in right if "charge" in r.data} == {"D2"}
    for c in charges:
        assert len({len(x) for x in c.values()}) == 1 and 2 <= len(c["steps"]) <= POINTS
        for m, p, b in zip(c["measured"], c["predicted"], c["bound"], strict=True):
            assert abs(m - p) <= b + 10.0 ** (1 - DIGITS) * (abs(m) + abs(p))
    paths = [r.data["path"] for r in right if "path" in r.data]
    assert paths and all(len(p) == 4 and len(p[0]) <= PLANE for p in paths)
    for r in right:
        assert math.isclose(max(r.data["growth"]), r.spent, rel_tol=10.0 ** (1 - DIGITS))
        assert len(json.dumps(r.data)) < 2500
    assert all("growth" not in r.data for r in found if r.fault)


CHARGE = {
    "steps": [1, 2, 3],
    "measured": [1.0, 0.5, 0.25],
    "predicted": [1.0, 0.5, 0.25],
    "bound": [0.1, 0.1, 0.1],
}


def test_the_page_follows_charges_paths_and_spent_over_the_steps():
    path = [[0.0, 1.0], [1.0, 2.0], [0.5, 0.5], [0.25, 0.25]]
    kept = {"growth": [0.25, 0.5], "charge": CHARGE, "path": path}
    twice = record("D2", data=kept, symmetry="rotation-12", precision="bfloat16")
    page = page_of([record("D2", data=kept, symmetry="rotation-01"), twice, planted()])
    assert page.count('<figure class="mini">') == 1, "one drawing a rule and kind of symmetry"
    assert 'id="charges"' in page and "J of rotation under heavy-ball" in page and "bfloat16; D2" in page
    assert 'id="paths"' in page and "phase portrait" in page and "Spent against the step" in page
    bare = page_of([record("D2"), planted()])
    assert "mini" not in bare.split("</style>")[1].split("<script")[0] and 'id="paths"' not in bare


def test_traces_that_lack_numbers_are_left_out():
    for broken in (
        {"charge": {"steps": [1]}},
        {"charge": 3},
        {"path": [[1.0]]},
        {"growth": "x"},
        {"growth": []},
    ):
        assert 'class="mini"' not in page_of([record("D2", data=broken), planted()])
    nan = {**CHARGE, "bound": [math.nan] * 3}
    assert 'class="mini"' not in page_of([record("D2", data={"charge": nan}), planted()])
