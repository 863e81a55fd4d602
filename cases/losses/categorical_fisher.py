"""Counts under the Fisher metric of the categorical distribution, diagonal on the orthant: scale.

    f(q) = log(sum_i q_i) - sum_i p_i log q_i,   d = 4, q > 0          invariant under q -> e^s q
    G(q) = diag(1 / q_i) + kappa I, the Fisher information of unnormalised weights; kappa damps it
    xi(q) = q

    Lie derivative of G along xi:  1 / q_i + 2 kappa

half of what Dxi gives is taken back by xi.dG: the Fisher metric scales with weight one, and a harness that
drops either part is caught. The charge J = m sum_i qdot_i is the momentum of the total.
f is the cross-entropy of the weights q / sum q against p = (1, 2, 4, 1) / 8.
Breaking: b = q_1 + q_2 q_3 / 4.
Source: Rao (1945); Amari (1998), section 3; Tanaka, Kunin (2021), Theorem 1.
"""

from noether.cases.case import DIAGONAL, Case, Metric, scale

D = 4
FREQUENCIES = (0.125, 0.25, 0.5, 0.125)


def loss(q, xp):
    return xp.log(sum(q)) - sum(p * xp.log(x) for p, x in zip(FREQUENCIES, q, strict=True))


def breaking(q, xp):
    return q[0] + q[1] * q[2] / 4


def fisher(q, kappa, xp):
    return [1 / x + kappa for x in q]


CATEGORICAL_FISHER = Case(
    name="categorical-fisher",
    title=f"categorical weights, Fisher metric on the orthant, d = {D}: scale",
    source="Rao (1945); Amari (1998); Tanaka, Kunin (2021), Theorem 1",
    loss=loss,
    breaking=breaking,
    box=((0.75, 2.0),) * D,
    pace=1.0,
    symmetries=(scale(D),),
    metric=Metric(DIAGONAL, entries=fisher),
    scale_free=True,
)
