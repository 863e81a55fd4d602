"""How far rounding takes the gradient of a network, from float64 alone: every operation's result is shaken.

The float64 twin is run a few times with a random relative error in every result, as large as a rounding of
the narrower type may make it, forwards and backwards (Monte Carlo arithmetic, Parker 1997). What comes out
scatters as a gradient of that type does, whatever code computed it: the type's own gradient is never asked
how wrong it is.

    y -> y + u r (|y| + sqrt(n) rms(y)),     r uniform in (-1, 1)                                          (1)

n is how many products one number of y adds up, 0 where it adds up none: a sum in order of n terms of random
sign errs by sqrt(n) u in units of its own typical size, and a sum by blocks by less.

Operations that only move, choose or change signs do not round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from noether.networks.twin import WIDE, Call, gradients_of, twin
from noether.optimizers.meaning import COPIES, JOINED, MOVED, aliases, bound

EXACT = COPIES | JOINED | MOVED | {
    "relu", "neg", "abs", "sign", "threshold_backward", "max_pool2d_with_indices", "bernoulli", "zeros",
    "zeros_like", "ones", "ones_like", "full", "full_like", "empty", "empty_like", "new_zeros", "new_empty",
    "fill", "zero", "where", "masked_fill", "constant_pad_nd", "_unsafe_view", "max", "min", "amax", "amin",
    "embedding", "rand", "randn", "rand_like", "randn_like", "normal", "uniform", "maximum", "minimum",
    "clamp", "clamp_min", "slice_backward", "select_backward", "new_ones", "new_full", "empty_strided",
    "scalar_tensor", "arange", "lift_fresh", "_local_scalar_dense", "max_pool2d_with_indices_backward",
}  # fmt: skip
SAMPLES = 2


class Shaken(TorchDispatchMode):
    """The mode: (1) of every result in float64.

    unit       u of the type whose rounding is meant
    generator  of r; nothing is drawn from torch's own
    """

    def __init__(self, unit: float, generator: torch.Generator):
        super().__init__()
        self.unit, self.generator = unit, generator

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = function(*args, **kwargs)
        name = function._schema.name.split("::")[1]
        if name.rstrip("_") in EXACT:
            return out
        given = bound(function, args, kwargs)
        for i, y in enumerate(out if isinstance(out, (list, tuple)) else (out,)):
            if isinstance(y, torch.Tensor) and y.dtype == WIDE and y.numel():
                if not aliases(function, y, given):
                    self.shake(y, terms(name.rstrip("_"), given, y, i))
        return out

    def shake(self, y: torch.Tensor, n: float) -> None:
        """(1), in place."""
        r = torch.rand(y.shape, generator=self.generator, dtype=WIDE).mul_(2).sub_(1)
        size = y.abs() + (n**0.5 * float(y.square().mean().sqrt()) if n else 0.0)
        y.add_(r * size, alpha=self.unit)


def terms(name: str, given: dict, y: torch.Tensor, i: int) -> float:
    """n of (1): how many products one number of a result adds up."""
    if name in ("mm", "bmm", "addmm", "baddbmm"):
        first = given.get("mat1", given.get("batch1", given["self"]))
        return first.shape[-1]
    if name == "convolution":
        return prod(given["weight"].shape[1:])
    if name == "convolution_backward":
        weight, slopes = given["weight"], given["grad_output"]
        return weight.numel() / weight.shape[1] if i == 0 else slopes.numel() / slopes.shape[1]
    sizes = [x.numel() for x in given.values() if isinstance(x, torch.Tensor)]
    if "norm" in name or "softmax" in name or "attention" in name:
        return max(sizes, default=1) / max(1, min(x for x in sizes if x))
    return max(sizes, default=0) / y.numel() if max(sizes, default=0) > y.numel() else 0


@dataclass(frozen=True)
class Scatter:
    """How far rounding takes the gradient, by parameter.

    sd      a standard deviation of each number: the root of the mean square of SAMPLES runs, and at least
            that of the whole parameter, since a few runs may come near by chance
    errors  of each run, what it was off
    """

    sd: dict[str, torch.Tensor]
    errors: list[dict[str, torch.Tensor]]


def scatter(model: torch.nn.Module, calls: Sequence[Call], unit: float, wide: dict, seed: int = 0) -> Scatter:
    """What rounding does to the gradient of these calls. Raises NoTwin.

    unit   u of the type whose rounding is meant, 2^-24 of float32
    wide   the gradient in float64 without errors, as twin.wide_gradients gives it
    """
    copied = twin(model)
    buffers = {name: x.clone() for name, x in copied.named_buffers()}
    errors = []
    for k in range(SAMPLES):
        for name, x in copied.named_buffers():
            x.copy_(buffers[name])
        with Shaken(unit, torch.Generator().manual_seed(seed * SAMPLES + k)):
            found = gradients_of(copied, calls)
        errors.append({name: x - wide[name] for name, x in found.items()})
    return Scatter({name: deviation([e[name] for e in errors]) for name in wide}, errors)


def deviation(errors: list[torch.Tensor]) -> torch.Tensor:
    """The root of the mean square, at least that of all numbers together."""
    squares = torch.stack(errors).square().mean(dim=0)
    return torch.clamp(squares, min=float(squares.mean()) if squares.numel() else 0.0).sqrt()
