"""Numbers modulo a prime: roots that square to their argument, and what a rule with roots is proven to be."""

import random

import pytest

from noether.cases import exact_numbers
from noether.cases.residues import PRIME, NoRoot, Number, Roots, root
from noether.cases.rule import Rule, RuleError

ROOTED = dict(step=("q' = q - ...",), source="nowhere")
DRAWN = [Number(random.Random(n).randrange(2, PRIME)) for n in range(64)]


def test_the_square_of_a_root_is_its_argument_or_the_negative_of_it_for_half_of_all_numbers_each():
    squares = [root(x) * root(x) for x in DRAWN]
    there = [s == x for s, x in zip(squares, DRAWN, strict=True)]
    assert all(y or s == -x for y, s, x in zip(there, squares, DRAWN, strict=True))
    assert 16 < sum(there) < 48  # of 64 tosses of a coin, which are the same in every run


def test_the_root_of_a_product_is_the_product_of_the_roots():
    assert all(root(x * y) == root(x) * root(y) for x, y in zip(DRAWN, DRAWN[1:], strict=False))


def test_a_root_that_is_not_there_is_told():
    for x in DRAWN:
        assert exists(x) != exists(-x)


def exists(x):
    try:
        return Roots().sqrt(x) * Roots().sqrt(x) == x
    except NoRoot:
        return False


def written(update, terms):
    """A rule that keeps its gradient, moves by update(g, xp), and says that it does by terms(g, xp)."""

    def lines(q, buffers, g, p, xp):
        moved = [xp.store(a - b) for a, b in zip(q, update(g, xp), strict=True)]
        return moved, [[xp.store_buffer(x) for x in g]]

    def sums(q, buffers, new, g, p, xp):
        return {"q": q, "the step": [-x for x in terms(g, xp)]}, [{"the gradient": g}]

    return Rule(name="written-twice", update=lines, terms=sums, **ROOTED)


each = lambda of: lambda g, xp: [of(x, xp) for x in g]
SAME = {
    "the square of a root": (lambda x, xp: xp.sqrt(x) * xp.sqrt(x), lambda x, xp: x),
    "a root below a line": (lambda x, xp: x / xp.sqrt(x), lambda x, xp: xp.sqrt(x)),
    "a root of a product": (lambda x, xp: xp.sqrt(3 * x), lambda x, xp: xp.sqrt(3.0) * xp.sqrt(x)),
    "a root of a root": (lambda x, xp: xp.sqrt(xp.sqrt(x)) ** 4, lambda x, xp: x),
}
OTHER = {
    "its negative": (lambda x, xp: xp.sqrt(x) * xp.sqrt(x), lambda x, xp: -x),
    "one more": (lambda x, xp: xp.sqrt(x), lambda x, xp: xp.sqrt(x + 1)),
    "half": (lambda x, xp: x / xp.sqrt(x), lambda x, xp: xp.sqrt(x) / 2),
    "a sum": (lambda x, xp: xp.sqrt(x + 1), lambda x, xp: xp.sqrt(x) + 1),
}


@pytest.mark.parametrize("writings", SAME.values(), ids=SAME)
def test_two_writings_of_a_root_are_one_step(writings):
    written(*map(each, writings))


@pytest.mark.parametrize("writings", OTHER.values(), ids=OTHER)
def test_two_steps_are_told_apart_by_their_roots(writings):
    with pytest.raises(RuleError, match="do not add up"):
        written(*map(each, writings))


def test_more_roots_than_have_a_common_point_are_taken_as_functions_of_their_arguments(monkeypatch):
    monkeypatch.setattr(exact_numbers, "TRIES", 2**4)  # 160 roots exist together at one point of 2^160
    many = each(lambda x, xp: sum(xp.sqrt(x + n) for n in range(40)))
    written(many, many)
    with pytest.raises(RuleError, match="do not add up"):
        written(many, each(lambda x, xp: sum(xp.sqrt(x + n) for n in range(41))))
