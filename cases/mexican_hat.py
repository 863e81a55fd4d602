"""Mexican hat: rotations of three parameters, so(3).

    f(q) = (|q|^2 - 1)^2 / 4                            invariant under SO(3)
    xi_ij(q) = q_i e_j - q_j e_i                        three generators, J the angular momentum

    metric       charge J          kinetic symmetry breaking
    euclidean    m <qdot, xi(q)>   none: xi is a Killing field, J decays without a source

Heavy ball keeps the law exactly at any step size: J_n = beta^n J_0.
Breaking: b = q_1 + q_2 q_3 / 2, which breaks all three rotations.
Source: Tanaka, Kunin (2021), Table 1, rotation; the potential is Goldstone's.
"""

from cases.case import Case, rotation

D = 3


def loss(q, xp):
    r = sum(x * x for x in q) - 1
    return r * r / 4


def breaking(q, xp):
    return q[0] + q[1] * q[2] / 2


MEXICAN_HAT = Case(
    name="mexican-hat",
    title="Mexican hat, d = 3: rotation, so(3)",
    source="Tanaka, Kunin (2021), Table 1",
    loss=loss,
    breaking=breaking,
    box=((0.25, 0.875), (-0.875, -0.25), (0.25, 0.875)),
    symmetries=(rotation(D, 0, 1), rotation(D, 1, 2), rotation(D, 0, 2)),
)
