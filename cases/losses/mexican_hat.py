"""Mexican hat: rotations of two, three and eight parameters, so(d).

    f(q) = (|q|^2 - 1)^2 / 4                            invariant under SO(d)
    xi_ij(q) = q_i e_j - q_j e_i                        three generators at d = 3; J is the angular momentum

    metric       charge J          kinetic symmetry breaking
    euclidean    m <qdot, xi(q)>   none: xi is a Killing field, J decays without a source

Heavy ball keeps the law exactly at any step size: J_n = beta^n J_0.
Beyond d = 4 only neighbours are declared, xi_{i,i+1}: the others are their commutators.
Breaking: b = q_1 + q_{d-1} q_d / 2, which at d = 3 breaks all three rotations. At d = 8 there is a second
term: sum_i i q_i^2 / 8.
Source: Tanaka, Kunin (2021), Table 1, rotation; the potential is Goldstone's.
"""

from noether.cases.case import Case, rotation

D = 3


def loss(q, xp):
    r = sum(x * x for x in q) - 1
    return r * r / 4


def breaking(q, xp):
    return q[0] + q[-2] * q[-1] / 2


def breaking_all(q, xp):
    return breaking(q, xp) + sum(i * x * x for i, x in enumerate(q, start=1)) / 8


def mexican_hat(d: int) -> Case:
    """The hat of d parameters, d at least 2: so(d)."""
    turned = ((i, i + apart) for apart in range(1, d if d <= 4 else 2) for i in range(d - apart))
    return Case(
        name="mexican-hat" if d == D else f"mexican-hat-{d}",
        title=f"Mexican hat, d = {d}: rotation, so({d})",
        source="Tanaka, Kunin (2021), Table 1",
        loss=loss,
        breaking=breaking if d <= 4 else breaking_all,
        box=tuple((-0.875, -0.25) if i % 2 else (0.25, 0.875) for i in range(d)),
        pace=1.0,
        symmetries=tuple(rotation(d, i, j) for i, j in turned),
    )


MEXICAN_HAT = mexican_hat(D)
MEXICAN_HAT_2 = mexican_hat(2)
MEXICAN_HAT_8 = mexican_hat(8)
