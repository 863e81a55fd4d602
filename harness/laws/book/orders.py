"""Discrete updates against their continuous models."""

from noether.laws.book.info import NEAR_ETA, LawInfo
from noether.verdicts.record import ORDER

CONSTANT = "leading constant off by 1/64"
PLACES = ("start", "middle", "end")
CURVED = ("mirror descent", "natural gradient", "geodesic step")

ORDERS = (
    LawInfo(
        key="O1",
        title="gradient descent against gradient flow and its corrections",
        equation="orders 1, 2 and 3 in eta",
        kind=ORDER,
        blind=(),
        controls=(
            NEAR_ETA,
            CONSTANT,
            "model without its terms of order eta^1",
            "model without its terms of order eta^2",
        ),
        applies="gradient descent, Euclidean cases",
    ),
    LawInfo(
        key="O2",
        title="gradient descent against (eta/2) qddot + qdot + g = 0",
        equation="order 2, never 3",
        kind=ORDER,
        blind=(),
        controls=(NEAR_ETA, CONSTANT, "start velocity 0", "third order claimed of the second-order model"),
        applies="gradient descent, Euclidean cases",
    ),
    LawInfo(
        key="O3",
        title="heavy ball against m qddot + mu qdot + g + k q = 0",
        equation="order 2 with the right start velocity, 1 with another",
        kind=ORDER,
        blind=(),
        controls=(
            NEAR_ETA,
            CONSTANT,
            "start velocity 0",
            "start velocity -g",
            "start velocity -g/(1-beta)",
            "mass eta/2 for eta(1+beta)/2",
            "second order claimed inside the layer",
            "second order claimed of the flow",
            "modified loss from a cold start",
            "modified loss without 1 + beta",
        ),
        applies="heavy ball, Euclidean cases",
    ),
    LawInfo(
        key="O4",
        title="the decay of a charge, exact and as the model has it",
        equation=(
            "discrete: -ln beta per step;  model: 2 (1-beta)/(1+beta), its (1,1) Pade approximant, third "
            "order in 1-beta"
        ),
        kind=ORDER,
        blind=("the gradient: any symmetric loss will do",),
        controls=(
            CONSTANT,
            "decay of the model claimed exact",
            "decay 1 - beta per step",
            "decay of a model of mass eta/2",
            "model of mass eta/2",
            "model of mass eta",
        ),
        applies="heavy ball, rotations and translations",
    ),
    LawInfo(
        key="O5",
        title="the discrete charge against the continuous one",
        equation="<A q, v/eta>: order 1; centred: order 2;  gradient descent: Q drifts at (eta/2) <g, A g>",
        kind=ORDER,
        blind=(),
        controls=(
            CONSTANT,
            "charge not centred",
            "charge taken as conserved to second order",
            "drift at half its rate",
        ),
        applies="heavy ball; gradient descent, symmetric generators",
    ),
    LawInfo(
        key="O6",
        title="decoupled decay against its own friction",
        equation=(
            "m qddot + (mu + eta beta k) qdot + mu k q + g = 0, qdot(0) = (2 beta v_0/eta - g)/(1+beta) - "
            "k q_0: order 2"
        ),
        kind=ORDER,
        blind=(),
        controls=(
            NEAR_ETA,
            CONSTANT,
            "friction without eta beta k",
            "friction eta k^2",
            "start velocity without -k q",
            "start velocity of coupled decay",
            "buffer forgotten in the start velocity",
            "spring of coupled decay",
        ),
        applies="decoupled decay, Euclidean cases",
    ),
    LawInfo(
        key="O7",
        title="Nesterov, dampening and schedules against their models",
        equation=(
            "extra friction eta beta H; time eta (1-tau); extra friction -c eta sdot/s, c beta, (1+beta)/2 "
            "or 1 for rates at the start, middle or end of a step: order 2"
        ),
        kind=ORDER,
        blind=(),
        controls=(
            NEAR_ETA,
            CONSTANT,
            "friction without eta beta H",
            "friction eta (1-beta) H",
            "start velocity of heavy ball",
            "first buffer dampened too",
            "mass of undamped heavy ball",
            "time of undamped heavy ball",
            "schedule without its friction",
            "friction of another buffer",
            "schedule from start velocity 0",
            *(f"friction of the {b} for the {a} of a step" for a in PLACES for b in PLACES if a != b),
        ),
        applies="options of heavy ball, Euclidean cases",
    ),
    LawInfo(
        key="O8",
        title="curved metrics: each update has its own second-order model",
        equation=(
            "mirror descent, natural gradient, geodesic step: own model order 2, another's order 1; "
            "Bregman Lagrangian: order 2 for mirror descent"
        ),
        kind=ORDER,
        blind=("sign descent beyond a sign change",),
        controls=(
            NEAR_ETA,
            CONSTANT,
            "Gdot of 1 for 2 beta",
            *(f"model of {a} for {b}" for a in CURVED for b in CURVED if a != b),
            *(f"Bregman Lagrangian for {u}" for u in CURVED[1:]),
            "Euler-Lagrange of T for heavy ball on a metric",
            "momentum of a metric heavy ball without its Gdot",
            "start velocity -G^-1 g",
            "multiplier without its kinetic term",
            "start velocity 0",
            "gradient for its sign",
        ),
        applies="diagonal and Bregman metrics; sign descent: Euclidean cases",
    ),
    LawInfo(
        key="O9",
        title="the state in the overdamped limit",
        equation="|q_m - q_flow|: order 1 in m",
        kind=ORDER,
        blind=("mu and G, as far as they enter both alike",),
        controls=(
            CONSTANT,
            "second order claimed of the overdamped limit",
            "friction of the flow off by 1/8",
            "start velocity of order 1/m",
        ),
        applies="every case",
    ),
)
