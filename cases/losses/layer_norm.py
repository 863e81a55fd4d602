"""Layer-normalised rows: scale of the weights, and a translation per feature.

    z_s = W x_s in R^3,   zhat_s = (z_s - mean z_s) / sqrt(var z_s),   f = -mean_s <zhat_s, t_s> / 2,   W in
                          R^{3 x 2}
    invariant under W -> e^s W and under W_c -> W_c + s e_j for all outputs c at once, feature j = 1, 2
    xi(W) = W  and  1_A, the indicator of column j

    symmetry            charge J              kinetic symmetry breaking
    scale               m <Wdot, W>           m |Wdot|^2
    translation-j       m sum_c dW_cj/dt      none

t_s is 2 where c is the species and -1 elsewhere; |zhat|^2 = 3 makes f a squared error up to a constant. x_s
are sepal width less 3.35 cm in units of .2 cm, and petal length less 4 cm in units of 3.2 cm: with 0 between
the samples some W gives all three their zhat. Were it outside, training would lead one of them through z =
mean z, a kink.
Breaking: b = |W|^2 / 8 + W_11 W_22 / 2.
Source: Ba, Kiros, Hinton (2016), Eq. 3; Tanaka, Kunin (2021), Table 1. Data: Fisher (1936), one iris of each
species.
"""

from noether.cases.case import Case, scale, translation
from noether.cases.losses.irises import SPECIES, TENTHS

OUTPUTS, FEATURES = 3, 2
ROWS = tuple(
    (((sepal - 33.5) / 2, (petal - 40) / 32), y)
    for (_, sepal, petal, _), y in zip(TENTHS[::2], SPECIES[::2], strict=True)
)


def outputs(q, x):
    """z = W x"""
    return [q[2 * c] * x[0] + q[2 * c + 1] * x[1] for c in range(OUTPUTS)]


def loss(q, xp):
    total = 0
    for x, y in ROWS:
        z = outputs(q, x)
        mean = sum(z) / OUTPUTS
        z = [value - mean for value in z]
        # <zhat, t> = 3 zhat_y, since the entries of zhat sum to zero
        total = total - z[y] / xp.sqrt(sum(value * value for value in z) / OUTPUTS)
    return total / 2


def breaking(q, xp):
    return sum(x * x for x in q) / 8 + q[0] * q[3] / 2


LAYER_NORM = Case(
    name="layer-norm",
    title="layer-normalised rows, 3 outputs x 2 features, three irises: scale, translation",
    source="Ba, Kiros, Hinton (2016); Tanaka, Kunin (2021), Table 1",
    loss=loss,
    breaking=breaking,
    box=((0.5, 1.0), (-1.0, -0.5), (-1.25, -0.75), (0.125, 0.5), (0.125, 0.5), (0.75, 1.25)),
    pace=1.0,
    symmetries=(
        scale(OUTPUTS * FEATURES),
        translation((1, 0) * OUTPUTS, "translation-0"),
        translation((0, 1) * OUTPUTS, "translation-1"),
    ),
    scale_free=True,
)
