"""Reading files from outside, and the JSON in them, strictly: a file is understood in one way or refused.

JSON leaves much open that would make two readers disagree, or one of them fail: a key that stands twice, NaN,
a number that overflows, half of a surrogate pair, nesting without end. All of it is a ValueError here.
"""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path

from noether.system.usage import UsageError

DEEPEST = 32  # levels of lists and objects: what we write has fewer than ten
DIGITS = 20  # of a whole number: 2^63 has nineteen
LARGEST = 2**28  # bytes of one file


def loads(text: str):
    """The value of a JSON text. Raises ValueError saying what is wrong with it."""
    try:
        value = json.loads(
            text, parse_constant=no_constant, parse_float=real, parse_int=whole, object_pairs_hook=once
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if too_deep(value):
        raise ValueError(f"nested too deeply: more than {DEEPEST} levels")
    if "\\u" in text and not whole_characters(value):
        raise ValueError("it has half of a surrogate pair, which is no character")
    return value


def no_constant(word: str):
    raise ValueError(f"{word} is no JSON")


def real(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"{shortened(word)} is no number of float64")
    return number


def whole(word: str) -> int:
    if len(word) > DIGITS + 1:
        raise ValueError(f"{shortened(word)} has {len(word)} digits, must have at most {DIGITS}")
    return int(word)


def once(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{shortened(repr(twice))} stands there twice")
    return found


def too_deep(value) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        inside = (x for v in level for x in (v.values() if isinstance(v, dict) else v))
        level = [x for x in inside if isinstance(x, dict | list)]
    return bool(level)


def whole_characters(value) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


# ---- files


def read_bytes(path: Path, what: str, *, missing: str = "does not exist", most: int = LARGEST) -> bytes:
    """A whole regular file. Raises UsageError, beginning with `what`; never waits for a pipe or a device."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise UsageError(f"{what} {missing}") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte, half of a surrogate pair
        raise UsageError(f"{what} cannot be read: {reason(error)}") from None
    try:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise UsageError(f"{what} is {kind(about.st_mode)}, must be a file")
        if about.st_size > most:
            raise UsageError(f"{what} has {about.st_size} bytes, must have at most {most}")
        with open(fd, "rb", closefd=False) as file:
            return file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {reason(error)}") from None
    finally:
        os.close(fd)


def read_json(path: Path, what: str, **how) -> tuple[object, str]:
    """The value of a JSON file, and its text. Raises UsageError."""
    raw = read_bytes(path, what, **how)
    try:
        text = raw.decode("utf-8").replace("\r\n", "\n")
        return loads(text), text
    except ValueError as error:
        raise UsageError(f"{what} is corrupt: {first_line(error)}") from None


def reason(error: Exception) -> str:
    """Why a file could not be read, in words."""
    return getattr(error, "strerror", None) or first_line(error)


def kind_of(path: Path, what: str) -> str:
    """What lies at a path: "a file", "a folder" ...; '' for nothing. Raises UsageError where nobody can
    tell."""
    try:
        return kind(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        raise UsageError(f"{what} cannot be read: {reason(error)}") from None


def kind(mode: int) -> str:
    """What a mode of os.stat means, in words."""
    kinds = {stat.S_ISREG: "a file", stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe"}
    for test, name in {**kinds, stat.S_ISSOCK: "a socket"}.items():
        if test(mode):
            return name
    return "a device"
