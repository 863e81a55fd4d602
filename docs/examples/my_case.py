"""A case of one's own: a ratio that only the direction of q decides.

f(q) = (q_1^2 + 2 q_2^2) / (q_1^2 + q_2^2)          f(a q) = f(q):  scale,  xi(q) = q
breaking b = q_1
"""

from noether.cases.case import Case, scale


def loss(q, xp):
    squares = q[0] * q[0] + q[1] * q[1]
    return (squares + q[1] * q[1]) / squares


def breaking(q, xp):
    return q[0]


RATIO = Case(
    name="my-ratio",
    title="a ratio that only the direction decides",
    source="own",
    loss=loss,
    breaking=breaking,
    box=((1.0, 2.0), (0.5, 1.0)),
    symmetries=(scale(2),),
)
