"""Two-layer network of leaky rectifiers: one rescale per hidden unit, and kinks.

    f = mean_s ( sum_j a_j phi(w_j x_s + c_j) - y_s )^2 / 2,   phi(u) = u where u > 0, else u / 4;   j = 1, 2
    q = (w_1, c_1, a_1, w_2, c_2, a_2);   invariant under (w_j, c_j, a_j) -> (e^s w_j, e^s c_j, e^-s a_j),
                                          for each unit
    xi_j(q) = (w_j, c_j, -a_j) in the places of unit j

    metric       charge J                               kinetic symmetry breaking           charge of the flow
    euclidean    m (wdot w + cdot c - adot a)           m (wdot^2 + cdot^2 - adot^2)        w^2 + c^2 - a^2

phi is homogeneous, so the symmetry holds on either side of every kink u = 0 and across it. The exact laws of
a step ask nothing of f but a gradient and go on through kinks; a solution of an equation of motion that meets
one is known to the order of nothing, and what is said of it ends there ("outside", theory.md section 8).
y = |x| on x = -3/2, -1, 1, 3/2: two units can represent it. Starts lie on both sides of every kink.
Breaking: b = w_1^2 / 4 + a_1 a_2 / 2 + c_2.
Source: Du, Hu, Lee (2018), Theorem 2.1; Kunin et al. (2021), rescale; data by the formula.
"""

import numpy as np

from noether.cases.case import Case, linear

INPUTS = (-1.5, -1.0, 1.0, 1.5)
SLOPE = 0.25


def kinks(q, xp):
    """u of every unit and sample"""
    return [q[3 * j] * x + q[3 * j + 1] for j in range(2) for x in INPUTS]


def loss(q, xp):
    phi = [u * (SLOPE + (1 - SLOPE) * xp.step(u)) for u in kinks(q, xp)]
    residuals = [q[2] * a + q[5] * b - abs(x) for a, b, x in zip(phi[:4], phi[4:], INPUTS, strict=True)]
    return sum(r * r for r in residuals) / (2 * len(INPUTS))


def breaking(q, xp):
    return q[0] * q[0] / 4 + q[2] * q[5] / 2 + q[4]


def rescale(unit: int):
    """xi_j"""
    weights = np.zeros(6)
    weights[3 * unit : 3 * unit + 3] = 1, 1, -1
    return linear(np.diag(weights), f"rescale-{unit}")


LEAKY_NETWORK = Case(
    name="leaky-network",
    title="two leaky rectifiers: a rescale per unit, with kinks",
    source="Du, Hu, Lee (2018), Theorem 2.1; Kunin et al. (2021)",
    loss=loss,
    breaking=breaking,
    box=((-2.0, 2.0), (-0.25, 0.25), (0.25, 0.5)) * 2,
    pace=0.25,
    symmetries=(rescale(0), rescale(1)),
    kinks=kinks,
)
