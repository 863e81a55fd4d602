"""A case that lies: an ellipse is not invariant under rotations. `noether verify` refuses it, exit code 2.

f(q) = (q_1^2 + 2 q_2^2 - 1)^2 / 4          declared: rotation
<grad f, xi> = 2 q_1 q_2 (q_1^2 + 2 q_2^2 - 1) / 2
"""

from noether.cases.case import Case, rotation


def loss(q, xp):
    r = q[0] * q[0] + 2 * q[1] * q[1] - 1
    return r * r / 4


ELLIPSE = Case(
    name="ellipse",
    title="an ellipse, declared round",
    source="none: it is false",
    loss=loss,
    breaking=lambda q, xp: q[0],
    box=((0.25, 1.0), (0.25, 1.0)),
    symmetries=(rotation(2, 0, 1),),
)
