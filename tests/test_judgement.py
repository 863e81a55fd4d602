"""How a number becomes a verdict: one place finds the worst, prices a NaN and asks for evidence; figures are
typed."""

import ast
from pathlib import Path

import numpy as np
import pytest

import noether
from noether.report.page.plots import PLOT_CLAIM
from noether.verdicts import figures, judgement
from noether.verdicts.judgement import Worst
from noether.verdicts.record import (
    BITWISE,
    HOLDS,
    INCONCLUSIVE,
    ORDER,
    OUTSIDE,
    ROUNDING,
    STATISTICAL,
    VIOLATED,
)

HOUSE = Path(noether.__file__).resolve().parent
ABOUT = dict(
    law="D0", case="c", rule="r", backend="numpy", precision="float64", lanes=1, steps=1, parameters={}
)
SPENDING = {"spent", "everywhere"}
EXEMPT = {"campaigns/kill_matrix/harness_plantings.py"}  # wrong judges, that is its work


def sources(*words: str):
    """The files outside verdicts/ that have one of these words, each with its syntax tree."""
    for path in sorted(HOUSE.rglob("*.py")):
        where, text = path.relative_to(HOUSE).as_posix(), path.read_text(encoding="utf-8")
        if not where.startswith("verdicts/") and any(word in text for word in words):
            yield where, ast.parse(text)


