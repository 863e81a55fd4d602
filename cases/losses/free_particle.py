"""A free particle beside a spring: momentum and angular momentum of the flat directions.

    f(q) = q_3^2 / 2,   d = 3           invariant under every motion of the plane (q_1, q_2)
    xi(q) = e_1,  e_2  and  q_1 e_2 - q_2 e_1

    symmetry         charge J                    kinetic symmetry breaking
    translation-1    the momentum m qdot_1       none
    translation-2    the momentum m qdot_2       none
    rotation         m (q_1 qdot_2 - q_2 qdot_1) none

Nothing acts on the plane: friction alone moves its charges, J_n = beta^n J_0, and from rest it stays where it
is. The spring is the control: e_3 moves too, and is no symmetry. What three conservation laws at once leave
is a straight line.
Breaking: b = (q_1^2 + q_2 q_3) / 2 + q_2^2 / 4.
Source: Noether (1918), the examples of every textbook; friction as in Tanaka, Kunin (2021), section 3.
"""

from noether.cases.case import Case, rotation, translation


def loss(q, xp):
    return q[2] * q[2] / 2


def breaking(q, xp):
    return (q[0] * q[0] + q[1] * q[2]) / 2 + q[1] * q[1] / 4


FREE_PARTICLE = Case(
    name="free-particle",
    title="free particle in a plane beside a spring: momentum, angular momentum",
    source="Noether (1918); Tanaka, Kunin (2021), section 3",
    loss=loss,
    breaking=breaking,
    box=((0.25, 1.0), (-1.0, -0.25), (0.5, 1.0)),
    pace=1.0,
    symmetries=(
        translation((1, 0, 0), "translation-1"),
        translation((0, 1, 0), "translation-2"),
        rotation(3, 0, 1),
    ),
)
