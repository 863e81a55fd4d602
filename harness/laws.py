"""The exact discrete laws: each equation once, with its own bound (theory.md section 3 and 4).

Notation of every law: q = q_n, w = v_{n+1}, s = 1 - eta k for decoupled decay (else 1), xi = A q + a, f the
force that enters v (c (+-g + k q), k q when coupled, c of a dampened rule, - where it maximises), y the move of q (w; for
Nesterov beta w - eta f). delta, sigma bound the rounding of v and of q. A residual is judged in units of its bound; its own rounding, in the trajectory's arithmetic, is in the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cases.case import Case, Symmetry
from harness.trajectory import Trajectory
from kernels.rules import Rule

MOTION = 16.0  # a charge, or a path, below this many bounds proves nothing


@dataclass
class Residual:
    """measured - predicted, its bound and the size of what it is about; (steps, lanes) or (steps, d, lanes)."""

    measured: np.ndarray
    predicted: np.ndarray
    bound: np.ndarray
    signal: np.ndarray


@dataclass(frozen=True)
class ExactLaw:
    """key, title, equation, and:

    suits     suits(rule, symmetry) -> bool, known before anything runs
    residual  residual(trajectory, symmetry, **flaws) -> Residual
    blind     what the law cannot see
    some      some(trajectory, symmetry) -> (lanes,) bool, where a law that suits covers some lanes only
    """

    key: str
    title: str
    equation: str
    suits: Callable
    residual: Callable
    blind: tuple[str, ...]
    some: Callable | None = None
    about_symmetry: bool = True

    def covers(self, t: Trajectory, symmetry) -> np.ndarray:
        """(lanes,) where the law speaks of this trajectory."""
        fits = self.suits(t.rule, symmetry)
        return self.some(t, symmetry) if fits and self.some else np.full(t.lanes, fits)

    def concerns(self, case: Case, rule: Rule) -> bool:
        """Whether the law says anything of a case under a rule."""
        return any(self.suits(rule, s) for s in (case.symmetries if self.about_symmetry else (None,)))


def dot(x, y):
    """Sum over components, axis 1."""
    return (x * y).sum(axis=1)


def act(M, x):
    """M x for x (n, d, lanes), by the entries that are not zero: they are few, and longdouble has no fast product."""
    out = np.zeros_like(x)
    for i, j in zip(*np.nonzero(M), strict=True):
        out[:, i] += x.dtype.type(M[i, j]) * x[:, j]
    return out


def xi(symmetry: Symmetry, q):
    return act(symmetry.matrix, q) + symmetry.shift[:, None].astype(q.dtype)


def formed(t: Trajectory, times: int, *terms):
    """Bound on the rounding of a residual that is formed from these terms, each rounded so many `times` (but for |residual| itself)."""
    return times * t.unit * sum(np.abs(x) for x in terms) + t.floor


def depth(symmetry: Symmetry) -> int:
    """How often a term of a charge is rounded: in A q, in the sum over components, and a dozen operations around them."""
    return len(symmetry.a) + int(np.count_nonzero(symmetry.matrix, axis=1).max()) + 12


def size(x, y):
    return dot(np.abs(x), np.abs(y))


# ---- D0: the update itself


def update(t: Trajectory, symmetry=None):
    """D0  w = beta v - eta f + delta;   q' = s q + y + sigma (log q for the mirror rule), componentwise."""
    w, pull, push = t.v[1:], t.eta * t.force, t.beta * t.v[:-1]
    old = t.shrink * t.z[:-1]
    own_v = formed(t, 4, push, pull) + formed(t, 4, t.k * t.eta * t.q[:-1])
    own_q = formed(t, 3 if t.rule.decoupled else 1, old, w) if not t.rule.nesterov else formed(t, 6, old, t.reach)
    return Residual(
        np.concatenate([w, t.z[1:]], axis=1),
        np.concatenate([push - pull, old + t.move], axis=1),
        np.concatenate([t.delta + own_v, t.sigma + own_q], axis=1),
        np.broadcast_to(t.path, (t.steps, t.lanes)),
    )


# ---- D2: the charge


def broken_force(t: Trajectory, symmetry: Symmetry):
    """<f, xi> with the symmetric part set to zero: c (+-eps <grad b, xi> + k <q, xi>), k when coupled."""
    x = xi(symmetry, t.q[:-1])
    value = t.sign * t.eps * dot(t.g_broken, x)
    if t.rule.decay == "coupled":
        value = value + t.k * dot(t.q[:-1], x)
    return t.share * value


def charge(t: Trajectory, symmetry: Symmetry):
    """J_n = <v_n, xi(q_n)>, (steps + 1, lanes)."""
    return dot(t.v, xi(symmetry, t.q))