def called(node) -> str:
    """The last name of what a call calls."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def named(node) -> set[str]:
    """All names and attributes below a node."""
    return {getattr(x, "id", getattr(x, "attr", "")) for x in ast.walk(node)}


def test_records_are_made_in_the_room_of_verdicts_alone():
    found = {
        where
        for where, tree in sources("Record")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) == "Record"
    }
    assert found == {"runs/records_file.py"}, "elsewhere noether.verdicts.judgement makes a record"


def test_nobody_else_says_what_a_nan_spends():
    """isnan, isfinite or nan_to_num of what was spent, and a verdict that is set by hand."""
    asked = {"isnan", "isfinite", "nan_to_num"}
    found = [
        f"{where}:{node.lineno}"
        for where, tree in sources(*asked, "verdict")
        for node in ast.walk(tree)
        if where not in EXEMPT
        and (
            (isinstance(node, ast.Call) and called(node) in asked and named(node) & SPENDING)
            or (
                isinstance(node, ast.Attribute) and node.attr == "verdict" and isinstance(node.ctx, ast.Store)
            )
        )
    ]
    # No verdict of a record: KillResult.verdict is that of a whole campaign.
    assert [x for x in found if not x.startswith("campaigns/kill_matrix/campaign.py")] == []


def test_laws_draw_no_figure_by_hand():
    found = [
        f"{where}:{node.lineno}"
        for where, tree in sources("plot")
        if where.startswith("laws/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        and any(isinstance(k, ast.Constant) and k.value == "plot" for k in node.keys)
    ]
    assert found == []


def test_the_first_of_the_worst_places_speaks_and_a_nan_is_worse_than_all():
    one = np.ones((2, 3))
    measured = np.array([[0.0, 3.0, 1.0], [3.0, 2.0, 0.0]])
    found = judgement.worst(measured, 0.0, one)
    assert found == Worst(3.0, 3.0, 0.0, 1.0, (0, 1))
    measured[1, 2] = np.nan
    assert judgement.worst(measured, 0.0, one).spent == np.inf
    assert judgement.worst(measured, 0.0, one).at == (1, 2)
    assert judgement.worst(measured, 0.0, one, inside=measured < 3).at == (1, 1)
    assert judgement.worst([1.0, 2.0], [0.0, 0.0], 1.0, spent=[np.nan, 5.0]).at == (0,)
    assert Worst(float("nan")).spent == np.inf


def test_a_bound_that_is_no_number_excuses_nothing():
    """Not even what is equal: nobody knows what would have been allowed."""
    bounds = np.array([np.nan, np.inf, 0.0, 1.0])
    assert judgement.spent_of(2.0, 2.0, bounds).tolist() == [np.inf, 0.0, 0.0, 0.0]
    assert judgement.spent_of(2.0, 3.0, bounds).tolist() == [np.inf, 0.0, np.inf, 1.0]


def test_of_claims_the_first_of_the_worst_speaks():
    claims = [Worst(1.0), Worst(np.nan, at=(1,)), Worst(np.inf, at=(2,))]
    assert judgement.most_spent(claims).at == (1,)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(judgement.rounding, ROUNDING), (judgement.order, ORDER), (judgement.mean, STATISTICAL)],
)
@pytest.mark.parametrize(
    ("spent", "how", "verdict"),
    [
        (1.0, dict(enough=True), HOLDS),
        (1.0, dict(enough=False), INCONCLUSIVE),
        (np.nextafter(1, 2), dict(enough=False), VIOLATED),
        (np.nan, dict(enough=True), VIOLATED),
        (9.0, dict(enough=True, decided=False), INCONCLUSIVE),
        (0.0, dict(enough=True, refuted=True), VIOLATED),
        (None, dict(enough=True), INCONCLUSIVE),
    ],
)
def test_a_verdict_needs_evidence_to_hold_and_none_to_be_violated(make, kind, spent, how, verdict):
    found = make(Worst(spent), "why", **how, **ABOUT)
    assert (found.verdict, found.kind, found.reason) == (verdict, kind, "why")


def test_evidence_cannot_be_left_out():
    for make in (judgement.rounding, judgement.order, judgement.mean):
        with pytest.raises(TypeError, match="enough"):
            make(Worst(0.0), "", **ABOUT)


@pytest.mark.parametrize(
    ("measured", "how", "spent", "verdict"),
    [
        (0, dict(enough=True), 0.0, HOLDS),
        (0, dict(enough=False), 0.0, INCONCLUSIVE),
        (1, dict(enough=False), np.inf, VIOLATED),
        (3, dict(enough=True, predicted=3), 0.0, HOLDS),
        (0, dict(enough=True, spoiled=True), np.inf, VIOLATED),
    ],
)
def test_bits_are_equal_or_infinitely_far_off(measured, how, spent, verdict):
    found = judgement.bits(measured, "", **how, **ABOUT)
    assert (found.spent, found.verdict, found.kind, found.bound) == (spent, verdict, BITWISE, 0.0)


def test_what_compared_nothing_has_no_number():
    for found, verdict in (
        (judgement.outside("", **ABOUT), OUTSIDE),
        (judgement.undecided("", **ABOUT), INCONCLUSIVE),
        (judgement.noticed(True, "", **ABOUT), VIOLATED),
        (judgement.noticed(False, "", **ABOUT), INCONCLUSIVE),
    ):
        assert (found.verdict, found.spent, found.measured) == (verdict, None, None)


LINES = figures.Lines(x=np.arange(2), series={"measured": [1, None]}, xlabel="t", ylabel="J")


def test_the_record_of_a_planted_fault_has_a_figure_only_with_a_claim():
    claim = figures.Claim(statement="", published=1.0, measured=2.0, ratio=2.0)
    claimed = figures.Lines(x=[1.0], series={"a": [1.0]}, xlabel="", ylabel="", claim=claim)
    for figure, fault, keeps in ((LINES, None, True), (LINES, "a", False), (claimed, "a", True)):
        found = judgement.rounding(
            Worst(0.0), "", enough=True, figure=figure, powers={"k": 0.5}, **ABOUT, fault=fault
        )
        assert bool(found.data) == keeps and bool(found.powers) == (fault is None)


def test_figures_are_plain_numbers():
    assert LINES.as_dict() == {
        "plot": "lines",
        "x": [0.0, 1.0],
        "series": {"measured": [1.0, None]},
        "xlabel": "t",
        "ylabel": "J",
    }
    loglog = figures.Loglog(x=[1, 2], series={"a": [3, 4]}, xlabel="", ylabel="", label="a").as_dict()
    assert (loglog["label"], loglog["y"]) == ("a", [3.0, 4.0])
    assert figures.Course(x=[1], y=[2], label="a", bound=[3]).as_dict() == {
        "x": [1.0],
        "y": [2.0],
        "bound": [3.0],
        "label": "a",
    }


def test_the_report_knows_every_panel():
    assert {kind.plot for kind in figures.PANELS} == set(PLOT_CLAIM)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: figures.Lines(x=[1], series={}, xlabel="", ylabel=""), "no series"),
        (lambda: figures.Lines(x=[1], series={"a": [1, 2]}, xlabel="", ylabel=""), "2 values beside 1"),
        (lambda: figures.Lines(x=[1], series={"a": [1]}, xlabel="", ylabel="", xscale="ln"), "'ln'"),
        (lambda: figures.Course(x=[1], y=[1], label="", predicted=[]), "0 values beside 1"),
        (lambda: figures.Course(x=[1], y=[1], label="", window=[1]), "1 ends, must have 2"),
        (lambda: figures.Heatmap(rows="a", columns="b", cells=[[{}]], caption=""), "must have value"),
        (lambda: figures.Heatmap(rows="ab", columns="b", cells=[[]], caption=""), "1 values beside 2"),
        (lambda: figures.redrawn({"x": [1]}, {"a": []}, ""), "0 values beside 1"),
    ],
)
def test_a_figure_that_does_not_fit_is_refused(make, wrong):
    with pytest.raises(ValueError, match=wrong):
        make()
