"""D15 and D16, how far a step can go, and how long it is (theory.md#D15, theory.md#D16).

D15  |q'| <= |s| |q| + eta c,   |q_n| <= P_n with P' = |s| P + eta c, P_0 = |q_0|
     residual  |e| in the norm of the law, at most; B' = |s| B + |e| of the second
D16  |q' - s q| = L, or |p' - a p| = L, Euclidean
     residual  |e|, Euclidean
"""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.program import Program
from noether.kernels.programs.trace_rule import split, update_program
from noether.laws.exact import planted
from noether.laws.exact.balance import carried
from noether.laws.exact.norms import NORMS
from noether.laws.exact.terms import ExactLaw, Residual, dot, formed
from noether.laws.law import wrong
from noether.mechanics import accumulated, step_bounds
from noether.mechanics.trajectory import UNROUNDED, Trajectory


def ball_law(t: Trajectory, symmetry=None, reach: float = 1.0, decay: float = 1.0):
    """D15. `reach` scales eta c, `decay` eta k."""
    norm = t.rule.bounded.norm
    size, own = NORMS[norm](t.z)
    s = np.abs(1 - decay * (1 - t.shrink))
    longest = t.eta * furthest(t)
    step = own[1:] + s * own[:-1] + off_at_most(t) + formed(t, t.steps + 16, s * size[:-1], longest)
    one_step = s * size[:-1] + reach * longest
    from_start, bound = carried(s, size[0], step, np.broadcast_to(reach * longest, step.shape))
    bound = bound + formed(t, 4 * t.steps, from_start)
    measured = np.broadcast_to(size[1:, None], (t.steps, 2, t.lanes))
    both = lambda a, b: np.stack([a, b], axis=1)
    drawn, most = both(*[gained(t, size)] * 2), both(one_step, from_start)
    most = np.where(np.isfinite(most), most, measured)  # nothing is said where c is infinite
    return Residual(measured, most, both(step, bound), drawn, at_most=True)


def furthest(t: Trajectory) -> np.ndarray:
    """c of every step, (steps, lanes) or (lanes,); infinite where the rule says none."""
    n = np.arange(t.begun + 1, t.begun + t.steps + 1)[:, None].astype(t.z.dtype)
    with np.errstate(all="ignore"):
        c = np.asarray(t.rule.bounded.by(n, t.parameters()), t.z.dtype)
    return np.where(np.isnan(c), np.inf, c)


def gained(t: Trajectory, size) -> np.ndarray:
    """By how much |q| has come nearer to the ball |q| <= c/k from outside it, under decoupled decay; else by
    how much a step has changed it."""
    if not t.rule.decoupled:
        return np.abs(np.diff(size, axis=0))
    with np.errstate(all="ignore"):
        radius = np.max(np.broadcast_to(furthest(t), size[1:].shape), axis=0) / t.k
        return np.maximum(0, np.maximum(size[0], radius) - np.maximum(size[1:], radius))


def off_at_most(t: Trajectory) -> np.ndarray:
    """How far the q' of a right kernel may be from one that obeys the law exactly, in its norm; (steps,
    lanes)."""
    if "off_at_most" not in t.__dict__:
        found = after_the_step(t) if t.rule.bounded.past else sizes(whole_error(t), t.rule.bounded.norm)
        t.__dict__["off_at_most"] = found
    return t.__dict__["off_at_most"]


def whole_error(t: Trajectory) -> np.ndarray:
    """How far q' may be from an exact step, (steps, d, lanes): from the buffers as they are stored, and where
    the law is about averages from the start on, from buffers that were never rounded."""
    whole = update_program(t.rule, t.dim)
    program = Program(whole.dim, whole.ops, whole.outputs[: t.dim], whole.names)
    inputs = t.evidence
    if t.rule.bounded.cold:
        v = accumulated.values(t, ())
        inputs |= {"v": (v[:-1].astype(np.float64), accumulated.errors(t, v, ())[:-1])}
    return step_bounds.step_error(program, inputs, t.precision)


