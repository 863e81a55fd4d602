"""Rayleigh quotient, the plainest scale-invariant loss.

    f(q) = (sum_i lambda_i q_i^2 + sum_i q_i q_{i+1} / 4) / |q|^2       invariant under q -> e^s q
    lambda_i = (1 + i) / 4, i from 1
    xi(q) = q

    metric       charge J        kinetic symmetry breaking
    euclidean    m <qdot, q>     m |qdot|^2: large, most of what moves J

What a normalisation layer does to the weights before it. The neighbour terms keep the gradient from
being diagonal, so that an index fault shows.
Breaking: b = |q|^2 / 8 + q_1.
Source: Tanaka, Kunin (2021), section 4, scale symmetry; the loss is the textbook quotient.
"""

from noether.cases.case import Case, scale

D = 8


def loss(q, xp):
    diagonal = sum((2 + i) / 4 * x * x for i, x in enumerate(q))
    neighbours = sum(x * y for x, y in zip(q[:-1], q[1:], strict=True)) / 4
    return (diagonal + neighbours) / sum(x * x for x in q)


def breaking(q, xp):
    return sum(x * x for x in q) / 8 + q[0]


def rayleigh(d: int) -> Case:
    """The quotient of d parameters, d at least 2; lambda as above.

    Of two parameters a half of all trajectories would be led through q = 0 by the breaking term: they start
    farther out.
    """
    near, far = (1.0, 2.0) if d == 2 else (0.25, 1.25)
    return Case(
        name="rayleigh" if d == D else f"rayleigh-{d}",
        title=f"Rayleigh quotient, d = {d}: scale",
        source="Tanaka, Kunin (2021), section 4",
        loss=loss,
        breaking=breaking,
        box=((near, far),) * (d // 2) + ((-far, -near),) * (d - d // 2),
        pace=1.0,
        symmetries=(scale(d),),
        scale_free=True,
    )


RAYLEIGH = rayleigh(D)
RAYLEIGH_2 = rayleigh(2)
RAYLEIGH_16 = rayleigh(16)
