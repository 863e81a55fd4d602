"""Discrete updates against their continuous models."""

from harness.lawbook.info import NEAR_ETA, LawInfo
from harness.verdicts import ORDER

ORDERS = (
    LawInfo("O1", "gradient descent against gradient flow and its corrections", "orders 1, 2 and 3 in eta", ORDER, (), (NEAR_ETA, "model without its terms of order eta^1", "model without its terms of order eta^2"),
            "gradient descent, Euclidean cases"),
    LawInfo("O2", "gradient descent against (eta/2) qddot + qdot + g = 0", "order 2, never 3", ORDER, (), (NEAR_ETA, "start velocity 0", "third order claimed of the second-order model"),
            "gradient descent, Euclidean cases"),
    LawInfo("O3", "heavy ball against m qddot + mu qdot + g + k q = 0", "order 2 with the right start velocity, 1 with another", ORDER, (),
            (NEAR_ETA, "start velocity 0", "start velocity -g", "start velocity -g/(1-beta)", "mass eta/2 for eta(1+beta)/2"), "heavy ball, Euclidean cases"),
    LawInfo("O5", "the discrete charge against the continuous one", "<A q, v/eta>: order 1; centred: order 2", ORDER, (), ("charge not centred",), "heavy ball, linear generators"),
)  # fmt: skip
