"""What may be declared of a case: names that can be printed, finite numbers, squares of them."""

from __future__ import annotations

import math
import numbers
import re

import numpy as np

LONGEST = 80  # characters of a name: it stands in tables, in file names and in the log of a CI
NAME_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # how cases and rules are named


class CaseError(ValueError):
    """A case file says something that cannot be: what is, what it must be, where."""


class RuleError(CaseError):
    """A learning rule says something that cannot be: what is, what it must be, where."""


def brief(value) -> str:
    """What somebody gave, as it may stand in one line."""
    try:
        text = ascii(value)
    except Exception:  # an object of somebody else; a whole number of thousands of digits
        text = f"a {type(value).__name__} that cannot be told"
    return text if len(text) <= 60 else f"{text[:56]} ..."


def is_finite(x) -> bool:
    """A real number that float64 has room for."""
    try:
        return (
            isinstance(x, numbers.Real) and not isinstance(x, bool | np.bool_) and bool(np.isfinite(float(x)))
        )
    except OverflowError:
        return False


def check_line(where: str, text, most: int, *, least: int = 1) -> None:
    """Refuse a text that cannot stand on a line: names and titles are printed on terminals and in logs.
    Raises CaseError."""
    if (
        not isinstance(text, str)
        or not text.isprintable()
        or not least <= len(text.strip()) <= len(text) <= most
    ):
        raise CaseError(
            f"{where} is {brief(text)}, must be text of {least} to {most} characters that can be printed on "
            "a line"
        )


def rows_of(where: str, A) -> tuple[tuple, ...]:
    """A square of finite numbers, as tuples. Raises CaseError."""
    try:
        A = A.tolist() if isinstance(A, np.ndarray) and A.dtype.kind in "iuf" else A
        rows = tuple(tuple(row) for row in A)
    except TypeError:
        raise CaseError(f"{where} is {brief(A)}, must be a square of numbers, d rows of d") from None
    if not rows or any(len(row) != len(rows) for row in rows):
        raise CaseError(
            f"{where} has rows of {brief([len(row) for row in rows])} entries, must be a square of numbers, "
            "d rows of d, d at least 1"
        )
    for x in (x for row in rows if not is_plain(row) for x in row):
        if not is_finite(x):
            raise CaseError(f"{where} has the entry {brief(x)}, must have finite numbers")
    return rows


def is_plain(row: tuple) -> bool:
    """Whether a row has plain finite numbers alone; quick, for a square has many."""
    try:
        return {*map(type, row)} <= {int, float} and all(map(math.isfinite, row))
    except OverflowError:
        return False


def check_dim(where: str, *whole: int) -> None:
    """Refuse what is no whole number, or no number of parameters from 1 to 1024. Raises CaseError."""
    if (
        not all(isinstance(x, numbers.Integral) and not isinstance(x, bool) for x in whole)
        or not 1 <= whole[0] <= 1024
    ):
        raise CaseError(f"{where}: must be whole numbers, and the first how many parameters there are")
