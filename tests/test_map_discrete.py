"""The discrete rows of the map: what commutes with a symmetry that has no generator, and what does not."""

import numpy as np
import pytest

from noether.cases import CORE
from noether.cases.turns import commutes
from noether.kernels.programs.namespaces import NUMPY
from noether.laws.map import cells as symmetry_map
from noether.laws.map import discrete, stepping, table
from noether.laws.map.scenes import scenes
from noether.verdicts.record import VIOLATED

(CELL,) = symmetry_map.cells(CORE, "quick", 3)


@pytest.mark.parametrize("row", table.DISCRETE)
def test_what_commutes_with_a_discrete_symmetry_is_read_off_the_lines(row):
    turn = discrete.TURNS[row]
    for name, column in stepping.STEPPED.items():
        label = table.entry(row, name).label
        if label != table.NO_CHARGE:
            assert (label == table.EXACT) == commutes(column.rule, turn), (row, name)
        else:
            assert discrete.positive(column)


@pytest.mark.parametrize("row", table.DISCRETE)
def test_the_discrete_symmetries_leave_their_losses_and_the_near_miss_does_not(row):
    """To the bit: products and sums of two numbers that change places, or both change their signs."""
    case, turn = scenes()[row].case, discrete.TURNS[row]
    q = case.draw(np.random.default_rng(4), 5)
    loss = lambda q, turn: case.loss(turn.of(list(q)), NUMPY)
    assert np.array_equal(loss(q, turn), case.loss(list(q), NUMPY)) and np.all(loss(q, turn) != 0)
    if row == "permutation":
        assert (np.abs(loss(q, discrete.HALF) - case.loss(list(q), NUMPY)) > 1e-3).all()


def test_a_claim_against_what_commutes_is_violated_and_so_is_one_for_what_does_not():
    scene, turn = scenes()["exchange"], discrete.TURNS["exchange"]
    for column, wrong in (
        ("Muon", "exact"),
        ("Adam", "order 0"),
        ("LARS", "order 0"),
        ("gradient flow", "-"),
    ):
        claim = table.Entry(wrong, "run")
        (r,) = symmetry_map.commuting(CELL, scene, turn, [column], claim=claim)
        assert r.verdict == VIOLATED, (column, wrong)


def test_muon_keeps_what_its_matrix_does_not_see():
    """Rows that add up to 0 stay so under Muon: its matrix is multiplied from the left. The softmax of the
    map has its classes along the other side, and there the sum is broken."""
    rng, d = np.random.default_rng(5), 6
    g = rng.normal(size=(2, 3, 4))
    g -= g.mean(axis=1, keepdims=True)
    walk = stepping.Walk(stepping.STEPPED["Muon"], rng.normal(size=(d, 4)), np.zeros((d, 4)), np.full(4, 0.1))
    for n in (1, 2, 3):
        walk.step(n, g.reshape(d, 4) * n)
    moved = (walk.z[-1] - walk.z[0]).reshape(2, 3, 4)
    assert np.abs(moved).max() > 0.1 and np.abs(moved.sum(axis=1)).max() < 1e-14
