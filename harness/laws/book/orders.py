"""Discrete updates against their continuous models."""

from noether.laws.book.info import NEAR_ETA, LawInfo
from noether.verdicts.record import ORDER

CONSTANT = "leading constant off by 1/64"
PLACES = ("start", "middle", "end")
CURVED = ("mirror descent", "natural gradient", "geodesic step")

ORDERS = (
    LawInfo("O1", "gradient descent against gradient flow and its corrections", "orders 1, 2 and 3 in eta",
    ORDER, (),
            (NEAR_ETA, CONSTANT, "model without its terms of order eta^1",
            "model without its terms of order eta^2"), "gradient descent, Euclidean cases"),
    LawInfo("O2", "gradient descent against (eta/2) qddot + qdot + g = 0", "order 2, never 3", ORDER, (),
            (NEAR_ETA, CONSTANT, "start velocity 0", "third order claimed of the second-order model"),
            "gradient descent, Euclidean cases"),
    LawInfo("O3", "heavy ball against m qddot + mu qdot + g + k q = 0", "order 2 with the right start "
                                                                        "velocity, 1 with another", ORDER, (),
            (NEAR_ETA, CONSTANT, "start velocity 0", "start velocity -g", "start velocity -g/(1-beta)",
            "mass eta/2 for eta(1+beta)/2",
             "second order claimed inside the layer", "second order claimed of the flow",
             "modified loss from a cold start", "modified loss without 1 + beta"),
            "heavy ball, Euclidean cases"),
    LawInfo("O4", "the decay of a charge, exact and as the model has it",
    "discrete: -ln beta per step;  model: 2 (1-beta)/(1+beta), its (1,1) Pade approximant, third order in "
    "1-beta", ORDER, ("the gradient: any symmetric loss will "
                                                                                                                                                                                                 "do",),
            (CONSTANT, "decay of the model claimed exact", "decay 1 - beta per step",
            "decay of a model of mass eta/2", "model of mass eta/2", "model of mass eta"),
            "heavy ball, rotations and translations"),
    LawInfo("O5", "the discrete charge against the continuous one", "<A q, v/eta>: order 1; centred: order "
                                                                    "2;  gradient descent: Q drifts at "
                                                                    "(eta/2) <g, A g>", ORDER, (),
            (CONSTANT, "charge not centred", "charge taken as conserved to second order",
            "drift at half its rate"), "heavy ball; gradient descent, "
                                                                                                                     "symmetric generators"),
    LawInfo("O6", "decoupled decay against its own friction", "m qddot + (mu + eta beta k) qdot + mu k q + "
                                                              "g = 0, qdot(0) = (2 beta v_0/eta - "
                                                              "g)/(1+beta) - k q_0: order 2", ORDER, (),
            (NEAR_ETA, CONSTANT, "friction without eta beta k", "friction eta k^2",
            "start velocity without -k q", "start velocity of coupled decay",
            "buffer forgotten in the start velocity",
             "spring of coupled decay"), "decoupled decay, Euclidean cases"),
    LawInfo("O7", "Nesterov, dampening and schedules against their models",
    "extra friction eta beta H; time eta "
                                                                            "(1-tau); extra friction -c eta "
                                                                            "sdot/s, c beta, "
                                                                            "(1+beta)/2 or 1 for "
                                                                            "rates at the start, "
                                                                            "middle "
                                                                            "or end of a step: order 2",
                                                                                ORDER, (),
            (NEAR_ETA, CONSTANT, "friction without eta beta H", "friction eta (1-beta) H",
            "start velocity of heavy ball", "first buffer dampened too", "mass of undamped heavy ball",
             "time of undamped heavy ball", "schedule without its friction", "friction of another buffer",
             "schedule from start velocity 0",
             *(f"friction of the {b} for the {a} of a step" for a in PLACES for b in PLACES if a != b)),
            "options of heavy ball, Euclidean cases"),
    LawInfo("O8", "curved metrics: each update has its own second-order model",
    "mirror descent, natural gradient, "
                                                                                "geodesic step: own model order 2, "
                                                                                "another's order 1; "
                                                                                "Bregman Lagrangian: "
                                                                                "order 2 for mirror "
                                                                                "descent", ORDER,
            ("sign descent beyond a sign change",),
            (NEAR_ETA, CONSTANT, "Gdot of 1 for 2 beta",
            *(f"model of {a} for {b}" for a in CURVED for b in CURVED if a != b),
            *(f"Bregman Lagrangian for {u}" for u in CURVED[1:]),
             "Euler-Lagrange of T for heavy ball on a metric", "momentum of a metric heavy ball without its "
                                                               "Gdot", "start velocity -G^-1 g",
             "multiplier without its kinetic term", "start velocity 0", "gradient for its sign"),
             "diagonal and Bregman metrics; sign "
                                                                                                  "descent: Euclidean cases"),
    LawInfo("O9", "the state in the overdamped limit", "|q_m - q_flow|: order 1 in m", ORDER,
    ("mu and G, as far as they enter both "
                                                                                               "alike",),
            (CONSTANT, "second order claimed of the overdamped limit", "friction of the flow off by 1/8",
            "start velocity of order 1/m"), "every case"),
)  # fmt: skip
