"""Generators of symmetries of a network, in families: one a channel, a hidden unit or a pair of matrices.

A generator is affine in the parameters, xi(q) = A q + a, and A touches few of them. A family has n of them
with one form, and each part of it says which numbers of one parameter they move:

    scale         xi = q on the numbers of a channel: what feeds a normalisation
    rescale       xi = q on what a hidden unit reads, -q on what reads the unit
    translation   xi = 1 on some numbers: a bias before a mean is subtracted
    GL            xi_A = A W on rows, -W A on columns, for every d x d matrix A: pairs of linear maps

What laws need of A is one bilinear form, B(x, y)_i = <x, A_i y>: <g, xi> is B(g, q), the charge <v, xi> is
B(v, q), the kinetic term <A v, v> is B(v, v). Of GL it has an entry for each A with a single 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

SCALE, RESCALE, TRANSLATION, GL = "scale", "rescale", "translation", "GL"
KINDS = (SCALE, RESCALE, TRANSLATION, GL)


@dataclass(frozen=True, eq=False)
class Part:
    """Which numbers of one parameter the generators of a family move.

    parameter  its name, as named_parameters() has it
    where      (n, w) int64, flat places in the parameter; of GL row i holds the numbers of the i-th basis
               vector, in one order for all rows
    sign       1 or -1; where a number enters twice, as a tied weight may, another factor of it
    """

    parameter: str
    where: torch.Tensor
    sign: float = 1


@dataclass(frozen=True, eq=False)
class Break:
    """A small constant that a family does not scale along, as the eps of a normalisation.

    module  its name;  eps  the constant
    powers  (n, m) the exponent of what eps is added to, for each generator and each of the m sizes that the
            normalisation divides by
    time    which use of the module in one call of the network, from 0
    """

    module: str
    eps: float
    powers: torch.Tensor
    time: int = 0


@dataclass(frozen=True, eq=False)
class Family:
    """n generators of one form; of GL they are the d x d matrices A.

    kind    scale, rescale, translation or GL
    words   what it moves, as "conv1.weight conv1.bias" or "fc1.weight fc1.bias against fc2.weight"
    parts   the numbers that it moves
    why     what of the network makes it a symmetry, as "BatchNorm bn1"
    breaks  what is known to break it a little
    of_loss  whether it is a symmetry of the loss alone, as of a softmax over the outputs
    """

    kind: str
    words: str
    parts: tuple[Part, ...]
    why: str = ""
    breaks: tuple[Break, ...] = field(default=())
    of_loss: bool = False

    @property
    def n(self) -> int:
        """How many generators; of GL d, the size of A."""
        return len(self.parts[0].where)

    @property
    def count(self) -> int:
        """How many independent generators: d^2 of GL."""
        return self.n**2 if self.kind == GL else self.n

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that it touches."""
        return tuple(dict.fromkeys(part.parameter for part in self.parts))

    def form(self, x: Mapping[str, torch.Tensor], y: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """B(x, y), (n,), of GL (d, d): entry (i, j) belongs to the A with a single 1 there.

        x, y  by parameter, in the shape of each, tensors or arrays; sums of tensors are formed in float64, of
              arrays in their own type. Of a translation y is not read
        """
        return self._sum(x, y, absolute=False)

    def reach(self, x: Mapping[str, torch.Tensor], y: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The same of |x|, |A| and |y|: how far errors of the size of x can move the form."""
        return self._sum(x, y, absolute=True)

    def _sum(self, x, y, *, absolute: bool) -> torch.Tensor:
        total: torch.Tensor | float = 0.0
        for part in self.parts:
            a, b = (_numbers(z, part, absolute) for z in (x, y))
            sign = abs(part.sign) if absolute else part.sign
            if self.kind == GL:
                pairs = a @ b.T
                total = total + sign * (pairs if part.sign > 0 else pairs.T)
            else:
                total = total + sign * (a if self.kind == TRANSLATION else a * b).sum(axis=1)
        return total

    def terms(self) -> int:
        """How many products a form adds up, at most: what its own rounding grows with."""
        return sum(part.where.shape[1] for part in self.parts)


def _numbers(x: Mapping[str, torch.Tensor], part: Part, absolute: bool) -> torch.Tensor:
    """(n, w) float64, of an array its own type."""
    numbers = x[part.parameter]
    if isinstance(numbers, torch.Tensor):
        found = numbers.detach().reshape(-1).double()[part.where]
    else:
        found = numbers.reshape(-1)[part.where.numpy()]
    return abs(found) if absolute else found
