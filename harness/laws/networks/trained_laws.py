"""N1 to N4: the optimizer and the gradient of networks in training, two statements that are kept apart."""

from __future__ import annotations

from noether.laws.law import Law
from noether.laws.networks import trained_faults
from noether.verdicts.record import ROUNDING, STATISTICAL

LAWS = (
    Law(
        key="N1",
        title="step of an optimizer in training",
        equation=r"(q', p') = \text{rule}(q, p, g)",
        adds="g is what autograd gave; the bound is the rounding of the optimizer's own operations, and of "
        "the numbers that Python computes for it",
        kind=ROUNDING,
        applies="networks in training, by the optimizers of torch whose rule is known",
        blind=("where the gradient comes from",),
        faults=trained_faults.N1,
    ),
    Law(
        key="N2",
        title="charge balance of a network in training",
        equation=(
            r"\langle p', \xi(q') \rangle = s \left( a \langle p, \xi(q) \rangle - b \langle F, \xi(q) "
            r"\rangle \right) + \langle p', A (q' - s q) \rangle"
        ),
        adds="of every generator of a network; of rules without momentum the balance of the norm (D11) and "
        "of translations (D6)",
        kind=ROUNDING,
        applies="scale, translation, rescale and GL families of networks in training",
        blind=("where the gradient comes from", "the components that no symmetry moves"),
        faults=trained_faults.N2,
    ),
    Law(
        key="N3",
        title="gradient along the symmetries of a network",
        equation=r"\langle g, \xi(q) \rangle = - \sum p \, \epsilon \frac{\partial f}{\partial \epsilon}",
        adds="g is autograd's in the network's own type, and the sum is over the normalisations whose eps a "
        "symmetry does not scale along; 0 where there is none",
        kind=STATISTICAL,
        applies="the same families, of every minibatch",
        blind=("a gradient of another loss with the same symmetries", "what the optimizer makes of it"),
        faults=trained_faults.N3,
    ),
    Law(
        key="N4",
        title="what the eps of a normalisation breaks",
        equation=(
            r"\langle \nabla f, \xi(q) \rangle = - \sum p \, \epsilon "
            r"\frac{\partial f}{\partial \epsilon}"
        ),
        adds="to the rounding of float64; p is 2 for the filters before a BatchNorm, GroupNorm or LayerNorm",
        kind=STATISTICAL,
        applies="networks with normalisations of torch in training mode",
        blind=("an eps of 0",),
        faults=trained_faults.N4,
    ),
)
