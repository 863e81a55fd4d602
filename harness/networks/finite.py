"""A network's parameters after a finite move along all generators of a family at once.

    scale         q_i' = 2^s q_i                                       s = 1, -1, 1, ...
    rescale       what a unit reads times 2^s, what reads the unit over it
    translation   q_i' = q_i + s t, t the mean size of the parameter, or 1
    GL            W' = (1 + N/2) W on rows, W' = (1 - N^T/2) W on columns; N has a 1 at (0, 1), (2, 3), ...

N^2 = 0, so that the second is the inverse transposed of the first. Numbers are multiplied by powers of two
and added in the type that is given.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from noether.networks.families import GL, TRANSLATION, Family, Part


def moved(family: Family, q: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The parameters that the family touches, moved; the others are not in it."""
    new = {name: q[name].detach().clone() for name in family.parameters}
    signs = 1 - 2 * (torch.arange(family.n) % 2)
    for part in family.parts:
        flat = new[part.parameter].reshape(-1)
        here = flat[part.where.to(flat.device)]
        flat[part.where.to(flat.device)] = move(family, part, here, signs.to(here))
        new[part.parameter] = flat.reshape(q[part.parameter].shape)
    return new


def move(family: Family, part: Part, x: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
    """The numbers of one part, (n, w), moved. signs (n,): 1, -1, 1, ..."""
    if family.kind == TRANSLATION:
        size = x.abs().mean()
        return x + part.sign * signs[:, None] * torch.where(size > 0, size, torch.ones_like(size))
    if family.kind != GL:
        return x * torch.pow(2.0, part.sign * signs)[:, None]
    new, last = x.clone(), family.n // 2 * 2
    if part.sign > 0:
        new[0:last:2] += x[1:last:2] / 2
    else:
        new[1:last:2] -= x[0:last:2] / 2
    return new
