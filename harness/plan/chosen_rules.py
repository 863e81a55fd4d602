"""From words to learning rules: names of the catalogue, files, and Rule objects from Python."""

from __future__ import annotations

from noether.cases.rules import CATALOG, OWN, RULES, Rule
from noether.plan.casefiles import load, rule_trial, trial_process
from noether.plan.casefiles.kind import RULE
from noether.plan.casefiles.rule_words import Words, file_words, parts
from noether.system.usage import UsageError, unknown


def chosen(words: Words) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the chosen rules, the catalogue's first and in its order, and the words that are files.

    None is the whole catalogue. What is not of the catalogue is tried out, and found by its name from then on
    (noether.cases.rules.named). Raises UsageError.
    """
    if words is None:
        return tuple(RULES), ()
    found = parts(words)
    if not found:
        raise UsageError(f"--rule is empty: it must be one or more of {', '.join(RULES)}, or files")
    names, own = [], {}
    for part in found:
        rule = part if isinstance(part, Rule) else one(part)
        if any(rule is x for x in CATALOG):
            names.append(rule.name)
            continue
        if isinstance(part, Rule):
            rule_trial.try_rule(part)
            OWN[rule.name] = rule
        if own.setdefault(rule.name, rule) is not rule:
            raise UsageError(f"two different rules are named {rule.name!r}: names must differ within a run")
    return (*(name for name in RULES if name in names), *own), file_words(words)


def one(word: str) -> Rule:
    """The rule of the catalogue that has this name, or that of a file. Raises UsageError."""
    if load.is_file_word(word):
        return load.load(word, trial_process.tried_rule(word), RULE)
    if word.lower() not in RULES:
        raise UsageError(f"{unknown('rule', word, RULES)} (or a file: path/to/rule.py)")
    return RULES[word.lower()]
