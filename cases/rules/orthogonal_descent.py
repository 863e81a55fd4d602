"""Orthogonalised descent: steps whose singular values are all 1, along the gradient's own directions.

    m' = g
    X  = M / max(|M|, stability),  M the matrix of m' by rows, |M| its Frobenius norm
    q' = q - eta (X X^T + stability^2 1)^(-1/2) X

Without the stability this is q - eta U V^T with M = U S V^T: steepest descent in the spectral norm. With it a
singular value x of X becomes x / sqrt(x^2 + stability^2), so that a matrix of lower rank moves along the
rank that it has, and 0 moves nothing. The root of a matrix N of two rows is

    N^(1/2) = (N + s 1) / t,  s = sqrt(det N),  t = sqrt(trace N + 2 s)

by the theorem of Cayley and Hamilton, and N^(-1/2) = ((trace N + s) 1 - N) / (s t). The determinant is added
from the squares of the minors of X (Cauchy, Binet), none of which cancels another. One row is a number, and
three or more have no such form: this rule fits two (cases/matrices.py has the shape).
m is not read again: it is stored so that the rule has a charge <m, xi(q)>.
Source: Carlson, Cevher, Carin (2015), for steepest descent in this norm; Levinger (1980) for the root.
"""

from itertools import combinations

from noether.cases.matrices import dot, flat, gram, matrix, norm, product, shape
from noether.cases.rule import Covector, Parameter, Rule, plain_force
from noether.cases.step_sizes import Bounded

STABILITY = Parameter("stability", "below which a singular value counts as small", choices=(0.02, 0.07))
"""Their fourth powers are numbers of half precision, so that no determinant is 0 in any."""


def fits(d: int) -> bool:
    """Whether d parameters are a matrix of two rows: of one row the step would be a normalised gradient."""
    return shape(d)[0] == 2


def update(q, buffers, g, p, xp):
    m = [xp.store_buffer(x) for x in g]
    size = xp.maximum(norm(m, xp), p.stability)
    O = orthogonal(matrix([x / size for x in m]), p.stability * p.stability, xp)
    return [xp.store(qi - p.eta * x) for qi, x in zip(q, flat(O), strict=True)], [m]


def orthogonal(X: list[list], tiny, xp) -> list[list]:
    """(X X^T + tiny 1)^(-1/2) X of a matrix of two rows."""
    (a, b), (_, c) = gram(X)
    det = determinant(X) + tiny * (a + c + tiny)
    a, c = a + tiny, c + tiny
    s = xp.sqrt(det)
    below = s * xp.sqrt(a + c + (s + s))
    off = -(b / below)
    return product([[(c + s) / below, off], [off, (a + s) / below]], X)


def determinant(X: list[list]):
    """The determinant of X X^T, from the minors of the two rows of X."""
    pairs = combinations(zip(*X, strict=True), 2)
    minors = [a * d - b * c for (a, c), (b, d) in pairs]
    return dot(minors, minors)


def terms(q, buffers, new, g, p, xp):
    m, tiny = new[0], p.stability**2
    size = xp.maximum(xp.sqrt(sum(x * x for x in m)), p.stability)
    X = [[x / size for x in row] for row in matrix(m)]
    return {"q": q, "the matrix": [-p.eta * x for x in flat(solved(X, tiny, xp))]}, [{"the gradient": g}]


def solved(X: list[list], tiny, xp) -> list[list]:
    """The solution O of N^(1/2) O = X by Cramer's rule, N = X X^T + tiny 1, of two rows."""
    N = [[sum(x * y for x, y in zip(u, v, strict=True)) for v in X] for u in X]
    trace = N[0][0] + N[1][1] + 2 * tiny
    columns = list(zip(*X, strict=True))
    minors = sum((x[0] * y[1] - x[1] * y[0]) ** 2 for x, y in combinations(columns, 2))
    s = xp.sqrt(minors + tiny * trace - tiny**2)  # det N, as a polynomial in tiny
    t = xp.sqrt(trace + 2 * s)
    (a, b), (c, d) = [[(x + tiny + s if i == j else x) / t for j, x in enumerate(N[i])] for i in range(2)]
    det = a * d - b * c
    top = [(d * x - b * y) / det for x, y in columns]
    return [top, [(a * y - c * x) / det for x, y in columns]]


ORTHOGONAL_DESCENT = Rule(
    name="orthogonal-descent",
    step=(
        "m' = g,  X = M / max(|M|, stability)",
        "q' = q - eta (X X^T + stability^2 1)^(-1/2) X",
    ),
    source="Carlson, Cevher, Carin (2015)",
    update=update,
    terms=terms,
    buffers=("m",),
    extra=(STABILITY,),
    covector=Covector("m", kept=lambda p: 0, pull=lambda p: -1, force=plain_force),
    metric="spectral",
    bounded=Bounded(by=lambda n, p: 1, norm="spectral"),
    fits=fits,
)
