"""The cheapest points that show every pair of things at least once: a greedy cover, by what each adds for its
cost.

A set of pairs is an int with a bit for each, so that thousands of exchanges take no time. Nothing depends on
the order of a set: every machine plans the same points.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, combinations, product

from noether.plan.coverage import operations


def cover(
    points: Iterable,
    requirements,
    cost: Callable[..., float] = operations,
    admits: Callable[..., bool] = lambda point: True,
) -> list:
    """Points that show all that any point can: greedily those that add most for their cost, then exchanged.

    A pair is worth the least at which any point shows it, so that what only dear points can show decides
    first, and cheap ones fill what is left.

    admits  whether a point may be chosen at all; asked only of those that would be, for it may cost a launch
    """
    found = Candidates(list(dict.fromkeys(points)), requirements, cost, admits)
    chosen = needed(found.greedily(), found.shows, found.price)
    while better := exchanged(chosen, found):
        chosen = needed(better, found.shows, found.price)
    return [found.points[i] for i in chosen]


class Candidates:
    """The points of a cover: what each shows, as bits, and costs.

    showing  of each pair, the points that show it;  worth  the least that one of them costs
    """

    def __init__(self, points: list, requirements, cost, admits):
        self.points, self.admits = points, cache(lambda i: admits(points[i]))
        places: dict[tuple, int] = {}  # of each pair, its bit
        self.shows = [0] * len(points)
        for i, requirement in product(range(len(points)), requirements):
            for pair in requirement.pairs(points[i]):
                self.shows[i] |= 1 << places.setdefault(pair, len(places))
        self.price = [cost(p) for p in points]
        self.showing: list[list[int]] = [[] for _ in places]
        for i, shows in enumerate(self.shows):
            for bit in bits(shows):
                self.showing[bit].append(i)
        self.worth = [self.least(those) for those in self.showing]

    def least(self, those: list[int]) -> float:
        return min((self.price[i] for i in those), default=0.0)

    def taken(self, i: int) -> bool:
        """Whether a point may be chosen; one that may not shows nothing from now on."""
        if not self.admits(i):
            for bit in bits(self.shows[i]):
                self.showing[bit].remove(i)
                self.worth[bit] = self.least(self.showing[bit])
            self.shows[i] = 0
        return self.admits(i)

    def greedily(self) -> list[int]:
        """Points that show all that any can, each time the one that adds most for its cost, the first of
        those that add as much.

        What a point adds only falls while others are chosen, so an old gain is the most that it can be, and
        few need to be formed again: rounding to nearest keeps the order of sums of the same terms.
        """
        chosen, missing = [], (1 << len(self.showing)) - 1

        def loss(i: int) -> float:
            return -sum(self.worth[bit] for bit in bits(self.shows[i] & missing)) / self.price[i]

        ranks = lambda: sorted((loss(i), i) for i in range(len(self.points)))
        ranked = ranks()
        while missing:
            _, best = ranked[0]
            now = (loss(best), best)
            if now != ranked[0]:
                heapq.heapreplace(ranked, now)
            elif self.taken(best):
                chosen.append(best)
                missing &= ~self.shows[best]
            else:  # what it alone showed cheaply is worth more now
                missing &= sum(1 << bit for bit, those in enumerate(self.showing) if those)
                ranked = ranks()
        return chosen


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


def exchanged(chosen: list[int], found: Candidates) -> list[int]:
    """With one point, or two, exchanged for a cheaper one that shows all that they do, or none."""
    shows, price = found.shows, found.price
    once, twice = shown(chosen, shows)
    for i, j in chain(((i, i) for i in chosen), combinations(chosen, 2)):
        missing = (shows[i] | shows[j]) & once | (shows[i] & shows[j] & twice if i != j else 0)
        paid = price[i] + (price[j] if i != j else 0)
        for k in list(found.showing[next(bits(missing))]):
            if price[k] < paid and not missing & ~shows[k] and found.taken(k):
                return [*(x for x in chosen if x not in (i, j)), k]
    return []
