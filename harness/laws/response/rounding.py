"""How far roundings scatter a charge: the variance of D2's residual, not its bound.

Rounding to a last place worth h, from a number that is a multiple of l = h/K: nothing for l >= h, else the
error is uniform over the multiples of l, ties going either way,

    variance (h^2/12) (1 + 2/K^2):   h^2/8 for K = 2, as in a sum that carries;   h^2/12 for a fine l  (1)

A product is a multiple of the product of its operands' last places, a sum of the smaller one.  (2)
D2's residual is a linear form in the roundings of one step (theory.md#E2),

    r_n = <xi(q_n), delta_n> + <A^T v_{n+1}, sigma_n>

delta of the product beta v, of eta g, of their difference, of the gradient's own operations, of the store;
sigma of the sum and of the store. Different roundings are taken as independent.  (3)
What the gradient's operations add to <xi, g> goes through their adjoints, so that errors which cancel there
do: the one of |q|^2 in the Mexican hat moves g along q, which a rotation does not feel; so that one which is
made twice, in (2x)y and in 2(xy), adds up.  (4)

The errors of (1) are sums of independent signs, +-h/4, +-h/8, ..., hence sub-Gaussian with their own variance
as proxy (W. Hoeffding 1963): beyond t standard deviations of a sum lies less than 2 exp(-t^2/2), whatever its
shape.  (5)

Two errors of a sum a + c, a a multiple of l, are the same from step to step, and add up with their number: c
is the same number in every step (eps/8 beside a moving one): what c has below m = min(l, h) is rounded alike
as long as m is the same, with a variance of m^2/12 from lane to lane; what is left of (1) is chance,
h^2/12 - m^2/12  (6)
c is not much larger than h, and l no smaller: the error round(c) - c is then known, and no chance at all  (7)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.kernels.programs.elementary import EXP_UNITS, LOG_UNITS
from noether.kernels.programs.precision import SUBNORMAL, UNIT, Precision
from noether.kernels.programs.program import Program
from noether.laws.exact import act
from noether.laws.response.scatter import Scatter, repeats
from noether.mechanics.bounds import PASS, arithmetic_unit

SHORT = 64.0  # places below which (7) is taken: a value of this size is known to 2^-47 of a place in float64
UNITS = {"exp": EXP_UNITS, "log": LOG_UNITS}
PARTIALS = {
    "neg": lambda x, z: (-1.0,),
    "add": lambda x, z: (1.0, 1.0),
    "sub": lambda x, z: (1.0, -1.0),
    "mul": lambda x, z: (x[1], x[0]),
    "div": lambda x, z: (1 / x[1], -z / x[1]),
    "exp": lambda x, z: (z,),
    "log": lambda x, z: (1 / x[0],),
    "sqrt": lambda x, z: (1 / (2 * z),),
    "step": lambda x, z: (0.0,),
}
LATTICE = {
    "mul": lambda l: l[0] * l[1],
    "add": lambda l: np.minimum(*l),
    "sub": lambda l: np.minimum(*l),
    "neg": lambda l: l[0],
    "step": lambda l: 1.0,  # 0 or 1, neither of them rounded
}  # (2)


def place(x: np.ndarray, kind: str) -> np.ndarray:
    """What the last place of x is worth in `kind`; infinite for 0, a multiple of everything."""
    return np.where(x == 0, np.inf, np.maximum(np.ldexp(UNIT[kind], np.frexp(x)[1]), SUBNORMAL[kind]))


def last_bit(x: np.ndarray) -> np.ndarray:
    """What the last bit of x that is set is worth: of a parameter or a constant, which may be short."""
    fraction, exponent = np.frexp(x)
    whole = np.ldexp(fraction, 53).astype(np.int64)
    return np.where(x == 0, np.inf, np.ldexp((whole & -whole).astype(float), exponent - 53))


def rounded(x: np.ndarray, lattice, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(1): the variance of rounding x, a multiple of `lattice`, to `kind`; and of what the result is a
    multiple."""
    h = place(x, kind)
    with np.errstate(all="ignore"):
        share = lattice / h
        return np.where((share < 1) & (x != 0), h * h / 12 * (1 + 2 * share * share), 0.0), np.maximum(
            lattice, h
        )


