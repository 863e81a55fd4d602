"""The one shape of claims of order: what comes of a line of a table, and in which sequence."""

from dataclasses import replace

import numpy as np

from noether.cases import MEXICAN_HAT
from noether.laws.orders import cells as orders
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim, Run, Solution, judged
from noether.verdicts.record import HOLDS, VIOLATED

CELL = orders.cells([MEXICAN_HAT], "quick", 0)[1]
ETA = 2.0 ** -np.arange(5.0, 11.0)
OFF, NONE = (ETA**2 * (1 + ETA))[None, None], np.zeros((1, len(ETA)))
SECOND = Claim("n", Run(OFF, NONE), Solution(0 * OFF, NONE), 2, faults.THIRD_ORDER, under=3)


def test_a_claim_is_judged_in_all_that_it_states_and_its_fault_is_violated():
    """eta^2 (1 + eta) is of order 2, its limit is 1 and no 65/64, and a coefficient that adds eta to it would
    be noticed; of order 3 it is not."""
    C, felt = np.ones((1, 1)), {"a": ETA * np.ones_like(OFF)}
    claim = replace(SECOND, constant=(C, C), responses=felt)
    cancelled = replace(claim, fault=None, asked=False)
    records = judged(CELL, [claim, cancelled], "at ", graded=True, eta=ETA)
    assert [(r.parameters["statement"], r.fault, r.verdict) for r in records] == [
        ("at n", None, HOLDS),
        ("at n", faults.THIRD_ORDER.name, VIOLATED),
        ("at n: error over eta^1 as eta goes to 0", None, HOLDS),
        ("at n: error over eta^2", None, HOLDS),
        ("at n: error over eta^2", faults.CONSTANT.name, VIOLATED),
        ("at n: error over eta^1 as eta goes to 0", None, HOLDS),
    ]
    assert records[2].powers["a"] < 0.01 and records[0].powers["a"] < 1


def test_an_order_that_a_run_does_not_have_is_violated():
    (stated,) = judged(CELL, [replace(SECOND, order=3, fault=None)], eta=ETA)
    assert stated.verdict == VIOLATED and stated.fault is None
    (planted,) = judged(CELL, [replace(SECOND, order=None)], eta=ETA)
    assert planted.verdict == VIOLATED and planted.fault == faults.THIRD_ORDER.name


def test_the_records_of_a_table_come_in_the_sequence_that_it_names():
    table = [replace(SECOND, note="a"), replace(SECOND, note="b")]
    for sequence, notes in (("order fault limit constant", "aabb"), ("fault limit constant | order", "abab")):
        records = judged(CELL, table, sequence=sequence, eta=ETA)
        assert "".join(r.parameters["statement"] for r in records) == notes
        assert [bool(r.fault) for r in records[:2]] == [sequence.startswith("fault"), True]
