"""The case or the learning rule that one word means: a name of either catalogue, or a file that has one."""

from __future__ import annotations

from noether.cases import CATALOG, Case
from noether.cases.rules import RULES, Rule
from noether.plan import choices, chosen_rules
from noether.plan.casefiles.kind import CASE, RULE
from noether.plan.casefiles.load import is_file_word
from noether.plan.casefiles.source import split
from noether.system.usage import UsageError, unknown


def meant(word: str) -> Case | Rule:
    """What a word means. Raises UsageError."""
    if not is_file_word(word):
        names = {case.name: case for case in CATALOG} | RULES
        if word not in names:
            listed = "noether cases and noether rules list them"
            error = unknown("case or rule", word, names, listed=listed)
            raise UsageError(f"{error} (or a file: path/to/case.py)")
        return names[word]
    path = split(word)[0]
    try:
        return choices.chosen_cases([word])[0][0]
    except UsageError as error:
        if not str(error).startswith(CASE.none(path)):
            raise
        first = str(error)
    try:
        return chosen_rules.one(word)
    except UsageError as error:
        # Whoever wrote neither is told what a case file must have.
        raise UsageError(first if str(error).startswith(RULE.none(path)) else str(error)) from None
