"""What the tables and the page of an audit share: names, the rule, what each type spends, symmetries."""

from __future__ import annotations

from collections.abc import Sequence

from noether.campaigns.audit.finding import (
    DEVIATES,
    HOLDS,
    INCONCLUSIVE,
    OBEYS,
    OUTSIDE,
    UNDECIDED,
    VIOLATED,
    Audit,
    Finding,
)
from noether.campaigns.audit.turned import SHAPES, SYMMETRIES
from noether.system.outside import plural

TYPES = ("float64", "float32", "bfloat16", "float16")
SYMBOL = {OBEYS: "✓", DEVIATES: "✗", UNDECIDED: "?"}
"""What stands before the verdict of an audit."""
AS_FINDING = {OBEYS: HOLDS, DEVIATES: VIOLATED, UNDECIDED: INCONCLUSIVE}
"""The verdict of an audit as that of a finding, for its colour."""
ORDER = (VIOLATED, INCONCLUSIVE, HOLDS, OUTSIDE)
WIDE = 120  # characters of a remark


def name_of(audit: Audit) -> str:
    """The name in a target's word: what stands behind the colon."""
    return audit.target.rpartition(":")[2]


def names_of(audits: Sequence[Audit]) -> list[str]:
    """The name of each; where several have the same, with as much of its place as tells them apart."""
    names = [name_of(a) for a in audits]
    places = [a.target.rpartition(":")[0].split(".") for a in audits]
    longest = max(map(len, places), default=0)
    for parts in range(1, longest + 1):
        again = {n for n in names if names.count(n) > 1}
        for i, a in enumerate(audits):
            if names[i] in again:
                names[i] = f"{'.'.join(places[i][-parts:])}:{name_of(a)}"
    return names


def rule_of(audit: Audit) -> str:
    """The rule that it was found to obey, in a few words."""
    found = audit.rule
    if found is None:
        return "-"
    if found.verdict == VIOLATED:
        return f"not {found.name}"
    if found.verdict == HOLDS and found.name == "unnamed":
        return "a step of its own"
    return found.name


def sentence(audit: Audit) -> str:
    """The verdict in one sentence."""
    wrong, rule = audit.deviations, audit.rule
    if wrong:
        more = f", and {plural(len(wrong) - 1, 'more deviation')}" if len(wrong) > 1 else ""
        return f"{spoken(wrong[0])}{more}"
    if audit.trouble:
        return audit.trouble
    return rule.reason if rule else "no rule was looked for"


def spoken(found: Finding) -> str:
    """A finding with its name, where the reason alone does not say it."""
    return found.reason if found.part == "rule" else f"{found.part}, {found.name}: {found.reason}"


def remark(audit: Audit) -> str:
    """What a row of the table says beside its numbers: what is wrong, or why nothing is decided."""
    wrong = audit.deviations
    if wrong or audit.verdict == UNDECIDED:
        return shortened(sentence(audit))
    told = audit.rule.data.get("remarks") or [] if audit.rule else []
    doubts = [x for x in audit.findings if x.verdict == INCONCLUSIVE]
    if told:
        return shortened(told[0])
    return shortened(f"not decided: {', '.join(f'{x.part} {x.name}' for x in doubts)}") if doubts else ""


def shortened(text: str) -> str:
    """A text of at most WIDE characters."""
    return text if len(text) <= WIDE else text[: WIDE - 1].rstrip() + "…"


def spent_of(audit: Audit) -> dict[str, Finding]:
    """Of each type the finding that spends most of its bound; of a type that is refused, that finding."""
    worst: dict[str, Finding] = {}
    for x in audit.findings:
        kind = x.name.rsplit(" ", 1)[-1]
        if x.part in ("arithmetic", "implementations") and kind in TYPES:
            size = lambda f: (f.verdict == VIOLATED, -1.0 if f.spent is None else f.spent)
            if kind not in worst or size(x) > size(worst[kind]):
                worst[kind] = x
    return worst


def rows_of(audit: Audit) -> dict[str, dict]:
    """The symmetries of each tensor that was turned: {"matrix": {symmetry: what was found of it}}."""
    found = [x for x in audit.findings if x.part == "symmetries"]
    return {x.name: x.data["row"] for x in found if x.data.get("row")}


def row_of(audit: Audit) -> dict[str, dict]:
    """The symmetries of a matrix, or of a vector where a matrix is refused; {} where neither was found."""
    rows = rows_of(audit)
    return next((rows[name] for name in SHAPES if name in rows), {})


def told_row(audits: Sequence[Audit]) -> tuple[str, ...]:
    """The symmetries that were asked for in some of these, in their order."""
    some = {name for a in audits for name in row_of(a)}
    return tuple(name for name in SYMMETRIES if name in some)


def by_part(audit: Audit) -> dict[str, list[Finding]]:
    """The findings of each part, in the order of the parts; in each what is wrong first."""
    found: dict[str, list[Finding]] = {}
    for x in audit.findings:
        found.setdefault(x.part, []).append(x)
    return {part: sorted(some, key=lambda x: ORDER.index(x.verdict)) for part, some in found.items()}


def counted(audits: Sequence[Audit]) -> dict[str, int]:
    """How many have each verdict."""
    return {v: sum(a.verdict == v for a in audits) for v in (OBEYS, DEVIATES, UNDECIDED)}


def tally(audits: Sequence[Audit]) -> str:
    """How many obey, deviate and are not decided, in words."""
    n = counted(audits)
    verbs = {OBEYS: ("obeys a rule", "obey a rule"), DEVIATES: ("deviates", "deviate"),
             UNDECIDED: ("is not decided", "are not decided")}  # fmt: skip
    return ", ".join(f"{n[v]} {verbs[v][n[v] != 1]}" for v in verbs if n[v])
