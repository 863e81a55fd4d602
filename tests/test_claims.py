"""P1 to P6: what holds instead holds, what is published is violated, and the figures are those of theory.md
section 9."""

import numpy as np
import pytest

from noether.cases import CORE
from noether.laws.published import cells as claims
from noether.laws.published import dampening, models
from noether.laws.published.book import BOOK, OPEN, claimed
from noether.laws.published.evidence import rounding
from noether.laws.registry import LAWS
from noether.runs.records_file import line, parse
from noether.verdicts.record import HOLDS, INCONCLUSIVE, ORDER, VIOLATED

CELLS = {c.law: c for c in claims.cells(CORE, "quick", 1)}


@pytest.fixture(scope="module")
def found():
    return {law: claims.run_cell(cell) for law, cell in CELLS.items()}


@pytest.mark.parametrize("law", BOOK)
def test_ours_holds_and_the_published_statement_is_violated(found, law):
    real, planted = ([r for r in found[law] if (r.fault is not None) == wanted] for wanted in (False, True))
    assert real and {r.verdict for r in real} == {HOLDS}
    assert {r.fault: r.verdict for r in planted} == dict.fromkeys(LAWS[law].must_kill, VIOLATED)
    assert BOOK[law].fault in LAWS[law].faults
    assert real[0].data["claim"]["verdict"] == BOOK[law].word


@pytest.mark.parametrize(
    ("law", "ratio", "within"), [("P1", 0.1 / 1.9, 0.004), ("P3", 0.25, 0.0013), ("P5", 0.9991, 5e-5)]
)
def test_figures_are_those_of_the_theory(found, law, ratio, within):
    """19-fold, (1 - tau)^2 and the Pade ratio at beta .9; within the digits that are printed."""
    assert abs(found[law][0].data["claim"]["ratio"] - ratio) < within


def test_the_dampened_growth_is_printed_as_published(found):
    claim = found["P3"][0].data["claim"]
    assert (claim["published"], claim["measured"]) == ("growth 0.071", "growth 0.285")


def test_a_claim_survives_json(found):
    for records in found.values():
        assert parse(line(records[0].as_dict())).data["claim"] == records[0].data["claim"]


def test_a_claim_whose_fault_survives_is_not_decided(found):
    records = [r for r in found["P2"] if r.fault is None]
    claimed("P2", records, published="x", measured="y")
    assert records[0].data["claim"]["verdict"] == OPEN


def test_claims_are_checked_where_all_core_cases_are():
    assert set(CELLS) == set(BOOK) and claims.cells(CORE[:3], "quick") == [] == claims.cells(CORE, "glance")


def test_nothing_that_moves_is_inconclusive_and_a_nan_is_violated():
    one, bound = np.ones(3), np.full(3, 0.5)
    about = dict(about={}, note="n", steps=1)
    assert rounding(CELLS["P4"], one, one, bound, **about, motion=one).verdict == INCONCLUSIVE
    assert rounding(CELLS["P4"], one, one, bound / 100, **about, motion=one).verdict == HOLDS
    assert rounding(CELLS["P4"], one * np.nan, one, bound, **about, motion=one).verdict == VIOLATED


def test_the_closed_form_solves_its_equation():
    """Central differences: their error is of order h^2 beside a rounding of u/h^2."""
    m, mu, k, h, t = 0.25, 1.0, 0.5, 2.0**-12, 0.75
    x = [models.oscillator(m, mu, k, 1.5, -0.25, t + s * h) for s in (-1, 0, 1)]
    residual = m * (x[2] - 2 * x[1] + x[0]) / h**2 + mu * (x[2] - x[0]) / (2 * h) + k * x[1]
    assert abs(residual) < 100 * h**2
    assert models.oscillator(m, mu, k, 1.5, -0.25, 0.0) == 1.5


def test_without_dampening_the_published_growth_is_right():
    eta, start = np.array([2.0**-8]), dampening.FIGURE[-1]
    true, published, _ = dampening.grown(eta, 0.5, 0.0, 1.0, start, dampening.rayleigh(4))
    assert abs(published / true - 1) < 8 * eta


@pytest.mark.parametrize("law", ["P2", "P6"])
def test_a_claim_whose_order_is_undecided_says_so(law, monkeypatch):
    monkeypatch.setattr(models, "sizes", lambda cell, first: 2.0 ** -np.arange(first, first + 4, dtype=float))
    records = claims.run_cell(CELLS[law])
    assert {r.verdict for r in records if r.kind == ORDER} == {INCONCLUSIVE}
    assert (
        records[0].data["claim"]["verdict"] == OPEN
        and "order not decided" in records[0].data["claim"]["measured"]
    )
