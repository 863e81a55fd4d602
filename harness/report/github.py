"""Output for GitHub Actions: annotations at the lines that they are about, and a summary of the job.

    ::error file=cases/x.py,line=7,title=D2 violated::residual is 7.5 bounds in lane 3 at step 1

A violation stands where the case is declared, a blind law at its formula, a survivor where the fault is
planted. The runner shows 10 errors and 10 warnings of a step and drops the rest in silence (actions/toolkit,
docs/problem-matchers.md): the last one of each kind counts what is left.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from noether.report import known_violations
from noether.report.remainder import unsaid
from noether.report.table import footing, number, of_result, verdict
from noether.system import resources
from noether.system.outside import lines, plural, printable
from noether.verdicts.known import GONE, SEEN
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record, where

SHOWN = 10
LISTED = 50
HEAD = ("| law | cells | worst | worst in | faults | verdict |", "|---|--:|--:|---|---|---|")
Place = tuple[Path, int] | None


@dataclass(frozen=True)
class Annotation:
    """A line for GitHub Actions.

    level  error or warning
    place  file and line, where there is one
    """

    level: str
    title: str
    message: str
    place: Place = None

    def command(self, workspace: Path) -> str:
        """One line; a file outside the workspace has no page to stand on."""
        words = {"title": self.title}
        if self.place and self.place[0].is_relative_to(workspace):
            file, line = self.place
            words = {"file": file.relative_to(workspace).as_posix(), "line": str(line), **words}
        properties = ",".join(f"{k}={as_property(v)}" for k, v in words.items())
        return f"::{self.level} {properties}::{as_data(self.message)}"


def as_data(text: str) -> str:
    """A text escaped for a workflow command, percent signs first."""
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def as_property(text: str) -> str:
    """A text escaped for a property of a workflow command."""
    return as_data(text).replace(":", "%3A").replace(",", "%2C")


# ---- places


def case_place(name: str) -> Place:
    """Where a case is declared: the line of its `Case(` in the file of its loss."""
    from noether.plan.choices import case_named
    from noether.system.usage import UsageError

    try:
        file = Path(inspect.getsourcefile(case_named(name).loss)).resolve()
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (UsageError, OSError, TypeError, SyntaxError, ValueError):
        return None
    called = lambda n: getattr(n.func, "id", getattr(n.func, "attr", ""))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and called(n) == "Case"]
    is_name = lambda k: k.arg == "name" and isinstance(k.value, ast.Constant) and k.value.value == name
    said = [n for n in calls if any(map(is_name, n.keywords))]
    # A name that is computed is in the first.
    return file, min((n.lineno for n in said or calls), default=1)


def law_place(law: str) -> Place:
    """The formula of an exact law; the statement in docs/theory.md of every other."""
    from noether.laws.exact import EXACT

    if law in EXACT:
        code = EXACT[law].residual.__code__
        return Path(code.co_filename).resolve(), code.co_firstlineno
    return line_of(resources.path("theory.md"), f'<a id="{law}"></a>')


def fault_place(name: str) -> Place:
    """The first line of ours that names a planted fault."""
    places = (line_of(file, f'"{name}"') for file in sorted(resources.HERE.rglob("*.py")))
    return next((place for place in places if place), None)


@cache
def line_of(file: Path, text: str) -> Place:
    """The first line of a file that has a text, None where there is none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(((file, i) for i, line in enumerate(lines, 1) if text in line), None)


# ---- what is said


def blindness(row) -> str:
    """Why what holds of a law, or that nothing does, is no evidence; "" where it is."""
    if not row.counts[HOLDS] and not row.counts[VIOLATED]:
        return f"no cell holds for {row.law}: nothing was decided"
    if row.counts[HOLDS] and not row.killed:
        return f"{row.law} killed none of {row.faults} planted faults"
    return ""


