"""Softmax cross-entropy on six irises: translation.

    f(W) = mean_s [ log sum_c exp(z_sc) - z_{s, y_s} ],   z_sc = <W_c, x_s>,   W in R^{3 x 2}
    invariant under W_c -> W_c + s e_j for all classes c at once, feature j = 1, 2
    xi(W) = 1_A, the indicator of column j

    metric       charge J                kinetic symmetry breaking
    euclidean    m sum_c dW_cj/dt        none: heavy ball conserves sum_c W_cj from rest

Logits are differences to class 0, which is exact for this loss and keeps exp in range.
Breaking: b = (W_00^2 + W_11^2 + W_00) / 2.
Source: Tanaka, Kunin (2021), Table 1, translation. Data: Fisher (1936), samples 1, 2, 51, 52, 101, 102,
petal length in units of 3.2 cm, width in units of 1.6 cm.
"""

from noether.cases.case import Case, translation

PETALS = ((1.4, 0.2), (1.4, 0.2), (4.7, 1.4), (4.5, 1.5), (6.0, 2.5), (5.1, 1.9))
SPECIES = (0, 0, 1, 1, 2, 2)
CLASSES, FEATURES = 3, 2
# Whole tenths of a cm over a power of two: exact in binary, so every backend reads the same data.
DATA = tuple((round(length * 10) / 32, round(width * 10) / 16) for length, width in PETALS)


def samples(q, xp):
    rows = [q[c * FEATURES : (c + 1) * FEATURES] for c in range(CLASSES)]
    losses = []
    for x, y in zip(DATA, SPECIES, strict=True):
        base = sum(w * t for w, t in zip(rows[0], x, strict=True))
        z = [sum(w * t for w, t in zip(row, x, strict=True)) - base for row in rows[1:]]
        entropy = xp.log(1 + sum(xp.exp(t) for t in z))
        losses.append(entropy - z[y - 1] if y > 0 else entropy)
    return losses


def loss(q, xp):
    return sum(samples(q, xp)) / len(DATA)


def breaking(q, xp):
    return (q[0] * q[0] + q[3] * q[3] + q[0]) / 2


SOFTMAX = Case(
    name="softmax",
    title="softmax cross-entropy, 3 classes x 2 features, six irises: translation",
    source="Tanaka, Kunin (2021), Table 1; Fisher (1936)",
    loss=loss,
    breaking=breaking,
    box=((-1.0, 1.0),) * (CLASSES * FEATURES),
    pace=1.0,
    kick=0.01,
    samples=samples,
    symmetries=(
        translation((1, 0) * CLASSES, "translation-0"),
        translation((0, 1) * CLASSES, "translation-1"),
    ),
)
