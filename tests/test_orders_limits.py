"""Limits of errors: what is violated, and what is no evidence against anybody."""

import numpy as np
import pytest

from noether.cases import MEXICAN_HAT
from noether.laws.orders import cells, constants
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

CELL = cells.cells([MEXICAN_HAT], "quick", 0)[1]
ETA = 2.0 ** -np.arange(5.0, 11.0)
ONE, NONE = np.ones((1, 1, len(ETA))), np.zeros((1, len(ETA)))


def vanishing(off, *, error=NONE, felt=ONE):
    """Of off/eta, which is to go to 0; a coefficient as large again adds `felt`."""
    return constants.vanishing(CELL, off, error, NONE, 1, {"a": felt * ETA}, "n", eta=ETA)


def constant(off, C):
    """Of off/eta, which is to go to C."""
    return constants.judged(CELL, off, NONE, NONE, 1, (C, C), "n", eta=ETA)[0]


@pytest.mark.parametrize(
    ("off", "verdict"),
    [(ETA**2, HOLDS), (3 * ETA, VIOLATED), (ETA / 64, VIOLATED), (1e-3 + 0 * ETA, INCONCLUSIVE)],
    ids=["of the next order", "of this order", "a little of this order", "of the order before"],
)
def test_a_limit_is_violated_where_it_is_another_and_not_where_there_is_none(off, verdict):
    """What does not fall with eta at all has no limit over eta: that is for the record of its order."""
    record = vanishing(off * ONE)
    assert record.verdict == verdict and ("do not fall" in record.reason) == (verdict == INCONCLUSIVE)


def test_a_limit_that_is_large_is_violated_though_no_coefficient_is_noticed():
    """Of coefficients that move nothing the error itself is the evidence: it settles on 3."""
    assert vanishing(3 * ETA * ONE, felt=0 * ONE).verdict == VIOLATED
    assert vanishing(ETA**2 * ONE, felt=0 * ONE).verdict == INCONCLUSIVE
    assert constant(3 * ETA * ONE, np.zeros((1, 1))).verdict == VIOLATED


def test_a_bound_at_which_nothing_would_be_noticed_violates_nothing():
    """The errors jump by a thousand: 1.3e4 off within 9.9e3 is what such a record said."""
    jumps = 1e3 * ETA * np.array([1, -3, 2, 5, -4, 3]) * ONE
    record = vanishing(jumps)
    assert record.spent > 0.1 and record.verdict == INCONCLUSIVE
    assert constant(jumps, np.ones((1, 1))).verdict == INCONCLUSIVE


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_run_that_is_no_number_is_violated_and_a_model_that_is_none_is_not(broken):
    off = broken * ONE
    assert vanishing(off).verdict == constant(off, np.ones((1, 1))).verdict == VIOLATED
    last, first = (np.where(np.arange(len(ETA)) == at, broken, ETA**2) * ONE for at in (len(ETA) - 1, 0))
    assert (vanishing(last).verdict, vanishing(first).verdict) == (VIOLATED, INCONCLUSIVE)
    assert vanishing(off, error=np.nan * NONE).verdict == INCONCLUSIVE
    assert constant(off, np.full((1, 1), np.nan)).verdict == INCONCLUSIVE
    assert constant(ETA * ONE, np.full((1, 1), np.nan)).verdict == INCONCLUSIVE
