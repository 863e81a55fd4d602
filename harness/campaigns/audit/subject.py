"""The optimizer under audit: how it is made, and one of it at work under scripted gradients and a shadow."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from noether.campaigns.audit.observed import Observed
from noether.campaigns.audit.scripted import Script
from noether.optimizers.leaving import UNSEEN, Leaving
from noether.optimizers.running import TINY, UNITS, WIDE, Running
from noether.optimizers.shadow import Shadow, Told
from noether.optimizers.spent import spent_each

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16,
          "float16": torch.float16}  # fmt: skip


MADE = "it is made"
"""The stage in which an optimizer is made."""


class TargetError(Exception):
    """What the code under audit raised, and while it did what."""

    def __init__(self, stage: str, error: BaseException):
        try:
            lines = str(error).splitlines() or [""]
        except Exception:  # of an exception of somebody's own
            lines = ["it cannot be told"]
        super().__init__(f"{stage}: {type(error).__name__}: {lines[0][:200]}".rstrip(": "))
        self.stage, self.error = stage, error


@contextmanager
def running_target(stage: str, shadow: Shadow) -> Iterator[None]:
    """A context in which code under audit runs beside a shadow: what it raises is a TargetError, what the
    shadow raises is none."""
    try:
        with shadow:
            yield
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        if shadow.failure is not None:
            raise RuntimeError(f"the shadow failed while {stage}") from shadow.failure
        raise TargetError(stage, error) from error


@dataclass(frozen=True)
class Subject:
    """What is audited.

    word      how it was named
    make      make(parameters, **options) -> something with .step(), as torch.optim.Optimizer has it
    options   what it is made with
    """

    word: str
    make: Callable
    options: dict = field(default_factory=dict)

    def having(self, **options) -> Subject:
        """The same with other options."""
        return replace(self, options={**self.options, **options})


class Trial:
    """One optimizer at work on tensors of its own, with a shadow beside it.

    fresh   take tensors as they stand before each step, so that errors are those of one step
    rounds  whether errors are those of the real numbers, or of the shadow's own alone
    """

    def __init__(self, subject: Subject, starts: Sequence[np.ndarray], dtype: str, fresh=False, rounds=True):
        torch.manual_seed(0)
        kind = DTYPES[dtype]
        self.parameters = [torch.nn.Parameter(torch.tensor(np.asarray(q)).to(kind)) for q in starts]
        self.shadow, self.fresh = Shadow(rounds), fresh
        self.number = 0
        with running_target(MADE, self.shadow):
            self.optimizer = subject.make(self.parameters, **subject.options)
        if callable(getattr(self.optimizer, "train", None)):
            self.optimizer.train()
        self.closure = needs_closure(self.optimizer)

    def step(self, gradients: Sequence[np.ndarray | None]) -> None:
        """One step from these gradients, each rounded to the parameter's type first; None is none."""
        given = [None if g is None else torch.tensor(np.asarray(g)) for g in gradients]
        given = [g if g is None else g.to(p.dtype) for g, p in zip(given, self.parameters, strict=True)]

        def closure():
            for p, g in zip(self.parameters, given, strict=True):
                p.grad = None if g is None else g.clone()
            return torch.zeros(())

        closure()
        if self.fresh:
            self.shadow.forget()
        self.number += 1
        before = [p.detach().clone() for p in self.parameters]
        self.shadow.written.clear()
        with running_target(f"step {self.number}", self.shadow), Leaving(self.shadow.told.outside):
            self.optimizer.step(closure) if self.closure else self.optimizer.step()
        for p, old in zip(self.parameters, before, strict=True):
            if p.untyped_storage()._cdata not in self.shadow.written and not torch.equal(p.detach(), old):
                self.shadow.told.outside[UNSEEN] += 1

    def real(self, i: int = 0) -> np.ndarray:
        """The i-th parameter as it stands, flat float64."""
        return self.parameters[i].detach().double().numpy().ravel().copy()

    def meant(self, i: int = 0) -> Running:
        """What it means without rounding, flat."""
        found = self.shadow.of(self.parameters[i].data)
        return Running(found.value.ravel(), found.error.ravel())

    def states(self, i: int = 0) -> dict[str, torch.Tensor]:
        """The tensors that the optimizer keeps of the i-th parameter."""
        kept = getattr(self.optimizer, "state", {})
        state = kept.get(self.parameters[i], {}) if hasattr(kept, "get") else {}
        state = state if isinstance(state, dict) else {}
        return {str(name): x for name, x in state.items() if isinstance(x, torch.Tensor)}


