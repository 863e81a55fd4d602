"""Two complex parameters of charge 1 and 2: the phase, U(1).

    f(z, w) = (|z|^2 - 1)^2 / 4 + (|w|^2 - 1)^2 / 4 - Re(z^2 wbar) / 2
    invariant under (z, w) -> (e^{is} z, e^{2is} w);   q = (Re z, Im z, Re w, Im w)
    xi(z, w) = (i z, 2 i w)

    metric       charge J                          kinetic symmetry breaking
    euclidean    m Im(zbar zdot + 2 wbar wdot)     none: xi is a Killing field

The two phases turn at different rates, so that a generator with its entries mixed up shows. In optics this is
second-harmonic generation and J the Manley-Rowe invariant.
Breaking: b = Re z + Im z Im w / 2.
Source: Tanaka, Kunin (2021), Table 1, rotation; Manley, Rowe (1956) for the charge.
"""

from noether.cases.case import Case, linear


def loss(q, xp):
    x, y, s, t = q
    r, p = x * x + y * y - 1, s * s + t * t - 1
    return (r * r + p * p) / 4 - ((x * x - y * y) * s + 2 * x * y * t) / 2


def breaking(q, xp):
    return q[0] + q[1] * q[3] / 2


COMPLEX_PHASE = Case(
    name="complex-phase",
    title="two complex parameters of charge 1 and 2: phase, U(1)",
    source="Tanaka, Kunin (2021), Table 1; Manley, Rowe (1956)",
    loss=loss,
    breaking=breaking,
    box=((0.25, 0.875), (-0.875, -0.25), (-0.875, -0.25), (0.25, 0.875)),
    pace=1.0,
    symmetries=(linear([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -2], [0, 0, 2, 0]], "phase"),),
)
