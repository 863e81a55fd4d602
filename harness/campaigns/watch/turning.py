"""How far the weights of a layer turn in a step, and how far they turn where decay and gradient balance.

A layer before a normalisation knows only the direction of its weights w. Its effective learning rate is
lr/|w|^2, and its step is an angle. Where decay shrinks |w| as fast as gradients, which are orthogonal to w,
make it grow, the mean square of that angle depends on the optimizer alone:

    SGD with momentum    2 eta k/(1 + beta), eta (1 - tau) for eta under dampening        (theory.md D12, S3)
    AdamW                2 eta k (1 - beta1)/(1 + beta1)                                                  (1)

(1) for white gradients, whose second moment is one number over the layer: a gradient g moves w by eta g/s in
all, spread over time by the weights (1 - beta1) beta1^j, whose squares add up to (1 - beta1)/(1 + beta1). The
balance 2 eta k |w|^2 = eta^2 |g|^2/s^2 gives |w|, and the step has eta^2 |g|^2/s^2 times that sum. It is the
formula of Kosson, Messmer and Jaggi 2023, arXiv 2305.17212.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from noether.networks.families import SCALE, Family

WIDE = torch.float64


@dataclass(frozen=True)
class Turn:
    """One layer in one step.

    angle     radians: of channels the root of the mean square
    rate      lr/|w|^2, the median over channels; None for a layer whose loss knows the length too
    expected  the angle in equilibrium, None where no formula is known
    """

    angle: float
    rate: float | None = None
    expected: float | None = None


def rows(q: Mapping[str, torch.Tensor], family: Family) -> torch.Tensor:
    """The numbers of each generator side by side, (n, w), in float64."""
    flat = (
        q[x.parameter].detach().reshape(-1).to(WIDE)[x.where.to(q[x.parameter].device)] for x in family.parts
    )
    return torch.cat(list(flat), dim=1)


def angles(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Between the rows of a and of b, in radians; accurate for small ones."""
    unit = lambda x: x / x.norm(dim=1, keepdim=True)
    return 2 * torch.asin(((unit(b) - unit(a)).norm(dim=1) / 2).clamp(max=1))


def turn(before: torch.Tensor, after: torch.Tensor, group: dict | None, optimizer) -> Turn | None:
    """The turn of the rows of a layer. group: the options of the optimizer for it, of a layer whose loss does
    not know its length."""
    moves = (before.norm(dim=1) > 0) & (after.norm(dim=1) > 0)
    if not moves.any():
        return None
    angle = float(angles(before[moves], after[moves]).square().mean().sqrt())
    if not math.isfinite(angle):
        return None
    if group is None:
        return Turn(angle)
    rate = float(group["lr"]) / float(before[moves].square().sum(dim=1).median())
    return Turn(angle, rate, equilibrium(optimizer, group))


def turns(
    optimizer, groups: Mapping[str, dict], before: Mapping, after: Mapping, families
) -> dict[str, Turn]:
    """By layer: a family of scale by its words, any other matrix by its name.

    groups  name of a parameter -> its options;  before, after  numbers of the parameters that were looked at
    """
    found: dict[str, Turn | None] = {}
    scaled = [f for f in families if f.kind == SCALE and all(name in before for name in f.parameters)]
    for family in scaled:
        options = groups[family.parameters[0]]
        found[family.words] = turn(rows(before, family), rows(after, family), options, optimizer)
    taken = {name for family in scaled for name in family.parameters}
    for name in before:
        if name not in taken and before[name].ndim > 1:
            flat = (x[name].detach().reshape(1, -1).to(WIDE) for x in (before, after))
            found[name] = turn(*flat, None, optimizer)
    return {name: x for name, x in found.items() if x is not None}


def equilibrium(optimizer, group: dict) -> float | None:
    """The angle in equilibrium, by the formulas above."""
    eta, k = float(group.get("lr", 0)), float(group.get("weight_decay", 0))
    if not eta * k > 0 or group.get("maximize"):
        return None
    if type(optimizer) is torch.optim.SGD and not group["nesterov"]:
        beta, tau = float(group["momentum"]), float(group["dampening"])
        return math.sqrt(2 * eta * (1 - tau if beta else 1) * k / (1 + beta))
    decoupled = type(optimizer) is torch.optim.AdamW or (
        type(optimizer) is torch.optim.Adam and group.get("decoupled_weight_decay")
    )
    if decoupled and not group.get("amsgrad"):
        beta = float(group["betas"][0])
        return math.sqrt(2 * eta * k * (1 - beta) / (1 + beta))
    return None
