"""A batch-normalised unit on all 1797 digits of scikit-learn, without an eps: 61 weights.

Three of the 64 pixels are white in every picture: no loss depends on their weights, and they are left out.

z = X w,  y = (z - mean z) / sqrt(var z),  f = |y - t|^2 / (2 n),  t 1 for odd digits and else 0
invariant under w -> a w:  scale;  breaking b = |w|^2 / 2

noether verify docs/examples/large/batch_norm.py   (needs scikit-learn)
"""

from sklearn.datasets import load_digits

from noether.cases.case import Case, scale

DIGITS = load_digits()
X, T = DIGITS.data[:, DIGITS.data.any(axis=0)] / 16.0, DIGITS.target % 2 * 1.0
N, D = X.shape


def loss(q, xp):
    z = xp.constant(X) @ xp.array(q)
    centred = z - xp.sum(z) / N
    y = centred / xp.sqrt(xp.sum(centred * centred) / N)
    R = y - xp.constant(T)
    return xp.sum(R * R) / (2 * N)


def breaking(q, xp):
    return xp.sum(xp.array(q) ** 2) / 2


UNIT = Case(
    name="batch-norm-digits",
    title="a batch-normalised unit on all digits",
    source="Ioffe, Szegedy (2015), without eps",
    loss=loss,
    breaking=breaking,
    box=((0.1, 0.5),) * D,
    scale_free=True,
    symmetries=(scale(D),),
)
