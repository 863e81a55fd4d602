"""Shampoo on a 2 x 2 matrix: the gradient between the inverse fourth roots of what it was, left and right.

    v' = -eta g
    L' = L + G G^T,  R' = R + G^T G,  G the matrix of g by rows
    Q' = Q + (L' + stability 1)^(-1/4) V' (R' + stability 1)^(-1/4)

L and R are stored with all four numbers, from 0 on, so that the stability is the start epsilon 1 that is
published. A matrix of another shape would need buffers of another size than its own. The root of N is the
one of orthogonal-descent, taken twice: of a square root the determinant is s and the trace is t. The
determinant of L as it is stored counts as 0 where rounding makes it negative.
No singular value of a step passes eta, for L' >= G G^T and R' >= G^T G, and roots keep that order (Loewner).
v is the force and a covector, and the two roots are the metric in which it moves q.
Source: Gupta, Koren, Singer (2018), algorithm 1.
"""

from noether.cases.matrices import flat, gram, matrix, product, transposed
from noether.cases.rule import Covector, Parameter, Rule, plain_force
from noether.cases.step_sizes import Bounded

STABILITY = Parameter("stability", "the start of the two statistics", choices=(2**-7, 2**-4))


def fits(d: int) -> bool:
    """Whether d parameters are a 2 x 2 matrix."""
    return d == 4


def update(q, buffers, g, p, xp):
    G = matrix(g)
    w = [xp.store_buffer(-(p.eta * x)) for x in g]
    L, R = (
        [xp.store_buffer(x + y) for x, y in zip(old, flat(of), strict=True)]
        for old, of in zip(buffers[1:], (gram(G), gram(transposed(G))), strict=True)
    )
    left, right = (inverse_fourth_root(matrix(x), p.stability, xp) for x in (L, R))
    move = flat(product(product(left, matrix(w)), right))
    return [xp.store(qi + x) for qi, x in zip(q, move, strict=True)], [w, L, R]


def determinant(N: list[list], tiny, xp):
    """The determinant of N + tiny 1 for an N of determinant 0 or more, symmetric, 2 x 2."""
    (a, b), (_, c) = N
    return xp.maximum(a * c - b * b, 0.0) + tiny * (a + c + tiny)


def inverse_fourth_root(N: list[list], tiny, xp) -> list[list]:
    """(N + tiny 1)^(-1/4) of a symmetric 2 x 2 matrix."""
    s = xp.sqrt(determinant(N, tiny, xp))
    (a, b), (_, c) = N
    a, c = a + tiny + s, c + tiny + s
    t = xp.sqrt(a + c)
    u = xp.sqrt(s)
    below = xp.sqrt(t + (u + u)) * u
    off = -(b / t / below)
    return [[(c / t + u) / below, off], [off, (a / t + u) / below]]


def terms(q, buffers, new, g, p, xp):
    (a, b), (c, d) = matrix(g)
    of_left = [a * a + b * b, a * c + b * d, c * a + d * b, c * c + d * d]
    of_right = [a * a + c * c, a * b + c * d, b * a + d * c, b * b + d * d]
    left, right = (root_of_inverse(matrix(x), p.stability, xp) for x in new[1:])
    move = flat(product(left, product(matrix(new[0]), right)))
    return {"q": q, "the matrix": move}, [
        {"the gradient": [-p.eta * x for x in g]},
        {"L": buffers[1], "G G^T": of_left},
        {"R": buffers[2], "G^T G": of_right},
    ]


def root_of_inverse(N: list[list], tiny, xp) -> list[list]:
    """The same root, as the square root of the inverse root, whose determinant is 1 / s."""
    s = xp.sqrt(determinant(N, tiny, xp))
    a, b, c = N[0][0] + tiny, N[0][1], N[1][1] + tiny
    t = xp.sqrt(a + c + 2 * s)
    one = 1 / xp.sqrt(s)
    a, b, c = (c + s) / (s * t), -b / (s * t), (a + s) / (s * t)
    below = xp.sqrt(a + c + 2 * one)
    return [[(a + one) / below, b / below], [b / below, (c + one) / below]]


SHAMPOO = Rule(
    name="shampoo",
    step=(
        "v' = -eta g,  L' = L + G G^T,  R' = R + G^T G",
        "Q' = Q + (L' + stability 1)^(-1/4) V' (R' + stability 1)^(-1/4)",
    ),
    source="Gupta, Koren, Singer (2018), algorithm 1",
    update=update,
    terms=terms,
    buffers=("v", "L", "R"),
    extra=(STABILITY,),
    covector=Covector("v", kept=lambda p: 0, pull=lambda p: p.eta, force=plain_force),
    metric="spectral",
    bounded=Bounded(by=lambda n, p: 1, norm="spectral"),
    fits=fits,
)