def annotations(result) -> list[Annotation]:
    """Errors first: violations, the baseline, survivors, blind laws, broken cells; then what was not
    decided."""
    real = [r for r in result.records if not r.fault]
    out = [violation(r) for r in known_violations.counting(result)]
    out += [
        error("known violation gone", s.line, case_place(s.entry.case))
        for s in result.known
        if s.status == GONE
    ]
    if result.baseline is not None:
        for kind, entries in (("marked rise", result.baseline.rises), ("lost entry", result.baseline.lost)):
            out += [error(kind, f"{name}: {line}", of_entry(name)) for name, line in entries.items()]
    out += [error("broken promise", line) for line in result.blind]
    for name, laws in of_result(result).items():
        if not laws:
            out.append(error("planted fault survived", f"{name}: some law must fail", fault_place(name)))
    for row in result.rows:
        if why := blindness(row):
            out.append(error(f"{row.law} blind", why, law_place(row.law)))
    for cell, text in result.errors.items():
        out.append(error("internal error", f"{cell}: {text.strip().splitlines()[-1]}"))
    out += [error("cell without a verdict", f"{cell}: {text}") for cell, text in result.lost.items()]
    for s in result.known:
        if s.status == SEEN:
            out.append(
                Annotation("warning", f"{s.entry.law} violated, known", s.line, case_place(s.entry.case))
            )
    for r in real:
        if r.verdict in (INCONCLUSIVE, OUTSIDE):
            words = f"{where(r)}: {r.reason}"
            out.append(Annotation("warning", f"{r.law} {r.verdict}", words, case_place(r.case)))
    return out


def error(title: str, message: str, place: Place = None) -> Annotation:
    """An annotation at the level of errors."""
    return Annotation("error", title, message, place)


def violation(r: Record) -> Annotation:
    """The annotation of a violation: where and why, what explains it, and the line that runs it again."""
    words = (f"{where(r)}: {r.reason}", unsaid(r), r.replay)
    return error(f"{r.law} violated", "\n".join(x for x in words if x), case_place(r.case))


def of_entry(name: str) -> Place:
    """Where an entry of a baseline stands: its case, or its law where it has none."""
    law, case, *rest = name.split(" ")
    return case_place(case) if rest else law_place(law)


def shown(found: Iterable[Annotation]) -> list[Annotation]:
    """At most SHOWN of each level, the last of them counting the rest."""
    out = []
    found = list(found)
    for level in ("error", "warning"):
        mine = [a for a in found if a.level == level]
        if len(mine) > SHOWN:
            more = len(mine) - SHOWN + 1
            words = f"{more} more {level}s, all in records.jsonl and junit.xml of the run"
            mine = [*mine[: SHOWN - 1], Annotation(level, f"... and {more} more", words)]
        out += mine
    return out


def cell(text: str) -> str:
    """Text inside a markdown table: one line, nothing of it markup."""
    text = lines(text)
    for sign in "\\`*_{}[]<>#|":
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())


def summary(result) -> str:
    """Markdown for the page of the job."""
    lines = [f"### noether: {cell(verdict(result))}", "", *HEAD]
    for row in result.rows:
        worst = f"{number(row.worst_spent)} | {cell(row.worst_where)}"
        killed = f"{row.killed}/{row.faults} killed"
        word = known_violations.word(row, result)
        lines.append(f"| {row.law} | {row.cells} | {worst} | {killed} | {word} |")
    if result.known:
        lines += ["", "known violations", "", *(f"- {cell(s.line)}" for s in result.known)]
    errors = [a for a in annotations(result) if a.level == "error"]
    if errors:
        lines += ["", plural(len(errors), "finding"), ""]
        lines += [f"- **{cell(a.title)}**: {cell(a.message)}" for a in errors[:LISTED]]
        lines += [f"- ... and {len(errors) - LISTED} more"] if len(errors) > LISTED else []
    return "\n".join([*lines, "", cell(footing(result)), ""]) + "\n"


def announce(result, write, environment: Mapping[str, str] = os.environ) -> None:
    """Annotations through `write`, the summary into its file; nothing at all outside GitHub Actions."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    workspace = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    for annotation in shown(annotations(result)):
        write(annotation.command(workspace) + "\n")
    if environment.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(environment["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
                file.write(summary(result))
        except OSError as error:
            result.notes.append(
                f"the job summary {environment['GITHUB_STEP_SUMMARY']} cannot be written: "
                f"{error.strerror or error}"
            )
