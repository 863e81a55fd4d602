"""The eps of a batch normalisation as a parameter: what it breaks alone, it keeps together with the weights.

    u_s = <w, x_s> + c,   z_s = (u_s - mean u) / sqrt(var u + r^2),   f = mean_s (z_s - y_s)^2 / 2
    q = (w_1, w_2, c, r), r the root of the layer's eps
    invariant under (w, r) -> e^s (w, r) and under c -> c + s
    xi(q) = (w, 0, r)  and  (0, 0, 1, 0)

    symmetry       charge J                 kinetic symmetry breaking
    scale          m (<wdot, w> + r rdot)   m (|wdot|^2 + rdot^2)
    translation    m cdot                   none

With r held fixed <grad f, w> = -r df/dr = -2 eps df/deps is what breaks the scale of w (theory.md section 8):
the same identity, proved here as a symmetry.
Breaking: b = 2 (r^2 + w_1 + c r).
Source: Ioffe, Szegedy (2015), algorithm 1; the joint scale is derived here. Data: Fisher (1936).
"""

from noether.cases.case import Case, linear, translation
from noether.cases.losses.batch_norm import centred, squared_error, variance


def loss(q, xp):
    u = centred(q)
    return squared_error(u, 1 / xp.sqrt(variance(u) + q[3] * q[3]))


def breaking(q, xp):
    return 2 * (q[3] * q[3] + q[0] + q[2] * q[3])


BATCH_NORM_EPSILON = Case(
    name="batch-norm-epsilon",
    title="batch-normalised neuron with its eps = r^2 a parameter: joint scale, shift",
    source="Ioffe, Szegedy (2015); derived here",
    loss=loss,
    breaking=breaking,
    box=((0.75, 1.25), (0.5, 1.0), (0.25, 0.75), (0.5, 1.0)),
    pace=1.0,
    symmetries=(
        linear([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]], "scale"),
        translation((0, 0, 1, 0)),
    ),
)
