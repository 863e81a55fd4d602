"""Faults of rules that look at a step as a whole: its sign, its norm, its matrix, its mixture.

    sign     q' = q - eta sign(c),  c = beta m + (1 - beta) g
    norm     q' = q - eta |q| u/|u|
    matrix   X' = a X + (b A + c A A) X,  A = X X^T
    mixture  y = log(c exp a + (1 - c) exp(-eta g))

Each wrong line stands beside the right one (noether.faults.lines).
"""

from __future__ import annotations

from noether.cases.matrices import shape
from noether.faults.fault import Fault, on
from noether.faults.lines import line, numbers

SIGN, TRUST, MATRIX, MIXTURE = "sign of the momentum", "trust ratio", "matrix", "mixture"


def square(job) -> bool:
    """Whether the parameters are a square matrix."""
    rows, columns = shape(len(job.q0))
    return rows == columns > 1


SIGNS = (
    line(
        "sign of the gradient alone",
        SIGN,
        "sign g for sign c",
        {"zip(q, c, strict=True)": "zip(q, g, strict=True)"},
    ),
    line(
        "sign of the momentum kept",
        SIGN,
        "sign m' for sign c",
        {"zip(q, c, strict=True)": "zip(q, kept, strict=True)"},
    ),
    line(
        "sign of the old momentum",
        SIGN,
        "sign m for sign m'",
        {"zip(q, kept, strict=True)": "zip(q, m, strict=True)"},
        where=on(rule="signum"),
    ),
    line("sign of the momentum ignored", SIGN, "c for sign c", {"xp.sign(_c)": "_c"}, where=on(carries=True)),
    line(
        "sign with the memory of the momentum kept",
        SIGN,
        "beta2 for beta in c",
        {"p.beta * mi + (1 - p.beta) * gi": "p.beta2 * mi + (1 - p.beta2) * gi"},
        where=on(rule="lion"),
    ),
)
NORMS = (
    line(
        "trust ratio of the largest component",
        TRUST,
        "max |q_i| for |q|",
        {"norm(q, xp)": "largest(q, xp)"},
    ),
    line(
        "length of the largest component",
        TRUST,
        "max |g_i| for |g|",
        {"norm(g, xp)": "largest(g, xp)"},
        {"norm(u, xp)": "largest(u, xp)"},
    ),
    line(
        "trust ratio ignored",
        "ignored option",
        "eta alone",
        {"p.eta * (norm(q, xp) / _u)": "p.eta"},
        {"p.eta * ratio(q, g, p, xp)": "p.eta"},
    ),
    line("trust ratio upside down", TRUST, "|u|/|q| for |q|/|u|", {"norm(q, xp) / _u": "_u / norm(q, xp)"}),
    line(
        "decay left out of the norm",
        TRUST,
        "what k adds to it",
        {"norm(u, xp)": "norm(adam, xp)"},
        {"norm(g, xp) + p.k * size": "norm(g, xp)"},
        where=on(decays=True),
    ),
    line("length squared", TRUST, "|g|^2 for |g|", {"norm(g, xp)": "norm(g, xp) * norm(g, xp)"}),
    numbers(
        "trust coefficient ignored", TRUST, "1 for the coefficient", ("trust",), lambda rows: 0 * rows + 1
    ),
)
MATRICES = (
    line(
        "coefficient of the iteration x (1 + 2^-10)",
        MATRIX,
        "c of X^5",
        {"B * x + C * y": "B * x + C * 1.0009765625 * y"},
    ),
    line("coefficients of the iteration exchanged", MATRIX, "b for c", {"B * x + C * y": "C * x + B * y"}),
    line(
        "iteration of the third order",
        MATRIX,
        "3/2 X - 1/2 X X^T X",
        {"B * x + C * y": "-0.5 * x", "A * x + y": "1.5 * x + y"},
    ),
    line("one iteration less", MATRIX, "four steps for five", {"range(STEPS)": "range(STEPS - 1)"}),
    line("one iteration more", MATRIX, "six steps for five", {"range(STEPS)": "range(STEPS + 1)"}),
    line("matrix not normalised", MATRIX, "M for M/|M|", {"[x / size for x in ahead]": "ahead"}),
    line(
        "matrix normalised by its largest number",
        MATRIX,
        "max |M_ij| for |M|",
        {"norm(ahead, xp)": "largest(ahead, xp)"},
        {"norm(m, xp)": "largest(m, xp)"},
    ),
    line(
        "matrix transposed on one side",
        MATRIX,
        "X^T X for X X^T",
        {"kept(gram(X))": "kept(gram(transposed(X)))"},
        where=square,
    ),
    line(
        "matrix written by columns",
        MATRIX,
        "X^T for X",
        {"flat(newton_schulz(_X))": "flat(transposed(newton_schulz(_X)))"},
    ),
    line(
        "matrix of the momentum",
        MATRIX,
        "m' for (1 - beta) g + beta m'",
        {"(1 - p.beta) * gi + p.beta * mi": "mi"},
    ),
    line(
        "determinant left out of the trace", MATRIX, "sqrt(trace + s) for sqrt(trace + 2 s)", {"s + s": "s"}
    ),
    line(
        "inverse root of another sign", MATRIX, "b for -b beside the diagonal", {"-(b / below)": "b / below"}
    ),
    line(
        "left and right exchanged",
        MATRIX,
        "R^(-1/4) V L^(-1/4)",
        {"product(product(left, matrix(w)), right)": "product(product(right, matrix(w)), left)"},
    ),
    line("one statistic for both sides", MATRIX, "G G^T for G^T G", {"gram(transposed(G))": "gram(G)"}),
)
MIRRORS = (
    line(
        "growth of the step one step early",
        MIXTURE,
        "(n + 1)/r for n/r",
        {"n / R": "(n + 1) / R"},
    ),
    line(
        "weights of the mixture exchanged",
        MIXTURE,
        "1 - c for c",
        {"p.c * xp.exp(_a) + p.rest * xp.exp(_b)": "p.rest * xp.exp(_a) + p.c * xp.exp(_b)"},
    ),
)
FAULTS: tuple[Fault, ...] = (*SIGNS, *NORMS, *MATRICES, *MIRRORS)
