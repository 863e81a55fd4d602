"""Muon: momentum of a matrix, made nearly orthogonal by five steps of a Newton-Schulz iteration.

    m' = beta m + (1 - beta) g
    X_0 = M / max(|M|, stability),  M = (1 - beta) g + beta m',  |M| its Frobenius norm
    X_i+1 = a X_i + (b A + c A A) X_i,  A = X_i X_i^T,  i = 0, ..., 4
    q' = (q - eta k q) - eta X_5

q is a matrix by rows (cases/matrices.py) with at most as many rows as columns, so that nothing is transposed
and PyTorch's factor of the step, sqrt(max(1, rows / columns)), is 1. Each singular value x of X_i becomes
a x + b x^3 + c x^5. This polynomial does not tend to 1: it is steep at 0, and takes [0, 1] into [0, 1.2024]
and that interval into itself, so that |q|_2 enters |q|_2 <= 1.2024 / k at the rate 1 - eta k.
PyTorch: torch.optim.Muon(lr=eta, momentum=beta, weight_decay=k, eps=stability). It keeps m' as its code does,
not as its documentation says, m' = beta m + g, and computes X_i in bfloat16; here the type is that of the
arithmetic.
Source: Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks; torch.optim.Muon.
"""

from noether.cases.iteration import Iteration
from noether.cases.matrices import flat, gram, matrix, norm, product, shape, transposed
from noether.cases.rule import Rule
from noether.cases.rules.adam import MOMENT_WITHOUT_DECAY
from noether.cases.rules.lion import averaged
from noether.cases.rules.normalised_gradient import STABILITY
from noether.cases.step_sizes import Bounded

A, B, C = 3.4445, -4.7750, 2.0315
STEPS = 5
BAND = 1.2024
"""The largest value of a x + b x^3 + c x^5 on [0, 1.25], rounded up: at x = .5545, the smaller root of its
derivative a + 3 b x^2 + 5 c x^4. So no singular value of X_5 passes it."""
ROOM = 0.04
"""What a computed X may pass BAND by and still be taken into [0, BAND]."""


def fits(d: int) -> bool:
    """Whether d parameters are a matrix: of one row the step would be a normalised gradient."""
    return shape(d)[0] > 1


def as_it_is(X: list[list]) -> list[list]:
    return X


def newton_schulz(X: list[list], kept=as_it_is) -> list[list]:
    """One step of the iteration, from X (r, c) to (r, c).

    kept  what becomes of a matrix between two products: PyTorch rounds all its numbers to bfloat16
    """
    G = kept(gram(X))
    P = kept([[B * x + C * y for x, y in zip(*rows, strict=True)] for rows in zip(G, gram(G), strict=True)])
    PX = product(P, X)
    return kept([[A * x + y for x, y in zip(*rows, strict=True)] for rows in zip(X, PX, strict=True)])


def past_band(d: int, u: float) -> float:
    """By how much a computed X_5 may pass BAND; nothing is known where that is more than ROOM.

    A sum of n products rounds by n u of the sum of their sizes. With F = |X|, at most sqrt(r) (BAND + ROOM),
    the terms of X_(i+1) are a F, b F^3 and c F^5 without cancellation, so that it is off by at most
    u (2 a F + |b| (r + s + 3) F^3 + c (2 r + 2 s + 3) F^5) for r rows and s columns. What X_4 is off does not
    count, for the polynomial takes all of [0, BAND + ROOM] into [0, BAND].
    """
    r, columns = shape(d)
    F = r**0.5 * (BAND + ROOM)
    off = 2 * A * F - B * (r + columns + 3) * F**3 + C * (2 * r + 2 * columns + 3) * F**5
    off = u * off * (1 + 32 * d * u)  # of second order
    return off if off < ROOM else float("inf")


def start(q, new, g, p, xp):
    """The numbers of X_0."""
    ahead = [(1 - p.beta) * gi + p.beta * mi for mi, gi in zip(new[0], g, strict=True)]
    size = xp.maximum(norm(ahead, xp), p.stability)
    return [x / size for x in ahead]


def once(X):
    return flat(newton_schulz(matrix(X)))


def finish(q, X, p):
    return [(qi - p.eta * p.k * qi) - p.eta * x for qi, x in zip(q, X, strict=True)]


def update(q, buffers, g, p, xp):
    (m,) = buffers
    new = [[xp.store_buffer(p.beta * mi + (1 - p.beta) * gi) for mi, gi in zip(m, g, strict=True)]]
    X = start(q, new, g, p, xp)
    for _ in range(STEPS):
        X = once(X)
    return [xp.store(x) for x in finish(q, X, p)], new


def terms(q, buffers, new, g, p, xp):
    shrink = 1 - p.eta * p.k
    ahead = [gi + p.beta * (mi - gi) for mi, gi in zip(new[0], g, strict=True)]
    size = xp.maximum(xp.sqrt(sum(x * x for x in ahead)), p.stability)
    X = [[x / size for x in row] for row in matrix(ahead)]
    for _ in range(STEPS):
        X = quintic(X)
    of_q = {"q": [shrink * x for x in q], "the matrix": [-p.eta * x for x in flat(X)]}
    return of_q, [averaged(buffers[0], g, p.beta)]


def quintic(X: list[list]) -> list[list]:
    """The matrix a X + b X X^T X + c X X^T X X^T X, whose products are formed from the right."""
    G = product(transposed(X), X)
    cube = product(X, G)
    fifth = product(cube, G)
    parts = zip(flat(X), flat(cube), flat(fifth), strict=True)
    return matrix([A * x + B * y + C * z for x, y, z in parts])


MUON = Rule(
    name="muon",
    step=(
        "m' = beta m + (1 - beta) g,  M = (1 - beta) g + beta m'",
        "X = five steps a X + (b A + c A A) X,  A = X X^T,  from M / max(|M|, stability)",
        "q' = (q - eta k q) - eta X",
    ),
    source="Jordan et al. (2024); torch.optim.Muon, here without bfloat16",
    update=update,
    terms=terms,
    buffers=("m",),
    extra=(STABILITY,),
    covector=MOMENT_WITHOUT_DECAY,
    metric="spectral",
    fits=fits,
    iteration=Iteration(start, once, finish, STEPS, odd=(A, B, C)),
    bounded=Bounded(by=lambda n, p: BAND, norm="spectral", past=past_band),
    torch=lambda p: ("Muon", dict(lr=p.eta, momentum=p.beta, weight_decay=p.k, eps=p.stability)),
)