def after_the_step(t: Trajectory) -> np.ndarray:
    """The same where the rule says by how much a computed step may pass eta c, (steps, lanes).

    It is this, and what q' rounds after it: at most two roundings of each term, one of the sum, the store.
    """
    p, q, shrunk, after = t.precision, t.z[:-1], t.summands[0]["q"], np.abs(t.z[1:])
    longest = np.broadcast_to(t.eta * furthest(t), (t.steps, t.lanes))
    past = t.eta * t.rule.bounded.past(t.dim, p.u_arith)
    decayed = np.abs(q - shrunk) + np.abs(shrunk) if t.rule.shrinks else 0
    rounded = p.u_arith * (2 * decayed + 2 * (longest + past)[:, None] + after)
    rounded = rounded + (p.q_store != p.rounded) * p.u_q * after + 6 * (p.tiny_arith + p.tiny_q)
    return (past + sizes(rounded, t.rule.bounded.norm)).astype(float) * (1 + 32 * p.u_arith)


def sizes(error, norm: str) -> np.ndarray:
    """The norm that an error (steps, d, lanes) can have at most; of a matrix that of Frobenius is one."""
    return error.max(axis=1) if norm == "max" else np.sqrt(dot(error, error))


def from_rest(t: Trajectory, symmetry=None) -> np.ndarray:
    """(lanes,) whether all buffers start at 0, where the claim of the rule needs that."""
    return (t.v[0] == 0).all(axis=0) & (t.begun == 0) | (not t.rule.bounded.cold)


def length_law(t: Trajectory, symmetry=None, share: float = 1.0):
    """D16. `share` scales the length."""
    rows = lambda x: list(np.moveaxis(x, 1, 0))
    new = split(rows(t.v[1:]), t.dim)
    with np.errstate(all="ignore"):
        length = share * t.rule.length.by(rows(t.q[:-1]), new, rows(t.g), t.parameters(), UNROUNDED)
    if t.rule.length.of == "pull":
        off, error = t.p[1:] - t.kept_part, t.delta_p
        terms = t.p[1:], t.kept_part
    else:
        off, error = t.z[1:] - t.summands[0]["q"], length_error(t)
        terms = t.z[1:], t.z[:-1]
    measured = np.sqrt(dot(off, off))
    own = formed(t, t.dim + 12, measured, length, *(np.sqrt(dot(x, x)) for x in terms))
    return Residual(measured, length, np.sqrt(dot(error, error)) + own, length)


def length_error(t: Trajectory) -> np.ndarray:
    """How far q' may be from a step of this length, (steps, d, lanes): from the new buffers as they are
    stored, and where one of them is the step, from what that should be."""
    return t.sigma + t.delta_p if t.rule.moves_by_buffer else t.sigma


LAWS = (
    ExactLaw(
        key="D15",
        at_most=True,
        home=("product", "sign-descent"),
        title="how far a step can go",
        equation=r"|q'| \le (1 - \eta k) |q| + \eta c",
        adds="so that decoupled decay draws $q$ into the ball $|q| \\le c/k$ at the rate $1 - \\eta k$, and "
        "keeps it there; the norm and $c$ are the rule's own",
        applies="rules whose step is bounded whatever the gradient: signs, matrices, adaptive from rest",
        suits=lambda rule, symmetry: rule.bounded is not None,
        residual=ball_law,
        some=from_rest,
        blind=("everything that makes a step shorter", "the direction of a step"),
        faults=(
            planted.STILL,
            planted.NAN_IN_A_LANE,
            planted.STEP_OFF,
            *wrong("ball of half the size", "decay counted twice"),
        ),
        about_symmetry=False,
        screened=False,
    ),
    ExactLaw(
        key="D16",
        home=("product", "lamb"),
        title="how long a step is",
        equation=r"|q' - q| = \eta |q|",
        adds="each rule of this kind has a length of its own",
        applies="trust-ratio rules and normalised gradient descent",
        suits=lambda rule, symmetry: rule.length is not None,
        residual=length_law,
        blind=("the direction of a step", "the momentum"),
        faults=(planted.STILL, planted.NAN_IN_A_LANE, planted.STEP_OFF, *wrong("length off by 2^-10")),
        about_symmetry=False,
        screened=False,
    ),
)
