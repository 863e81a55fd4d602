"""Parameters read as a matrix, and the few things that rules do with one, in plain arithmetic.

d numbers are a matrix by rows, r x c with r the largest divisor of d that is at most sqrt(d): 4 are 2 x 2, 6
are 2 x 3, 8 are 2 x 4, and a prime number of them is one row. A matrix here is a list of its rows, and has
no more columns than rows only where it is square.
"""

from __future__ import annotations

from math import isqrt


def shape(d: int) -> tuple[int, int]:
    """The rows and columns of the matrix that d parameters are."""
    r = next(r for r in range(isqrt(d), 0, -1) if d % r == 0)
    return r, d // r


def matrix(x: list) -> list[list]:
    """The matrix of d numbers, a list of rows."""
    r, c = shape(len(x))
    return [list(x[i * c : (i + 1) * c]) for i in range(r)]


def flat(X: list[list]) -> list:
    """The numbers of a matrix, by rows."""
    return [x for row in X for x in row]


def transposed(X: list[list]) -> list[list]:
    """X^T."""
    return [list(column) for column in zip(*X, strict=True)]


def dot(x: list, y: list):
    """<x, y>, added from the first product on."""
    total = x[0] * y[0]
    for a, b in zip(x[1:], y[1:], strict=True):
        total = total + a * b
    return total


def norm(x: list, xp):
    """|x|, the root of the sum of squares; of all numbers of a matrix its Frobenius norm."""
    return xp.sqrt(dot(x, x))


def product(A: list[list], B: list[list]) -> list[list]:
    """A B."""
    columns = transposed(B)
    return [[dot(row, column) for column in columns] for row in A]


def gram(X: list[list]) -> list[list]:
    """X X^T. Each number is computed once, for the matrix is symmetric."""
    of = {(i, j): dot(X[i], X[j]) for i in range(len(X)) for j in range(i, len(X))}
    return [[of[min(i, j), max(i, j)] for j in range(len(X))] for i in range(len(X))]
