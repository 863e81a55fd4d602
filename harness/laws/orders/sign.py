"""Sign descent against its flow: O8 (theory.md section 5).

    q' = q - eta sign(g(q))                                        (1)
    qdot = -sign(g(q)):  q(t) = q_0 - t s,  s = sign(g(q_0)),      (2)
        until a component of g changes sign along it

Until then (1) is (2) at every step size, to rounding: there is no order to measure. From there on no smooth
model exists: (1) crosses the surface g_i = 0 back and forth in steps of eta, at a place that depends on how
q_0 and the surface lie to the grid of steps. Where that begins is read off (2), never off (1).
"""

from __future__ import annotations

import numpy as np

from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.records import bounded
from noether.laws.orders.runs import FINAL, Cell, U, step_sizes
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.claims import beyond
from noether.verdicts.record import Record

STARTS = 8
SCAN = 4096  # points of the line on which a sign change is looked for
THIRD = 4 / 3  # step sizes that are no power of two: with one, q - eta s would often be exact


def change(g, q0: np.ndarray, s: np.ndarray) -> np.ndarray:
    """(starts,) the last time of a scan of (2) before which no component of g has changed sign."""
    times = np.linspace(0, FINAL, SCAN + 1)
    kept = np.all(np.sign(g(q0[..., None] - times * s[..., None])) == s[..., None], axis=0)
    return times[np.argmin(np.append(kept, np.zeros((len(kept), 1), bool), axis=1), axis=1) - 1]


def until_a_sign_changes(cell: Cell) -> list[Record]:
    """(1) against (2) up to the last whole step before the change; what comes after is outside."""
    g = lambda x: gradient(cell.slowed)(x, EPS)
    (q0, _), sizes = cell.drawn(STARTS), step_sizes(cell) * THIRD
    s = np.sign(g(q0))
    until = change(g, q0, s)
    eta, lanes = np.tile(sizes, STARTS), np.repeat(np.arange(STARTS), len(sizes))
    counts = np.floor(until[lanes] / eta).astype(int) - 1
    eta, lanes, counts = eta[counts > 0], lanes[counts > 0], counts[counts > 0]
    if not len(counts):
        told = (
            "a component of g changes sign within the first two steps of the smallest size: nothing is left"
        )
        return [beyond(cell, told, backend="numpy", lanes=STARTS)]
    start, sign = q0[:, lanes], s[:, lanes]
    flow = (start.astype(np.longdouble) - (counts * eta.astype(np.longdouble)) * sign).astype(float)
    # every step rounds q once, the flow once more
    bound = (counts + 1) * U * np.maximum(np.abs(start), np.abs(flow))
    motion = counts * eta * (sign != 0).any(axis=0)  # a parameter that the loss does not know stands still
    facts = dict(steps=int(counts.max()), about={"t": [float(x) for x in until]})
    moves = {
        None: lambda q: eta * np.sign(g(q)),
        faults.TOO_LONG: lambda q: eta * NEAR * np.sign(g(q)),
        faults.GRADIENT_FOR_SIGN: lambda q: eta * g(q),
    }
    out, note = [], "sign descent until a sign changes"
    for fault, move in moves.items():
        compared = (walked(start, move, counts), flow, bound, motion)
        out.append(bounded(cell, *compared, note, symbol="eta", fault=fault, **facts))
    told = (
        f"a component of g changes sign along the flow after t = {until.min():.3g} to {until.max():.3g}: no "
        "smooth model crosses it"
    )
    return [*out, beyond(cell, told, backend="numpy", lanes=STARTS, parameters=facts["about"])]


def walked(q: np.ndarray, move, counts: np.ndarray) -> np.ndarray:
    """(1), each lane for its own count."""
    end = np.empty_like(q)
    for n in range(int(counts.max()) + 1):
        end[:, counts == n] = q[:, counts == n]
        q = q - move(q)  # (1)
    return end