def charge_bound(t: Trajectory, symmetry: Symmetry):
    """|s| <|xi|, delta> + <|A^T w|, sigma>, the linear form of D2's residual."""
    x, w = np.abs(xi(symmetry, t.q[:-1])), t.v[1:]
    return np.abs(t.shrink) * dot(x, t.delta) + dot(np.abs(act(symmetry.matrix.T, w)), t.sigma)


def charge_own(t: Trajectory, symmetry: Symmetry):
    M, w, q = np.abs(symmetry.matrix), np.abs(t.v[1:]), np.abs(t.q)
    at = [act(M, q[i]) + np.abs(symmetry.shift)[:, None] for i in (slice(None, -1), slice(1, None))]
    pull = t.eta * (size(t.eps * t.g_broken, at[0]) + t.k * size(q[:-1], at[0]))
    return formed(t, depth(symmetry), dot(w, at[1]), t.beta * size(t.v[:-1], at[0]), pull, dot(act(M, t.reach), w))


def charge_law(t: Trajectory, symmetry: Symmetry, kinetic: float = 1.0, plain: bool = False):
    """D2  J' = s (beta J - eta <f, xi>) + (1 - s) <w, a> + <A y, w>.   `kinetic` scales the last term, `plain` has y = w."""
    J, w = charge(t, symmetry), t.v[1:]
    source = dot(act(symmetry.matrix, w if plain else t.move), w)
    shift = symmetry.shift[:, None].astype(w.dtype)
    drift = (1 - t.shrink) * dot(w, np.broadcast_to(shift, w.shape))
    predicted = t.shrink * (t.beta * J[:-1] - t.eta * broken_force(t, symmetry)) + drift + kinetic * source
    return Residual(J[1:], predicted, charge_bound(t, symmetry) + charge_own(t, symmetry), size_of_charge(t, symmetry))


def size_of_charge(t: Trajectory, symmetry: Symmetry):
    """What J would be without cancellation: |w| |xi|, the scale on which its bound is a rounding."""
    return dot(np.abs(t.v[1:]), np.abs(xi(symmetry, t.q[1:])))


# ---- D3: decay of the charge of a Killing field


def decaying(rule: Rule, symmetry: Symmetry) -> bool:
    """Nesterov moves q along the force too, which a rotation feels and a translation does not."""
    return rule.momentum and (symmetry.is_translation or (symmetry.is_rotation and not rule.nesterov))


def undisturbed(t: Trajectory, symmetry: Symmetry) -> np.ndarray:
    """Symmetric loss; for translations no coupled decay either."""
    free = symmetry.is_rotation | (t.k == 0) | t.rule.decoupled
    return (t.eps == 0) & free


def decay_law(t: Trajectory, symmetry: Symmetry):
    """D3  J_n = (s beta)^n J_0 (rotation), beta^n J_0 (translation);  B_{n+1} = |factor| B_n + b_n."""
    J = charge(t, symmetry)
    factor = t.beta * (t.shrink if symmetry.is_rotation else 1)
    # A translation's charge is <v, a>: all of delta enters, where in D2 a part of it cancels against (1 - s) <w, a>.
    rounding = charge_bound(t, symmetry) if symmetry.is_rotation else dot(np.abs(xi(symmetry, t.q[:-1])), t.delta)
    local = rounding + charge_own(t, symmetry)
    bound, predicted = np.empty_like(local), np.empty_like(local)
    B, P = np.zeros_like(local[0]), J[0]
    for n in range(t.steps):
        B = np.abs(factor) * B + local[n]
        P = factor * P
        bound[n], predicted[n] = B, P
    signal = np.broadcast_to(np.abs(J[0]), predicted.shape)  # kicked: from rest it is 0 = 0
    return Residual(J[1:], predicted, bound + formed(t, 2 * t.steps + 16, predicted), signal)


# ---- D4: symmetric generators


def massive(rule: Rule, symmetry: Symmetry) -> bool:
    return symmetry.is_symmetric and rule.decay == "coupled" and not rule.nesterov


def mass_law(t: Trajectory, symmetry: Symmetry, kinetic: float = 1.0, mass=None):
    """D4  D[Q + beta/(1-beta) J] = -eta/(1-beta) <f, Aq> + (1+beta)/(2(1-beta)) <A w, w>,  Q = <q, Aq>/2."""
    A, q, p, w = symmetry.matrix, t.q[:-1], t.q[1:], t.v[1:]
    ratio = t.beta / (1 - t.beta)
    Q = dot(t.q, act(A, t.q)) / 2
    J = charge(t, symmetry)
    whole = Q + ratio * J
    weight = (1 + t.beta) / 2 if mass is None else mass
    predicted = -t.eta / (1 - t.beta) * broken_force(t, symmetry) + kinetic * weight / (1 - t.beta) * dot(act(A, w), w)
    slope = np.abs(act(A, q + w) + ratio * act(A, w))
    bound = dot(np.abs(act(A, q)), t.delta) / (1 - t.beta) + dot(slope, t.sigma) + dot(act(np.abs(A), t.sigma), t.sigma) / 2
    M, a = np.abs(A), np.abs
    own = formed(
        t, depth(symmetry), size(p, act(M, a(p))), size(q, act(M, a(q))), ratio * size(w, act(M, a(p))), ratio * size(t.v[:-1], act(M, a(q))),
        t.eta / (1 - t.beta) * (size(t.eps * t.g_broken, act(M, a(q))) + t.k * size(q, act(M, a(q)))), size(w, act(M, a(w))) / (1 - t.beta),
    )  # fmt: skip
    return Residual(np.diff(whole, axis=0), predicted, bound + own, size(w, act(A, q)))


