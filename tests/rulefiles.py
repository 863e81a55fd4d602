"""A right file of a rule, and wrong ones made of it, for tests of what is said of them."""

from pathlib import Path

import pytest

from noether.plan.casefiles import trial_process
from noether.system.usage import UsageError

GOOD = (Path(__file__).resolve().parent.parent / "docs/examples/aggmo.py").read_text(encoding="utf-8")
ENDS = "    return [xp.store(qi + mi) for qi, mi in zip(q, move, strict=True)], [u, v, w]\n"
FIRST = "    pull = [p.eta"
LINE = GOOD[: GOOD.index(FIRST)].count("\n") + 1  # of the first statement of update
AT = f"at line {LINE}"


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert old in text, old
    return text.replace(old, new, 1)


def doing(statement: str) -> str:
    """The rule, whose update does something first."""
    return changed(FIRST, f"    {statement}\n{FIRST}")


def refused(word: str = "rule.py") -> str:
    with pytest.raises(UsageError) as error:
        trial_process.tried_rule(word)
    said = str(error.value)
    assert "\n" not in said and said.startswith("rule file "), said
    return said
