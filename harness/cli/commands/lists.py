"""`noether cases`, `rules`, `show` and `explain`: lists of what there is, and a page about one of it."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, argument, printed


def known_cases(incomplete: str) -> list[str]:
    """The names of cases and rules, for the completion of a shell."""
    from noether.cases import CATALOG
    from noether.cases.rules import RULES

    return [name for name in (*(case.name for case in CATALOG), *RULES) if name.startswith(incomplete)]


def known_laws(incomplete: str) -> list[str]:
    """The names of laws, for the completion of a shell."""
    from noether.laws.registry import LAWS

    return [law for law in LAWS if law.startswith(incomplete.upper())]


ONE = "A case or a rule of the catalogue, or path/to/file.py[:NAME]."
Case = argument(str, "CASE|RULE|FILE", ONE, autocompletion=known_cases)
Law = argument(str, "LAW", "As in D2; see noether laws.", autocompletion=known_laws)
Run = argument(Path | None, "[RUN]", "A run folder: the power of the law in it.")


def cases(as_json: AsJson = False):
    """List the cases of the catalogue."""
    from noether.report.catalogue import cases_listed, cases_table
    from noether.report.table import say

    printed({"cases": cases_listed()}) if as_json else say(cases_table())


def rules(as_json: AsJson = False):
    """List the learning rules: the step of each, its metric.

    Also its buffers, and what was read off its lines.
    """
    from noether.report.rulebook import rules_listed, rules_table
    from noether.report.table import say

    printed({"rules": rules_listed()}) if as_json else say(rules_table())


def show(case: Case, as_json: AsJson = False):
    """Show what a case claims, or what a rule says of itself.

    The symmetries of a case are proven; of a rule also what was read off its lines is told.
    """
    from noether.cases import Case
    from noether.plan.shown import meant
    from noether.report import catalogue, rulebook
    from noether.report.table import say

    chosen = meant(case)
    book = catalogue if isinstance(chosen, Case) else rulebook
    printed(book.shown(chosen)) if as_json else say(book.show(chosen))


def explain(law: Law, run: Run = None, as_json: AsJson = False):
    """Explain a law: where it applies, what it cannot see.

    Also its equation, the planted faults that it must see, and with a RUN its power there.
    """
    from noether.report import catalogue
    from noether.report.table import say

    printed(catalogue.explained(law, run)) if as_json else say(catalogue.explain(law, run))
