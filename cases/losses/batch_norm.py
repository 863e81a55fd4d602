"""A batch-normalised neuron on a fixed batch, in train mode: scale of its weights, shift of its bias.

    u_s = <w, x_s> + c,   z_s = (u_s - mean u) / sqrt(var u + e),   f = mean_s (gamma z_s - y_s)^2 / 2
    q = (w_1, w_2, c, gamma);   at e = 0 invariant under w -> a w and under c -> c + s
    xi(q) = (w, 0, 0)  and  (0, 0, 1, 0)

    symmetry       charge J        kinetic symmetry breaking
    scale          m <wdot, w>     m |wdot|^2
    translation    m cdot          none

The layer's eps, e, breaks the scale: f_e(a w) = f_{e/a^2}(w), so <grad f_e, w> = -2 e df_e/de (theory.md
section 8).
Breaking: b = 2 (f_e - f_0) + c^2 / 2 with e = 1/4: at eps = 1/2 the loss is that of a layer with this eps,
below it a share of it; the second term is decay of the bias, and breaks the shift.
In evaluation mode the statistics are frozen and neither symmetry is left. x_s are sepal width in units of .8
cm and petal length in units of 3.2 cm of two setosas and two virginicas, y_s = -1, -1, 1, 1.
Source: Ioffe, Szegedy (2015), algorithm 1; Tanaka, Kunin (2021), Table 1, scale. Data: Fisher (1936).
"""

from noether.cases.case import Case, linear, translation
from noether.cases.losses.irises import SEPAL_WIDTH_PETAL_LENGTH as ROWS

BATCH = (*ROWS[:2], *ROWS[4:])
TARGETS = (-1, -1, 1, 1)
LAYER_EPS = 0.25


def centred(q):
    """u_s - mean u of the batch: the bias c = q_3 enters every u_s, and drops out."""
    u = [q[0] * x[0] + q[1] * x[1] + q[2] for x in BATCH]
    mean = sum(u) / len(u)
    return [x - mean for x in u]


def variance(u):
    return sum(x * x for x in u) / len(u)


def squared_error(u, gain):
    return sum((gain * x - y) ** 2 for x, y in zip(u, TARGETS, strict=True)) / (2 * len(u))


def loss(q, xp):
    u = centred(q)
    return squared_error(u, q[3] / xp.sqrt(variance(u)))


def breaking(q, xp):
    u = centred(q)
    smoothed = squared_error(u, q[3] / xp.sqrt(variance(u) + LAYER_EPS))
    return 2 * (smoothed - loss(q, xp)) + q[2] * q[2] / 2


BATCH_NORM = Case(
    name="batch-norm",
    title="batch-normalised neuron, four irises, train mode: scale, shift; the layer's eps breaks",
    source="Ioffe, Szegedy (2015); Tanaka, Kunin (2021), Table 1",
    loss=loss,
    breaking=breaking,
    box=((0.75, 1.25), (0.5, 1.0), (0.25, 0.75), (0.5, 1.0)),
    pace=1.0,
    symmetries=(
        linear([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], "scale"),
        translation((0, 0, 1, 0)),
    ),
)
