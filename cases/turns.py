"""With which turns of its parameters a learning rule commutes: read off its lines, in exact arithmetic.

    update(T q, T g) = T update(q, g)      through its first steps, from buffers that are 0            (1)

T is orthogonal: a permutation, a change of signs or a rotation, of all parameters or of the rows and columns
of their matrix (cases/matrices.py). Rotations are those by the angle of (3/5, 4/5), whose numbers are
fractions, so that (1) is decided modulo a prime as update and terms are (cases/exact_numbers.py). A root of
equal numbers is an equal number; a sign is odd, an absolute value even, and of two numbers one is the larger.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

from noether.cases.matrices import shape
from noether.cases.residues import PRIME, Number, unknown
from noether.cases.rule import Rule

STEPS = 2
"""A second step reads the buffers that the first one made."""


@dataclass(frozen=True)
class Turn:
    """A turn of d parameters.

    rows    row i of T: {j: T_ij}
    signed  whether each row has one number, 1 or -1: then T q is exact in floating point
    """

    name: str
    rows: tuple[tuple[tuple[int, Fraction], ...], ...]

    @property
    def signed(self) -> bool:
        return all(len(row) == 1 for row in self.rows)

    def of(self, x: list, number=float) -> list:
        """T x of a list of numbers."""
        return [sum([number(c) * x[j] for j, c in row[1:]], number(row[0][1]) * x[row[0][0]])
                for row in self.rows]  # fmt: skip

    @property
    def back(self) -> Turn:
        """The transposed turn, which is its inverse."""
        columns: list[list] = [[] for _ in self.rows]
        for i, row in enumerate(self.rows):
            for j, c in row:
                columns[j].append((i, c))
        return Turn(self.name, tuple(map(tuple, columns)))


def made(name: str, d: int, entries: dict[int, dict[int, Fraction | int]]) -> Turn:
    """A turn whose other rows are those of the identity."""
    rows = [entries.get(i, {i: 1}) for i in range(d)]
    return Turn(name, tuple(tuple((j, Fraction(c)) for j, c in row.items()) for row in rows))


COS, SIN = Fraction(3, 5), Fraction(4, 5)


def rotated(pairs) -> dict:
    """The rows of a rotation of each pair."""
    return {k: row for i, j in pairs for k, row in ((i, {i: COS, j: -SIN}), (j, {i: SIN, j: COS}))}


@cache
def turns(d: int) -> tuple[Turn, ...]:
    """The turns that rules of d parameters are asked for, at least 2 rows and 2 columns of them."""
    r, c = shape(d)
    at = lambda i, j: i * c + j
    rows = [(at(0, j), at(1, j)) for j in range(c)] if r > 1 else []
    columns = [(at(i, 0), at(i, 1)) for i in range(r)]
    some = (
        made("two parameters exchanged", d, {0: {1: 1}, 1: {0: 1}}),
        made("sign of one parameter", d, {0: {0: -1}}),
        made("rotation of two parameters", d, rotated([(0, d - 1)])),
        made("rotation of two columns", d, rotated(columns)),
    )
    return (*some, made("rotation of two rows", d, rotated(rows))) if rows else some


def odd(name: str):
    """An unknown function with f(-x) = -f(x)."""

    def call(x):
        value = Number(x).value
        return unknown(name, value) if value <= PRIME - value else -unknown(name, PRIME - value)

    return call


def even(name: str):
    """An unknown function with f(-x) = f(x)."""
    return lambda x: unknown(name, min(Number(x).value, PRIME - Number(x).value))


def larger(x, y) -> Number:
    """The larger of two in some order of all numbers."""
    return Number(max(Number(x).value, Number(y).value))


SYMMETRIC = SimpleNamespace(
    **{name: (lambda x, name=name: unknown(name, x)) for name in ("sqrt", "exp", "log", "step")},
    sign=odd("sign"),
    absolute=even("absolute"),
    maximum=larger,
    store=lambda x: x,
    store_buffer=lambda x: x,
)
"""The namespace xp of numbers of which no more is known than a turn needs."""


def gone(rule: Rule, q: list, forces: list[list], numbers: list[dict]) -> list:
    """q after some steps from buffers that are 0, under these gradients."""
    buffers = [[Number(0) for _ in q] for _ in rule.buffers]
    for g, p in zip(forces, numbers, strict=True):
        q, buffers = rule.update(list(q), buffers, list(g), SimpleNamespace(**p), SYMMETRIC)
    return list(q)


@cache
def commutes(rule: Rule, turn: Turn) -> bool:
    """Whether (1) holds. A rule that stores log q is asked for exchanges alone, for it needs q > 0."""
    d, rng = len(turn.rows), random.Random(f"{rule.name} {turn.name}")
    if rule.log_state and not (turn.signed and all(c == 1 for row in turn.rows for _, c in row)):
        return False
    draw = lambda: [Number(rng.randrange(2, PRIME)) for _ in range(d)]
    q, forces, G = draw(), [draw() for _ in range(STEPS)], draw()
    names = (*rule.parameters, *rule.known_names)
    plain = [{name: Number(rng.randrange(2, PRIME)) for name in rule.parameters}] * STEPS
    plain = [{**p, **{x: Number(rng.randrange(2, PRIME)) for x in names if x not in p}} for p in plain]
    number = lambda c: Number(c.numerator) / c.denominator
    moved = lambda x: turn.of(x, number)
    # A metric of the case is a number for each parameter: it changes places with them, whatever their signs.
    places = Turn(turn.name, tuple(tuple((j, abs(c)) for j, c in row) for row in turn.rows))
    here = gone(rule, q, forces, [{**p, "G": G} for p in plain])
    there = gone(rule, moved(q), [moved(g) for g in forces],
                 [{**p, "G": places.of(G, number)} for p in plain])  # fmt: skip
    return all(x == y for x, y in zip(there, moved(here), strict=True))


@cache
def by_components(rule: Rule, d: int) -> bool:
    """Whether each parameter goes its own way: neither q' nor a buffer of it reads another component."""
    rng = random.Random(f"{rule.name} by components")
    draw = lambda: [Number(rng.randrange(2, PRIME)) for _ in range(d)]
    p = {name: Number(rng.randrange(2, PRIME)) for name in (*rule.parameters, *rule.known_names)}
    q, g, G, buffers = draw(), draw(), draw(), [draw() for _ in rule.buffers]
    others = lambda x: [x[0], *(y + 1 for y in x[1:])]
    steps = [
        rule.update(q, buffers, g, SimpleNamespace(**p, G=G), SYMMETRIC),
        rule.update(others(q), [others(b) for b in buffers], others(g), SimpleNamespace(**p, G=others(G)),
                    SYMMETRIC),
    ]  # fmt: skip
    first = [[new_q[0], *(b[0] for b in new)] for new_q, new in steps]
    return all(x == y for x, y in zip(*first, strict=True))
