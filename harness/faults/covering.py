"""The greedy set cover: few points that together contain every pair of things at least once."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def cover(points: list, pairs: Callable, ready: Sequence = ()) -> list:
    """The greedy set cover: points until every pair of any point is there; those of `ready` come first."""
    covers = [
        [(p, pairs(*p)) for p in some] for some in (ready, points)
    ]  # once: the search asks for them again and again
    chosen, missing = [], set().union(*(covered for _, covered in covers[1]))
    for some in covers:
        while missing and some:
            best, covered = max(some, key=lambda c: len(c[1] & missing))
            if not covered & missing:
                break
            missing -= covered
            chosen.append(best)
    return chosen
