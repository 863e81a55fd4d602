"""What the eps of a normalisation does to a scale: exactly, and without a small parameter.

A normalisation divides by sqrt(s + eps), s the mean square of what it is given. Scaling that by e^t scales s
by e^(2t) and leaves eps alone; were eps scaled along, nothing would change. So for a generator xi that scales
what eps is added to with the power p,

    <grad f, xi> = - p eps df/deps                                                                         (1)

with p = 2 for the generator that scales a filter before its normalisation. The right side is found by making
eps a tensor, one number for each size that is divided by, and asking autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from noether.networks.families import GL, Family
from noether.networks.twin import WIDE, Call, back, gradient_of, twin


def eps_slopes(model: nn.Module, calls: Iterable[Call]) -> tuple[dict, dict]:
    """The gradient in float64, and eps df/deps of every normalisation, by module.

    Of a module that one call of the network uses some times, and that divides by m sizes, it is (times, m). A
    normalisation of the network's own making has no entry. Raises NoTwin.
    """
    copied = twin(model)
    kept: dict[str, list] = {}
    for name, module in copied.named_modules():
        if (own := with_eps(module)) is not None:
            module.forward = own(module, kept.setdefault(name, []))
    for p in copied.parameters():
        p.grad = None
    uses: dict[str, list[list]] = {name: [] for name in kept}
    for call in calls:
        back(copied, call)
        for name, found in kept.items():
            uses[name] += [found.copy()] if found else []
            found.clear()
    gradients = {name: gradient_of(p) for name, p in copied.named_parameters()}
    slopes = {}
    for name, found in uses.items():
        each = [torch.stack([summed(e) for e in made]) for made in found if same_sizes(made)]
        if each and len(each) == len(found) and len({x.shape for x in each}) == 1:
            slopes[name] = torch.stack(each).sum(dim=0)
    return gradients, slopes


def same_sizes(made: list[torch.Tensor]) -> bool:
    """Whether all uses of a normalisation divide by as many sizes."""
    return len({e.shape[-1:] for e in made}) == 1


def summed(eps: torch.Tensor) -> torch.Tensor:
    """eps df/deps, added up over samples: the last axis of eps tells the sizes apart."""
    if eps.grad is None:
        return torch.zeros(eps.shape[-1:] or (1,), dtype=WIDE)
    return (eps * eps.grad).reshape(-1, eps.shape[-1]).sum(dim=0).detach()


def with_eps(module: nn.Module) -> Callable | None:
    """What makes a forward() of a normalisation whose eps is a tensor; None for other modules."""
    if isinstance(module, _BatchNorm):
        return batch_norm
    for kind, make in ((nn.LayerNorm, layer_norm), (nn.GroupNorm, group_norm), (nn.RMSNorm, rms_norm)):
        if isinstance(module, kind):
            return make
    return None


def number(eps: float, shape: tuple[int, ...], kept: list) -> torch.Tensor:
    """eps as a tensor of which the slope is kept."""
    made = torch.full(shape, eps, dtype=WIDE, requires_grad=True)
    kept.append(made)
    return made


def batch_norm(module: _BatchNorm, kept: list) -> Callable:
    """In training mode each channel is divided by its own size; running averages are not moved."""

    def forward(x):
        shape = (1, -1, *[1] * (x.ndim - 2))
        eps = number(module.eps, (x.shape[1],), kept)
        if module.training or module.running_mean is None:
            axes = [0, *range(2, x.ndim)]
            mean, var = x.mean(axes, keepdim=True), x.var(axes, unbiased=False, keepdim=True)
        else:
            mean, var = module.running_mean.reshape(shape), module.running_var.reshape(shape)
        return affine(module, (x - mean) / (var + eps.reshape(shape)).sqrt(), shape)

    return forward


def layer_norm(module: nn.LayerNorm, kept: list) -> Callable:
    def forward(x):
        axes = list(range(x.ndim - len(module.normalized_shape), x.ndim))
        eps = number(module.eps, (1,), kept)
        mean, var = x.mean(axes, keepdim=True), x.var(axes, unbiased=False, keepdim=True)
        return affine(module, (x - mean) / (var + eps).sqrt(), module.normalized_shape)

    return forward


def rms_norm(module: nn.RMSNorm, kept: list) -> Callable:
    def forward(x):
        axes = list(range(x.ndim - len(module.normalized_shape), x.ndim))
        given = torch.finfo(x.dtype).eps if module.eps is None else module.eps
        square = x.square().mean(axes, keepdim=True)
        return affine(module, x / (square + number(given, (1,), kept)).sqrt(), module.normalized_shape)

    return forward


def group_norm(module: nn.GroupNorm, kept: list) -> Callable:
    def forward(x):
        groups = x.reshape(len(x), module.num_groups, -1)
        mean, var = groups.mean(2, keepdim=True), groups.var(2, unbiased=False, keepdim=True)
        eps = number(module.eps, (module.num_groups,), kept)
        found = ((groups - mean) / (var + eps.reshape(1, -1, 1)).sqrt()).reshape(x.shape)
        return affine(module, found, (1, -1, *[1] * (x.ndim - 2)))

    return forward


def affine(module: nn.Module, x: torch.Tensor, shape) -> torch.Tensor:
    """x times the factors of a normalisation, and its biases, where it has them."""
    if getattr(module, "weight", None) is not None:
        x = x * module.weight.reshape(shape)
    return x if getattr(module, "bias", None) is None else x + module.bias.reshape(shape)


def explained(family: Family, slopes: dict[str, torch.Tensor]) -> torch.Tensor | None:
    """(1), what eps makes of <grad f, xi>, in the shape of the form; None where a normalisation is none
    of PyTorch's own."""
    total = torch.zeros((family.n,) * (2 if family.kind == GL else 1), dtype=WIDE)
    for broken in family.breaks:
        if broken.eps == 0:
            continue
        slope = slopes.get(broken.module)
        powers = None if slope is None else of_sizes(broken.powers, slope.shape[1])
        if powers is None or len(slope) <= broken.time:
            return None
        total = total - powers @ slope[broken.time]
    return total


def of_sizes(powers: torch.Tensor, m: int) -> torch.Tensor | None:
    """The exponents (n, m) of m sizes. Where samples differ, as by what dropout has left of them, a walk
    tells more sizes apart: one number stands for them if it is that of all of them."""
    if powers.shape[1] == m:
        return powers
    return powers[:, :1].expand(-1, m) if bool((powers == powers[:, :1]).all()) else None
