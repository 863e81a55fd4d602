"""Mixture weights on the simplex, two pairs of components that coincide: translation along the simplex.

    f(q) = log(sum_i q_i) - mean_s log( sum_i q_i p_i(s) ),   d = 5, q > 0, p_1 = p_2 and p_3 = p_4
    invariant under q -> q + s (e_1 - e_2) and q -> q + s (e_3 - e_4): both stay on the simplex, <1, xi> = 0
    h(q) = sum_i q_i log q_i - q_i                                          grad h = log q

    rule                                                    charge
    mirror flow            d/dt log q = -grad f             log q_1 - log q_2 constant
    mirror descent         log q' = log q - eta g           <log q' - log q, xi> = -eta <g, xi>, zero here
    exponentiated gradient log q' = log q - eta g - log Z   the same, since Z drops out where <1, xi> = 0

The negative log-likelihood of mixture weights; sum q = 1 is kept by normalising, and starts are normalised.
Data cannot tell the components of a pair apart, so the odds q_1 / q_2 stay what they were.
p(s) = (8, 2, 1), (3, 6, 3), (1, 2, 12), (2, 5, 4) sixteenths under the pair 1-2, the pair 3-4 and 5.
Breaking: b = q_1^2 + q_3 q_4 / 2 + q_3.
Source: Kivinen, Warmuth (1997), the rule; Tanaka, Kunin (2021), Eq. 10. Likelihoods chosen by hand.
"""

from noether.cases.case import BREGMAN, Case, Metric, translation
from noether.cases.losses.entropy_mirror import entropy

# Of four samples under the pair 1-2, the pair 3-4 and 5.
LIKELIHOODS = ((8, 2, 1), (3, 6, 3), (1, 2, 12), (2, 5, 4))


def loss(q, xp):
    first, second, third = q[0] + q[1], q[2] + q[3], q[4]
    total = 0
    for a, b, c in LIKELIHOODS:
        total = total - xp.log((a * first + b * second + c * third) / 16)
    return total / len(LIKELIHOODS) + xp.log(first + second + third)


def breaking(q, xp):
    return q[0] * q[0] + q[2] * q[3] / 2 + q[2]


ENTROPY_SIMPLEX = Case(
    name="entropy-simplex",
    title="mixture weights on the simplex, entropy, d = 5: translation",
    source="Kivinen, Warmuth (1997); Tanaka, Kunin (2021), Eq. 10",
    loss=loss,
    breaking=breaking,
    box=((0.25, 1.0),) * 5,
    pace=4.0,
    symmetries=(
        translation((1, -1, 0, 0, 0), "translation-12"),
        translation((0, 0, 1, -1, 0), "translation-34"),
    ),
    metric=Metric(BREGMAN, potential=entropy, simplex=True),
)
