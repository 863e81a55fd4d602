"""What a law is: its statement, where it applies, what it cannot see, and the faults that it must kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from noether.laws.latex import plain, sentence

NEAR = 1 + 2.0**-10
"""The factor by which a near fault is off. Kernel faults have it in harness/faults: a list of laws loads no
kernels."""


@dataclass(frozen=True, eq=False)
class WrongStatement:
    """A fault of a law's own: its statement, made wrong where it is measured.

    changed   by keyword, what is put in the place of the right thing, as a rule a factor of it; empty where
              the fault is another formula, which stands where it is measured
    """

    name: str
    changed: Mapping[str, object] = field(default_factory=dict)


def wrong(*names: str) -> tuple[WrongStatement, ...]:
    """Faults of a law's own, by name."""
    return tuple(WrongStatement(name) for name in names)


@dataclass(frozen=True, kw_only=True)
class Law:
    """One law, as `noether laws`, `noether explain`, the report and the docs tell it.

    title        what it is about, in at most 45 characters
    equation     what it states, in LaTeX, without the dollars
    adds         what the equation leaves out, in words and formulas between dollars; '' where it says
                 everything
    kind         how it is judged: rounding, order, statistical (a mean) or bitwise
    applies      the rules, cases and precisions of which it speaks
    blind        what it cannot see
    faults       what it must kill somewhere in a whole run, each with a name: wrong steps of harness/faults,
                 and wrong statements of its own
    everywhere   names of faults that it must kill in every cell that shows them
    promised     (fault, precision): names of faults that it must kill in that precision
    on_request   the option without which a run leaves the law out
    only_full    whether a quick run leaves the law out, unless it or its group is asked for by name
    """

    key: str
    title: str
    equation: str
    kind: str
    applies: str
    blind: tuple[str, ...]
    faults: tuple
    everywhere: tuple[str, ...] = ()
    promised: tuple[tuple[str, str], ...] = ()
    on_request: str = ""
    only_full: bool = False
    adds: str = ""

    @property
    def primes(self) -> str:
        """What the primes of the equation mean; '' where it has none."""
        if "'" not in self.equation:
            return ""
        two = ", two primes two steps later" if "''" in self.equation else ""
        return f"a prime means one step later{two}; it is no derivative"

    @property
    def statement(self) -> str:
        """The equation on one line of text, and what it leaves out."""
        return "; ".join(filter(None, [plain(self.equation), sentence(self.adds)]))

    @property
    def anchor(self) -> str:
        """Where the theory derives it."""
        return f"theory.md#{self.key}"

    @property
    def must_kill(self) -> tuple[str, ...]:
        """The names of its faults."""
        return tuple(fault.name for fault in self.faults)


@dataclass(frozen=True)
class Family:
    """Laws that are measured alike.

    measured   imports and returns the module that measures them, for sympy and scipy take longer to load than
               a list of laws may. It has

        cells(cases, profile, seed, backend) -> cells, as harness/laws/cell.py has them; profile is one of
            glance, quick, full and stress
        run_cell(cell) -> records
        missing() -> why what executes them is not here, or '' (where that can be)
        why_not(law, case) -> why one of its laws has no cell on a case, or '' (where it can say so)
        not_here() -> why none of its cells can be planned here, or '' (where that can be)
    group      the word by which `noether verify` asks for these laws alone, where they are about no case; ''
               where cases lead to them
    """

    laws: tuple[Law, ...]
    measured: Callable[[], ModuleType]
    group: str = ""
