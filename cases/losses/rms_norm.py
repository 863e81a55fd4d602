"""RMS-normalised rows: the scale of the weights alone.

    z_s = W x_s in R^2,   zhat_s = z_s / sqrt(|z_s|^2 / 2),   f = mean_s |zhat_s - t_s|^2 / 2,
    W in R^{2 x 2}
    invariant under W -> e^s W
    xi(W) = W

    metric       charge J        kinetic symmetry breaking
    euclidean    m <Wdot, W>     m |Wdot|^2

Nothing is centred, so the translations of a layer normalisation are none here.
t_s = (-1, -1), (1, -1), (1, 1) for the three species; x_s are petal length and width less (1, 1).
Breaking: b = |W|^2 / 8 + W_12.
Source: Zhang, Sennrich (2019), Eq. 4; Tanaka, Kunin (2021), Table 1. Data: Fisher (1936), one iris of each
species.
"""

from noether.cases.case import Case, scale
from noether.cases.losses.irises import CENTRED

TARGETS = ((-1, -1), (1, -1), (1, 1))


def loss(q, xp):
    total = 0
    for x, (s, t) in zip(CENTRED[::2], TARGETS, strict=True):
        z, w = q[0] * x[0] + q[1] * x[1], q[2] * x[0] + q[3] * x[1]
        size = xp.sqrt((z * z + w * w) / 2)
        total = total + ((z / size - s) ** 2 + (w / size - t) ** 2)
    return total / (2 * len(TARGETS))


def breaking(q, xp):
    return sum(x * x for x in q) / 8 + q[1]


RMS_NORM = Case(
    name="rms-norm",
    title="RMS-normalised rows, 2 outputs x 2 features, three irises: scale",
    source="Zhang, Sennrich (2019), Eq. 4; Tanaka, Kunin (2021), Table 1",
    loss=loss,
    breaking=breaking,
    box=((0.75, 1.25), (-1.0, -0.25), (0.25, 1.0), (0.75, 1.25)),
    pace=1.0,
    symmetries=(scale(4),),
    scale_free=True,
)
