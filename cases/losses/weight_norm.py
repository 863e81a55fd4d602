"""Weight-normalised regression: the scale of the direction vector.

    f(v, g) = mean_s ( g <v, x_s> / |v| - y_s )^2 / 2,   v in R^2, g in R
    invariant under v -> e^s v, g fixed
    xi(v, g) = (v, 0)

    metric       charge J         kinetic symmetry breaking
    euclidean    m <vdot, v>      m |vdot|^2

Only part of the parameters is scaled: A = diag(1, 1, 0), so that faults in one component show.
x_s are sepal and petal length in units of 6.4 cm, y_s is petal width in units of 3.2 cm, of six irises.
Breaking: b = |v|^2 / 4 + g v_1 / 2.
Source: Salimans, Kingma (2016), Eq. 2; Tanaka, Kunin (2021), Table 1, scale. Data: Fisher (1936).
"""

from noether.cases.case import Case, linear
from noether.cases.losses.irises import LENGTHS, WIDTHS


def loss(q, xp):
    v, g = q[:2], q[2]
    reach = g / xp.sqrt(v[0] * v[0] + v[1] * v[1])
    total = 0
    for x, y in zip(LENGTHS, WIDTHS, strict=True):
        r = reach * (v[0] * x[0] + v[1] * x[1]) - y
        total = total + r * r
    return total / (2 * len(WIDTHS))


def breaking(q, xp):
    return (q[0] * q[0] + q[1] * q[1]) / 4 + q[2] * q[0] / 2


WEIGHT_NORM = Case(
    name="weight-norm",
    title="weight-normalised regression w = g v/|v|, six irises: scale of v",
    source="Salimans, Kingma (2016), Eq. 2; Tanaka, Kunin (2021), Table 1",
    loss=loss,
    breaking=breaking,
    box=((-0.875, -0.375), (0.375, 0.875), (0.75, 1.5)),
    pace=1.0,
    symmetries=(linear([[1, 0, 0], [0, 1, 0], [0, 0, 0]], "scale"),),
)
