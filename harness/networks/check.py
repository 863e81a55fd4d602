"""Whether what a walk proposes is a symmetry: the slope of the loss along it, on a real minibatch.

A slope that should vanish is never 0 in numbers that round, and how far it may be from 0 nobody knows
beforehand. Two precisions tell. With the gradient g of the network's own type, the gradient g64 of its
float64 twin, and the bilinear form B of a family,

    unit = sum_i |g_i - g64_i| |xi_i|    what rounding in the own type can make of the slope       (1)

A symmetry has a slope that falls with the rounding: in float64 it is 2^-29 of what it is in float32. One that
is broken has the same slope in both. The limit between them is the middle of these on a scale of powers,

    |B(g64, q)| <= 2^(-29/2) unit        kept,                                                      (2)

so that neither is met by a factor of 22 000. A network of float64 is compared with a copy of it in float32.
What the eps of a normalisation does is known exactly (eps.py), and told apart from what is broken otherwise.

A translation needs more: all of a bias's own gradient may be rounding, and (1) is 0 where the narrow one
happens to vanish. Its unit is the largest of its family, and at least one rounding of the largest gradient
of the module to which the bias belongs, which is made of the same terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.utils._pytree import tree_leaves, tree_map

from noether.networks.eps import eps_slopes, explained
from noether.networks.families import TRANSLATION, Family
from noether.networks.proposals import proposed
from noether.networks.twin import (
    Call,
    NoTwin,
    cast,
    first_line,
    gradients_of,
    no_autocast,
    own_gradients,
    random_numbers,
    twin,
)
from noether.networks.walk import Walk

BITS = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}
KEPT, EPS, BROKEN, UNKNOWN = "kept", "kept but for eps", "broken", "not decided"


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found of one family, each (n,) float64, of GL (d, d).

    slope      B(g64, q);  own  B(g, q), of the network's own type, or of float32 where that is float64
    unit       (1);  size  the same with |g64| for the difference: the slope if nothing cancelled
    eps        what eps explains of the slope; None where that is not known
    verdict    one word for all generators: the worst of them
    """

    family: Family
    slope: torch.Tensor
    own: torch.Tensor
    unit: torch.Tensor
    size: torch.Tensor
    eps: torch.Tensor | None
    limit: float
    verdict: str

    @property
    def breaking(self) -> float:
        """The largest |slope| as a part of what it would be without cancellation; 0 where nothing moves."""
        return share(self.slope, self.size)

    @property
    def unexplained(self) -> float:
        """The same of what eps does not explain."""
        return share(self.slope if self.eps is None else self.slope - self.eps, self.size)

    @property
    def spent(self) -> float:
        """The largest |B(g, q)|, less what eps explains, in units of (1) and (2) together: at most 1 for a
        symmetry, since B(g, q) = B(g - g64, q) + B(g64, q)."""
        return share(self.own if self.eps is None else self.own - self.eps, self.unit * (1 + self.limit))


def share(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest |a|/b, where b is not 0."""
    inside = b > 0
    return float((a.abs()[inside] / b[inside]).max()) if inside.any() else 0.0


FEW = 8
"""Samples that a walk looks at: what operations demand does not depend on their number."""


def walked(model: torch.nn.Module, call: Call) -> tuple[list[Family], set[str]]:
    """The families that a walk proposes, and operations that it did not know. Raises NoTwin."""
    copied = twin(model)
    for name, module in copied.named_modules():
        module.training = call.training.get(name, module.training)
    args, kwargs = cast((call.args, call.kwargs), torch.float64)
    try:
        walk = one_walk(copied, call, *few((args, kwargs)))
    except NoTwin:  # the first axis may be no batch
        walk = one_walk(copied, call, args, kwargs)
    return proposed(walk), walk.unknown


def one_walk(copied: torch.nn.Module, call: Call, args, kwargs) -> Walk:
    """A walk through a copy. Raises NoTwin."""
    walk = Walk(copied)
    with random_numbers(call.rng), torch.enable_grad(), no_autocast():
        try:
            walk.run(args, kwargs)
        except Exception as error:
            raise NoTwin(f"it does not run in float64: {type(error).__name__}: {first_line(error)}") from None
    return walk


def few(given):
    """The first samples of a minibatch, where all its tensors have one length."""
    sizes = {x.shape[0] if x.ndim else 0 for x in tree_leaves(given) if isinstance(x, torch.Tensor)}
    if len(sizes) != 1 or max(sizes) <= FEW:
        return given
    return tree_map(lambda x: x[:FEW] if isinstance(x, torch.Tensor) else x, given)


def checked(model: torch.nn.Module, calls: Sequence[Call], families: Iterable[Family]) -> list[Checked]:
    """Each family on the minibatches of these calls. Raises NoTwin."""
    bits = max(BITS.get(p.dtype, 0) for p in model.parameters() if p.is_floating_point())
    if bits < 53:
        own = own_gradients(model, calls)
    else:  # nothing wider is at hand: a narrower copy tells as much
        bits, narrow = BITS[torch.float32], torch.float32
        own = gradients_of(twin(model, narrow), calls, narrow)
    wide, slopes = eps_slopes(model, calls)
    values = {name: p.detach().double() for name, p in model.named_parameters()}
    return [check(family, own, wide, values, explained(family, slopes), bits) for family in families]


def check(
    family: Family, own: Mapping, wide: Mapping, values: Mapping, eps: torch.Tensor | None, bits: int
) -> Checked:
    """One family, from gradients that are known.

    own, wide, values  by parameter: the gradient in the network's own type and in float64, and the parameters
    eps                what eps explains of the slope, as eps.explained gives it; None where it is not known
    bits               of the type of `own`, fewer than 53
    """
    slope, unit = family.form(wide, values), unit_of(family, own, wide, values, bits)
    size = torch.clamp(family.reach(wide, values), min=beside(family, wide))
    limit = 2.0 ** (-(53 - bits) / 2)
    within = lambda x: bool((x.abs() <= limit * unit).all())
    if not bool((unit > 0).any()):
        verdict = UNKNOWN
    elif within(slope):
        verdict = KEPT
    elif eps is not None and within(slope - eps):
        verdict = EPS
    else:
        verdict = BROKEN
    return Checked(family, slope, family.form(own, values), unit, size, eps, limit, verdict)


def unit_of(family: Family, own: Mapping, wide: Mapping, values: Mapping, bits: int) -> torch.Tensor:
    """(1), what rounding in the own type can make of the slope, (n,), of GL (d, d)."""
    apart = {name: own[name].double() - wide[name] for name in family.parameters}
    unit = family.reach(apart, values)
    if family.kind != TRANSLATION:
        return unit
    return torch.clamp(unit, min=max(float(unit.max()), 2.0**-bits * beside(family, wide)))


def beside(family: Family, wide: Mapping) -> float:
    """Of a translation the largest gradient of the modules whose biases it moves; 0 of other families."""
    if family.kind != TRANSLATION:
        return 0.0
    homes = {name.rpartition(".")[0] for name in family.parameters}
    sizes = [float(x.abs().max()) for n, x in wide.items() if n.rpartition(".")[0] in homes and x.numel()]
    return max(sizes, default=0.0)
