"""What a subject takes: tensors of which shape, gradients dense or sparse, and which arguments."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import torch

from noether.campaigns.audit.course import Course, gradients, normal
from noether.campaigns.audit.subject import Subject, TargetError
from noether.optimizers.claims import like_of

SHAPES = ((16,), (4, 6))
FIRST = ("params", "parameters", "params_or_groups", "model_params", "self")


@dataclass(frozen=True)
class Ground:
    """Where a subject can be tried.

    shape     of a tensor that it moves
    sparse    whether it wants sparse gradients
    given     the arguments that it is made with, its own defaults included
    accepts   name -> annotation of all arguments that can be given by name
    """

    subject: Subject
    shape: tuple[int, ...]
    sparse: bool
    given: dict
    accepts: dict[str, object]

    @property
    def like(self) -> str | None:
        """The rule that its name says, None where it says none."""
        return like_of(self.subject.word)

    @property
    def plain(self) -> bool:
        """Whether it takes tensors of one axis and dense gradients."""
        return len(self.shape) == 1 and not self.sparse

    @property
    def why(self) -> str:
        """What it does not take."""
        return "it takes sparse gradients only" if self.sparse else "it takes no tensors of one axis"

    def start(self, seed: int = 0, *shape: int, dtype: str = "float32") -> torch.Tensor:
        """Where a tensor starts, of the ground's own shape by default."""
        return normal([seed, 0], *(shape or self.shape), dtype=dtype)

    def pulls(self, seed: int = 0, *shape: int, steps: int = 8, dtype: str = "float32") -> list[torch.Tensor]:
        """The gradients of one tensor, a step each."""
        found = gradients(seed, *(shape or self.shape), steps=steps, dtype=dtype)
        return [sparse(g) for g in found] if self.sparse else found


def sparse(g: torch.Tensor) -> torch.Tensor:
    """The same numbers as a sparse tensor that names every place, zeros too."""
    at = torch.ones(g.shape).nonzero().t()
    return torch.sparse_coo_tensor(at, g.reshape(-1), g.shape).coalesce()


def ground(subject: Subject) -> Ground:
    """The first ground on which the subject takes two steps. Raises TargetError, that of the first ground."""
    refused = None
    for is_sparse in (False, True):
        for shape in SHAPES:
            tried = Ground(subject, shape, is_sparse, {}, {})
            try:
                course = Course(subject, [tried.start()]).through([[g] for g in tried.pulls(steps=2)])
            except TargetError as error:
                refused = refused or error
                continue
            given, accepts = arguments(subject, course.optimizer)
            return Ground(subject, shape, is_sparse, given, accepts)
    raise refused


def arguments(subject: Subject, optimizer) -> tuple[dict, dict]:
    """What an optimizer is made with, and the annotations of all arguments that have names."""
    defaults = getattr(optimizer, "defaults", None)
    given, accepts, open_ended = {}, {}, False
    try:
        signature = inspect.signature(subject.make, eval_str=True).parameters.values()
    except (TypeError, ValueError, NameError):
        try:
            signature = inspect.signature(subject.make).parameters.values()
        except (TypeError, ValueError):
            signature = ()
    for place, x in enumerate(signature):
        if x.kind is inspect.Parameter.VAR_KEYWORD:
            open_ended = True
        elif x.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            continue
        elif place > 0 and x.name not in FIRST:
            accepts[x.name] = x.annotation
            given[x.name] = None if x.default is inspect.Parameter.empty else x.default
    if isinstance(defaults, dict):
        for name, x in defaults.items():
            if isinstance(name, str) and (name in accepts or open_ended):
                accepts.setdefault(name, inspect.Parameter.empty)
                given[name] = x
    return {**given, **subject.options}, {**accepts, **dict.fromkeys(set(subject.options) - set(accepts))}
