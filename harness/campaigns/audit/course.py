"""An optimizer at work on tensors of any shape and type, with or without a shadow, step by step.

Two ways to the same place are compared in bits first. Where bits differ, the same two ways are gone again
with a shadow beside each, and must lie within the sum of both running errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from noether.campaigns.audit.subject import DTYPES, Subject, TargetError, needs_closure, running_target
from noether.optimizers.shadow import Shadow

STEPS = 8
"""Steps of a course: RAdam changes its mind in step 6."""


@contextmanager
def target(stage: str, shadow: Shadow | None = None) -> Iterator[None]:
    """A context in which code under audit runs: what it raises is a TargetError."""
    if shadow is not None:
        with running_target(stage, shadow):
            yield
        return
    try:
        yield
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise TargetError(stage, error) from error


@dataclass(frozen=True)
class Place:
    """Where one tensor is: its numbers, and how far rounding may have taken them.

    real   the tensor, a copy
    error  longdouble of its shape, None without a shadow
    """

    real: torch.Tensor
    error: np.ndarray | None = None

    def at(self, part) -> Place:
        """Some of the entries."""
        return Place(self.real[part], None if self.error is None else self.error[part])

    def laid(self, *shape: int) -> Place:
        """The same entries in another shape."""
        return Place(self.real.reshape(shape), None if self.error is None else self.error.reshape(shape))


class Course:
    """One optimizer at work.

    parameters  the tensors that it moves, in their order
    optimizer   it

    keep  take the tensors of `starts` themselves, with their strides and storage, not copies

    Raises TargetError wherever the code under audit raises.
    """

    def __init__(
        self,
        subject: Subject,
        starts: Sequence[torch.Tensor],
        *,
        shadow: bool = False,
        keep: bool = False,
        groups: Callable | None = None,
        seed: int = 0,
    ):
        """groups(parameters) makes what the optimizer is given instead of the parameters."""
        torch.manual_seed(seed)
        self.parameters = [torch.nn.Parameter(x if keep else x.clone()) for x in starts]
        self.shadow = Shadow() if shadow else None
        given = groups(self.parameters) if groups else self.parameters
        self.number = 0
        with target("it is made", self.shadow):
            self.optimizer = subject.make(given, **subject.options)
            if callable(getattr(self.optimizer, "train", None)):
                self.optimizer.train()

    @classmethod
    def going_on(cls, parameters: list[torch.Tensor], optimizer, shadow: bool = False) -> Course:
        """The course of an optimizer that is at work already."""
        course = cls.__new__(cls)
        course.parameters, course.optimizer, course.number = parameters, optimizer, 0
        course.shadow = Shadow() if shadow else None
        return course

    def step(self, gradients: Sequence[torch.Tensor | None]) -> Course:
        """One step from these gradients; None is none. It gives itself back."""

        def closure():
            for p, g in zip(self.parameters, gradients, strict=True):
                p.grad = None if g is None else g.clone()
            return torch.zeros(())

        closure()
        self.stepped(closure)
        return self

    def stepped(self, closure: Callable | None = None) -> None:
        """One step from the gradients that are there; a closure only where it is needed."""
        self.number += 1
        shadow = self.shadow
        if shadow is not None and any(p.grad is not None and p.grad.is_sparse for p in self.parameters):
            shadow.told.unknown["sparse gradients"] += 1
            shadow.forget()  # a shadow has no sparse tensors: what follows is taken as it stands
            shadow = None
        with target(f"step {self.number}", shadow):
            if closure is not None and needs_closure(self.optimizer):
                self.optimizer.step(closure)
            else:
                self.optimizer.step()

    def through(self, script: Sequence[Sequence[torch.Tensor | None]]) -> Course:
        """All steps of a script: for each the gradients of all tensors."""
        for gradients in script:
            self.step(gradients)
        return self

    def place(self, i: int = 0) -> Place:
        """Where the i-th parameter is."""
        p = self.parameters[i].detach()
        error = None
        if self.shadow is not None and not p.is_complex():
            error = self.shadow.of(p).error
        return Place(p.clone(), error)

    def places(self) -> list[Place]:
        """Where all are."""
        return [self.place(i) for i in range(len(self.parameters))]


def normal(seed, *shape: int, dtype: str = "float32") -> torch.Tensor:
    """Standard normal numbers of a seed (a number or several), in a type."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.asarray(rng.standard_normal(shape))).to(DTYPES[dtype])