# ---- D6: translation charge


def translation_law(t: Trajectory, symmetry: Symmetry):
    """D6  c_{n+1} = (s + beta) c_n - s beta c_{n-1} - (1 + l) eta F_n + l eta F_{n-1},  c = <a, q>,  F = <f, a>.

    l = beta for Nesterov, else 0. Without breaking F = k c when coupled, else 0.
    """
    a = symmetry.shift[:, None].astype(t.q.dtype)
    c = dot(t.q, np.broadcast_to(a, t.q.shape))
    pull = t.eta * broken_force(t, symmetry)
    lead = t.beta if t.rule.nesterov else 0
    predicted = (t.shrink + t.beta) * c[1:-1] - t.shrink * t.beta * c[:-2] - (1 + lead) * pull[1:] + lead * pull[:-1]
    local = (np.abs(t.beta) if t.rule.nesterov else 1) * t.delta[1:] + t.sigma[1:] + np.abs(t.beta) * t.sigma[:-1]
    bound = dot(np.broadcast_to(np.abs(a), local.shape), local)
    mass = dot(np.broadcast_to(np.abs(a), t.q.shape), np.abs(t.q))
    pull_size = t.eta * (t.eps * size(t.g_broken, np.broadcast_to(a, t.g_broken.shape)) + t.k * mass[:-1])
    own = formed(t, depth(symmetry), mass[2:], (np.abs(t.shrink) + np.abs(t.beta)) * mass[1:-1], t.shrink * t.beta * mass[:-2],
                 (1 + lead) * pull_size[1:], lead * pull_size[:-1])  # fmt: skip
    return Residual(c[2:], predicted, bound + own, mass[2:])


# ---- D7: mirror descent


def mirror_law(t: Trajectory, symmetry: Symmetry):
    """D7  <log q' - log q, xi(q)> = -eta eps <grad b, xi(q)>."""
    x = xi(symmetry, t.q[:-1])
    moved = np.diff(t.z, axis=0)
    pull = t.eta * t.eps * dot(t.g_broken, x)
    bound = dot(np.abs(x), t.delta + t.sigma)
    own = formed(t, depth(symmetry), size(t.z[1:], x), size(t.z[:-1], x), t.eta * t.eps * size(t.g_broken, x))
    return Residual(dot(moved, x), -pull, bound + own, dot(np.abs(moved), np.abs(x)))


EXACT = {
    law.key: law
    for law in (
        ExactLaw("D0", "the update itself, componentwise", "v' = beta v - eta (g + k q),  q' = q + v'", lambda rule, symmetry: True, update,
                 ("nothing that changes a bit by more than its rounding",), about_symmetry=False),
        ExactLaw("D2", "the discrete charge, with its kinetic source", "J' = beta J - eta <g + k q, xi> + <A v', v'>", lambda rule, symmetry: not rule.log_state, charge_law,
                 ("faults in g that keep the symmetry", "eta, on a symmetric loss without decay")),
        ExactLaw("D3", "the charge of a Killing field decays as beta^n", "J_n = beta^n J_0", decaying, decay_law,
                 ("everything along the rotation: coupled decay of any size", "the gradient"), undisturbed),
        ExactLaw("D4", "symmetric generators: the mass eta (1+beta)/2 is exact",
                 "D[Q + beta/(1-beta) J] = -eta/(1-beta) <f, Aq> + (1+beta)/(2(1-beta)) <A v', v'>", massive, mass_law,
                 ("what D2 is blind to",)),
        ExactLaw("D6", "the translation charge", "c_{n+1} - (1+beta-eta k) c_n + beta c_{n-1} = 0", lambda rule, symmetry: symmetry.is_translation and not rule.log_state, translation_law,
                 ("faults in g that keep the symmetry", "eta, on a symmetric loss without decay"), lambda t, symmetry: np.full(t.lanes, t.steps >= 2)),
        ExactLaw("D7", "mirror descent keeps the charge of its own metric", "<grad h(q') - grad h(q), xi> = -eta <g, xi>", lambda rule, symmetry: rule.log_state, mirror_law,
                 ("faults in g that keep the symmetry", "eta, on a symmetric loss")),
    )
}  # fmt: skip
