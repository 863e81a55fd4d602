"""The orders of discrete updates against their continuous models, O1 to O9 (theory.md section 5)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law, wrong
from noether.verdicts.record import ORDER

LAWS = (
    Law(
        key="O1",
        title="gradient descent against gradient flow and its corrections",
        statement="orders 1, 2 and 3 in eta",
        kind=ORDER,
        applies="gradient descent, Euclidean cases",
        blind=(),
        faults=wrong(
            "eta x (1 + 2^-10)",
            "leading constant off by 1/64",
            "model without its terms of order eta^1",
            "model without its terms of order eta^2",
        ),
    ),
    Law(
        key="O2",
        title="gradient descent against (eta/2) qddot + qdot + g = 0",
        statement="order 2, never 3",
        kind=ORDER,
        applies="gradient descent, Euclidean cases",
        blind=(),
        faults=wrong(
            "eta x (1 + 2^-10)",
            "leading constant off by 1/64",
            "start velocity 0",
            "third order claimed of the second-order model",
        ),
    ),
    Law(
        key="O3",
        title="heavy ball against m qddot + mu qdot + g + k q = 0",
        statement="order 2 with the right start velocity, 1 with another",
        kind=ORDER,
        applies="heavy ball, Euclidean cases",
        blind=(),
        faults=wrong(
            "eta x (1 + 2^-10)",
            "leading constant off by 1/64",
            "start velocity 0",
            "start velocity -g",
            "start velocity -g/(1-beta)",
            "mass eta/2 for eta(1+beta)/2",
            "second order claimed inside the layer",
            "second order claimed of the flow",
            "modified loss from a cold start",
            "modified loss without 1 + beta",
        ),
    ),
    Law(
        key="O4",
        title="the decay of a charge, exact and as the model has it",
        statement=(
            "discrete: -ln beta per step;  model: 2 (1-beta)/(1+beta), its (1,1) Pade approximant, third "
            "order in 1-beta"
        ),
        kind=ORDER,
        applies="heavy ball, rotations and translations",
        blind=("the gradient: any symmetric loss will do",),
        faults=wrong(
            "leading constant off by 1/64",
            "decay of the model claimed exact",
            "decay 1 - beta per step",
            "decay of a model of mass eta/2",
            "model of mass eta/2",
            "model of mass eta",
        ),
    ),
    Law(
        key="O5",
        title="the discrete charge against the continuous one",
        statement="<A q, v/eta>: order 1; centred: order 2;  gradient descent: Q drifts at (eta/2) <g, A g>",
        kind=ORDER,
        applies="heavy ball; gradient descent, symmetric generators",
        blind=(),
        faults=wrong(
            "leading constant off by 1/64",
            "charge not centred",
            "charge taken as conserved to second order",
            "drift at half its rate",
        ),
    ),
    Law(
        key="O6",
        title="decoupled decay against its own friction",
        statement=(
            "m qddot + (mu + eta beta k) qdot + mu k q + g = 0, qdot(0) = (2 beta v_0/eta - g)/(1+beta) "
            "- k q_0: order 2"
        ),
        kind=ORDER,
        applies="decoupled decay, Euclidean cases",
        blind=(),
        faults=wrong(
            "eta x (1 + 2^-10)",
            "leading constant off by 1/64",
            "friction without eta beta k",
            "friction eta k^2",
            "start velocity without -k q",
            "start velocity of coupled decay",
            "buffer forgotten in the start velocity",
            "spring of coupled decay",
        ),
    ),
    Law(
        key="O7",
        title="Nesterov, dampening and schedules against their models",
        statement=(
            "extra friction eta beta H; time eta (1-tau); extra friction -c eta sdot/s, c beta, "
            "(1+beta)/2 or 1 for rates at the start, middle or end of a step: order 2"
        ),
        kind=ORDER,
        applies="options of heavy ball, Euclidean cases",
        blind=(),
        faults=wrong(
            "eta x (1 + 2^-10)",
            "leading constant off by 1/64",
            "friction without eta beta H",
            "friction eta (1-beta) H",
            "start velocity of heavy ball",
            "first buffer dampened too",
            "mass of undamped heavy ball",
            "time of undamped heavy ball",
            "schedule without its friction",
            "friction of another buffer",
            "schedule from start velocity 0",
            "friction of the middle for the start of a step",
            "friction of the end for the start of a step",
            "friction of the start for the middle of a step",
            "friction of the end for the middle of a step",
            "friction of the start for the end of a step",
            "friction of the middle for the end of a step",
        ),
    ),
    Law(
        key="O8",
        title="curved metrics: each update has its own second-order model",
        statement=(
            "mirror descent, natural gradient, geodesic step: own model order 2, another's order 1; "
            "Bregman Lagrangian: order 2 for mirror descent"
        ),
        kind=ORDER,
        applies="diagonal and Bregman metrics; sign descent: Euclidean cases",
        blind=("sign descent beyond a sign change",),
        faults=wrong(
            "eta x (1 + 2^-10)",
            "leading constant off by 1/64",
            "Gdot of 1 for 2 beta",
            "model of mirror descent for natural gradient",
            "model of mirror descent for geodesic step",
            "model of natural gradient for mirror descent",
            "model of natural gradient for geodesic step",
            "model of geodesic step for mirror descent",
            "model of geodesic step for natural gradient",
            "Bregman Lagrangian for natural gradient",
            "Bregman Lagrangian for geodesic step",
            "Euler-Lagrange of T for heavy ball on a metric",
            "momentum of a metric heavy ball without its Gdot",
            "start velocity -G^-1 g",
            "multiplier without its kinetic term",
            "start velocity 0",
            "gradient for its sign",
        ),
    ),
    Law(
        key="O9",
        title="the state in the overdamped limit",
        statement="|q_m - q_flow|: order 1 in m",
        kind=ORDER,
        applies="every case",
        blind=("mu and G, as far as they enter both alike",),
        faults=wrong(
            "leading constant off by 1/64",
            "second order claimed of the overdamped limit",
            "friction of the flow off by 1/8",
            "start velocity of order 1/m",
        ),
    ),
)


def measured() -> ModuleType:
    from noether.laws.orders import cells

    return cells


FAMILY = Family(LAWS, measured)
