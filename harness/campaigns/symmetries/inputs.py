"""Inputs as the command line describes them, drawn at random.

16x1x8x8   float32 of this shape, standard normal
16x7:100   whole numbers of this shape, 0 to 99
"""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass

import torch
from torch import nn

from noether.system.usage import UsageError, brief

FORM = re.compile(r"(\d+(?:x\d+)*)(?::(\d+))?")
MOST = 2**26
"""Numbers of an input: 256 MB of float32."""


@dataclass(frozen=True)
class Wanted:
    """One input: its shape, and below which number its whole numbers are; None for float32."""

    shape: tuple[int, ...]
    below: int | None = None

    def drawn(self, generator: torch.Generator) -> torch.Tensor:
        """Standard normal numbers, or whole ones."""
        if self.below is None:
            return torch.randn(self.shape, generator=generator)
        return torch.randint(self.below, self.shape, generator=generator)

    def __str__(self) -> str:
        return "x".join(map(str, self.shape)) + ("" if self.below is None else f":{self.below}")


def wanted(words: list[str]) -> tuple[Wanted, ...]:
    """The inputs that words of the command line describe. Raises UsageError."""
    found = []
    for word in words:
        read = FORM.fullmatch(word)
        shape = tuple(map(int, read[1].split("x"))) if read else ()
        if not read or 0 in shape or read[2] in ("0",):
            raise UsageError(
                f"--input is {brief(word)}, must be a shape as 16x1x8x8, or 16x7:100 for whole numbers "
                "below 100"
            )
        if math.prod(shape) > MOST:
            raise UsageError(f"--input is {brief(word)}, must have at most {MOST} numbers")
        found.append(Wanted(shape, None if read[2] is None else int(read[2])))
    return tuple(found)


def told(args, kwargs) -> str:
    """What a module was given, in words: types and shapes."""
    named = [said(x) for x in args] + [f"{name}={said(x)}" for name, x in kwargs.items()]
    return ", ".join(named) or "nothing"


def said(x) -> str:
    """A tensor by its type and shape; other things by their type."""
    if isinstance(x, torch.Tensor):
        return f"{str(x.dtype).removeprefix('torch.')}[{', '.join(map(str, x.shape))}]"
    return type(x).__name__


def missing(model: nn.Module, word: str) -> UsageError:
    """The error where a module needs inputs and none were given: what its forward() takes, and a shape that
    its first layer would read."""
    try:
        names = ", ".join(
            name if p.default is p.empty else f"{name}={brief(p.default, 20)}"
            for name, p in inspect.signature(model.forward).parameters.items()
        )
    except (TypeError, ValueError):  # of a forward() without a signature
        names = "..."
    return UsageError(
        f"{word} takes inputs, forward({names}): must be given --input for each, as --input {likely(model)}, "
        "or be a function that gives (module, inputs)"
    )


def likely(model: nn.Module) -> str:
    """A shape that the first layer of a known kind reads."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.LazyLinear) and module.in_features:
            return f"16x{module.in_features}"
        if isinstance(module, nn.Embedding):
            return f"16x7:{module.num_embeddings}"
        for kind, sides in ((nn.Conv1d, "x16"), (nn.Conv2d, "x8x8"), (nn.Conv3d, "x8x8x8")):
            if isinstance(module, kind) and module.in_channels:
                return f"16x{module.in_channels}{sides}"
        if isinstance(module, nn.RNNBase):
            return f"16x7x{module.input_size}"
    return "16x3x8x8"
