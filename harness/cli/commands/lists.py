"""`noether cases`, `rules`, `show` and `explain`: lists of what there is, and a page about one of it."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, argument, printed


def known_cases(incomplete: str) -> list[str]:
    """The names of cases, for the completion of a shell."""
    from noether.cases import CATALOG

    return [case.name for case in CATALOG if case.name.startswith(incomplete)]


def known_laws(incomplete: str) -> list[str]:
    """The names of laws, for the completion of a shell."""
    from noether.laws.registry import LAWS

    return [law for law in LAWS if law.startswith(incomplete.upper())]


ONE_CASE = "A case of the catalogue, or path/to/case.py[:NAME]."
Case = argument(str, "CASE|FILE", ONE_CASE, autocompletion=known_cases)
Law = argument(str, "LAW", "As in D2; see noether laws.", autocompletion=known_laws)
Run = argument(Path | None, "[RUN]", "A run folder: the power of the law in it.")


def cases(as_json: AsJson = False):
    """List the cases of the catalogue."""
    from noether.report.catalogue import cases_listed, cases_table
    from noether.report.table import say

    printed({"cases": cases_listed()}) if as_json else say(cases_table())


def rules(as_json: AsJson = False):
    """List the learning rules: the step of each, its metric."""
    from noether.report.rulebook import rules_listed, rules_table
    from noether.report.table import say

    printed({"rules": rules_listed()}) if as_json else say(rules_table())


def show(case: Case, as_json: AsJson = False):
    """Show what a case claims, and prove its symmetries."""
    from noether.plan.choices import chosen_cases
    from noether.report import catalogue
    from noether.report.table import say

    (chosen,), _ = chosen_cases([case])
    printed(catalogue.shown(chosen)) if as_json else say(catalogue.show(chosen))


def explain(law: Law, run: Run = None, as_json: AsJson = False):
    """Explain a law: where it applies, what it cannot see.

    Also its equation, the planted faults that it must see, and with a RUN its power there.
    """
    from noether.report import catalogue
    from noether.report.table import say

    printed(catalogue.explained(law, run)) if as_json else say(catalogue.explain(law, run))
