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

An operation of the step whose operands are those of the step before makes the same error again: eta g of a
force that is the same everywhere, beta v once v has settled, while q still moves, 3 + eps in a gradient. Such
a force is also the constant c of (6) beside the moving beta v.  (8)
"""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Program
from noether.laws.exact import act
from noether.laws.response.gradient_rounding import gradient_scatter
from noether.laws.response.one_rounding import SHORT, last_bit, place, repeated, rounded
from noether.laws.response.scatter import Scatter, in_range, repeats

PLACES = 4096  # more than there are exponents: (6) is the same for one place and one force


class Flat:
    """(steps, d, lanes) as (d, steps lanes), in which programs run, and back."""

    def __init__(self, steps: int, d: int, lanes: int):
        self.steps, self.d, self.lanes = steps, d, lanes

    def of(self, x: np.ndarray) -> np.ndarray:
        return np.moveaxis(x, 1, 0).reshape(self.d, -1)

    def back(self, x: np.ndarray) -> np.ndarray:
        return np.moveaxis(x.reshape(self.d, self.steps, self.lanes), 0, 1)

    def numbers(self, x) -> np.ndarray:
        """(steps, lanes) of one number each."""
        return np.asarray(x).reshape(self.steps, self.lanes)


def scatter(
    program: Program, precision: Precision, params, q, v, symmetry, metric: Program | None = None
) -> Scatter:
    """Of r_n for q, v (steps + 1, d, lanes) float64 of a heavy ball without decay, or of descent.

    params  eta, beta, k, eps (4, lanes), and kappa with a metric G, on which q' = q + v'/G(q); beta = 0 is
            descent
    """
    return in_range(lambda *run: formed(program, precision, *run, symmetry, metric), params, q, v)


def formed(program, precision, params, q, v, symmetry, metric) -> Scatter:
    """The same, in the type of params, q and v."""
    (eta, beta, _, eps), w = params[:4], v[1:]
    at = act(symmetry.matrix, q[:-1]) + symmetry.shift[:, None]
    flat = Flat(*at.shape)
    g = gradient_scatter(program, precision, flat.of(q[:-1]), np.tile(eps, len(at)), flat.of(at))
    kept = [(eta * flat.numbers(size), flat.numbers(m)) for size, m in g.kept]
    still = repeats(q, v)
    force = flat.back(g.values), flat.back(g.multiples)
    of_v, error, multiple, again = of_buffer(precision, eta, beta, v, *force, still)
    kept += [(at[:, i] * size[:, i], run[:, i]) for size, run in again for i in range(at.shape[1])]
    known = -eta * flat.numbers(g.known) + (at * error).sum(axis=1)
    turned, extra, move = act(symmetry.matrix.T, w), 0.0, w
    if metric is not None:
        move, of_quotient, multiple, of_G = on_metric(metric, precision, params[4], q[:-1], w, turned, flat)
        extra = flat.numbers(of_G.variance) + of_quotient
        kept += [(flat.numbers(size), flat.numbers(m)) for size, m in of_G.kept]
        known = known + flat.numbers(of_G.known)
    of_q, short = of_position(precision, q, move, multiple)
    known = known + np.where(short, turned * (q[1:] - q[:-1] - move), 0.0).sum(axis=1)
    of_store, put_by = (np.where(where, of_q, 0.0) for where in (~short, short))
    own = (at * at * of_v + turned * turned * of_store).sum(axis=1)
    whole, loose = own + eta * eta * flat.numbers(g.variance) + extra, eta * eta * flat.numbers(g.loose)
    return Scatter(whole, known, kept, still, loose, (turned * turned * put_by).sum(axis=1))


def of_buffer(precision: Precision, eta, beta, v, g, multiples, still):
    """delta but for the gradient's own: its variance, the known error, of what v' is a multiple, and (8). g
    and its multiples (steps, d, lanes); still as of `repeats`."""
    kind, w, push = precision.rounded, v[1:], beta * v[:-1]
    of_push, multiple = rounded(push, last_bit(beta) * place(v[:-1], precision.v_store), kind)
    of_pull, other = rounded(push - w, last_bit(eta) * multiples, kind)
    difference, sum_of = rounded(w, np.minimum(multiple, other), kind)
    same_v, same_g = unchanged(v[:-1], still), unchanged(g, still)
    pair, lattices = (push, eta * g), (multiple, other)
    moving, _, _, error = repeated("sub", pair, lattices, w, difference, (False, False), kind)
    beside = repeated("sub", pair, lattices, w, difference, (False, True), kind)
    alike, run = several(same_g), apart(np.cumsum(~same_g, axis=0), beside[2])
    again = [(np.where(alike, beside[1], 0.0), run)]  # (6) of a force that stays
    of_store, multiple = rounded(w, sum_of, precision.v_store)
    of_rest = np.where(alike, beside[0], moving) + of_store
    events = (of_push, same_v), (of_pull, same_g), (of_rest, same_v & same_g)
    parts = [made_again(variance, same) for variance, same in events]
    again = [pair for pair in (*again, *(part[1:] for part in parts)) if pair[0].any()]
    return sum(chance for chance, _, _ in parts), error, multiple, again


def unchanged(x: np.ndarray, still: np.ndarray) -> np.ndarray:
    """Whether a number is that of the step before, (steps, d, lanes); not where all of the state is, which
    `coherent` knows."""
    out = np.zeros(x.shape, bool)
    out[1:] = (x[1:] == x[:-1]) & ~still[1:, None]
    return out


def apart(number: np.ndarray, place: np.ndarray) -> np.ndarray:
    """One number for a whole number and a last place, a power of two: the same for the same pair alone."""
    return number * PLACES + np.frexp(place)[1]


def made_again(variance: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(8): the variance that is another in every step, the deviation of what is made again, and by a number
    which of them are the same; (steps, d, lanes) each."""
    begins, many = np.cumsum(~same, axis=0).astype(float), several(same)
    return np.where(many, 0.0, variance), np.where(many, np.sqrt(variance), 0.0), begins


