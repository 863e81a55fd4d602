"""An audit from its first part to its last, in this process."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

from noether.campaigns.audit.arithmetic_part import arithmetic
from noether.campaigns.audit.finding import PARTS, Finding
from noether.campaigns.audit.rule_part import rule
from noether.campaigns.audit.scripted import script as scripted
from noether.campaigns.audit.subject import Subject


def examined(
    subject: Subject, like: str | None = None, seed: int = 0, parts: Iterable[str] = PARTS
) -> Iterator[Finding]:
    """Yield what is found of a subject, each as it is found. Raises UsageError, TargetError.

    like   the rule that it is claimed to obey, a name of claims.LIKE
    parts  which of the parts; the rule is always looked for, since the others are judged by it
    """
    parts = set(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = scripted(seed)
        found, anatomy, _ = rule(subject, like, script)
        yield found
        if "arithmetic" in parts:
            yield from arithmetic(subject, anatomy, script)
