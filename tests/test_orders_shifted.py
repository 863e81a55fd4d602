"""An order that the usual step sizes do not decide is asked of smaller and of larger ones."""

from dataclasses import replace

import plainest

from noether.cases.case import Case, Symmetry
from noether.laws.orders import cells as orders
from noether.laws.orders import memories
from noether.laws.orders.runs import Cell
from noether.verdicts.record import HOLDS, VIOLATED


def ring(q, xp):
    s = (q[0] - 16.0) * (q[0] - 16.0) + (q[1] + 32.0) * (q[1] + 32.0)
    return (s - 1) * (s - 1) / 4


def breaking(q, xp):
    return q[0]


FAR = Case(name="far-ring", title="t", source="own", loss=ring, breaking=breaking,
           box=((16.2, 17.2), (-32.0, -31.0)),
           symmetries=(Symmetry("rotation", ((0, -1), (1, 0)), (-32.0, -16.0)),))  # fmt: skip
CELL = Cell("O3", FAR, "heavy-ball", "quick", 0)


def right(records):
    return {r.verdict for r in records if r.fault is None}


def test_smaller_steps_decide_what_is_not_reached_yet():
    """The first p_j about this point are 1.03, -.32, 1.28, 1.70 on their way to 2."""
    assert orders.open_in(orders.measured(CELL)) == 5
    records = orders.run_cell(CELL)
    assert right(records) == {HOLDS}
    killed = {r.fault for r in records if r.verdict == VIOLATED}
    assert {r.fault for r in records} - killed == {None}, "each fault is seen in some statement"
    assert {r.cell for r in records} == {CELL.name}, "the cell is the same, and replays the same"


def test_all_that_steps_takes_steps_of_another_size():
    smaller = replace(CELL, shift=-2)
    assert smaller.unit == CELL.unit / 4 and memories.whole(smaller) == memories.whole(CELL) / 4


def test_what_is_violated_stands_and_what_is_decided_is_asked_once(monkeypatch):
    asked = []
    monkeypatch.setattr(orders, "measured", lambda cell: asked.append(cell.shift) or found[cell.shift])
    monkeypatch.setattr(orders, "loses_derivatives", lambda cell: False)
    some = plainest.record("O3", verdict=HOLDS, spent=0.5)
    with_verdict = lambda verdict: [replace(some, verdict=verdict)]
    for usual, smaller, larger, told, times in (
        (HOLDS, VIOLATED, VIOLATED, HOLDS, [0]),
        (VIOLATED, HOLDS, HOLDS, VIOLATED, [0]),
        ("inconclusive", "inconclusive", HOLDS, HOLDS, [0, -2, 2]),
        ("inconclusive", HOLDS, VIOLATED, HOLDS, [0, -2]),
        ("inconclusive", VIOLATED, HOLDS, HOLDS, [0, -2, 2]),
        ("inconclusive", VIOLATED, VIOLATED, "inconclusive", [0, -2, 2]),
    ):
        found = {0: with_verdict(usual), -2: with_verdict(smaller), 2: with_verdict(larger)}
        asked.clear()
        assert right(orders.run_cell(CELL)) == {told} and asked == times
