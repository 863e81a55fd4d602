"""What the functions of a learning rule must give: lists of d numbers, each of them stored, and named terms.

They are called at a random point of exact numbers (exact_numbers.py), where a store marks what it gives.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from noether.cases.declared import RuleError, brief, is_finite
from noether.cases.exact_numbers import D, Point, point, same, updated
from noether.cases.residues import XP, Number
from noether.cases.rule_declared import COMMON

OF_Q, OF_BUFFER = "xp.store", "xp.store_buffer"


class Stored(Number):
    """A number as a store gives it; `by` is the name of the store."""

    __slots__ = ("by",)

    def __init__(self, value, by: str):
        super().__init__(value)
        self.by = by


MARKS = SimpleNamespace(
    **{**vars(XP), "store": lambda x: Stored(x, OF_Q), "store_buffer": lambda x: Stored(x, OF_BUFFER)}
)
"""The namespace xp of exact numbers in which a store can be seen in what it gives."""


def check(rule) -> None:
    """Refuse a rule whose functions give something else. Raises RuleError, and whatever they raise."""
    where = f"rule {rule.name}"
    check_known(where, rule)
    at = point(rule, 0)
    q, buffers = at.state
    given = rule.update(q, buffers, list(at.g), at.parameters(), MARKS)
    if (q, buffers) != (list(at.q), [list(b) for b in at.buffers]):
        raise RuleError(f"{where}: update writes to q or to buffers: they must only be read")
    new_q, new = check_update(where, rule, given, D)
    check_stored(where, "q", new_q, OF_Q)
    for word, found in zip(rule.buffers, new, strict=True):
        check_stored(where, word, found, OF_BUFFER)
    terms = rule.terms(*at.state, [list(b) for b in new], list(at.g), at.parameters(), XP)
    check_terms(where, rule, terms, D)
    check_eps(where, rule, at)


def check_known(where: str, rule) -> None:
    """Refuse what a step knows of its number where it is no dict of numbers by names of their own."""
    if rule.known is None:
        return
    names, before = (*COMMON, "kappa", *(x.name for x in rule.extra)), None
    for n in (1, 2, 3, 100):
        found = rule.known(n, SimpleNamespace(**dict.fromkeys(names, 0.5)))
        if not isinstance(found, dict) or not found or not all(map(is_one, found.values())):
            must = "must be a dict of finite numbers by name"
            raise RuleError(f"{where}: known gives {told(found)} in step {n}, {must}")
        before = before or found
        if list(found) != list(before):
            raise RuleError(
                f"{where}: known gives {', '.join(map(str, found))} in step {n} and "
                f"{', '.join(map(str, before))} in step 1: must be the same names in every step"
            )
    for name in before:
        if not isinstance(name, str) or not name.isidentifier() or name in (*names, "G"):
            must = "must be a name of its own, which no parameter has"
            raise RuleError(f"{where}: known gives a number named {brief(name)}: {must}")


def is_one(x) -> bool:
    """A finite number, of numpy's too."""
    return is_finite(x) or (isinstance(x, np.ndarray) and x.shape == () and is_finite(x.item()))


def listed(where: str, what: str, found, count: int, of: str) -> list:
    """A list of so many. Raises RuleError."""
    if not isinstance(found, list | tuple) or len(found) != count:
        raise RuleError(f"{where}: {what} is {told(found)}, must be a list of {count} {of}")
    return list(found)


def told(found) -> str:
    """What somebody gave, in words: of what has many numbers how many, for ours print nothing."""
    if isinstance(found, str | int | float | None) or isinstance(found, dict) and not contains_ours(found):
        return brief(found)
    size = f" of {len(found)}" if hasattr(found, "__len__") else ""
    return f"a {type(found).__name__}{size}"


def contains_ours(found: dict) -> bool:
    """Whether a dict has exact numbers in it."""
    return any(isinstance(x, Number | list | tuple) for x in found.values())


def check_update(where: str, rule, given, d: int) -> tuple[list, list[list]]:
    """q' and the new buffers that update has given at d parameters. Raises RuleError."""
    new_q, new = listed(where, "what update gives", given, 2, "things: q' and the new buffers")
    new = listed(where, "the second thing that update gives", new, len(rule.buffers), "lists, one a buffer")
    each, of = zip(("q", *rule.buffers), (new_q, *new), strict=True), f"numbers, at d = {d}"
    q, *new = (listed(where, f"{word}' of update", x, d, of) for word, x in each)
    return q, new


def check_stored(where: str, word: str, found: list, store: str) -> None:
    """Refuse a value that no store has rounded, or another one than must. Raises RuleError."""
    for i, x in enumerate(found):
        by = getattr(x, "by", None)
        if by != store:
            what = f"is stored by {by}" if by else "is not stored"
            raise RuleError(f"{where}: {word}'[{i}] of update {what}, must be {store}(...)")


def check_terms(where: str, rule, given, d: int) -> None:
    """Refuse terms that are no lists of d numbers by name. Raises RuleError."""
    must = "things: the terms of q', and a list of those of each buffer"
    of_q, of_buffers = listed(where, "what terms gives", given, 2, must)
    of_buffers = listed(where, "the second thing that terms gives", of_buffers, len(rule.buffers), "dicts")
    for word, named in zip(("q", *rule.buffers), (of_q, *of_buffers), strict=True):
        if not isinstance(named, dict) or not named:
            must = "must be a dict of lists by name"
            raise RuleError(f"{where}: the terms of {word}' are {told(named)}, {must}")
        for name, term in named.items():
            listed(where, f"the term {brief(name)} of {word}'", term, d, f"numbers, at d = {d}")
    if "q" not in of_q:
        must = "one must be 'q', which is s q with s what decay beside the step leaves of q, 1 without it"
        raise RuleError(f"{where}: the terms of q' are {', '.join(map(str, of_q))}: {must}")


def check_eps(where: str, rule, at: Point) -> None:
    """Refuse a step that depends on the magnitude of the breaking, which the gradient has in it already."""
    other = replace(at, p=at.p | {"eps": at.p["eps"] + 1})
    if not same(updated(rule, at), updated(rule, other)):
        raise RuleError(
            f"{where}: update reads p.eps, the magnitude of the term that breaks the symmetry: must "
            "have a parameter of its own in extra, as stability"
        )
