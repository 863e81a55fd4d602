"""Writing a case file from a discovery: the loss as it stands, its symmetries, and a term that breaks them
all.

Nothing is written over; a file that would not pass the trial of a case file is taken away again. The pace is
left out: it comes from the curvature of the loss on the box (harness/mechanics/sweep.py).
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

from noether.campaigns.discovery.finding import Finding
from noether.cases.case import Case, CaseError, Symmetry
from noether.plan.casefiles import trial_process
from noether.system.strict_reading import kind_of
from noether.system.usage import UsageError

NAME = "DISCOVERED"
# Share of |grad b| |xi| that a breaking must break of every symmetry.
BROKEN = 1e-2
# Where starts are drawn when no box was given: in the box that was searched, away from zero charges.
INSIDE = (0.25, 1.0)


def check_free(path: Path) -> None:
    """Raise UsageError before any work where a file would be overwritten."""
    if kind_of(path, f"--write {path}"):
        raise UsageError(
            f"--write {path}: the file is there already: nothing is written over, choose another name"
        )
    if path.suffix != ".py" or not path.parent.is_dir():
        raise UsageError(f"--write {path}: must be a .py file in a folder that is there")


def write(found: Finding, path: Path, boxed: bool) -> str:
    """Write the case file, try it out, and give the word that verifies it. Raises UsageError, with nothing
    left behind."""
    if not found.generators:
        raise UsageError(f"--write {path}: no symmetry was found, so there is no case to write")
    box = [tuple(map(float, row)) for row in found.loss.box] if boxed else [INSIDE] * found.loss.dim
    text = source(found) + body(found, path, box)
    check_free(path)
    place_tried(text, path)
    return f"{path}:{NAME}"


def place_tried(text: str, path: Path) -> None:
    """A file at `path`, at once and not over another, once it has passed its trial under another name. Raises
    UsageError."""
    draft = path.with_name(f".{path.stem}-{os.getpid()}.py")
    try:
        with open(draft, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        trial_process.tried(f"{draft}:{NAME}")
        os.link(draft, path)
    except FileExistsError as error:
        raise UsageError(
            f"--write {error.filename2 or error.filename}: the file is there already: nothing is written "
            "over, choose another name"
        ) from None
    except OSError as error:
        raise UsageError(f"--write {path} cannot be written: {error.strerror or error}") from None
    except UsageError as error:
        raise UsageError(str(error).replace(str(draft), str(path))) from None
    finally:
        draft.unlink(missing_ok=True)


def source(found: Finding) -> str:
    """The whole text of the module of the loss."""
    function = found.loss.function
    file, module = inspect.getsourcefile(function), inspect.getmodule(function)
    if file is None or getattr(module, function.__name__, None) is not function:
        raise UsageError(
            f"{found.loss.origin.label}: {found.loss.name} must be a function at the top of its file to be "
            "written"
        )
    return Path(file).read_text(encoding="utf-8").rstrip() + "\n"


def body(found: Finding, path: Path, box: list) -> str:
    """The lines below the loss."""
    function = found.loss.function
    symmetries = named([g.symmetry for g in found.generators])
    kinks = kinked(function, len(box))
    kept, terms = breaking(function, symmetries, box, kinks)
    lines = ["", "", f"# What noether discover found; noether verify {path}:{NAME} decides its laws.", ""]
    lines += ["from noether.cases.case import Case, Symmetry  # noqa: E402", "", ""]
    lines += ["def discovered_breaking(q, xp):", f"    return {terms}", "", ""]
    if kinks:
        lines += ["def discovered_kinks(q, xp):", f"    return [{', '.join(kinks)}]", "", ""]
    lines += [
        f"{NAME} = Case(",
        f"    name={path.stem.lower().replace('_', '-')!r}, "
        f"title={'symmetries found by noether discover'!r},",
    ]
    lines += [f"    source='noether discover', loss={function.__name__}, breaking=discovered_breaking,"]
    lines += ["    kinks=discovered_kinks,"] if kinks else []
    lines += [f"    box={tuple(box)!r},", "    symmetries=("]
    lines += [f"        Symmetry({s.name!r}, {s.A!r}, {s.a!r})," for s in kept]
    return "\n".join([*lines, "    ),", ")  # fmt: skip", ""])


def named(symmetries: list[Symmetry]) -> list[Symmetry]:
    """The generators under names that differ."""
    words = [s.name.replace(" ", "-") for s in symmetries]
    count = {w: words.count(w) for w in words}
    return [
        Symmetry(w if count[w] == 1 else f"{w}-{words[:k].count(w) + 1}", s.A, s.a)
        for k, (w, s) in enumerate(zip(words, symmetries, strict=True))
    ]


def kinked(function, dim: int) -> list[str]:
    """The arguments of every step in the loss, as python."""
    import sympy

    from noether.mechanics.symbolic_exact import expression
    from noether.mechanics.symbolic_gradient import Step

    steps = expression(function, sympy.symbols(f"q:{dim}")).atoms(Step)
    text = sorted(str(s.args[0]) for s in steps)
    return [re.sub(r"\b(exp|log|sqrt)\(", r"xp.\1(", re.sub(r"\bq(\d+)\b", r"q[\1]", t)) for t in text]


def breaking(function, symmetries: list[Symmetry], box: list, kinks: list[str]) -> tuple[list[Symmetry], str]:
    """The symmetries that are proven, and the shortest breaking of those tried that breaks every one of
    them."""
    from noether.mechanics.symmetry_proof import FalseSymmetry, prove

    d = len(box)
    tried = ["q[0] + q[1] * q[1] / 4"] if d > 1 else ["q[0]"]
    tried += [
        " + ".join(f"{k + 1} * q[{k}] / {d}" for k in range(d)),
        " + ".join(f"{k + 1} * q[{k}] / {d} + q[{k}] * q[{k}] / {4 * (k + 2)}" for k in range(d)),
    ]
    known = None if not kinks else eval(f"lambda q, xp: [{', '.join(kinks)}]")

    def case(chosen: list[Symmetry], terms: str) -> Case:
        b = eval(f"lambda q, xp: {terms}")
        return Case("found", "", "", function, b, tuple(box), tuple(chosen), kinks=known)

    def proven(symmetry: Symmetry) -> bool:
        try:
            prove(case([symmetry], tried[-1]))
        except FalseSymmetry:
            return False  # known to rounding only, as a generator with irrational numbers
        return True

    kept = [s for s in symmetries if proven(s)]
    if not kept:
        raise UsageError(
            "--write: none of the symmetries is exact in the numbers of the file: there is no case to write"
        )
    for terms in tried:
        try:
            if min(p.broken for p in prove(case(kept, terms))) >= BROKEN:
                return kept, terms
        except CaseError:
            continue
    raise UsageError(
        "--write: no breaking was found that breaks every symmetry: write the case by hand (docs/own_case.md)"
    )
