"""Product of two factors: rescale.

    f(u, v) = (u v - 1)^2 / 2           invariant under (u, v) -> (e^s u, e^-s v)
    xi(u, v) = (u, -v)

    metric       charge J                     kinetic symmetry breaking
    euclidean    m (u udot - v vdot)          m (udot^2 - vdot^2)

The smallest linear network; gradient flow keeps u^2 - v^2, sign descent |u| - |v| (theory.md#D8).
Breaking: b = u + v^2 / 4.
Source: Marcotte, Gribonval, Peyre (2023), section 2.
"""

from noether.cases.case import Case, linear


def loss(q, xp):
    r = q[0] * q[1] - 1
    return r * r / 2


def breaking(q, xp):
    return q[0] + q[1] * q[1] / 4


PRODUCT = Case(
    name="product",
    title="product of two factors: rescale",
    source="Marcotte, Gribonval, Peyre (2023), section 2",
    loss=loss,
    breaking=breaking,
    box=((0.5, 1.5), (-1.5, -0.5)),
    pace=0.25,
    symmetries=(linear([[1, 0], [0, -1]], "rescale"),),
)
