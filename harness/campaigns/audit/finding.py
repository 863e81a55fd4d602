"""What an audit finds: one line each, with a verdict, a number in units of its bound, and what shows it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from noether.verdicts import exit_codes

HOLDS, VIOLATED, INCONCLUSIVE, OUTSIDE = "holds", "violated", "inconclusive", "outside"
PARTS = ("rule", "arithmetic", "implementations", "options", "probes", "symmetries")
"""The parts of an audit, in their order."""
OBEYS, DEVIATES, UNDECIDED = "obeys", "deviates", "not decided"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    part     one of PARTS
    name     what was looked at: a type, an option, a probe
    verdict  holds, violated, inconclusive or outside
    reason   one sentence: what was found
    spent    the largest distance in units of its bound, None where nothing was measured
    data     what else was found, of plain types
    script   a script that shows a deviation with the target's own package alone, executed before it is told
    """

    part: str
    name: str
    verdict: str
    reason: str
    spent: float | None = None
    data: dict = field(default_factory=dict)
    script: str | None = None

    def plain(self) -> dict:
        """As a dictionary of plain types."""
        return asdict(self)


@dataclass(frozen=True)
class Audit:
    """All that was found of one target.

    target    as it was named
    findings  in the order in which they were found
    trouble   why the audit ended early, None where it did not
    fault     the traceback of a fault of this project that ended it, None where there was none
    seconds   how long it took
    """

    target: str
    findings: tuple[Finding, ...]
    trouble: str | None = None
    seconds: float = 0.0
    fault: str | None = None

    @property
    def rule(self) -> Finding | None:
        """The finding of which rule it obeys."""
        return next((x for x in self.findings if x.part == "rule"), None)

    @property
    def deviations(self) -> tuple[Finding, ...]:
        """What is violated."""
        return tuple(x for x in self.findings if x.verdict == VIOLATED)

    @property
    def verdict(self) -> str:
        """obeys, deviates, or not decided."""
        if self.deviations:
            return DEVIATES
        if self.trouble or self.rule is None or self.rule.verdict != HOLDS:
            return UNDECIDED
        return OBEYS

    @property
    def exit_code(self) -> int:
        """0 obeys, 1 deviates, 3 not decided, 70 a fault of this project."""
        is_open = self.verdict == UNDECIDED
        return exit_codes.of(internal=self.fault, violated=self.verdict == DEVIATES, undecided=is_open)

    def plain(self) -> dict:
        """As a dictionary of plain types."""
        return {
            "target": self.target,
            "verdict": self.verdict,
            "trouble": self.trouble,
            "seconds": round(self.seconds, 3),
            "findings": [x.plain() for x in self.findings],
        }

    @classmethod
    def of(cls, found: dict) -> Audit:
        """The audit of such a dictionary."""
        findings = tuple(Finding(**x) for x in found["findings"])
        return cls(found["target"], findings, found["trouble"], found["seconds"])
