"""With which turns of its parameters a rule commutes is decided by its lines, in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from noether.cases.matrices import flat, matrix, product, transposed
from noether.cases.rules import RULES
from noether.cases.turns import by_components, commutes, made, turns

NAMES = ("two parameters exchanged", "sign of one parameter", "rotation of two parameters")
OF_MATRICES = ("rotation of two columns", "rotation of two rows")
ALL, SIGNED, SIDES = {*NAMES, *OF_MATRICES}, set(NAMES[:2]), set(OF_MATRICES)
GROUPS = {
    "gradient-descent": ALL, "heavy-ball": ALL, "nesterov": ALL, "qhm": ALL, "normalised-gradient": ALL,
    "lars": ALL, "adam": SIGNED, "adamw": SIGNED, "radam": SIGNED, "rmsprop": SIGNED, "adagrad": SIGNED,
    "lion": SIGNED, "signum": SIGNED, "sign-descent": SIGNED, "lamb": SIGNED, "natural-gradient": SIGNED,
    "muon": SIDES, "orthogonal-descent": SIDES, "shampoo": SIDES, "mirror-descent": set(NAMES[:1]),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_each_rule_commutes_with_the_group_of_its_metric(name):
    assert {t.name for t in turns(4) if commutes(RULES[name], t)} == GROUPS[name]


def test_muon_commutes_on_any_shape_and_a_row_has_one_side():
    assert {t.name for t in turns(6) if commutes(RULES["muon"], t)} == SIDES
    assert [t.name for t in turns(3)] == [*NAMES, OF_MATRICES[0]]


def fractions(d: int, seed: int) -> list[Fraction]:
    """Different numbers, none of which is 0."""
    return [Fraction(int(x), 7) for x in np.random.default_rng(seed).permutation(np.arange(1, 30))[:d]]


@pytest.mark.parametrize("d", [2, 3, 4, 6, 8])
def test_turns_are_orthogonal_and_their_transpose_undoes_them(d):
    """In fractions: nothing rounds."""
    x, one = fractions(d, 0), [[int(i == j) for j in range(d)] for i in range(d)]
    for turn in turns(d):
        dense = [[dict(row).get(j, Fraction(0)) for j in range(d)] for row in turn.rows]
        assert product(dense, transposed(dense)) == one != dense
        there = turn.of(x, Fraction)
        assert there == [sum(a * b for a, b in zip(row, x, strict=True)) for row in dense] != x
        assert turn.back.of(there, Fraction) == x


def test_rows_and_columns_are_turned_from_the_two_sides():
    x, (c, s) = fractions(6, 1), (Fraction(3, 5), Fraction(4, 5))
    by_name = {t.name: t for t in turns(6)}
    R, wide = [[c, -s], [s, c]], [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    assert by_name["rotation of two rows"].of(x, Fraction) == flat(product(R, matrix(x)))
    of_columns = flat(product(matrix(x), transposed(wide)))
    assert by_name["rotation of two columns"].of(x, Fraction) == of_columns


def test_a_stretch_is_no_turn_of_a_rule_that_measures_lengths():
    """Gradient descent commutes with any matrix, LARS with orthogonal ones alone."""
    stretch = made("a stretch", 4, {0: {0: Fraction(2)}})
    assert commutes(RULES["gradient-descent"], stretch) and not commutes(RULES["lars"], stretch)


def test_rules_of_lengths_and_matrices_read_other_components():
    alone = {name for name, rule in RULES.items() if by_components(rule, 4)}
    assert {"adam", "lion", "heavy-ball", "mirror-descent"} <= alone
    mixing = {"exponentiated-gradient", "normalised-gradient", "lars", "lamb", "muon", "shampoo"}
    assert not mixing & alone and mixing <= set(RULES)
