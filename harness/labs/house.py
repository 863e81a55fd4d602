"""The page docs/architecture.md and its picture, written from docstrings and imports: `make architecture`.

What the page says of a room is the first sentence of its docstring, what it counts is counted, and each place
that it names is looked up, so it cannot go stale unseen (tests/test_architecture_page.py). By hand are
the rooms, in the order in which they may import one another, and where a reader's questions are answered.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from noether.labs.house_picture import picture
from noether.system.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
PAGE, PICTURE = "docs/architecture.md", "docs/images/rooms.svg"
FOLDERS = {
    "cases": "cases",
    **{name: f"kernels/{name}" for name in ("programs", "ptx", "loops", "fused")},
    **{name: f"harness/{name}" for name in ("system", "mechanics", "verdicts", "faults", "optimizers")},
    **{name: f"harness/{name}" for name in ("networks", "laws", "plan", "runs", "campaigns", "report")},
    **{name: f"harness/{name}" for name in ("api", "cli", "labs")},
}
"""Room: its folder. A room may import the rooms before it."""

WAY = (
    ("command", "`noether verify` reads its options", "harness/cli/commands/verify.py", "verify"),
    ("selection", "words become cases, rules, precisions and laws", "harness/plan/choices.py", "select"),
    ("design", "which cells show what was selected", "harness/plan/design.py", "cells"),
    ("cell", "one unit of work, run here or by a worker", "harness/runs/execute.py", "run_cell"),
    ("launch", "the kernel takes all steps of all lanes", "kernels/loops/launch.py", "run"),
    ("law", "what happened, against what must happen, lane by lane", "harness/laws/exact/judge.py", "judge"),
    (
        "verdict",
        "a number in units of its bound, and one word",
        "harness/verdicts/judgement.py",
        "verdict_of",
    ),
    ("record", "one line of records.jsonl, with its replay line", "harness/runs/folder.py", "Folder"),
    ("table, page", "what people and their CI read", "harness/report/publish.py", "publish"),
    ("exit code", "what the shell is told", "harness/cli/main.py", "call"),
)
"""Stations of a cell: name, what happens there, file, name in it."""

QUESTIONS = (
    ("is the exit code decided?", "from records alone, in", ("harness/verdicts/exit_codes.py", "of_records")),
    ("", "less what a project knows to be violated, in", ("harness/verdicts/known.py", "standing")),
    ("", "with what the run itself promised, in", ("harness/runs/conclusion.py", "judge")),
    ("", "and kept whatever printing does, in", ("harness/runs/decision.py", "decide")),
    ("", "and where a command ends early, 2, 70, 130 and 143, in", ("harness/cli/main.py", "told")),
    (
        "is a law?",
        "stated in docs/theory.md under its number; its residual is in its family, as of D2 in",
        ("harness/laws/exact/balance.py", "LAWS"),
    ),
    ("", "and listed, with what `noether explain` says of each, in", ("harness/laws/registry.py", "LAWS")),
    ("is a fault?", "in the file of its family; what a fault is, in", ("harness/faults/fault.py", "Fault")),
    ("do bounds come from?", "a running error, in", ("harness/mechanics/bounds.py", "program_error")),
    ("", "the roundings of a step and its stores, in", ("harness/mechanics/trajectory.py", "Trajectory")),
    (
        "is a step in a history marked?",
        "by rules with stated rates, in",
        ("harness/runs/trend_marks.py", "steps"),
    ),
    ("is one verdict made again?", "its replay line is read in", ("harness/runs/replay_lane.py", "replay")),
)
"""Where a reader finds what: question, words, (file, name in it). No question: as the row above."""


@dataclass(frozen=True)
class Room:
    """One room, with (file name, first sentence) of each module as its windows."""

    name: str
    folder: str
    purpose: str
    windows: tuple[tuple[str, str], ...]


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring."""
    words = " ".join(
        (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0].split()
    )
    head, stop, _ = words.partition(". ")
    return head + stop.rstrip()


def rooms(root: Path) -> list[Room]:
    """Every room with its modules. Raises LookupError where a room has no docstring."""
    found = []
    for name, folder in FOLDERS.items():
        files = sorted((root / folder).rglob("*.py"))
        purpose = first_sentence(root / folder / "__init__.py")
        if not purpose:
            raise LookupError(
                f"{folder}/__init__.py has no docstring: its first sentence says what the room is for"
            )
        windows = tuple((str(p.relative_to(root / folder)), first_sentence(p)) for p in files)
        found.append(Room(name, folder, purpose, windows))
    return found


