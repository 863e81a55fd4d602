"""What every cell of a family of laws does alike, whatever the law measures."""

from dataclasses import replace

import numpy as np
import pytest

from noether.cases import CORE
from noether.laws.orders import cells, sign
from noether.laws.registry import FAMILIES
from noether.laws.registry import LAWS as REGISTERED
from noether.verdicts.record import INCONCLUSIVE, OUTSIDE

CELLS = [family.measured().cells(CORE, "quick", 0, "numpy") for family in FAMILIES]
FIRST = [cells[0] for cells in CELLS if cells]  # without torch networks have none


def gives_up(cell):
    raise FloatingPointError("Newton does not settle")


@pytest.mark.parametrize("cell", FIRST, ids=lambda cell: cell.law)
def test_a_solver_that_gives_up_decides_nothing_and_is_no_internal_error(cell):
    stopped = replace(cell, work=gives_up)
    records = stopped.run()
    assert {r.law for r in records} == {*stopped.laws} <= {*REGISTERED}
    assert {(r.verdict, r.fault) for r in records} == {(INCONCLUSIVE, None)}
    assert all("Newton does not settle" in r.reason for r in records)


def test_a_sign_that_changes_in_the_first_step_leaves_nothing_to_judge(monkeypatch):
    cell = next(c for c in cells.cells(CORE, "quick", 0, "numpy") if c.rule == "sign-descent")
    monkeypatch.setattr(sign, "change", lambda g, q0, s: np.zeros(s.shape[1]))
    (record,) = sign.until_a_sign_changes(cell)
    assert record.verdict == OUTSIDE and "first two steps" in record.reason
