"""The picture docs/images/rooms.svg: the rooms as a house, and the way of a cell through it as a yellow line.

The line runs in shafts between rooms and in the floors, never across words; a station is a door in a wall. A
window is a module, and a browser that points at one says which. Letters have at least 13 units of 900, so
that they can be read at 600 px.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from textwrap import wrap

from noether.report.figures.svg import text

WIDTH, LEFT, RIGHT = 900, 30, 870
WALL, UP = 452, 838  # where the rooms right of the middle shaft begin and end: the right shaft is beyond
SHAFT, SLAB = 92, 20
LETTER = 6.9  # width of a letter of 13 units, roughly
FLOORS = (
    (("labs", "api"), ("report",)),
    (("campaigns", "plan"), ("runs",)),
    (("faults", "networks"), ("laws", "verdicts")),
    (("system", "optimizers"), ("mechanics",)),
    (("cases", "programs"), ("loops", "ptx", "fused")),
)
"""From the top, below the roof: the rooms left of the middle shaft, and those right of it."""
SHARE = {"campaigns": 0.5, "plan": 0.5, "laws": 0.7, "verdicts": 0.3}  # of a side, where not all are alike
INDENT = {"runs": 42, "laws": 42, "loops": 34}  # of names, where a door stands in the left wall
FIRST = {"plan": 76, "runs": 76}  # where the words begin, below two doors one above the other

STYLE = """<style>
svg { --sky:#e9f1fa; --ground:#cfdccb; --wall:#56667a; --room:#fff; --ink:#17212c; --soft:#4a5866;
  --way:#ffc933; --star:none; --sun:#f7c948; --cases:#2f855a; --kernels:#b7631b; --harness:#2b6cb0;
  --glow:.78 }
