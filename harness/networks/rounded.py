"""How far rounding takes the gradient of a network, from float64 alone: every operation's result is shaken.

The float64 twin is run a few times with a random relative error in every result, as large as a rounding of
the narrower type may make it, forwards and backwards (Monte Carlo arithmetic, Parker 1997). What comes out
scatters as a gradient of that type does, whatever code computed it: the type's own gradient is never asked
how wrong it is.

    y -> y + u r (|y| + sqrt(n) (S + |y|)),    r uniform in (-1, 1),    S^2 = sum of t^2               (1)

where y is a sum of n products t, and n = 0 where it is none. A sum in order errs by u sqrt(n/2) times the
size that its partial sums come to: S where the signs of terms are random, |y| where they are alike; a sum by
blocks errs by less. S counts beside |y|, for terms that cancel leave their rounding behind, as in the slope
in a bias on which nothing depends.

Operations that only move, choose or change signs do not round. One that does several steps in one may make an
error that is the same for many of its results, as the sum in p (g - sum p g) of a softmax going backwards:
normalisations, softmax and attention are taken apart into their steps, and of others what they are given is
shaken too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from noether.networks.eps import with_eps
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
APART = ("_softmax", "_log_softmax", "_safe_softmax", "_softmax_backward_data", "_log_softmax_backward_data")
"""Operations that are done step by step."""
SEVERAL = ("norm", "softmax", "attention", "gelu", "silu", "mish", "var", "std", "loss", "logsumexp")
"""Parts of the names of operations that do several steps in one."""
SUMS = ("mm", "bmm", "addmm", "baddbmm", "convolution", "convolution_backward", "sum", "mean", "var")
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
        name = function._schema.name.split("::")[1]
        if name.rstrip("_") in EXACT:
            return function(*args, **kwargs)
        if name in APART:
            return self.softmax(bound(function, args, kwargs), name)
        if any(part in name for part in SEVERAL) and not function._schema.is_mutable:
            args = tuple(self.shaken(x) for x in args)
        out = function(*args, **kwargs)
        given = bound(function, args, kwargs)
        results = out if isinstance(out, (list, tuple)) else (out,)
        sizes = self.sizes(function, name.rstrip("_"), given, args, kwargs, len(results))
        for i, (y, S) in enumerate(zip(results, sizes, strict=True)):
            if isinstance(y, torch.Tensor) and y.dtype == WIDE and y.numel():
                if not aliases(function, y, given):
                    n = 0.0 if S is None else terms(name.rstrip("_"), given, y, i)
                    self.shake(y, None if S is None else (S + y.abs()) * n**0.5)
        return out

    def softmax(self, given: dict, name: str) -> torch.Tensor:
        """A softmax or its logarithm in its steps, and p (g - sum p g) or g - p sum g of its way back."""
        dim, is_log = given["dim"], "log" in name
        if "backward" not in name:
            x = given["self"]
            powers = self.shaken((x - x.amax(dim, keepdim=True)).exp())
            total = self.total(powers, dim)
            if not is_log:
                return self.shaken(torch.nan_to_num(powers / total) if "safe" in name else powers / total)
            return self.shaken(x - x.amax(dim, keepdim=True) - self.shaken(total.log()))
        g, p = given["grad_output"], given["output"]
        p = self.shaken(p.exp()) if is_log else p
        products = g if is_log else self.shaken(p * g)
        return self.shaken(products - self.shaken(p * self.total(products, dim)))

    def total(self, terms: torch.Tensor, dim: int) -> torch.Tensor:
        """A sum over one axis, which is kept."""
        found = terms.sum(dim, keepdim=True)
        S = terms.square().sum(dim, keepdim=True).sqrt()
        self.shake(found, (S + found.abs()) * terms.shape[dim] ** 0.5)
        return found

    def sizes(self, function, name: str, given: dict, args, kwargs, many: int) -> list:
        """S of (1) for each result, in its shape; None where it is no sum of products."""
        if name not in SUMS or function._schema.is_mutable:
            return [None] * many
        square = lambda x: x.square() if isinstance(x, torch.Tensor) and x.dtype == WIDE else x
        if name == "var":  # a mean of squares, whose terms are all of one sign: |y| counts alone
            return [0.0]
        found = function(*map(square, args), **kwargs)
        found = found if isinstance(found, (list, tuple)) else (found,)
        found = [x.abs().sqrt() if isinstance(x, torch.Tensor) else None for x in found]
        if name == "mean":  # of squares it is n times S^2
            found[0] /= terms(name, given, found[0], 0) ** 0.5
        return found

    def shaken(self, x):
        """A tensor of float64 with an error of one rounding in every number, anything else as it is."""
        if not isinstance(x, torch.Tensor) or x.dtype != WIDE:
            return x
        found = x.clone()
        self.shake(found, None)
        return found

    def shake(self, y: torch.Tensor, more: torch.Tensor | None) -> None:
        """(1), in place; `more` is what a sum has more than one rounding."""
        r = torch.rand(y.shape, generator=self.generator, dtype=WIDE).mul_(2).sub_(1)
        y.add_(r * (y.abs() if more is None else y.abs() + more), alpha=self.unit)


def terms(name: str, given: dict, y: torch.Tensor, i: int) -> float:
    """n of (1) for the i-th result."""
    if name in ("mm", "bmm", "addmm", "baddbmm"):
        return given.get("mat1", given.get("batch1", given["self"])).shape[-1]
    if name == "convolution":
        return prod(given["weight"].shape[1:])
    if name == "convolution_backward":
        weight, slopes = given["weight"], given["grad_output"]
        return weight.numel() / weight.shape[1] if i == 0 else slopes.numel() / slopes.shape[1]
    return given["self"].numel() / y.numel()


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
    for module in copied.modules():
        if (own := with_eps(module)) is not None:
            module.forward = own(module, [])
    buffers = {name: x.clone() for name, x in copied.named_buffers()}
    errors = []
    for k in range(SAMPLES):
        for name, x in copied.named_buffers():
            x.copy_(buffers[name])
        with Shaken(unit, torch.Generator().manual_seed(seed * SAMPLES + k)), sdpa_kernel(SDPBackend.MATH):
            found = gradients_of(copied, calls)
        errors.append({name: x - wide[name] for name, x in found.items()})
    return Scatter({name: deviation([e[name] for e in errors]) for name in wide}, errors)


def deviation(errors: list[torch.Tensor]) -> torch.Tensor:
    """The root of the mean square, at least that of all numbers together."""
    squares = torch.stack(errors).square().mean(dim=0)
    return torch.clamp(squares, min=float(squares.mean()) if squares.numel() else 0.0).sqrt()
