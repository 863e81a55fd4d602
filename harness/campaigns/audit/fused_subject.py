"""Our own fused optimizers under audit: their kernel, from its PTX, as a user's kernel is.

A step of theirs is one launch, which no tensor operation shows. What the launch is given is made here as the
optimizer itself makes it: the rule of its group, the numbers of the step, the stream of random roundings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from noether.campaigns.audit.finding import Finding
from noether.campaigns.audit.scripted import Script
from noether.campaigns.audit.subject import Motion
from noether.campaigns.audit.triton_adapter import TritonAdapter, triton_adapter
from noether.campaigns.audit.triton_motion import TritonSubject
from noether.campaigns.audit.triton_part import launches
from noether.kernels.fused.elementwise import elementwise
from noether.kernels.fused.launch import options as constexprs
from noether.kernels.fused.launch import precision_of
from noether.kernels.fused.torch_checks import KINDS
from noether.kernels.fused.torch_optimizer import numbers_of
from noether.kernels.programs.precision import BUFFER
from noether.system.usage import UsageError

POINTERS = ("first_ptr", "second_ptr")
BLOCK = 128


@dataclass(frozen=True)
class FusedSubject(TritonSubject):
    """One of our optimizers.

    optimizer  the class;  given  the options that it is made with
    """

    optimizer: type | None = None
    given: dict = field(default_factory=dict)

    @classmethod
    def of(cls, optimizer: type, given: dict, word: str = "") -> FusedSubject:
        """The subject of a class with options. Raises UsageError where it cannot be made with them."""
        return cls(
            adapted(optimizer, given, types(given)[0]), word or optimizer.__name__, False, optimizer, given
        )

    @property
    def options(self) -> dict:
        """What it is made with, its own defaults included."""
        return made(self.optimizer, self.given, types(self.given)[0]).defaults | self.given

    def having(self, **options) -> FusedSubject:
        """The same with other options. Raises UsageError."""
        return self.of(self.optimizer, {**self.given, **options}, self.word)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of parameters that it takes, the widest first."""
        return types(self.given)

    def alone(self, kind: str) -> TritonSubject:
        """The kernel of parameters of one type."""
        return TritonSubject(adapted(self.optimizer, self.given, kind), self.word, self.misaligned)

    def observed(self, script: Script, dtype: str) -> Motion:
        """The kernel under a script. Raises TargetError."""
        return (self.alone(dtype) if dtype in types(self.given) else super()).observed(script, dtype)

    def launches(self, seed: int) -> Iterator[Finding]:
        """What is found of the launches of each of its kernels."""
        for kind in types(self.given):
            yield from launches(self.alone(kind).adapter, seed)


def types(given: dict) -> tuple[str, ...]:
    """The types of parameters that it takes: rounding at random is to bfloat16 alone."""
    return ("bfloat16",) if given.get("stochastic") else tuple(KINDS.values())


def made(optimizer: type, given: dict, kind: str):
    """An optimizer of one parameter. Raises UsageError where it refuses its options."""
    one = torch.nn.Parameter(torch.zeros(1, dtype=getattr(torch, kind)))
    try:
        return optimizer([one], **given)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{optimizer.__name__} cannot be made with {given}: {error}") from None


def adapted(optimizer: type, given: dict, kind: str) -> TritonAdapter:
    """The adapter of the kernel that steps parameters of a type. Raises UsageError."""
    mine = made(optimizer, given, kind)
    (group,), precision = mine.param_groups, precision_of(kind)
    rule, kept = mine.stepped(group), mine.keeps(group)
    state = POINTERS[: len(rule.buffers)] if kept else ()
    unread = lambda step, numbers: np.zeros(1, BUFFER[precision.v_store])
    still = np.zeros(4, np.int32)
    sent = {name: unread for name in POINTERS if name not in state}
    # A buffer that is not kept always begins, as the optimizer has it.
    sent["numbers_ptr"] = lambda step, numbers: numbers_of(rule, mine.own(group), step if kept else 1)
    sent["stream_ptr"] = lambda step, numbers: still if mine.stream(step, 0) is None else mine.stream(step, 0)
    return triton_adapter(
        elementwise,
        parameters="q_ptr",
        gradient="g_ptr",
        state=dict.fromkeys(state, 0.0),
        kinds=dict.fromkeys(state, precision.v_store),
        count="n",
        tensors=sent,
        constexpr=constexprs(rule, precision, kept, group["maximize"], mine.stochastic, BLOCK),
        enable_fp_fusion=False,
        raw_bfloat16=True,
        types=(kind,),
    )
