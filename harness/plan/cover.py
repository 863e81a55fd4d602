"""The cheapest points that show every pair of things at least once: a greedy cover, by what each adds for its
cost.

A set of pairs is an int with a bit for each, so that thousands of exchanges take no time. Nothing depends on
the order of a set: every machine plans the same points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, combinations, product

from noether.plan.coverage import operations


def cover(points: Iterable, requirements, cost: Callable[..., float] = operations) -> list:
    """Points that show all that any point can: greedily those that add most for their cost, then exchanged.

    A pair is worth the least at which any point shows it, so that what only dear points can show decides
    first, and cheap ones fill what is left.
    """
    points = list(dict.fromkeys(points))
    places: dict[tuple, int] = {}  # of each pair, its bit
    shows = [0] * len(points)
    for i, requirement in product(range(len(points)), requirements):
        for pair in requirement.pairs(points[i]):
            shows[i] |= 1 << places.setdefault(pair, len(places))
    price = [cost(p) for p in points]
    showing = [[i for i, s in enumerate(shows) if s >> bit & 1] for bit in range(len(places))]
    worth = [min(price[i] for i in those) for those in showing]
    chosen, missing = [], (1 << len(places)) - 1

    def gain(i: int) -> float:
        return sum(worth[bit] for bit in bits(shows[i] & missing)) / price[i]

    while missing:
        best = max(range(len(points)), key=gain)
        chosen.append(best)
        missing &= ~shows[best]
    chosen = needed(chosen, shows, price)
    while better := exchanged(chosen, shows, price, showing):
        chosen = needed(better, shows, price)
    return [points[i] for i in chosen]


def bits(x: int) -> Iterator[int]:
    while x:
        yield (x & -x).bit_length() - 1
        x &= x - 1


def shown(chosen: Iterable[int], shows: list[int]) -> tuple[int, int]:
    """What exactly one of them shows, and exactly two."""
    one = two = more = 0
    for i in chosen:
        more |= two & shows[i]
        two |= one & shows[i]
        one |= shows[i]
    return one & ~two, two & ~more


def needed(chosen: list[int], shows: list[int], price: list[float]) -> list[int]:
    """Without those, the dearest first, that show nothing which no other shows."""
    for i in sorted(chosen, key=lambda i: -price[i]):
        if not shows[i] & shown(chosen, shows)[0]:
            chosen = [j for j in chosen if j != i]
    return chosen


def exchanged(chosen: list[int], shows: list[int], price: list[float], showing: list[list[int]]) -> list[int]:
    """With one point, or two, exchanged for a cheaper one that shows all that they do, or none."""
    once, twice = shown(chosen, shows)
    for i, j in chain(((i, i) for i in chosen), combinations(chosen, 2)):
        missing = (shows[i] | shows[j]) & once | (shows[i] & shows[j] & twice if i != j else 0)
        paid = price[i] + (price[j] if i != j else 0)
        for k in showing[next(bits(missing))]:
            if price[k] < paid and not missing & ~shows[k]:
                return [*(x for x in chosen if x not in (i, j)), k]
    return []
