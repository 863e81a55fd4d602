"""A family with its verdict; the eps of a normalisation that a network has written by itself, too.

What an eps of PyTorch's own layers breaks is computed (networks/eps.py). Of one that stands in the code of
the network nobody knows where it enters, but it is known how it fades: along a scale the size beside it
grows and eps does not. So the family is checked once more 2^20 times farther along itself,

    q -> 2^(20 sign) q,

where an eps beside a square is 2^-40 and one beside a root 2^-20 of what it was. What is kept there was
broken by eps alone; what breaks it otherwise, as a gradient that is cut off, does not fade.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from noether.networks.check import BROKEN, EPS, KEPT, Checked, checked
from noether.networks.families import Family
from noether.networks.twin import Call, NoTwin, cast

FAR = 20


@dataclass(frozen=True, eq=False)
class Judged:
    """What was found of one family: at the parameters, and far along itself; None where that says nothing."""

    checked: Checked
    far: Checked | None = None

    @property
    def verdict(self) -> str:
        """One of networks/check.py."""
        fades = self.far is not None and self.far.verdict == KEPT
        return EPS if self.checked.verdict == BROKEN and fades else self.checked.verdict

    @property
    def change(self) -> float:
        """How fast the loss changes along it, as a part of its terms."""
        return self.checked.breaking

    @property
    def less_eps(self) -> float:
        """The same without what eps explains, or where it has faded."""
        return self.without_eps.unexplained

    @property
    def spent(self) -> float:
        """The same in the network's own numbers, in units of what their rounding may cause."""
        return self.without_eps.spent

    @property
    def without_eps(self) -> Checked:
        return self.far if self.far is not None and self.verdict == EPS else self.checked


def judged(model: torch.nn.Module, call: Call, families: Sequence[Family]) -> list[Judged]:
    """Each family. Raises NoTwin."""
    return [Judged(one, far_along(model, call, one)) for one in checked(model, [call], families)]


def far_along(model: torch.nn.Module, call: Call, one: Checked) -> Checked | None:
    """The check of a broken family far along itself, where an eps of the network's own takes part."""
    family = one.family
    has_own = one.eps is None and family.breaks and all(bool((x.powers >= 0).all()) for x in family.breaks)
    if one.verdict != BROKEN or not has_own:
        return None
    moved = copy.deepcopy(model).float()
    values = dict(moved.named_parameters())
    with torch.no_grad():
        for part in family.parts:
            flat = values[part.parameter].reshape(-1)
            flat[part.where] = flat[part.where] * 2.0 ** (FAR * part.sign)
            values[part.parameter].copy_(flat.reshape(values[part.parameter].shape))
    args, kwargs = cast((call.args, call.kwargs), torch.float32)
    try:
        (far,) = checked(moved, [replace(call, args=args, kwargs=kwargs)], [family])
    except NoTwin:
        return None
    return far
