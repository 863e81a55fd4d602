"""How far roundings scatter a charge: the variance of D2's residual, not its bound.

Rounding to a last place worth h, from a number that is a multiple of l = h/K: nothing for l >= h, else the error is
uniform over the multiples of l, ties going either way,

    variance (h^2/12) (1 + 2/K^2):   h^2/8 for K = 2, as in a sum that carries;   h^2/12 for a fine l            (1)

A product is a multiple of the product of its operands' last places, a sum of the smaller one.                  (2)
D2's residual is a linear form in the roundings of one step (theory.md#E2),

    r_n = <xi(q_n), delta_n> + <A^T v_{n+1}, sigma_n>

delta of the product beta v, of eta g, of their difference, of the gradient's own operations, of the store; sigma of
the sum and of the store. Different roundings are taken as independent.                                         (3)
What the gradient's operations add to <xi, g> goes through their adjoints, so that errors which cancel there do:
the one of |q|^2 in the Mexican hat moves g along q, which a rotation does not feel; so that one which is made twice,
in (2x)y and in 2(xy), adds up.                                                                                 (4)

The errors of (1) are sums of independent signs, +-h/4, +-h/8, ..., hence sub-Gaussian with their own variance as proxy
(W. Hoeffding 1963): beyond t standard deviations of a sum lies less than 2 exp(-t^2/2), whatever its shape.   (5)
"""

from __future__ import annotations

import numpy as np

from harness.bounds import PASS, arithmetic_unit
from harness.laws import act
from kernels.elementary import EXP_UNITS, LOG_UNITS
from kernels.precision import SUBNORMAL, UNIT, Precision
from kernels.program import Program

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
    """(1): the variance of rounding x, a multiple of `lattice`, to `kind`; and of what the result is a multiple."""
    h = place(x, kind)
    with np.errstate(all="ignore"):
        share = lattice / h
        return np.where((share < 1) & (x != 0), h * h / 12 * (1 + 2 * share * share), 0.0), np.maximum(lattice, h)


def step_variance(program: Program, precision: Precision, params, q, v, symmetry, metric: Program | None = None) -> np.ndarray:
    """(steps, lanes) variance of r_n for q, v (steps + 1, d, lanes) float64 of a heavy ball without decay, or of descent.

    params  eta, beta, k, eps (4, lanes), and kappa with a metric G, on which q' = q + v'/G(q); beta = 0 is descent
    """
    eta, beta, _, eps = params[:4]
    kind, w = precision.rounded, v[1:]
    at = act(symmetry.matrix, q[:-1]) + symmetry.shift[:, None]
    steps, d, lanes = at.shape
    flat = lambda x: np.moveaxis(x, 1, 0).reshape(d, -1)  # noqa: E731
    back = lambda x: np.moveaxis(x.reshape(d, steps, lanes), 0, 1)  # noqa: E731
    of_gradient, of_g = gradient_variance(program, precision, flat(q[:-1]), np.tile(eps, steps), flat(at))
    push = beta * v[:-1]
    of_push, multiple = rounded(push, last_bit(beta) * place(v[:-1], precision.v_store), kind)
    of_pull, other = rounded(push - w, last_bit(eta) * back(of_g), kind)
    difference, multiple = rounded(w, np.minimum(multiple, other), kind)
    of_v, multiple = rounded(w, multiple, precision.v_store)
    turned, extra = act(symmetry.matrix.T, w), 0.0
    if metric is not None:
        G = entries(metric, flat(q[:-1]), np.tile(params[4], steps))
        move = back(flat(w) / G)
        weights = -flat(turned * move) / G  # of the metric's own rounding: d(v'/G) = -(v'/G) dG/G
        of_G, _ = gradient_variance(metric, precision, flat(q[:-1]), np.tile(params[4], steps), weights)
        of_quotient, multiple = rounded(move, 0.0, kind)
        extra = of_G.reshape(steps, lanes) + (turned * turned * of_quotient).sum(axis=1)
    moved, sum_of = rounded(q[1:], np.minimum(place(q[:-1], precision.q_store), multiple), kind)
    of_q, _ = rounded(q[1:], sum_of, precision.q_store)
    own = (at * at * (of_push + of_pull + difference + of_v) + turned * turned * (moved + of_q)).sum(axis=1)
    return own + eta * eta * of_gradient.reshape(steps, lanes) + extra


def entries(program: Program, q, last) -> np.ndarray:
    """(d, n) the values of a program at q (d, n) and its last input, in float64."""
    return np.stack([np.broadcast_to(x, last.shape) for x in program.run(list(q), last, Precision("float64"))])


def gradient_variance(program: Program, precision: Precision, q, eps, weights) -> tuple[np.ndarray, np.ndarray]:
    """(n,) variance of the rounding of <weights, g>, by the adjoint of each operation, (4); (d, n) multiples of g."""
    values, multiples, variances = [], [], []
    kind = precision.rounded
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
        for kept, new in ((values, value), (multiples, multiple), (variances, variance)):
            kept.append(new)
    adjoints: list = [None] * len(values)
    give = lambda at, share: adjoints.__setitem__(at, share if adjoints[at] is None else adjoints[at] + share)  # noqa: E731
    for output, weight in zip(program.outputs, weights, strict=True):
        give(output, weight)
    groups: dict[tuple, list] = {}
    for at in reversed(range(len(values))):
        op, g = program.ops[at], adjoints[at]
        if g is None or not op.args:
            continue
        first = groups.setdefault(digits(values[at]), [values[at], variances[at], 0.0])
        with np.errstate(all="ignore"):
            first[2] = first[2] + np.where(first[0] == 0, 0.0, g * (values[at] / first[0]))
        for i, partial in zip(op.args, PARTIALS[op.name]([values[i] for i in op.args], values[at]), strict=True):
            give(i, g * partial)
    total = sum((weight * weight * variance for _, variance, weight in groups.values()), np.zeros_like(eps))
    return total, np.stack([np.broadcast_to(multiples[i], eps.shape) for i in program.outputs])


def digits(x: np.ndarray) -> tuple:
    """Values that differ by a power of two have the same digits, and their roundings are one: (2x)y and 2(xy)."""
    return tuple(np.abs(np.frexp(x[:: max(1, len(x) // 16)])[0]))


def repeats(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(steps, lanes) whether a step begins where the one before did; q, v (steps + 1, d, lanes)."""
    same = np.zeros((len(q) - 1, q.shape[2]), bool)
    same[1:] = ((q[1:-1] == q[:-2]) & (v[1:-1] == v[:-2])).all(axis=1)
    return same


def coherent(x: np.ndarray, variance: np.ndarray, same: np.ndarray) -> np.ndarray:
    """(lanes,) variance of sum_n x_n r_n; x, variance, same (steps, lanes).

    A step from the same state as the step before makes the same errors: a narrow store that stands still repeats them,
    and their sum grows with the number of steps and not with its root.                                              (6)
    """
    total, run, before = np.zeros(x.shape[1]), np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for now, again, size in zip(x, same, variance, strict=True):
        total = total + np.where(again, 0.0, run * run * before)
        run, before = np.where(again, run, 0.0) + now, size
    return total + run * run * before
