"""The learning rules as `noether rules` lists them, with the step of each from the docstring of
cases/rules."""

from __future__ import annotations

import re
from functools import cache

from noether.cases import CATALOG, rules
from noether.cases.rules import RULES, Rule
from noether.laws.exact.cell import rules_of
from noether.report.table import listing

LINE = re.compile(r"^ {4}([a-z-]+) +(v' = .*?) {2,}([qz]' = .*?) +\((\d+)\)$", re.MULTILINE)
OPTIONS = ("nesterov", "dampening", "maximize", "scheduled", "simplex", "signed")


@cache
def equations() -> dict[str, tuple[str, str]]:
    """How v and the state move under each rule; empty where python keeps no docstrings (-OO)."""
    return {name: (velocity, state) for name, velocity, state, _ in LINE.findall(rules.__doc__ or "")}


@cache
def takers() -> dict[str, list[str]]:
    """The cases of the catalogue that take each rule."""
    taken = {case.name: rules_of(case) for case in CATALOG}
    return {rule: [name for name, mine in taken.items() if rule in mine] for rule in RULES}


def options(rule: Rule) -> list[str]:
    """The options of PyTorch's step that a rule has, and those of its own."""
    return [name for name in OPTIONS if getattr(rule, name)]


def rules_table():
    """The table of rules."""
    table = listing("rule", "step", "metric", "cases")
    for rule in RULES.values():
        step = "\n".join(equations().get(rule.name, ()))
        table.add_row(rule.name, step, rule.metric, str(len(takers()[rule.name])))
    return table


def rules_listed() -> list[dict]:
    """The rules as plain data for --json."""
    return [
        {
            "rule": rule.name,
            "number": rule.number,
            "step": list(equations().get(rule.name, ())),
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
