"""Options that no selected cell reads: they are refused instead of being recorded as if they had been used.

--eta --beta --decay --eps   the exact laws of a launch, under a rule that has the parameter
--lanes --steps              these, D13 and E1
--rule                       cells of a learning rule; what is said of a flow has none
"""

from __future__ import annotations

from noether.cases.rules import OWN, RULES
from noether.laws.exact import EXACT
from noether.system.usage import UsageError

OPTION = {name: f"--{name}" for name in ("eta", "beta", "eps", "lanes", "steps")} | {"k": "--decay"}
LACKS = {"beta": "momentum", "k": "decay"}
SIZES = ("lanes", "steps")


def reading(name: str) -> tuple[str, ...]:
    """The laws whose cells read an option."""
    return (*EXACT, "D13", "E1") if name in SIZES else tuple(EXACT)


def has(name: str, rule: str) -> bool:
    """Whether a rule has the parameter of an option."""
    return is_rule(rule) and (name not in LACKS or RULES[rule].reads_number(name))


def is_rule(name: str) -> bool:
    """Whether a name is that of a learning rule, and not of a flow."""
    return name in RULES or name in OWN


def check(selection, cells: list, laws: tuple[str, ...]) -> list[str]:
    """The notes on options that a part of the selection does not read. Raises UsageError where none of it
    does."""
    if "rules" in selection.asked and not any(c.rule in selection.rules for c in cells):
        known = ", ".join(sorted({c.rule for c in cells if not is_rule(c.rule)}))
        raise UsageError(
            f"--rule is {', '.join(selection.rules)}, but nothing chosen reads it: "
            f"{', '.join(laws)} of this choice runs {known or 'other rules'}; leave --rule out, or choose "
            "other laws"
        )
    return [text for name in selection.overrides if (text := told(name, selection, cells, laws))]


def told(name: str, selection, cells: list, laws: tuple[str, ...]) -> str:
    """The note about one option, '' where all that is chosen reads it. Raises UsageError where nothing
    does."""
    launched = [c for c in cells if getattr(c, "kind", "exact") in ("exact", "covariance", "response")]
    mine = [c for c in launched if any(law in reading(name) for law in c.laws)]
    rules = [r for r in (*RULES, *OWN) if any(c.rule == r for c in mine)]
    lacking = [r for r in rules if not has(name, r)]
    said = f"{OPTION[name]} is {selection.overrides[name]}"
    deaf = [law for law in laws if law not in reading(name)]
    if not mine:
        able = ", ".join(reading(name))
        raise UsageError(
            f"{said}, but nothing chosen reads it: {', '.join(deaf)} does not; of the laws {able} do"
        )
    if len(lacking) == len(rules):
        able = ", ".join(r for r in RULES if has(name, r))
        raise UsageError(
            f"{said}, but nothing chosen reads it: {', '.join(lacking)} has no {LACKS[name]}; of the rules "
            f"{able} have"
        )
    parts = [f"law {', '.join(deaf)} does not read it"] if deaf else []
    parts += [f"rule {', '.join(lacking)} has no {LACKS[name]}"] if lacking else []
    return f"{said}: {'; '.join(parts)}" if parts else ""