def room_of(module: str) -> str | None:
    """The room of a module's dotted name; None where it is in none, or not ours."""
    top, *within = module.split(".")
    if top != "noether" or not within:
        return None
    name = within[1] if within[0] == "kernels" and len(within) > 1 else within[0]
    return name if name in FOLDERS else None


def imports(path: Path) -> list[str]:
    """The rooms that a file imports from, once for each import statement, lazy ones included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found += sorted({room for name in names if (room := room_of(name))})
    return found


def crossings(root: Path) -> Counter:
    """How many import statements cross from one room to another, by (importing room, imported room)."""
    return Counter(
        (name, target)
        for name, folder in FOLDERS.items()
        for path in sorted((root / folder).rglob("*.py"))
        for target in imports(path)
        if target != name
    )


def place(root: Path, path: str, name: str) -> str:
    """A link to a file and a name that it defines. Raises LookupError when either is gone."""
    if not (root / path).is_file():
        raise LookupError(f"{path} is not there any more: harness/labs/house.py must say where it went")
    body = ast.parse((root / path).read_text(encoding="utf-8")).body
    made = [x for n in body for x in (n, *getattr(n, "targets", ()), getattr(n, "target", None))]
    known = {getattr(x, "name", None) or getattr(x, "id", None) for x in made}
    if name and name not in known:
        raise LookupError(
            f"{path} does not define {name} any more: harness/labs/house.py must say where it went"
        )
    return f"[`{path}`](../{path})" + (f", `{name}`" if name else "")


def matrix(crossed: Counter) -> list[str]:
    """The table of imports: one row a room that imports, one column a room that is imported."""
    names = list(FOLDERS)
    imported = [n for n in names if any(crossed[m, n] for m in names)]
    lines = ["| from \\ to | " + " | ".join(imported) + " |", "|---|" + "---:|" * len(imported)]
    for n in names:
        if any(crossed[n, m] for m in imported):
            lines.append(f"| **{n}** | " + " | ".join(str(crossed[n, m] or "") for m in imported) + " |")
    return lines


def against(crossed: Counter) -> list[tuple[str, str]]:
    """The crossings that run against the order of the rooms."""
    order = list(FOLDERS)
    return sorted(pair for pair in crossed if order.index(pair[0]) < order.index(pair[1]))


OPENING = (
    "# Architecture",
    "",
    "<!-- Written by `make architecture` from docstrings and imports: change those. -->",
    "",
    "Each room is a folder, each window a module, and the yellow line is the way of a cell: from a",
    "command down to a kernel launch, and up again to a table, a page and an exit code.",
    "[glossary.md](glossary.md) explains the words.",
    "",
)
WAY_HEAD = (
    *("", "## The way of a cell", "", "This is how one verdict is traced from the command to the page.", ""),
    *("| | station | what happens | where |", "|---:|---|---|---|"),
)
WHERE_HEAD = ("", "## Where things are", "", "| question | answer |", "|---|---|")
ROOMS_HEAD = ("| room | folder | what it is for | modules |", "|---|---|---|---:|")
IMPORTS_HEAD = (
    *("", "## Imports between rooms", "", "How many import statements of a room name another one.", ""),
)


def page(root: Path, house: list[Room], crossed: Counter) -> str:
    """The text of docs/architecture.md."""
    wrong = against(crossed)
    told = ", ".join(f"{a} → {b} ({crossed[a, b]})" for a, b in wrong)
    order = f"Against it run: {told}." if wrong else "No import runs against it."
    way = [f"| {i} | {n} | {what} | {place(root, p, x)} |" for i, (n, what, p, x) in enumerate(WAY, 1)]
    where = [f"| {q and 'Where ' + q} | {words} {place(root, *at)} |" for q, words, at in QUESTIONS]
    table = [f"| **{r.name}** | `{r.folder}/` | {r.purpose} | {len(r.windows)} |" for r in house]
    shown = f"![The rooms, and the way of a cell through them]({Path(PICTURE).relative_to('docs')})"
    lines = [*OPENING, shown, *WAY_HEAD, *way, *WHERE_HEAD, *where, "", "## The rooms", ""]
    lines += ["A room may import the rooms above it in this table, and no others. " + order, "", *ROOMS_HEAD]
    return "\n".join([*lines, *table, *IMPORTS_HEAD, *matrix(crossed), ""])


def written(root: Path) -> dict[str, str]:
    """Each file that the target writes, with its text."""
    house, crossed = rooms(root), crossings(root)
    return {PAGE: page(root, house, crossed), PICTURE: picture(house, [name for name, *_ in WAY], crossed)}


if __name__ == "__main__":
    for target, text in written(ROOT).items():
        write_whole(ROOT / target, text)
        print(target)