@np.errstate(all="ignore")  # of lanes that overflow, which are outside
def scatter(
    program: Program, precision: Precision, params, q, v, symmetry, metric: Program | None = None
) -> Scatter:
    """Of r_n for q, v (steps + 1, d, lanes) float64 of a heavy ball without decay, or of descent.

    params  eta, beta, k, eps (4, lanes), and kappa with a metric G, on which q' = q + v'/G(q); beta = 0 is
            descent
    """
    eta, beta, _, eps = params[:4]
    kind, w = precision.rounded, v[1:]
    at = act(symmetry.matrix, q[:-1]) + symmetry.shift[:, None]
    steps, d, lanes = at.shape
    flat = lambda x: np.moveaxis(x, 1, 0).reshape(d, -1)
    back = lambda x: np.moveaxis(x.reshape(d, steps, lanes), 0, 1)
    of_gradient = gradient_scatter(program, precision, flat(q[:-1]), np.tile(eps, steps), flat(at))
    over = lambda x: np.asarray(x).reshape(steps, lanes)
    kept, known = (
        [(eta * over(size), over(m)) for size, m in of_gradient.kept],
        -eta * over(of_gradient.known),
    )
    push = beta * v[:-1]
    of_push, multiple = rounded(push, last_bit(beta) * place(v[:-1], precision.v_store), kind)
    of_pull, other = rounded(push - w, last_bit(eta) * back(of_gradient.multiples), kind)
    pull = eta * back(of_gradient.values)
    difference, sum_of = rounded(w, np.minimum(multiple, other), kind)
    difference, _, _, error = repeated(
        "sub", (push, pull), (multiple, other), w, difference, (False, False), kind
    )
    multiple, known = sum_of, known + (at * error).sum(axis=1)
    of_v, multiple = rounded(w, multiple, precision.v_store)
    turned, extra, move = act(symmetry.matrix.T, w), 0.0, w
    if metric is not None:
        G = entries(metric, flat(q[:-1]), np.tile(params[4], steps))
        move = back(flat(w) / G)
        weights = -flat(turned * move) / G  # of the metric's own rounding: d(v'/G) = -(v'/G) dG/G
        of_G = gradient_scatter(metric, precision, flat(q[:-1]), np.tile(params[4], steps), weights)
        of_quotient, multiple = rounded(move, 0.0, kind)
        exact = np.frexp(back(G))[0] == 0.5  # by a power of two, as for kappa = 0
        extra = over(of_G.variance) + (turned * turned * np.where(exact, 0.0, of_quotient)).sum(axis=1)
        kept, known = kept + [(over(size), over(m)) for size, m in of_G.kept], known + over(of_G.known)
    moved, sum_of = rounded(q[1:], np.minimum(place(q[:-1], precision.q_store), multiple), kind)
    of_q, _ = rounded(q[1:], sum_of, precision.q_store)
    short = np.abs(move) <= SHORT * place(q[1:], precision.q_store)
    known = known + np.where(short, turned * (q[1:] - q[:-1] - move), 0.0).sum(axis=1)
    of_store, put_by = (np.where(where, moved + of_q, 0.0) for where in (~short, short))
    own = (at * at * (of_push + of_pull + difference + of_v) + turned * turned * of_store).sum(axis=1)
    whole, loose = own + eta * eta * over(of_gradient.variance) + extra, eta * eta * over(of_gradient.loose)
    return Scatter(whole, known, kept, repeats(q, v), loose, (turned * turned * put_by).sum(axis=1))


def entries(program: Program, q, last) -> np.ndarray:
    """(d, n) the values of a program at q (d, n) and its last input, in float64."""
    return np.stack(
        [np.broadcast_to(x, last.shape) for x in program.run(list(q), last, Precision("float64"))]
    )


@dataclass
class OfGradient:
    """As Scatter, of <weights, g>, (n,) each;  values and multiples (d, n) of g."""

    variance: np.ndarray
    known: np.ndarray
    kept: list[tuple[np.ndarray, np.ndarray]]
    multiples: np.ndarray
    values: np.ndarray
    loose: np.ndarray


