"""The slope of a real gradient along a symmetry, in units of what rounding can make of it.

    D_i = B(g, q)_i + sum p eps df/deps        what is left of the slope when eps is accounted for        (1)

g is what autograd gave in the network's own type. Its rounding is known from float64 alone (rounded.py): each
number of g has a standard deviation s, and runs that are shaken at random have slopes of their own, which
tell how far errors add up along a generator rather than cancel,

    norm_i^2 = B(s^2, q^2)_i,     c^2 = mean of (B(error, q)_i / norm_i)^2 over runs and generators        (2)
    |D_i| <= 6 max(1, c) norm_i                                                                           (3)

Six standard deviations are passed by chance once in 10^9. What rounded.py makes is more than a real gradient
scatters, for a library adds up in blocks. Where fewer than eight slopes tell c, errors are taken to add up
wholly, norm_i = B(s, |q|)_i.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from noether.networks.check import beside
from noether.networks.families import TRANSLATION, Family
from noether.networks.rounded import Scatter

TIMES = 6.0
ENOUGH = 8  # slopes that tell c


@dataclass(frozen=True, eq=False)
class Slope:
    """The slopes along one family, each (n,) float64, of GL (d, d).

    slope  B(g, q);  eps  what eps makes of it;  bound  (3) on the difference, which is (1)
    size   what the slope would be if nothing cancelled, B(|g64|, |q|)
    """

    family: Family
    slope: torch.Tensor
    eps: torch.Tensor
    bound: torch.Tensor
    size: torch.Tensor

    @property
    def spent(self) -> torch.Tensor:
        """|left| over bound; where there is no bound, because nothing rounds, 0 of what is 0."""
        off = (self.slope - self.eps).abs()
        return torch.where(off == 0, 0.0, off / self.bound)

    @property
    def power(self) -> torch.Tensor:
        """The smallest part of its size that a slope would have had to have to be seen."""
        return torch.where(self.size > 0, 2 * self.bound / self.size, torch.inf)


def along(family: Family, own: Mapping, wide: Mapping, values: Mapping, scatter: Scatter, eps) -> Slope:
    """The slopes of a gradient along a family.

    own, wide, values  by parameter: the gradient as autograd gave it, in float64, and the parameters
    eps                what eps explains, as eps.explained gives it; None counts as nothing
    """
    slope = family.form(own, values)
    eps = torch.zeros_like(slope) if eps is None else eps
    size = torch.clamp(family.reach(wide, values), min=beside(family, wide))
    return Slope(family, slope, eps, bound_of(family, values, scatter), size)


def bound_of(family: Family, values: Mapping, scatter: Scatter) -> torch.Tensor:
    """(3), in the shape of the family's form."""
    square = lambda x: {name: x[name].double().square() for name in family.parameters}
    norm = family.reach(square(scatter.sd), square(values)).sqrt()
    whole = family.reach(scatter.sd, values)
    slopes = torch.stack([family.form(error, values) for error in scatter.errors])
    inside = (norm > 0).expand_as(slopes)
    if int(inside.sum()) < ENOUGH:
        return TIMES * whole
    c = float((slopes / norm)[inside].square().mean().sqrt())
    most = TIMES * max(1.0, c) * norm
    return most if family.kind == TRANSLATION else torch.minimum(most, TIMES * whole)
