"""The laws of networks in training, with real data, torch autograd and torch optimizers."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.networks import faults
from noether.verdicts.record import ROUNDING

LAWS = (
    Law(
        key="N9",
        title="memory of a normalised filter",
        equation=(
            r"V' = (1 - \eta k)^2 V + |g|^2 - \frac{2 (1 - \eta k)}{\eta} \langle g, w \rangle, \quad V = "
            r"\frac{|w|^2}{\eta^2}"
        ),
        adds="of each filter; the last term is what the eps of the normalisation leaves",
        kind=ROUNDING,
        applies="networks with normalised filters in training, by torch's SGD",
        blind=("where the gradient comes from",),
        faults=faults.N9,
        only_full=True,
    ),
)


def measured() -> ModuleType:
    from noether.laws.networks import cells

    return cells


FAMILY = Family(LAWS, measured, group="networks")
