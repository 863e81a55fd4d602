"""Why a law covers nothing of a selection: the first of its conditions that nothing selected meets.

A law of a launch says it here, from the metric of a case, the rule, the symmetry and the precision. Another
may say it itself: a family whose module has why_not(law, case) -> a sentence, or "".
"""

from __future__ import annotations

from noether.cases.rules import RULES
from noether.laws.exact import EXACT
from noether.laws.exact.cell import rules_of
from noether.laws.registry import FAMILIES, LAWS
from noether.plan.choices import Selection
from noether.plan.groups import of_law

SHOWN = 3  # cases whose reasons are told


def why(law: str, selection: Selection) -> str:
    """The reason in one line: what the law needs, and what each case lacks of it."""
    info, group = LAWS[law], of_law(law)
    if group and group not in selection.groups:
        return f"{law} ({info.title}) is about no case: ask for it by noether verify {group} --law {law}"
    lacking = {}
    for case in selection.cases:
        reason = exact(law, case, selection) if law in EXACT else elsewhere(law, case)
        if reason:
            lacking.setdefault(reason, []).append(case.name)
    told = [
        f"{reason} ({', '.join(names[:SHOWN])}{' ...' if len(names) > SHOWN else ''})"
        for reason, names in list(lacking.items())[:SHOWN]
    ]
    return "; ".join([f"{law} ({info.title}) needs {info.applies}", *told])


def exact(law: str, case, selection: Selection) -> str:
    """The reason for an exact law, which speaks of a launch."""
    rules, found = rules_of(case, selection.rules), EXACT[law]
    if not rules_of(case):
        return f"no kernel steps a {case.metric.kind} metric whose potential is not the entropy"
    if not rules:
        return f"none of the chosen rules steps a {case.metric.kind} metric"
    if not any(found.concerns(case, RULES[r]) for r in rules):
        return (
            f"no symmetry under {', '.join(rules[:SHOWN])}{' ...' if len(rules) > SHOWN else ''} is one that "
            "it speaks of"
        )
    if not any(found.reads(p) for p in selection.precisions):
        return (
            "its terms of second order in the step vanish in the rounding of "
            f"{', '.join(selection.precisions)}"
        )
    return ""


def elsewhere(law: str, case) -> str:
    """What the family of another law says, where it says anything."""
    family = next((family for family in FAMILIES if LAWS[law] in family.laws), None)
    say = getattr(family.measured(), "why_not", None) if family else None
    return say(LAWS[law], case) if say else ""
