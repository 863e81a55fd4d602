"""Linear equations between exponents: how much each number of a network grows when a symmetry scales it.

A diagonal symmetry multiplies each number x of a network, parameter or activation, by e^(s a(x)). What an
operation adds up must have one exponent, what is multiplied adds exponents, what a normalisation divides by
its own size has none left: as with the units of physics, the solutions of these equations are all such
symmetries. A parameter that is a factor of one product alone, W_ci x_i = y_c, has an exponent that nothing
else fixes, a(y_c) - a(x_i): it is put aside at once, so that what remains is of the size of activations.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

CONSTANT, DATA = 0, 1
"""The variables of numbers that no symmetry scales: constants, and what the network is given."""
NOTHING = -1
"""In the place of a variable: the number is 0, which has any exponent."""
UNDEFINED = -2


def distinct(a: np.ndarray) -> np.ndarray:
    """The distinct numbers of an array, in order. Of a million numpy.unique takes ten times longer (2.4)."""
    ordered = np.sort(a, axis=None)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if ordered.size else ordered


class Exponents:
    """Variables, and the equations that were found between them.

    parameters  how many numbers all parameters have: theirs are the variables after CONSTANT and DATA
    """

    def __init__(self, parameters: int):
        self.first, self.end = 2, 2 + parameters
        self.size = self.end
        self.plus = np.full(self.end, UNDEFINED, dtype=np.int64)
        self.minus = np.full(self.end, UNDEFINED, dtype=np.int64)
        self.used = np.zeros(self.end, dtype=bool)
        self.edges: list[np.ndarray] = []
        self.rows: dict[tuple, None] = {}
        self.equate(DATA, CONSTANT)

    def fresh(self, n: int) -> np.ndarray:
        """n new variables."""
        self.size += n
        return np.arange(self.size - n, self.size)

    def equate(self, a, b) -> None:
        """a = b, element by element, broadcast; nothing is said where either is NOTHING."""
        a, b = np.broadcast_arrays(np.asarray(a, np.int64), np.asarray(b, np.int64))
        differ = (a != b) & (a >= 0) & (b >= 0)
        if differ.any():
            pairs = np.unique(np.stack([a[differ], b[differ]], axis=1), axis=0)
            self.edges.append(pairs)
            self.use(pairs)

    def use(self, variables: np.ndarray) -> None:
        """Something is said of these: what is a parameter among them can no longer be put aside."""
        self.used[variables[(variables >= 0) & (variables < self.end)]] = True

    def vanish(self, a) -> None:
        """a = 0."""
        self.equate(a, CONSTANT)

    def row(self, *terms: tuple[int, int]) -> None:
        """The sum of coefficient times variable is 0; of (coefficient, variable) pairs."""
        found: dict[int, int] = {}
        for coefficient, variable in terms:
            if variable not in (CONSTANT, DATA, NOTHING):
                found[variable] = found.get(variable, 0) + coefficient
        kept = tuple(sorted((v, c) for v, c in found.items() if c))
        if kept:
            self.rows.setdefault(kept)
            self.use(np.array([v for v, _ in kept]))

    def is_untouched(self, a: np.ndarray) -> bool:
        """Whether all of these are parameters' own variables, each once, of which nothing was said yet."""
        flat = a.ravel()
        inside = (flat >= self.first) & (flat < self.end)
        return bool(inside.all()) and not self.used[flat].any() and len(distinct(flat)) == len(flat)

    def define(self, w: np.ndarray, y: np.ndarray, x: np.ndarray) -> None:
        """w = y - x for untouched parameters w; broadcast."""
        self.plus[w] = np.broadcast_to(y, w.shape)
        self.minus[w] = np.broadcast_to(x, w.shape)
        self.use(w)
        self.use(x)

    def solve(self) -> Solution:
        """All solutions."""
        rows = [dict(row) for row in self.rows] + self.defined_and_equated()
        kept = [pairs[~self.touches_defined(pairs)] for pairs in self.edges]
        pairs = np.concatenate([*kept, np.empty((0, 2), np.int64)])
        links = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (self.size, self.size))
        _, label = connected_components(links, directed=False)
        zero = int(label[CONSTANT])
        rows = [self.labelled(self.undefined(row), label, zero) for row in rows]
        return Solution(self, label, zero, eliminated([row for row in rows if row]))

    def touches_defined(self, pairs: np.ndarray) -> np.ndarray:
        inside = (pairs >= self.first) & (pairs < self.end)
        return (inside & (self.plus[np.where(inside, pairs, 0)] != UNDEFINED)).any(axis=1)

    def defined_and_equated(self) -> list[dict]:
        """The equalities of parameters that were put aside, as equations."""
        found = []
        for pairs in self.edges:
            for a, b in pairs[self.touches_defined(pairs)]:
                found.append({int(a): 1, int(b): -1})
        return found

    def undefined(self, row: dict) -> dict:
        """An equation without the parameters that were put aside: what they stand for in their place."""
        found: dict[int, int] = {}
        for v, c in row.items():
            stands = v < self.end and self.plus[v] != UNDEFINED
            terms = [(int(self.plus[v]), c), (int(self.minus[v]), -c)] if stands else [(v, c)]
            for name, coefficient in terms:
                found[name] = found.get(name, 0) + coefficient
        return found

    def labelled(self, row: dict, label: np.ndarray, zero: int) -> dict[int, Fraction]:
        """An equation between classes of equal variables."""
        found: dict[int, Fraction] = {}
        for v, c in row.items():
            if v >= 0 and label[v] != zero:
                found[int(label[v])] = found.get(int(label[v]), Fraction(0)) + c
        return {v: c for v, c in found.items() if c}


