"""How small a wrong coefficient a run would have seen: the power of a law (rules of evidence, 9).

    power of a coefficient    the smallest x over the records that hold: one of them would have seen it    (1)
    power of a law            that of its weakest coefficient, which is named                              (2)

A record's own x is measured where the record is made (Record.powers): a prediction whose coefficient were 1 +
x times as large, or farther off, would have been violated by what this record measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from noether.verdicts.record import HOLDS, Record

ENOUGH = 0.1
"""A law that would hold with a coefficient that is off by more than this is no evidence for that
coefficient."""


@dataclass(frozen=True)
class Power:
    """What a run would have seen of one law.

    coefficients  {name: x} by (1), as fractions, the weakest first; inf where no change of any size would be
                  seen
    places        {name: case, rule and precision of the record that sees it best}
    holding       how many records hold: without any there is no power to speak of
    """

    law: str
    coefficients: dict[str, float] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    holding: int = 0

    @property
    def weakest(self) -> tuple[str, float] | None:
        """The weakest coefficient (2): its name and x; None where nothing was measured."""
        return next(iter(self.coefficients.items()), None)

    @property
    def told(self) -> str:
        """The power in words, as "0.8 % of friction"; '' for a law that holds nowhere."""
        if self.weakest is None:
            return "not measured" if self.holding else ""
        name, x = self.weakest
        return f"{percent(x)} of {name}" if x < math.inf else f"any {name} would hold"

    def as_dict(self) -> dict:
        """The power as plain data."""
        name, x = self.weakest or (None, None)
        return {"weakest": name, "power": x, "coefficients": self.coefficients, "places": self.places}


def percent(x: float) -> str:
    """A share in per cent, with two digits and as a decimal where that is short: 12 %, 0.84 %, 3e-12 %."""
    size = 100 * x
    return f"{size:.2g} %" if size < 100 else f"{size:.3g} %" if size < 1e4 else f"{size:.0e} %"


def of_law(records: Iterable[Record], law: str) -> Power:
    """The Power (1), (2) of one law in the records of a run."""
    mine = [r for r in records if r.law == law and r.fault is None and r.verdict == HOLDS]
    best: dict[str, tuple[float, str]] = {}
    for r in mine:
        for name, x in r.powers.items():
            size = abs(float(x))
            size = size if size == size else math.inf
            if name not in best or size < best[name][0]:
                best[name] = size, " ".join(w for w in (r.case, r.rule, r.precision) if w)
    ordered = sorted(best.items(), key=lambda item: -item[1][0])
    return Power(
        law, {name: x for name, (x, _) in ordered}, {name: place for name, (_, place) in ordered}, len(mine)
    )


def by_precision(records: Iterable[Record], law: str) -> dict[str, Power]:
    """The Power of the records of each precision that has any, in the order of the records."""
    mine = [r for r in records if r.law == law]
    return {
        p: of_law([r for r in mine if r.precision == p], law)
        for p in dict.fromkeys(r.precision for r in mine)
    }


def unmeasured(records: Iterable[Record], laws: Iterable[str]) -> list[str]:
    """Laws that hold somewhere, and none of whose records says what it would have seen."""
    records = list(records)
    found = [of_law(records, law) for law in laws]
    return [p.law for p in found if p.holding and not p.coefficients]


def weak(records: Iterable[Record], laws: Iterable[str], limit: float = ENOUGH) -> list[str]:
    """One line for each coefficient of a law that could be off by more than `limit` while the law holds."""
    records, out = list(records), []
    for law in laws:
        found = of_law(records, law)
        for name, x in found.coefficients.items():
            if not x <= limit:
                few = f"would first see {name} changed by {percent(x)}"
                seen = few if x < math.inf else f"would see no change of {name}"
                out.append(f"{law} {seen}, so it is no evidence for it ({percent(limit)} is asked)")
    return out
