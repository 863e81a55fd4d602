"""Where a surface is above a level, as closed loops: marching squares (Lorensen, Cline 1987)."""

from __future__ import annotations

import numpy as np

CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))  # row and column of the corners, around a cell


def regions(values: np.ndarray, level: float, spacing: float) -> list[np.ndarray]:
    """The loops around what is at least at a level.

    values    heights (rows, columns) on a grid
    spacing   how far its points are apart; a loop's points (n, 2) are (x, y) from the first of them

    The grid ends in a sea below every level, so that each loop closes, along the border too. To be filled by
    the even-odd rule.
    """
    rows, columns = values.shape
    sea = level - 1e6 * (1 + np.ptp(values))
    padded = np.pad(values, 1, constant_values=sea)
    follows = links(padded, level)
    loops = []
    while follows:
        begin, after = follows.popitem()
        loop = [begin]
        while after != begin:
            loop.append(after)
            after = follows.pop(after)
        points = crossings(padded, level, loop) - 1
        loops.append(np.clip(points, 0, (columns - 1, rows - 1)) * spacing)
    return loops


def links(padded: np.ndarray, level: float) -> dict[int, int]:
    """From each edge that the line crosses to the next one, with what is above on one side of it."""
    columns = padded.shape[1]
    above = padded >= level
    count = above[:-1, :-1].astype(int) + above[:-1, 1:] + above[1:, 1:] + above[1:, :-1]
    follows = {}
    for i, j in np.argwhere((count > 0) & (count < 4)).tolist():
        up = [above[i + a, j + b] for a, b in CORNERS]
        rises = [n for n in range(4) if not up[n] and up[(n + 1) % 4]]  # between a corner and the next one
        falls = [n for n in range(4) if up[n] and not up[(n + 1) % 4]]
        is_joined = len(rises) == 2 and padded[i : i + 2, j : j + 2].mean() >= level  # a saddle
        for n in falls:
            turn = 1 if is_joined else -1
            other = rises[0] if len(rises) == 1 else (n + turn) % 4
            follows[edge(i, j, n, columns)] = edge(i, j, other, columns)
    return follows


def edge(i: int, j: int, n: int, columns: int) -> int:
    """The number of the n-th edge of cell (i, j): twice its first point's, and 1 more going down."""
    row, column, down = ((i, j, 0), (i, j + 1, 1), (i + 1, j, 0), (i, j, 1))[n]
    return 2 * (row * columns + column) + down


def crossings(padded: np.ndarray, level: float, edges: list[int]) -> np.ndarray:
    """Where the level is on edges, (n, 2) as (x, y) in cells of the padded grid."""
    number, down = np.divmod(np.array(edges), 2)
    row, column = np.divmod(number, padded.shape[1])
    first, second = padded[row, column], padded[row + down, column + 1 - down]
    share = (level - first) / (second - first)
    return np.column_stack([column + share * (1 - down), row + share * down])
