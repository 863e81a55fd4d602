"""What `noether laws`, `cases`, `show` and `explain` print."""

from __future__ import annotations

import itertools
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from noether.cases import CATALOG, CORE, Case, Symmetry
from noether.kernels.programs.namespaces import NUMPY
from noether.laws.latex import parts, sentence
from noether.report.section import notation, printed, section
from noether.report.table import listing
from noether.report.terminal import console
from noether.system import resources
from noether.system.usage import unknown

THEORY = resources.path("theory.md")
SPENT = (
    "What stands in square brackets was measured; behind the number of a law it is what was spent, the error "
    "in units of its bound. The letters:"
)


def cases_table():
    """The table of cases."""
    table = listing("case", "what", "metric", "symmetries")
    for case in CATALOG:
        table.add_row(case.name, case.title, case.metric.kind, ", ".join(s.name for s in case.symmetries))
    return table


def cases_listed() -> list[dict]:
    """The list of cases as plain data, for --json."""
    return [
        {
            **named(case),
            "dim": case.dim,
            "symmetries": [s.name for s in case.symmetries],
            "core": case in CORE,
        }
        for case in CATALOG
    ]


def named(case: Case) -> dict:
    """What every account of a case begins with."""
    return {"case": case.name, "title": case.title, "source": case.source, "metric": case.metric.kind}


def laws_table():
    """The table of laws."""
    from noether.plan.design import LAWS

    table = listing("law", "what", "applies to", "kind")
    for law in LAWS.values():
        table.add_row(law.key, law.title, law.applies, law.kind)
    return table


def laws_listed() -> list[dict]:
    """The book of laws as plain data, for --json."""
    from noether.plan.design import LAWS

    return [{"law": x.key, "title": x.title, "applies": x.applies, "kind": x.kind} for x in LAWS.values()]


def counted() -> str:
    """The last line of a list: how many there are of each kind."""
    from noether.plan.design import LAWS, RULES

    symmetries = sum(len(case.symmetries) for case in CATALOG)
    cases = f"{len(CATALOG)} cases with {symmetries} symmetries"
    return f"{cases}, {len(RULES)} learning rules in kernels, {len(LAWS)} laws"


def field(name: str, text: str) -> Table:
    """One fact, with what does not fit on its line below its beginning."""
    grid = Table.grid()
    grid.add_column(width=10, style="bold")
    grid.add_column(overflow="fold")
    grid.add_row(name, Text(text))
    return grid


def explain(word: str, run: Path | None = None) -> Group:
    """A law on a page; with a run folder also what the run would have seen of it. Raises UsageError."""
    law = law_of(word)
    fields = [
        ("law", f"{law.key}  {law.title}"),
        ("equation", "\n".join(parts(law.equation))),
        *([("and", sentence(law.adds))] if law.adds else []),
        *([("primes", law.primes)] if law.primes else []),
        ("applies", law.applies),
        ("judged", f"{law.kind} verdict"),
        ("blind to", "; ".join(law.blind) or "nothing that is known"),
        ("must kill", "; ".join(law.must_kill)),
        ("theory", law.anchor),
    ]
    told = [field(name, text) for name, text in fields]
    told += [field("power" if i == 0 else "", line) for i, line in enumerate(powers(law.key, run))]
    theory = theory_of(law)
    if not theory:
        return Group(*told)
    letters = [SPENT, "", *notation(THEORY.read_text(encoding="utf-8"), f"${law.equation}$\n{theory}")]
    return Group(*told, Text(), printed("\n".join([theory, "", *letters]), console().width))


def law_of(word: str):
    """The entry of the book of laws. Raises UsageError."""
    from noether.plan.design import LAWS

    key = word.strip().upper()
    if key not in LAWS:
        raise unknown("law", word, LAWS)
    return LAWS[key]


def theory_of(law) -> str:
    """The section of docs/theory.md about a law as it is written, '' where there is no such file."""
    if not THEORY.exists():
        return ""
    return section(law.anchor.rpartition("#")[2], THEORY.read_text(encoding="utf-8"))


def explained(word: str, run: Path | None = None) -> dict:
    """The explanation of a law as plain data for --json; power is null without a run. Raises UsageError."""
    from noether.runs.saved_run import read_run
    from noether.verdicts.power import of_law

    law = law_of(word)
    fields = {n: getattr(law, n) for n in ("title", "equation", "statement", "applies", "kind", "anchor")}
    lists = {"blind": list(law.blind), "faults": list(law.must_kill)}
    seen = None if run is None else of_law(read_run(run).records, law.key).as_dict()
    return {"law": law.key, **fields, **lists, "power": seen, "theory": theory_of(law)}


