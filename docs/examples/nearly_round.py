"""A sphere of minima with a dent of 1e-6: one rotation is left, two are broken weakly.

noether discover docs/examples/nearly_round.py:loss --dim 3
"""


def loss(q, xp):
    r = sum(x * x for x in q) - 1
    return r * r / 4 + 1e-6 * q[0] * q[0] * q[0]
