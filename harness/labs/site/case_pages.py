"""The pages of the cases: the paper of each, a picture of its loss, its symmetries and their proof."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from noether.cases import CATALOG, CORE, Case, Symmetry
from noether.labs.site import landscape
from noether.labs.site.kept import judged
from noether.labs.site.papers import mixed, paper, rows_of
from noether.labs.site.slices import Plane, plane_of
from noether.laws.exact.cell import rules_of
from noether.laws.registry import LAWS
from noether.report.catalogue import kind

FOLDER = "reference/cases"
LONGEST = 450  # characters of LaTeX that are still a formula that one reads
FIRST = """# Cases

A [case](../../glossary.md) is one claim that can be tested: a loss, its symmetries, a potential that breaks
them and the metric of the learning rule, in one file of `cases/losses/`. A picture shows the loss over a
plane of its parameters, dark where it is low; along the orange lines a symmetry moves the parameters, and
the loss stays the same. `noether cases` prints this list, `noether show NAME` one of them, and [a case of
your own](../../own_case.md) is ten lines.
"""


def pages(root: Path) -> dict[str, str]:
    """Every page and every picture, by its place from docs/."""
    made, shown = {}, {}
    for case in sorted(CATALOG, key=lambda each: each.name):
        planes = [plane for symmetry in unlike(case) if (plane := plane_of(case, symmetry))]
        for plane in planes:
            made[f"{FOLDER}/{name_of(plane)}"] = landscape.picture(plane)
        shown[case.name] = planes
        made[f"{FOLDER}/{case.name}.md"] = page(case, planes, root)
    made[f"{FOLDER}/index.md"] = index(shown)
    return made


def unlike(case: Case) -> list[Symmetry]:
    """The symmetries of a case, one of each kind: of rotation-01 and rotation-12 the first."""
    kinds: dict[str, Symmetry] = {}
    for symmetry in case.symmetries:
        kinds.setdefault(re.sub(r"-\d+$", "", symmetry.name), symmetry)
    return list(kinds.values())


def name_of(plane: Plane) -> str:
    """The file of a picture."""
    return f"{plane.case.name}-{plane.symmetry.name}.svg"


def index(shown: dict[str, list[Plane]]) -> str:
    """The gallery of all cases."""
    tiles = []
    for case in CATALOG:
        picture = f"![]({name_of(shown[case.name][0])}){{ loading=lazy }}" if shown[case.name] else ""
        tiles.append(f"- [{picture}**{case.name}**]({case.name}.md)\n  {mixed(case.title, is_prose=True)}")
    return FIRST + '\n<div class="gallery" markdown>\n\n' + "\n".join(tiles) + "\n\n</div>\n"


def page(case: Case, planes: list[Plane], root: Path) -> str:
    """The page of one case."""
    docstring = sys.modules[case.loss.__module__].__doc__ or case.title
    first, *blocks = paper(docstring, "../../")
    parts = [
        f"# {case.name}",
        f"*{mixed(case.title, is_prose=True)}*" if case.title.rstrip(".") != first.rstrip(".") else "",
        first,
    ]
    parts += [
        pictures(planes),
        "## What it claims",
        *blocks,
        expanded(case),
        "## Its symmetries",
        symmetries(case),
    ]
    return "\n\n".join([*(part for part in parts if part), "## In a run", facts(case, root)]) + "\n"


def pictures(planes: list[Plane]) -> str:
    """The pictures of a case side by side, each with what it shows."""
    figures = [
        f'<figure markdown="1">\n\n![loss and orbits of {plane.symmetry.name}]({name_of(plane)})\n\n'
        f"<figcaption markdown>\n\n{caption(plane)}\n\n</figcaption>\n\n</figure>"
        for plane in planes
    ]
    return '<div class="pictures" markdown>\n\n' + "\n\n".join(figures) + "\n\n</div>" if figures else ""


def caption(plane: Plane) -> str:
    """What a picture shows."""
    lines = f"Orange: orbits of **{plane.symmetry.name}**, along which the loss stays the same."
    if plane.pair is None:
        return f"The loss on a plane of the parameters that the symmetry keeps. {lines}"
    names = [f"$q_{{{i + 1}}}$" for i in plane.pair]
    others = [x for i, x in enumerate(plane.base) if i not in plane.pair]
    at = (
        ""
        if not others
        else ", the others at 0"
        if not any(others)
        else ", the others in the middle of the box"
    )
    (x0, x1), (y0, y1) = plane.window
    window = f"{names[0]} from {x0:.3g} to {x1:.3g} and {names[1]} from {y0:.3g} to {y1:.3g}"
    return f"The loss over {window}{at}. {lines} Dashed: the box in which starts are drawn."


def expanded(case: Case) -> str:
    """The loss in the parameters themselves, from its arithmetic, where that is a formula that one reads."""
    import sympy

    from noether.mechanics.symbolic import derived

    found = derived(case)
    names = sympy.symbols(f"q_1:{case.dim + 1}")
    parts = []
    for letter, expression in (("f", found.loss), ("b", found.breaking)):
        latex = sympy.latex(expression.xreplace(dict(zip(found.q, names, strict=True))))
        if len(latex) <= LONGEST:
            parts.append(f"$$\n{letter}(q) = {latex}\n$$")
    told = "In the parameters as they are stored, read from the arithmetic that runs:" if parts else ""
    return "\n\n".join([told, *parts])


def symmetries(case: Case) -> str:
    """Each generator, with the proof that the loss keeps it."""
    from noether.mechanics.symmetry_proof import prove

    rows = [["symmetry", "generator", "kind", "$\\langle \\nabla f, \\xi \\rangle = 0$", "breaking"]]
    for symmetry, proof in zip(case.symmetries, prove(case), strict=True):
        exactly = "exactly" if proof.exact else f"to {proof.relative:.0e} of its terms, at 50 digits"
        broken = f"breaks it by {proof.broken:.2g}" if proof.broken else "keeps it"
        rows.append([symmetry.name, f"${generator(symmetry)}$", kind(symmetry), exactly, broken])
    note = (
        "The pairing of gradient and generator is taken at three random points of the box. The last column "
        "is the largest $|\\langle \\nabla b, \\xi \\rangle| / (|\\nabla b| |\\xi|)$ there."
    )
    return rows_of(rows) + "\n\n" + note


def generator(symmetry: Symmetry) -> str:
    """The generator xi(q) in LaTeX."""
    entries = []
    for row, shift in zip(symmetry.matrix, symmetry.shift, strict=True):
        terms = [term(c, f"q_{{{j + 1}}}") for j, c in enumerate(row) if c] + (
            [term(shift, "")] if shift else []
        )
        entries.append(re.sub(r"^\+ ?", "", " ".join(terms)) or "0")
    return f"\\xi = ({', '.join(entries)})"


def term(size: float, name: str) -> str:
    """One term with its sign."""
    number = "" if abs(size) == 1 and name else f"{abs(size):g} "
    return f"{'-' if size < 0 else '+'} {number}{name}".strip()


def facts(case: Case, root: Path) -> str:
    """What a run makes of a case."""
    seen = [law for law in LAWS if case.name in judged(root)[law][0]]
    from noether.labs.site.law_pages import place

    rows = [
        ["", ""],
        ["parameters", str(case.dim)],
        ["metric", case.metric.kind + (", on the simplex" if case.metric.simplex else "")],
        [
            "rules",
            ", ".join(f"[{name}](../rules.md#{name})" for name in rules_of(case))
            or "none: continuous laws only",
        ],
        ["box", " × ".join(f"[{low:g}, {high:g}]" for low, high in case.box)],
        ["start", f"a kick of {case.kick:g} of the box"],
        ["laws that judge it", ", ".join(f"[{law}](../laws/{place(law)}#{law})" for law in seen)],
    ]
    core = " It is one of the core cases, which a quick run tries hardest." if case in CORE else ""
    source = f"`{case.loss.__module__.replace('noether.', '').replace('.', '/')}.py`"
    return rows_of(rows) + f"\n\n    noether verify {case.name}\n\nruns it; its file is {source}.{core}"