def gradients(seed: int, *shape: int, steps: int = STEPS, dtype: str = "float32") -> list[torch.Tensor]:
    """Gradients of size 1 of one tensor, a step each."""
    return [normal([seed, 1, n], *shape, dtype=dtype) for n in range(steps)]


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors have the same numbers; NaN is NaN, whatever its bits."""
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a.isnan(), b.isnan()) and bool(
        ((a == b) | a.isnan()).all()
    )  # fmt: skip


def apart(a: Place, b: Place) -> float:
    """The largest distance over the sum of both running errors; 0 where numbers are the same.

    What is no number on one side only counts as infinite. Where there is no bound nothing is said.
    """
    if a.error is None or b.error is None:
        return 0.0 if same(a.real, b.real) else float("inf")
    x, y = a.real.double().numpy(), b.real.double().numpy()
    room = a.error + b.error
    with np.errstate(all="ignore"):
        equal = (x == y) | (np.isnan(x) & np.isnan(y)) | np.isinf(room)
        found = np.where(equal, 0, abs(x.astype(np.longdouble) - y) / room)
    return float(np.where(np.isnan(found), np.inf, found).max(initial=0))


@dataclass(frozen=True)
class Compared:
    """How far two ways to the same place are apart.

    spent  over the sum of both running errors; 0 where all bits are equal
    lost   why there is no bound where bits differ, None where there is one
    """

    spent: float
    lost: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether both ways led to the same place, as far as rounding allows."""
        return self.spent <= 1

    @property
    def in_bits(self) -> bool:
        """Whether both ways led to the same bits."""
        return self.spent == 0


class Beginning:
    """Makes the courses of one experiment, all with a shadow or all without one, and remembers them."""

    def __init__(self, subject: Subject, shadow: bool):
        self.subject, self.shadow = subject, shadow
        self.courses: list[Course] = []

    def __call__(
        self, starts: Sequence[torch.Tensor], *, keep=False, groups=None, seed=0, bare=False, **options
    ) -> Course:
        """A course of the subject, with these options beside its own; a bare one never has a shadow."""
        subject = self.subject.having(**options)
        shadow = self.shadow and not bare
        course = Course(subject, starts, shadow=shadow, keep=keep, groups=groups, seed=seed)
        self.courses.append(course)
        return course

    def going_on(self, parameters: list[torch.Tensor], optimizer) -> Course:
        """The course of an optimizer that is at work already, remembered too."""
        self.courses.append(Course.going_on(parameters, optimizer, self.shadow))
        return self.courses[-1]

    @property
    def lost(self) -> str | None:
        """Why running errors do not bound these courses, None where they do."""
        unknown = sorted({name for x in self.courses if x.shadow for name in x.shadow.told.unknown})
        if unknown:
            return f"operations without a meaning here: {', '.join(unknown)}"
        if any(x.shadow and x.shadow.told.left for x in self.courses):
            return "numbers leave the tensors on the way"
        return None


Experiment = Callable[[Beginning], Sequence[tuple[Place, Place]]]
"""Makes courses and gives pairs of places that must be the same."""


def compared(subject: Subject, experiment: Experiment) -> Compared:
    """How far the pairs of an experiment are apart: bits first, then with a shadow within running errors."""
    pairs = experiment(Beginning(subject, shadow=False))
    if all(same(a.real, b.real) for a, b in pairs):
        return Compared(0.0)
    beginning = Beginning(subject, shadow=True)
    spent = max(apart(a, b) for a, b in experiment(beginning))
    return Compared(spent, beginning.lost)
