"""Tables that say what the fields of a JSON file must be, and a function that checks a value against one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from noether.system.outside import is_printable
from noether.system.strict_reading import shortened

NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True)
class Kind:
    """must    how an error goes on after "must be"
    fits       whether a value is of this kind; `without` adds null
    """

    must: str
    fits: Callable[[object], bool]
    needed: bool = True

    @property
    def or_null(self) -> Kind:
        return Kind(f"{self.must} or null", lambda x: x is None or self.fits(x), self.needed)

    @property
    def optional(self) -> Kind:
        """The field may be missing."""
        return Kind(self.must, self.fits, False)


def is_whole(x, low: int = 0, high: int = 2**63 - 1) -> bool:
    """Whether a value is a whole number, and no bool."""
    return isinstance(x, int) and not isinstance(x, bool) and low <= x <= high


def is_number(x) -> bool:
    """Whether a value is a finite number, or what stands in a file for one that is not."""
    return isinstance(x, int | float) and not isinstance(x, bool) or isinstance(x, str) and x in NONFINITE


def is_hex(x) -> bool:
    """Whether a value is a float in the way of float.hex, which is exact and the same on every machine."""
    try:
        return isinstance(x, str) and len(x) < 64 and float.fromhex(x) is not None
    except (ValueError, OverflowError):
        return False


def whole(low: int = 0, high: int = 2**63 - 1) -> Kind:
    return Kind(f"a whole number from {low} to {high}", lambda x: is_whole(x, low, high))


def list_of(kind: Kind) -> Kind:
    return Kind(f"a list, each {kind.must}", lambda x: isinstance(x, list) and all(map(kind.fits, x)))


def object_of(kind: Kind) -> Kind:
    return Kind(
        f"an object, each {kind.must}", lambda x: isinstance(x, dict) and all(map(kind.fits, x.values()))
    )


def one_of(*words: str) -> Kind:
    return Kind(f"one of {', '.join(words)}", lambda x: isinstance(x, str) and x in words)


TEXT = Kind("text", lambda x: isinstance(x, str))
NAME = Kind("text that can be printed on a line", lambda x: isinstance(x, str) and is_printable(x))
NUMBER = Kind("a number", is_number)
FINITE = Kind("a finite number", lambda x: is_number(x) and not isinstance(x, str) and math.isfinite(x))
TRUTH = Kind("true or false", lambda x: isinstance(x, bool))
OBJECT = Kind("an object", lambda x: isinstance(x, dict))
HEX = Kind("a hex float", is_hex)


def check(value, table: Mapping[str, Kind], where: str = "") -> dict:
    """The object that was given. Raises ValueError, which says what is and what it must be; `where` stands
    before, as in "worst: "."""
    if not isinstance(value, dict):
        raise ValueError(f"{where}is a {type(value).__name__}, must be an object")
    missing = [name for name, kind in table.items() if kind.needed and name not in value]
    if missing:
        raise ValueError(f"{where}has no {', '.join(missing)}")
    for name, kind in table.items():
        if name in value and not kind.fits(value[name]):
            raise ValueError(f"{where}{name} is {shortened(repr(value[name]))}, must be {kind.must}")
    return value
