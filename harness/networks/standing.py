"""Parameters as they stand before a step, and their tensors as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from noether.networks.step_rule import Definition
from noether.optimizers.meaning import kind_of
from noether.optimizers.running import TINY, UNITS, Running
from noether.optimizers.shadow import Shadow


@dataclass(frozen=True, eq=False)
class Before:
    """One parameter before a step: what stands there, and the rule, or why it is not known.

    group  the optimizer's options for it
    at     the places of the numbers that are followed, counted as in reshape(-1); None where all are
    scale  what a fused step divides its gradient by
    """

    name: str
    parameter: torch.Tensor
    q: torch.Tensor
    gradient: torch.Tensor | None
    state: dict[str, torch.Tensor]
    rule: Definition | str
    group: dict
    at: torch.Tensor | None = None
    scale: float = 1.0

    @property
    def known(self) -> Definition | None:
        """The rule, None where it is not known."""
        return None if isinstance(self.rule, str) else self.rule


def parameters_of(optimizer) -> Iterator[torch.Tensor]:
    """The parameters of all groups."""
    return (p for group in optimizer.param_groups for p in group["params"])


def unseen(p: torch.Tensor) -> str | None:
    """Why nothing can be said of a parameter, None where something can."""
    if p.is_complex():
        return "it is complex"
    if p.device.type != "cpu":
        return f"it is on {p.device}: a shadow reads what is on the CPU"
    if p.layout != torch.strided or kind_of(p) not in UNITS:
        return f"it is a {kind_of(p)} tensor of layout {p.layout}"
    if p.grad is not None and p.grad.layout != torch.strided:
        return "its gradient is sparse"
    return None


def flushes() -> bool:
    """Whether subnormal numbers become 0 here (torch.set_flush_denormal), which is no rounding to nearest."""
    return not bool(torch.tensor([2.0**-140]) * 1.0)


def picked(x: torch.Tensor, p: torch.Tensor, at: torch.Tensor | None) -> torch.Tensor:
    """A copy of a tensor of a parameter, flat, of the numbers that are followed where it has as many."""
    x = x.detach()
    return x.clone() if at is None or x.numel() != p.numel() else x.reshape(-1)[at]


def looked_at(shadow: Shadow, x: torch.Tensor, numbers: torch.Tensor) -> tuple[np.ndarray, Running, Running]:
    """A tensor's numbers, what they mean with the rounding that ran, and with that of wide numbers alone."""
    both = (y.of(x.detach()) for y in (shadow, *shadow.beside))
    return flat(numbers), *(Running(y.value.reshape(-1), y.error.reshape(-1)) for y in both)


def flat(x: torch.Tensor) -> np.ndarray:
    """(d,) float64, of its own."""
    return x.detach().double().reshape(-1).numpy().copy()


def as_before(x: Before, gradient: torch.Tensor, optimizer) -> bool:
    """Whether a gradient is what it was, or what torch's SGD makes of it where it looks ahead by foreach
    operations: it adds the momentum to the gradient in place (torch 2.13)."""
    if same_bits(gradient, x.gradient):
        return True
    rule, buffer = x.known, optimizer.state.get(x.parameter, {}).get("momentum_buffer")
    if buffer is None or rule is None or not (rule.own and rule.anatomy.features["ahead"] == "nesterov"):
        return False
    g = -flat(x.gradient) if rule.anatomy.features["direction"] == "ascent" else flat(x.gradient)
    added = rule.anatomy.values["beta"] * flat(picked(buffer, x.parameter, x.at))
    kind = kind_of(gradient)
    bound = 4 * (UNITS[kind] * (abs(g) + abs(added)) + TINY[kind])  # of the product, the factor and the sum
    with np.errstate(all="ignore"):
        return bool((~(abs(flat(gradient) - (g + added)) > bound)).all())


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors have the same numbers, no number being one too."""
    a, b = a.detach(), b.detach()
    return a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | (a.isnan() & b.isnan())).all())