def powers(law: str, run: Path | None) -> list[str]:
    """The smallest change of each coefficient that a run would have called violated, one line each."""
    if run is None:
        return [f"the smallest change that a run would have seen: noether explain {law} RUN"]
    from noether.runs.saved_run import read_run
    from noether.verdicts.power import of_law, percent

    records = read_run(run).records
    found = of_law(records, law)
    if not any(r.law == law and r.fault is None for r in records):
        return [f"{law} was not judged in this run"]
    if not found.coefficients:
        return ["not measured" if found.holding else f"{law} holds nowhere in this run"]
    return [f"{percent(x)} of {name}, on {found.places[name]}" for name, x in found.coefficients.items()]


def kind(symmetry: Symmetry) -> str:
    """What kind of generator a symmetry has."""
    if symmetry.is_translation:
        return "translation"
    if symmetry.is_rotation:
        return "rotation (A antisymmetric)"
    return "A symmetric" if symmetry.is_symmetric else "affine"


def generator_text(symmetry: Symmetry) -> str:
    """The generator xi(q) in the letters of the case."""
    letters = []
    for row, shift in zip(symmetry.matrix, symmetry.shift, strict=True):
        sign = lambda c: "-" if c < 0 else "+"
        size = lambda c: "" if abs(c) == 1 else f"{abs(c):g} "
        terms = [f"{sign(c)} {size(c)}q{j + 1}" for j, c in enumerate(row) if c]
        terms += [f"{sign(shift)} {abs(shift):g}"] if shift else []
        joined = " ".join(terms).removeprefix("+ ")
        letters.append(joined.replace("- ", "-", 1) if joined.startswith("-") else joined or "0")
    if len(letters) > MANY:
        told = [*letters[: MANY // 2], "..."]
        return f"({', '.join(told)}), {sum(x != '0' for x in letters)} of {len(letters)} entries not 0"
    return f"({', '.join(letters)})"


MANY = 24
"""Entries of a generator that are written out."""


def box_text(box) -> str:
    """The intervals of a box, each with how many parameters in a row have it."""
    runs = [(interval, len(list(same))) for interval, same in itertools.groupby(box)]
    power = lambda n: f"^{n}" if n > MANY else ""
    repeated = lambda n: 1 if n > MANY else n
    return " x ".join(f"[{a:g}, {b:g}]{power(n)}" for (a, b), n in runs for _ in range(repeated(n)))


def show(case: Case) -> Group:
    """What a case claims: its paper, its numbers, and the proof that its symmetries are true."""
    from noether.laws.exact.cell import rules_of
    from noether.mechanics.symmetry_proof import prove

    paper = (getattr(sys.modules.get(case.loss.__module__), "__doc__", None) or case.title).strip()
    rows = [
        field("case", case.name),
        field("metric", case.metric.kind),
        field("rules", ", ".join(rules_of(case))),
        field("box", box_text(case.box)),
        field("kick", f"{case.kick:g} of the box"),
    ]
    for symmetry, proof in zip(case.symmetries, prove(case) or [None] * len(case.symmetries), strict=False):
        generator = f"xi(q) = {generator_text(symmetry)}, {kind(symmetry)}"
        rows.append(field("symmetry", f"{symmetry.name}: {generator}"))
        if proof is not None:
            exactly = "exactly" if proof.exact else f"to {proof.relative:.0e} of its terms, 50 digits"
            broken = f"breaks it by {proof.broken:.2g}" if proof.broken else "keeps it"
            broken = f"the breaking term {broken}"
            rows.append(field("", f"<grad f, xi> = 0 {exactly} at {proof.points} random points; {broken}"))
    point = np.array(case.box, dtype=float).mean(axis=1)
    f, b = (float(part(list(point), NUMPY)) for part in (case.loss, case.breaking))
    rows.append(field("middle", f"f = {f:.6g}, b = {b:.6g} at the middle of the box"))
    return Group(Text(paper), Text(), *rows)


def shown(case: Case) -> dict:
    """What a case claims as plain data for --json; proof is null where none was made."""
    from noether.laws.exact.cell import rules_of
    from noether.mechanics.symmetry_proof import prove

    proofs = prove(case) or [None] * len(case.symmetries)
    symmetries = []
    for s, proof in zip(case.symmetries, proofs, strict=False):
        told = {"symmetry": s.name, "kind": kind(s), "matrix": s.matrix, "shift": s.shift}
        symmetries.append({**told, "proof": None if proof is None else asdict(proof)})
    numbers = {"rules": rules_of(case), "box": case.box, "kick": case.kick, "pace": case.pace}
    return {**named(case), **numbers, "symmetries": symmetries}
