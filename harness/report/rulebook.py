"""The learning rules as `noether rules` lists them."""

from __future__ import annotations

from functools import cache

from noether.cases import CATALOG
from noether.cases.rules import RULES, Rule
from noether.laws.exact.cell import rules_of
from noether.report.table import listing

OPTIONS = ("looks_ahead", "timed", "maximize", "simplex", "signed")


@cache
def takers() -> dict[str, list[str]]:
    """The cases of the catalogue that take each rule."""
    taken = {case.name: rules_of(case) for case in CATALOG}
    return {rule: [name for name, mine in taken.items() if rule in mine] for rule in RULES}


def options(rule: Rule) -> list[str]:
    """What a rule has beside the step of heavy ball, as it is read off its lines."""
    return [name for name in OPTIONS if getattr(rule, name)]


def rules_table():
    """The table of rules."""
    table = listing("rule", "step", "metric", "cases")
    for rule in RULES.values():
        step = "\n".join(rule.step)
        table.add_row(rule.name, step, rule.metric, str(len(takers()[rule.name])))
    return table


def rules_listed() -> list[dict]:
    """The rules as plain data for --json."""
    return [
        {
            "rule": rule.name,
            "source": rule.source,
            "buffers": list(rule.buffers),
            "step": list(rule.step),
            "metric": rule.metric,
            "momentum": rule.momentum,
            "decay": rule.decay,
            "parameters": list(rule.parameters),
            "options": options(rule),
            "stored": "log q" if rule.log_state else "q",
            "fuzzed": rule.screened,
            "cases": takers()[rule.name],
        }
        for rule in RULES.values()
    ]