def needs_closure(optimizer) -> bool:
    """Whether step() must be given a closure."""
    try:
        parameters = list(inspect.signature(optimizer.step).parameters.values())
    except (TypeError, ValueError):
        return False
    return bool(parameters) and parameters[0].default is inspect.Parameter.empty and (
        parameters[0].kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    )  # fmt: skip


@dataclass(frozen=True)
class Motion:
    """What a subject did under a script.

    seen      the motion without rounding, from the start on
    real      (steps, d) float64, the parameters as they stood
    spent     the largest |real - meaning| / error of single steps; NaN counts as infinite
    step      the first step beyond its bound, from 1; where there is none, the one that comes nearest to it
    told      operations without a meaning, numbers that left the tensors, types of results
    states    name -> type of what is kept beside the parameters
    slack     the bound of a single step in units of one rounding of its result, in the median: a bound of
              thousands says little
    example   the number that is farthest off in that step: its place, and what it is, means and may be off
    unbound   the largest share of a step's numbers of which nothing can be said, as over an eps that vanishes
    """

    seen: Observed
    real: np.ndarray
    spent: float
    step: int
    told: Told
    states: dict[str, str]
    slack: float = 1.0
    example: tuple[int, float, float, float] | None = None
    unbound: float = 0.0


def observed(subject: Subject, script: Script, dtype: str) -> Motion:
    """A subject under a script, in a type; a kernel observes itself."""
    if not isinstance(subject, Subject):
        return subject.observed(script, dtype)
    whole = Trial(subject, [script.q0], dtype, rounds=False)
    single = Trial(subject, [script.q0], dtype, fresh=True)
    start = whole.real().astype(WIDE)
    real, values, errors, spent, slack, given, examples, unbound = [], [], [], [], [], [], [], []
    for g in script.gradients:
        whole.step([g])
        single.step([g])
        real.append(whole.real())
        meant = whole.meant()
        values.append(meant.value)
        errors.append(meant.error)
        alone = single.meant()
        each = spent_each(single.real(), alone)
        spent.append(float(each.max(initial=0)))
        lane = int(np.argmax(each)) if each.size else 0
        examples.append((lane, *(float(x[lane]) for x in (single.real(), alone.value, alone.error))))
        slack.append(slack_of(alone, dtype))
        unbound.append(float((~np.isfinite(alone.error)).mean()))
        given.append(torch.tensor(g).to(DTYPES[dtype]).double().numpy().ravel().astype(WIDE))
    seen = Observed(start, np.array(given), np.array(values), np.array(errors), script.q0.shape)
    # A number of the whole tensor, as a count of steps, may have a type of its own.
    wide = {name: x for name, x in whole.states().items() if x.numel() > 1}
    states = {name: str(x.dtype).removeprefix("torch.") for name, x in wide.items()}
    beyond = np.array(spent) > 1
    at = int(np.argmax(beyond if beyond.any() else spent))
    told = single.shadow.told
    slack = float(np.median(slack))
    more = dict(slack=slack, example=examples[at], unbound=max(unbound))
    return Motion(seen, np.array(real), max(spent), at + 1, told, states, **more)


def slack_of(meant: Running, dtype: str) -> float:
    """The bound in units of one rounding of the result, in the median."""
    one = WIDE(UNITS[dtype]) * abs(meant.value) + WIDE(TINY[dtype])
    return float(np.median(meant.error / one))


def spent_of(real: np.ndarray, meant: Running) -> float:
    """The largest of spent_each."""
    return float(spent_each(real, meant).max(initial=0))
