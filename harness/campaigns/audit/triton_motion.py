"""The motion of a user's Triton kernel under scripted gradients, as the parts of an audit take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from noether.campaigns.audit.finding import Finding
from noether.campaigns.audit.observed import Observed
from noether.campaigns.audit.scripted import Script
from noether.campaigns.audit.subject import Motion, TargetError, slack_of, spent_of
from noether.campaigns.audit.triton_adapter import TritonAdapter
from noether.campaigns.audit.triton_part import launches
from noether.campaigns.audit.triton_target import TritonTarget
from noether.kernels.programs.precision import PRECISIONS, representable
from noether.kernels.ptx import Endless, OutOfBounds, Refused
from noether.optimizers.running import WIDE, Running
from noether.optimizers.shadow import Told
from noether.system.usage import CannotRun, UsageError


@dataclass(frozen=True)
class TritonSubject:
    """A kernel that is audited, where an optimizer is a Subject.

    adapter     which argument is what
    word        how it was named; the name of the kernel where left out
    misaligned  whether its arrays begin at odd elements
    """

    adapter: TritonAdapter
    word: str = ""
    misaligned: bool = False

    def __post_init__(self):
        object.__setattr__(self, "word", self.word or self.adapter.name)

    @property
    def options(self) -> dict[str, float]:
        """The numbers that it is given in every step."""
        return dict(self.adapter.numbers)

    def having(self, **options) -> TritonSubject:
        """The same with other numbers. Raises UsageError."""
        return replace(self, adapter=self.adapter.having(**options))

    def launches(self, seed: int) -> Iterator[Finding]:
        """What is found of the launches of the kernel."""
        return launches(self.adapter, seed)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of parameters that the kernel is written for, the widest first."""
        return tuple(kind for kind in PRECISIONS if kind in self.adapter.types)

    @property
    def widest(self) -> str:
        """The widest of them."""
        return self.types[0]

    def observed(self, script: Script, dtype: str) -> Motion:
        """The kernel under a script, its parameters in a type.

        Raises TargetError where it is not written for that type, or cannot be evaluated.
        """
        if dtype not in self.adapter.types:
            taken = ", ".join(self.adapter.types)
            raise TargetError("it is compiled", UsageError(f"its adapter says that it is for {taken}"))
        try:
            return observed(self.adapter, script, dtype, self.misaligned)
        except (CannotRun, UsageError, TypeError, Refused, OutOfBounds, Endless) as error:
            raise TargetError("it is evaluated on this CPU", error) from error


def observed(adapter: TritonAdapter, script: Script, dtype: str, misaligned: bool = False) -> Motion:
    """A kernel under a script, in a type: the twin of noether.campaigns.audit.subject.observed.

    Raises CannotRun where an instruction is not understood, and what TritonTarget raises.
    """
    start = np.ravel(script.q0)
    about = dict(kind=dtype, misaligned=misaligned)
    whole = TritonTarget(adapter, start, **about)
    single = TritonTarget(adapter, start, **about, fresh=True, meaning=False)
    begin = whole.parameters()[0].astype(WIDE)
    real, values, errors, spent, slack, given = [], [], [], [], [], []
    for g in script.gradients:
        whole.step(np.ravel(g))
        single.step(np.ravel(g))
        now, value, _ = whole.parameters()
        real.append(now)
        values.append(value)
        errors.append(whole.meaning_error())
        stored, meant, error = single.parameters()
        spent.append(spent_of(stored, Running(meant, error)))
        slack.append(slack_of(Running(meant, error), dtype))
        given.append(representable(np.ravel(g), adapter.kind_of(adapter.gradient, dtype)).astype(WIDE))
    seen = Observed(begin, np.array(given), np.array(values), np.array(errors), script.q0.shape)
    states = {name: adapter.kind_of(name, dtype) for name in adapter.state}
    told = Told(kinds=Counter(list(whole.kinds)))
    if unknown := [*whole.unknown, *single.unknown]:
        raise CannotRun(f"not decided: {unknown[0]}")
    at = int(np.argmax(spent))
    return Motion(seen, np.array(real), spent[at], at + 1, told, states, float(np.median(slack)))
