"""Which term of the update, or which rounding, explains a residual of D0 (theory.md#D0).

    v' = beta v - eta (g + k q) + r_v,    q' = s q + v' + r_q

A single term x explains r when some c leaves, in every component at every point,

    |r - c x| <= (1 + |c|) b + 2 u (|predicted| + |c x|)  (1)

with b the bound of D0: the rounding of a step whose term is (1 + c) times what it must be is at most (1 +
|c|) times that of the right step, and one that adds c x apart rounds two sums more, each no larger than what
it adds. c is the least-squares one in units of b, hence known to within sum |x/b| (1)/b / sum (x/b)^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from noether.mechanics.trajectory import Trajectory

BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
WHOLE = "the whole"
FEWEST = 4  # values: fewer are short, or rounded to one side, by chance


@dataclass(frozen=True)
class Fit:
    """A sum of terms fitted to the residual r of a step: r = sum c x.

    of       v' or q'
    terms    the names of the x;  factors  their c;  within  how well each c is known
    share    of the components that the fit leaves within their bound;  left  the rms of the rest, in bounds
    """

    of: str
    terms: tuple[str, ...]
    factors: tuple[float, ...]
    within: tuple[float, ...]
    share: float
    left: float

    @property
    def explains(self) -> bool:
        """Whether every component is left within its bound."""
        return self.share == 1


@dataclass(frozen=True)
class Points:
    """The components of D0 that are fitted, at n chosen points (step, lane); arrays are (components, n).

    of         v' or q'
    r, b       the residual and its bound;  value, predicted  what was stored and what was to be stored
    unit       roundoff of the store;  bad  where the bound is exceeded
    terms      what could be in r, by name;  owed  the names of those that the right step has
    """

    of: str
    r: np.ndarray
    b: np.ndarray
    value: np.ndarray
    predicted: np.ndarray
    unit: float
    bad: np.ndarray
    terms: dict[str, np.ndarray]
    owed: frozenset[str]


def points_of(t: Trajectory, residual, spent: np.ndarray, of: str, at: tuple, wrong: np.ndarray) -> Points:
    """The Points of v' or q' of a trajectory.

    residual  that of D0;  spent  (steps, 2 d, lanes)
    at        (steps, lanes) of the points
    wrong     (d,) bool: the components that are fitted
    """
    n, lane = at
    d = t.z.shape[1]
    half = parts(t)[of]
    pick = lambda x: np.asarray(np.broadcast_to(x, (t.steps, d, t.lanes))[n, :, lane].T[wrong], np.longdouble)
    buffer = half.start // d
    terms, owed = terms_of_q(t) if of == "q'" else terms_of_v(t, buffer, residual.predicted[:, half])
    found = {name: pick(x) for name, x in terms.items()}
    bound, measured, predicted = (
        pick(x[:, half]) for x in (residual.bound, residual.measured, residual.predicted)
    )
    r, bad = pick((residual.measured - residual.predicted)[:, half]), pick(spent[:, half] > 1) > 0
    unit = t.precision.u_q if of == "q'" else t.precision.u_v
    terms = {name: x for name, x in found.items() if x.any()}
    return Points(of, r, bound, measured, predicted, unit, bad, terms, frozenset(owed))


def parts(t: Trajectory) -> dict[str, slice]:
    """The components of D0 by what they are of: each new buffer, v' as a rule, then q'."""
    d = t.z.shape[1]
    return {f"{name}'": slice(i * d, (i + 1) * d) for i, name in enumerate((*t.rule.buffers, "q"))}


def terms_of_v(t: Trajectory, buffer: int, whole: np.ndarray) -> tuple[dict[str, np.ndarray], set[str]]:
    """What could be in the residual of a new buffer, (steps, d, lanes) by name, and what of it belongs there.

    whole  (steps, d, lanes): the right one
    """
    mine, rows = t.summands[1][buffer], slice(buffer * t.dim, (buffer + 1) * t.dim)
    terms, owed = dict(mine), {WHOLE, *mine}
    if t.rule.covector and t.charged == rows:
        away = lambda g: t.pulled(0 * t.g) - t.pulled(g)
        terms |= {"the breaking term": away(t.eps * t.g_broken), "the symmetric gradient": away(t.g_kept)}
        terms |= {"eta": -t.pull}
        owed |= {"the breaking term", "the symmetric gradient", "eta"}
    # What the step might have and has not.
    terms.setdefault("the momentum term", t.beta * t.v[:-1, rows])
    terms.setdefault("the decay", -t.eta * t.k * t.q[:-1])
    return terms | {WHOLE: whole, "v": t.v[:-1, rows], "q": t.z[:-1]}, owed


def terms_of_q(t: Trajectory) -> tuple[dict[str, np.ndarray], set[str]]:
    """What could be in the residual of q', (steps, d, lanes) by name, and which of it belongs in q'."""
    mine, old, new = t.summands[0], t.v[:-1, : t.dim], t.v[1:, : t.dim]
    might = {"v'": new, "v": old, "the decay": -t.eta * t.k * t.q[:-1]}
    might |= {"the decay of q + v'": -t.eta * t.k * (t.z[:-1] + new)}
    owed = {*mine} | ({"the decay"} if t.rule.shrinks else set())
    return might | mine | {"q": t.z[:-1]}, owed


def fit(p: Points, names: tuple[str, ...]) -> Fit | None:
    """The fit of these terms by least squares in units of the bound, (1); None where they are parallel."""
    X = np.stack([(p.terms[name] / p.b).ravel() for name in names]).astype(float)
    y = (p.r / p.b).ravel().astype(float)
    gram = X @ X.T
    size = np.sqrt(np.outer(gram.diagonal(), gram.diagonal()))
    if not np.isfinite(gram).all() or np.linalg.cond(gram / size) > 1e12:
        return None
    inverse = np.linalg.inv(gram)
    c = inverse @ (X @ y)
    parts = [ci * p.terms[name] for ci, name in zip(c.astype(np.longdouble), names, strict=True)]
    room = 1 + np.abs(c).sum() + 2 * p.unit * (np.abs(p.predicted) + sum(map(np.abs, parts))) / p.b
    left = np.abs(p.r - sum(parts)) / p.b
    within = np.abs(inverse @ X) @ room.ravel().astype(float)
    factors, known = tuple(map(float, c)), tuple(map(float, within))
    rms = float(np.sqrt(np.mean(left.astype(float) ** 2)))
    return Fit(p.of, names, factors, known, float((left <= room).mean()), rms)


def fits(p: Points) -> list[Fit]:
    """The single terms that explain, best first; else the pairs that do; else the single term that is
    nearest."""
    with np.errstate(all="ignore"):
        for size in (1, 2):
            found = [f for names in combinations(p.terms, size) if (f := fit(p, names)) is not None]
            good = sorted((f for f in found if f.explains), key=told_first)
            if good:
                return good
            if size == 1:
                best = sorted(found, key=lambda f: -f.share)[:1]
    return best


def told_first(f: Fit) -> tuple:
    """Of what leaves as little, in digits that are no rounding, a term of its own before the sum of all."""
    return float(f"{f.left:.6g}"), WHOLE in f.terms


# ---- words


def words(f: Fit, owed: frozenset[str]) -> str:
    """What a fit says in words: `the gradient in v' is 1 + 2^-10 times what it must be`."""
    said = []
    for name, c, within in zip(f.terms, f.factors, f.within, strict=True):
        if name in owed:
            factor = figure(1 + c, within)
            what = f"{f.of} as a whole" if name == WHOLE else f"{name} in {f.of}"
            found = "missing" if factor == "0" else f"{factor} times what it must be"
            said.append(f"{what} is {found}")
        else:
            times = figure(c, within)
            held = name if times == "1" else f"{times} times {name}"
            said.append(f"{f.of} holds {held}, which must not be there")
    return " and ".join(said)


def figure(x: float, within: float) -> str:
    """A number as the simplest that it can be: a small one, 1 + 2^-j, or as many digits as are known."""
    for simple in (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5):
        if abs(x - simple) <= within < 0.1:
            return f"{simple:g}"
    if 0 < abs(x - 1) < 1 / 8:
        j = -math.log2(abs(x - 1))
        sign, power = "+" if x > 1 else "-", round(j)
        if abs(abs(x - 1) - 2.0**-power) <= within < 2.0**-power / 8:
            return f"1 {sign} 2^-{power}"
    digits = max(2, min(8, 1 - math.floor(math.log10(within / max(abs(x), 1e-300))))) if within > 0 else 8
    return f"{x:.{digits}g}"


# ---- roundings


def significant(x: np.ndarray) -> np.ndarray:
    """How many bits a number has from the first to the last one that is set; 0 for zero."""
    mantissa, _ = np.frexp(np.asarray(x, np.float64))
    whole = np.abs(np.rint(mantissa * 2.0**53)).astype(np.int64)
    return np.where(whole == 0, 0, 53 - np.log2(np.maximum(whole & -whole, 1)).astype(np.int64))


def rounding(p: Points, store: str) -> list[str]:
    """What the wrong values themselves show: fewer bits than their store has, or a rounding to one side."""
    value, r = p.value[p.bad].astype(np.float64), p.r[p.bad].astype(np.float64)
    fine = np.isfinite(value) & np.isfinite(r) & (value != 0)
    value, r = value[fine], r[fine]
    if len(value) < FEWEST:
        return []
    out, bits = [], int(significant(value).max())
    narrower = [name for name, n in BITS.items() if bits <= n < BITS[store]]
    if narrower:
        name = min(narrower, key=lambda n: BITS[n])
        out.append(
            f"each wrong {p.of} has at most {bits} significant bits, {store} has {BITS[store]}: it was "
            f"rounded to {name}"
        )
    ulp = 2.0 ** (np.frexp(value)[1] - BITS[min(narrower, key=lambda n: BITS[n]) if narrower else store])
    if (np.abs(r) < ulp * 1.125).all() and (np.sign(r) == np.sign(r * 0 - value)).all():
        out.append(
            f"each wrong {p.of} is nearer to zero, by less than one unit in the last place: it was truncated"
        )
    return out