def several(same: np.ndarray) -> np.ndarray:
    """Whether a step is one of several that are the same."""
    follows = np.zeros_like(same)
    follows[:-1] = same[1:]
    return same | follows


def on_metric(metric: Program, precision: Precision, kappa, q, w, turned, flat: Flat):
    """The move v'/G, the variance of its quotient, of what it is a multiple, and what G itself rounds."""
    kappa = np.tile(kappa, flat.steps)
    G = entries(metric, flat.of(q), kappa)
    move = flat.back(flat.of(w) / G)
    weights = -flat.of(turned * move) / G  # of the metric's own rounding: d(v'/G) = -(v'/G) dG/G
    of_G = gradient_scatter(metric, precision, flat.of(q), kappa, weights)
    of_quotient, multiple = rounded(move, 0.0, precision.rounded)
    exact = np.frexp(flat.back(G))[0] == 0.5  # by a power of two, as for kappa = 0
    return move, (turned * turned * np.where(exact, 0.0, of_quotient)).sum(axis=1), multiple, of_G


def of_position(precision: Precision, q, move, multiple):
    """The variance of sigma, were all of it chance; and where it is known instead, (7)."""
    moved, sum_of = rounded(q[1:], np.minimum(place(q[:-1], precision.q_store), multiple), precision.rounded)
    of_q, _ = rounded(q[1:], sum_of, precision.q_store)
    return moved + of_q, np.abs(move) <= SHORT * place(q[1:], precision.q_store)


def entries(program: Program, q, last) -> np.ndarray:
    """(d, n) the values of a program at q (d, n) and its last input, in float64 but of the type of q."""
    inputs = [x.astype(np.float64, copy=False) for x in (*q, last)]
    values = program.run(inputs[:-1], inputs[-1], Precision("float64"))
    return np.stack([np.broadcast_to(x, last.shape) for x in values]).astype(q.dtype, copy=False)
