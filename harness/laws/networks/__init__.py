"""The laws of networks in training, with real data, torch autograd and torch optimizers."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.networks import faults, trained_laws
from noether.verdicts.record import BITWISE, ROUNDING, STATISTICAL

APPLIES = "networks with normalised filters in training, by torch's SGD on minibatches"
LAWS = (
    *trained_laws.LAWS,
    Law(
        key="N5",
        title="norm of a filter, and where it settles",
        equation=(
            r"\frac{2 k (1 - \beta) \sum |w|^2}{\eta \sum |g|^2} = F + \ldots, \quad F = 1 + 2 \sum_{j \ge 1}"
            r" \beta^j \rho_j, \quad \frac{E |w' - w|^2}{E |w|^2} = \frac{2 \eta k}{1 + \beta}"
        ),
        adds=(
            r"with $\rho_j$ the correlation of gradients $j$ steps apart; the dots are measured, and of order"
            r" $\eta k$; $\langle g, w \rangle$ is part of them"
        ),
        kind=STATISTICAL,
        applies=APPLIES,
        blind=("why gradients have the correlation that they have",),
        faults=faults.N5,
        only_full=True,
    ),
    Law(
        key="N6",
        title="larger filters at a larger rate",
        equation=(
            r"\text{run}(a w_0; a^2 \eta, k/a^2, a^2 \text{eps}) = a \cdot \text{run}(w_0; \eta, k, "
            r"\text{eps})"
        ),
        adds="to the bit for a power of two; for 10 within the rounding of each step",
        kind=BITWISE,
        applies=APPLIES,
        blind=("what has no scale itself",),
        faults=faults.N6,
        only_full=True,
    ),
    Law(
        key="N7",
        title="weight decay as a rate that grows",
        equation=(
            r"w_n = a^n \theta_n, \quad \eta_n = \eta a^{-2 n - 1}, \quad a^2 - (1 + \beta - \eta k) a "
            r"+ \beta = 0"
        ),
        adds=r"$\theta$ is trained without decay, and its buffer starts at $-\frac{(1 - a) w_0}{\eta a}$",
        kind=ROUNDING,
        applies=APPLIES + ", no eps",
        blind=("what is not normalised",),
        faults=faults.N7,
        only_full=True,
    ),
    Law(
        key="N8",
        title="charges of a network along training",
        equation=(
            r"c'' - (1 + \beta - \eta k) c' + \beta c = -\eta \langle g', 1 \rangle, \quad Q'' - (1 + \beta) "
            r"Q' + \beta Q = -2 \eta \langle g' + k w', S w' \rangle + \langle v'', S v'' \rangle + \beta "
            r"\langle v', S v' \rangle"
        ),
        adds=(
            "translation, and scale or rescale with the signs S; the curves printed for plain steps are "
            "off by order 1"
        ),
        kind=ROUNDING,
        applies="networks with softmax, normalised filters and ReLU, by torch's SGD on minibatches",
        blind=("where the gradient comes from",),
        faults=faults.N8,
        only_full=True,
    ),
    Law(
        key="N9",
        title="memory of a normalised filter",
        equation=(
            r"V' = (1 - \eta k)^2 V + |g|^2 - \frac{2 (1 - \eta k)}{\eta} \langle g, w \rangle, \quad V = "
            r"\frac{|w|^2}{\eta^2}"
        ),
        adds=(
            r"of plain steps; with momentum $|w|^4$ follows Eq. 17 to order 1 in $\eta$ where gradients agree"
            " from step to step"
        ),
        kind=ROUNDING,
        applies=APPLIES,
        blind=("where the gradient comes from",),
        faults=faults.N9,
        only_full=True,
    ),
)


def measured() -> ModuleType:
    from noether.laws.networks import cells

    return cells


FAMILY = Family(LAWS, measured, group="networks")
