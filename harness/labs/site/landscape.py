"""The picture of a loss: its height over a plane, and the orbits of a symmetry, along which it is level."""

from __future__ import annotations

from html import escape

import numpy as np
from scipy.linalg import expm

from noether.labs.site.contours import regions
from noether.labs.site.slices import Plane

SIZE, CELLS = 400, 48
SHARES = (0.02, 0.06, 0.12, 0.2, 0.3, 0.42, 0.55, 0.68, 0.8, 0.9, 0.97)
"""Of the picture below a level: the levels are quantiles, so that valley and slope are both seen."""
RAMP = (
    "#0b2239",
    "#12304d",
    "#173f63",
    "#1d507a",
    "#286490",
    "#3a7aa3",
    "#5691b3",
    "#78a8c0",
    "#9cbfce",
    "#bdd5dc",
)
RAMP += ("#dce8e8", "#f6f3ea")
ORBIT, CASING, BOX = "#ff8c1a", "#10202e", "#ffffff"
APART = 0.17  # of the picture, how far orbits are kept from one another
SHORTEST, FURTHEST, TIMES = 15, 9, 700
FINE = 0.4  # units of the picture, which nobody sees
STEP = 4.0  # units of the picture between the points of an orbit


def picture(plane: Plane) -> str:
    """An SVG of the loss over a plane, in colours that stand on light and dark pages alike."""
    label = f"loss of {plane.case.name} with orbits of {plane.symmetry.name}"
    parts = [*heights(plane), *box(plane), *(drawn(line) for line in orbits(plane))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img" '
        f'aria-label="{escape(label, quote=True)}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def heights(plane: Plane) -> list[str]:
    """The loss as layers, each level painted over those below it; what has no value counts as highest."""
    (x0, x1), (y0, y1) = plane.window
    x, y = np.meshgrid(np.linspace(x0, x1, CELLS + 1), np.linspace(y1, y0, CELLS + 1))
    values = plane.loss(x, y)
    values = np.where(np.isnan(values), np.nanmax(values), values)
    values = np.round(values / np.ptp(values), 9)  # where the loss has steps, no rounding beside them
    levels = np.unique(np.quantile(values, SHARES))
    colours = [RAMP[round(i * (len(RAMP) - 1) / len(levels))] for i in range(len(levels) + 1)]
    out = [f'<rect width="{SIZE}" height="{SIZE}" fill="{colours[0]}"/>']
    for level, colour in zip(levels, colours[1:], strict=True):
        loops = regions(values, level, SIZE / CELLS)
        path = "".join(shape(loop) for loop in loops)
        out += [f'<path d="{path}" fill="{colour}" fill-rule="evenodd"/>'] if path else []
    return out


def shape(points: np.ndarray, is_closed: bool = True) -> str:
    """A path through points (n, 2), in whole units from one to the next; '' where they are one point."""
    whole = np.rint(thinned(points)).astype(int)
    steps = np.diff(whole, axis=0)
    steps = steps[np.any(steps != 0, axis=1)]
    if not len(steps):
        return ""
    moves = "".join(f"{dx}{dy:+d} " if dy < 0 else f"{dx} {dy} " for dx, dy in steps).strip()
    return f"M{whole[0][0]} {whole[0][1]}l{moves}" + ("z" if is_closed else "")


def thinned(points: np.ndarray) -> np.ndarray:
    """Points (m, 2) of a line (n, 2) without those within FINE of a line between their neighbours; of two
    neighbours one stays."""
    for _ in range(4):
        if len(points) < 5:
            break
        chord = points[2:] - points[:-2]
        side = points[1:-1] - points[:-2]
        off = np.abs(chord[:, 0] * side[:, 1] - chord[:, 1] * side[:, 0])
        needless = np.append(np.insert(off <= FINE * np.linalg.norm(chord, axis=1), 0, False), False)
        needless[2:-1:2] = False
        points = points[~needless]
    return points


def placed(plane: Plane, points: np.ndarray) -> np.ndarray:
    """Points (n, 2) of a plane in units of the picture."""
    (x0, x1), (y0, y1) = plane.window
    return np.column_stack([(points[:, 0] - x0) / (x1 - x0) * SIZE, (y1 - points[:, 1]) / (y1 - y0) * SIZE])


def box(plane: Plane) -> list[str]:
    """Where starts are drawn, where the axes are two parameters."""
    if plane.pair is None:
        return []
    corners = placed(plane, np.array(plane.case.box, dtype=float)[list(plane.pair)].T)
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return [
        f'<rect x="{x0:.0f}" y="{y0:.0f}" width="{x1 - x0:.0f}" height="{y1 - y0:.0f}" fill="none" '
        f'stroke="{colour}" stroke-width="{width}"{dashes}/>'
        for colour, width, dashes in ((CASING, 2.6, ""), (BOX, 1.4, ' stroke-dasharray="5 4"'))
    ]


def orbits(plane: Plane) -> list[np.ndarray]:
    """Orbits (n, 2) in units of the picture, in the direction in which they are run through: one through the
    middle of the box, then others where there is room."""
    (x0, x1), (y0, y1) = plane.window
    random = np.random.default_rng(0)
    first = middle(plane)
    inside = random.uniform(0.05, 0.95, (160, 2))
    starts = [first, *((x0, y0) + inside * (x1 - x0, y1 - y0))]
    flow, out = flows(plane), []
    for start in starts:
        here = placed(plane, start[None])
        if any(np.linalg.norm(line - here, axis=1).min() < APART * SIZE for line in out):
            continue
        line = run(plane, flow, start)
        if len(line) > SHORTEST:
            out.append(line)
        if len(out) == FURTHEST:
            break
    return out


def middle(plane: Plane) -> np.ndarray:
    """Where the first orbit begins, (2,)."""
    if plane.pair is None:
        return np.array([0.55 * a + 0.45 * b for b, a in plane.window])
    return np.array(plane.case.box, dtype=float)[list(plane.pair)].mean(axis=1)


def run(plane: Plane, flow: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The part of an orbit (n, 2) in the picture, through a point (2,) of the plane; once around at most."""
    halves = []
    for maps in flow:
        line = placed(plane, (maps @ np.append(start, 1.0))[:, :2])
        is_outside = ((line < 0) | (line > SIZE)).any(axis=1)
        line = line[: is_outside.argmax()] if is_outside.any() else line
        travelled = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
        even = np.arange(0.0, travelled[-1], STEP) if len(line) else np.zeros(0)
        line = np.column_stack([np.interp(even, travelled, line[:, k]) for k in (0, 1)])
        back = np.linalg.norm(line - line[:1], axis=1) < STEP
        back[:20] = False
        if back.any():
            return np.vstack([line[: back.argmax()], line[:1]])
        halves.append(line)
    return np.vstack([halves[1][:0:-1], halves[0]])


def flows(plane: Plane) -> np.ndarray:
    """The maps exp(s field) for s in small steps forwards and backwards, (2, TIMES, 3, 3)."""
    (x0, x1), (y0, y1) = plane.window
    corners = np.array([(x, y, 1.0) for x in (x0, x1) for y in (y0, y1)])
    moved = placed(plane, corners[:, :2] + (corners @ plane.field.T)[:, :2]) - placed(plane, corners[:, :2])
    small = STEP / np.linalg.norm(moved, axis=1).max()
    out = []
    for sign in (1, -1):
        one, maps = expm(sign * small * plane.field), [np.eye(3)]
        for _ in range(TIMES - 1):
            maps.append(one @ maps[-1])
        out.append(maps)
    return np.array(out)


def drawn(line: np.ndarray) -> str:
    """An orbit, with an arrow in its direction at its middle."""
    path = shape(line[:: 2 if len(line) > 30 else 1], is_closed=False)
    at = len(line) // 2
    ahead = line[min(at + 2, len(line) - 1)] - line[max(at - 2, 0)]
    angle = np.degrees(np.arctan2(ahead[1], ahead[0]))
    x, y = line[at]
    return (
        f'<g fill="none" stroke-linejoin="round"><path d="{path}" stroke="{CASING}" stroke-width="3.4" '
        f'opacity=".55"/><path d="{path}" stroke="{ORBIT}" stroke-width="1.9"/></g>'
        f'<path d="M7 0l-11-6v12z" fill="{ORBIT}" stroke="{CASING}" stroke-width="1" '
        f'transform="translate({x:.0f} {y:.0f}) rotate({angle:.0f})"/>'
    )
