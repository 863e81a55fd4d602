"""An order of operations in which few numbers are alive at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def depth_first(
    operands: Sequence[Sequence[int]],
    results: Iterable[int],
    takes: Sequence[int],
    after: Sequence[Iterable[int]] | None = None,
) -> list[int]:
    """The operations that the results need, by position, each soon before it is read; of two operands the one
    that needs more registers comes first.

    operands  of each operation those that it reads, all of them before it
    results   what is asked for, in the order in which it is to come
    takes     how many registers the number of an operation takes, 0 or 1
    after     of each operation those that must come before it though it does not read them

    What an operation needs is counted as for a tree (Sethi and Ullman, Journal of the ACM 17, 1970).
    """
    needs: list[int] = []
    for read, own in zip(operands, takes, strict=True):
        below = sorted({a: needs[a] for a in read}.values(), reverse=True)
        needs.append(max([own, *(need + i for i, need in enumerate(below))]))

    def below(at: int):
        yield from sorted(operands[at], key=lambda a: -needs[a])
        yield from after[at] if after else ()

    placed: dict[int, None] = {}
    for result in results:
        path = [] if result in placed else [(result, below(result))]
        while path:
            at, left = path[-1]
            ahead = next((a for a in left if a not in placed), None)
            if ahead is None:
                placed[at] = None
                path.pop()
            else:
                path.append((ahead, below(ahead)))
    return list(placed)
