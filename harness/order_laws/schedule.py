"""A learning rate that changes smoothly against its continuous model: O7 (theory.md section 5).

eta_n = eta s(t), t = n eta, F = g + k q, m = eta (1+beta)/2, mu = 1 - beta. Two rules differ in what the buffer holds:

    gradients (PyTorch)    p' = beta p + F,          q' = q - eta_n p'                                      (1)
    displacements          v' = beta v - eta_n F,    q' = q + v'                                            (2)

With v = -eta_{n-1} p, (1) is (2) with beta eta_n/eta_{n-1} for beta. Expanding (q_{n+1} - q_n)/s - beta (q_n - q_{n-1})/s_-
= -eta F about t_n, 1/s_- = (1 + eta sdot/s)/s + O(eta^2):

    (1)   m qddot + (mu - eta beta sdot/s) qdot + s F = 0                                                   (3)
    (2)   m qddot + mu qdot + s F = 0                                                                       (4)

both from qdot(0) = (2 beta v_0/eta - s(0) F)/(1+beta), order 2; crossed, order 1. Gradient descent (beta = 0) has
(3) = (4). In its own time, sigma = int s dt, (3) is m s q'' + (mu + eta mu s'/2) q' + F = 0: a changing mass brings a friction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.order_laws.claims import OFF
from harness.order_laws.descent import EPS
from harness.order_laws.options import BETA, NESTEROV_DECAY
from harness.order_laws.runs import FINAL, QUIET, Cell, judge, reference, step_sizes, steps_of
from harness.symbolic import gradient
from harness.verdicts import Record


def inverse(t):
    """s = 1/(1 + t/4) and sdot/s."""
    return 1 / (1 + t / 4), -1 / (4 + t)


def cosine(t):
    """s = (1 + cos(pi t/4))/2, half of a cosine cycle at FINAL, and sdot/s."""
    s = (1 + np.cos(np.pi * t / 4)) / 2
    return s, -np.pi / 8 * np.sin(np.pi * t / 4) / s


SCHEDULES = {"1/(1 + t/4)": inverse, "(1 + cos(pi t/4))/2": cosine}


@dataclass(frozen=True)
class Scheduled:
    """One comparison: a run of (1) or (2), and a model with `share` of the friction of (3)."""

    note: str
    ratio: bool
    share: float
    qdot: np.ndarray
    stated: int | None
    control: str | None = None
    against: int = 2
    factor: float = 1.0
    v0: np.ndarray | float = 0.0


@QUIET
def run(force, claims: list[Scheduled], schedule, q0, eta, beta: float) -> np.ndarray:
    """(1) where ratio, else (2): q at FINAL, (d, claims x lanes)."""
    n, counts = len(eta), np.tile(steps_of(eta), len(claims))
    each = lambda name: np.repeat([float(getattr(c, name)) for c in claims], n)  # noqa: E731
    size, ratio, factor = np.tile(eta, len(claims)), each("ratio"), each("factor")
    q = np.repeat(q0, len(size), axis=1)
    v = np.concatenate([np.zeros((len(q0), n)) + eta * c.v0 for c in claims], axis=1)
    end, before = np.empty_like(q), schedule(-size)[0]
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        s = schedule(np.minimum(k * size, FINAL))[0]  # lanes that are done go on
        v = beta * np.where(ratio, s / before, 1.0) * v - factor * size * s * force(q)  # (1), (2)
        q, before = q + v, s
    return end


def schedule_orders(cell: Cell) -> list[Record]:
    """O7 (3), (4)"""
    eta, (q0, w), beta, out = step_sizes(cell), cell.start(), BETA, []
    g = gradient(cell.case)
    force = lambda x: g(x, EPS) + NESTEROV_DECAY * x  # noqa: E731
    F = force(q0)
    cold, warm, d = -F / (1 + beta), (2 * beta * w - F) / (1 + beta), len(q0)  # s(0) = 1 in all
    for name, schedule in list(SCHEDULES.items())[: 1 if cell.quick else 2]:
        at = f"schedule {name}, "
        claims = [
            Scheduled(at + "buffer of gradients", True, 1.0, cold, 2),
            Scheduled(at + "buffer of gradients, warm", True, 1.0, warm, 2, v0=w),
            Scheduled(at + "buffer of displacements", False, 0.0, cold, 2),
            Scheduled(at + "buffer of gradients, friction mu", True, 0.0, cold, 1, "schedule without its friction"),
            Scheduled(at + "buffer of displacements, friction of the other", False, 1.0, cold, 1, "friction of another buffer"),
            Scheduled(at + "qdot(0) = 0", True, 1.0, 0 * F, 1, "schedule from start velocity 0"),
            Scheduled(at + "steps too long", True, 1.0, cold, None, "eta x (1 + 2^-10)", factor=OFF),
        ]
        end = run(force, claims, schedule, q0, eta, beta)
        size, share = np.tile(eta, len(claims)), np.repeat([c.share for c in claims], len(eta))
        m, mu = size * (1 + beta) / 2, 1 - beta

        def rates(x, m=m, mu=mu, share=share, size=size, schedule=schedule):
            s, slope = schedule(x[-1])
            qdot = x[d:-1]
            return np.concatenate([qdot, -((mu - share * size * beta * slope) * qdot + s * force(x[:d])) / m, 1 + 0 * x[-1:]])

        qdot = np.concatenate([np.repeat(c.qdot, len(eta), axis=1) for c in claims], axis=1)
        x, error = reference(rates, np.concatenate([np.repeat(q0, len(size), axis=1), qdot, 0 * size[None]]), mu / m, FINAL)
        e, length = np.linalg.norm(end - x[:d], axis=0), np.linalg.norm(end, axis=0)
        for i, c in enumerate(claims):
            mine = slice(i * len(eta), (i + 1) * len(eta))
            facts = dict(steps=int(steps_of(eta).max()))
            if c.stated:
                out.append(judge(cell, e[mine], error[mine], length[mine], c.stated, c.note, **facts))
            if c.control:
                out.append(judge(cell, e[mine], error[mine], length[mine], c.against, c.note, control=c.control, **facts))
    return out