def eliminated(rows: list[dict[int, Fraction]]) -> dict[int, dict[int, Fraction]]:
    """Class -> the combination of free classes that it is, for each that is not free (Gauss)."""
    solved: dict[int, dict[int, Fraction]] = {}
    for row in rows:
        row = put_in(row, solved)
        if not row:
            continue
        pivot = max(row)  # the newest: activations depend on what came before them
        scale = row.pop(pivot)
        found = {v: -c / scale for v, c in row.items()}
        for name, old in solved.items():
            if pivot in old:
                solved[name] = put_in(old, {pivot: found})
        solved[pivot] = found
    return solved


def put_in(row: dict[int, Fraction], solved: dict[int, dict[int, Fraction]]) -> dict[int, Fraction]:
    """A combination with what is known put in the place of its classes."""
    found: dict[int, Fraction] = {}
    for v, c in row.items():
        for name, share in solved.get(v, {v: Fraction(1)}).items():
            found[name] = found.get(name, Fraction(0)) + c * share
    return {v: c for v, c in found.items() if c}


@dataclass(frozen=True, eq=False)
class Solution:
    """All solutions: classes of equal variables, and each class by those that are free.

    label   (variables,) class of each;  zero  the class that does not scale
    solved  class -> {free class: coefficient}, of those that are not free
    """

    of: Exponents
    label: np.ndarray
    zero: int
    solved: dict[int, dict[int, Fraction]]

    @cached_property
    def powers(self) -> sparse.csr_matrix:
        """(classes, classes) the exponent of each class in the solution in which one free class has 1."""
        n = int(self.label.max()) + 1
        at = [(c, f, float(x)) for c, combination in self.solved.items() for f, x in combination.items()]
        is_free = np.ones(n, dtype=bool)
        is_free[[*self.solved, self.zero]] = False
        free = np.flatnonzero(is_free)
        rows = np.concatenate([free, np.array([a[0] for a in at], dtype=int)])
        columns = np.concatenate([free, np.array([a[1] for a in at], dtype=int)])
        values = np.concatenate([np.ones(len(free)), np.array([a[2] for a in at])])
        return sparse.csr_matrix((values, (rows, columns)), (n, n))

    def of_variables(self, variables: np.ndarray) -> sparse.csr_matrix:
        """(len(variables), classes) the exponents of these in each solution."""
        return self.powers[self.label[variables]]

    def of_parameters(self) -> sparse.csc_matrix:
        """(numbers of all parameters, classes) their exponents in each solution."""
        e = self.of
        own = np.arange(e.first, e.end)
        is_defined = e.plus[own] != UNDEFINED
        plus = self.label[np.where(is_defined, e.plus[own], own)]
        minus = self.label[np.where(is_defined & (e.minus[own] >= 0), e.minus[own], CONSTANT)]
        return sparse.csc_matrix(self.powers[plus] - self.powers[minus])