@media (prefers-color-scheme: dark) { svg { --sky:#0c1424; --ground:#16241c; --wall:#3a4a63; --room:#16213a;
  --ink:#eef3fa; --soft:#b4c1d3; --way:#ffd257; --star:#fff; --sun:#f3ead0;
  --cases:#7ddba6; --kernels:#ffb86b; --harness:#8cc4ff; --glow:.9 } }
text { font:13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill:var(--soft) }
.name { font-size:19px; font-weight:700; fill:var(--ink) }
.door { font-weight:700; fill:#17212c }
.way { fill:none; stroke:var(--way); stroke-width:4; stroke-linejoin:round; stroke-linecap:round }
.pill { fill:var(--way); stroke:var(--wall); stroke-width:2.5 }
.star { fill:var(--star) }
.room { fill:var(--room) } .wall { fill:var(--wall) }
.cases { fill:var(--cases) } .kernels { fill:var(--kernels) } .harness { fill:var(--harness) }
.window { opacity:var(--glow) }
</style>"""


STARS = (
    *((40, 40, 1.6), (112, 92, 1.2), (188, 30, 1.8), (262, 74, 1.1), (330, 28, 1.4), (66, 150, 1.3)),
    *((560, 24, 1.5), (606, 58, 1), (724, 30, 1.3), (868, 128, 1.6), (846, 20, 1)),
)
"""x, y and radius of each."""


def box(x: float, y: float, w: float, h: float, kind: str, *, round_by: float = 0, title: str = "") -> str:
    """A rectangle of a class of STYLE, with a title that a browser shows where it points."""
    told = f"<title>{escape(title)}</title>" if title else ""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{round_by}"'
    return f'<rect {size} class="{kind}">{told}</rect>'


def windows(room, x: float, y: float, width: float) -> tuple[list[str], float]:
    """One small window a module, in rows; and how high they are together."""
    a_row = int((width + 4) // 15)
    kind = "window " + room.folder.partition("/")[0]
    drawn = []
    for i, (name, says) in enumerate(room.windows):
        place = (x + 15 * (i % a_row), y + 18 * (i // a_row))
        drawn.append(box(*place, 11, 14, kind, round_by=1.5, title=f"{room.folder}/{name}: {says}"))
    return drawn, 18.0 * -(-len(room.windows) // a_row)


def drawn_room(
    room, x: float, y: float, width: float, height: float, *, indent: float, first: float
) -> tuple[list, float]:
    """A room at a place, and how high it must be.

    indent  of its name
    first   where its words begin
    """
    lines = wrap(room.purpose, int((width - 20) / LETTER), break_long_words=False)
    parts = [box(x, y, width, height, "room"), box(x, y, width, 4, room.folder.partition("/")[0])]
    parts.append(text(x + 12 + indent, y + 27, room.name, anchor="start", kind="name"))
    parts += [text(x + 12, y + first + 17 * i, words, anchor="start") for i, words in enumerate(lines)]
    below = first + 17 * len(lines) - 4
    panes, high = windows(room, x + 12, y + below, width - 20)
    return parts + panes, below + high + 8


def side(names: tuple[str, ...], begin: float, end: float) -> list[tuple[str, float, float]]:
    """Name, left edge and width of each room on one side of the shaft."""
    free, out, at = end - begin - 6 * (len(names) - 1), [], begin
    for name in names:
        width = free * SHARE.get(name, 1 / len(names)) if len(names) > 1 else free
        out.append((name, at, width))
        at += width + 6
    return out


def door(number: int, name: str, x: float, y: float) -> tuple[str, float]:
    """A station in a wall, centred at (x, y); and half its width."""
    words = f"{number} {name}"
    half = (len(words) * 8.3 + 22) / 2
    pill = box(x - half, y - 12, 2 * half, 24, "pill", round_by=12)
    return pill + text(x, y + 4.5, words, kind="door"), half


def path(*points: tuple[float, float]) -> str:
    """A piece of the way through these points."""
    return f'<path class="way" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def level(name: str) -> int:
    """The floor of a room, from the ground; the roof is the highest."""
    top = len(FLOORS) - 1
    return next((top - i for i, sides in enumerate(FLOORS) if name in sum(sides, ())), len(FLOORS))


def picture(rooms: list, way: list[str], crossings: Iterable[tuple[str, str]]) -> str:
    """The whole drawing, a file of its own. Each floor is as high as its fullest room needs.

    way  the names of the stations;  crossings  (importing room, imported room)
    """
    upward = sorted(f"{a} to {b}" for a, b in crossings if level(a) < level(b))
    told = f"imports that go up: {', '.join(upward)}" if upward else "imports go down the house, never up"
    by_name = {room.name: room for room in rooms}
    eaves, body, tops = 212.0, [], []
    y = eaves + SLAB + 6
    for left, right in FLOORS:
        spots = [*side(left, LEFT + 10, WALL - SHAFT), *side(right, WALL, UP)]
        laid = [(by_name[n], x, w, INDENT.get(n, 0), FIRST.get(n, 48)) for n, x, w in spots]
        high = max(drawn_room(r, x, y, w, 0, indent=i, first=f)[1] for r, x, w, i, f in laid)
        for r, x, w, i, f in laid:
            body += drawn_room(r, x, y, w, high, indent=i, first=f)[0]
        tops.append(y)
        y += high + SLAB
    return drawing(by_name["cli"], body, trail(way, tops, eaves), eaves, y, told)


def trail(way: list[str], tops: list[float], eaves: float) -> list[str]:
    """The line through the house, and the stations on it."""
    report, plan, laws, _, loops = (top + 20 for top in tops)
    shaft = WALL - SHAFT
    down, up, beyond = WALL - 34, WALL - 10, (UP + RIGHT) / 2
    ceiling, beam = tops[2] - SLAB / 2, eaves + 7
    verdicts = UP - 0.15 * (UP - WALL)
    doors = [(shaft + 20, beam), (shaft - 10, plan), (shaft - 10, plan + 29), (WALL - 6, plan + 29)]
    doors += [(WALL - 20, loops), (WALL + 12, laws), (verdicts, ceiling), (UP - 14, plan), (UP - 32, report)]
    doors += [(UP - 32, beam)]
    down_and_up = [doors[0], (shaft + 20, plan), *doors[1:4], (down, plan + 29), (down, loops)]
    line = [
        path(*down_and_up, (up, loops), (up, laws), doors[5], (WALL + 12, ceiling), doors[6]),
        path(doors[6], (beyond, ceiling), (beyond, beam), doors[9]),
    ]
    return line + [door(i, name, *at)[0] for i, (name, at) in enumerate(zip(way, doors, strict=True), 1)]


def drawing(cli, body: list[str], way: list[str], eaves: float, ground: float, told: str) -> str:
    """Sky, roof with the command line in it, house, ground and legend around the rooms."""
    height = ground + 62
    parts = [box(0, 0, WIDTH, height, "sky", round_by=14).replace('class="sky"', 'fill="var(--sky)"')]
    parts.append('<circle cx="812" cy="66" r="30" fill="var(--sun)"/>')
    parts += [f'<circle cx="{x}" cy="{y}" r="{r}" class="star"/>' for x, y, r in STARS]
    parts.append(
        f'<path d="M0 {ground:.0f}H{WIDTH}v{height - ground - 14:.0f}q0 14 -14 14H14q-14 0 -14 -14Z" '
        'fill="var(--ground)"/>'
    )
    parts.append(box(640, 44, 44, 90, "wall"))
    parts.append(f'<path class="wall" d="M450 18L{RIGHT + 22} {eaves:.0f}H{LEFT - 22}Z"/>')
    parts.append(f'<path class="room" d="M450 38L{RIGHT - 42} {eaves - 6:.0f}H{LEFT + 42}Z"/>')
    parts.append(box(LEFT, eaves, RIGHT - LEFT, ground - eaves, "wall"))
    parts.append(text(450, 96, cli.name, kind="name"))
    parts += [text(450, 120 + 17 * i, words) for i, words in enumerate(wrap(cli.purpose, 46))]
    panes, _ = windows(cli, 450 - 15 * 6.5 + 2, 150, 15 * 13)
    legend = [(64, "cases", "cases/"), (144, "kernels", "kernels/"), (238, "harness", "harness/")]
    key = [
        box(x, ground + 25, 10, 12, kind) + text(x + 17, ground + 36, word, anchor="start")
        for x, kind, word in legend
    ]
    key.append(text(RIGHT - 34, ground + 36, f"a window is a module · {told}", anchor="end"))
    label = "The rooms of the house, and the way of a cell through them"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'text-anchor="middle" height="{height:.0f}" role="img" aria-label="{label}">{STYLE}\n'
        + "\n".join([*parts, *panes, *body, *way, *key])
        + "\n</svg>\n"
    )