@np.errstate(all="ignore")
def gradient_scatter(program: Program, precision: Precision, q, eps, weights) -> OfGradient:
    """Rounding of <weights, g>, by the adjoint of each operation, (4)."""
    values, multiples, variances, loose = [], [], [], np.zeros_like(eps)
    kind, alone, again = precision.rounded, stationary(program), {}
    for op in program.ops:
        x, multiple, variance = [values[i] for i in op.args], [multiples[i] for i in op.args], 0.0
        if op.name == "input":
            value = [*q, eps][op.value]
            multiple = place(value, precision.q_store) if op.value < len(q) else last_bit(value)
        elif op.name == "const":
            value = np.full_like(eps, op.value)
            multiple = last_bit(value)
        else:
            value = PASS[op.name](x, [0.0, 0.0])[0]
            lattice = LATTICE[op.name](multiple) if op.name in LATTICE else 0.0
            variance, multiple = rounded(value, lattice, kind)
            if op.name in UNITS:
                furthest = UNITS[op.name] * arithmetic_unit(precision) * value
                variance = furthest * furthest / 3 + (variance if precision.eager else 0.0)
            if op.name in ("add", "sub"):
                constant = [alone[i] for i in op.args]
                variance, *again[len(values)] = repeated(
                    op.name, x, [multiples[i] for i in op.args], value, variance, constant, kind
                )
        for kept, new in ((values, value), (multiples, multiple), (variances, variance)):
            kept.append(new)
    known, kept = np.zeros_like(eps), []
    adjoints: list = [None] * len(values)
    give = lambda at, share: adjoints.__setitem__(at, share if adjoints[at] is None else adjoints[at] + share)
    for output, weight in zip(program.outputs, weights, strict=True):
        give(output, weight)
    groups: dict[tuple, list] = {}
    for at in reversed(range(len(values))):
        op, g = program.ops[at], adjoints[at]
        if g is None or not op.args:
            continue
        if at in again:
            size, m, error = again[at]
            known = known + g * error
            if np.any(size):
                kept.append((g * size, m))
        if np.any(variances[at]):
            first = groups.setdefault(digits(values[at]), [values[at], 0.0, 0.0])
            with np.errstate(all="ignore"):
                ratio = np.where(first[0] == 0, 0.0, values[at] / first[0])
                first[1] = np.maximum(first[1], np.where(ratio == 0, 0.0, variances[at] / (ratio * ratio)))
                first[2] = first[2] + np.where(variances[at] > 0, g * ratio, 0.0)
            if op.name in UNITS:
                loose = loose + g * g * variances[at]
        for i, partial in zip(
            op.args, PARTIALS[op.name]([values[i] for i in op.args], values[at]), strict=True
        ):
            give(i, g * partial)
    total = sum((weight * weight * variance for _, variance, weight in groups.values()), np.zeros_like(eps))
    of = lambda x: np.stack([np.broadcast_to(x[i], eps.shape) for i in program.outputs])
    return OfGradient(total, known, kept, of(multiples), of(values), np.minimum(loose, total))


def stationary(program: Program) -> list[bool]:
    """Whether each operation is the same in every step: it reads no position."""
    out: list[bool] = []
    for op in program.ops:
        out.append(op.value >= program.dim if op.name == "input" else all(out[a] for a in op.args))
    return out


def repeated(name: str, x, multiple, value, variance, constant, kind: str):
    """(6) and (7) of one sum: the variance that is left; size and place of what is kept; the known error."""
    h = np.broadcast_to(place(value, kind), value.shape)
    size, m, error = np.zeros_like(value), np.zeros_like(value), np.zeros_like(value)
    if name == "add":
        variance = np.where(x[0] == x[1], 0.0, variance)  # a double is exact
    if not np.any(variance):
        return variance, size, m, error
    if any(constant) and not all(constant):
        c, l = (x[0], multiple[1]) if constant[0] else (x[1], multiple[0])
        m = np.minimum(l, h)
        here = (last_bit(c) < m) & (variance > 0)
        size = np.where(here, m / np.sqrt(12), 0.0)
        variance = np.where(here, np.maximum(h * h - m * m, 0.0) / 12, variance)
    for c, l in ((x[1], multiple[0]), (x[0], multiple[1])):
        short = (np.abs(c) <= SHORT * h) & (l >= h) & np.isfinite(h)
        unit = np.where(np.isfinite(h), h, 1.0)
        off = unit * np.round(np.where(short, c, 0.0) / unit) - c
        tie = np.abs(off) == unit / 2  # up or down, as the other's last bit has it
        sign = -1.0 if name == "sub" and c is x[1] else 1.0
        error = np.where(short, np.where(tie, 0.0, sign * off), error)
        size, variance = np.where(short, 0.0, size), np.where(short, np.where(tie, h * h / 4, 0.0), variance)
    return variance, size, m, error


def digits(x: np.ndarray) -> tuple:
    """Values that differ by a power of two have the same digits, and their roundings are one: (2x)y and
    2(xy)."""
    return tuple(np.abs(np.frexp(x[:: max(1, len(x) // 16)])[0]))
